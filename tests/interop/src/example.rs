//! Files of `examples/`, adapted to a scene: the tests run the files that users copy.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::root;

/// The text of an example's file.
#[derive(Debug)]
pub struct Example {
    name: &'static str,
    text: String,
}

impl Example {
    /// The file `name` of `examples/`.
    pub fn read(name: &'static str) -> Result<Self> {
        let path = root().join("examples").join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Self { name, text })
    }

    /// Replaces `old`, which has to occur once, by `new`.
    pub fn with(self, old: &str, new: &str) -> Result<Self> {
        ensure!(self.text.matches(old).count() == 1, "examples/{} does not have {old:?} once", self.name);
        Ok(Self { text: self.text.replace(old, new), ..self })
    }

    /// The text as it is now.
    pub fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_text_has_to_occur_once() {
        let example = |text: &str| Example { name: "x", text: text.to_owned() };
        assert_eq!(example("a b c").with("b", "d").unwrap().into_text(), "a d c");
        assert!(example("a b b").with("b", "d").is_err());
        assert!(example("a c").with("b", "d").is_err());
    }
}
