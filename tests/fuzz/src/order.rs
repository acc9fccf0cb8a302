//! The types that payloads and items are read into: together they ask a reader every question that serde has.

use crate::alike::{Anything, Digits, Float, Single};
use crate::verdict::Told;
use partial_batch::{Payload, Text};
use records::number::exact;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// An order that borrows from its record.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Order<'p> {
    #[serde(borrow)]
    pub id: Text<'p>,
    #[serde(borrow)]
    pub note: Option<Text<'p>>,
    #[serde(borrow, default)]
    by: Cow<'p, str>,
    #[serde(default)]
    quantity: u8,
    #[serde(default)]
    balance: i64,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    change: i16,
    large: Option<u128>,
    price: Option<Float>,
    rate: Option<Single>,
    #[serde(default, deserialize_with = "if_any")]
    amount: Option<Digits>,
    #[serde(default)]
    paid: bool,
    letter: Option<char>,
    #[serde(borrow, default)]
    lines: Vec<Line<'p>>,
    #[serde(default)]
    tags: BTreeSet<String>,
    #[serde(default)]
    stock: BTreeMap<i32, u16>,
    channel: Option<Channel>,
    pair: Option<(i8, String)>,
    nothing: Option<()>,
    name: Option<Name>,
    lenient: Option<OrNothing<Vec<u8>>>,
    more: Option<Anything>,
}

/// Stands for `Order<'p>`, whatever the lifetime.
pub enum Orders {}

impl Payload for Orders {
    type Of<'p> = Order<'p>;
}

impl Told for Order<'_> {
    /// The text alone, for the same number may be read in two ways that differ in the last digit.
    fn bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.id.as_bytes())
    }
}

fn if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digits>, D::Error> {
    exact(deserializer).map(Some)
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'p> {
    #[serde(borrow)]
    sku: Text<'p>,
    #[serde(default)]
    count: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Channel {
    Web,
    Shop { till: u8 },
    Phone(String),
    Post(i8, i8),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Name(String);

/// What is left out when it is something else: a type that swallows an error and goes on.
#[derive(Debug, PartialEq)]
struct OrNothing<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrNothing<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(deserializer).ok()))
    }
}

/// Fields of which each may be something else.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Lenient {
    id: OrNothing<String>,
    quantity: Option<OrNothing<u8>>,
    pair: Option<OrNothing<(i8, String)>>,
    lines: Option<OrNothing<Vec<OrNothing<Name>>>>,
    stock: Option<BTreeMap<String, OrNothing<BTreeMap<String, u8>>>>,
    channel: Option<OrNothing<Channel>>,
}

/// What serde keeps aside and reads later, for it does not know yet what it will be.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Shapes {
    channel: Option<Sum>,
    #[serde(flatten)]
    others: BTreeMap<String, Sum>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Sum {
    Null(()),
    Flag(bool),
    Small(u8),
    Float(Float),
    Shop(Channel),
    Text(String),
    Pair(i8, String),
    List(Vec<Sum>),
    Map(BTreeMap<String, Sum>),
}

/// An enum by a tag among its fields.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "id", content = "more", rename_all = "lowercase")]
pub enum Tagged {
    Order { quantity: u8 },
    Note(String),
    Nothing,
}

/// Nothing of what there is: everything is skipped.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Skipped {}
