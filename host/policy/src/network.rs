//! The addresses that connections may go to: public ones, and others that the policy names.

mod class;
mod range;

pub use class::AddressClass;
pub use range::AddressRange;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::InvalidValue;
use class::embedded;

/// Addresses besides the public ones: a class, or a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// All addresses of a class, such as `private`.
    Class(AddressClass),
    /// A range such as `10.1.0.0/16`, or a single address, of every class.
    Range(AddressRange),
}

impl Addresses {
    /// Whether an address is included. An address that embeds an IPv4 address, such as those of
    /// NAT64, is treated as that one.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        match self {
            Self::Class(class) => AddressClass::of(address) == Some(*class),
            Self::Range(range) => {
                range.contains(address) || embedded(address).is_some_and(|inner| range.contains(inner.into()))
            }
        }
    }
}

impl FromStr for Addresses {
    type Err = InvalidValue;

    /// Accepts the name of a class, an address, or a range such as `10.1.0.0/16` or `fd00::/8`.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if let Some(class) = AddressClass::ALL.into_iter().find(|class| class.as_str() == text) {
            return Ok(Self::Class(class));
        }
        if text.contains(['.', ':', '/']) {
            return text.parse().map(Self::Range);
        }
        let classes = AddressClass::ALL.map(|class| format!("`{class}`")).join(", ");
        let instead = format!("choose among {classes}, or write a range such as `10.1.0.0/16`");
        Err(InvalidValue::new(format!("{text:?} names no addresses"), instead))
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => class.fmt(f),
            Self::Range(range) => range.fmt(f),
        }
    }
}

/// The class of an address that connections may not go to; `None` if they may.
pub(super) fn refused(named: &[Addresses], address: IpAddr) -> Option<AddressClass> {
    let class = AddressClass::of(address)?;
    (!named.iter().any(|addresses| addresses.contain(address))).then_some(class)
}

#[cfg(test)]
mod tests;
