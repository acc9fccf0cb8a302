//! What the engine needs of an event source.

use crate::RecordError;
use records::{EpochMillis, SequenceNumber, is_object};
use serde_json::value::RawValue;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Decodes the records of one kind of event source.
pub trait Source {
    /// What the handler gets of each record.
    type Payload;

    /// Decodes one record of `Records`. Nothing in it can cost another record: whatever is wrong is in the result.
    fn decode(&self, record: &RawValue) -> Record<Self::Payload>;
}

/// One record, as far as it could be understood.
#[derive(Debug)]
pub struct Record<P> {
    /// Where it stands in its shard, or why that cannot be said.
    pub sequence_number: Result<SequenceNumber, RecordError>,
    /// What orders it: the partition key, or the item's key as JSON. Empty where it is unknown.
    pub key: String,
    /// When the stream took it.
    pub arrival: Option<EpochMillis>,
    /// What it carries, or why that cannot be used.
    pub payload: Result<P, RecordError>,
}

impl<P> Record<P> {
    /// A record of which nothing could be understood.
    pub(crate) fn undecodable(error: &RecordError) -> Self {
        Self { sequence_number: Err(error.clone()), key: String::new(), arrival: None, payload: Err(error.clone()) }
    }
}

/// Reads a JSON object into its fields, or says that it is none.
pub(crate) fn object<'a, T: serde::Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    is_object(json.get().as_bytes()).then(|| serde_json::from_str(json.get()).ok()).flatten()
}

/// Reads a payload with code of the fork's: a panic in it is the record's failure and nobody else's.
pub(crate) fn isolated<T>(read: impl FnOnce() -> Result<T, RecordError>) -> Result<T, RecordError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_panic| Err(RecordError::panicked()))
}

/// Reads the position out of its JSON value.
pub(crate) fn sequence_number(field: &str, value: Option<&RawValue>) -> Result<SequenceNumber, RecordError> {
    let Some(value) = value else {
        return Err(RecordError::invalid(format_args!("the record has no `{field}`")));
    };
    serde_json::from_str(value.get())
        .map_err(|_| RecordError::invalid(format_args!("`{field}` is no string of decimal digits")))
}

/// Reads an optional field of an envelope that is worth having but not worth failing for.
pub(crate) fn lenient<'a, T: serde::Deserialize<'a>>(value: Option<&'a RawValue>) -> Option<T> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}
