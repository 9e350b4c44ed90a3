//! Platform failures, which a case can't express.

use std::collections::VecDeque;
use std::path::Path;

use super::*;
use crate::case::load_all;

const CACHE: &str = "msal.cache.nocae";

/// A case's platform with a fault.
struct Faulty {
    world: World,
    /// The results of the next writes. Later ones succeed.
    writes: VecDeque<WriteError>,
    /// The document that another program writes just before our first write.
    rival: Option<Vec<u8>>,
    read: Option<ReadError>,
    post: Option<HttpsError>,
    supported: bool,
    warnings: Vec<String>,
}

impl Faulty {
    /// The case in which a refresh token is redeemed and everything succeeds.
    fn new() -> (Case, Self) {
        let cases = load_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")).unwrap();
        let case = cases["missing-sections-are-added-at-the-end"].clone().unwrap();
        let mut world = World::new(&case);
        world.now = case.calls[0].now;
        let (writes, warnings) = (VecDeque::new(), Vec::new());
        (case, Self { world, writes, rival: None, read: None, post: None, supported: true, warnings })
    }

    fn get_token(&mut self, credential: &mut Credential, case: &Case) -> Outcome {
        neutral(credential.get_token(self, &case.calls[0].scopes, &TokenRequestOptions::default()))
    }
}

impl Platform for Faulty {
    fn read_cache(&mut self, name: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError> {
        self.read.clone().map_or_else(|| self.world.read_cache(name, known), Err)
    }

    fn replace_cache(&mut self, name: &str, expected: &str, document: &str) -> Result<String, WriteError> {
        if let Some(rival) = self.rival.take() {
            self.world.replace(&Documents::from([(name.to_owned(), rival)]));
        }
        match self.writes.pop_front() {
            Some(error) => Err(error),
            None => self.world.replace_cache(name, expected, document),
        }
    }

    fn shared_cache_supported(&mut self) -> bool {
        self.supported
    }

    fn post_form(&mut self, request: &FormRequest) -> Result<FormReply, HttpsError> {
        self.post.clone().map_or_else(|| self.world.post_form(request), Err)
    }

    fn settings(&mut self) -> cache_core::Settings {
        Platform::settings(&mut self.world)
    }

    fn close_idle_connections(&mut self) {
        self.world.close_idle_connections();
    }

    fn now(&mut self) -> u64 {
        Platform::now(&mut self.world)
    }

    fn log(&mut self, level: LogLevel, message: &str) {
        if level == LogLevel::Warn {
            self.warnings.push(message.to_owned());
        }
        self.world.log(level, message);
    }
}

fn token(outcome: Outcome) -> String {
    match outcome {
        Outcome::Token { token, .. } => token,
        Outcome::Error { .. } => panic!("{outcome:?}"),
    }
}

/// Kind, reason and message.
fn error(outcome: Outcome) -> (String, String, String) {
    match outcome {
        Outcome::Error { kind, reason, message, .. } => (kind, reason.unwrap_or_default(), message),
        Outcome::Token { .. } => panic!("{outcome:?}"),
    }
}

fn credential() -> Credential {
    Credential::new(cache_core::Options::default()).unwrap()
}

#[test]
fn a_token_that_can_not_be_written_reaches_its_caller_with_a_warning() {
    for (error, times) in [
        (WriteError::Locked, 1),
        (WriteError::Denied("read-only".into()), 1),
        (WriteError::Failed("no space".into()), 1),
        (WriteError::Conflict, 100),
    ] {
        let (case, mut faulty) = Faulty::new();
        faulty.writes.extend(vec![error.clone(); times]);
        assert_eq!(token(faulty.get_token(&mut credential(), &case)), "at-new", "{error:?}");
        assert_eq!(faulty.warnings.len(), 1, "{error:?}: {:?}", faulty.warnings);
        assert_eq!(case.unspoken().leaks(&faulty.warnings[0]), Vec::<String>::new());
        assert!(faulty.world.recorded.written.is_empty());
    }
}

#[test]
fn a_token_that_was_not_written_is_kept_until_the_document_changes() {
    let (case, mut faulty) = Faulty::new();
    faulty.writes.push_back(WriteError::Locked);
    let mut credential = credential();
    for _ in 0..2 {
        // The case has one reply, so a second request would be a problem.
        assert_eq!(token(faulty.get_token(&mut credential, &case)), "at-new");
    }
    assert_eq!(faulty.world.finish().problems, Vec::<String>::new());
}

#[test]
fn after_a_conflict_the_newest_document_is_edited() {
    let (case, mut faulty) = Faulty::new();
    let with_note = |document: &[u8]| {
        let text = String::from_utf8(document.to_vec()).unwrap();
        text.replacen('{', "{\n    \"Note\": \"of a rival\",", 1).into_bytes()
    };
    faulty.rival = Some(with_note(&case.before[CACHE]));
    assert_eq!(token(faulty.get_token(&mut credential(), &case)), "at-new");
    assert_eq!(faulty.world.recorded.written.len(), 2);
    assert!(faulty.warnings.is_empty());
    assert_eq!(faulty.world.finish().documents[CACHE], with_note(&case.after[CACHE]));
}

#[test]
fn a_refresh_token_that_a_rival_removed_is_not_brought_back_by_the_write() {
    let (case, mut faulty) = Faulty::new();
    faulty.rival = Some(b"{}".to_vec());
    assert_eq!(token(faulty.get_token(&mut credential(), &case)), "at-new");
    let document = faulty.world.finish().documents[CACHE].clone();
    let document = String::from_utf8(document).unwrap();
    assert!(!document.contains("rt-user0") && !document.contains("rt-new"), "{document}");
}

#[test]
fn a_document_that_is_deleted_takes_its_accounts_along() {
    let (case, mut faulty) = Faulty::new();
    let mut credential = credential();
    assert_eq!(token(faulty.get_token(&mut credential, &case)), "at-new");
    faulty.world.documents.clear();
    let (_, reason, _) = error(faulty.get_token(&mut credential, &case));
    assert_eq!(reason, "no-accounts");
}

#[test]
fn a_platform_without_a_shared_cache_is_not_asked_for_one() {
    let (case, mut faulty) = Faulty::new();
    faulty.supported = false;
    faulty.read = Some(ReadError::Failed("was read".into()));
    let (kind, reason, _) = error(faulty.get_token(&mut credential(), &case));
    assert_eq!((kind.as_str(), reason.as_str()), ("credential-unavailable", "unsupported-platform"));
}

#[test]
fn a_cache_that_can_not_be_read_is_unavailable_for_the_reason_the_host_gives() {
    for problem in [ReadError::Denied("by policy".into()), ReadError::Failed("by policy".into())] {
        let (case, mut faulty) = Faulty::new();
        faulty.read = Some(problem);
        let (kind, reason, message) = error(faulty.get_token(&mut credential(), &case));
        assert_eq!((kind.as_str(), reason.as_str()), ("credential-unavailable", "cache-unavailable"));
        assert!(message.contains("by policy"), "{message}");
    }
}

#[test]
fn failures_of_the_network_are_told_apart() {
    for (problem, expected) in [
        (HttpsError::Denied("why".into()), "denied"),
        (HttpsError::Timeout("why".into()), "unreachable"),
        (HttpsError::Unreachable("why".into()), "unreachable"),
        (HttpsError::BadResponse("why".into()), "client-authentication"),
    ] {
        let (case, mut faulty) = Faulty::new();
        faulty.post = Some(problem);
        let (kind, _, message) = error(faulty.get_token(&mut credential(), &case));
        assert_eq!((kind.as_str(), message.as_str()), (expected, "why"));
        assert!(faulty.world.recorded.written.is_empty());
    }
}
