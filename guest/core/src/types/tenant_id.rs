use shared_token_cache_entra::tenant;

use crate::error::Error;

/// A tenant's GUID or one of its domains: letters, digits, `-` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TenantId(String);

impl TenantId {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if tenant::is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::InvalidArgument(format!(
                "the tenant id {text:?} is not usable: a tenant is named by its GUID or a domain, in letters, digits, `-` \
                 and `.`"
            )))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_letters_digits_dashes_and_dots() {
        for text in ["contoso.com", "72f988bf-86f1-41af-91ab-2d7cd011db47", "organizations"] {
            assert_eq!(TenantId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", ".", "..", "a/b", "a b", "a?b", "a%2e", "a_b", "ü"] {
            assert!(TenantId::parse(text).is_err(), "{text:?}");
        }
    }
}
