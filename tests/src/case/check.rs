//! Compares what happened with the case. Every helper returns its problems as text; an empty list
//! is a pass.

use super::{Case, Documents, Expected, ExpectedError, ExpectedRequest, ExpectedToken, Outcome};

/// A runner's records of a whole case.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The outcomes of the calls, in order.
    pub outcomes: Vec<Outcome>,
    /// The documents at the end.
    pub documents: Documents,
    /// The documents that a write was attempted on.
    pub written: Vec<String>,
    /// All log lines, error texts and debug output.
    pub said: Vec<String>,
    /// Problems of the run, such as a request that the case does not have.
    pub problems: Vec<String>,
}

impl Case {
    /// All differences between `recorded` and the case.
    #[must_use]
    pub fn problems(&self, recorded: &Recorded) -> Vec<String> {
        let mut problems = recorded.problems.clone();
        let unspoken = self.unspoken();
        if recorded.outcomes.len() != self.calls.len() {
            problems.push(format!("{} calls were made instead of {}", recorded.outcomes.len(), self.calls.len()));
        }
        for (number, (call, outcome)) in self.calls.iter().zip(&recorded.outcomes).enumerate() {
            let found = call.expected.problems(outcome);
            problems.extend(found.into_iter().map(|problem| format!("call {}: {problem}", number + 1)));
            if let Outcome::Error { message, oauth, .. } = outcome {
                problems.extend(unspoken.leaks(&format!("{message} {oauth:?}")));
            }
        }
        problems.extend(self.document_problems(&recorded.documents));
        let unwanted = recorded.written.iter().filter(|name| !self.after.contains_key(*name));
        problems.extend(unwanted.map(|name| format!("{name} was written, and the case has no `after` for it")));
        problems.extend(recorded.said.iter().flat_map(|line| unspoken.leaks(line)));
        problems
    }

    /// The expected documents at the end.
    #[must_use]
    pub fn documents_at_the_end(&self) -> Documents {
        let mut documents = self.before.clone();
        for call in &self.calls {
            documents.extend(call.replaced_before.clone());
        }
        documents.extend(self.after.clone());
        documents
    }

    fn document_problems(&self, found: &Documents) -> Vec<String> {
        let expected = self.documents_at_the_end();
        let mut problems = Vec::new();
        for (name, expected) in &expected {
            match found.get(name) {
                None => problems.push(format!("{name} is gone")),
                Some(found) if found != expected => {
                    problems.push(format!("{name} {}", first_difference(expected, found)));
                }
                Some(_) => {}
            }
        }
        let created = found.keys().filter(|name| !expected.contains_key(*name));
        problems.extend(created.map(|name| format!("{name} was created")));
        problems
    }
}

impl Expected {
    fn problems(&self, outcome: &Outcome) -> Vec<String> {
        match (self, outcome) {
            (Self::Token(expected), Outcome::Token { token, expires_on, refresh_on, token_type }) => {
                let ExpectedToken { token: wanted, expires_on: expires, refresh_on: refresh, token_type: kind } =
                    expected;
                let mut problems = Vec::new();
                differs(&mut problems, "token", wanted, token);
                differs(&mut problems, "expires_on", expires, expires_on);
                differs(&mut problems, "refresh_on", refresh, refresh_on);
                differs(&mut problems, "token_type", kind, token_type);
                problems
            }
            (Self::Error(expected), Outcome::Error { kind, reason, message, candidates, oauth }) => {
                let ExpectedError { kind: wanted, reason: why, message_contains, candidates: accounts, oauth: said } =
                    expected;
                let mut problems = Vec::new();
                differs(&mut problems, "kind", wanted, kind);
                differs(&mut problems, "reason", why, reason);
                differs(&mut problems, "candidates", accounts, candidates);
                differs(&mut problems, "oauth", said, oauth);
                let missing = message_contains.iter().filter(|part| !message.contains(part.as_str()));
                problems.extend(missing.map(|part| format!("the message lacks {part:?}")));
                if !problems.is_empty() {
                    problems.push(format!("the message is {message:?}"));
                }
                problems
            }
            (expected, outcome) => vec![format!("expected {expected:?}, got {outcome:?}")],
        }
    }
}

impl ExpectedRequest {
    /// The differences between a request and the expected one. `header` looks up a header field
    /// ignoring case.
    pub fn problems<'a>(
        &self,
        url: &str,
        form: &[(String, String)],
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        differs(&mut problems, "url", self.url.as_str(), url);
        differs(&mut problems, "form", self.form.as_slice(), form);
        for (name, value) in &self.headers {
            differs(&mut problems, name, Some(value.as_str()), header(name));
        }
        problems
    }
}

fn differs<T: PartialEq + std::fmt::Debug>(problems: &mut Vec<String>, what: &str, expected: T, found: T) {
    if expected != found {
        problems.push(format!("{what}: expected {expected:?}, got {found:?}"));
    }
}

/// The place where two documents first differ, for a person.
fn first_difference(expected: &[u8], found: &[u8]) -> String {
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let lines = expected.split('\n').map(Some).chain([None]).zip(found.split('\n').map(Some).chain([None]));
    for (number, (expected, found)) in lines.enumerate() {
        if expected != found {
            return format!("differs in line {}: expected {expected:?}, got {found:?}", number + 1);
        }
    }
    "differs in bytes that are not UTF-8".into()
}
