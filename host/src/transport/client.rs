use std::path::Path;
use std::sync::Arc;

use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;
use shared_token_cache_storage::files;

use super::resolver::Resolver;
use super::{TransportError, TransportOptions};
use crate::policy::Policy;

/// A client that speaks HTTPS only and follows nothing.
pub(super) fn build(
    options: &TransportOptions,
    extra_roots: &[CertificateDer<'static>],
    policy: Arc<Policy>,
) -> Result<reqwest::Client, TransportError> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(extra_roots)?)
        .https_only(true)
        .redirect(redirect::Policy::none())
        // Repeating is this crate's own business: it knows `Retry-After`.
        .retry(reqwest::retry::never())
        .referer(false)
        .dns_resolver(Resolver(policy))
        .connect_timeout(options.connect_timeout)
        .timeout(options.request_timeout)
        .user_agent(concat!("shared-token-cache/", env!("CARGO_PKG_VERSION")));
    if !options.proxy_from_env {
        builder = builder.no_proxy();
    }
    // These come before the resolver: whoever gives an address for a host has named it.
    for (host, address) in &options.resolve {
        builder = builder.resolve(host, *address);
    }
    builder.build().map_err(|error| TransportError::Setup(super::request::chain(&error)))
}

/// What is older has known weaknesses (RFC 8996).
const TLS_VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// TLS with the system's roots and those of the option, on ring. No process-wide default is touched.
fn tls(extra_roots: &[CertificateDer<'static>]) -> Result<rustls::ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra_roots.to_vec(), Arc::clone(&provider)).map_err(|error| {
        TransportError::Setup(format!(
            "there are no certificate authorities to trust ({error}); install the system's, or name a PEM file with them"
        ))
    })?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(TLS_VERSIONS)
        .map_err(|error| TransportError::Setup(format!("TLS can't be set up: {error}")))?
        .dangerous() // rustls' word for any verifier that is not its own
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// The most bytes of a CA file; a system's bundle has some hundred thousand.
const LARGEST_CA_FILE: u64 = 16 << 20;

/// The certificates of a PEM file.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unusable = |why: String| format!("the CA file {} {why}", path.display());
    let pem = files::read_input(path, LARGEST_CA_FILE).map_err(|error| unusable(format!("can't be read: {error}")))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(format!("can't be used: {error}")))?;
    if certificates.is_empty() {
        return Err(unusable("holds no certificate".into()));
    }
    Ok(certificates)
}
