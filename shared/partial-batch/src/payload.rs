//! Payloads: the types that a handler gets, and how JSON is read into them.

use crate::RecordError;
use crate::payload_error::invalid_json;
use records::{is_object, read_json};
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A type that payloads are read into.
///
/// Every type that owns what it holds is one: `#[derive(Deserialize)] struct Order { id: String }`. A type that borrows
/// from the record, which saves an allocation for each text in it, needs a name without its lifetime:
///
/// ```
/// use partial_batch::{Payload, Text};
///
/// #[derive(serde::Deserialize)]
/// struct Order<'p> {
///     #[serde(borrow)]
///     id: Text<'p>,
/// }
///
/// /// Stands for `Order<'p>`, whatever the lifetime.
/// enum Orders {}
///
/// impl Payload for Orders {
///     type Of<'p> = Order<'p>;
/// }
/// ```
pub trait Payload {
    /// The type, for a record that lives as long as `'p`.
    type Of<'p>: Deserialize<'p>;
}

impl<T: DeserializeOwned> Payload for T {
    type Of<'p> = T;
}

/// A text that borrows from the record where it can: where it has no escapes.
///
/// It is what `Cow<'p, str>` is, but for one thing: serde borrows an `Option<Text<'p>>` as well, and always copies an
/// `Option<Cow<'p, str>>`. Both want `#[serde(borrow)]` on the field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text<'p>(Cow<'p, str>);

impl<'p> Text<'p> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, still borrowed where it was.
    #[must_use]
    pub fn into_inner(self) -> Cow<'p, str> {
        self.0
    }
}

impl<'de: 'p, 'p> Deserialize<'de> for Text<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Reads a JSON object.
///
/// The quick reader takes what is written plainly, and serde_json is the judge: what the first one refuses is read again by
/// the second, whose word counts, for the value as well as for the message.
pub(crate) fn read_object<'p, T: Deserialize<'p>>(json: &'p [u8]) -> Result<T, RecordError> {
    if !is_object(json) {
        return Err(match serde_json::from_slice::<serde::de::IgnoredAny>(json) {
            Ok(_) => RecordError::invalid("the payload is no JSON object"),
            Err(error) => invalid_json("the payload", &error),
        });
    }
    match simdutf8::basic::from_utf8(json).ok().and_then(read_json) {
        Some(payload) => Ok(payload),
        None => serde_json::from_slice(json).map_err(|error| invalid_json("the payload", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order<'p> {
        #[serde(borrow)]
        id: Text<'p>,
        #[serde(borrow)]
        note: Option<Text<'p>>,
        quantity: u8,
    }

    #[test]
    fn texts_are_borrowed_where_they_have_no_escapes() {
        let order: Order<'_> = read_object(br#"{"id":"a","note":"b","quantity":1}"#).unwrap();
        assert!(matches!((&order.id.0, &order.note.as_ref().unwrap().0), (Cow::Borrowed("a"), Cow::Borrowed("b"))));
        let order: Order<'_> = read_object(br#"{"id":"\u0061\n","note":null,"quantity":1}"#).unwrap();
        assert_eq!((order.id.as_str(), order.note), ("a\n", None));
    }

    #[test]
    fn what_the_quick_reader_refuses_is_judged_by_serde_json() {
        let deep = format!(r#"{{"id":"a","quantity":1,"more":{}{}}}"#, "[".repeat(1_000), "]".repeat(1_000));
        assert!(read_object::<Order<'_>>(deep.as_bytes()).is_ok(), "an unknown field may nest as it likes");
        let refused = |json: &[u8]| read_object::<Order<'_>>(json).unwrap_err().to_string();
        assert_eq!(refused(b"{\"id\":\"\xff\"}"), "the payload is malformed JSON at line 1 column 8");
        assert_eq!(
            refused(br#"{"id":"a","quantity":256}"#),
            "the payload does not fit: expected u8 at line 1 column 24"
        );
    }
}
