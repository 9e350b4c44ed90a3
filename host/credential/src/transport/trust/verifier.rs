//! A verifier that records the issuer of a certificate that is not trusted: rustls does not report
//! it.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::der;

/// The last certificate that was not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct Shown {
    /// The host that presented it.
    pub(in crate::transport) host: String,
    /// The issuer's name in the certificate, which is not verified.
    pub(in crate::transport) issuer: Option<String>,
}

/// The record of the last certificate.
pub(in crate::transport) type LastShown = Arc<Mutex<Option<Shown>>>;

#[derive(Debug)]
pub(super) struct Remembering {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) last: LastShown,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if verified.is_err() {
            let shown = Shown { host: server_name.to_str().into_owned(), issuer: der::issuer(end_entity) };
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.inner.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[rustls::DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}
