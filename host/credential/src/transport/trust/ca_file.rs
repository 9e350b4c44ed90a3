//! Reads the certificates of a CA file. Users export, paste and join such files by hand, so the
//! readable certificates are used, and a message names the others.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use shared_token_cache_storage::files;

use super::der;

type Certificates = Vec<CertificateDer<'static>>;

/// Labels of PEM sections with a certificate. OpenSSL writes the second, with its own settings
/// after the certificate.
const LABELS: [&str; 3] = ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"];

/// The parts of the markers around a section.
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const HYPHENS: &str = "-----";

/// The longest label in a message; `ENCRYPTED PRIVATE KEY` has 21 characters.
const LONGEST_LABEL: usize = 40;

/// The size limit of a CA file, in bytes. A system's bundle has some hundred thousand.
pub(super) const LARGEST: u64 = 16 << 20;

/// The certificates of a file. Unusable ones are skipped with a warning, if at least one is usable.
pub(in crate::transport) fn read(path: &Path) -> Result<Certificates, String> {
    let unusable = |why: String| format!("the CA file {} {why}", path.display());
    let bytes = files::read_input(path, LARGEST).map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let (certificates, skipped) = parse(&bytes).map_err(unusable)?;
    for why in skipped {
        tracing::warn!("{}", unusable(format!("holds other certificates, but one of them is skipped: {why}")));
    }
    Ok(certificates)
}

/// The certificates, and the error of each unusable one.
fn parse(bytes: &[u8]) -> Result<(Certificates, Vec<String>), String> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err("is UTF-16; save it as UTF-8".into()),
        [0x30, 0x80..=0xff, ..] => {
            let certificate = usable(bytes.to_vec()).map_err(|why| {
                format!(
                    "is binary and not a certificate, perhaps a PKCS #7 or PKCS #12 file: {why}; convert it to \
                         PEM with `openssl`"
                )
            })?;
            return Ok((vec![certificate], Vec::new()));
        }
        _ => {}
    }
    // Text before the first section may have any encoding.
    let text = String::from_utf8_lossy(bytes);
    let (mut certificates, mut skipped, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (number, section) in sections(&text).into_iter().enumerate() {
        if !LABELS.contains(&section.label) {
            others.push(section.label);
            continue;
        }
        match section.certificate() {
            Ok(certificate) => certificates.push(certificate),
            Err(why) => skipped.push(format!("number {}: {why}", number + 1)),
        }
    }
    match (&certificates[..], &skipped[..], &others[..]) {
        ([_, ..], _, _) => Ok((certificates, skipped)),
        ([], [why, ..], _) => Err(format!("holds no certificate that can be used; {why}")),
        ([], [], [label, ..]) if label.starts_with("PKCS") => {
            Err("holds no certificate but a PKCS #7 bundle; convert it with `openssl pkcs7 -print_certs`".into())
        }
        ([], [], [label, ..]) => {
            let kind = shown(label).map(|label| format!(", such as {label:?}")).unwrap_or_default();
            Err(format!("holds no certificate: its sections are of another kind{kind}"))
        }
        ([], [], []) => Err("holds no certificate: it has no line `-----BEGIN CERTIFICATE-----`".into()),
    }
}

/// A section of PEM (RFC 7468).
struct Section<'t> {
    label: &'t str,
    lines: Vec<&'t str>,
    has_end: bool,
}

/// Splits a text into sections. Line ends of all systems are accepted, and white space around lines
/// is ignored. A marker ends at its hyphens, and the rest of its line is content: so a text whose
/// line ends became blanks has the same sections.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.split(['\n', '\r']) {
        let mut rest = trimmed(line);
        while !rest.is_empty() {
            if let Some((label, behind)) = rest.strip_prefix(BEGIN).and_then(|rest| rest.split_once(HYPHENS)) {
                sections.push(Section { label, lines: Vec::new(), has_end: false });
                rest = trimmed(behind);
                continue;
            }
            let Some(open) = sections.last_mut().filter(|section| !section.has_end) else { break };
            let end = rest.find(END);
            let (content, marker) = rest.split_at(end.unwrap_or(rest.len()));
            open.lines.extend(content.split_whitespace());
            let behind = marker.strip_prefix(END).and_then(|marker| marker.split_once(HYPHENS));
            open.has_end = behind.is_some();
            rest = behind.map(|(_, behind)| trimmed(behind)).unwrap_or_default();
        }
    }
    sections
}

fn trimmed(line: &str) -> &str {
    line.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}

/// The label of a section for a message. An invalid label may be content, such as a private key.
fn shown(label: &str) -> Option<&str> {
    let is_of_a_label = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" #".contains(&byte);
    (label.len() <= LONGEST_LABEL && label.bytes().all(is_of_a_label)).then_some(label)
}

impl Section<'_> {
    fn certificate(&self) -> Result<CertificateDer<'static>, String> {
        if !self.has_end {
            return Err("its last line is missing".into());
        }
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", self.lines.join("\n"));
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| "it is not base64".to_owned())?;
        usable(certificate.to_vec())
    }
}

/// The certificate at the start of these bytes, if it is usable as a root.
fn usable(mut bytes: Vec<u8>) -> Result<CertificateDer<'static>, String> {
    let length = der::length(&bytes).ok_or("it is cut short")?;
    bytes.truncate(length);
    let certificate = CertificateDer::from(bytes);
    RootCertStore::empty().add(certificate.clone()).map_err(|error| error.to_string())?;
    Ok(certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The certificate of an authority, made for this test with `openssl req -x509`.
    const PEM: &str = include_str!("contoso.pem");

    fn der() -> Vec<u8> {
        CertificateDer::from_pem_slice(PEM.as_bytes()).unwrap().to_vec()
    }

    #[test]
    fn a_certificate_is_read_in_every_common_form() {
        let labelled = |label: &str| PEM.replace(" CERTIFICATE", &format!(" {label}"));
        for (what, bytes) in [
            ("PEM", PEM.as_bytes().to_vec()),
            ("line ends of old Macs", PEM.replace('\n', "\r").into()),
            ("blanks for line ends", PEM.replace('\n', " ").into()),
            (
                "one line, after a key",
                format!("-----BEGIN RSA PRIVATE KEY-----AAAA-----END RSA PRIVATE KEY-----{}", PEM.replace('\n', ""))
                    .into(),
            ),
            ("line ends of Windows", PEM.replace('\n', "\r\n").into()),
            ("a byte order mark", format!("\u{feff}{PEM}").into()),
            ("an indented block", PEM.lines().map(|line| format!("  \t{line} \n")).collect::<String>().into()),
            ("a text in another encoding before it", [b"F\xfcr alle:\n".as_slice(), PEM.as_bytes()].concat()),
            ("a key before it", format!("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{PEM}").into()),
            ("an old label", labelled("X509 CERTIFICATE").into()),
            ("OpenSSL's label", labelled("TRUSTED CERTIFICATE").into()),
            ("DER", der()),
            ("DER with something after it", [der(), vec![0x30, 0]].concat()),
        ] {
            let (certificates, skipped) = parse(&bytes).unwrap_or_else(|why| panic!("{what}: {why}"));
            assert_eq!((certificates, skipped.len()), (vec![CertificateDer::from(der())], 0), "{what}");
        }
    }

    #[test]
    fn a_broken_certificate_among_good_ones_is_skipped() {
        let broken = PEM.replacen("MII", "M!I", 1);
        let cut = PEM.replace("-----END CERTIFICATE-----\n", "");
        let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        for (text, good, bad) in [
            (format!("{broken}{PEM}"), 1, 1),
            (format!("{PEM}{broken}"), 1, 1),
            (format!("{empty}{PEM}{PEM}{cut}"), 2, 2),
            (format!("{cut}{PEM}"), 1, 1),
        ] {
            let (certificates, skipped) = parse(text.as_bytes()).unwrap();
            assert_eq!((certificates.len(), skipped.len()), (good, bad), "{skipped:?}");
        }
    }

    #[test]
    fn the_error_for_a_file_without_a_certificate_names_its_kind() {
        let utf_16: Vec<u8> = [0xfeff].into_iter().chain(PEM.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for (bytes, part) in [
            (Vec::new(), "BEGIN CERTIFICATE"),
            (b"{}".to_vec(), "BEGIN CERTIFICATE"),
            (utf_16, "UTF-16"),
            (PEM.replacen("MII", "M!I", 1).into(), "base64"),
            (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----".to_vec(), "number 1"),
            (PEM.replace(" CERTIFICATE", " PKCS7").into(), "pkcs7"),
            (PEM.replace(" CERTIFICATE", " PRIVATE KEY").into(), "PRIVATE KEY"),
            (vec![0x30, 0x82, 0x01], "PKCS #12"),
            ([&[0x30, 0x82, 0, 3], &[2, 1, 3][..]].concat(), "PKCS #12"),
        ] {
            let why = parse(&bytes).unwrap_err();
            assert!(why.contains(part), "{part}: {why}");
        }
    }

    #[test]
    fn nothing_of_a_private_key_is_shown_however_its_lines_end() {
        let key = PEM.replace(" CERTIFICATE", " PRIVATE KEY");
        let content = key.lines().nth(1).unwrap();
        for (what, text) in [
            ("carriage returns", key.replace('\n', "\r")),
            ("blanks", key.replace('\n', " ")),
            ("nothing", key.replace('\n', "")),
            ("tabs", key.replace('\n', "\t")),
            ("form feeds", key.replace('\n', "\u{c}")),
            ("line separators", key.replace('\n', "\u{2028}")),
            ("zeros", key.replace('\n', "\0")),
            ("no hyphens behind the label", key.replacen("KEY-----", "KEY", 1)),
            ("no hyphens and no line ends", key.replacen("KEY-----", "KEY", 1).replace('\n', " ")),
            ("a line end in the label", key.replacen("PRIVATE KEY", "PRIVATE\nKEY", 1)),
            ("small letters", key.replace("PRIVATE KEY", "private key")),
        ] {
            let why = parse(text.as_bytes()).unwrap_err();
            assert!((0..content.len() - 8).all(|at| !why.contains(&content[at..at + 8])), "{what}: {why}");
            assert!(why.len() < 200 && why.starts_with("holds no certificate"), "{what}: {why}");
        }
        let why = parse(key.replace('\n', "\r").as_bytes()).unwrap_err();
        assert!(why.ends_with("such as \"PRIVATE KEY\""), "{why}");
    }
}
