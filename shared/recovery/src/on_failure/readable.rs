//! Whether others can read a message's text: it goes into loss reports and on to queues as it is.

use super::MessageError;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Levels of nesting that a message may have. Lambda's have two; common readers stop at 64 or 128, and a loss report adds
/// a level around.
const NESTING_LEVELS_MAX: u8 = 32;

/// Reads `json`, which stands at `path`, as a strict reader does. Skipping a value, as this crate does with what it has no
/// use for, checks neither half surrogates nor how large a number is, and goes to any depth.
pub(super) fn check(json: &str, path: &str) -> Result<(), MessageError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    AnyValue { levels: NESTING_LEVELS_MAX }.deserialize(&mut deserializer).map_err(|error| {
        // Its words are those below or serde_json's on escapes and numbers: none quotes the text.
        MessageError::new(path.to_owned(), "JSON that any reader takes", &error.to_string())
    })
}

/// `serde_json::Value` takes what stands under such a name for JSON within JSON, and begins to count levels anew.
const PRIVATE_NAMES: &str = "$serde_json::private::";

#[derive(Clone, Copy)]
struct AnyValue {
    levels: u8,
}

impl AnyValue {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let levels = self
            .levels
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("more than {NESTING_LEVELS_MAX} levels")))?;
        Ok(Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while let Some(name) = fields.next_key::<String>()? {
            if name.starts_with(PRIVATE_NAMES) {
                return Err(A::Error::custom("a name that serde_json keeps for itself"));
            }
            fields.next_value_seed(inner)?;
        }
        Ok(())
    }
}
