//! What Lambda says of the batch it gave up.
//!
//! | File | Holds |
//! |---|---|
//! | `on_failure.rs` | the message itself, as a queue or an S3 object holds it |
//! | `on_failure/envelope.rs` | what a queue's message may be: the message, wrapped or not, or a pointer to objects that hold it |
//! | `on_failure/object_created.rs` | the notifications of S3 and of EventBridge that objects were put |
//! | `on_failure/failure.rs` | why Lambda gave up |
//! | `on_failure/payload.rs` | the event itself, which S3 destinations keep |
//! | `on_failure/progress.rs` | how far an earlier invocation came, and the message for the rest |
//! | `on_failure/object.rs` | a JSON object and its path |
//! | `on_failure/readable.rs` | whether others can read the text too |
//! | `on_failure/message_error.rs` | what was expected, and where |

mod envelope;
mod failure;
mod message_error;
mod object;
mod object_created;
mod payload;
mod progress;
mod readable;
#[cfg(test)]
mod tests;

pub use envelope::Envelope;
pub use failure::Failure;
pub use message_error::MessageError;
pub use object_created::ObjectRef;
pub use progress::Progress;

use jiff::Timestamp;
use object::Object;
use records::{EpochMillis, SequenceNumber, ShardId, ShardRange, StreamArn, StreamKind};
use serde_json::value::{RawValue, to_raw_value};
use std::fmt;

/// AWS's largest `BatchSize`. A message that claims more is none of Lambda's, and must not make a loss of the difference.
const BATCH_SIZE_MAX: u64 = 10_000;

/// The field that names the first position, of a range and of the part of it that is done.
const START: &str = "startSequenceNumber";

/// An on-failure message: which records Lambda gave up, and why.
#[derive(Clone)]
pub struct OnFailureMessage {
    /// From the first record given up to the last, both inclusive.
    pub range: ShardRange,
    /// Number of records in the failed batch. The range can hold more of them, or fewer.
    pub batch_size: u64,
    /// When about the stream took the first record of the batch, where the message says so.
    pub first_arrival: Option<EpochMillis>,
    /// When about the stream took the last record of the batch, where the message says so.
    pub last_arrival: Option<EpochMillis>,
    /// When Lambda gave the batch up, where the message says so: its records arrived before.
    pub given_up: Option<EpochMillis>,
    /// Why.
    pub failure: Failure,
    /// How far an earlier invocation came, where this is the rest of a range.
    pub progress: Option<Progress>,
    /// The whole event as JSON text, `{"Records":[...]}`, where the destination keeps it: then no stream has to be read.
    pub payload: Option<Box<str>>,
    /// The message's own JSON, without the payload.
    pub text: Box<RawValue>,
}

impl OnFailureMessage {
    /// Parses a message that nothing is wrapped around, of either kind of stream: the body of a queue's message, or what
    /// an S3 object holds.
    ///
    /// # Errors
    ///
    /// When the text is no JSON; when a field that names the range, its progress or its payload is missing, malformed, or
    /// there twice; when the message names ranges of both kinds.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        let body = body.trim_ascii();
        Self::read(Object::parse(body, "$")?, body)
    }

    /// Reads the message that `json` holds; `message` is the same, parsed.
    fn read(message: Object<'_>, json: &str) -> Result<Self, MessageError> {
        let (info, kind) = batch_info(&message)?;
        let range = shard_range(&info, kind)?;
        let batch_size = info.number("batchSize", "a number from 1 to 10000", 1..=BATCH_SIZE_MAX)?;
        let moment = |object: &Object<'_>, name: &str| {
            let moment = object.any_string(name)?.parse::<Timestamp>().ok()?;
            Some(EpochMillis(moment.as_millisecond()))
        };
        let arrival = |name| moment(&info, name);
        let given_up = moment(&message, "timestamp");
        Ok(Self {
            progress: Progress::read(&message, &range)?,
            range,
            batch_size,
            first_arrival: arrival("approximateArrivalOfFirstRecord"),
            last_arrival: arrival("approximateArrivalOfLastRecord"),
            given_up,
            failure: Failure::read(&message),
            payload: payload::read(&message)?,
            text: text(message, json)?,
        })
    }
}

/// Payloads are never logged: in place of the event stands its length.
impl fmt::Debug for OnFailureMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnFailureMessage")
            .field("range", &self.range)
            .field("batch_size", &self.batch_size)
            .field("first_arrival", &self.first_arrival)
            .field("last_arrival", &self.last_arrival)
            .field("given_up", &self.given_up)
            .field("failure", &self.failure)
            .field("progress", &self.progress)
            .field("payload_bytes", &self.payload.as_deref().map(str::len))
            .finish_non_exhaustive()
    }
}

/// Texts are equal when they are the same to the byte: `RawValue` leaves the question open.
impl PartialEq for OnFailureMessage {
    fn eq(&self, other: &Self) -> bool {
        let arrivals = |message: &Self| (message.first_arrival, message.last_arrival);
        self.range == other.range
            && self.batch_size == other.batch_size
            && arrivals(self) == arrivals(other)
            && self.failure == other.failure
            && self.progress == other.progress
            && self.payload == other.payload
            && self.text.get() == other.text.get()
    }
}

impl Eq for OnFailureMessage {}

/// The field in which Lambda names the range, by the kind of stream.
fn batch_info_name(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Kinesis => "KinesisBatchInfo",
        StreamKind::DynamoDb => "DDBStreamBatchInfo",
    }
}

/// Whether an object has what only an on-failure message has.
fn names_a_range(message: &Object<'_>) -> bool {
    [StreamKind::Kinesis, StreamKind::DynamoDb].iter().any(|kind| message.fields.last(batch_info_name(*kind)).is_some())
}

/// The object that names the range, and which kind of stream it is of.
fn batch_info<'a>(message: &Object<'a>) -> Result<(Object<'a>, StreamKind), MessageError> {
    const EITHER: &str = "an object with `KinesisBatchInfo` or `DDBStreamBatchInfo`";
    let error = |got: &str| Err(MessageError::new(message.path.clone(), EITHER, got));
    let has = |kind| message.optional(batch_info_name(kind)).map(|info| info.is_some());
    let kind = match (has(StreamKind::Kinesis)?, has(StreamKind::DynamoDb)?) {
        (true, false) => StreamKind::Kinesis,
        (false, true) => StreamKind::DynamoDb,
        (true, true) => return error("an object with both"),
        (false, false) => return error("an object without either"),
    };
    Ok((message.object(batch_info_name(kind))?, kind))
}

fn shard_range(info: &Object<'_>, kind: StreamKind) -> Result<ShardRange, MessageError> {
    let stream = info.parsed("streamArn", "the ARN of a stream", StreamArn::parse)?;
    if stream.kind() != kind {
        return Err(info.error("streamArn", "the ARN of a stream of the same kind", "one of the other kind"));
    }
    let shard = info.parsed("shardId", "a shard id", ShardId::parse)?;
    let start = info.parsed(START, "decimal digits", SequenceNumber::parse)?;
    let end = info.parsed("endSequenceNumber", "decimal digits", SequenceNumber::parse)?;
    ShardRange::new(stream, shard, start, end)
        .map_err(|_| info.error("endSequenceNumber", "a position at or after the start", "one before it"))
}

/// The message's own JSON: to the byte where there is no payload to leave out.
fn text(message: Object<'_>, json: &str) -> Result<Box<RawValue>, MessageError> {
    let path = message.path;
    let text = match message.fields.last(payload::PAYLOAD) {
        None => RawValue::from_string(json.to_owned()),
        Some(_) => to_raw_value(&message.fields.without(payload::PAYLOAD)),
    };
    let text = text.map_err(|error| MessageError::malformed(&path, json, &error))?;
    readable::check(text.get(), &path)?;
    Ok(text)
}
