//! The mapping of a queue with the queue in memory, in virtual time.

use event_source_mapping::sqs::{Queue, Received, SqsAction, SqsInput, SqsMapping, SqsSettings};
use event_source_mapping::{FunctionResult, Timing};
use records::EpochMillis;
use std::sync::Arc;

const VISIBILITY_MS: i64 = 30_000;

fn mapping(more: &str) -> SqsMapping<Received> {
    let json =
        format!(r#"{{"EventSourceArn":"arn:aws:sqs:us-east-1:111122223333:orders","FunctionName":"orders"{more}}}"#);
    SqsMapping::new(Arc::new(SqsSettings::from_json(&json).unwrap()), Timing::default())
}

const REPORTING: &str = r#","FunctionResponseTypes":["ReportBatchItemFailures"]"#;

/// Runs the mapping for a time and returns the bodies of each invocation with its moment.
fn run(
    mapping: &mut SqsMapping<Received>,
    queue: &mut Queue,
    for_ms: i64,
    mut function: impl FnMut(&[Received]) -> FunctionResult,
) -> Vec<(i64, String)> {
    let (mut now, mut input, mut invocations) = (EpochMillis(0), SqsInput::Tick, Vec::new());
    while now.0 < for_ms {
        input = match mapping.step(now, input) {
            SqsAction::Receive { max } => SqsInput::Received(queue.receive(now, max)),
            SqsAction::Invoke { .. } => {
                let bodies = mapping.batch().iter().map(|message| message.body.as_str()).collect();
                invocations.push((now.0, bodies));
                SqsInput::Responded(function(mapping.batch()))
            }
            SqsAction::Delete { .. } => {
                assert!(mapping.batch().iter().all(|message| queue.delete(message.receipt)));
                SqsInput::Deleted
            }
            SqsAction::WaitUntil(time) => {
                now = now.max(time);
                SqsInput::Tick
            }
        };
    }
    invocations
}

fn queue_of(bodies: &str) -> Queue {
    let mut queue = Queue::new(VISIBILITY_MS);
    for body in bodies.chars() {
        queue.send(EpochMillis(0), body);
    }
    queue
}

fn reports<'a>(bad: &'a str) -> impl FnMut(&[Received]) -> FunctionResult + 'a {
    move |batch| {
        let failed = batch.iter().filter(|message| bad.contains(&message.body));
        FunctionResult::reporting(failed.map(|message| message.message_id.as_str()))
    }
}

fn at(invocations: &[(i64, String)]) -> Vec<(i64, &str)> {
    invocations.iter().map(|(time, bodies)| (*time, bodies.as_str())).collect()
}

#[test]
fn handled_messages_are_deleted_and_failed_ones_come_back_after_their_visibility_time_out() {
    let (mut queue, mut mapping) = (queue_of("abcd"), mapping(REPORTING));
    let mut first = true;
    let invocations = run(&mut mapping, &mut queue, 120_000, |batch| {
        if std::mem::take(&mut first) { reports("bd")(batch) } else { FunctionResult::returned("{}") }
    });
    assert_eq!(at(&invocations), [(0, "abcd"), (VISIBILITY_MS, "bd")]);
    assert!(queue.is_empty());
    assert_eq!((mapping.counters().handled_messages, mapping.counters().left_messages), (4, 2));
}

#[test]
fn a_poison_message_ends_in_the_dead_letter_queue_after_its_last_receive() {
    let mut queue = Queue::new(VISIBILITY_MS).with_redrive(3, Queue::new(VISIBILITY_MS));
    queue.send(EpochMillis(-7), "p");
    queue.send(EpochMillis(-6), "a");
    let mut mapping = mapping(REPORTING);
    let invocations = run(&mut mapping, &mut queue, 600_000, reports("p"));
    assert_eq!(at(&invocations), [(0, "pa"), (VISIBILITY_MS, "p"), (2 * VISIBILITY_MS, "p")]);
    assert!(queue.is_empty());
    let dead = queue.dead_letter_queue().unwrap().receive(EpochMillis(600_000), 10);
    assert_eq!(dead.iter().map(|message| (message.body.as_str(), message.sent_at.0)).collect::<Vec<_>>(), [("p", -7)]);
}

#[test]
fn whatever_fails_the_whole_batch_leaves_all_of_it() {
    let returned = FunctionResult::returned;
    for result in [
        FunctionResult::Failed,
        FunctionResult::Undelivered,
        FunctionResult::reporting([""]),
        FunctionResult::reporting(["no such message"]),
        FunctionResult::reporting(["message-0", "no such message"]),
        returned(r#"{"batchItemFailure":[]}"#),
        returned(r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#),
        returned("not json"),
    ] {
        let (mut queue, mut mapping) = (queue_of("ab"), mapping(REPORTING));
        run(&mut mapping, &mut queue, 1000, |_| result.clone());
        assert_eq!((queue.len(), mapping.counters().left_messages), (2, 2), "{result:?}");
    }
}

#[test]
fn a_response_counts_only_when_it_was_asked_for() {
    for (more, left) in [(REPORTING, 2), ("", 0)] {
        let (mut queue, mut mapping) = (queue_of("ab"), mapping(more));
        run(&mut mapping, &mut queue, 1000, reports("ab"));
        assert_eq!(queue.len(), left, "{more}");
    }
    for success in ["null", "{}", "[]", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
        let (mut queue, mut mapping) = (queue_of("ab"), mapping(REPORTING));
        run(&mut mapping, &mut queue, 1000, |_| FunctionResult::returned(success));
        assert!(queue.is_empty(), "{success}");
    }
}

#[test]
fn a_large_batch_is_collected_over_several_receives_and_its_window() {
    let mut queue = queue_of(&"x".repeat(25));
    let mut mapping = mapping(r#","BatchSize":20,"MaximumBatchingWindowInSeconds":5"#);
    let invocations = run(&mut mapping, &mut queue, 20_000, |_| FunctionResult::returned(""));
    let lengths: Vec<_> = invocations.iter().map(|(time, bodies)| (*time, bodies.len())).collect();
    assert_eq!(lengths, [(0, 20), (5000, 5)]);
}

#[test]
fn a_batch_never_exceeds_six_megabytes() {
    let mut queue = Queue::new(VISIBILITY_MS);
    for _ in 0..10 {
        queue.send(EpochMillis(0), "x".repeat(1024 * 1024));
    }
    let invocations = run(&mut mapping(""), &mut queue, 20_000, |_| FunctionResult::returned(""));
    let lengths: Vec<_> = invocations.iter().map(|(_, bodies)| bodies.len() / 1024 / 1024).collect();
    assert_eq!(lengths, [5, 5]);
    assert!(queue.is_empty());
}

#[test]
fn a_foreign_input_changes_nothing() {
    let mut mapping = mapping("");
    let now = EpochMillis(0);
    assert_eq!(mapping.step(now, SqsInput::Tick), SqsAction::Receive { max: 10 });
    for foreign in [SqsInput::Tick, SqsInput::Deleted, SqsInput::Responded(FunctionResult::Failed)] {
        assert_eq!(mapping.step(now, foreign), SqsAction::Receive { max: 10 });
    }
}
