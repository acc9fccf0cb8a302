//! One entry of a field's list, held against one value of the event.

use super::address_block::AddressBlock;
use super::fixed_point::{self, FixedPoint};
use super::wildcard::Wildcard;
use serde_json::{Number, Value};
use std::ops::{Bound, RangeBounds};

/// What a pattern may ask of a value.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Null,
    Bool(bool),
    Number(Number),
    Text(TextCondition),
    Numeric((Bound<FixedPoint>, Bound<FixedPoint>)),
    Address(AddressBlock),
    /// True: there is a value. False: there is none.
    Exists(bool),
    /// Anything but a text that passes one of these: a number or null is no such text.
    AnythingBut(Vec<TextCondition>),
    /// Anything but one of these numbers.
    AnythingButNumbers(Vec<FixedPoint>),
}

/// What a pattern may ask of a text.
#[derive(Debug, Clone)]
pub(super) enum TextCondition {
    Equals(String),
    EqualsIgnoreCase(String),
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    Wildcard(Wildcard),
}

impl Condition {
    /// Whether a leaf of the event passes. Objects and lists are none; who calls this has gone into them.
    pub(super) fn passes(&self, leaf: &Value) -> bool {
        match self {
            Self::Null => leaf.is_null(),
            Self::Bool(wanted) => leaf.as_bool() == Some(*wanted),
            Self::Number(wanted) => leaf.as_number().is_some_and(|number| fixed_point::equal(wanted, number)),
            Self::Text(condition) => leaf.as_str().is_some_and(|text| condition.passes(text)),
            Self::Numeric(range) => comparable(leaf).is_some_and(|number| range.contains(&number)),
            Self::Address(block) => leaf.as_str().is_some_and(|text| block.contains(text)),
            Self::Exists(wanted) => *wanted,
            Self::AnythingBut(conditions) => {
                leaf.as_str().is_none_or(|text| !conditions.iter().any(|condition| condition.passes(text)))
            }
            Self::AnythingButNumbers(numbers) => comparable(leaf).is_none_or(|number| !numbers.contains(&number)),
        }
    }
}

fn comparable(leaf: &Value) -> Option<FixedPoint> {
    leaf.as_number().and_then(FixedPoint::of)
}

impl TextCondition {
    pub(super) fn passes(&self, text: &str) -> bool {
        match self {
            Self::Equals(wanted) => text == wanted,
            Self::EqualsIgnoreCase(wanted) => {
                text.chars().count() == wanted.chars().count() && begins(text.chars(), wanted.chars())
            }
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::PrefixIgnoreCase(prefix) => begins(text.chars(), prefix.chars()),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::SuffixIgnoreCase(suffix) => begins(text.chars().rev(), suffix.chars().rev()),
            Self::Wildcard(wildcard) => wildcard.matches(text),
        }
    }
}

/// Whether the characters begin with these, whatever their case.
fn begins(mut characters: impl Iterator<Item = char>, mut with: impl Iterator<Item = char>) -> bool {
    with.all(|wanted| {
        characters.next().is_some_and(|character| {
            character == wanted
                || character.to_lowercase().eq(wanted.to_lowercase())
                || character.to_uppercase().eq(wanted.to_uppercase())
        })
    })
}
