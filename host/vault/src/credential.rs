//! The options of a credential, and the parameters of a call.

use std::sync::Arc;

use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_entra::tenant::is_adfs;
use shared_token_cache_entra::{cache, cloud};
use shared_token_cache_policy::Policy;

/// The options of a credential. The vault opens nothing that does not fit them.
#[derive(Clone, Default)]
pub struct Credential {
    /// Name of the cache, without `.cae` or `.nocae`.
    pub cache_name: String,
    /// The authority: a host, with or without scheme and port. A record's authority takes
    /// precedence.
    pub authority: String,
    /// The client id. A record's client id takes precedence.
    pub client_id: String,
    /// The username that selects the account.
    pub username: Option<String>,
    /// The tenant that selects the account, or the tenant to visit as a guest.
    pub tenant_id: Option<String>,
    /// The account of an authentication record.
    pub record: Option<Record>,
    /// Tenants that a call may name besides the configured one.
    pub additionally_allowed_tenants: Vec<String>,
    /// Whether tokens are requested in `tenant_id` as a guest.
    pub enable_guest_tenant_authentication: bool,
    /// Whether every request goes to the configured tenant, whichever tenant a call names.
    pub disable_multitenant_authentication: bool,
    /// The `ext_cache_key` of the agent session that tokens are marked with. Tokens are released and
    /// stored only under it.
    pub agent_session_key: Option<String>,
    /// The scopes, tenants, accounts and clients that the policy allows. The default allows none.
    pub policy: Arc<Policy>,
}

/// The account of an authentication record.
#[derive(Clone)]
pub struct Record {
    /// The account's id.
    pub home_account_id: String,
    /// The tenant of its requests.
    pub tenant_id: String,
}

/// The parameters of a call for a token.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The scopes. Each string may hold several, separated by white space.
    pub scopes: &'a [String],
    /// The tenant that the call names.
    pub tenant_id: Option<&'a str>,
    /// The claims of a challenge, which the token must satisfy.
    pub claims: Option<&'a str>,
    /// Whether the token is for Continuous Access Evaluation.
    pub enable_cae: bool,
    /// The time, in seconds since the Unix epoch.
    pub now: u64,
}

impl Credential {
    /// The name of one of the credential's two documents.
    pub(crate) fn document_name(&self, enable_cae: bool) -> String {
        cache::document(&self.cache_name, enable_cae)
    }

    pub(crate) fn is_client(&self, client_id: &str) -> bool {
        self.client_id.eq_ignore_ascii_case(client_id)
    }

    pub(crate) fn is_cloud(&self, environment: &str) -> bool {
        cloud::is_same(cloud::host_of(&self.authority), environment)
    }

    /// Whether the credential's options select this account, as far as one account can show.
    pub(crate) fn selects(&self, home_account_id: &str, username: &str) -> bool {
        if let Some(record) = &self.record {
            return record.home_account_id == home_account_id;
        }
        let named = self.username.as_deref().filter(|name| !name.is_empty());
        // In guest authentication the tenant only selects among several accounts.
        let home = self.tenant_id.as_deref().filter(|_| !self.enable_guest_tenant_authentication);
        named.is_none_or(|name| same_name(name, username))
            && home.is_none_or(|tenant| lives_in(home_account_id, tenant))
    }
}

/// Whether the tenant is the account's home. AD FS has no tenants, so an account id there names
/// none.
pub(crate) fn lives_in(home_account_id: &str, tenant: &str) -> bool {
    match home_tenant(home_account_id) {
        Some(home) => home.eq_ignore_ascii_case(tenant),
        None => is_adfs(tenant),
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_select_an_account_by_its_record_or_by_its_name_and_its_home() {
        let named = |name: &str| Credential { username: Some(name.into()), ..Credential::default() };
        let of = |tenant: &str, guest| Credential {
            tenant_id: Some(tenant.into()),
            enable_guest_tenant_authentication: guest,
            ..Credential::default()
        };
        let record = Record { home_account_id: "u.home".into(), tenant_id: "t".into() };
        let recorded = Credential { record: Some(record), ..named("user1@contoso.com") };
        for (what, credential, selects) in [
            ("nothing is asked", Credential::default(), true),
            ("an empty name is none", named(""), true),
            ("its name", named("USER0@contoso.com"), true),
            ("another name", named("user1@contoso.com"), false),
            ("its home", of("HOME", false), true),
            ("another home", of("away", false), false),
            ("a tenant that it visits", of("away", true), true),
            ("AD FS, where it does not live", of("adfs", false), false),
            (
                "its name, and another home",
                Credential { tenant_id: Some("away".into()), ..named("user0@contoso.com") },
                false,
            ),
            (
                "its home, and another name",
                Credential { tenant_id: Some("home".into()), ..named("user1@contoso.com") },
                false,
            ),
            ("its record, whatever the name", recorded.clone(), true),
        ] {
            assert_eq!(credential.selects("u.home", "user0@contoso.com"), selects, "{what}");
        }
        assert!(!recorded.selects("other.home", "user1@contoso.com"), "another account than the record's");
    }

    #[test]
    fn usernames_have_no_case_in_any_alphabet() {
        for (one, other, same) in [
            ("user0@contoso.com", "User0@CONTOSO.com", true),
            ("ÄNNE@contoso.com", "änne@contoso.com", true),
            ("ἈΝΝΑ@contoso.com", "ἀννα@contoso.com", true),
            ("anne@contoso.com", "änne@contoso.com", false),
            ("user0@contoso.com", "user0@contoso.com ", false),
        ] {
            assert_eq!(same_name(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn an_account_lives_in_the_tenant_of_its_id_and_one_without_lives_at_ad_fs() {
        for (id, tenant, lives) in [
            ("u.home", "home", true),
            ("u.home", "HOME", true),
            ("u.home", "adfs", false),
            ("u", "ADFS", true),
            ("u", "u", false),
            ("u.x.home", "home", false),
        ] {
            assert_eq!(lives_in(id, tenant), lives, "{id} {tenant}");
        }
    }
}
