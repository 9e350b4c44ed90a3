//! The token, refreshed in the background.

use std::sync::OnceLock;

use async_trait::async_trait;
use http::HeaderValue;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use shared_token_cache::policy::{Policy, Profile};
use shared_token_cache::{Error, HostSettings, SharedTokenCacheCredential, TokenRefresher, TokenState};
use tokio::sync::watch;

pub(crate) struct Token {
    credential: SharedTokenCacheCredential,
    profile: Profile,
    /// `None` until the server has started.
    state: OnceLock<watch::Receiver<TokenState>>,
}

impl Token {
    pub(crate) fn new(policy: &Policy, profile: &Profile) -> Result<Self, Error> {
        // With the mark of the agent session that the environment names, if there is one.
        let settings = HostSettings::from_env().map_err(Error::InvalidArgument)?;
        let credential = SharedTokenCacheCredential::builder_for(policy, profile).host_settings(settings).build()?;
        Ok(Self { credential, profile: profile.clone(), state: OnceLock::new() })
    }

    /// The header's value, or `None` if there is no token.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let TokenState::Valid(token) = &*self.state.get()?.borrow() else { return None };
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.token.expose())).ok()?;
        // Hides the value in `Debug`.
        value.set_sensitive(true);
        Some(value)
    }
}

#[async_trait]
impl BackgroundService for Token {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let refresher = TokenRefresher::start(self.credential.clone(), &self.profile);
        self.state.get_or_init(|| refresher.subscribe());
        // An error means that the server has ended.
        drop(shutdown.changed().await);
        refresher.stop().await;
    }
}
