//! The error of a credential after it has tried its sources.

use crate::error::{Error, SourceFailure, UnavailableReason};
use shared_token_cache_policy::Source;

/// The sources that gave no token, in the order of the tries.
#[derive(Default)]
pub(super) struct Tried(Vec<(SourceFailure, Error)>);

impl Tried {
    pub(super) fn push(&mut self, source: &Source, account: Option<String>, error: Error) {
        let (kind, reason, message) = (error.kind(), error.reason(), error.to_string());
        self.0.push((SourceFailure { source: source.to_string(), account, kind, reason, message }, error));
    }

    /// The sources with a sign-in that gave no token: the authority refused it, or replied without
    /// a token, or a limit was exceeded.
    pub(super) fn refused(&self) -> impl Iterator<Item = &SourceFailure> {
        let has_sign_in = |error: &Error| matches!(error, Error::ClientAuthentication(_) | Error::Limit(_));
        self.0.iter().filter(move |(_, error)| has_sign_in(error)).map(|(failure, _)| failure)
    }

    /// The error of the source that ended the call; the later sources were not tried.
    pub(super) fn ended(self, not_asked: &[String]) -> Option<Error> {
        let shown = self.shown();
        let alone = self.0.len() == 1 && not_asked.is_empty();
        let last = self.0.into_iter().next_back().map(|(_, error)| error);
        let mut last = last?;
        let why = ends_because(&last);
        let mut message = shown;
        if !not_asked.is_empty() {
            let sources = not_asked.join(", ");
            message
                .push_str(&format!("; not tried: {sources}, because {why}; try again, or select one with `--source`"));
        }
        match &mut last {
            _ if alone => {}
            Error::Unreachable(unreachable) => unreachable.message = message,
            Error::ClientAuthentication(failure) => failure.message = message,
            Error::CredentialUnavailable(unavailable) => unavailable.message = message,
            Error::Limit(limit) => limit.message = message,
            Error::Denied(denial) => denial.message = message,
            // The first is about the call and not about a source; the second has no text.
            Error::InvalidArgument(_) | Error::Component(_) => {}
        }
        Some(last)
    }

    /// The error of all sources together, with the kind of the most informative one; and the source
    /// of that one, if the authority refused it.
    pub(super) fn error(self) -> Option<(Error, Option<String>)> {
        let shown = format!("no source has a token: {}", self.shown());
        let alone = self.0.len() == 1;
        let failures: Vec<_> = self.0.iter().map(|(failure, _)| failure.clone()).collect();
        let (failure, mut error) = self.0.into_iter().min_by_key(|(_, error)| rank(error))?;
        let has_source = matches!(error, Error::ClientAuthentication(_) | Error::Limit(_));
        let refused = has_source.then_some(failure.source);
        if !alone {
            match &mut error {
                Error::ClientAuthentication(failure) => (failure.message, failure.sources) = (shown, failures),
                Error::CredentialUnavailable(unavailable) => {
                    (unavailable.message, unavailable.sources) = (shown, failures);
                }
                Error::Limit(limit) => limit.message = shown,
                // A denial has a hint, which is about one source.
                _ => {}
            }
        }
        Some((error, refused))
    }

    fn shown(&self) -> String {
        let shown = self.0.iter().map(|(failure, _)| format!("{}: {}", failure.name(), failure.message));
        shown.collect::<Vec<_>>().join("; ")
    }
}

/// The reason why the sources after one with this error are not tried.
pub(super) fn ends_because(error: &Error) -> &'static str {
    match error {
        Error::Unreachable(_) => "another source may hold another user's sign-in",
        Error::Limit(_) => "the limit applies to all sources together",
        Error::Denied(_) | Error::Component(_) => "the component did something that no component may do",
        Error::InvalidArgument(_) | Error::ClientAuthentication(_) | Error::CredentialUnavailable(_) => {
            "no source can serve the call"
        }
    }
}

/// The progress of a source, by its error: lower is further.
fn rank(error: &Error) -> u8 {
    match error {
        Error::ClientAuthentication(_) => 0,
        Error::CredentialUnavailable(unavailable) if unavailable.reason == UnavailableReason::NoAccounts => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{AuthenticationFailure, AuthenticationFailureReason, LimitExceeded, Unavailable};

    fn refusal() -> Error {
        Error::ClientAuthentication(AuthenticationFailure {
            reason: AuthenticationFailureReason::OAuthError,
            message: "refused".into(),
            oauth: None,
            sources: Vec::new(),
        })
    }

    fn unavailable(reason: UnavailableReason) -> Error {
        let (message, candidates, sources) = (reason.as_str().to_owned(), Vec::new(), Vec::new());
        Error::CredentialUnavailable(Unavailable { reason, message, candidates, sources })
    }

    fn error_of(errors: [Error; 2]) -> Error {
        let mut tried = Tried::default();
        for (source, error) in [Source::Shared, Source::AzureCli].iter().zip(errors) {
            tried.push(source, None, error);
        }
        tried.error().unwrap().0
    }

    #[test]
    fn a_refusal_is_the_most_informative_error_and_an_empty_cache_the_least() {
        let (none, several) = (UnavailableReason::NoAccounts, UnavailableReason::MultipleAccounts);
        for (errors, kind, reason) in [
            ([unavailable(several), refusal()], "client-authentication", "oauth-error"),
            ([refusal(), unavailable(several)], "client-authentication", "oauth-error"),
            ([unavailable(none), unavailable(several)], "credential-unavailable", "multiple-accounts"),
            ([unavailable(several), unavailable(none)], "credential-unavailable", "multiple-accounts"),
            ([unavailable(none), unavailable(none)], "credential-unavailable", "no-accounts"),
        ] {
            let error = error_of(errors);
            assert_eq!((error.kind(), error.reason()), (kind, Some(reason)));
            let shown = error.to_string();
            assert!(shown.contains("shared: ") && shown.contains("azure-cli: "), "{shown}");
        }
    }

    #[test]
    fn an_error_that_ends_a_call_names_its_source_and_why_the_next_was_not_tried() {
        let limit = LimitExceeded::new("limits.requests-per-minute", "too many");
        for (error, part) in [
            (Error::unreachable("gone"), "another user"),
            (Error::Limit(limit), "all sources together"),
            (Error::denied("no"), "no component may do"),
        ] {
            let mut tried = Tried::default();
            tried.push(&Source::Shared, Some("user0@contoso.com".into()), error);
            let shown = tried.ended(&["azure-cli".to_owned()]).unwrap().to_string();
            assert!(shown.starts_with("shared (user0@contoso.com): "), "{shown}");
            assert!(shown.contains("not tried: azure-cli, because ") && shown.contains(part), "{shown}");
        }
    }

    #[test]
    fn the_error_of_a_single_source_is_unchanged() {
        let mut tried = Tried::default();
        tried.push(&Source::Shared, Some("user0@contoso.com".into()), refusal());
        assert_eq!(tried.error().unwrap().0.to_string(), "refused");
    }
}
