use std::ops::Range;

use memchr::memchr2;

use super::text::is_decodable;

/// A token of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// An object or an array begins; the range is its bracket.
    Open {
        /// It is an array.
        array: bool,
    },
    /// The innermost container ends; the range is its bracket.
    Close,
    /// The key of a member, with its quotes.
    Key,
    /// A string with its quotes, a number, or a word.
    Scalar,
}

/// Receives the tokens of a walk.
pub(crate) trait Visitor {
    /// The reason to stop the walk.
    type Stop;

    /// Called for every token but commas and colons, in order.
    fn visit(&mut self, event: Event, range: Range<usize>) -> Result<(), Self::Stop>;
}

/// The reason why a walk ended early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Halt<S> {
    /// The text is not a JSON object.
    NotAnObject,
    /// The visitor stopped the walk.
    Stopped(S),
}

impl<S> From<S> for Halt<S> {
    fn from(stop: S) -> Self {
        Self::Stopped(stop)
    }
}

/// The tokens that may come next.
enum Next {
    FirstKey,
    Key,
    FirstElement,
    Value,
    AfterValue,
}

/// Walks a JSON object, which may have white space around it. Each level of nesting takes one byte
/// of memory.
pub(crate) fn walk<V: Visitor>(text: &str, visitor: &mut V) -> Result<(), Halt<V::Stop>> {
    let reader = Reader { bytes: text.as_bytes(), text };
    let mut at = reader.skip_space(0);
    if reader.byte(at) != Some(b'{') {
        return Err(Halt::NotAnObject);
    }
    // For each open container, whether it is an array.
    let mut around: Vec<bool> = Vec::new();
    let mut next = Next::Value;
    loop {
        at = reader.skip_space(at);
        let byte = reader.byte(at).ok_or(Halt::NotAnObject)?;
        let end;
        next = match (next, byte) {
            (Next::FirstKey, b'}') | (Next::FirstElement, b']') => {
                end = at + 1;
                around.pop();
                visitor.visit(Event::Close, at..end)?;
                Next::AfterValue
            }
            (Next::FirstKey | Next::Key, b'"') => {
                let key = reader.string(at).ok_or(Halt::NotAnObject)?;
                // The parser decodes the keys of the root, and skips deeper ones.
                if around.len() == 1 && !text.get(at..key).is_some_and(is_decodable) {
                    return Err(Halt::NotAnObject);
                }
                visitor.visit(Event::Key, at..key)?;
                let colon = reader.skip_space(key);
                if reader.byte(colon) != Some(b':') {
                    return Err(Halt::NotAnObject);
                }
                end = colon + 1;
                Next::Value
            }
            (Next::FirstElement | Next::Value, b'{' | b'[') => {
                let array = byte == b'[';
                end = at + 1;
                around.push(array);
                visitor.visit(Event::Open { array }, at..end)?;
                if array { Next::FirstElement } else { Next::FirstKey }
            }
            (Next::FirstElement | Next::Value, _) => {
                end = reader.scalar(at, byte).ok_or(Halt::NotAnObject)?;
                visitor.visit(Event::Scalar, at..end)?;
                Next::AfterValue
            }
            (Next::AfterValue, b',') => {
                end = at + 1;
                if around.last() == Some(&true) { Next::Value } else { Next::Key }
            }
            (Next::AfterValue, b'}' | b']') if around.last() == Some(&(byte == b']')) => {
                end = at + 1;
                around.pop();
                visitor.visit(Event::Close, at..end)?;
                Next::AfterValue
            }
            _ => return Err(Halt::NotAnObject),
        };
        at = end;
        if around.is_empty() {
            let rest = reader.skip_space(at);
            return if rest == text.len() { Ok(()) } else { Err(Halt::NotAnObject) };
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            at += 1;
        }
        at
    }

    /// The end of the string that begins at `start`.
    fn string(&self, start: usize) -> Option<usize> {
        let mut at = start + 1;
        loop {
            let rest = self.bytes.get(at..)?;
            let found = memchr2(b'"', b'\\', rest)?;
            // A fold without early exit lets the compiler vectorize the loop.
            let control = rest.get(..found)?.iter().fold(false, |found, byte| found | (*byte < 0x20));
            if control {
                return None;
            }
            at += found;
            if self.byte(at) == Some(b'"') {
                return Some(at + 1);
            }
            at += match self.byte(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                b'u' if self.bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                _ => return None,
            };
        }
    }

    /// The end of the string, number or word that begins at `start`.
    fn scalar(&self, start: usize, first: u8) -> Option<usize> {
        match first {
            b'"' => self.string(start),
            b'-' | b'0'..=b'9' => self.number(start),
            b't' => self.word(start, "true"),
            b'f' => self.word(start, "false"),
            b'n' => self.word(start, "null"),
            _ => None,
        }
    }

    fn word(&self, start: usize, word: &str) -> Option<usize> {
        self.text.get(start..)?.starts_with(word).then(|| start + word.len())
    }

    fn number(&self, start: usize) -> Option<usize> {
        let mut at = start;
        if self.byte(at) == Some(b'-') {
            at += 1;
        }
        at = if self.byte(at) == Some(b'0') { at + 1 } else { self.digits(at)? };
        if self.byte(at) == Some(b'.') {
            at = self.digits(at + 1)?;
        }
        if matches!(self.byte(at), Some(b'e' | b'E')) {
            at += 1;
            if matches!(self.byte(at), Some(b'+' | b'-')) {
                at += 1;
            }
            at = self.digits(at)?;
        }
        Some(at)
    }

    /// The end of the digits at `start`, at least one.
    fn digits(&self, start: usize) -> Option<usize> {
        let rest = self.bytes.get(start..)?;
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(start + count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tokens<'a>(&'a str, Vec<&'a str>);

    impl Visitor for Tokens<'_> {
        type Stop = ();

        fn visit(&mut self, _: Event, range: Range<usize>) -> Result<(), ()> {
            self.1.push(&self.0[range]);
            Ok(())
        }
    }

    #[test]
    fn every_token_is_seen_in_order() {
        let text = " {\"a\" : [1, -0.5e+3,\"\\\"}\\u00e9\"], \"a\":{}, \"\": null }\n";
        let mut tokens = Tokens(text, Vec::new());
        walk(text, &mut tokens).unwrap();
        assert_eq!(
            tokens.1,
            ["{", "\"a\"", "[", "1", "-0.5e+3", "\"\\\"}\\u00e9\"", "]", "\"a\"", "{", "}", "\"\"", "null", "}"]
        );
    }

    #[test]
    fn a_text_that_is_not_a_json_object_is_refused() {
        for text in [
            "",
            " ",
            "[]",
            "7",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":[1,]}",
            "{\"a\":[,1]}",
            "{,}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":-}",
            "{\"a\":1e}",
            "{\"a\":+1}",
            "{\"a\":nul}",
            "{\"a\":True}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u00g0\"}",
            "{\"a\":\"",
            "{\"a\":[}]}",
            "{}}",
            "{} x",
            "{\"\\ud800\":1}",
            "\u{feff}{}",
        ] {
            assert_eq!(walk(text, &mut Tokens(text, Vec::new())), Err(Halt::NotAnObject), "{text:?}");
        }
    }

    #[test]
    fn nesting_takes_no_stack() {
        let deep = 2_000_000;
        let text = format!("{{\"x\":{}{}}}", "[".repeat(deep), "]".repeat(deep));
        assert!(walk(&text, &mut Tokens(&text, Vec::new())).is_ok());
    }
}
