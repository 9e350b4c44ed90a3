use std::path::Path;
use std::sync::Arc;

use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use super::{TransportError, TransportOptions};

/// A client that speaks HTTPS only and follows nothing.
pub(super) fn build(options: &TransportOptions) -> Result<reqwest::Client, TransportError> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(options)?)
        .https_only(true)
        .redirect(redirect::Policy::none())
        // Repeating is this crate's own business: it knows `Retry-After`.
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .timeout(options.request_timeout)
        .user_agent(concat!("shared-token-cache/", env!("CARGO_PKG_VERSION")));
    for (host, address) in &options.resolve {
        builder = builder.resolve(host, *address);
    }
    builder.build().map_err(|error| TransportError::Setup(super::request::chain(&error)))
}

/// TLS with the system's roots and those of the option, on ring. No process-wide default is touched.
fn tls(options: &TransportOptions) -> Result<rustls::ClientConfig, TransportError> {
    let extra = options.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(|error| {
        TransportError::Setup(format!(
            "there are no certificate authorities to trust ({error}); install the system's, or name a PEM file with them"
        ))
    })?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportError::Setup(format!("TLS can't be set up: {error}")))?
        .dangerous() // rustls' word for any verifier that is not its own
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let unusable = |why: String| TransportError::Setup(format!("the CA file {} {why}", path.display()));
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(format!("can't be used: {error}")))?;
    if certificates.is_empty() {
        return Err(unusable("holds no certificate".into()));
    }
    Ok(certificates)
}
