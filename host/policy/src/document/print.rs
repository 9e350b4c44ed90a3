//! Writes TOML.

use std::fmt::{Display, Write as _};

/// A document that is being written.
#[derive(Default)]
pub(super) struct Printer(String);

impl Printer {
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Begins `[name]`.
    pub(super) fn table(&mut self, name: &str) {
        self.line(&format!("[{name}]"), true);
    }

    /// Begins `[[name]]`.
    pub(super) fn item(&mut self, name: &str) {
        self.line(&format!("[[{name}]]"), true);
    }

    pub(super) fn text(&mut self, name: &str, value: impl Display) {
        self.line(&format!("{name} = {}", quoted(&value.to_string())), false);
    }

    pub(super) fn texts<T: Display>(&mut self, name: &str, values: &[T]) {
        let values: Vec<_> = values.iter().map(|value| quoted(&value.to_string())).collect();
        self.line(&format!("{name} = [{}]", values.join(", ")), false);
    }

    pub(super) fn number(&mut self, name: &str, value: impl Display) {
        self.line(&format!("{name} = {value}"), false);
    }

    fn line(&mut self, line: &str, apart: bool) {
        if apart && !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(character))),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_so_that_it_reads_back() {
        assert_eq!(quoted("a\"b\\c\n\u{7f}é"), r#""a\"b\\c\u000a\u007fé""#);
    }
}
