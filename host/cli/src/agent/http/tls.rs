//! TLS with a certificate of the user's.

use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use shared_token_cache_storage::files;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::listen::Stream;

/// The most bytes of a certificate's chain, and of a key.
const LARGEST: u64 = 1 << 20;

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<str>,
}

impl Tls {
    /// Reads both.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let why = |what: &str, path: &Path, error: &dyn std::fmt::Display| {
            format!("cannot use the {what} {}: {error}", path.display())
        };
        let no_chain = |error: &dyn std::fmt::Display| why("certificate", certificate, error);
        let no_key = |error: &dyn std::fmt::Display| why("key", key, error);
        let pem = files::read_input(certificate, LARGEST).map_err(|error| no_chain(&error))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.map_err(|error| no_chain(&error))?;
        let leaf = chain.first().ok_or_else(|| no_chain(&"it holds no certificate in PEM form"))?;
        let shown: Arc<str> = STANDARD.encode(leaf).into();
        if let Some(how) = files::exposed(key) {
            tracing::warn!("the key of --http-tls-key may be changed by other users: {how}");
        }
        let pem = Zeroizing::new(files::read_input(key, LARGEST).map_err(|error| no_key(&error))?);
        let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| no_key(&error))?;
        // The provider is named: a process with several has no default one.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?.with_no_client_auth();
        let mut config = config.with_single_cert(chain, private).map_err(|error| no_key(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: shown })
    }

    /// The certificate as `AZD_AUTH_CERT` takes it.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    pub(super) async fn accept(&self, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(self.acceptor.accept(stream).await?))
    }
}
