//! The rules for scopes, tenants, accounts, clients and components. A request that no rule covers
//! is denied.

use shared_token_cache_entra::tenant::means_home;

use crate::component::hex;
use crate::denied::shown;
use crate::{
    AllowedAccount, AllowedClient, AllowedComponent, AllowedScope, AllowedTenant, CoreDumps, Denied, LogRules, Policy,
};

impl Policy {
    /// Allows tokens for these scopes.
    ///
    /// Microsoft Entra ID may add permissions to a token, but never those of another resource.
    ///
    /// ```
    /// # use shared_token_cache_policy::Policy;
    /// let policy = Policy::default().allow_scope("https://vault.azure.net/.default".parse()?);
    /// assert!(policy.check_scopes(&["https://vault.azure.net/.default"]).is_ok());
    /// assert!(policy.check_scopes(&["https://graph.microsoft.com/.default"]).is_err());
    /// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn allow_scope(mut self, scope: AllowedScope) -> Self {
        self.scopes.push(scope);
        self
    }

    /// Allows tokens of these tenants.
    ///
    /// ```
    /// # use shared_token_cache_policy::Policy;
    /// let policy = Policy::default().allow_tenant("contoso.com".parse()?);
    /// assert!(policy.check_tenant("contoso.com", None).is_ok());
    /// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn allow_tenant(mut self, tenant: AllowedTenant) -> Self {
        self.tenants.push(tenant);
        self
    }

    /// Allows tokens of these accounts. Other accounts are not listed either.
    ///
    /// ```
    /// # use shared_token_cache_policy::Policy;
    /// let policy = Policy::default().allow_account("user0@contoso.com".parse()?);
    /// assert!(policy.check_account("User0@contoso.com", "uid.utid").is_ok());
    /// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn allow_account(mut self, account: AllowedAccount) -> Self {
        self.accounts.push(account);
        self
    }

    /// Allows requests as these applications, and their cached tokens.
    ///
    /// ```
    /// # use shared_token_cache_policy::Policy;
    /// let policy = Policy::default().allow_client("04b07795-8ddb-461a-bbee-02f9e1bf7b46".parse()?);
    /// assert!(policy.check_client("04b07795-8ddb-461a-bbee-02f9e1bf7b46").is_ok());
    /// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn allow_client(mut self, client: AllowedClient) -> Self {
        self.clients.push(client);
        self
    }

    /// Allows loading these components from files.
    ///
    /// ```
    /// # use shared_token_cache_policy::{AllowedComponent, Policy};
    /// let policy = Policy::default().allow_component(AllowedComponent::sha256([7; 32]));
    /// assert!(policy.check_component(&[7; 32]).is_ok());
    /// ```
    #[must_use]
    pub fn allow_component(mut self, component: AllowedComponent) -> Self {
        self.components.push(component);
        self
    }

    /// Sets the limits on a component's log lines.
    #[must_use]
    pub fn with_log(mut self, log: LogRules) -> Self {
        self.log = log;
        self
    }

    /// Sets whether a crash may leave a core dump. Default: no. Only the command-line tool applies
    /// this, because a library must not decide it for its program.
    ///
    /// ```
    /// # use shared_token_cache_policy::{CoreDumps, Policy};
    /// let policy = Policy::default().with_core_dumps(CoreDumps::Allow);
    /// assert_eq!(policy.core_dumps(), CoreDumps::Allow);
    /// ```
    #[must_use]
    pub fn with_core_dumps(mut self, core_dumps: CoreDumps) -> Self {
        self.core_dumps = core_dumps;
        self
    }

    /// The value of [`Self::with_log`].
    #[must_use]
    pub fn log(&self) -> &LogRules {
        &self.log
    }

    /// The value of [`Self::with_core_dumps`].
    #[must_use]
    pub fn core_dumps(&self) -> CoreDumps {
        self.core_dumps
    }

    /// Whether a token for all of these scopes is allowed. A rule for a scope of OpenID Connect,
    /// such as `offline_access`, allows it only together with a scope of an allowed resource.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_scopes<S: AsRef<str>>(&self, scopes: &[S]) -> Result<(), Denied> {
        let mut scopes = scopes.iter().map(AsRef::as_ref);
        scopes.clone().try_for_each(|scope| self.check_listed(scope))?;
        let Some(first) = scopes.clone().next() else { return Ok(()) };
        let alone = |scope| self.scopes.iter().any(|allowed| allowed.covers_alone(scope));
        scopes.any(alone).then_some(()).ok_or_else(|| {
            let what = format!("the scope {} without a scope of a resource", shown(first));
            Denied::new(what, "ask for it together with a scope of a resource that `scopes` lists")
        })
    }

    /// Whether a rule names the scope, which alone does not allow a call.
    pub(crate) fn check_listed(&self, scope: &str) -> Result<(), Denied> {
        let denied = || Denied::new(format!("the scope {}", shown(scope)), "list it under `scopes`");
        self.scopes.iter().any(|allowed| allowed.covers(scope)).then_some(()).ok_or_else(denied)
    }

    /// Whether tokens of a tenant are allowed. `organizations`, `common` and `consumers` mean the
    /// account's home tenant; `home` is that tenant's id, if known.
    ///
    /// # Errors
    /// When they are not.
    pub fn check_tenant(&self, tenant: &str, home: Option<&str>) -> Result<(), Denied> {
        let tenant = if means_home(tenant) { home } else { Some(tenant) };
        let allowed = |allowed: &AllowedTenant| tenant.map_or(allowed.is_any(), |tenant| allowed.covers(tenant));
        self.tenants.iter().any(allowed).then_some(()).ok_or_else(|| {
            let what =
                tenant.map_or_else(|| "the account's own tenant, which its id does not name".into(), tenant_shown);
            Denied::new(what, "list it under `tenants`")
        })
    }

    /// Whether a tenant may be allowed, by its name alone and without an account.
    ///
    /// # Errors
    /// When it is denied for every account.
    pub fn check_tenant_name(&self, tenant: &str) -> Result<(), Denied> {
        if means_home(tenant) { Ok(()) } else { self.check_tenant(tenant, None) }
    }

    /// Whether tokens of an account are allowed, and so whether it may be listed. The username is
    /// empty if no cache has it.
    ///
    /// # Errors
    /// When they are not. The text does not identify the account, because the policy hides it.
    pub fn check_account(&self, username: &str, home_account_id: &str) -> Result<(), Denied> {
        let denied = || Denied::new("the account that serves the call", "list its username or its id under `accounts`");
        let allowed = |allowed: &AllowedAccount| allowed.covers(username, home_account_id);
        self.accounts.iter().any(allowed).then_some(()).ok_or_else(denied)
    }

    /// Whether tokens of an application are allowed.
    ///
    /// # Errors
    /// When they are not.
    pub fn check_client(&self, client_id: &str) -> Result<(), Denied> {
        let denied = || Denied::new(format!("the client id {}", shown(client_id)), "list it under `client-ids`");
        self.clients.iter().any(|allowed| allowed.covers(client_id)).then_some(()).ok_or_else(denied)
    }

    /// Whether the component whose bytes have this SHA-256 may be loaded from a file.
    ///
    /// # Errors
    /// When it may not.
    pub fn check_component(&self, sha256: &[u8; 32]) -> Result<(), Denied> {
        let denied = || {
            Denied::new(format!("the component with the SHA-256 {}", hex(sha256)), "list it under `component-sha256`")
        };
        self.components.iter().any(|allowed| allowed.covers(sha256)).then_some(()).ok_or_else(denied)
    }
}

fn tenant_shown(tenant: &str) -> String {
    format!("the tenant {}", shown(tenant))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check of a policy.
    type Question = fn(&Policy) -> Result<(), Denied>;

    /// A rule, a check that it allows, a check that it denies, and the text of the denial.
    type Row = (fn(Policy) -> Policy, Question, Question, &'static str);

    const ROWS: &[Row] = &[
        (
            |policy| policy.allow_scope("a/.default".parse().unwrap()),
            |policy| policy.check_scopes(&["a/.default"]),
            |policy| policy.check_scopes(&["b/.default"]),
            "the scope \"b/.default\"; list it under `scopes`",
        ),
        (
            |policy| policy.allow_tenant("contoso.com".parse().unwrap()),
            |policy| policy.check_tenant("contoso.com", Some("other")),
            |policy| policy.check_tenant("fabrikam.com", Some("contoso.com")),
            "the tenant \"fabrikam.com\"; list it under `tenants`",
        ),
        (
            |policy| policy.allow_tenant("home".parse().unwrap()),
            |policy| policy.check_tenant("Organizations", Some("HOME")),
            |policy| policy.check_tenant("organizations", Some("other")),
            "the tenant \"other\"; list it under `tenants`",
        ),
        (
            |policy| policy.allow_tenant(AllowedTenant::ANY),
            |policy| policy.check_tenant("common", None),
            |policy| {
                policy.clone().without_tenants().allow_tenant("home".parse().unwrap()).check_tenant("common", None)
            },
            "the account's own tenant, which its id does not name; list it under `tenants`",
        ),
        (
            |policy| policy.allow_tenant("contoso.com".parse().unwrap()),
            |policy| policy.check_tenant_name("contoso.com"),
            |policy| policy.check_tenant_name("fabrikam.com"),
            "the tenant \"fabrikam.com\"; list it under `tenants`",
        ),
        (
            |policy| policy.allow_account("user0@contoso.com".parse().unwrap()),
            |policy| policy.check_account("user0@contoso.com", "u.t"),
            |policy| policy.check_account("user1@contoso.com", "u.t"),
            "the account that serves the call; list its username or its id under `accounts`",
        ),
        (
            |policy| policy.allow_client("a".parse().unwrap()),
            |policy| policy.check_client("A"),
            |policy| policy.check_client("b"),
            "the client id \"b\"; list it under `client-ids`",
        ),
        (
            |policy| policy.allow_component(AllowedComponent::sha256([1; 32])),
            |policy| policy.check_component(&[1; 32]),
            |policy| policy.check_component(&[0xab; 32]),
            "the component with the SHA-256 abababababababababababababababababababababababababababababababab; list it \
             under `component-sha256`",
        ),
    ];

    impl Policy {
        fn without_tenants(mut self) -> Self {
            self.tenants.clear();
            self
        }
    }

    #[test]
    fn a_rule_allows_only_what_it_names() {
        for (position, (allow, granted, denied, message)) in ROWS.iter().enumerate() {
            let policy = allow(Policy::default());
            assert_eq!(granted(&policy), Ok(()), "row {position}");
            let error = denied(&policy).unwrap_err();
            assert_eq!(error.to_string(), format!("the policy does not allow {message}"), "row {position}");
            assert!(granted(&Policy::default()).is_err(), "nothing is allowed by default: row {position}");
            let user = Policy::for_current_user(crate::CacheName::default());
            assert_eq!(granted(&user), Ok(()), "row {position}");
        }
    }

    #[test]
    fn one_of_several_rules_is_enough() {
        let policy = Policy::default().allow_scope("a".parse().unwrap()).allow_scope("b".parse().unwrap());
        assert!(policy.check_scopes(&["a", "b"]).is_ok());
        assert!(policy.check_scopes(&["c"]).is_err() && policy.check_scopes(&["a", "c"]).is_err());
    }

    #[test]
    fn scopes_of_openid_connect_are_allowed_only_with_a_scope_of_a_resource() {
        const VAULT: &str = "https://vault.azure.net/.default";
        let rules = |scopes: &[&str]| {
            scopes.iter().fold(Policy::default(), |policy, scope| policy.allow_scope(scope.parse().unwrap()))
        };
        let named = rules(&[VAULT, "openid", "offline_access", "https://graph.microsoft.com/profile"]);
        for (policy, scopes, allowed) in [
            (&named, &[VAULT][..], true),
            (&named, &[VAULT, "offline_access"], true),
            (&named, &["OPENID", "Offline_Access", VAULT], true),
            (&named, &["offline_access"], false),
            (&named, &["openid", "offline_access"], false),
            (&named, &["OpenID"], false),
            (&named, &["https://graph.microsoft.com/profile"], false),
            (&named, &["https://graph.microsoft.com/profile", "openid"], false),
            (&named, &[VAULT, "email"], false),
            (&named, &["openid", "https://graph.microsoft.com/.default"], false),
            (&rules(&["openid"]), &["openid"], false),
            (&rules(&["https://vault.azure.net/*", "openid"]), &["openid"], false),
            (&rules(&["https://vault.azure.net/*", "openid"]), &["openid", VAULT], true),
            (&rules(&["https://graph.microsoft.com/*"]), &["https://graph.microsoft.com/openid"], true),
            (&rules(&["https://graph.microsoft.com/*"]), &["openid"], false),
            (&rules(&["User.Read", "openid"]), &["openid", "user.read"], true),
            (&rules(&["*"]), &["openid"], true),
            (&rules(&["openid", "*"]), &["openid", "offline_access"], true),
        ] {
            assert_eq!(policy.check_scopes(scopes).is_ok(), allowed, "{scopes:?}");
        }
        assert_eq!(
            named.check_scopes(&["offline_access"]).unwrap_err().to_string(),
            "the policy does not allow the scope \"offline_access\" without a scope of a resource; ask for it together \
             with a scope of a resource that `scopes` lists"
        );
    }

    #[test]
    fn names_of_the_home_tenant_are_checked_with_the_account() {
        for name in ["organizations", "common", "consumers", "Common"] {
            assert!(Policy::default().check_tenant_name(name).is_ok(), "{name}");
            assert!(Policy::default().check_tenant(name, Some("home")).is_err(), "{name}");
        }
    }

    #[test]
    fn values_that_are_set_are_returned() {
        let limits = crate::Limits { response_size: 1, ..crate::Limits::default() };
        let log = LogRules { line_bytes: 1, ..LogRules::default() };
        let policy = Policy::default().with_limits(limits.clone()).with_log(log.clone());
        assert_eq!((policy.limits(), policy.log(), policy.core_dumps()), (&limits, &log, CoreDumps::Deny));
        assert_eq!(policy.with_core_dumps(CoreDumps::Allow).core_dumps(), CoreDumps::Allow);
        let user = Policy::for_current_user(crate::CacheName::default());
        assert_eq!((user.log().component, user.core_dumps()), (crate::LogLevel::Debug, CoreDumps::Deny));
    }

    #[test]
    fn a_denial_has_its_action_and_the_hint() {
        let denied = Policy::default().check_client("a").unwrap_err();
        assert_eq!((denied.what(), denied.hint()), ("the client id \"a\"", "list it under `client-ids`"));
    }
}
