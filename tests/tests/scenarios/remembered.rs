//! What was handled behind a checkpoint, and comes again: the real processors remember it, as long as they live.

use partial_batch::testkit;
use records::StreamKind;
use rustix::process::{Pid, Signal, kill_process};
use scenarios::{ClosedEndpoint, Observed, TestFunction, named, order_record, packed_orders, processor_with};
use serde_json::{Value, json};
use std::time::Duration;

const KINDS: [StreamKind; 2] = [StreamKind::Kinesis, StreamKind::DynamoDb];

const GOOD: f64 = 20.0;
const BAD: f64 = -20.0;

async fn concurrent(kind: StreamKind, more: Vec<(String, String)>) -> TestFunction {
    let mut environment = more;
    environment.push(("CONCURRENCY".to_owned(), "4".to_owned()));
    processor_with(kind, environment).await.unwrap()
}

fn variable(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

/// A good record, an aggregated one with the third part as given, and another good one: 1, 2 and 3.
fn with_third_part(amount: f64) -> String {
    let plain = |number| order_record(StreamKind::Kinesis, number, "o-1", GOOD);
    let packed = packed_orders(&[("o-1", GOOD), ("o-2", GOOD), ("o-3", amount), ("o-4", GOOD)]);
    testkit::event(vec![plain("1"), testkit::kinesis_record("2", "packed", packed), plain("3")])
}

/// The same from the aggregated record on, as Lambda delivers it after the response has named it.
fn rest_with_third_part(amount: f64) -> String {
    let mut event: Value = serde_json::from_str(&with_third_part(amount)).unwrap();
    event["Records"].as_array_mut().unwrap().remove(0);
    event.to_string()
}

#[track_caller]
fn assert_counts(observed: &Observed, names: &[&str], handled: u64, remembered: u64) {
    assert_eq!(observed.response, Ok(named(names)), "{:#?}", observed.lines);
    let counts = (&observed.done["RecordsHandled"], &observed.done["RecordsRemembered"]);
    assert_eq!(counts, (&json!(handled), &json!(remembered)), "{:#?}", observed.lines);
}

#[tokio::test]
async fn parts_that_were_handled_are_not_handled_again() {
    let processor = concurrent(StreamKind::Kinesis, Vec::new()).await;
    let first = processor.observe(with_third_part(BAD)).await.unwrap();
    assert_counts(&first, &["2"], 3, 0);
    assert_eq!(first.failures[0].get("record.attempt"), Some(&json!(1)));
    // It fails again: the two parts before it are known, the one behind it was never started.
    for attempt in [2, 3] {
        let again = processor.observe(rest_with_third_part(BAD)).await.unwrap();
        assert_counts(&again, &["2"], 0, 2);
        assert_eq!(again.failures[0]["record.attempt"], attempt, "{}", again.failures[0]);
        assert_eq!((again.pid, &again.done["RecordsFailed"]), (first.pid, &json!(1)));
    }
    // What made it fail is over: the rest is handled, and nothing but the rest.
    let last = processor.observe(rest_with_third_part(GOOD)).await.unwrap();
    assert_counts(&last, &[], 3, 2);
    assert_eq!(last.done["BatchSuccessRate"], 100);
    assert_eq!(last.done["ProcessingLatency"].as_array().unwrap().len(), 3, "what was skipped took no time");
}

#[tokio::test]
async fn what_stands_before_the_checkpoint_is_not_remembered() {
    // Lambda does not deliver it again after a partial response. Where it does, it has its reasons.
    let processor = concurrent(StreamKind::Kinesis, Vec::new()).await;
    assert_counts(&processor.observe(with_third_part(BAD)).await.unwrap(), &["2"], 3, 0);
    assert_counts(&processor.observe(with_third_part(BAD)).await.unwrap(), &["2"], 1, 2);
}

#[tokio::test]
async fn a_record_of_the_same_number_elsewhere_is_another_record() {
    let processor = concurrent(StreamKind::Kinesis, Vec::new()).await;
    assert_counts(&processor.observe(rest_with_third_part(BAD)).await.unwrap(), &["2"], 2, 0);
    for (from, to) in [
        ("shardId-000000000006:", "shardId-000000000007:"),
        (":stream/orders", ":stream/returns"),
        (r#""sequenceNumber":"2""#, r#""sequenceNumber":"20""#),
    ] {
        let elsewhere = rest_with_third_part(GOOD).replace(from, to);
        assert_ne!(elsewhere, rest_with_third_part(GOOD));
        assert_counts(&processor.observe(elsewhere).await.unwrap(), &[], 5, 0);
    }
    // Nor is a record that is no aggregate any more one of its parts.
    let plain = testkit::event(vec![order_record(StreamKind::Kinesis, "2", "o-1", GOOD)]);
    assert_counts(&processor.observe(plain).await.unwrap(), &[], 1, 0);
}

#[tokio::test]
async fn with_skip_handled_off_everything_is_handled_again() {
    let processor = concurrent(StreamKind::Kinesis, variable("SKIP_HANDLED", "off")).await;
    for attempt in 1..=3 {
        let observed = processor.observe(rest_with_third_part(BAD)).await.unwrap();
        assert_counts(&observed, &["2"], 2, 0);
        assert_eq!(observed.failures[0]["record.attempt"], attempt, "failures are counted all the same");
    }
    assert_counts(&processor.observe(rest_with_third_part(GOOD)).await.unwrap(), &[], 5, 0);
}

#[tokio::test]
async fn a_process_that_was_killed_knows_nothing_and_loses_nothing() {
    let processor = concurrent(StreamKind::Kinesis, Vec::new()).await;
    let first = processor.observe(with_third_part(BAD)).await.unwrap();
    assert_counts(&first, &["2"], 3, 0);
    kill_process(Pid::from_raw(i32::try_from(first.pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    // The host may not have noticed yet: an invocation that meets the death is a function error, and Lambda tries again.
    let again = match processor.observe(rest_with_third_part(GOOD)).await {
        Ok(again) => again,
        Err(_) => processor.observe(rest_with_third_part(GOOD)).await.unwrap(),
    };
    assert_ne!(again.pid, first.pid);
    assert_counts(&again, &[], 5, 0);
}

/// Three keys. The first record of `a` waits for a sink that is not there, while the others go on.
fn with_first(kind: StreamKind, amount: f64) -> String {
    let record = |number, key, amount| order_record(kind, number, key, amount);
    testkit::event(vec![
        record("1", "a", amount),
        record("2", "b", GOOD),
        record("3", "a", GOOD),
        record("4", "c", GOOD),
        record("5", "b", GOOD),
    ])
}

#[tokio::test]
async fn other_keys_go_on_beside_a_record_that_waits_and_are_not_handled_again() {
    for kind in KINDS {
        let sink = ClosedEndpoint::new().unwrap();
        let processor = concurrent(kind, sink.environment().unwrap()).await;
        let first = processor.observe(with_first(kind, BAD)).await.unwrap();
        assert_counts(&first, &["1"], 3, 0);
        assert_eq!(first.done["batch.passed"], 0, "nothing of it is passed, though three are done");
        let again = processor.observe(with_first(kind, BAD)).await.unwrap();
        assert_counts(&again, &["1"], 0, 3);
        let last = processor.observe(with_first(kind, GOOD)).await.unwrap();
        assert_counts(&last, &[], 2, 3);
        assert_eq!(last.pid, first.pid);
    }
}

#[tokio::test]
async fn one_at_a_time_nothing_goes_on_beside_a_record_that_waits() {
    for kind in KINDS {
        let sink = ClosedEndpoint::new().unwrap();
        let processor = processor_with(kind, sink.environment().unwrap()).await.unwrap();
        assert_counts(&processor.observe(with_first(kind, BAD)).await.unwrap(), &["1"], 0, 0);
        assert_counts(&processor.observe(with_first(kind, GOOD)).await.unwrap(), &[], 5, 0);
    }
}

#[tokio::test]
async fn thousands_behind_a_checkpoint_are_not_handled_again() {
    for kind in KINDS {
        let sink = ClosedEndpoint::new().unwrap();
        let processor = concurrent(kind, sink.environment().unwrap()).await.with_timeout(Duration::from_secs(30));
        let event = |first| {
            let record = |number: usize| {
                let (number, amount) = (number.to_string(), if number == 0 { first } else { GOOD });
                order_record(kind, &number, &format!("o-{number}"), amount)
            };
            testkit::event((0..3_000).map(record).collect())
        };
        assert_counts(&processor.observe(event(BAD)).await.unwrap(), &["0"], 2_999, 0);
        assert_counts(&processor.observe(event(GOOD)).await.unwrap(), &[], 1, 2_999);
    }
}
