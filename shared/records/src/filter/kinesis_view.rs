//! A Kinesis record as a filter sees it: its payload is decoded and beside the other fields.

use super::{FilterPattern, Reach};
use serde_json::{Map, Value};
use std::cell::OnceCell;

const DATA: &str = "data";

/// One record, whose payload is decoded when the first pattern asks for it.
pub(super) struct KinesisView<'a> {
    /// The record's `kinesis` object, with the payload in base64.
    delivered: &'a Value,
    decoded: OnceCell<Decoded>,
}

/// The same with the payload decoded.
enum Decoded {
    Json(Value),
    Text(Value),
    /// Neither, or no base64.
    Bytes,
}

impl<'a> KinesisView<'a> {
    /// None when the record has no `kinesis` object.
    pub(super) fn new(record: &'a Value) -> Option<Self> {
        let delivered = record.get("kinesis").filter(|kinesis| kinesis.is_object())?;
        Some(Self { delivered, decoded: OnceCell::new() })
    }

    pub(super) fn passes(&self, pattern: &FilterPattern) -> bool {
        let reach = pattern.reach(DATA);
        if reach == Reach::None {
            return pattern.matches(self.delivered);
        }
        match (reach, self.decoded.get_or_init(|| decode(self.delivered))) {
            (Reach::Within, Decoded::Json(view)) | (Reach::Value, Decoded::Text(view)) => pattern.matches(view),
            _ => false,
        }
    }
}

/// JSON is an object or a list. What else JSON could be, such as `42`, has no fields, and is text.
fn decode(delivered: &Value) -> Decoded {
    let encoded = delivered.get(DATA).and_then(Value::as_str);
    let Some(bytes) = encoded.and_then(|base64| base64_simd::STANDARD.decode_to_vec(base64).ok()) else {
        return Decoded::Bytes;
    };
    let view = |data| {
        let others = delivered.as_object().into_iter().flatten().filter(|(name, _)| *name != DATA);
        let others = others.map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(Map::from_iter(others.chain([(DATA.to_owned(), data)])))
    };
    match serde_json::from_slice(&bytes) {
        Ok(json @ (Value::Object(_) | Value::Array(_))) => Decoded::Json(view(json)),
        _ => String::from_utf8(bytes).map_or(Decoded::Bytes, |text| Decoded::Text(view(Value::String(text)))),
    }
}
