//! A TOML table whose fields are taken one by one; what nobody takes is unknown.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::problems::Problems;
use crate::InvalidValue;

/// A table of the document.
pub(super) struct Fields<'p, 'i> {
    path: String,
    at: usize,
    left: Vec<(Spanned<DeString<'i>>, Spanned<DeValue<'i>>)>,
    known: Vec<&'static str>,
    problems: &'p Problems<'i>,
}

/// A value of the document.
pub(super) struct Value<'p, 'i> {
    path: String,
    at: usize,
    value: DeValue<'i>,
    problems: &'p Problems<'i>,
}

impl<'p, 'i> Fields<'p, 'i> {
    pub(super) fn root(table: DeTable<'i>, problems: &'p Problems<'i>) -> Self {
        Self { path: String::new(), at: 0, left: table.into_iter().collect(), known: Vec::new(), problems }
    }

    /// The value of a field. From then on the field is known.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value<'p, 'i>> {
        self.known.push(name);
        let position = self.left.iter().position(|(key, _)| key.get_ref() == name)?;
        let (_, value) = self.left.swap_remove(position);
        let (at, path) = (value.span().start, self.path_of(name));
        Some(Value { path, at, value: value.into_inner(), problems: self.problems })
    }

    /// The table in a field; an empty one where it is absent or no table.
    pub(super) fn table(&mut self, name: &'static str) -> Self {
        let empty = Self { path: name.into(), at: 0, left: Vec::new(), known: Vec::new(), problems: self.problems };
        self.take(name).and_then(Value::into_table).unwrap_or(empty)
    }

    /// The items of the list in a field; none where it is absent or no list.
    pub(super) fn list(&mut self, name: &'static str) -> Vec<Value<'p, 'i>> {
        self.take(name).map(Value::into_list).unwrap_or_default()
    }

    /// The text in a field, as what it stands for.
    pub(super) fn parse<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        self.take(name)?.parse(parse)
    }

    /// The number in a field, if it is within the range.
    pub(super) fn number(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        self.take(name)?.number(least, most)
    }

    /// A problem with a field that may well be absent: it is then reported where the table begins.
    pub(super) fn problem(&self, name: &str, at: Option<usize>, what: &str, instead: &str) {
        self.problems.add(at.unwrap_or(self.at), &self.path_of(name), what, instead);
    }

    /// Reports each field that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in &self.left {
            let name = key.get_ref();
            let instead = format!("choose among {}", listed(&self.known));
            self.problems.add(key.span().start, &self.path_of(name), "is not a field of the policy", instead);
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

impl<'p, 'i> Value<'p, 'i> {
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text, as what it stands for.
    pub(super) fn parse<T>(self, parse: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Option<T> {
        let DeValue::String(text) = &self.value else { return self.is_not("a text", "write it in quotes") };
        match parse(text) {
            Ok(value) => Some(value),
            Err(InvalidValue { what, instead }) => {
                self.problems.add(self.at, &self.path, what, instead);
                None
            }
        }
    }

    pub(super) fn number(self, least: u64, most: u64) -> Option<u64> {
        let instead = format!("write a whole number between {least} and {most}");
        let DeValue::Integer(number) = &self.value else { return self.is_not("a whole number", &instead) };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let within = value.filter(|value| (least..=most).contains(value));
        if within.is_none() {
            let what = format!("{} is not between {least} and {most}", number.as_str());
            self.problems.add(self.at, &self.path, what, instead);
        }
        within
    }

    pub(super) fn into_list(self) -> Vec<Self> {
        let DeValue::Array(items) = self.value else {
            return self.is_not("a list", "write it in square brackets").unwrap_or_default();
        };
        let item = |(position, item): (usize, Spanned<DeValue<'i>>)| Self {
            path: format!("{}[{position}]", self.path),
            at: item.span().start,
            value: item.into_inner(),
            problems: self.problems,
        };
        items.into_iter().enumerate().map(item).collect()
    }

    pub(super) fn into_table(self) -> Option<Fields<'p, 'i>> {
        let DeValue::Table(table) = self.value else {
            let instead = format!("write its fields below `[{}]`", self.path);
            return self.is_not("a table", &instead);
        };
        let left = table.into_iter().collect();
        Some(Fields { path: self.path, at: self.at, left, known: Vec::new(), problems: self.problems })
    }

    fn is_not<T>(&self, wanted: &str, instead: &str) -> Option<T> {
        let what = format!("is {}, and not {wanted}", kind(&self.value));
        self.problems.add(self.at, &self.path, what, instead);
        None
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
