//! The trusted certificates, and the error for a certificate that is not trusted.

mod ca_file;
mod der;
#[cfg(all(unix, not(target_os = "android"), not(target_vendor = "apple")))]
mod files;
mod verifier;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, ClientConfig, SupportedProtocolVersion};

use super::TransportError;
use crate::escape::escaped;
use verifier::{LastShown, Remembering};

/// Older versions have known weaknesses (RFC 8996).
const TLS_VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// The ways to add a certificate authority.
#[cfg(all(unix, not(target_os = "android"), not(target_vendor = "apple")))]
const OPTIONS: &str = "`--ca-file FILE` or in SSL_CERT_FILE";
#[cfg(not(all(unix, not(target_os = "android"), not(target_vendor = "apple"))))]
const OPTIONS: &str = "`--ca-file FILE` or in the system's store";

/// Variables by which other programs find a company's certificate authority: those of Python, Node,
/// curl, AWS and pip.
const OF_OTHERS: [&str; 5] =
    ["REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "PIP_CERT"];

/// The trusted certificates.
pub(super) struct Trust {
    ca_file: Option<PathBuf>,
    extra_roots: Vec<CertificateDer<'static>>,
    last: LastShown,
}

impl Trust {
    /// Reads the CA file of the options, so that an invalid file is an error before the first
    /// request.
    pub(super) fn new(ca_file: Option<PathBuf>) -> Result<Self, String> {
        let extra_roots = ca_file.as_deref().map(ca_file::read).transpose()?.unwrap_or_default();
        Ok(Self { ca_file, extra_roots, last: LastShown::default() })
    }

    /// TLS with the system's roots and those of the options, on ring. It sets no process-wide
    /// default.
    pub(super) fn tls(&self) -> Result<ClientConfig, TransportError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let inner = self.verifier(Arc::clone(&provider)).map_err(|why| TransportError::Setup {
            what: format!("cannot find certificate authorities to trust: {why}"),
            hint: format!(
                "install the system's (the package `ca-certificates`), or name a file with them by {OPTIONS}"
            ),
        })?;
        let verifier = Remembering { inner, last: Arc::clone(&self.last) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(TLS_VERSIONS)
            .map_err(|error| super::client::unexpected(&error))?
            .dangerous() // rustls' word for any verifier that is not its own
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(config)
    }

    #[cfg(all(unix, not(target_os = "android"), not(target_vendor = "apple")))]
    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(self.extra_roots.iter().cloned());
        let trusted = files::trusted(|name| std::env::var_os(name));
        for warning in trusted.warnings {
            tracing::warn!("{warning}");
        }
        roots.add_parsable_certificates(trusted.certificates);
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        verifier.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(|error| error.to_string())
    }

    #[cfg(not(all(unix, not(target_os = "android"), not(target_vendor = "apple"))))]
    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
        let verifier =
            rustls_platform_verifier::Verifier::new_with_extra_roots(self.extra_roots.iter().cloned(), provider);
        verifier.map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>).map_err(|error| error.to_string())
    }

    /// The sources of the certificates, for diagnosis.
    pub(super) fn sources(&self) -> Vec<String> {
        #[cfg(all(unix, not(target_os = "android"), not(target_vendor = "apple")))]
        let mut sources = files::trusted(|name| std::env::var_os(name)).sources;
        #[cfg(not(all(unix, not(target_os = "android"), not(target_vendor = "apple"))))]
        let mut sources = vec!["the system's store".to_owned()];
        sources.extend(self.ca_file.iter().map(|path| format!("{} (the CA file of the options)", path.display())));
        sources
    }

    /// The error for a certificate that is not trusted.
    pub(super) fn disbelief(&self, host: &str, why: &CertificateError) -> TransportError {
        let shown = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let named = shown.as_ref().map_or(host, |shown| &shown.host);
        let issuer = shown.as_ref().and_then(|shown| shown.issuer.as_deref());
        let issuer = issuer.map(|issuer| format!(", issued by \"{}\",", escaped(issuer))).unwrap_or_default();
        let error = rustls::Error::InvalidCertificate(why.clone());
        let what = format!("cannot reach {host}: the certificate for {named}{issuer} is not trusted: {error}");
        TransportError::Certificate {
            what,
            hint: hint(why, |name| std::env::var_os(name).is_some_and(|value| !value.is_empty())),
        }
    }
}

/// The hint for a certificate that is not trusted.
fn hint(why: &CertificateError, is_set: impl Fn(&str) -> bool) -> String {
    match why {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            return "check this machine's clock; if it is right, the operator of the server, or of the proxy that inspects TLS, has to renew it"
                .into();
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            return "another server answers under this name: check its address, and for a portal that wants a sign-in first".into();
        }
        _ => {}
    }
    let set = OF_OTHERS.into_iter().filter(|name| is_set(name));
    let set: Vec<_> = set.map(|name| format!("`--ca-file \"${name}\"`")).collect();
    let likely = match &set[..] {
        [] => String::new(),
        set => format!("; its certificate is probably in the file that other programs use: {}", set.join(" or ")),
    };
    format!("where a proxy inspects TLS, name its certificate authority by {OPTIONS}{likely}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_option_and_the_variable_of_other_programs() {
        let unknown = CertificateError::UnknownIssuer;
        let plain = hint(&unknown, |_| false);
        assert!(plain.contains("--ca-file FILE") && !plain.contains('$'), "{plain}");
        for name in OF_OTHERS {
            let text = hint(&unknown, |other| other == name);
            assert!(text.contains("--ca-file FILE") && text.contains(&format!("--ca-file \"${name}\"")), "{text}");
        }
        let expired = hint(&CertificateError::Expired, |_| true);
        assert!(expired.contains("clock") && !expired.contains("--ca-file"), "{expired}");
    }
}
