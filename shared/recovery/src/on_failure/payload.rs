//! The event itself, which S3 destinations keep.

use super::MessageError;
use super::object::{Object, string, type_name};

pub(super) const PAYLOAD: &str = "payload";

/// Reads the event's JSON out of `message`. AWS documents a string; an object is what a reader of the documentation would
/// write. Anything else is no payload, and no reason to refuse the message: its stream can be read.
pub(super) fn read(message: &Object<'_>) -> Result<Option<Box<str>>, MessageError> {
    let Some(payload) = message.optional(PAYLOAD)? else { return Ok(None) };
    let event: Box<str> = match type_name(payload.get()) {
        "an object" => payload.get().into(),
        "a string" => match string(payload) {
            Some(text) => text.into_owned().into_boxed_str(),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let records = Object::parse(&event, PAYLOAD.to_owned()).and_then(|event| event.required("Records", "an array"));
    Ok(records.is_ok_and(|records| type_name(records.get()) == "an array").then_some(event))
}
