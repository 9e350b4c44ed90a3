//! The outcome of a redemption, which decides whether the call may write.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::json::decode;

/// The outcome of a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A token response.
    Bought,
    /// The authority will never accept this refresh token again.
    Dead,
    /// An OAuth error that leaves the refresh token valid.
    Refused,
    /// Neither: the authority is overloaded, or something else answered.
    Nothing,
}

impl Verdict {
    /// Classifies a reply. Of a repeated member the last counts, as in the component.
    pub(crate) fn of(status: u16, body: &str) -> Self {
        let members: HashMap<String, &RawValue> = serde_json::from_str(body).unwrap_or_default();
        let text = |name: &str| members.get(name).and_then(|value| decode(value.get()));
        match (status, text("error").filter(|error| !error.is_empty())) {
            (200, None) => Self::Bought,
            (400..=428 | 430..=499, Some(error)) => {
                let suberror = text("suberror").unwrap_or_default();
                let is_dead = error == "invalid_grant" && matches!(&*suberror, "bad_token" | "token_expired");
                if is_dead { Self::Dead } else { Self::Refused }
            }
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_dead_when_the_authority_declares_it_and_not_before() {
        let dead = r#"{"error":"invalid_grant","suberror":"bad_token"}"#;
        for (status, body, verdict) in [
            (200, r#"{"access_token":"a"}"#, Verdict::Bought),
            (200, "{}", Verdict::Bought),
            (200, dead, Verdict::Nothing),
            (400, dead, Verdict::Dead),
            (401, r#"{"error":"invalid_grant","suberror":"token_expired"}"#, Verdict::Dead),
            (400, r#"{"error":"invalid_grant"}"#, Verdict::Refused),
            (400, r#"{"error":"invalid_grant","suberror":"basic_action"}"#, Verdict::Refused),
            (400, r#"{"error":"interaction_required","suberror":"bad_token"}"#, Verdict::Refused),
            (400, r#"{"error":"invalid_grant","suberror":"bad_token","suberror":"x"}"#, Verdict::Refused),
            (400, r#"{"error":["invalid_grant"],"suberror":"bad_token"}"#, Verdict::Nothing),
            (429, dead, Verdict::Nothing),
            (503, dead, Verdict::Nothing),
            (302, dead, Verdict::Nothing),
            (302, "", Verdict::Nothing),
            (400, "<html>invalid_grant bad_token</html>", Verdict::Nothing),
        ] {
            assert_eq!(Verdict::of(status, body), verdict, "{status} {body}");
        }
    }
}
