//! Values as the wasmtime command line prints them: the part of WAVE that the contract's types
//! need.
//!
//! The crate `wasm-wave` parses all of WAVE, but its generated lexer makes cargo compile wasmtime
//! twice.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// The value as JSON: records as objects, a case with a payload as an object of one member, one without as its name, none as null.
pub(crate) fn read(text: &str) -> Result<Value> {
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value().with_context(|| format!("this is no value: {}", text.trim()))?;
    ensure!(reader.rest.is_empty(), "this comes after the value: {}", reader.rest);
    Ok(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value> {
        match self.rest.chars().next().context("the text ends early")? {
            '"' => self.string().map(Value::String),
            '[' => self.list().map(Value::Array),
            '{' => self.record().map(Value::Object),
            '0'..='9' => Ok(self.word().parse::<u64>()?.into()),
            _ => self.case(),
        }
    }

    /// `true`, `false`, `none`, or the name of a case with or without a payload.
    fn case(&mut self) -> Result<Value> {
        let name = self.word().to_owned();
        ensure!(!name.is_empty(), "a name is missing before {}", self.rest);
        if !self.takes("(") {
            return Ok(match name.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                "none" => Value::Null,
                _ => name.into(),
            });
        }
        let payload = self.value()?;
        ensure!(self.takes(")"), "`{name}(` is not closed");
        Ok(if name == "some" { payload } else { json!({ name: payload }) })
    }

    fn list(&mut self) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        self.takes("[");
        while !self.takes("]") {
            values.push(self.value()?);
            self.takes(",");
        }
        Ok(values)
    }

    fn record(&mut self) -> Result<Map<String, Value>> {
        let mut fields = Map::new();
        self.takes("{");
        while !self.takes("}") {
            let name = self.word().to_owned();
            ensure!(!name.is_empty() && self.takes(":"), "a field is missing before {}", self.rest);
            fields.insert(name, self.value()?);
            self.takes(",");
        }
        Ok(fields)
    }

    fn string(&mut self) -> Result<String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default().trim_start();
                    return Ok(text);
                }
                '\\' => match characters.next().context("an escape is cut off")?.1 {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'u' => {
                        let digits: String =
                            characters.by_ref().map(|(_, digit)| digit).take_while(|digit| *digit != '}').collect();
                        let code = u32::from_str_radix(digits.trim_start_matches('{'), 16)?;
                        text.push(char::from_u32(code).context("no character")?);
                    }
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        bail!("a text is not closed")
    }

    /// A name or a number.
    fn word(&mut self) -> &str {
        let end = self
            .rest
            .find(|character: char| !(character.is_ascii_alphanumeric() || character == '-' || character == '%'));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        word.trim_start_matches('%')
    }

    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_command_line_are_parsed() {
        assert_eq!(read("true\n").unwrap(), json!(true));
        let token = "ok({token: \"t\", expires-on: 7, refresh-on: none, token-type: \"Bearer\"})";
        let expected = json!({ "ok": { "token": "t", "expires-on": 7, "refresh-on": null, "token-type": "Bearer" } });
        assert_eq!(read(token).unwrap(), expected);
        let error = "err(credential-unavailable({reason: no-accounts, message: \"it\\'s \\\"ü\\\"\\n\\u{e9}\", \
                     candidates: [{username: \"u\", home-tenant-id: some(\"t\")}, {username: \"v\", home-tenant-id: none}]}))";
        let candidates =
            json!([{ "username": "u", "home-tenant-id": "t" }, { "username": "v", "home-tenant-id": null }]);
        let details = json!({ "reason": "no-accounts", "message": "it's \"ü\"\né", "candidates": candidates });
        assert_eq!(read(error).unwrap(), json!({ "err": { "credential-unavailable": details } }));
    }

    #[test]
    fn invalid_values_are_errors() {
        for text in ["", "ok(", "ok(1", "{a 1}", "[1", "\"t", "true false", ")", "\"\\", "{a: 1"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
