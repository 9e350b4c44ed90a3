//! Endpoints that differ from a good one.

/// What an endpoint shows to its clients.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup {
    /// Its certificate.
    pub certificate: Certificate,
    /// The TLS that it speaks.
    pub tls: Tls,
}

/// A kind of certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificate {
    /// For the names of this crate, by the endpoint's CA, valid.
    #[default]
    Good,
    /// The same, for another host.
    OtherHost,
    /// The same, expired in the year 2000.
    Expired,
    /// The same, valid from the year 3000 on.
    NotYetValid,
    /// For the names of this crate, by itself. It is its own CA.
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
    /// None: plain HTTP, for clients that can't be given a CA.
    Off,
}
