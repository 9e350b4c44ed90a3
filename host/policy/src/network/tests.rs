use super::*;

fn of(address: &str) -> &'static str {
    AddressClass::of(address.parse().unwrap()).map_or("public", AddressClass::as_str)
}

#[test]
fn every_address_has_its_class() {
    for (address, class) in [
        // The first and the last of each range, and their neighbours.
        ("0.0.0.0", "unspecified"),
        ("0.255.255.255", "unspecified"),
        ("1.0.0.0", "public"),
        ("9.255.255.255", "public"),
        ("10.0.0.0", "private"),
        ("10.255.255.255", "private"),
        ("11.0.0.0", "public"),
        ("100.63.255.255", "public"),
        ("100.64.0.0", "carrier-grade-nat"),
        ("100.127.255.255", "carrier-grade-nat"),
        ("100.128.0.0", "public"),
        ("100.100.100.200", "metadata"),
        ("126.255.255.255", "public"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.255", "loopback"),
        ("128.0.0.0", "public"),
        ("168.63.129.15", "public"),
        ("168.63.129.16", "metadata"),
        ("169.253.255.255", "public"),
        ("169.254.0.0", "link-local"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("169.254.255.255", "link-local"),
        ("169.255.0.0", "public"),
        ("172.15.255.255", "public"),
        ("172.16.0.0", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", "public"),
        ("192.0.0.8", "reserved"),
        ("192.0.0.192", "metadata"),
        ("192.0.1.0", "public"),
        ("192.0.2.1", "reserved"),
        ("192.88.99.1", "reserved"),
        ("192.167.255.255", "public"),
        ("192.168.0.0", "private"),
        ("192.168.255.255", "private"),
        ("192.169.0.0", "public"),
        ("198.17.255.255", "public"),
        ("198.18.0.0", "reserved"),
        ("198.19.255.255", "reserved"),
        ("198.20.0.0", "public"),
        ("198.51.100.7", "reserved"),
        ("203.0.113.7", "reserved"),
        ("223.255.255.255", "public"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.254", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("20.190.128.1", "public"), // one of login.microsoftonline.com's
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("64:ff9b:1::1", "reserved"),
        ("100::1", "reserved"),
        ("1fff:ffff::1", "reserved"),
        ("2000::1", "public"),
        ("2001::1", "reserved"), // Teredo
        ("2001:1ff::1", "reserved"),
        ("2001:200::1", "public"),
        ("2001:db8::1", "reserved"),
        ("2001:db9::1", "public"),
        ("2603:1006:2000::1", "public"), // one of login.microsoftonline.com's
        ("3fff:fff::1", "reserved"),
        ("3fff:1000::1", "public"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        ("fbff::1", "reserved"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "metadata"),
        ("fd00:ec2::255", "private"),
        ("fd20:ce::254", "metadata"),
        ("fdff::1", "private"),
        ("fe00::1", "reserved"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        // An embedded IPv4 address decides the class.
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "metadata"),
        ("::ffff:20.190.128.1", "public"),
        ("::ffff:0:10.0.0.1", "private"),
        ("::127.0.0.1", "loopback"),
        ("::10.0.0.1", "private"),
        ("::2", "unspecified"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("64:ff9b::168.63.129.16", "metadata"),
        ("64:ff9b::20.190.128.1", "public"),
        ("2002:7f00:1::1", "loopback"),
        ("2002:c0a8:101::", "private"),
        ("2002:14be:8001::1", "public"),
    ] {
        assert_eq!(of(address), class, "{address}");
    }
}

#[test]
fn addresses_that_are_not_public_must_be_named() {
    for (named, address, allowed) in [
        ("loopback", "127.0.0.1", true),
        ("loopback", "::1", true),
        ("loopback", "::ffff:127.0.0.1", true),
        ("loopback", "10.0.0.1", false),
        ("loopback", "20.190.128.1", true),
        ("private", "10.0.0.1", true),
        ("private", "192.168.1.1", true),
        ("private", "fd00::1", true),
        ("private", "127.0.0.1", false),
        // Metadata services belong to none of the classes whose ranges contain them.
        ("private", "fd00:ec2::254", false),
        ("link-local", "169.254.169.254", false),
        ("link-local", "169.254.1.1", true),
        ("carrier-grade-nat", "100.100.100.200", false),
        ("metadata", "169.254.169.254", true),
        ("metadata", "169.254.1.1", false),
        ("10.1.0.0/16", "10.1.255.255", true),
        ("10.1.0.0/16", "10.2.0.0", false),
        ("10.1.0.0/16", "::ffff:10.1.0.1", true),
        ("10.1.0.0/16", "64:ff9b::10.1.0.1", true),
        ("64:ff9b::/96", "64:ff9b::10.1.0.1", true),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false),
        ("127.0.0.1", "::1", false),
        ("fd12:3456::/32", "fd12:3456::1", true),
        ("fd12:3456::/32", "fd12:3457::1", false),
        ("0.0.0.0/0", "169.254.169.254", true),
        ("0.0.0.0/0", "fd00::1", false),
        ("::/0", "fd00::1", true),
        ("::/0", "10.0.0.1", false),
    ] {
        let (named, address): (Addresses, IpAddr) = (named.parse().unwrap(), address.parse().unwrap());
        assert_eq!(refused(&[named], address).is_none(), allowed, "{named} {address}");
        let public = AddressClass::of(address).is_none();
        assert_eq!(refused(&[], address).is_none(), public, "only public addresses need no naming: {address}");
    }
}

#[test]
fn every_class_has_a_name_that_allows_only_this_class() {
    let one_of_each = [
        "127.0.0.1",
        "169.254.0.1",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
    ];
    for (class, own) in AddressClass::ALL.into_iter().zip(one_of_each) {
        let named: Addresses = class.as_str().parse().unwrap();
        assert_eq!(named, Addresses::Class(class));
        for address in one_of_each {
            assert_eq!(named.contain(address.parse().unwrap()), address == own, "{class} {address}");
        }
    }
}

#[test]
fn names_of_addresses_are_read_exactly() {
    for text in ["loopback", "carrier-grade-nat", "10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8", "0.0.0.0/0", "::/0"] {
        assert_eq!(text.parse::<Addresses>().unwrap().to_string(), text);
    }
    assert_eq!("127.0.0.1/32".parse::<Addresses>().unwrap().to_string(), "127.0.0.1");
    for text in [
        "",
        "public",
        "Loopback",
        " loopback",
        "*",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10/8",
        "10.0.0.0/255.0.0.0",
        "010.0.0.1",
        "0x7f.0.0.1",
        "::/129",
        "fe80::1%eth0",
        "[::1]",
        "127.0.0.1:443",
        "login.contoso.com",
    ] {
        assert!(text.parse::<Addresses>().is_err(), "{text}");
    }
    let error = "10.1.2.3/8".parse::<Addresses>().unwrap_err().to_string();
    assert!(error.contains("`10.0.0.0/8`"), "{error}");
    let error = "intranet".parse::<Addresses>().unwrap_err().to_string();
    assert!(error.contains("`loopback`") && error.contains("`reserved`"), "{error}");
}
