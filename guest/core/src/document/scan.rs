//! A JSON scanner that reads the text once, without a tree and without copies. It accepts the same
//! texts as `serde_json`'s raw values: numbers of any size and nesting of any depth.

use std::borrow::Cow;

use super::json;

/// A position in a JSON text.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

/// The key of a member, as written in the text.
pub(crate) struct Key<'a> {
    literal: &'a str,
    escaped: bool,
}

impl<'a> Key<'a> {
    /// The unescaped key; `None` for half a surrogate pair, which is not text.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        if self.escaped {
            return json::text(self.literal);
        }
        self.literal.get(1..self.literal.len() - 1).map(Cow::Borrowed)
    }
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The number of bytes read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Enters an object if the next value is one.
    pub(crate) fn enter(&mut self) -> bool {
        let enters = self.peek() == Some(b'{');
        self.at += usize::from(enters);
        enters
    }

    /// Reads the next key of the current object and stops before its value; `None` after the
    /// object's end. `first` must be true before the first member.
    pub(crate) fn key(&mut self, first: &mut bool) -> Result<Option<Key<'a>>, NotJson> {
        match (self.peek(), std::mem::take(first)) {
            (Some(b'}'), _) => {
                self.at += 1;
                return Ok(None);
            }
            (Some(b'"'), true) => {}
            (Some(b','), false) => {
                self.at += 1;
                self.expect(b'"')?;
            }
            _ => return Err(NotJson),
        }
        let (start, escaped) = (self.at, self.string()?);
        let literal = self.text.get(start..self.at).ok_or(NotJson)?;
        self.expect(b':')?;
        self.at += 1;
        self.peek();
        Ok(Some(Key { literal, escaped }))
    }

    /// Reads any value and returns its text.
    pub(crate) fn value(&mut self) -> Result<&'a str, NotJson> {
        self.peek();
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at).ok_or(NotJson)
    }

    /// Whether only white space is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Skips white space and returns the next byte without reading it.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte,
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.peek() == Some(byte) { Ok(()) } else { Err(NotJson) }
    }

    /// Uses one byte of heap per level of nesting, and no recursion.
    fn skip(&mut self) -> Result<(), NotJson> {
        // For each open container, whether it is an object.
        let mut around: Vec<bool> = Vec::new();
        loop {
            let mut first = false;
            match self.peek().ok_or(NotJson)? {
                byte @ (b'{' | b'[') => {
                    self.at += 1;
                    around.push(byte == b'{');
                    first = true;
                }
                b'"' => _ = self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => return Err(NotJson),
            }
            // After a value, or at the start of a container: advance to the next value.
            loop {
                let Some(object) = around.last() else { return Ok(()) };
                let ended = if *object {
                    self.key(&mut first)?.is_none()
                } else {
                    match (self.peek(), std::mem::take(&mut first)) {
                        (Some(b']'), _) => {
                            self.at += 1;
                            true
                        }
                        (Some(b','), false) => {
                            self.at += 1;
                            false
                        }
                        (Some(_), true) => false,
                        _ => return Err(NotJson),
                    }
                };
                if !ended {
                    break;
                }
                around.pop();
            }
        }
    }

    /// Reads a string and returns whether it has escapes.
    fn string(&mut self) -> Result<bool, NotJson> {
        let mut escaped = false;
        self.at += 1;
        loop {
            self.at = self.plain_end();
            match self.byte(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += match self.byte(self.at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u') if self.are_hex_digits(self.at + 2) => 6,
                        _ => return Err(NotJson),
                    };
                }
                _ => return Err(NotJson),
            }
        }
    }

    /// The position of the next quote, backslash or control character, or of the end.
    fn plain_end(&self) -> usize {
        let mut at = self.at;
        let (chunks, rest) = self.text.as_bytes().get(at..).unwrap_or_default().as_chunks::<8>();
        for chunk in chunks {
            let ends = ends_plain(u64::from_le_bytes(*chunk));
            if ends != 0 {
                return at + ends.trailing_zeros() as usize / 8;
            }
            at += chunk.len();
        }
        let ends = |byte: &u8| ends_plain(u64::from(*byte) | !0xFF) & 0xFF != 0;
        at + rest.iter().position(ends).unwrap_or(rest.len())
    }

    fn are_hex_digits(&self, at: usize) -> bool {
        self.text.as_bytes().get(at..at + 4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    fn word(&mut self, word: &str) -> Result<(), NotJson> {
        let is_there = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += word.len();
        if is_there { Ok(()) } else { Err(NotJson) }
    }

    fn number(&mut self) -> Result<(), NotJson> {
        self.at += usize::from(self.byte(self.at) == Some(b'-'));
        match self.byte(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte(self.at) == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// Reads one digit or more.
    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while self.byte(self.at).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NotJson) }
    }
}

/// Sets the highest bit of each byte that is a quote, a backslash or a control character. Only the
/// lowest set bit is exact, because a borrow can set higher ones.
fn ends_plain(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let zeros = |bytes: u64| bytes.wrapping_sub(EACH) & !bytes;
    let controls = bytes.wrapping_sub(EACH * 0x20) & !bytes;
    (controls | zeros(bytes ^ (EACH * u64::from(b'"'))) | zeros(bytes ^ (EACH * u64::from(b'\\')))) & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn is_json(text: &str) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().is_ok() && scanner.is_at_end()
    }

    #[test]
    fn it_accepts_the_same_texts_as_serde_json() {
        for text in [
            "",
            " ",
            "{}",
            "[]",
            "{ }",
            "[ ]",
            "[1]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1}}",
            "[1}",
            "{\"a\":1]",
            "{1:1}",
            "01",
            "-",
            "-0",
            "0.",
            "0.5",
            ".5",
            "1e",
            "1e+",
            "1E-07",
            "+1",
            "nul",
            "null",
            "nulls",
            "True",
            "true",
            "false",
            "\"",
            "\"a\"",
            "\"\\\"",
            "\"\\u00e9\"",
            "\"\\u00g0\"",
            "\"\\x\"",
            "\"\n\"",
            "\"\\ud800\"",
            "{\"\\ud800\":1}",
            "\"0123456789abcdef\u{1}\"",
            "\"0123456789abcde\\\\\"",
            "7 7",
            "{} x",
            "\u{feff}{}",
            "{\"a\":[{\"b\":[[],{}]},\"c\"],\"d\":{\"e\":null}}",
        ] {
            assert_eq!(is_json(text), serde_json::from_str::<&RawValue>(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn plain_text_ends_at_quotes_backslashes_and_control_characters() {
        for byte in 0..=0xFF_u8 {
            for place in 0..17 {
                let mut text = [b'a'; 20];
                text[place] = byte;
                let text = text.map(char::from).iter().collect::<String>();
                let end = if byte < 0x20 || byte == b'"' || byte == b'\\' { place } else { text.len() };
                assert_eq!(Scanner::new(&text).plain_end(), end, "{byte} at {place}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_accepts_exactly_the_texts_that_serde_json_accepts(text in "[\\{\\}\\[\\]\",:a-c0-9 \\\\\n.eE+-]{0,40}") {
            prop_assert_eq!(is_json(&text), serde_json::from_str::<&RawValue>(&text).is_ok());
        }
    }
}
