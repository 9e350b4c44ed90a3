use std::borrow::Cow;

use shared_token_cache_entra::token;
use zeroize::Zeroizing;

/// The text of a JSON string. An unescaped copy is zeroized on drop.
pub(crate) enum Decoded<'a> {
    Plain(&'a str),
    Unescaped(Zeroizing<String>),
}

impl Decoded<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }
}

/// The text of a JSON string with its quotes. `None` for other values, and for half a surrogate
/// pair.
pub(crate) fn decode(literal: &str) -> Option<Cow<'_, str>> {
    let inner = inner(literal)?;
    if inner.contains('\\') { unescaped(inner).map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// [`decode`] for a secret.
pub(crate) fn decode_secret(literal: &str) -> Option<Decoded<'_>> {
    let inner = inner(literal)?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Decoded::Plain(inner));
    }
    unescaped(inner).map(|text| Decoded::Unescaped(Zeroizing::new(text)))
}

/// Whether a literal is a string that decodes to text.
pub(crate) fn is_decodable(literal: &str) -> bool {
    decode(literal).is_some()
}

/// A count of seconds, as a number or as a string.
pub(crate) fn seconds(literal: &str) -> Option<u64> {
    token::seconds(&decode(literal).unwrap_or(Cow::Borrowed(literal)))
}

fn inner(literal: &str) -> Option<&str> {
    literal.strip_prefix('"')?.strip_suffix('"')
}

/// The capacity is the literal's length, which the text never exceeds: growing would leave copies
/// of a secret in freed memory.
fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut characters = escape.chars();
        let kind = characters.next()?;
        rest = characters.as_str();
        text.push(match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (character, after) = code_point(rest)?;
                rest = after;
                character
            }
            other => other,
        });
    }
    text.push_str(rest);
    Some(text)
}

/// The character of a `\u` escape whose digits begin `text`, and the text after it.
fn code_point(text: &str) -> Option<(char, &str)> {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let first = unit(text)?;
    let after = text.get(4..)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, after));
    }
    let low = after.strip_prefix("\\u")?;
    let second = unit(low).filter(|unit| (0xDC00..0xE000).contains(unit))?;
    let character = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
    Some((character, low.get(4..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_decode_as_serde_json_decodes_them() {
        for literal in [
            r#""""#,
            r#""plain ä""#,
            r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00\u0000""#,
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
            r#""\ud83d\ud83d""#,
            r#""\ud83dx""#,
        ] {
            let expected: Option<String> = serde_json::from_str(literal).ok();
            assert_eq!(decode(literal).as_deref(), expected.as_deref(), "{literal}");
            assert_eq!(decode_secret(literal).as_ref().map(Decoded::as_str), expected.as_deref(), "{literal}");
        }
        assert_eq!(decode("7"), None);
    }

    #[test]
    fn seconds_are_strings_or_numbers() {
        for (literal, expected) in [
            ("\"17\"", Some(17)),
            ("17.9", Some(17)),
            ("36E2", Some(3600)),
            ("3.6e3", Some(3600)),
            ("1e300", None),
            ("\"inf\"", None),
            ("\"nan\"", None),
            ("\" 17 \"", Some(17)),
            ("\"x\"", None),
            ("[", None),
            ("-1", None),
        ] {
            assert_eq!(seconds(literal), expected, "{literal}");
        }
    }
}
