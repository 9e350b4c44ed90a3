//! TLS with the user's certificate.

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

/// The largest file of a certificate chain or a key, in bytes.
const LARGEST: u64 = 1 << 20;

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<str>,
}

impl Tls {
    /// Reads both files.
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
        // The provider is explicit, because a process with several has no default.
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

#[cfg(test)]
mod tests {
    use std::fs;

    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsConnector;

    use super::*;

    fn written(folder: &Path, name: &str, content: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_certificate_is_served_and_plain_text_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = written(folder.path(), "c.pem", &made.cert.pem());
        let key = written(folder.path(), "k.pem", &made.signing_key.serialize_pem());
        let tls = Tls::read(&certificate, &key).unwrap();
        assert_eq!(STANDARD.decode(tls.certificate()).unwrap(), made.cert.der().to_vec());

        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let connector = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
        let (ours, theirs) = tokio::io::duplex(1 << 14);
        let server = tls.clone();
        let serving = tokio::spawn(async move {
            let mut stream = server.accept(Box::new(ours)).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            stream.shutdown().await.unwrap();
        });
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = connector.connect(name, theirs).await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
        serving.await.unwrap();

        let (ours, mut theirs) = tokio::io::duplex(1 << 14);
        theirs.write_all(b"GET /msi/token HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(tls.accept(Box::new(ours)).await.is_err());
    }

    #[test]
    fn a_bad_certificate_and_a_key_of_another_one_are_refused_by_file_name() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = [0, 1].map(|_| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap());
        let certificate = written(folder.path(), "c.pem", &one.cert.pem());
        let other = written(folder.path(), "other.pem", &two.signing_key.serialize_pem());
        let nothing = written(folder.path(), "nothing.pem", "made-up-secret");
        for (certificate, key, part) in [
            (&nothing, &other, "cannot use the certificate"),
            (&certificate, &nothing, "cannot use the key"),
            (&certificate, &other, "cannot use the key"),
            (&folder.path().join("missing"), &other, "missing"),
        ] {
            let why = Tls::read(certificate, key).err().unwrap();
            assert!(why.contains(part) && !why.contains("made-up"), "{why}");
        }
    }
}
