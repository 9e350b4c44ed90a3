//! Endpoints with other certificates or TLS versions.

/// The certificate and TLS of an endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its TLS versions.
    pub tls: Tls,
}

/// A kind of certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificate {
    /// Valid, for the endpoint's names, issued by its CA.
    #[default]
    Good,
    /// For another host, otherwise valid.
    OtherHost,
    /// Expired in the year 2000, otherwise valid.
    Expired,
    /// Valid from the year 3000 on.
    NotYetValid,
    /// Self-signed, for the endpoint's names.
    SelfSigned,
}

/// Versions of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// 1.2 and 1.3.
    #[default]
    Any,
    /// 1.2 only.
    Only12,
    /// 1.3 only.
    Only13,
    /// No TLS: plain HTTP, for clients that cannot be given a CA.
    Off,
}
