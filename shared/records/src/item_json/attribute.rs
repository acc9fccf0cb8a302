//! From the tokens of an item's text to the calls that serde's visitors expect, by the rules of `from_item`.

use super::tag::Tag;
use crate::json_text::{JsonText, Refused};
use crate::number::{Numeric, visit_any_number, visit_number, wants_text};
use base64_simd::STANDARD;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use std::borrow::Cow;

const BRACES: [u8; 2] = *b"{}";
const BRACKETS: [u8; 2] = *b"[]";

/// The item itself: an object of attributes by name.
pub(super) struct Root<'t, 'de>(pub(super) &'t mut JsonText<'de>);

impl<'de> Deserializer<'de> for Root<'_, 'de> {
    type Error = Refused;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let read = self.0.between(BRACES, |text| visitor.visit_map(Elements { text, first: true }));
        self.0.settle(read)
    }

    /// To `from_item` an item is also a sequence of its entries, which is left to it.
    fn deserialize_seq<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refused> {
        self.0.settle(Err(Refused))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_seq(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct tuple_struct map struct enum identifier ignored_any
    }
}

/// The attributes of an object or of a list.
struct Elements<'t, 'de> {
    text: &'t mut JsonText<'de>,
    first: bool,
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Refused;

    /// The name of an attribute is a string, whatever the type asks for.
    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let key = match self.text.another(b'}', &mut self.first) {
            Ok(true) => self.text.string().and_then(|name| match name {
                Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
                Cow::Owned(name) => seed.deserialize(name.into_deserializer()).map(Some),
            }),
            Ok(false) => Ok(None),
            Err(refused) => Err(refused),
        };
        self.text.settle(key)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        let value = self.text.take(b':').and_then(|()| seed.deserialize(Attribute(self.text)));
        self.text.settle(value)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Refused;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        let element = match self.text.another(b']', &mut self.first) {
            Ok(true) => seed.deserialize(Attribute(self.text)).map(Some),
            Ok(false) => Ok(None),
            Err(refused) => Err(refused),
        };
        self.text.settle(element)
    }
}

/// The members of a set, which share their tag.
struct Members<'t, 'de> {
    text: &'t mut JsonText<'de>,
    first: bool,
    tag: Tag,
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        let member = match self.text.another(b']', &mut self.first) {
            Ok(true) => seed.deserialize(Tagged { text: self.text, tag: self.tag }).map(Some),
            Ok(false) => Ok(None),
            Err(refused) => Err(refused),
        };
        self.text.settle(member)
    }
}

/// An attribute of which nothing is read yet: `{"S":"text"}`, an object with one entry.
struct Attribute<'t, 'de>(&'t mut JsonText<'de>);

impl<'de> Attribute<'_, 'de> {
    #[inline]
    fn open<T>(self, read: impl FnOnce(Tagged<'_, 'de>) -> Result<T, Refused>) -> Result<T, Refused> {
        let opened = self.0.tag().and_then(|tag| {
            let value = read(Tagged { text: self.0, tag })?;
            self.0.take(b'}')?;
            Ok(value)
        });
        self.0.settle(opened)
    }
}

/// Reads the tag and the content, for each of serde's questions.
macro_rules! open {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.open(|tagged| tagged.$method(visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Attribute<'_, 'de> {
    type Error = Refused;

    open! {
        deserialize_any deserialize_str deserialize_string deserialize_option
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        self.open(|tagged| tagged.deserialize_newtype_struct(name, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.open(|tagged| tagged.deserialize_enum(name, variants, visitor))
    }

    forward_to_deserialize_any! {
        bool char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// An attribute of which the tag is read, or a member of a set.
struct Tagged<'t, 'de> {
    text: &'t mut JsonText<'de>,
    tag: Tag,
}

impl<'de> Tagged<'_, 'de> {
    #[inline]
    fn number<N: Numeric, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.tag != Tag::Number {
            return self.deserialize_any(visitor);
        }
        let number = self.text.string().and_then(|digits| visit_number::<N, V, _>(&digits, visitor));
        self.text.settle(number)
    }

    fn content<V: Visitor<'de>>(text: &mut JsonText<'de>, tag: Tag, visitor: V) -> Result<V::Value, Refused> {
        match tag {
            Tag::String => visit_string(text.string()?, visitor),
            Tag::Number => visit_any_number(&text.string()?, visitor),
            Tag::Binary => {
                let base64 = text.string()?;
                visitor.visit_byte_buf(STANDARD.decode_to_vec(base64.as_bytes()).map_err(|_| Refused)?)
            }
            Tag::Bool => visitor.visit_bool(text.boolean()?),
            Tag::Null => text.boolean().and_then(|_| visitor.visit_unit()),
            Tag::Map => text.nested(BRACES, |text| visitor.visit_map(Elements { text, first: true })),
            Tag::List => text.nested(BRACKETS, |text| visitor.visit_seq(Elements { text, first: true })),
            Tag::StringSet => members(text, Tag::String, visitor),
            Tag::NumberSet => members(text, Tag::Number, visitor),
            Tag::BinarySet => members(text, Tag::Binary, visitor),
        }
    }
}

fn members<'de, V: Visitor<'de>>(text: &mut JsonText<'de>, tag: Tag, visitor: V) -> Result<V::Value, Refused> {
    text.between(BRACKETS, |text| visitor.visit_seq(Members { text, first: true, tag }))
}

#[inline]
fn visit_string<'de, V: Visitor<'de>>(string: Cow<'de, str>, visitor: V) -> Result<V::Value, Refused> {
    match string {
        Cow::Borrowed(string) => visitor.visit_borrowed_str(string),
        Cow::Owned(string) => visitor.visit_string(string),
    }
}

macro_rules! deserialize_number {
    ($($method:ident: $number:ty,)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.number::<$number, V>(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Tagged<'_, 'de> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let content = Self::content(self.text, self.tag, visitor);
        self.text.settle(content)
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

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let string = match self.tag {
            Tag::String => self.text.string().and_then(|string| visit_string(string, visitor)),
            // Bytes that happen to be UTF-8 are no string.
            Tag::Binary => Err(Refused),
            _ => return self.deserialize_any(visitor),
        };
        self.text.settle(string)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.tag != Tag::Null {
            return visitor.visit_some(self);
        }
        let none = self.text.boolean().and_then(|_| visitor.visit_none());
        self.text.settle(none)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        if !wants_text(name) {
            return visitor.visit_newtype_struct(self);
        }
        let number = match self.tag {
            Tag::Number => self.text.string().and_then(|digits| visitor.visit_str(&digits)),
            _ => Err(Refused),
        };
        self.text.settle(number)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let variant = match self.tag {
            Tag::String => self.text.string().and_then(|name| match name {
                Cow::Borrowed(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
                Cow::Owned(name) => visitor.visit_enum(name.into_deserializer()),
            }),
            Tag::Map => self
                .text
                .nested(BRACES, |text| visitor.visit_enum(MapAccessDeserializer::new(Elements { text, first: true }))),
            _ => return self.deserialize_any(visitor),
        };
        self.text.settle(variant)
    }

    forward_to_deserialize_any! {
        bool char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
