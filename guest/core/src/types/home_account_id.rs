use shared_token_cache_entra::account;

use super::shortened;

/// `<uid>.<utid>`: an object id and its home tenant. AD FS accounts have an id without a dot.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct HomeAccountId(Box<str>);

impl HomeAccountId {
    pub(crate) fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The uid and the utid, where the id has exactly one dot.
    pub(crate) fn parts(&self) -> Option<(&str, &str)> {
        account::parts(&self.0)
    }

    pub(crate) fn home_tenant(&self) -> Option<&str> {
        account::home_tenant(&self.0)
    }

    /// The id, truncated for logs.
    pub(crate) fn shortened(&self) -> String {
        shortened(&self.0)
    }
}

impl std::fmt::Debug for HomeAccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HomeAccountId({})", self.shortened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_dot_makes_a_home_tenant() {
        for (text, tenant) in [("uid.utid", Some("utid")), ("uid", None), ("a.b.c", None)] {
            assert_eq!(HomeAccountId::new(text).unwrap().home_tenant(), tenant, "{text}");
        }
        assert!(HomeAccountId::new("").is_none());
    }

    #[test]
    fn an_id_prints_truncated() {
        assert_eq!(format!("{:?}", HomeAccountId::new("0123456789.utid").unwrap()), "HomeAccountId(012…)");
    }
}
