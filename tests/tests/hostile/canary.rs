//! Canary secrets, and the search for them in outputs.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A part of a secret this long never occurs by chance.
const WINDOW: usize = 12;

/// In a list of bytes this is at least six numbers, which do not occur by chance either.
const LIST: usize = 29;

/// A secret that occurs only where the test put it.
pub(crate) fn canary(what: &str) -> String {
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(32).collect();
    format!("{what}-{random}")
}

/// An output, with its place.
pub(crate) type Piece = (String, Vec<u8>);

/// The outputs that contain a secret or a part of it, plain, in base64, in hex or as a list of
/// bytes.
pub(crate) fn leaks(canaries: &[String], pieces: &[Piece]) -> Vec<String> {
    let windows: HashSet<Vec<u8>> = canaries.iter().flat_map(|canary| windows(canary)).collect();
    let has = |text: &[u8], length| text.windows(length).any(|window| windows.contains(window));
    let shows = |text: &[u8]| has(text, WINDOW) || has(text, LIST);
    pieces.iter().filter(|(_, text)| shows(text)).map(|(place, _)| place.clone()).collect()
}

fn windows(canary: &str) -> Vec<Vec<u8>> {
    let random = canary.rsplit('-').next().unwrap_or_default().as_bytes();
    let mut windows: Vec<Vec<u8>> = random.windows(WINDOW).map(<[u8]>::to_vec).collect();
    // Base64 encodes a byte in three ways, depending on its position.
    for from in 0..3 {
        let part = &random[from..from + 15];
        windows.extend([STANDARD_NO_PAD.encode(part), URL_SAFE_NO_PAD.encode(part)].map(|text| text[..WINDOW].into()));
    }
    for from in 0..random.len() - WINDOW {
        let part = &random[from..from + WINDOW];
        windows.push(part.iter().map(|byte| format!("{byte:02x}")).collect::<String>().as_bytes()[..WINDOW].into());
        windows.push(part.iter().map(|byte| format!("{byte:02X}")).collect::<String>().as_bytes()[..WINDOW].into());
        windows.push(format!("{part:?}").trim_start_matches('[').as_bytes()[..LIST].into());
    }
    windows
}

#[test]
fn a_secret_is_found_however_it_is_written() {
    let (secret, other) = (canary("rt"), canary("at"));
    let bytes = secret.as_bytes();
    let shifted = format!("x{secret}");
    for (what, text) in [
        ("as it is", format!("sent {secret}.")),
        ("the middle of it", format!("rt-…{}…", &secret[9..30])),
        ("in base64", STANDARD_NO_PAD.encode(bytes)),
        ("in base64, in the middle of something", URL_SAFE_NO_PAD.encode(shifted)),
        ("in hex", bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        ("in capital hex", bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
        ("as bytes", format!("{bytes:?}")),
        ("in JSON", serde_json::json!({ "x": [secret] }).to_string()),
    ] {
        let pieces = [("clean".to_owned(), b"nothing to see".to_vec()), (what.to_owned(), text.into_bytes())];
        assert_eq!(leaks(std::slice::from_ref(&secret), &pieces), [what]);
        assert!(leaks(std::slice::from_ref(&other), &pieces).is_empty(), "{what}");
    }
}
