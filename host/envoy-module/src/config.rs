//! A configuration of the filter.

use std::sync::Arc;

use shared_token_cache::{AuditFile, HostSettings, SharedTokenCacheCredential, TransportOptions};

use crate::counters::{Counters, Define};
use crate::injector::{Current, Injector};
use crate::registry::Registry;
use crate::runtime;
use crate::settings::{Checked, Contents, Mistakes};

/// The filter's name in Envoy's configuration.
const FILTER: &str = "entra_token";

/// Every listener, filter chain and reload has a configuration of its own. Equal configurations
/// share a token.
static INJECTORS: Registry<Contents, Injector> = Registry::new();

/// Envoy while it reads a configuration.
pub(crate) trait Setup: Define {
    /// Whether Envoy only validates the configuration.
    fn only_validates(&self) -> bool;
}

/// The data of a configuration that requests need.
pub(crate) struct Config {
    pub(crate) counters: Counters,
    injector: Option<Arc<Injector>>,
}

impl Config {
    /// Reads a configuration and starts refreshing its token. In Envoy's validation mode it only
    /// reads files and starts nothing.
    ///
    /// # Errors
    /// All mistakes in the configuration.
    pub(crate) fn read(envoy: &impl Setup, name: &[u8], text: &[u8]) -> Result<Self, Mistakes> {
        if name != FILTER.as_bytes() {
            let name = String::from_utf8_lossy(name);
            return Err(vec![format!("there is no filter {name:?} in this module; its `filter_name` is {FILTER:?}")]);
        }
        Self::from_text(envoy, text).map_err(|mistakes| {
            mistakes.into_iter().map(|what| format!("the configuration of {FILTER}: {what}")).collect()
        })
    }

    fn from_text(envoy: &impl Setup, text: &[u8]) -> Result<Self, Mistakes> {
        let checked = Checked::read(text)?;
        let counters = Counters::define(envoy).map_err(|name| vec![format!("cannot create the counter {name:?}")])?;
        let injector = if envoy.only_validates() { None } else { Some(injector(checked).map_err(|what| vec![what])?) };
        Ok(Self { counters, injector })
    }

    /// The token for requests.
    pub(crate) fn current(&self) -> Option<&Current> {
        self.injector.as_deref().map(Injector::current)
    }
}

fn injector(checked: Checked) -> Result<Arc<Injector>, String> {
    let Checked { policy, profile, authority, ca_file, component, audit, contents } = checked;
    INJECTORS.get(contents, |_| {
        let mut transport = TransportOptions::default();
        transport.ca_file = ca_file;
        let mut builder = SharedTokenCacheCredential::builder_for(&policy, &profile)
            .host_settings(HostSettings::from_env()?)
            .transport(transport);
        if let Some(authority) = authority {
            builder = builder.authority(authority);
        }
        if let Some(component) = component {
            builder = builder.component(component);
        }
        if let Some(path) = audit {
            let unusable = |error| format!("cannot write the audit {}: {error}", path.display());
            builder = builder.audit(AuditFile::open(&path).map_err(unusable)?);
        }
        let credential = builder.build().map_err(|error| error.to_string())?;
        let runtime = runtime::handle().map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Injector::start(&runtime, credential, &profile))
    })
}

#[cfg(test)]
mod tests;
