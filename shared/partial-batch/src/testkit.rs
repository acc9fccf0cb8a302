//! For the tests of a handler: an event built in a line, and a handler run against it in another.
//!
//! ```
//! use partial_batch::{Kinesis, RecordContext, RecordError, testkit};
//!
//! #[derive(serde::Deserialize)]
//! struct Order { amount: f64 }
//!
//! async fn handle(order: Order, _context: RecordContext<'_>) -> Result<(), RecordError> {
//!     if order.amount > 0.0 { Ok(()) } else { Err(RecordError::invalid("`amount` is not positive")) }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let event = testkit::kinesis_event([("customer-1", r#"{"amount":5}"#), ("customer-2", r#"{"amount":-5}"#)]);
//! testkit::assert_response(Kinesis::json::<Order>(), handle, &event, &["2"]).await;
//! # });
//! ```

use crate::{BatchReport, Config, Deadline, Engine, Handler, InvocationContext, Source};
use serde_json::{Value, json};
use std::time::Duration;

/// The stream of the events made here.
pub const STREAM_ARN: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";

/// The table's stream of the events made here.
pub const TABLE_STREAM_ARN: &str =
    "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2026-01-01T00:00:00.000";

/// A batch as Lambda delivers it from Kinesis: records with the sequence numbers 1, 2, 3 and so on, each a partition key
/// and its data.
pub fn kinesis_event<K: AsRef<str>, D: AsRef<[u8]>>(records: impl IntoIterator<Item = (K, D)>) -> String {
    let record = |(index, (key, data)): (usize, (K, D))| kinesis_record(&(index + 1).to_string(), key.as_ref(), data);
    event(records.into_iter().enumerate().map(record).collect())
}

/// One record as Lambda delivers it from Kinesis.
pub fn kinesis_record(sequence_number: &str, partition_key: &str, data: impl AsRef<[u8]>) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": partition_key,
            "sequenceNumber": sequence_number,
            "data": base64_simd::STANDARD.encode_to_string(data),
            "approximateArrivalTimestamp": 1_767_225_600.5,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("shardId-000000000006:{sequence_number}"),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::111122223333:role/orders",
        "awsRegion": "us-east-1",
        "eventSourceARN": STREAM_ARN,
    })
}

/// A batch as Lambda delivers it from a table's stream: changes with the sequence numbers 1, 2, 3 and so on. Each is its
/// kind (INSERT, MODIFY or REMOVE), its key, and its new and old images, all in typed JSON; `null` for no image.
#[must_use]
pub fn dynamodb_event(changes: &[(&str, Value, Value, Value)]) -> String {
    let record = |(index, (kind, keys, new, old)): (usize, &(&str, Value, Value, Value))| {
        let sequence_number = (index + 1).to_string();
        dynamodb_record(&sequence_number, kind, keys, new, old)
    };
    event(changes.iter().enumerate().map(record).collect())
}

/// One change as Lambda delivers it from a table's stream.
#[must_use]
pub fn dynamodb_record(sequence_number: &str, kind: &str, keys: &Value, new: &Value, old: &Value) -> Value {
    let mut change = json!({
        "ApproximateCreationDateTime": 1_767_225_600,
        "Keys": keys,
        "SequenceNumber": sequence_number,
        "SizeBytes": 100,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    for (name, image) in [("NewImage", new), ("OldImage", old)] {
        if !image.is_null() {
            change[name] = image.clone();
        }
    }
    json!({
        "eventID": format!("change-{sequence_number}"),
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": change,
        "eventSourceARN": TABLE_STREAM_ARN,
    })
}

/// A batch of these records.
#[must_use]
pub fn event(records: Vec<Value>) -> String {
    json!({ "Records": records }).to_string()
}

/// Runs the handler against the event, with a minute until the deadline and nothing remembered.
pub async fn run<S, H>(source: S, handler: H, event: &str) -> BatchReport
where
    S: Source,
    H: for<'p> Handler<S::Payload<'p>>,
{
    let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO);
    let engine = Engine::new(source, handler, &Config::default());
    engine.process(event.as_bytes(), &InvocationContext::until(deadline)).await
}

/// Runs the handler against the event and asserts which sequence numbers the response names.
///
/// # Panics
///
/// When it names others, or when the function would have failed.
pub async fn assert_response<S, H>(source: S, handler: H, event: &str, named: &[&str])
where
    S: Source,
    H: for<'p> Handler<S::Payload<'p>>,
{
    let report = run(source, handler, event).await;
    let reasons: Vec<String> = report.failures.iter().map(|failure| failure.error.to_string()).collect();
    match &report.response {
        Ok(response) => {
            let names = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str());
            assert_eq!(names.collect::<Vec<_>>(), named, "failures: {reasons:?}");
        }
        Err(error) => panic!("expected a response that names {named:?}, got a function error: {error}"),
    }
}
