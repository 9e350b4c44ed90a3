use shared_token_cache_entra::scope;

use crate::error::Error;

/// The scopes of a request: at least one, each a scope-token of RFC 6749, section 3.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// Splits each argument at white space, so that `"openid profile"` and `"openid", "profile"`
    /// are the same.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Error> {
        let scopes: Vec<String> =
            arguments.iter().flat_map(|argument| argument.split_whitespace()).map(str::to_owned).collect();
        if scopes.is_empty() {
            return Err(Error::InvalidArgument(
                "no scope was given; name at least one, such as `https://vault.azure.net/.default`".into(),
            ));
        }
        if let Some(bad) = scopes.iter().find(|scope| !scope::is_token(scope)) {
            return Err(Error::InvalidArgument(format!(
                "the scope {bad:?} has a character that RFC 6749 does not allow in a scope"
            )));
        }
        Ok(Self(scopes))
    }

    /// The scopes as given, joined by a space, for a request.
    pub(crate) fn as_requested(&self) -> String {
        self.0.join(" ")
    }

    /// The scopes sorted and joined by a space, for a cache entry. Sorting is by code point, as
    /// MSAL for Python sorts.
    pub(crate) fn as_target(&self) -> String {
        let mut sorted: Vec<&str> = self.0.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.join(" ")
    }

    /// A key that does not depend on the order, the case or the repetition of the scopes.
    pub(crate) fn as_set(&self) -> String {
        let mut scopes: Vec<String> = self.0.iter().map(|scope| scope.to_ascii_lowercase()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.join(" ")
    }

    /// Whether a token for `target` covers all of these scopes. Microsoft Entra ID ignores their
    /// case.
    pub(crate) fn are_within(&self, target: &str) -> bool {
        self.0.iter().all(|scope| target.split_whitespace().any(|cached| cached.eq_ignore_ascii_case(scope)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(arguments: &[&str]) -> Result<Scopes, Error> {
        Scopes::parse(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_split_at_white_space() {
        let together = scopes(&["b  a\tC"]).unwrap();
        assert_eq!(together, scopes(&["b", "a", "C"]).unwrap());
        assert_eq!(together.as_requested(), "b a C");
        assert_eq!(together.as_target(), "C a b");
    }

    #[test]
    fn order_case_and_repetition_do_not_change_the_set() {
        assert_eq!(scopes(&["a", "c"]).unwrap().as_set(), scopes(&["C a A"]).unwrap().as_set());
    }

    #[test]
    fn an_empty_list_and_illegal_characters_are_refused() {
        for arguments in [&[][..], &[""], &[" \t"], &["a\"b"], &["a\\b"], &["\u{e9}"], &["a", "b\u{7f}"]] {
            assert!(matches!(scopes(arguments), Err(Error::InvalidArgument(_))), "{arguments:?}");
        }
    }

    #[test]
    fn coverage_ignores_order_and_case_but_not_absence() {
        let requested = scopes(&["User.Read Mail.Read"]).unwrap();
        assert!(requested.are_within("mail.read openid user.read"));
        assert!(!requested.are_within("user.read"));
        assert!(!requested.are_within("user.read.all mail.read"));
    }
}
