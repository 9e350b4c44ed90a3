//! A parsed version of the document.

use shared_token_cache_entra::Secret;
use shared_token_cache_entra::schema::Section;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::entry::{AccessTokenEntry, AccountEntry, AppMetadataEntry, RawEntry, RefreshTokenEntry};
use super::object::Object;
use super::scan::{NotJson, Scanner};
use crate::types::HomeAccountId;

/// A cache document with an index of its entries. The cost of a lookup does not depend on the
/// number of accounts.
pub struct Document {
    text: String,
    accounts: Vec<AccountEntry>,
    refresh_tokens: Vec<RefreshTokenEntry>,
    access_tokens: HashMap<HomeAccountId, Vec<AccessTokenEntry>>,
    app_metadata: Vec<AppMetadataEntry>,
    applications: BTreeSet<Box<str>>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("length", &self.text.len())
            .field("accounts", &self.accounts.len())
            .field("refresh_tokens", &self.refresh_tokens.len())
            .finish_non_exhaustive()
    }
}

/// Why a document does not parse. The message has the position and no content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text is not JSON.
    #[error("it is not JSON: line {line}, column {column}")]
    NotJson {
        /// Line of the first error, from 1.
        line: usize,
        /// Column of the first error, from 1.
        column: usize,
    },
    /// The text is JSON, but not an object.
    #[error("it is not a JSON object: line {line}, column {column}")]
    NotAnObject {
        /// Line of the value, from 1.
        line: usize,
        /// Column of the value, from 1.
        column: usize,
    },
}

impl Document {
    /// Parses a document. Empty text is a cache without entries, as in MSAL.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn parse(mut text: String) -> Result<Self, ParseError> {
        // Editors on Windows write a byte order mark. JSON forbids it, and MSAL fails on it.
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        if text.is_empty() {
            return Ok(Self::empty());
        }
        let mut document = Self::empty();
        if document.index(&text).is_err() {
            return Err(why_not_json(&text));
        }
        document.text = text;
        Ok(document)
    }

    /// Indexes the entries. Of two sections with the same name the last one counts, as in JSON
    /// parsers.
    fn index(&mut self, text: &str) -> Result<(), NotJson> {
        let mut scanner = Scanner::new(text);
        if !scanner.enter() {
            return Err(NotJson);
        }
        let mut first = true;
        while let Some(key) = scanner.key(&mut first)? {
            match Section::named(key.text().as_deref().ok_or(NotJson)?) {
                Some(Section::Account) => {
                    let mut accounts = Vec::new();
                    let whole = each_entry(&mut scanner, &mut |entry, _| accounts.extend(entry.account()))?;
                    self.accounts = if whole { accounts } else { Vec::new() };
                }
                Some(Section::RefreshToken) => {
                    let mut tokens = Vec::new();
                    let whole =
                        each_entry(&mut scanner, &mut |entry, place| tokens.extend(entry.refresh_token(place)))?;
                    self.refresh_tokens = if whole { tokens } else { Vec::new() };
                }
                Some(Section::AccessToken) => {
                    let mut tokens: HashMap<HomeAccountId, Vec<AccessTokenEntry>> = HashMap::new();
                    let mut applications = BTreeSet::new();
                    let whole = each_entry(&mut scanner, &mut |entry, place| {
                        applications.extend(entry.application());
                        if let Some(token) = entry.access_token(place) {
                            tokens.entry(token.home_account_id.clone()).or_default().push(token);
                        }
                    })?;
                    (self.access_tokens, self.applications) =
                        if whole { (tokens, applications) } else { Default::default() };
                }
                Some(Section::AppMetadata) => {
                    let mut metadata = Vec::new();
                    let whole = each_entry(&mut scanner, &mut |entry, _| metadata.extend(entry.app_metadata()))?;
                    self.app_metadata = if whole { metadata } else { Vec::new() };
                }
                Some(Section::IdToken) | None => _ = scanner.value()?,
            }
        }
        if scanner.is_at_end() { Ok(()) } else { Err(NotJson) }
    }

    /// A cache that has not been written yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            text: String::new(),
            accounts: Vec::new(),
            refresh_tokens: Vec::new(),
            access_tokens: HashMap::new(),
            app_metadata: Vec::new(),
            applications: BTreeSet::new(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn accounts(&self) -> &[AccountEntry] {
        &self.accounts
    }

    pub(crate) fn refresh_tokens(&self) -> &[RefreshTokenEntry] {
        &self.refresh_tokens
    }

    pub(crate) fn app_metadata(&self) -> &[AppMetadataEntry] {
        &self.app_metadata
    }

    /// The clients of access tokens that belong to no account.
    pub(crate) fn applications(&self) -> &BTreeSet<Box<str>> {
        &self.applications
    }

    pub(crate) fn access_tokens_of(&self, account: &HomeAccountId) -> &[AccessTokenEntry] {
        self.access_tokens.get(account).map(Vec::as_slice).unwrap_or_default()
    }

    /// The secret of the entry at `place`.
    pub(crate) fn secret(&self, place: &Range<usize>) -> Option<Secret> {
        RawEntry::parse(self.text.get(place.clone())?)?.secret()
    }
}

/// Calls `each` for every object in a section; a section that is not an object has none. Returns
/// whether all keys are valid text; if not, the caller drops the section's entries.
fn each_entry<'a>(
    scanner: &mut Scanner<'a>,
    each: &mut dyn FnMut(RawEntry<'a>, Range<usize>),
) -> Result<bool, NotJson> {
    if !scanner.enter() {
        scanner.value()?;
        return Ok(true);
    }
    let (mut first, mut whole) = (true, true);
    while let Some(key) = scanner.key(&mut first)? {
        whole &= key.text().is_some();
        let start = scanner.at();
        if !scanner.enter() {
            scanner.value()?;
        } else if let Some(entry) = RawEntry::read(scanner)? {
            each(entry, start..scanner.at());
        }
    }
    Ok(whole)
}

/// The position of the error as `serde_json` reports it, because the scanner reports none.
fn why_not_json(text: &str) -> ParseError {
    match Object::parse(text) {
        Ok(_) => ParseError::NotJson { line: 1, column: 1 },
        Err(error) => parse_error(text, &error),
    }
}

fn parse_error(text: &str, error: &serde_json::Error) -> ParseError {
    // serde_json reports positions in the trimmed text, which Object::parse hands to it.
    let leading = text.len() - text.trim_start_matches([' ', '\t', '\n', '\r']).len();
    let (first_line, first_column) = end_of(text.as_bytes().get(..leading).unwrap_or_default());
    let (line, column) = (error.line().max(1), error.column().max(1));
    let place = (first_line + line - 1, if line == 1 { first_column + column - 1 } else { column });
    match error.classify() {
        serde_json::error::Category::Data => ParseError::NotAnObject { line: first_line, column: first_column },
        _ => ParseError::NotJson { line: place.0, column: place.1 },
    }
}

/// Line and column right behind `bytes`, both from 1.
fn end_of(bytes: &[u8]) -> (usize, usize) {
    let line = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = bytes.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_document_has_no_entries_and_nonsense_is_refused_with_its_place() {
        assert!(Document::parse(String::new()).unwrap().accounts().is_empty());
        assert!(Document::parse("\u{feff}{}".into()).unwrap().accounts().is_empty());
        for (text, expected) in [
            ("{\n  \"a\": oops}", ParseError::NotJson { line: 2, column: 8 }),
            ("\n\n [1]", ParseError::NotAnObject { line: 3, column: 2 }),
            ("{} trailing", ParseError::NotJson { line: 1, column: 4 }),
            (" ", ParseError::NotJson { line: 1, column: 2 }),
        ] {
            assert_eq!(Document::parse(text.to_owned()).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn sections_of_another_type_are_absent() {
        let document = Document::parse(r#"{"Account": null, "AccessToken": [1], "RefreshToken": "x"}"#.into()).unwrap();
        assert!(document.accounts().is_empty() && document.refresh_tokens().is_empty());
    }

    #[test]
    fn deep_nesting_does_not_exhaust_the_stack() {
        let deep = 2_000_000;
        let text = format!(r#"{{"x": {}{}, "Account": {{}}}}"#, "[".repeat(deep), "]".repeat(deep));
        assert!(Document::parse(text).is_ok());
        assert!(Document::parse("[".repeat(deep)).is_err());
    }
}
