//! Numbers that are equal but for the rounding of floats: serde_json is off by a little in the last digit, and not every
//! reader is off by the same.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

fn are_alike(one: f64, other: f64) -> bool {
    let off_by = (one - other).abs();
    one == other
        || (one.is_nan() && other.is_nan())
        || off_by <= one.abs().max(other.abs()) * f64::EPSILON * 4.0
        || off_by <= f64::MIN_POSITIVE
}

/// A float.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Float(f64);

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        are_alike(self.0, other.0)
    }
}

/// A float of half the size.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Single(f32);

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
            || (self.0.is_nan() && other.0.is_nan())
            || (self.0 - other.0).abs() <= self.0.abs() * f32::EPSILON * 2.0
    }
}

/// The text of a number, for [`records::number::exact`]. The quick reader gives it digit for digit, and serde_json does not.
#[derive(Debug, Clone)]
pub struct Digits(String);

impl FromStr for Digits {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse::<f64>().map_err(drop)?;
        Ok(Self(text.to_owned()))
    }
}

impl PartialEq for Digits {
    fn eq(&self, other: &Self) -> bool {
        let float = |digits: &Self| digits.0.parse().unwrap_or(0.0);
        self.0 == other.0 || are_alike(float(self), float(other))
    }
}

/// Whatever comes, as serde hands it out.
#[derive(Debug, Clone)]
pub enum Anything {
    Unit,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(Float),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Anything>),
    Map(BTreeMap<String, Anything>),
}

impl PartialEq for Anything {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unit, Self::Unit) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Unsigned(one), Self::Unsigned(other)) => one == other,
            (Self::Signed(one), Self::Signed(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::List(one), Self::List(other)) => one == other,
            (Self::Map(one), Self::Map(other)) => one == other,
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnythingVisitor)
    }
}

struct AnythingVisitor;

impl<'de> Visitor<'de> for AnythingVisitor {
    type Value = Anything;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Anything, E> {
        Ok(Anything::Unit)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Anything, E> {
        Ok(Anything::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Anything, E> {
        Ok(Anything::Unsigned(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Anything, E> {
        Ok(Anything::Signed(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Anything, E> {
        Ok(Anything::Float(Float(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Anything, E> {
        Ok(Anything::Text(value.to_owned()))
    }

    fn visit_byte_buf<E: de::Error>(self, value: Vec<u8>) -> Result<Anything, E> {
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
