//! DynamoDB's typed JSON.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The attributes of an item, or its key, by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// One attribute value in the typed JSON of the streams, `{"S":"text"}` to `{"BS":["AQ=="]}`.
///
/// Numbers stay the text they came as, since DynamoDB's hold 38 digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number, as its decimal text.
    N(String),
    /// Bytes; base64 in JSON.
    B(#[serde(with = "base64_bytes")] Vec<u8>),
    /// A boolean.
    #[serde(rename = "BOOL")]
    Bool(bool),
    /// The null value; always `true` in practice.
    #[serde(rename = "NULL")]
    Null(bool),
    /// A map of attributes.
    M(Item),
    /// A list of values.
    L(Vec<AttributeValue>),
    /// A set of strings.
    #[serde(rename = "SS")]
    StringSet(Vec<String>),
    /// A set of numbers, as their decimal texts.
    #[serde(rename = "NS")]
    NumberSet(Vec<String>),
    /// A set of byte strings; base64 in JSON.
    #[serde(rename = "BS")]
    BinarySet(#[serde(with = "base64_bytes_list")] Vec<Vec<u8>>),
}

impl AttributeValue {
    /// About how many bytes the value holds in memory.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::S(text) | Self::N(text) => text.len(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null(_) => 1,
            Self::M(item) => item.iter().map(|(name, value)| name.len() + value.payload_bytes()).sum(),
            Self::L(list) => list.iter().map(Self::payload_bytes).sum(),
            Self::StringSet(set) | Self::NumberSet(set) => set.iter().map(String::len).sum(),
            Self::BinarySet(set) => set.iter().map(Vec::len).sum(),
        }
    }
}

/// Bytes as standard base64.
mod base64_bytes {
    use base64_simd::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::borrow::Cow;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode_to_string(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        STANDARD.decode_to_vec(text.as_bytes()).map_err(|_| serde::de::Error::custom("expected standard base64"))
    }
}

/// A list of byte strings, each as standard base64.
mod base64_bytes_list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Bytes(#[serde(with = "super::base64_bytes")] Vec<u8>);

    pub fn serialize<S: Serializer>(list: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|bytes| Bytes(bytes.clone())))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        Ok(Vec::<Bytes>::deserialize(deserializer)?.into_iter().map(|bytes| bytes.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ten_types_survive_the_way_in_and_out() {
        let json = concat!(
            r#"{"b":{"B":"AQID"},"bool":{"BOOL":true},"bs":{"BS":["AQ==","Ag=="]},"l":{"L":[{"S":"x"},{"N":"1"}]},"#,
            r#""m":{"M":{"deep":{"M":{}}}},"n":{"N":"12345678901234567890123456789012345678"},"#,
            r#""ns":{"NS":["1","2.50"]},"null":{"NULL":true},"s":{"S":"é\n"},"ss":{"SS":["a","a"]}}"#
        );
        let item: Item = serde_json::from_str(json).unwrap();
        assert_eq!(item["b"], AttributeValue::B(vec![1, 2, 3]));
        assert_eq!(item["n"], AttributeValue::N("12345678901234567890123456789012345678".to_owned()));
        assert_eq!(serde_json::to_string(&item).unwrap(), json);
    }

    #[test]
    fn an_unknown_type_and_broken_base64_are_refused() {
        for bad in [r#"{"X":"1"}"#, r#"{"B":"A"}"#, r#"{"N":1}"#, r#""text""#, "{}"] {
            assert!(serde_json::from_str::<AttributeValue>(bad).is_err(), "{bad} was accepted");
        }
    }
}
