//! What the engine needs of an event source: records out of an event, payloads out of records.

use crate::{RecordError, Text};
use records::{EpochMillis, JsonText, Refused, SequenceNumber, is_object};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Decodes the records of one kind of event source.
pub trait Source {
    /// What carries the payload within a record.
    type Body<'e>;
    /// A record that a producer packed others into, taken apart.
    type Parts;
    /// What the handler gets.
    type Payload<'p>;

    /// What the records of this source say of where they come from.
    const ORIGIN: OriginKind;

    /// Reads an event in which every record has the shape that Lambda gives it: the quick way, for all but a few.
    ///
    /// `None` when anything at all is unusual. The event is then split, and each record read by itself.
    fn read_event<'e>(&self, event: &'e [u8]) -> Option<Vec<Record<'e, Self::Body<'e>>>>;

    /// Reads one record of `Records`. Nothing in it can cost another record: whatever is wrong is in the result.
    fn read_record<'e>(&self, record: &'e RawValue) -> Record<'e, Self::Body<'e>>;

    /// The record taken apart, when a producer packed others into it; `None` for a record that is one record.
    fn parts(&self, body: &Self::Body<'_>) -> Option<Self::Parts>;

    /// Number of parts.
    fn part_count(&self, parts: &Self::Parts) -> usize;

    /// What keeps the rest of the record from being taken apart.
    fn left_out(&self, parts: &Self::Parts) -> Option<RecordError>;

    /// What orders a part; `None` where there is no part of that index.
    fn part_key<'a>(&self, parts: &'a Self::Parts, index: usize) -> Option<&'a str>;

    /// The record as Lambda would have delivered it, had the part been put by itself. `record` is the outer one.
    fn part_event(&self, record: &RawValue, parts: &Self::Parts, index: usize) -> Option<Box<RawValue>>;

    /// Reads the payload of a record that is one record. `buffer` is scratch space that the payload may borrow from.
    fn payload<'p, 'e: 'p>(
        &self,
        body: &'p Self::Body<'e>,
        buffer: &'p mut Vec<u8>,
    ) -> Result<Self::Payload<'p>, RecordError>;

    /// Reads the payload of a part; `None` where there is no part of that index.
    fn part_payload<'p>(&self, parts: &'p Self::Parts, index: usize) -> Option<Result<Self::Payload<'p>, RecordError>>;

    /// What tells whether two keys are one, for keys that can be spelt in more than one way.
    fn canonical_key<'a>(&self, key: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(key)
    }
}

/// One record, as far as its envelope could be understood. It borrows from the event.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'e, B> {
    /// Where it stands in its shard, exactly as it was written, or why that cannot be said.
    pub sequence_number: Result<Cow<'e, str>, RecordError>,
    /// Which stream, by its ARN; empty where the event does not say.
    pub stream: Cow<'e, str>,
    /// Where in the stream, as [`Source::ORIGIN`] says; empty where the event does not say.
    pub origin: Cow<'e, str>,
    /// What orders it: the partition key, or the item's key as JSON. Empty where it is unknown.
    pub key: Cow<'e, str>,
    /// When the stream took it.
    pub arrival: Option<EpochMillis>,
    /// What it carries, or why that cannot be used.
    pub body: Result<B, RecordError>,
}

/// What a record says of where in its stream it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginKind {
    /// The shard.
    Shard,
    /// No shard, but an id of its own: records of a table's stream.
    EventId,
}

impl<B> Record<'_, B> {
    /// A record of which nothing could be understood.
    pub(crate) fn undecodable(error: &RecordError) -> Self {
        Self {
            sequence_number: Err(error.clone()),
            stream: Cow::Borrowed(""),
            origin: Cow::Borrowed(""),
            key: Cow::Borrowed(""),
            arrival: None,
            body: Err(error.clone()),
        }
    }
}

/// Reads `{"Records":[...]}` the quick way: each record by `read`, which refuses one that is unusual.
pub(crate) fn read_records<'e, R>(
    event: &'e [u8],
    mut read: impl FnMut(&mut JsonText<'e>) -> Result<R, Refused>,
) -> Option<Vec<R>> {
    let mut text = JsonText::new(simdutf8::basic::from_utf8(event).ok()?, ENVELOPE_LEVELS);
    let mut records = None;
    let object = text.object(|text, key| {
        if key != "Records" {
            return text.raw_value().map(drop);
        }
        let mut read_so_far = Vec::new();
        text.array(|text| {
            read_so_far.push(read(text)?);
            Ok(())
        })?;
        once(&mut records, read_so_far)
    });
    object.and_then(|()| text.end()).ok()?;
    records
}

/// How deep an event may nest that is read the quick way. Items nest 32 deep, and each level of an item is two of JSON.
const ENVELOPE_LEVELS: u8 = 100;

/// Keeps a field's value, unless there is one already.
pub(crate) fn once<T>(field: &mut Option<T>, value: T) -> Result<(), Refused> {
    if field.is_some() {
        return Err(Refused);
    }
    *field = Some(value);
    Ok(())
}

/// A position as it should be.
pub(crate) fn valid(sequence_number: Cow<'_, str>) -> Result<Cow<'_, str>, Refused> {
    if SequenceNumber::is_valid(&sequence_number) { Ok(sequence_number) } else { Err(Refused) }
}

/// Reads a JSON object into its fields, or says that it is none.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    is_object(json.get().as_bytes()).then(|| serde_json::from_str(json.get()).ok()).flatten()
}

/// Reads the position out of its JSON value.
pub(crate) fn sequence_number<'e>(field: &str, value: Option<&'e RawValue>) -> Result<Cow<'e, str>, RecordError> {
    let Some(value) = value else {
        return Err(RecordError::invalid(format_args!("the record has no `{field}`")));
    };
    let text = lenient::<Text<'_>>(Some(value)).map(Text::into_inner);
    text.filter(|text| SequenceNumber::is_valid(text))
        .ok_or_else(|| RecordError::invalid(format_args!("`{field}` is no string of decimal digits")))
}

/// Reads an optional field of an envelope that is worth having but not worth failing for.
pub(crate) fn lenient<'a, T: Deserialize<'a>>(value: Option<&'a RawValue>) -> Option<T> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}

/// An optional text of an envelope; empty where it is missing or no text.
pub(crate) fn text(value: Option<&RawValue>) -> Cow<'_, str> {
    lenient::<Text<'_>>(value).map_or(Cow::Borrowed(""), Text::into_inner)
}
