//! A CA made for one endpoint, and the endpoint's certificate.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use shared_token_cache_entra::cloud;

use crate::setup::{Certificate, Setup, Tls};

/// The endpoint's names besides the hosts of Microsoft's clouds: loopback, hosts that belong to
/// no cloud, and a registry.
const NAMES: [&str; 6] =
    ["localhost", "127.0.0.1", "login.contoso.com", "adfs.contoso.com", "contoso.ciamlogin.com", "contoso.azurecr.io"];

pub(crate) struct Identity {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) ca_pem: String,
}

impl Identity {
    pub(crate) fn new(setup: &Setup) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let (chain, ca_pem) = match setup.certificate {
            Certificate::SelfSigned => {
                let certificate = leaf(setup.certificate)?.self_signed(&key).map_err(io::Error::other)?;
                (vec![certificate.der().clone()], certificate.pem())
            }
            Certificate::Good | Certificate::OtherHost | Certificate::Expired | Certificate::NotYetValid => {
                issued(leaf(setup.certificate)?, &key)?
            }
        };
        let versions: &[&rustls::SupportedProtocolVersion] = match setup.tls {
            Tls::Any | Tls::Off => rustls::ALL_VERSIONS,
            Tls::Only12 => &[&rustls::version::TLS12],
            Tls::Only13 => &[&rustls::version::TLS13],
        };
        // The provider is named, because a process with several rustls providers has no default.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
            .map_err(io::Error::other)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { server: Arc::new(server), ca_pem })
    }
}

fn leaf(kind: Certificate) -> io::Result<CertificateParams> {
    let names = if kind == Certificate::OtherHost {
        vec!["login.evil.example".to_owned()]
    } else {
        NAMES.into_iter().chain(cloud::hosts()).map(str::to_owned).collect()
    };
    let mut leaf = CertificateParams::new(names).map_err(io::Error::other)?;
    leaf.distinguished_name.push(DnType::CommonName, "token endpoint");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    match kind {
        Certificate::Expired => leaf.not_after = date_time_ymd(2000, 1, 1),
        Certificate::NotYetValid => leaf.not_before = date_time_ymd(3000, 1, 1),
        Certificate::Good | Certificate::OtherHost | Certificate::SelfSigned => {}
    }
    Ok(leaf)
}

/// A certificate for a key, issued by a new CA, and that CA's certificate in PEM.
fn issued(mut leaf: CertificateParams, key: &KeyPair) -> io::Result<(Vec<CertificateDer<'static>>, String)> {
    let ca_key = KeyPair::generate().map_err(io::Error::other)?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "shared-token-cache test CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key).map_err(io::Error::other)?;
    leaf.use_authority_key_identifier_extension = true;
    let certificate = leaf.signed_by(key, &Issuer::new(ca, ca_key)).map_err(io::Error::other)?;
    Ok((vec![certificate.der().clone(), ca_certificate.der().clone()], ca_certificate.pem()))
}
