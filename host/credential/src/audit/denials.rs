use shared_token_cache_vault::Refused;

use super::{Asked, Audit, AuditLine};
use shared_token_cache_policy::Source;

/// A component can trigger denials in a loop. At most this many are logged per call.
const MOST: usize = 100;

/// The denials of one call of an instance.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    /// The scopes of the call.
    scopes: Vec<String>,
    /// The kind of the vault's refusal that the next denial is about.
    refused: Option<&'static str>,
    last: Option<&'static str>,
    count: usize,
}

impl Denials {
    /// For a call with these scopes.
    pub(crate) fn of(scopes: &[String]) -> Self {
        Self { scopes: scopes.to_vec(), ..Self::default() }
    }

    /// Notes a refusal of the vault; returns the text for the component.
    pub(crate) fn refused(&mut self, refused: &Refused) -> String {
        self.refused = Some(refused.kind());
        refused.to_string()
    }

    /// Writes a denial to the audit: of the vault, if it has just refused, else of the policy.
    pub(crate) fn record(&mut self, audit: &Audit, source: &Source, operation: &'static str) {
        let reason = self.refused.take().unwrap_or("policy");
        self.last = Some(reason);
        self.count = self.count.saturating_add(1);
        if self.count > MOST + 1 {
            return;
        }
        let reason = if self.count > MOST { "too-many" } else { reason };
        let source = Some(source.to_string());
        let asked = Asked { operation, scopes: &self.scopes, tenant: None, source, duration: None };
        audit.write(&AuditLine::new(asked, "denied", Some(reason)));
    }

    /// The kind of the last denial in this call.
    pub(crate) fn last(&self) -> Option<&'static str> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::super::AuditSink;
    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<AuditLine>>>);

    impl AuditSink for Memory {
        fn write(&self, line: &AuditLine) -> io::Result<()> {
            self.0.lock().unwrap().push(line.clone());
            Ok(())
        }
    }

    #[test]
    fn a_component_that_tries_in_a_loop_does_not_fill_the_audit() {
        let memory = Memory::default();
        let audit = Audit::to(memory.clone());
        for _ in 0..2 {
            let mut denials = Denials::of(&["a".into()]);
            for _ in 0..1_000 {
                denials.record(&audit, &Source::Shared, "cache-file.read");
            }
        }
        let lines = memory.0.lock().unwrap();
        assert_eq!(lines.len(), 2 * (MOST + 1));
        let reasons: Vec<_> = lines.iter().map(|line| line.reason.unwrap()).collect();
        assert_eq!((reasons[MOST - 1], reasons[MOST], reasons[MOST + 1]), ("policy", "too-many", "policy"));
    }

    #[test]
    fn a_refusal_is_the_reason_of_one_denial() {
        let mut denials = Denials::default();
        denials.refused(&Refused::WrongGrant);
        denials.record(&Audit::default(), &Source::Shared, "https.post-form");
        assert_eq!(denials.last(), Some("wrong-grant"));
        denials.record(&Audit::default(), &Source::Shared, "https.post-form");
        assert_eq!(denials.last(), Some("policy"));
    }
}
