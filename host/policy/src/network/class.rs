use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that are not public, by their purpose in IANA's registries of special-purpose
/// addresses (RFC 6890) or in a cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressClass {
    /// This machine: `127.0.0.0/8`, `::1`.
    Loopback,
    /// This network segment: `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// An organisation's own network: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, `fc00::/7`,
    /// `fec0::/10`.
    Private,
    /// Between a provider and its customers, and in some clouds: `100.64.0.0/10` (RFC 6598).
    CarrierGradeNat,
    /// Services that give a cloud's machines their configuration and credentials, such as
    /// `169.254.169.254`. They lie in the ranges of other classes, but do not belong to those.
    Metadata,
    /// No address, or this machine on some systems: `0.0.0.0/8`, `::`.
    Unspecified,
    /// Multicast groups: `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// All machines of a network: `255.255.255.255`.
    Broadcast,
    /// Documentation, benchmarks, addresses of protocols, and unassigned ones.
    Reserved,
}

/// The services of AWS (instances, tasks and pods; name server and clock), Azure (also its wire
/// server), Google Cloud, Alibaba and Oracle.
const METADATA_V4: &[Ipv4Addr] = &[
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 169, 253),
    Ipv4Addr::new(169, 254, 169, 123),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: &[Ipv6Addr] = &[
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x123),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

impl AddressClass {
    /// All classes.
    pub const ALL: [Self; 9] = [
        Self::Loopback,
        Self::LinkLocal,
        Self::Private,
        Self::CarrierGradeNat,
        Self::Metadata,
        Self::Unspecified,
        Self::Multicast,
        Self::Broadcast,
        Self::Reserved,
    ];

    /// The class of an address; `None` if it is public. An IPv6 address that embeds an IPv4 address
    /// has that one's class.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        match (address, embedded(address)) {
            (_, Some(inner)) => of_v4(inner),
            (IpAddr::V4(address), None) => of_v4(address),
            (IpAddr::V6(address), None) => of_v6(address),
        }
    }

    /// The class as a policy document spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Private => "private",
            Self::CarrierGradeNat => "carrier-grade-nat",
            Self::Metadata => "metadata",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Reserved => "reserved",
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The IPv4 address that an IPv6 address embeds: mapped (RFC 4291), translated (RFC 2765), NAT64
/// (RFC 6052), 6to4 (RFC 3056), and the deprecated compatible ones (RFC 4291), except `::` and
/// `::1`.
pub(super) fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let joined = |high: u16, low: u16| Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => joined(high, low),
        _ => None,
    }
}

fn of_v4(address: Ipv4Addr) -> Option<AddressClass> {
    if METADATA_V4.contains(&address) {
        return Some(AddressClass::Metadata);
    }
    Some(match address.octets() {
        [0, ..] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [169, 254, ..] => AddressClass::LinkLocal,
        [100, 64..=127, ..] => AddressClass::CarrierGradeNat,
        [224..=239, ..] => AddressClass::Multicast,
        [255, 255, 255, 255] => AddressClass::Broadcast,
        // Addresses of protocols, documentation, relays of 6to4, benchmarks, and the rest of the
        // space.
        [192, 0, 0 | 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [240..=255, ..] => AddressClass::Reserved,
        _ => return None,
    })
}

fn of_v6(address: Ipv6Addr) -> Option<AddressClass> {
    if METADATA_V6.contains(&address) {
        return Some(AddressClass::Metadata);
    }
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => AddressClass::Private,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        // Addresses of protocols (such as Teredo) and documentation, both within the assigned
        // space.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Reserved,
        // The assigned space.
        [0x2000..=0x3fff, ..] => return None,
        _ => AddressClass::Reserved,
    })
}
