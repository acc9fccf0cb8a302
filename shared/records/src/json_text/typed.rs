//! Types out of JSON text: a serde reader that knows one way to write everything, and refuses every other.
//!
//! It takes what serde_json takes and reads the same, or refuses; the tests hold it to that. Types may swallow an error and
//! go on, so any refusal ends the text for good ([`JsonText::settle`]).

use super::{JsonText, Refused};
use crate::number::{NUMBER, TEXT};
use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use std::borrow::Cow;

/// How deep a value may nest: less than serde_json's 127 levels.
const LEVELS: u8 = 100;

/// Reads JSON into a type, borrowing strings where the type asks for it; `None` where there is any doubt, and serde_json has
/// to be asked.
///
/// ```
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct Order<'a> { id: &'a str, quantity: u32 }
///
/// let order: Option<Order<'_>> = records::read_json(r#"{"id":"a","quantity":3,"more":[null]}"#);
/// assert_eq!(order, Some(Order { id: "a", quantity: 3 }));
/// assert_eq!(records::read_json::<Order<'_>>(r#"{"id":"a"}"#), None);
/// ```
#[must_use]
pub fn read_json<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    let mut text = JsonText::new(json, LEVELS);
    let value = T::deserialize(&mut text).ok()?;
    text.end().ok()?;
    Some(value)
}

/// Names of newtypes by which serde_json's own types ask for the text of a value.
const SERDE_JSONS_OWN: &str = "$serde_json::private::";

impl<'de> JsonText<'de> {
    fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn visit_boolean<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_bool(self.boolean()?)
    }

    fn visit_null<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.peek();
        self.skip_null()?;
        visitor.visit_unit()
    }

    /// The text of a number.
    fn number_text(&mut self) -> Result<&'de str, Refused> {
        self.peek();
        let start = self.at;
        self.skip_number()?;
        self.json.get(start..self.at).ok_or(Refused)
    }

    /// An integer is one as long as it fits into 64 bits, as serde_json has it. `-0` is none: it has a sign.
    fn visit_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        let text = self.number_text()?;
        if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            return visitor.visit_f64(number.ok_or(Refused)?);
        }
        match text.strip_prefix('-') {
            None => visitor.visit_u64(text.parse().map_err(|_| Refused)?),
            Some("0") => Err(Refused),
            Some(_) => visitor.visit_i64(text.parse().map_err(|_| Refused)?),
        }
    }

    fn visit_seq<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.nested([b'[', b']'], |text| visitor.visit_seq(Elements { text, first: true }))
    }

    fn visit_map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.nested([b'{', b'}'], |text| visitor.visit_map(Elements { text, first: true }))
    }

    fn visit_any<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.peek() {
            Some(b'"') => self.visit_string(visitor),
            Some(b'{') => self.visit_map(visitor),
            Some(b'[') => self.visit_seq(visitor),
            Some(b'-' | b'0'..=b'9') => self.visit_number(visitor),
            Some(b'n') => self.visit_null(visitor),
            _ => self.visit_boolean(visitor),
        }
    }

    fn visit_newtype<V: Visitor<'de>>(&mut self, name: &str, visitor: V) -> Result<V::Value, Refused> {
        if name == TEXT {
            return visitor.visit_borrowed_str(self.number_text()?);
        }
        if name == NUMBER || name.starts_with(SERDE_JSONS_OWN) {
            return Err(Refused);
        }
        visitor.visit_newtype_struct(self)
    }

    fn visit_enum<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        if self.peek() == Some(b'"') {
            return visitor.visit_enum(self.string()?.into_deserializer());
        }
        self.nested([b'{', b'}'], |text| visitor.visit_enum(Variant { text }))
    }
}

/// Methods that read one kind of value, and end the text when it is another.
macro_rules! settled {
    ($($method:ident => $visit:ident,)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            let result = self.$visit(visitor);
            self.settle(result)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut JsonText<'de> {
    type Error = Refused;

    settled! {
        deserialize_any => visit_any,
        deserialize_bool => visit_boolean,
        deserialize_i8 => visit_number,
        deserialize_i16 => visit_number,
        deserialize_i32 => visit_number,
        deserialize_i64 => visit_number,
        deserialize_u8 => visit_number,
        deserialize_u16 => visit_number,
        deserialize_u32 => visit_number,
        deserialize_u64 => visit_number,
        deserialize_f64 => visit_number,
        deserialize_char => visit_string,
        deserialize_str => visit_string,
        deserialize_string => visit_string,
        deserialize_identifier => visit_string,
        deserialize_unit => visit_null,
        deserialize_seq => visit_seq,
        deserialize_map => visit_map,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let result = match self.peek() {
            Some(b'n') => self.skip_null().and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(&mut *self),
        };
        self.settle(result)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        let result = self.visit_newtype(name, visitor);
        self.settle(result)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_seq(visitor)
    }

    /// By name only: a struct that is written as an array is read carefully.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let result = self.visit_enum(visitor);
        self.settle(result)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let result = self.skip_value().and_then(|()| visitor.visit_unit());
        self.settle(result)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let number = self.number_text().and_then(|text| text.parse().map_err(|_| Refused));
        let result = number.and_then(|number| visitor.visit_i128(number));
        self.settle(result)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let number = self.number_text().and_then(|text| text.parse().map_err(|_| Refused));
        let result = number.and_then(|number| visitor.visit_u128(number));
        self.settle(result)
    }

    /// By way of a double it would be rounded twice: serde_json knows better.
    fn deserialize_f32<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        self.settle(Err(Refused))
    }

    /// JSON has no bytes, and there is more than one way to write them.
    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        self.settle(Err(Refused))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        self.settle(Err(Refused))
    }
}

/// What is between the brackets of an array or an object.
struct Elements<'t, 'de> {
    text: &'t mut JsonText<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Refused;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        let another = self.text.another(b']', &mut self.first);
        if self.text.settle(another)? { seed.deserialize(&mut *self.text).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Refused;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let another = self.text.another(b'}', &mut self.first);
        if !self.text.settle(another)? {
            return Ok(None);
        }
        let key = self.text.string();
        let key = match self.text.settle(key)? {
            Cow::Borrowed(key) => seed.deserialize(Key(BorrowedStrDeserializer::new(key))),
            Cow::Owned(key) => seed.deserialize(Key(StringDeserializer::new(key))),
        };
        self.text.settle(key).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        let colon = self.text.take(b':');
        self.text.settle(colon)?;
        seed.deserialize(&mut *self.text)
    }
}

/// A key is a string: serde_json has more to say of one that a type wants as something else.
struct Key<D>(D);

impl<'de, D: Deserializer<'de, Error = Refused>> Deserializer<'de> for Key<D> {
    type Error = Refused;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.0.deserialize_str(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn deserialize_option<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// An enum's variant with its content, `{"Name":content}`.
struct Variant<'t, 'de> {
    text: &'t mut JsonText<'de>,
}

impl<'t, 'de> EnumAccess<'de> for Variant<'t, 'de> {
    type Error = Refused;
    type Variant = Content<'t, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'t, 'de>), Refused> {
        let name = seed.deserialize(&mut *self.text)?;
        let colon = self.text.take(b':');
        self.text.settle(colon)?;
        Ok((name, Content { text: self.text }))
    }
}

struct Content<'t, 'de> {
    text: &'t mut JsonText<'de>,
}

impl<'de> VariantAccess<'de> for Content<'_, 'de> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        Deserialize::deserialize(self.text)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refused> {
        seed.deserialize(self.text)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        self.text.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Refused> {
        self.text.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
        note: Option<String>,
        quantity: u8,
        #[serde(default)]
        lines: Vec<Line>,
        #[serde(default, deserialize_with = "swallowed")]
        lenient: Option<i64>,
        #[serde(default)]
        channel: Option<Channel>,
        #[serde(default)]
        tagged: Option<Tagged>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line(String, i16);

    #[derive(Debug, PartialEq, Deserialize)]
    enum Channel {
        Web,
        Shop { till: u8 },
        Many(Vec<bool>),
        Pair(char, ()),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        A { n: i64 },
        B,
    }

    /// A type that swallows what is wrong.
    fn swallowed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        Ok(i64::deserialize(deserializer).ok())
    }

    /// What is taken, the judge takes as well, and reads the same.
    fn check<'a, T: Deserialize<'a> + PartialEq + Debug>(json: &'a str) -> Result<bool, TestCaseError> {
        let Some(quick) = read_json::<T>(json) else { return Ok(false) };
        let judged = serde_json::from_str::<T>(json);
        prop_assert!(judged.as_ref().is_ok_and(|judged| *judged == quick), "{json}: {quick:?} / {judged:?}");
        Ok(true)
    }

    #[test]
    fn every_kind_of_value_finds_its_type() {
        let json = r#"{"id":"a","note":null,"quantity":3,"lines":[["x",-5],["\u00e9\n",7]],"lenient":1,"unknown":{"a":[1.5e3]},
            "channel":{"Shop":{"till":4}},"tagged":{"kind":"A","n":-1}}"#;
        let order = read_json::<Order<'_>>(json).unwrap();
        assert!(matches!(order.id, Cow::Borrowed("a")));
        assert_eq!(order.lines, [Line("x".to_owned(), -5), Line("é\n".to_owned(), 7)]);
        assert_eq!((order.channel, order.tagged), (Some(Channel::Shop { till: 4 }), Some(Tagged::A { n: -1 })));
        for channel in [r#""Web""#, r#"{"Web":null}"#, r#"{"Many":[true,false]}"#, r#"{"Pair":["x",null]}"#] {
            assert!(check::<Channel>(channel).unwrap(), "{channel}");
        }
        assert_eq!(read_json::<u128>("340282366920938463463374607431768211455"), Some(u128::MAX));
        assert_eq!(read_json::<(f64, bool)>(" [ 1 , true ] "), Some((1.0, true)));
        assert_eq!(read_json::<BTreeMap<String, i8>>(r#"{"a":-1,"b":2}"#).unwrap().len(), 2);
    }

    #[test]
    fn what_there_is_a_doubt_about_is_refused() {
        for json in ["-0", "18446744073709551616", "-9223372036854775809", "1e999", "[1,2]x", "", "[1,]", "\"\u{1}\""] {
            assert_eq!(read_json::<Value>(json), None, "{json}");
        }
        assert_eq!(read_json::<f32>("1.5"), None);
        assert_eq!(read_json::<Line>(r#"["x",1,2]"#), None);
        assert_eq!(read_json::<BTreeMap<u8, u8>>(r#"{"1":1}"#), None);
        assert!(read_json::<&serde_json::value::RawValue>("1").is_none());
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read_json::<Value>(&nested(100)).is_some() && read_json::<Value>(&nested(101)).is_none());
        assert!(read_json::<serde::de::IgnoredAny>(&nested(1_000_000)).is_none());
    }

    #[test]
    fn what_a_type_swallows_does_not_let_it_read_on() {
        let order = |lenient: &str| format!(r#"{{"id":"a","note":null,"quantity":1,"lenient":{lenient}}}"#);
        assert!(check::<Order<'_>>(&order("5")).unwrap());
        for lenient in ["", "{,}", "[1,", "\"x\"", "nul", "1.5", "\"\\x\"", "{\"id\":1"] {
            assert!(!check::<Order<'_>>(&order(lenient)).unwrap(), "{lenient}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1000..1000_i32).prop_map(|n| Value::from(f64::from(n) / 8.0)),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..5).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    fn broken(json: &str, at: prop::sample::Index, length: usize, with: &str) -> String {
        let mut chars: Vec<char> = json.chars().collect();
        let at = at.index(chars.len().max(1)).min(chars.len());
        let end = (at + length).min(chars.len());
        chars.splice(at..end, with.chars());
        chars.into_iter().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn nothing_is_taken_that_the_judge_refuses_and_all_is_read_the_same(
            value in json(), id in ".{0,6}", quantity in 0..300_u16,
            at: prop::sample::Index, length in 0..5_usize, with in r#"[\[\]{}:,"\\a-fnrtu0-9.\- \x00-\x1f]{0,3}"#,
        ) {
            let text = value.to_string();
            prop_assert!(check::<Value>(&text)?, "what serde_json writes is taken: {text}");
            prop_assert!(check::<Value>(&serde_json::to_string_pretty(&value).unwrap())?);
            let order = serde_json::json!({
                "id": id, "note": null, "quantity": quantity, "lines": [["a", 1]], "lenient": 5, "more": value,
                "channel": {"Shop": {"till": 1}}, "tagged": {"n": 1, "kind": "A"},
            }).to_string();
            prop_assert_eq!(check::<Order<'_>>(&order)?, quantity < 256);
            check::<Value>(&broken(&text, at, length, &with))?;
            check::<Order<'_>>(&broken(&order, at, length, &with))?;
        }
    }
}
