//! The state of one reader under the rules of xDS (state of the world), without any network.

use std::collections::BTreeMap;

use tonic::Status;

use crate::board::{Posted, Secret};
use crate::proto::{Any, DiscoveryRequest, DiscoveryResponse, SECRET_TYPE};

/// The limit on names: more than a proxy has profiles. Envoy has a stream for each name.
const MOST_NAMES: usize = 100;

/// The limit on a reader's text in a log line.
const LONGEST_TEXT: usize = 500;

/// One stream of requests and responses.
#[derive(Debug, Default)]
pub(crate) struct Subscription {
    /// The names of the board that the reader wants.
    names: Vec<String>,
    /// A name that it wants and the board lacks.
    unknown: Option<String>,
    /// The version last sent under each name.
    sent: BTreeMap<String, u64>,
    /// Counts the responses.
    nonce: u64,
    /// Whether the last response was accepted or rejected.
    answered: bool,
    /// Distinguishes this run of the server from earlier ones.
    run: u64,
}

/// A request's answer to a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// None: it is the first request.
    None,
    /// The response was accepted.
    Ack,
    /// The response was rejected; the reader keeps the last one.
    Nack(String),
}

impl Subscription {
    /// `run` identifies this run of the server.
    pub(crate) fn new(run: u64) -> Self {
        Self { run, answered: true, ..Self::default() }
    }

    /// Handles a request. Only names of the board are accepted.
    pub(crate) fn request(
        &mut self,
        request: &DiscoveryRequest,
        board: &BTreeMap<String, Posted>,
    ) -> Result<Verdict, Status> {
        if ![SECRET_TYPE, ""].contains(&request.type_url.as_str()) {
            let what = printable(&request.type_url);
            return Err(Status::invalid_argument(format!("this service has secrets only, not {what}")));
        }
        let Some(nonce) = answered(&request.response_nonce, self.nonce) else {
            self.want(&request.resource_names, board)?;
            return Ok(Verdict::None);
        };
        // An answer to an older response does not change the names: the reader sends them again
        // with its answer to the newer one.
        if nonce == self.nonce {
            self.want(&request.resource_names, board)?;
            self.answered = true;
        }
        Ok(match &request.error_detail {
            None => Verdict::Ack,
            Some(error) => Verdict::Nack(without_tokens(&error.message, board)),
        })
    }

    fn want(&mut self, names: &[String], board: &BTreeMap<String, Posted>) -> Result<(), Status> {
        if names.len() > MOST_NAMES {
            return Err(Status::invalid_argument(format!("a stream takes at most {MOST_NAMES} names")));
        }
        let (known, unknown): (Vec<_>, Vec<_>) = names.iter().partition(|name| board.contains_key(*name));
        self.unknown = unknown.first().map(|name| printable(name));
        if let (Some(name), true) = (&self.unknown, known.is_empty()) {
            return Err(Status::not_found(format!("the policy has no profile {name}")));
        }
        self.names = known.into_iter().cloned().collect();
        self.names.sort_unstable();
        self.names.dedup();
        self.sent.retain(|name, _| self.names.contains(name));
        Ok(())
    }

    /// The next response, if any of the reader's secrets has changed.
    pub(crate) fn response(&mut self, board: &BTreeMap<String, Posted>) -> Option<DiscoveryResponse> {
        let known = |name: &String| board.get(name).filter(|posted| posted.secret != Secret::Pending);
        let is_new = |name: &String| known(name).is_some_and(|posted| self.sent.get(name) != Some(&posted.version));
        if !self.names.iter().any(is_new) {
            return None;
        }
        let current: Vec<_> = self.names.iter().filter_map(|name| Some((name, known(name)?))).collect();
        let resources = current.iter().map(|(name, posted)| match &posted.secret {
            Secret::Token(token) => Any::secret(name, token),
            Secret::Withdrawn | Secret::Pending => Any::secret(name, ""),
        });
        self.nonce += 1;
        let response = DiscoveryResponse {
            version_info: format!("{}.{}", self.run, self.nonce),
            resources: resources.collect(),
            type_url: SECRET_TYPE.to_owned(),
            nonce: self.nonce.to_string(),
        };
        self.sent = current.into_iter().map(|(name, posted)| (name.clone(), posted.version)).collect();
        self.answered = false;
        Some(response)
    }

    /// A name of the last request that the board lacks.
    pub(crate) fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }

    /// Whether the reader has answered the last response.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered
    }

    /// The names that it wants, for the log.
    pub(crate) fn names(&self) -> String {
        self.names.join(", ")
    }
}

/// The response that a request answers, if any.
fn answered(nonce: &str, last: u64) -> Option<u64> {
    nonce.parse().ok().filter(|nonce| (1..=last).contains(nonce))
}

/// A reader's text for the log, quoted and truncated.
fn printable(text: &str) -> String {
    let short: String = text.chars().take(LONGEST_TEXT).collect();
    format!("{short:?}")
}

/// The text of a rejection without tokens, which the reader could repeat.
fn without_tokens(message: &str, board: &BTreeMap<String, Posted>) -> String {
    let mut message = message.to_owned();
    for posted in board.values() {
        if let Secret::Token(token) = &posted.secret {
            message = message.replace(token.as_str(), "(token)");
        }
    }
    printable(&message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use prost::Message as _;
    use tonic::Code;
    use zeroize::Zeroizing;

    use super::*;
    use crate::proto::{self, Status as Detail};

    fn board(entries: &[(&str, &str, u64)]) -> BTreeMap<String, Posted> {
        let entry = |(name, text, version): &(&str, &str, u64)| {
            let secret = match *text {
                "?" => Secret::Pending,
                "" => Secret::Withdrawn,
                text => Secret::Token(Arc::new(Zeroizing::new(text.to_owned()))),
            };
            ((*name).to_owned(), Posted { secret, version: *version })
        };
        entries.iter().map(entry).collect()
    }

    fn request(names: &[&str], nonce: &str) -> DiscoveryRequest {
        DiscoveryRequest {
            resource_names: names.iter().map(|name| (*name).to_owned()).collect(),
            type_url: SECRET_TYPE.into(),
            response_nonce: nonce.into(),
            error_detail: None,
        }
    }

    /// Name and text of each secret.
    fn secrets(response: &DiscoveryResponse) -> Vec<(String, String)> {
        let secret = |any: &Any| {
            let secret = proto::Secret::decode(any.value.as_slice()).unwrap();
            (secret.name, secret.generic_secret.unwrap().secret.unwrap().inline_string.unwrap())
        };
        response.resources.iter().map(secret).collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_reader_gets_the_requested_secrets_and_each_change_once() {
        let mut reader = Subscription::new(7);
        let first = board(&[("a", "1", 2), ("b", "x", 2)]);
        assert_eq!(reader.request(&request(&["a"], ""), &first).unwrap(), Verdict::None);
        let response = reader.response(&first).unwrap();
        assert_eq!(secrets(&response), owned(&[("a", "1")]));
        assert_eq!((response.nonce.as_str(), response.version_info.as_str()), ("1", "7.1"));
        assert!(reader.response(&first).is_none() && !reader.is_answered());
        assert_eq!(reader.request(&request(&["a"], "1"), &first).unwrap(), Verdict::Ack);
        assert!(reader.is_answered());
        assert!(
            reader.response(&board(&[("a", "1", 2), ("b", "y", 3)])).is_none(),
            "another's token is none of its own"
        );
        let withdrawn = reader.response(&board(&[("a", "", 3), ("b", "y", 3)])).unwrap();
        assert_eq!(secrets(&withdrawn), owned(&[("a", "")]));
    }

    #[test]
    fn a_pending_name_is_sent_once_it_has_a_token() {
        let mut reader = Subscription::new(7);
        let pending = board(&[("a", "?", 1), ("b", "x", 2)]);
        reader.request(&request(&["a"], ""), &pending).unwrap();
        assert!(reader.response(&pending).is_none());
        assert_eq!(secrets(&reader.response(&board(&[("a", "1", 2)])).unwrap()), owned(&[("a", "1")]));
    }

    #[test]
    fn only_names_of_the_board_are_accepted() {
        let all = board(&[("a", "1", 2)]);
        for name in ["b", "A", "a ", "*", "https://graph.microsoft.com/.default", ""] {
            let status = Subscription::new(7).request(&request(&[name], ""), &all).unwrap_err();
            assert_eq!(status.code(), Code::NotFound, "{name}");
            assert!(status.message().contains(&format!("{name:?}")), "{status}");
        }
        let mut reader = Subscription::new(7);
        reader.request(&request(&["a", "b", "a"], ""), &all).unwrap();
        assert_eq!(secrets(&reader.response(&all).unwrap()), owned(&[("a", "1")]), "the others do not take it along");
        assert_eq!(reader.unknown(), Some("\"b\""));
        let many: Vec<String> = (0..=MOST_NAMES).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(Subscription::new(7).request(&request(&many, ""), &all).unwrap_err().code(), Code::InvalidArgument);
        let cluster = DiscoveryRequest {
            type_url: "type.googleapis.com/envoy.config.cluster.v3.Cluster".into(),
            ..request(&["a"], "")
        };
        assert_eq!(Subscription::new(7).request(&cluster, &all).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn names_may_be_added_and_removed() {
        let all = board(&[("a", "1", 2), ("b", "x", 2)]);
        let mut reader = Subscription::new(7);
        reader.request(&request(&["a"], ""), &all).unwrap();
        reader.response(&all).unwrap();
        reader.request(&request(&["b", "a"], "1"), &all).unwrap();
        assert_eq!(secrets(&reader.response(&all).unwrap()), owned(&[("a", "1"), ("b", "x")]));
        reader.request(&request(&[], "2"), &all).unwrap();
        assert!(reader.response(&board(&[("a", "2", 3), ("b", "y", 3)])).is_none());
        reader.request(&request(&["a"], "2"), &all).unwrap();
        assert_eq!(secrets(&reader.response(&all).unwrap()), owned(&[("a", "1")]), "it was forgotten in between");
    }

    #[test]
    fn an_answer_to_an_older_response_counts_and_does_not_answer_the_last_one() {
        let mut reader = Subscription::new(7);
        let all = board(&[("a", "1", 2)]);
        reader.request(&request(&["a"], ""), &all).unwrap();
        reader.response(&all).unwrap();
        let newer = board(&[("a", "2", 3)]);
        reader.response(&newer).unwrap();
        assert_eq!(reader.request(&request(&[], "1"), &newer).unwrap(), Verdict::Ack);
        assert_eq!((reader.is_answered(), reader.names().as_str()), (false, "a"));
        assert_eq!(reader.request(&request(&["a"], "3"), &newer).unwrap(), Verdict::None, "there is no such response");
        assert_eq!(reader.request(&request(&["a"], "2"), &newer).unwrap(), Verdict::Ack);
    }

    #[test]
    fn a_rejection_is_logged_without_the_token() {
        let mut reader = Subscription::new(7);
        let all = board(&[("a", "hunter2", 2)]);
        reader.request(&request(&["a"], ""), &all).unwrap();
        reader.response(&all).unwrap();
        let mut rejection = request(&["a"], "1");
        rejection.error_detail = Some(Detail { code: 3, message: "bad\nsecret hunter2 ".repeat(100) });
        let Verdict::Nack(why) = reader.request(&rejection, &all).unwrap() else { panic!("it was rejected") };
        assert!(why.contains("(token)") && !why.contains("hunter2") && !why.contains('\n'), "{why}");
        assert!(why.len() < 700);
    }
}
