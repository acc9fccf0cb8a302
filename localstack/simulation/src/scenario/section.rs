//! A table of a TOML text, taken apart key by key, so that each complaint has a line and each key is known.

use super::error::ScenarioError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place.
#[derive(Debug)]
pub(super) struct Item<'t> {
    pub text: &'t str,
    /// The names around it, joined by dots.
    pub path: String,
    pub offset: usize,
    value: DeValue<'t>,
}

/// The keys of a table that nobody has asked for yet.
#[derive(Debug)]
pub(super) struct Section<'t> {
    text: &'t str,
    pub path: String,
    pub offset: usize,
    items: BTreeMap<String, Item<'t>>,
    asked: Vec<&'static str>,
}

type Result<T> = std::result::Result<T, ScenarioError>;

impl<'t> Section<'t> {
    /// The whole text.
    pub fn parse(text: &'t str) -> Result<Self> {
        match DeTable::parse(text) {
            Ok(table) => Ok(Self::of(text, String::new(), 0, table.into_inner())),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                Err(ScenarioError::at(text, offset, format!("expected TOML: {}", error.message())))
            }
        }
    }

    fn of(text: &'t str, path: String, offset: usize, table: DeTable<'t>) -> Self {
        let named = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let items = table.into_iter().map(|(key, value)| {
            let offset = key.span().start;
            let key = key.into_inner().into_owned();
            let item = Item { text, path: named(&key), offset, value: value.into_inner() };
            (key, item)
        });
        Self { text, items: items.collect(), path, offset, asked: Vec::new() }
    }

    /// Takes a key, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<Item<'t>> {
        self.asked.push(key);
        self.items.remove(key)
    }

    /// Takes a table, or an empty one.
    pub fn section(&mut self, key: &'static str) -> Result<Section<'t>> {
        let offset = self.offset;
        match self.take(key) {
            Some(item) => item.section(),
            None => Ok(Self::of(self.text, key.to_owned(), offset, DeTable::new())),
        }
    }

    /// Takes an array of tables, or none.
    pub fn sections(&mut self, key: &'static str) -> Result<Vec<Section<'t>>> {
        self.take(key).map_or(Ok(Vec::new()), Item::sections)
    }

    /// Takes an integer in a range, or the default.
    pub fn integer(&mut self, key: &'static str, range: RangeInclusive<i64>, default: i64) -> Result<i64> {
        self.take(key).map_or(Ok(default), |item| item.integer(range))
    }

    /// Takes a key that must be there.
    pub fn required(&mut self, key: &'static str) -> Result<Item<'t>> {
        let missing = format!("{}.{key} is missing", self.path);
        self.take(key).ok_or_else(|| ScenarioError::at(self.text, self.offset, missing))
    }

    /// All that is left, as JSON.
    pub fn rest(self) -> Vec<(String, usize, Value)> {
        self.items.into_iter().map(|(key, item)| (key, item.offset, json(item.value))).collect()
    }

    /// Refuses what nobody asked for.
    pub fn finish(self) -> Result<()> {
        match self.items.into_iter().min_by_key(|(_, item)| item.offset) {
            Some((_, item)) => {
                let known = self.asked.join(", ");
                Err(item.error(format_args!("is not known; known here: {known}")))
            }
            None => Ok(()),
        }
    }
}

impl<'t> Item<'t> {
    /// An error about this value.
    pub fn error(&self, what: impl std::fmt::Display) -> ScenarioError {
        ScenarioError::at(self.text, self.offset, format!("{} {what}", self.path))
    }

    fn refused(&self, expected: impl std::fmt::Display) -> ScenarioError {
        self.error(format_args!("must be {expected}, got {}", json(self.value.clone())))
    }

    pub fn integer(&self, range: RangeInclusive<i64>) -> Result<i64> {
        let number = self.as_integer().filter(|number| range.contains(number));
        number.ok_or_else(|| self.refused(format_args!("{} to {}", range.start(), range.end())))
    }

    fn as_integer(&self) -> Option<i64> {
        match &self.value {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    pub fn boolean(&self) -> Result<bool> {
        match &self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.refused("true or false")),
        }
    }

    pub fn is_boolean(&self) -> bool {
        matches!(self.value, DeValue::Boolean(_))
    }

    pub fn is_text(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    pub fn text(&self) -> Result<String> {
        match &self.value {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.refused("a text")),
        }
    }

    /// One of some words.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let found = match &self.value {
            DeValue::String(text) => words.iter().find(|(word, _)| *word == text.as_ref()),
            _ => None,
        };
        let names = || words.iter().map(|(word, _)| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        found.map(|(_, value)| *value).ok_or_else(|| self.refused(names()))
    }

    /// Integers in a range, as many as are asked for.
    pub fn integers<const N: usize>(&self, range: RangeInclusive<i64>) -> Result<[i64; N]> {
        let expected = || format!("{N} integers of {} to {}", range.start(), range.end());
        let DeValue::Array(array) = &self.value else { return Err(self.refused(expected())) };
        let integer = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let numbers: Option<Vec<i64>> =
            array.iter().map(|value| integer(value).filter(|n| range.contains(n))).collect();
        numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| self.refused(expected()))
    }

    fn section(self) -> Result<Section<'t>> {
        match self.value {
            DeValue::Table(table) => Ok(Section::of(self.text, self.path, self.offset, table)),
            _ => Err(self.refused(format_args!("a table: [{}]", self.path))),
        }
    }

    fn sections(self) -> Result<Vec<Section<'t>>> {
        let expected = || format!("tables: [[{}]]", self.path);
        let DeValue::Array(array) = &self.value else { return Err(self.refused(expected())) };
        let table = |value: Spanned<DeValue<'t>>| {
            let offset = value.span().start;
            match value.into_inner() {
                DeValue::Table(table) => Ok(Section::of(self.text, self.path.clone(), offset, table)),
                _ => Err(self.refused(expected())),
            }
        };
        array.clone().into_iter().map(table).collect()
    }
}

/// A value as JSON; a date becomes its text.
fn json(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| number.as_str().into(), Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or_else(|_| number.as_str().into(), Value::from),
        DeValue::Boolean(value) => value.into(),
        DeValue::Datetime(moment) => moment.to_string().into(),
        DeValue::Array(array) => array.into_iter().map(|value| json(value.into_inner())).collect(),
        DeValue::Table(table) => {
            let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
                let key: std::borrow::Cow<'_, str> = key.into_inner();
                (key.into_owned(), json(value.into_inner()))
            };
            Value::Object(table.into_iter().map(entry).collect())
        }
    }
}
