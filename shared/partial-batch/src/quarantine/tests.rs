//! Batches with invalid records, and a quarantine in memory.

use super::*;
use crate::{
    BatchReport, Config, Deadline, Engine, InvocationContext, Kinesis, RecordContext, RecordErrorKind, testkit,
};
use records::kpl::{SubRecord, aggregate};
use recovery::memory::MemorySink;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

#[derive(Deserialize)]
struct Order {
    amount: i64,
}

async fn handle(order: Order, _: RecordContext<'_>) -> Result<(), RecordError> {
    match order.amount {
        1.. => Ok(()),
        0 => Err(RecordError::retryable("the table is throttled")),
        _ => Err(RecordError::invalid("`amount` is negative")),
    }
}

/// Writes to memory, and refuses when it is full.
#[derive(Clone, Default)]
struct Shared {
    sink: Arc<MemorySink>,
    is_full: bool,
}

impl Sink for Shared {
    async fn write(&self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        if self.is_full {
            let sink = "memory".to_owned();
            return Err(SinkError::Failed { count: 1, of: 1, sink, reason: "it is full".to_owned() });
        }
        self.sink.write(entries).await
    }
}

async fn process(event: &str, is_full: bool) -> (BatchReport, Vec<(String, Value)>) {
    let shared = Shared { is_full, ..Shared::default() };
    let quarantine = Some(Quarantine::new(shared.clone()));
    let engine = Engine::new(Kinesis::json::<Order>(), handle, &Config::default()).with_quarantine(quarantine);
    let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO);
    let invocation = InvocationContext { request_id: "r-1", function_arn: "arn:aws:lambda:x", deadline };
    let report = engine.process(event.as_bytes(), &invocation).await;
    let entries = shared.sink.entries();
    (report, entries.iter().map(|entry| (entry.id.clone(), serde_json::from_str(&entry.body).unwrap())).collect())
}

fn named(report: &BatchReport) -> Vec<&str> {
    let failures = &report.response.as_ref().unwrap().batch_item_failures;
    failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

#[tokio::test]
async fn an_invalid_record_goes_to_the_sink_at_once_and_its_batch_goes_on() {
    let amounts = [("a", r#"{"amount":1}"#), ("b", r#"{"amount":-1}"#), ("c", "no json"), ("d", r#"{"amount":2}"#)];
    let event = testkit::kinesis_event(amounts);
    let (report, entries) = process(&event, false).await;
    assert!(named(&report).is_empty());
    assert_eq!((report.handled, report.quarantined, report.invalid(), report.failed()), (2, 2, 2, 0));
    let ids: Vec<&str> = entries.iter().map(|(id, _)| id.as_str()).collect();
    let id = |number: u8| format!("{}/shardId-000000000006/{number}", testkit::STREAM_ARN);
    assert_eq!(ids, [id(2), id(3)]);

    let envelope = &entries[0].1;
    let whole: Value = serde_json::from_str(&event).unwrap();
    assert_eq!(envelope["event"], whole["Records"][1], "the record exactly as it came");
    assert_eq!((&envelope["type"], &envelope["source"]["sequenceNumber"]), (&"record".into(), &"2".into()));
    assert_eq!((&envelope["source"]["key"], &envelope["source"]["arrival"]), (&"b".into(), &1_767_225_600.5.into()));
    assert_eq!(envelope["failure"]["reason"], "`amount` is negative");
    assert_eq!(envelope["failure"]["requestId"], "r-1");
}

#[tokio::test]
async fn only_invalid_records_go_there() {
    let event = testkit::kinesis_event([("a", r#"{"amount":1}"#), ("b", r#"{"amount":0}"#), ("c", r#"{"amount":-1}"#)]);
    let (report, entries) = process(&event, false).await;
    assert_eq!((named(&report), entries.len()), (vec!["2"], 0));
}

#[tokio::test]
async fn a_record_that_the_sink_refuses_is_retried() {
    let event = testkit::kinesis_event([("a", r#"{"amount":1}"#), ("b", r#"{"amount":-1}"#), ("c", r#"{"amount":1}"#)]);
    let (report, _) = process(&event, true).await;
    assert_eq!((named(&report), report.quarantined, report.failed()), (vec!["2"], 0, 1));
    assert_eq!(report.invalid(), 1, "an outage of the sink must not hide what is wrong with the records");
    let error = &report.failures[0].error;
    assert_eq!(error.kind(), RecordErrorKind::Retryable);
    assert!(error.to_string().contains("`amount` is negative") && error.to_string().contains("it is full"), "{error}");
}

#[tokio::test]
async fn of_an_aggregate_only_the_invalid_part_goes_there_as_a_record_of_its_own() {
    let part = |key: &'static str, data: &'static str| SubRecord {
        partition_key: key,
        explicit_hash_key: None,
        data: data.as_bytes(),
    };
    let packed =
        aggregate(&[part("x", r#"{"amount":1}"#), part("y", r#"{"amount":-1}"#), part("z", r#"{"amount":2}"#)]);
    let event = testkit::kinesis_event([("outer", packed)]);
    let (report, entries) = process(&event, false).await;
    assert!(named(&report).is_empty());
    assert_eq!((report.records, report.handled, report.quarantined, entries.len()), (1, 2, 1, 1));
    let (id, envelope) = &entries[0];
    assert_eq!(*id, format!("{}/shardId-000000000006/1/1", testkit::STREAM_ARN));
    assert_eq!(envelope["source"]["subSequenceNumber"], 1);
    assert_eq!((&envelope["source"]["key"], &envelope["event"]["kinesis"]["partitionKey"]), (&"y".into(), &"y".into()));
    let data = base64_simd::STANDARD.encode_to_string(r#"{"amount":-1}"#);
    assert_eq!(envelope["event"]["kinesis"]["data"], data, "a replay delivers the part and not its neighbours");
    assert_eq!(envelope["event"]["kinesis"]["sequenceNumber"], "1");
}

#[tokio::test]
async fn a_record_without_a_name_cannot_go_there() {
    let mut nameless = testkit::kinesis_record("1", "k", r#"{"amount":-1}"#);
    nameless["kinesis"]["sequenceNumber"] = Value::Null;
    let (report, entries) = process(&testkit::event(vec![nameless]), false).await;
    assert!(report.response.is_err() && entries.is_empty());
    let mut without_data = testkit::kinesis_record("1", "k", "");
    without_data["kinesis"].as_object_mut().unwrap().remove("data");
    let (report, entries) = process(&testkit::event(vec![without_data.clone()]), false).await;
    assert_eq!((named(&report).len(), &entries[0].1["event"]), (0, &without_data), "one without data can");
}

/// Never ends.
struct Silent;

impl Sink for Silent {
    async fn write(&self, _: &[SinkEntry]) -> Result<(), SinkError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_sink_has_half_of_the_time_and_never_more_than_its_bound() {
    for (seconds, bound_ms) in [(4, 2_000), (900, 5_000)] {
        let started = Instant::now();
        let deadline = Deadline::after(Duration::from_secs(seconds), Duration::ZERO);
        let engine = Engine::new(Kinesis::json::<Order>(), handle, &Config::default());
        let engine = engine.with_quarantine(Some(Quarantine::new(Silent)));
        let event = testkit::kinesis_event([("a", r#"{"amount":-1}"#), ("b", r#"{"amount":1}"#)]);
        let report = engine.process(event.as_bytes(), &InvocationContext::until(deadline)).await;
        assert_eq!((named(&report), report.invalid(), report.handled), (vec!["1"], 1, 0));
        assert_eq!(started.elapsed().as_millis(), bound_ms);
        let error = &report.failures[0].error;
        assert_eq!(error.kind(), RecordErrorKind::Retryable);
        assert!(error.to_string().contains(&format!("did not answer within {bound_ms} ms")), "{error}");
    }
}
