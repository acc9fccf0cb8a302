//! One JSON object of a message, and where it stands. Its values stay text until somebody asks for one, so that a payload
//! of megabytes is skipped and not built, and nesting costs no stack.

use super::MessageError;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An object, and the JSON path that leads to it.
pub(super) struct Object<'a> {
    pub(super) path: String,
    pub(super) fields: Fields<'a>,
}

impl<'a> Object<'a> {
    /// Parses the text found at `path`.
    pub(super) fn parse(json: &'a str, path: impl Into<String>) -> Result<Self, MessageError> {
        let path = path.into();
        match serde_json::from_str(json) {
            Ok(fields) => Ok(Self { path, fields }),
            Err(error) => Err(MessageError::malformed(&path, json, &error)),
        }
    }

    /// The value of a field; `None` where it is absent or null. A field that stands twice says two things, which is worse
    /// than nothing: readers differ in which of them they believe.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&'a RawValue>, MessageError> {
        match (self.fields.last(name), self.fields.count(name)) {
            (_, 2..) => Err(self.error(name, "one value", "several")),
            (value, _) => Ok(value.filter(|value| value.get() != "null")),
        }
    }

    /// The value of a field that has to be there.
    pub(super) fn required(&self, name: &str, expected: &'static str) -> Result<&'a RawValue, MessageError> {
        let got = if self.fields.last(name).is_some() { "null" } else { "none" };
        self.optional(name)?.ok_or_else(|| self.error(name, expected, got))
    }

    /// The object in a field that has to be there.
    pub(super) fn object(&self, name: &str) -> Result<Self, MessageError> {
        let value = self.required(name, "an object")?;
        Self::parse(value.get(), self.path_to(name))
    }

    /// The string in a field that has to be there, as `parse` reads it.
    pub(super) fn parsed<T, E>(
        &self,
        name: &str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, MessageError> {
        let value = self.required(name, expected)?;
        let text = string(value).ok_or_else(|| self.error(name, expected, type_name(value.get())))?;
        parse(&text).map_err(|_| self.error(name, expected, "another string"))
    }

    /// The whole number in a field that has to be there, when it lies within `bounds`.
    pub(super) fn number(
        &self,
        name: &str,
        expected: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, MessageError> {
        let value = self.required(name, expected)?;
        let got = || match type_name(value.get()) {
            "a number" => "another number",
            other => other,
        };
        number(value).filter(|number| bounds.contains(number)).ok_or_else(|| self.error(name, expected, got()))
    }

    /// The string in a field that nothing depends on: anything else is as good as absent.
    pub(super) fn any_string(&self, name: &str) -> Option<Cow<'a, str>> {
        self.fields.last(name).and_then(string)
    }

    /// The whole number in a field that nothing depends on: anything else is as good as absent.
    pub(super) fn any_number(&self, name: &str) -> Option<u64> {
        self.fields.last(name).and_then(number)
    }

    /// The object in a field that nothing depends on: anything else is as good as absent.
    pub(super) fn any_object(&self, name: &str) -> Option<Self> {
        self.fields.last(name).and_then(|value| Self::parse(value.get(), self.path_to(name)).ok())
    }

    pub(super) fn path_to(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    pub(super) fn error(&self, name: &str, expected: &'static str, got: &str) -> MessageError {
        MessageError::new(self.path_to(name), expected, got)
    }
}

/// The fields of an object in their order; written again, each value is the same to the byte.
pub(super) struct Fields<'a>(Vec<(Text<'a>, &'a RawValue)>);

/// A string that is copied only where it holds escapes.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Fields<'a> {
    pub(super) fn last(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(known, _)| known.0 == name).map(|(_, value)| *value)
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(known, _)| known.0 == name).count()
    }

    /// The fields without the one of this name.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known.0 != name);
        self
    }

    /// The fields with another value for this name: in its place, or at the end where there was none.
    pub(super) fn with(mut self, name: &'a str, value: &'a RawValue) -> Self {
        match self.0.iter_mut().find(|(known, _)| known.0 == name) {
            Some((_, place)) => *place = value,
            None => self.0.push((Text(Cow::Borrowed(name)), value)),
        }
        self
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The string that a value is.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(value.get()).ok().map(|Text(text)| text)
}

fn number(value: &RawValue) -> Option<u64> {
    serde_json::from_str(value.get()).ok()
}

/// What kind of value a text is, by its first character: JSON's grammar needs no more.
pub(super) fn type_name(json: &str) -> &'static str {
    match json.trim_start().bytes().next() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        _ => "a number",
    }
}
