//! A TOML table whose fields are taken one by one. Fields that are left at the end are unknown.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::problems::Problems;
use crate::InvalidValue;

/// A table of the document.
pub(super) struct Fields<'p, 'i> {
    path: String,
    at: usize,
    left: Vec<(Spanned<DeString<'i>>, Spanned<DeValue<'i>>)>,
    /// The fields that the parser accepts, with their positions if they are present.
    known: Vec<(&'static str, Option<usize>)>,
    problems: &'p Problems<'i>,
}

/// The positions of a table and its fields, for problems that are found later.
pub(super) struct Places<'p, 'i> {
    path: String,
    at: usize,
    fields: Vec<(&'static str, Option<usize>)>,
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

    /// Takes the value of a field. The field then counts as known.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value<'p, 'i>> {
        let position = self.left.iter().position(|(key, _)| key.get_ref() == name);
        let value = position.map(|position| self.left.swap_remove(position).1);
        self.known.push((name, value.as_ref().map(|value| value.span().start)));
        let value = value?;
        let (at, path) = (value.span().start, path_of(&self.path, name));
        Some(Value { path, at, value: value.into_inner(), problems: self.problems })
    }

    /// The table in a field; empty if the field is missing or not a table.
    pub(super) fn table(&mut self, name: &'static str) -> Self {
        let empty = Self { path: name.into(), at: 0, left: Vec::new(), known: Vec::new(), problems: self.problems };
        self.take(name).and_then(Value::into_table).unwrap_or(empty)
    }

    /// The items of the list in a field; none if the field is missing or not a list.
    pub(super) fn list(&mut self, name: &'static str) -> Vec<Value<'p, 'i>> {
        self.take(name).map(Value::into_list).unwrap_or_default()
    }

    /// Parses the text in a field.
    pub(super) fn parse<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        self.take(name)?.parse(parse)
    }

    /// Parses a field that is required.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        instead: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        let value = self.take(name);
        if value.is_none() {
            self.problem(name, None, "is missing", instead);
        }
        value?.parse(parse)
    }

    /// The number in a field, if it is within the range.
    pub(super) fn number(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        self.take(name)?.number(least, most)
    }

    /// Reports a problem with a field. If the field is missing, the position is the table's.
    pub(super) fn problem(&self, name: &str, at: Option<usize>, what: &str, instead: &str) {
        self.problems.add(at.unwrap_or(self.at), &path_of(&self.path, name), what, instead);
    }

    /// Reports each unknown field.
    pub(super) fn finish(self) -> Places<'p, 'i> {
        for (key, _) in &self.left {
            let name = key.get_ref();
            let instead = format!("choose among {}", listed(&self.known));
            self.problems.add(key.span().start, &path_of(&self.path, name), "is not a field of the policy", instead);
        }
        Places { path: self.path, at: self.at, fields: self.known, problems: self.problems }
    }
}

impl Places<'_, '_> {
    /// Reports a problem with a field, or with its absence.
    pub(super) fn problem(&self, name: &str, what: &str, instead: &str) {
        let at = self.fields.iter().find(|(field, _)| *field == name).and_then(|(_, at)| *at);
        self.problems.add(at.unwrap_or(self.at), &path_of(&self.path, name), what, instead);
    }
}

impl<'p, 'i> Value<'p, 'i> {
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Parses the text.
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

    /// Reports a doubt about a text: it is valid, but probably not meant.
    pub(super) fn doubt(&self, doubt: impl FnOnce(&str) -> Option<InvalidValue>) {
        if let DeValue::String(text) = &self.value
            && let Some(InvalidValue { what, instead }) = doubt(text)
        {
            self.problems.doubt(self.at, &self.path, what, instead);
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

fn path_of(table: &str, field: &str) -> String {
    if table.is_empty() { field.to_owned() } else { format!("{table}.{field}") }
}

fn listed(fields: &[(&str, Option<usize>)]) -> String {
    fields.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
