//! The subset of DER (ITU-T X.690) for the issuer of a certificate (RFC 5280, section 4.1).

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, which holds the version.
const VERSION: u8 = 0xa0;

/// `organizationName` and `commonName`.
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Longer names are truncated, in characters.
const LONGEST_NAME: usize = 100;

/// The length of the first element, including its tag and length.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    element(bytes).map(|(_, _, rest)| bytes.len() - rest.len())
}

/// The common name of a certificate's issuer, or its organisation.
pub(super) fn issuer(certificate: &[u8]) -> Option<String> {
    let signed = inside(SEQUENCE, inside(SEQUENCE, certificate)?.0)?.0;
    let rest = inside(VERSION, signed).map_or(signed, |(_, rest)| rest);
    let (_, rest) = inside(INTEGER, rest)?; // serial number
    let (_, rest) = inside(SEQUENCE, rest)?; // algorithm
    let (mut name, _) = inside(SEQUENCE, rest)?;
    let (mut common, mut organization) = (None, None);
    while let Some((mut set, rest)) = inside(SET, name) {
        name = rest;
        while let Some((attribute, rest)) = inside(SEQUENCE, set) {
            set = rest;
            let (kind, value) = inside(OBJECT_IDENTIFIER, attribute)?;
            let (_, value, _) = element(value)?;
            let text = || String::from_utf8_lossy(value).chars().take(LONGEST_NAME).collect();
            match kind {
                COMMON_NAME => common = Some(text()),
                ORGANIZATION => organization = Some(text()),
                _ => {}
            }
        }
    }
    common.or(organization)
}

/// The content of the first element if it has this tag, and the bytes after it.
fn inside(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// The tag and the content of the first element, and the bytes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn the_issuer_is_found_and_no_cut_certificate_does_harm() {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("contoso.pem")).unwrap();
        assert_eq!(issuer(&certificate).as_deref(), Some("Contoso TLS Inspection"));
        assert_eq!(length(&certificate), Some(certificate.len()));
        for end in 0..certificate.len() {
            assert_eq!(issuer(&certificate[..end]), None, "{end}");
        }
        for (position, byte) in
            (0..certificate.len()).flat_map(|position| [0, 0x30, 0x84, 0xff].map(|byte| (position, byte)))
        {
            let mut damaged = certificate.to_vec();
            damaged[position] = byte;
            drop((issuer(&damaged), length(&damaged)));
        }
    }
}
