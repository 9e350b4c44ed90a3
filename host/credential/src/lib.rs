#![doc = include_str!("../README.md")]

mod access_token;
mod audit;
mod authentication_record;
mod clock;
mod credential;
mod error;
mod escape;
mod options;
mod refresher;
mod registry;
mod sandbox;
mod transport;

pub use access_token::{AccessToken, IssuedToken};
pub use audit::{AUDIT, AuditFile, AuditLine, AuditSink};
pub use authentication_record::{AuthenticationRecord, RecordError};
pub use clock::{Clock, SystemClock};
pub use credential::{Builder, SharedTokenCacheCredential};
pub use error::{
    Account, AuthenticationFailure, AuthenticationFailureReason, CachedAccount, ComponentError, Denial, Error,
    LimitExceeded, OAuthError, SourceFailure, Unavailable, UnavailableReason, Unreachable,
};
pub use escape::{escaped, escaped_toml, write_json};
pub use options::{CachePersistenceOptions, HostSettings, TokenRequestOptions};
pub use refresher::{RefreshCounts, TokenRefresher, TokenState};
pub use registry::Registry;
pub use sandbox::BORDER;
#[cfg(feature = "runtime-compilation")]
pub use sandbox::compile_component;
pub use shared_token_cache_entra::Secret;
pub use shared_token_cache_entra::agent_session::{AgentSession, InvalidAgentSession};
pub use shared_token_cache_policy as policy;
pub use shared_token_cache_storage::{Examination, ExaminationNote, HeldLock, KeyringAccess, Places};
pub use shared_token_cache_vault::Hindrance;
pub use transport::{Connection, TransportOptions};
