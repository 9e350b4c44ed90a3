//! Foreign text in messages.

/// Names are truncated to this many characters.
const LONGEST: usize = 120;

/// A name from a cache or a caller, quoted on one line, with hidden characters escaped so that it
/// cannot steer a terminal.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(LONGEST).collect();
    format!("{short:?}{}", if short.len() < text.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_and_can_neither_end_its_line_nor_steer_a_terminal() {
        assert_eq!(quoted("user0@contoso.com"), "\"user0@contoso.com\"");
        let quoted = quoted("\u{1b}]0;owned\u{7}a\nb\u{202e}\u{9b}");
        assert!(!quoted.contains(|character: char| character.is_control() || character == '\u{202e}'), "{quoted}");
    }

    #[test]
    fn a_long_name_is_truncated() {
        assert_eq!(quoted(&"ä".repeat(200)).chars().count(), LONGEST + 3);
    }
}
