//! Redaction of secrets that a reply repeats. Errors of token endpoints quote parts of the request,
//! and reach the component and the messages.

use zeroize::Zeroizing;

use crate::handle::Handle;
use crate::index::{Index, Shape};
use crate::json::{decode, decode_secret};

/// Shorter refresh tokens could occur in a harmless text by chance.
const SHORTEST: usize = 8;

/// Shorter tokens of the reply itself could be ordinary words.
const SHORTEST_OF_REPLY: usize = 16;

/// Replaces a secret in a text.
const MARK: &str = "[secret]";

/// The secrets that a reply must not repeat outside of their members.
pub(crate) struct Echoes(Vec<Zeroizing<String>>);

impl Echoes {
    /// The refresh token that was redeemed, and the tokens of the reply itself.
    pub(crate) fn new(body: &str, redeemed: &str) -> Self {
        let own = Index::of(body, Shape::Reply, None).unwrap_or_default();
        let tokens = own.spots.iter().filter(|spot| spot.top_level.is_some());
        let tokens = tokens.filter_map(|spot| decode_secret(spot.value.of(body)));
        let tokens = tokens.map(|token| Zeroizing::new(token.as_str().to_owned()));
        let mut secrets: Vec<_> = tokens.filter(|token| token.len() >= SHORTEST_OF_REPLY).collect();
        if redeemed.len() >= SHORTEST {
            secrets.push(Zeroizing::new(redeemed.to_owned()));
        }
        // Longest first: a secret may be the beginning of another one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// Whether a JSON literal repeats a secret or a handle. A string with half a surrogate pair
    /// cannot be searched, and counts as a repetition.
    pub(crate) fn are_in(&self, literal: &str, is_live: &dyn Fn(Handle) -> bool) -> bool {
        match decode(literal) {
            Some(text) => self.are_in_text(&text) || Handle::all_in(&text).any(is_live),
            None => literal.starts_with('"') || self.are_in_text(literal),
        }
    }

    /// A JSON literal with marks for secrets and handles.
    pub(crate) fn literal_without(&self, literal: &str, is_live: &dyn Fn(Handle) -> bool) -> String {
        match decode(literal) {
            // Serializing a string does not fail.
            Some(text) => serde_json::to_string(&self.without(&text, is_live)).unwrap_or_else(|_| "\"\"".to_owned()),
            None if literal.starts_with('"') => "\"\"".to_owned(),
            None => "null".to_owned(),
        }
    }

    /// A text with marks for secrets and handles.
    pub(crate) fn without(&self, text: &str, is_live: &dyn Fn(Handle) -> bool) -> String {
        let mut clean = Zeroizing::new(text.to_owned());
        for secret in &self.0 {
            clean = Zeroizing::new(clean.replace(secret.as_str(), MARK));
        }
        let handles: Vec<_> = Handle::all_in(&clean).filter(|handle| is_live(*handle)).collect();
        for handle in handles {
            let mut written = String::new();
            handle.push_to(&mut written);
            clean = Zeroizing::new(clean.replace(&written, MARK));
        }
        // A secret in another encoding cannot be cut out, so the whole text is replaced.
        if self.are_in_text(&clean) { MARK.to_owned() } else { clean.to_string() }
    }

    /// Whether a text repeats a secret, plain or percent-encoded.
    fn are_in_text(&self, text: &str) -> bool {
        let is_in = |text: &str| self.0.iter().any(|secret| text.contains(secret.as_str()));
        is_in(text) || (text.contains('%') && is_in(&decoded(text)))
    }
}

/// Text without percent-encoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let encoded = match (first, after) {
            (b'%', [high, low, after @ ..]) => digit(high).zip(digit(low)).map(|(high, low)| (high << 4 | low, after)),
            _ => None,
        };
        let (byte, after) = encoded.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0.made~up!refresh+token";

    fn clean(body: &str, text: &str) -> String {
        Echoes::new(body, TOKEN).without(text, &|_| false)
    }

    #[test]
    fn a_secret_goes_out_of_a_text_and_the_rest_stays() {
        for (text, expected) in [
            ("AADSTS700082: token 0.made~up!refresh+token expired", "AADSTS700082: token [secret] expired"),
            ("0.made~up!refresh+token0.made~up!refresh+token", "[secret][secret]"),
            ("100% 0.made~up!refresh+toke %", "100% 0.made~up!refresh+toke %"),
            ("refresh_token=0.made%7Eup%21refresh%2Btoken", "[secret]"),
            ("refresh_token=0.made%7eup!refresh%2btoken", "[secret]"),
            ("%30%2emade~up!refresh+token", "[secret]"),
        ] {
            assert_eq!(clean("{}", text), expected, "{text}");
        }
    }

    #[test]
    fn a_token_of_the_reply_itself_goes_too_and_a_word_stays() {
        let body = r#"{"access_token":"a-long-enough-token","refresh_token":"word"}"#;
        assert_eq!(clean(body, "a-long-enough-token and a word"), "[secret] and a word");
    }

    #[test]
    fn a_literal_stays_a_literal_of_its_type() {
        let echoes = Echoes::new("{}", "12345678");
        for (literal, expected) in [
            (r#""a \"12345678\" é""#, r#""a \"[secret]\" é""#),
            (r#""1234\u00356\u00378""#, r#""[secret]""#),
            (r#""\ud800 1234\u003578""#, r#""""#),
            ("912345678e1", "null"),
        ] {
            assert!(echoes.are_in(literal, &|_| false), "{literal}");
            assert_eq!(echoes.literal_without(literal, &|_| false), expected, "{literal}");
        }
        for literal in [r#""1234567""#, "1234567", "true", r#""""#] {
            assert!(!echoes.are_in(literal, &|_| false), "{literal}");
        }
    }
}
