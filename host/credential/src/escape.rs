//! Escapes for texts that may reach a terminal or a log.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// `text` with every invisible character written as `\u{…}`: control characters (C0, DEL, C1), the
/// line and paragraph separators, marks that change the direction of text, and other invisible
/// characters.
///
/// An escape sequence could change a terminal, a line break could forge a line of a log, and a
/// bidirectional mark or a zero-width character could make a name look like another one. Joiners
/// and variation selectors are escaped too: they change the look of emoji and of letters in some
/// scripts, and a name stays readable with them escaped.
///
/// ```
/// # use shared_token_cache::escaped;
/// assert_eq!(escaped("user0\u{1b}[2J\r\n"), r"user0\u{1b}[2J\u{d}\u{a}");
/// assert_eq!(escaped("Zoë"), "Zoë");
/// ```
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, |_| false, |escaped, character| escaped.extend(character.escape_unicode()))
}

/// A document of TOML in which the characters that [`escaped`] replaces are escape sequences of
/// TOML, except line breaks. Outside of basic strings it must be plain ASCII.
#[must_use]
pub fn escaped_toml(document: &str) -> Cow<'_, str> {
    escape(
        document,
        |character| character == '\n',
        |escaped, character| match u32::from(character) {
            number @ ..=0xffff => escaped.push_str(&format!("\\u{number:04X}")),
            number => escaped.push_str(&format!("\\U{number:08X}")),
        },
    )
}

/// Writes `value` as one line of JSON in which the characters that [`escaped`] replaces are escape
/// sequences of JSON.
///
/// # Errors
/// When the writer fails, or the value has no JSON form.
pub fn write_json(writer: impl io::Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(writer, Escaping))
}

/// [`write_json`] as a text.
pub(crate) fn to_json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    write_json(&mut text, value)?;
    Ok(text)
}

/// An untrusted text, escaped and truncated to `longest` bytes.
pub(crate) fn bounded(text: &str, longest: usize) -> String {
    let cut = |text: &str| text.get(..text.floor_char_boundary(longest)).unwrap_or_default().to_owned();
    let mut bounded = cut(&escaped(&cut(text)));
    if text.len() > longest {
        bounded.push('…');
    }
    bounded
}

fn escape(text: &str, kept: fn(char) -> bool, write: fn(&mut String, char)) -> Cow<'_, str> {
    let hidden = |character| is_hidden(character) && !kept(character);
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hidden(character) { write(&mut escaped, character) } else { escaped.push(character) }
    }
    Cow::Owned(escaped)
}

/// Unicode 17: categories Cc, Zl, Zp and Cf, and characters with the property
/// `Default_Ignorable_Code_Point`, assigned or not.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Escapes the invisible characters that `serde_json` leaves unchanged.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let escaped = escape(
            fragment,
            |_| false,
            |escaped, character| {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            },
        );
        CompactFormatter.write_string_fragment(writer, &escaped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: [char; 14] = [
        '\0',
        '\u{7}',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{9b}',
        '\u{200b}',
        '\u{2028}',
        '\u{202e}',
        '\u{2066}',
        '\u{fe0f}',
        '\u{e0041}',
    ];

    #[test]
    fn visible_characters_stay_and_others_are_escaped() {
        for text in ["", "user0@contoso.com", "Zoë 日本 हिन्दी a\u{301} 🙂", r"C:\Users\user0"] {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        for character in HIDDEN {
            assert_eq!(escaped(&format!("a{character}b")), format!("a\\u{{{:x}}}b", u32::from(character)));
        }
        // The control and format characters that the standard library escapes are escaped here too.
        for character in ['\u{85}', '\u{2029}', '\u{200e}', '\u{200f}', '\u{2069}', '\u{feff}', '\u{fffb}'] {
            assert_ne!(escaped(&character.to_string()), character.to_string());
        }
    }

    #[test]
    fn json_and_toml_read_back_as_they_were() {
        let text: String = HIDDEN.iter().chain(&['"', '\\', 'é']).collect();
        let json = String::from_utf8(to_json(&serde_json::json!({ &text: [&text] })).unwrap()).unwrap();
        assert_eq!(escaped(&json), json);
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back[&text][0], text.as_str());
        let toml = escaped_toml("a = \"\u{202e}\u{e0041}\"\n");
        assert_eq!(toml, "a = \"\\u202E\\U000E0041\"\n");
    }

    #[test]
    fn a_text_is_bounded_after_it_is_escaped() {
        assert_eq!(bounded("aaé", 4), "aaé");
        assert_eq!(bounded("aaéa", 3), "aa…");
        assert!(bounded(&"\u{1b}".repeat(1_000), 1_000).len() <= 1_003);
    }
}
