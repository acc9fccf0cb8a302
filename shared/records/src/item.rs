//! Typed items: a `#[derive(Deserialize)]` type out of DynamoDB's typed JSON.

use crate::number::{visit_any_number, visit_number, wants_text};
use crate::{AttributeValue, Item};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use std::fmt;

/// Reads an item, or the value of a map attribute, into a type. Where the item is still JSON text,
/// [`read_item`](crate::read_item) does so by the same rules, and several times as fast.
///
/// Strings, binaries, booleans, maps, lists and sets become what serde calls them. A number becomes the integer or float
/// that the type asks for, or a [`Number`], which keeps all 38 digits. `NULL` is the absence of a value.
///
/// # Errors
///
/// When the item does not fit the type. The message names the attribute's type, never its value.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Order { order_id: String, quantity: u32, note: Option<String> }
///
/// let json = r#"{"order_id":{"S":"o-1"},"quantity":{"N":"3"},"note":{"NULL":true}}"#;
/// let item: records::Item = serde_json::from_str(json).unwrap();
/// let order: Order = records::from_item(&item).unwrap();
/// assert_eq!((order.order_id.as_str(), order.quantity, order.note), ("o-1", 3, None));
/// ```
pub fn from_item<'de, T: Deserialize<'de>>(item: &Item) -> Result<T, ItemError> {
    T::deserialize(MapDeserializer::new(item.iter().map(entry)))
}

/// Why an item is not what its type expects.
#[derive(Debug, PartialEq, Eq)]
pub struct ItemError(String);

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ItemError {}

/// What serde's visitor of `&str` expects. An item has nothing to borrow from.
const BORROWED: &str = "a borrowed string";

/// Serde's own messages quote the value that did not fit. A payload must not reach a log, so these do not.
impl de::Error for ItemError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        if expected == BORROWED {
            let told = "the string has an escape, or the item another fault, which a `Cow<str>` would tell";
            return Self(format!("expected a string to borrow for a `&str`, but {told}"));
        }
        Self(format!("expected {expected}, got an attribute of another type"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}, got another value"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("expected one of {expected:?}, got another string"))
    }
}

fn entry((name, value): (&String, &AttributeValue)) -> (String, Value) {
    (name.clone(), Value(value.clone()))
}

/// One attribute on its way into a type.
struct Value(AttributeValue);

impl IntoDeserializer<'_, ItemError> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A number's text is parsed into the kind of number that the type asks for.
macro_rules! deserialize_number {
    ($($method:ident: $number:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ItemError> {
            match &self.0 {
                AttributeValue::N(text) => visit_number::<$number, _, _>(text, visitor),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value {
    type Error = ItemError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ItemError> {
        match self.0 {
            AttributeValue::S(text) => visitor.visit_string(text),
            AttributeValue::N(text) => visit_any_number(&text, visitor),
            AttributeValue::B(bytes) => visitor.visit_byte_buf(bytes),
            AttributeValue::Bool(value) => visitor.visit_bool(value),
            AttributeValue::Null(_) => visitor.visit_unit(),
            AttributeValue::M(item) => visitor.visit_map(MapDeserializer::new(item.iter().map(entry))),
            AttributeValue::L(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Value))),
            AttributeValue::StringSet(set) => visit_set(set, AttributeValue::S, visitor),
            AttributeValue::NumberSet(set) => visit_set(set, AttributeValue::N, visitor),
            AttributeValue::BinarySet(set) => visit_set(set, AttributeValue::B, visitor),
        }
    }

    deserialize_number! {
        deserialize_i8: i8,
        deserialize_i16: i16,
        deserialize_i32: i32,
        deserialize_i64: i64,
        deserialize_i128: i128,
        deserialize_u8: u8,
        deserialize_u16: u16,
        deserialize_u32: u32,
        deserialize_u64: u64,
        deserialize_u128: u128,
        deserialize_f32: f32,
        deserialize_f64: f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ItemError> {
        match self.0 {
            AttributeValue::Null(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ItemError> {
        match self.0 {
            AttributeValue::N(text) if wants_text(name) => visitor.visit_string(text),
            _ if wants_text(name) => Err(ItemError("expected a number, got an attribute of another type".to_owned())),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// An enum is the string that names a variant, or a map with one entry: the variant's name and its content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ItemError> {
        match self.0 {
            AttributeValue::S(variant) => visitor.visit_enum(variant.into_deserializer()),
            AttributeValue::M(item) => {
                visitor.visit_enum(de::value::MapAccessDeserializer::new(MapDeserializer::new(item.iter().map(entry))))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    /// Bytes that happen to be UTF-8 are no string.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ItemError> {
        match self.0 {
            AttributeValue::B(_) => Err(ItemError("expected a string, got an attribute of another type".to_owned())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ItemError> {
        self.deserialize_str(visitor)
    }

    forward_to_deserialize_any! {
        bool char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn visit_set<'de, V: Visitor<'de>, T>(
    set: Vec<T>,
    member: fn(T) -> AttributeValue,
    visitor: V,
) -> Result<V::Value, ItemError> {
    visitor.visit_seq(SeqDeserializer::new(set.into_iter().map(|value| Value(member(value)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Number;
    use serde::de::DeserializeOwned;
    use std::collections::BTreeMap;

    fn read<T: DeserializeOwned>(json: &str) -> Result<T, ItemError> {
        from_item(&serde_json::from_str(json).unwrap())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Channel {
        Web,
        Shop { till: u8 },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Everything {
        text: String,
        float: f64,
        exact: Number,
        flag: bool,
        missing: Option<String>,
        null: Option<String>,
        nested: BTreeMap<String, Vec<i8>>,
        tags: Vec<String>,
        numbers: Vec<u64>,
        web: Channel,
        shop: Channel,
    }

    #[test]
    fn every_attribute_type_finds_its_rust_type() {
        let json = r#"{"text":{"S":"é"},"float":{"N":"1.5"},"exact":{"N":"12345678901234567890123456789012345.678"},
            "flag":{"BOOL":true},"null":{"NULL":true},"nested":{"M":{"a":{"L":[{"N":"1"},{"N":"-2"}]}}},
            "tags":{"SS":["a","b"]},"numbers":{"NS":["1","2"]},"web":{"S":"web"},
            "shop":{"M":{"shop":{"M":{"till":{"N":"4"}}}}},"unknown":{"B":"AQ=="}}"#;
        let read: Everything = read(json).unwrap();
        assert_eq!(read.exact.as_str(), "12345678901234567890123456789012345.678");
        assert_eq!(read.nested["a"], [1, -2]);
        assert_eq!((read.float, read.flag, read.missing, read.null), (1.5, true, None, None));
        assert_eq!((read.tags.len(), read.numbers[1], read.text.as_str()), (2, 2, "é"));
        assert_eq!((read.web, read.shop), (Channel::Web, Channel::Shop { till: 4 }));
    }

    #[test]
    fn errors_say_what_was_expected_and_never_the_value() {
        #[derive(Debug, Deserialize)]
        struct Order {
            #[expect(dead_code, reason = "only the reading is tested")]
            id: String,
            #[expect(dead_code, reason = "only the reading is tested")]
            quantity: u8,
        }
        let error = |json| read::<Order>(json).unwrap_err().to_string();
        assert_eq!(error(r#"{"id":{"S":"secret"}}"#), "missing field `quantity`");
        for bad in [
            r#"{"id":{"S":"a"},"quantity":{"S":"secret"}}"#,
            r#"{"id":{"S":"a"},"quantity":{"N":"31415"}}"#,
            r#"{"id":{"N":"31415"},"quantity":{"N":"1"}}"#,
            r#"{"id":{"B":"c2VjcmV0"},"quantity":{"N":"1"}}"#,
        ] {
            let message = error(bad);
            assert!(message.starts_with("expected"), "{message}");
            assert!(!message.contains("secret") && !message.contains("31415"), "{message}");
        }
    }
}
