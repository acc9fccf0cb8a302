//! The beginning of an attribute, `{"S":`.

use crate::json_text::{JsonText, Refused};

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    String,
    Number,
    Binary,
    Bool,
    Null,
    Map,
    List,
    StringSet,
    NumberSet,
    BinarySet,
}

impl JsonText<'_> {
    /// Takes the beginning of an attribute, `{"S":`.
    #[inline]
    pub(super) fn tag(&mut self) -> Result<Tag, Refused> {
        let tag = match self.rest() {
            [b'{', b'"', b'S', b'"', b':', ..] => Tag::String,
            [b'{', b'"', b'N', b'"', b':', ..] => Tag::Number,
            [b'{', b'"', b'M', b'"', b':', ..] => Tag::Map,
            [b'{', b'"', b'L', b'"', b':', ..] => Tag::List,
            _ => return self.rarer_tag(),
        };
        self.pass(br#"{"S":"#.len());
        Ok(tag)
    }

    #[inline(never)]
    fn rarer_tag(&mut self) -> Result<Tag, Refused> {
        self.take(b'{')?;
        let tag = match self.string()?.as_bytes() {
            b"S" => Tag::String,
            b"N" => Tag::Number,
            b"M" => Tag::Map,
            b"L" => Tag::List,
            b"B" => Tag::Binary,
            b"BOOL" => Tag::Bool,
            b"NULL" => Tag::Null,
            b"SS" => Tag::StringSet,
            b"NS" => Tag::NumberSet,
            b"BS" => Tag::BinarySet,
            _ => return Err(Refused),
        };
        self.take(b':')?;
        Ok(tag)
    }
}
