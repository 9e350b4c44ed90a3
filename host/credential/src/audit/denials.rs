use shared_token_cache_vault::Refused;

use super::{Asked, Audit, AuditLine};
use shared_token_cache_policy::Source;

/// A component can try in a loop what it may not. So many lines tell of a call.
const MOST: usize = 100;

/// What an instance of the component was denied in a call.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    /// What the call asks for.
    scopes: Vec<String>,
    /// The kind of the vault's refusal that is about to be answered.
    refused: Option<&'static str>,
    last: Option<&'static str>,
    count: usize,
}

impl Denials {
    /// Of a call that asks for these scopes.
    pub(crate) fn of(scopes: &[String]) -> Self {
        Self { scopes: scopes.to_vec(), ..Self::default() }
    }

    /// The vault refuses something; gives the text for the component.
    pub(crate) fn refused(&mut self, refused: &Refused) -> String {
        self.refused = Some(refused.kind());
        refused.to_string()
    }

    /// Something was denied. Unless the vault refused it, the policy did.
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

    /// The kind of what was denied last in this call.
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
    fn a_refusal_is_told_once() {
        let mut denials = Denials::default();
        denials.refused(&Refused::WrongGrant);
        denials.record(&Audit::default(), &Source::Shared, "https.post-form");
        assert_eq!(denials.last(), Some("wrong-grant"));
        denials.record(&Audit::default(), &Source::Shared, "https.post-form");
        assert_eq!(denials.last(), Some("policy"));
    }
}
