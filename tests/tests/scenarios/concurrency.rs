//! How many records the real processors have under way at once, and which.
//!
//! The example handler never waits. A quarantine whose sink is silent does: each record that is under way has a connection.

use partial_batch::testkit;
use records::StreamKind;
use scenarios::{SilentEndpoint, named, order, order_record, packed_orders, processor_with, table_record};
use serde_json::{Value, json};
use std::time::Duration;

const KINDS: [StreamKind; 2] = [StreamKind::Kinesis, StreamKind::DynamoDb];

const BAD: f64 = -20.0;

/// Hands over records that are all invalid, and asserts how many are under way at the deadline. The response names the
/// lowest.
async fn check(kind: StreamKind, concurrency: Option<&str>, event: String, under_way: usize) {
    let sink = SilentEndpoint::start().await.unwrap();
    let mut environment = sink.environment();
    environment.extend(concurrency.map(|number| ("CONCURRENCY".to_owned(), number.to_owned())));
    let processor = processor_with(kind, environment).await.unwrap().with_timeout(Duration::from_secs(3));
    let observed = processor.observe(event).await.unwrap();
    assert_eq!(observed.response, Ok(named(&["1"])), "{kind:?} {concurrency:?}: {:#?}", observed.lines);
    assert_eq!(sink.connections(), under_way, "{kind:?} {concurrency:?}: {:#?}", observed.lines);
    assert_eq!(observed.failures.len(), under_way, "one line for each: {:#?}", observed.lines);
}

fn of_keys(kind: StreamKind, keys: [&str; 5]) -> String {
    let numbered = ["1", "2", "3", "4", "5"].into_iter().zip(keys);
    testkit::event(numbered.map(|(number, key)| order_record(kind, number, key, BAD)).collect())
}

#[tokio::test]
async fn keys_run_side_by_side_and_never_more_than_asked_for() {
    for kind in KINDS {
        let apart = || of_keys(kind, ["a", "b", "c", "d", "e"]);
        let one = check(kind, None, apart(), 1);
        tokio::join!(one, check(kind, Some("3"), apart(), 3), check(kind, Some("1000"), apart(), 5));
    }
}

#[tokio::test]
async fn records_of_one_key_wait_for_each_other() {
    for kind in KINDS {
        let one_key = check(kind, Some("4"), of_keys(kind, ["a", "a", "a", "a", "a"]), 1);
        tokio::join!(one_key, check(kind, Some("4"), of_keys(kind, ["a", "a", "b", "a", "b"]), 2));
    }
}

#[tokio::test]
async fn a_key_of_a_table_is_one_however_it_is_written() {
    let with_keys = |keys: [&str; 2]| {
        let mut record = table_record("1", "INSERT", &order("o-1", BAD), &Value::Null);
        record["dynamodb"]["Keys"] = json!("KEYS");
        let mut second = record.clone();
        second["dynamodb"]["SequenceNumber"] = json!("2");
        let event = testkit::event(vec![record, second]);
        keys.into_iter().fold(event, |event, keys| event.replacen("\"KEYS\"", keys, 1))
    };
    let one = r#"{"a":{"S":"x"},"b":{"N":"1"}}"#;
    let beside = |other, under_way| check(StreamKind::DynamoDb, Some("4"), with_keys([one, other]), under_way);
    tokio::join!(
        beside(r#"{ "b": {"N" :"1"}, "a": {"S":"\u0078"} }"#, 1),
        beside(r#"{"a":{"S":"x"},"b":{"N":"2"}}"#, 2),
        beside(r#"{"a":{"S":"x"},"b":{"S":"1"}}"#, 2),
    );
}

#[tokio::test]
async fn the_key_of_a_part_counts_and_not_that_of_its_record() {
    let kind = StreamKind::Kinesis;
    let packed = |number: &str, key: &str, parts: [&str; 3]| {
        testkit::kinesis_record(number, key, packed_orders(&parts.map(|part| (part, BAD))))
    };
    let apart = testkit::event(vec![packed("1", "packed", ["a", "b", "c"])]);
    let shared = testkit::event(vec![packed("1", "one", ["a", "a", "a"]), packed("2", "other", ["a", "b", "a"])]);
    tokio::join!(check(kind, Some("4"), apart, 3), check(kind, Some("4"), shared, 2));
}
