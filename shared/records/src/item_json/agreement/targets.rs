//! Types to read items into: one for every question that serde can ask.

#![expect(dead_code, reason = "what is read is compared by its debug text")]

use crate::Number;
use crate::number::exact;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One field of every kind.
#[derive(Debug, Deserialize)]
pub(super) struct Everything {
    pub(super) text: String,
    pub(super) name: Name,
    letter: char,
    small: i8,
    large: u128,
    float: f64,
    single: f32,
    number: Number,
    #[serde(deserialize_with = "exact")]
    exact: Digits,
    flag: bool,
    absent: Option<String>,
    present: Option<String>,
    nothing: (),
    bytes: Bytes,
    pair: (i8, String),
    nested: BTreeMap<String, Vec<i8>>,
    lines: Vec<Line>,
    tags: BTreeSet<String>,
    numbers: Vec<u64>,
    blobs: Vec<Bytes>,
    channel: Channel,
    anything: Anything,
    missing: Option<u8>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Name(pub(super) String);

#[derive(Debug, Deserialize)]
struct Line {
    sku: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Channel {
    Web,
    Shop { till: u8 },
    Phone(String),
    Post(i8, i8),
}

/// Two fields of [`Everything`], borrowed from the text where they can be.
#[derive(Debug, Deserialize)]
pub(super) struct Borrowing<'a> {
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
}

/// The text of a number.
#[derive(Debug)]
struct Digits(String);

impl std::str::FromStr for Digits {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(Self(text.to_owned()))
    }
}

/// What serde keeps aside and reads later, for it does not know yet what it will be.
#[derive(Debug, Deserialize)]
pub(super) struct Shapes {
    channel: Option<Sum>,
    #[serde(flatten)]
    others: BTreeMap<String, Sum>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Sum {
    Null(()),
    Flag(bool),
    Small(u8),
    Float(f64),
    Shop(Channel),
    Text(String),
    Bytes(Bytes),
    Pair(i8, String),
    List(Vec<Sum>),
    Map(BTreeMap<String, Sum>),
}

/// Fields that are left out when they are something else.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Lenient {
    a: OrNothing<Vec<u8>>,
    b: Option<OrNothing<Option<(i8, String)>>>,
    text: OrNothing<char>,
    float: Option<OrNothing<u16>>,
    exact: Option<OrNothing<Number>>,
    present: Option<OrNothing<String>>,
    pair: OrNothing<(String, i8)>,
    nested: OrNothing<BTreeMap<String, Vec<OrNothing<u8>>>>,
    lines: OrNothing<Vec<Line>>,
    tags: OrNothing<Vec<OrNothing<u8>>>,
    numbers: Vec<OrNothing<u8>>,
    bytes: OrNothing<String>,
    channel: Option<OrNothing<Channel>>,
    anything: OrNothing<BTreeMap<String, Vec<OrNothing<Name>>>>,
}

#[derive(Debug)]
struct OrNothing<T>(Option<T>);

impl<T> Default for OrNothing<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrNothing<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(deserializer).ok()))
    }
}

/// As much of a value as can be read, and no error whatever happens.
#[derive(Debug, Default)]
pub(super) struct Stubborn(Vec<(String, Stubborn)>);

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(deserializer.deserialize_option(StubbornVisitor).unwrap_or_default())
    }
}

struct StubbornVisitor;

impl<'de> Visitor<'de> for StubbornVisitor {
    type Value = Stubborn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_none<E>(self) -> Result<Stubborn, E> {
        Ok(Stubborn::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Stubborn, D::Error> {
        Ok(deserializer.deserialize_any(Self).unwrap_or_default())
    }

    fn visit_str<E>(self, value: &str) -> Result<Stubborn, E> {
        Ok(Stubborn(vec![(value.to_owned(), Stubborn::default())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Stubborn, A::Error> {
        let mut values = Vec::new();
        while let Ok(Some(value)) = list.next_element() {
            values.push((String::new(), value));
        }
        Ok(Stubborn(values))
    }

    /// In the order of the names, for the readers' orders differ.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stubborn, A::Error> {
        let mut values = BTreeMap::new();
        while let Ok(Some(name)) = map.next_key::<String>() {
            values.insert(name, map.next_value().unwrap_or_default());
        }
        Ok(Stubborn(values.into_iter().collect()))
    }
}

/// Whatever comes, as it comes.
#[derive(Debug, PartialEq)]
pub(super) enum Anything {
    Unit,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Anything>),
    Map(BTreeMap<String, Anything>),
}

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnythingVisitor)
    }
}

/// Bytes, and no string.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_byte_buf(AnythingVisitor)? {
            Anything::Bytes(bytes) => Ok(Self(bytes)),
            _ => Err(de::Error::custom("no bytes")),
        }
    }
}

struct AnythingVisitor;

impl<'de> Visitor<'de> for AnythingVisitor {
    type Value = Anything;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Anything, E> {
        Ok(Anything::Unit)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Anything, E> {
        Ok(Anything::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Anything, E> {
        Ok(Anything::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Anything, E> {
        Ok(Anything::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Anything, E> {
        Ok(Anything::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Anything, E> {
        Ok(Anything::Text(value.to_owned()))
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Anything, E> {
        Ok(Anything::Bytes(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Anything, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Anything::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Anything, A::Error> {
        let mut values = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            values.insert(name, value);
        }
        Ok(Anything::Map(values))
    }
}
