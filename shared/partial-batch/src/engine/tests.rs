//! Batches in which one thing is unusual.

use super::*;
use crate::{Kinesis, RecordContext, RecordErrorKind, testkit};
use records::kpl::{SubRecord, aggregate};
use serde_json::{Value, json};
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::time::Duration;

type Seen = RefCell<Vec<String>>;

fn config(concurrency: usize) -> Config {
    Config { concurrency: NonZeroUsize::new(concurrency).unwrap(), ..Config::default() }
}

fn until(seconds: u64) -> InvocationContext<'static> {
    InvocationContext::until(Deadline::after(Duration::from_secs(seconds), Duration::ZERO))
}

/// Records with the numbers 1, 2, 3 and so on, each with a key.
fn event(keys: &[&str]) -> String {
    testkit::kinesis_event(keys.iter().map(|key| (*key, "{}")))
}

/// Which record, in short: its number, and the part of it.
fn name(context: &RecordContext<'_>) -> String {
    let sub = context.id().sub_sequence_number;
    sub.map_or(context.sequence_number().to_owned(), |sub| format!("{}.{sub}", context.sequence_number()))
}

fn response<R: serde::Serialize>(report: &BatchReport<R>) -> String {
    match &report.response {
        Ok(response) => serde_json::to_string(response).unwrap(),
        Err(error) => error.to_string(),
    }
}

fn names(number: &str) -> String {
    format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{number}"}}]}}"#)
}

const NOTHING: &str = r#"{"batchItemFailures":[]}"#;

/// A handler that notes each record, waits for `seconds`, and answers what `outcome` says.
macro_rules! handler {
    ($seen:expr, $seconds:expr, $outcome:expr) => {
        async |_: &[u8], context: RecordContext<'_>| {
            let name = name(&context);
            $seen.borrow_mut().push(name.clone());
            let seconds: u64 = $seconds(name.as_str());
            if seconds > 0 {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            $outcome(name.as_str())
        }
    };
}

fn at_once(_: &str) -> u64 {
    0
}

fn fails(bad: &'static str) -> impl Fn(&str) -> Result<(), RecordError> {
    move |name| if name == bad { Err(RecordError::invalid("bad")) } else { Ok(()) }
}

#[tokio::test]
async fn a_good_batch_is_handled_in_order_and_names_nothing() {
    let seen = Seen::default();
    let engine = Engine::new(Kinesis::raw(), handler!(seen, at_once, fails("-")), &config(1));
    let report = engine.process(event(&["a", "b", "c"]).as_bytes(), &until(60)).await;
    assert_eq!((report.handled, report.passed, response(&report).as_str()), (3, 3, NOTHING));
    assert_eq!(*seen.borrow(), ["1", "2", "3"]);
    assert_eq!(report.stream.as_deref(), Some(testkit::STREAM_ARN));
    assert_eq!(report.latencies.count(), 3);
    let report = engine.process(br#"{"Records":[]}"#, &until(60)).await;
    assert_eq!((report.records, response(&report).as_str()), (0, NOTHING), "an empty batch is handled");
}

#[tokio::test]
async fn a_poison_record_stops_the_checkpoint_before_it() {
    let seen = Seen::default();
    let engine = Engine::new(Kinesis::raw(), handler!(seen, at_once, fails("2")), &config(1));
    let report = engine.process(event(&["a", "b", "c"]).as_bytes(), &until(60)).await;
    assert_eq!((report.handled, report.failed(), report.invalid(), response(&report)), (1, 1, 1, names("2")));
    assert_eq!(*seen.borrow(), ["1", "2"], "nothing behind the failure is started");
}

#[tokio::test]
async fn a_panic_is_one_records_failure_wherever_it_is() {
    let panics = |name: &str| -> Result<(), RecordError> {
        assert!(name != "2", "a bug");
        Ok(())
    };
    let seen = Seen::default();
    for concurrency in [1, 8] {
        let engine = Engine::new(Kinesis::raw(), handler!(seen, at_once, panics), &config(concurrency));
        let report = engine.process(event(&["a", "b", "c"]).as_bytes(), &until(60)).await;
        assert_eq!(report.failures[0].error.kind(), RecordErrorKind::Panicked);
        assert_eq!(response(&report), names("2"));
    }
}

#[tokio::test(start_paused = true)]
async fn keys_run_side_by_side_and_what_runs_at_a_failure_is_finished() {
    let seen = Seen::default();
    // 1 takes long; 2 fails while 1 and 3 run; 4 waits for 1; 5 is not started.
    let seconds = |name: &str| match name {
        "1" | "3" => 5,
        "2" => 1,
        _ => 0,
    };
    let engine = Engine::new(Kinesis::raw(), handler!(seen, seconds, fails("2")), &config(3));
    let started = tokio::time::Instant::now();
    let report = engine.process(event(&["a", "b", "c", "a", "d"]).as_bytes(), &until(60)).await;
    assert_eq!(*seen.borrow(), ["1", "2", "3"]);
    assert_eq!((report.handled, response(&report)), (2, names("2")), "the checkpoint is before the failure");
    assert_eq!(started.elapsed().as_secs(), 5, "three at once, and all finished");

    let again = testkit::event(vec![record("2", "b"), record("3", "c"), record("4", "a"), record("5", "d")]);
    seen.borrow_mut().clear();
    let report = engine.process(again.as_bytes(), &until(60)).await;
    assert_eq!(*seen.borrow(), ["2", "4", "5"], "3 was handled behind the checkpoint, and is not handled twice");
    assert_eq!((report.remembered, response(&report)), (1, names("2")));
    assert_eq!(report.failures[0].attempt, 2);
}

fn record(number: &str, key: &str) -> Value {
    testkit::kinesis_record(number, key, "{}")
}

#[tokio::test(start_paused = true)]
async fn what_waits_before_the_failure_is_still_started() {
    let seen = Seen::default();
    let seconds = |name: &str| if name == "1" { 5 } else { 0 };
    let engine = Engine::new(Kinesis::raw(), handler!(seen, seconds, fails("3")), &config(3));
    let report = engine.process(event(&["a", "a", "b", "a"]).as_bytes(), &until(60)).await;
    assert_eq!(*seen.borrow(), ["1", "3", "2"], "2 waits for 1 and stands before 3, 4 behind it");
    assert_eq!((report.passed, response(&report)), (2, names("3")));
}

#[tokio::test(start_paused = true)]
async fn two_records_under_one_number_are_not_taken_for_each_other() {
    let seen = Seen::default();
    let seconds = |name: &str| u64::from(name == "1");
    let engine = Engine::new(Kinesis::raw(), handler!(seen, seconds, fails("1")), &config(2));
    let event = testkit::event(vec![record("1", "a"), record("2", "b"), record("2", "a")]);
    for _ in 0..2 {
        let report = engine.process(event.as_bytes(), &until(60)).await;
        assert_eq!((report.remembered, response(&report)), (0, names("1")), "the third was never handled");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_wants_every_delivery_gets_it() {
    let seen = Seen::default();
    let seconds = |name: &str| u64::from(name == "1");
    let every = Config { skip_handled: false, ..config(2) };
    let engine = Engine::new(Kinesis::raw(), handler!(seen, seconds, fails("1")), &every);
    for _ in 0..2 {
        engine.process(event(&["a", "b"]).as_bytes(), &until(60)).await;
    }
    assert_eq!(*seen.borrow(), ["1", "2", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn the_guard_cancels_what_runs_over_and_a_slow_batch_becomes_progress() {
    let seen = Seen::default();
    let seconds = |name: &str| if name == "2" { 100 } else { 1 };
    let engine = Engine::new(Kinesis::raw(), handler!(seen, seconds, fails("-")), &config(1));
    let started = tokio::time::Instant::now();
    let deadline = Deadline::after(Duration::from_secs(10), Duration::from_secs(1));
    let report = engine.process(event(&["a", "b", "c"]).as_bytes(), &InvocationContext::until(deadline)).await;
    assert_eq!(started.elapsed().as_secs(), 9, "one second before Lambda's deadline");
    assert_eq!((report.passed, response(&report)), (1, names("2")));
    assert_eq!(report.failures[0].error.kind(), RecordErrorKind::DeadlineExceeded, "1 took its time too");

    let again = testkit::event(vec![record("2", "b"), record("3", "c")]);
    let report = engine.process(again.as_bytes(), &InvocationContext::until(later(9))).await;
    assert_eq!(report.failures[0].error.kind(), RecordErrorKind::TooSlow, "alone in a whole invocation");
    assert_eq!(response(&report), names("2"));
}

fn later(seconds: u64) -> Deadline {
    Deadline::after(Duration::from_secs(seconds), Duration::ZERO)
}

#[tokio::test(start_paused = true)]
async fn no_record_is_started_after_the_deadline_and_none_of_those_is_a_failure() {
    let seen = Seen::default();
    let engine = Engine::new(Kinesis::raw(), handler!(seen, |_: &str| 9, fails("-")), &config(1));
    let report = engine.process(event(&["a", "b"]).as_bytes(), &InvocationContext::until(later(9))).await;
    assert_eq!((seen.borrow().len(), report.passed, report.failed()), (1, 1, 0));
    assert_eq!(response(&report), names("2"));
    let report = engine.process(event(&["a"]).as_bytes(), &InvocationContext::until(later(0))).await;
    assert_eq!((report.passed, response(&report)), (0, names("1")));
}

#[tokio::test(start_paused = true)]
async fn side_by_side_the_guard_cancels_all_and_keeps_what_is_done() {
    let seen = Seen::default();
    let seconds = |name: &str| if name == "1" { 100 } else { 1 };
    let engine = Engine::new(Kinesis::raw(), handler!(seen, seconds, fails("-")), &config(2));
    let report = engine.process(event(&["a", "b", "c", "a"]).as_bytes(), &InvocationContext::until(later(10))).await;
    assert_eq!((report.handled, report.passed, response(&report)), (2, 0, names("1")));
    assert_eq!(report.failures.len(), 1, "4 waits for 1 and was never started");
    assert_eq!(report.failures[0].error.kind(), RecordErrorKind::TooSlow);
    let slowest = report.latencies.values_ms().into_iter().fold(0.0, f64::max);
    assert_eq!((report.latencies.count(), slowest), (3, 10_000.0), "the one that was cancelled took the longest");
    seen.borrow_mut().clear();
    let report = engine.process(event(&["a", "b", "c", "a"]).as_bytes(), &InvocationContext::until(later(10))).await;
    assert_eq!((report.remembered, seen.borrow().as_slice()), (2, &["1".to_owned()][..]));
}

#[tokio::test]
async fn a_record_without_a_sequence_number_keeps_the_progress_before_it() {
    let seen = Seen::default();
    for number in [Value::Null, json!(""), json!(7), json!("seven"), json!(["8"])] {
        let mut nameless = record("2", "b");
        nameless["kinesis"]["sequenceNumber"] = number;
        let engine = Engine::new(Kinesis::raw(), handler!(seen, at_once, fails("-")), &config(1));
        let event = testkit::event(vec![record("1", "a"), nameless.clone(), record("3", "c")]);
        seen.borrow_mut().clear();
        let report = engine.process(event.as_bytes(), &until(60)).await;
        assert_eq!(*seen.borrow(), ["1"], "what cannot be named is not handled");
        assert_eq!((report.passed, response(&report)), (1, names("1")));
        let report = engine.process(event.as_bytes(), &until(60)).await;
        assert_eq!(report.remembered, 1, "1 comes again only because 2 has no name: it is not handled twice");

        let event = testkit::event(vec![nameless, record("3", "c")]);
        let report = engine.process(event.as_bytes(), &until(60)).await;
        let error = report.response.unwrap_err().to_string();
        assert!(error.contains("record 0") && error.contains("kinesis.sequenceNumber"), "{error}");
    }
}

#[tokio::test]
async fn an_event_that_is_no_batch_is_a_function_error() {
    let seen = Seen::default();
    let engine = Engine::new(Kinesis::raw(), handler!(seen, at_once, fails("-")), &config(1));
    let trailing = format!("{}xx", event(&["a"]));
    for event in ["", "not json", "{}", "[]", "[[]]", r#"{"Records":{}}"#, r#"{"Records":[],"Records":[]}"#, &trailing]
    {
        let report = engine.process(event.as_bytes(), &until(60)).await;
        let error = report.response.unwrap_err().to_string();
        assert!(error.contains(r#"expected a JSON event `{"Records":[...]}`"#), "{event}: {error}");
    }
    assert!(seen.borrow().is_empty());
}

fn packed(parts: &[(&'static str, &'static str)]) -> Vec<u8> {
    let sub_record = |(key, data): &(&'static str, &'static str)| SubRecord {
        partition_key: key,
        explicit_hash_key: None,
        data: data.as_bytes(),
    };
    aggregate(&parts.iter().map(sub_record).collect::<Vec<_>>())
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_fails_its_record_and_the_parts_before_it_are_not_handled_twice() {
    let seen = Seen::default();
    let data = packed(&[("a", "x"), ("b", "y"), ("c", "z")]);
    let event = testkit::kinesis_event([("k", b"{}".as_slice()), ("k", &data), ("k", b"{}")]);
    let engine = Engine::new(Kinesis::raw(), handler!(seen, at_once, fails("2.1")), &config(1));
    let report = engine.process(event.as_bytes(), &until(60)).await;
    assert_eq!(*seen.borrow(), ["1", "2.0", "2.1"]);
    assert_eq!((report.records, report.handled, report.passed, response(&report)), (3, 2, 1, names("2")));
    assert_eq!(report.failures[0].sub_sequence_number, Some(1));
    seen.borrow_mut().clear();
    engine.process(event.as_bytes(), &until(60)).await;
    assert_eq!(*seen.borrow(), ["1", "2.1"], "1 is before the checkpoint, and not remembered");

    seen.borrow_mut().clear();
    let engine = Engine::new(Kinesis::raw().with_kpl(false), handler!(seen, at_once, fails("-")), &config(1));
    engine.process(event.as_bytes(), &until(60)).await;
    assert_eq!(*seen.borrow(), ["1", "2", "3"], "left alone");
}

#[tokio::test(start_paused = true)]
async fn parts_are_ordered_by_their_own_keys() {
    let seen = Seen::default();
    let data = packed(&[("a", "x"), ("b", "y")]);
    let event = testkit::kinesis_event([("a", b"{}".as_slice()), ("outer", &data), ("b", b"{}")]);
    let seconds = |name: &str| if name == "1" { 5 } else { 1 };
    let engine = Engine::new(Kinesis::raw(), handler!(seen, seconds, fails("-")), &config(9));
    let report = engine.process(event.as_bytes(), &until(60)).await;
    assert_eq!(*seen.borrow(), ["1", "2.1", "3", "2.0"], "2.0 waits for 1, 3 for 2.1");
    assert_eq!(response(&report), NOTHING);
}

#[tokio::test]
async fn an_aggregate_of_nothing_is_handled() {
    let seen = Seen::default();
    let event = testkit::kinesis_event([("k", packed(&[("a", "x")]).as_slice()), ("k", b"{}")]);
    let empty = event.replace(&base64_simd::STANDARD.encode_to_string(packed(&[("a", "x")])), &empty_aggregate());
    let engine = Engine::new(Kinesis::raw(), handler!(seen, at_once, fails("-")), &config(1));
    let report = engine.process(empty.as_bytes(), &until(60)).await;
    assert_eq!((seen.borrow().as_slice(), report.passed), (&["2".to_owned()][..], 2));
}

/// A key table and no records, as base64.
fn empty_aggregate() -> String {
    "84mawgoBYQ2m+Zin4xK49SNe7rKFSXs=".to_owned()
}

#[tokio::test]
async fn a_record_that_is_handled_in_the_end_is_forgotten_with_its_failures() {
    let seen = Seen::default();
    let is_bad = Cell::new(true);
    let outcome = |name: &str| if is_bad.get() { fails("1")(name) } else { Ok(()) };
    let handler = handler!(seen, at_once, outcome);
    let engine = Engine::new(Kinesis::raw(), handler, &config(1));
    let event = event(&["a", "b"]);
    for (bad, is_empty) in [(true, false), (false, true)] {
        is_bad.set(bad);
        engine.process(event.as_bytes(), &until(60)).await;
        assert_eq!(engine.memory.borrow().is_empty(), is_empty, "nobody has to ask a memory that is empty");
    }
}

#[tokio::test]
async fn a_handler_knows_its_record() {
    let known = Cell::new(false);
    let handler = async |data: &[u8], context: RecordContext<'_>| {
        assert_eq!(data, b"payload");
        assert_eq!(context.key(), "customer-1");
        assert_eq!(context.arrival(), Some(records::EpochMillis(1_767_225_600_500)));
        assert_eq!(context.id().to_string(), format!("{}/shardId-000000000006/1", testkit::STREAM_ARN));
        assert_eq!(context.attempt(), known.get().then_some(2), "not known the first time");
        known.set(true);
        assert!(!context.deadline().is_reached());
        Err(RecordError::retryable("try again"))
    };
    let engine = Engine::new(Kinesis::raw(), handler, &config(1));
    let event = testkit::kinesis_event([("customer-1", "payload")]);
    for attempt in 1..=2 {
        let report = engine.process(event.as_bytes(), &until(60)).await;
        assert_eq!(report.failures[0].error.to_string(), "try again", "an assertion of the handler failed");
        assert_eq!(report.failures[0].attempt, attempt);
    }
}
