//! The authority: whether it is reachable, and whether the clocks agree.

use shared_token_cache::{Connection, Error, Unreachable};

use super::finding::Finding;

/// Cached tokens are not used in their last five minutes, so only a clock with a larger error can
/// hand out expired ones.
const TOO_WRONG: u64 = 300;

/// The tolerance of the comparison: the response takes time, and its date has whole seconds.
const NOTHING: u64 = 5;

pub(super) struct AuthorityReport {
    pub(super) host: String,
    /// The connection to it; `None` if the policy does not allow it.
    pub(super) connection: Option<Connection>,
    pub(super) reachable: bool,
    /// The number of seconds that this machine's clock is ahead.
    pub(super) clock_skew: Option<i64>,
    pub(super) finding: Finding,
}

impl AuthorityReport {
    pub(super) fn new(host: String, connection: Option<Connection>, skew: Result<Option<i64>, Error>) -> Self {
        let finding = match &skew {
            Ok(None) => Finding::note("it answers without a date, so the clocks cannot be compared", ""),
            Ok(Some(skew)) if skew.unsigned_abs() <= NOTHING => Finding::good("it answers, and the clocks agree"),
            Ok(Some(skew)) => {
                let what = format!("this machine's clock is {} s {}", skew.unsigned_abs(), direction(*skew));
                let next = "Set the clock, for example with `timedatectl set-ntp true`.";
                if skew.unsigned_abs() > TOO_WRONG { Finding::problem(what, next) } else { Finding::note(what, next) }
            }
            Err(error @ Error::Denied(_)) => {
                Finding::problem(error.to_string(), "Let the policy allow it, or name another.")
            }
            Err(Error::Unreachable(Unreachable { message, hint: Some(hint), .. })) => {
                Finding::note(message, format!("Cached tokens still work; for new ones, {hint}."))
            }
            Err(error) => Finding::note(
                error.to_string(),
                "Cached tokens still work; for new ones, check the network, HTTPS_PROXY and NO_PROXY.",
            ),
        };
        Self { host, connection, reachable: skew.is_ok(), clock_skew: skew.ok().flatten(), finding }
    }
}

fn direction(skew: i64) -> &'static str {
    if skew > 0 { "ahead" } else { "behind" }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity;
    use super::*;

    #[test]
    fn a_wrong_clock_is_a_problem_if_expired_tokens_could_be_handed_out() {
        for (skew, severity, part) in [
            (0, Severity::Good, "agree"),
            (-5, Severity::Good, "agree"),
            (6, Severity::Note, "6 s ahead"),
            (-300, Severity::Note, "300 s behind"),
            (-301, Severity::Problem, "301 s behind"),
            (7200, Severity::Problem, "7200 s ahead"),
        ] {
            let report = AuthorityReport::new("login.contoso.com".into(), None, Ok(Some(skew)));
            assert_eq!(report.finding.severity, severity, "{skew}");
            assert!(report.finding.what.contains(part), "{}", report.finding.what);
            assert!(report.reachable);
        }
        let report = |skew| AuthorityReport::new("login.contoso.com".into(), None, skew);
        let undated = report(Ok(None));
        assert_eq!((undated.finding.severity, undated.reachable, undated.clock_skew), (Severity::Note, true, None));
        let unreachable = report(Err(Error::Unreachable("no route".to_owned().into())));
        assert_eq!((unreachable.finding.severity, unreachable.reachable), (Severity::Note, false));
    }
}
