#[cfg(feature = "runtime-compilation")]
use std::path::PathBuf;
use std::sync::Arc;

use super::pool::Pool;
use super::single_flight::SingleFlight;
use super::{Inner, SharedTokenCacheCredential, vault};
use crate::audit::{Audit, AuditSink};
use crate::authentication_record::AuthenticationRecord;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::options::{CachePersistenceOptions, CredentialOptions, HostSettings};
use crate::sandbox::Seen;
use crate::sandbox::{Context, LoadedComponent};
use crate::transport::{Transport, TransportOptions};
use shared_token_cache_policy::{AgentSessionUse, Policy, Source};
use shared_token_cache_storage::Places;

/// Options for a [`SharedTokenCacheCredential`].
pub struct Builder {
    options: CredentialOptions,
    sources: Vec<Source>,
    policy: Policy,
    places: Option<Places>,
    settings: HostSettings,
    agent_session: AgentSessionUse,
    transport: TransportOptions,
    clock: Arc<dyn Clock>,
    #[cfg(feature = "runtime-compilation")]
    component: Option<PathBuf>,
    #[cfg(feature = "runtime-compilation")]
    compiler: Option<PathBuf>,
    audit: Audit,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            options: CredentialOptions::default(),
            sources: vec![Source::Shared, Source::AzureCli],
            policy: Policy::default(),
            places: None,
            settings: HostSettings::default(),
            agent_session: AgentSessionUse::Pass,
            transport: TransportOptions::default(),
            clock: Arc::new(SystemClock),
            #[cfg(feature = "runtime-compilation")]
            component: None,
            #[cfg(feature = "runtime-compilation")]
            compiler: None,
            audit: Audit::default(),
        }
    }
}

impl Builder {
    /// The policy for the component and this crate. Default: a policy that allows nothing.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The username of the account to use, compared without case.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.options.username = Some(username.into());
        self
    }

    /// The home tenant of the account to use.
    #[must_use]
    pub fn tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.options.tenant_id = Some(tenant_id.into());
        self
    }

    /// The host of the authority, with or without `https://`. Default: the host's setting. The
    /// policy has to allow it as well.
    #[must_use]
    pub fn authority(mut self, authority: impl Into<String>) -> Self {
        self.options.authority = Some(authority.into());
        self
    }

    /// The client (application) id of requests. Default: the Azure CLI's public client.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.options.client_id = Some(client_id.into());
        self
    }

    /// The account to use, as an application remembered it. The record's authority and client id
    /// take precedence; so does its tenant, unless [`Self::tenant_id`] names another.
    #[must_use]
    pub fn authentication_record(mut self, record: AuthenticationRecord) -> Self {
        self.options.authentication_record = Some(record);
        self
    }

    /// The cache to use. Default: the cache named `msal.cache`, encrypted or not.
    #[must_use]
    pub fn cache_persistence_options(mut self, options: CachePersistenceOptions) -> Self {
        self.options.cache_persistence_options = Some(options);
        self
    }

    /// A tenant that calls may name besides the configured one; `*` allows every tenant. May be
    /// called several times.
    #[must_use]
    pub fn additionally_allowed_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.options.additionally_allowed_tenants.push(tenant.into());
        self
    }

    /// Requests tokens in [`Self::tenant_id`], as a guest there. Default: false.
    #[must_use]
    pub fn enable_guest_tenant_authentication(mut self, enable: bool) -> Self {
        self.options.enable_guest_tenant_authentication = enable;
        self
    }

    /// The sources, in the order in which they are tried. Default: [`Source::Shared`], then
    /// [`Source::AzureCli`].
    #[must_use]
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    /// The folders of the user's caches. Default: [`Places::from_env`].
    #[must_use]
    pub fn places(mut self, places: Places) -> Self {
        self.places = Some(places);
        self
    }

    /// The host's settings. Default: [`HostSettings::default`], which reads no environment variable.
    #[must_use]
    pub fn host_settings(mut self, settings: HostSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Whether the agent session of the host's settings is passed on. Default: it is.
    #[must_use]
    pub fn agent_session(mut self, agent_session: AgentSessionUse) -> Self {
        self.agent_session = agent_session;
        self
    }

    /// The options of token requests.
    #[must_use]
    pub fn transport(mut self, options: TransportOptions) -> Self {
        self.transport = options;
        self
    }

    /// The clock. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A component to run in the place of the built-in one. If the policy allows it, it is compiled
    /// when the credential is built: in this process, on a thread with a time limit of 20 s, or in
    /// a process of its own, see [`Self::compiler`]. Requires the feature `runtime-compilation`.
    #[cfg(feature = "runtime-compilation")]
    #[must_use]
    pub fn component(mut self, path: impl Into<PathBuf>) -> Self {
        self.component = Some(path.into());
        self
    }

    /// A program that compiles the component of [`Self::component`] in a process of its own, which
    /// is killed after 20 s. It is run as `PROGRAM compile-component`, and calls
    /// [`crate::compile_component`] with its stdin and stdout. Its output is run as machine code,
    /// so the program must be as trusted as this one, and built with the same version of this
    /// crate. The command `shared-token-cache` passes its own path. Default: none.
    #[cfg(feature = "runtime-compilation")]
    #[must_use]
    pub fn compiler(mut self, program: impl Into<PathBuf>) -> Self {
        self.compiler = Some(program.into());
        self
    }

    /// The sink of the audit, besides the `tracing` events of the target [`crate::AUDIT`]: it gets
    /// one line for each call for a token, whatever the outcome, and one for each denial to the
    /// component. Default: none.
    ///
    /// Callers that share a call by single flight get one line each. A caller that leaves before
    /// the result arrives gets none. A line that the sink cannot write is logged as a warning; the
    /// caller gets the token nevertheless.
    #[must_use]
    pub fn audit(mut self, sink: impl AuditSink + 'static) -> Self {
        self.audit = Audit::to(sink);
        self
    }

    /// Builds the credential. It reads no cache and sends no request.
    ///
    /// # Errors
    /// [`Error::Denied`] when the policy does not allow the client id or the component,
    /// [`Error::Limit`] when the component is too large, [`Error::InvalidArgument`] when the
    /// component or the CA file cannot be used. Invalid credential options are errors of the first
    /// call.
    pub fn build(mut self) -> Result<SharedTokenCacheCredential, Error> {
        if self.agent_session == AgentSessionUse::Off {
            self.settings.agent_session = None;
        }
        let policy = Arc::new(self.policy);
        policy.check_client(vault::client_id(&self.options))?;
        #[cfg(feature = "runtime-compilation")]
        let component = match &self.component {
            Some(path) => LoadedComponent::from_file(path, &policy, self.compiler.as_deref())?,
            None => LoadedComponent::built_in()?,
        };
        #[cfg(not(feature = "runtime-compilation"))]
        let component = LoadedComponent::built_in()?;
        let transport = Transport::new(self.transport, Arc::clone(&policy), Arc::clone(&self.clock));
        let transport = Arc::new(transport.map_err(Error::InvalidArgument)?);
        let places = self.places.unwrap_or_else(Places::from_env);
        let mut sources = Vec::new();
        for source in self.sources {
            let context = Context {
                vault: vault::new(&self.options, &self.settings, &policy)?,
                policy: Arc::clone(&policy),
                source: source.clone(),
                places: places.clone(),
                transport: Arc::clone(&transport),
                clock: Arc::clone(&self.clock),
                settings: self.settings.clone(),
                audit: self.audit.clone(),
                seen: Seen::default(),
            };
            sources.push((source, Pool::new(component.clone(), Arc::new(context), self.options.clone())));
        }
        Ok(SharedTokenCacheCredential {
            inner: Arc::new(Inner {
                sources,
                single_flight: SingleFlight::new(),
                audit: self.audit,
                agent_session: self.settings.agent_session,
            }),
        })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("options", &self.options)
            .field("sources", &self.sources)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
