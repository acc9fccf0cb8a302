//! A shard of the model on a script, recorded.

use super::*;
use event_source_mapping::{BareRecord, Input, Mapping, Response, SettingsBuilder, Timing};

const KINESIS: StreamKind = StreamKind::Kinesis;

fn number(number: u64) -> SequenceNumber {
    SequenceNumber::parse(&number.to_string()).unwrap()
}

fn shard_id() -> ShardId {
    ShardId::parse("shardId-7").unwrap()
}

fn settings() -> SettingsBuilder {
    event_source_mapping::Settings::builder("arn:aws:kinesis:us-east-1:111122223333:stream/orders", "orders")
        .on_failure("arn:aws:sqs:us-east-1:111122223333:failed")
        .maximum_retry_attempts(0)
}

/// Runs a closed shard of four records, numbered from 11, and returns the recorder.
fn recorded(settings: SettingsBuilder, function: impl Fn(&[u64]) -> FunctionResult) -> Recorder {
    let recorder = Recorder::new(EpochMillis(5000));
    let mut mapping: Mapping<BareRecord> = Mapping::new(settings.build().unwrap(), Timing::default());
    let shard = mapping.add_shard(shard_id());
    let (mut now, mut input) = (EpochMillis(5000), Input::Tick);
    loop {
        let action = shard.step(now, input);
        recorder.acts(KINESIS, shard, &action);
        input = match action {
            Action::Poll { .. } => {
                let record = |n| BareRecord {
                    sequence_number: number(n),
                    arrival: EpochMillis(4000),
                    payload_bytes: 100,
                    key_hash: n,
                };
                let records: Vec<_> = (11..=14).map(record).collect();
                for record in &records {
                    recorder.polled(KINESIS, shard.id(), &record.sequence_number, Some(record.arrival));
                }
                Input::Polled { records, end_of_shard: true }
            }
            Action::Invoke(invocation) => {
                let batch = shard.batch(invocation.slot);
                let batch: Vec<u64> =
                    batch.iter().map(|record| record.sequence_number.as_str().parse().unwrap()).collect();
                let result = function(&batch);
                recorder.responded(KINESIS, shard.id(), invocation.slot, &result);
                Response::from(result).to(invocation.slot)
            }
            Action::WaitUntil { time, .. } => {
                now = time;
                Input::Tick
            }
            Action::SendToDestination { slot, .. } => Input::Delivered { slot },
            Action::Split { .. } | Action::Advance { .. } => Input::Tick,
            Action::Finished => return recorder,
        };
    }
}

fn throws_at_12(batch: &[u64]) -> FunctionResult {
    if batch.contains(&12) { FunctionResult::Failed } else { FunctionResult::returned("null") }
}

#[test]
fn pieces_follow_the_batch_that_they_were_cut_from() {
    let timeline = recorded(settings().bisect_batch_on_function_error(true), throws_at_12).timeline();
    let seen: Vec<_> = timeline
        .invocations
        .iter()
        .map(|invocation| {
            (invocation.records[0].first, invocation.records[0].last, invocation.outcome, invocation.follows)
        })
        .collect();
    use InvocationOutcome::{Failed, Handled};
    assert_eq!(
        seen,
        [
            (1, 4, Failed, None),
            (1, 2, Failed, Some(0)),
            (1, 1, Handled, Some(1)),
            (2, 2, Failed, Some(1)),
            (3, 4, Handled, Some(0)),
        ]
    );
    assert_eq!(timeline.splits.iter().map(|split| split.invocation).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(
        (timeline.messages.len(), timeline.messages[0].invocation, timeline.messages[0].delivered),
        (1, Some(3), true)
    );
    assert_eq!(timeline.messages[0].condition, "RetryAttemptsExhausted");
    assert_eq!(timeline.lanes[0].name, "shardId-7");
    assert_eq!((&*timeline.records[1].label, timeline.records[1].arrived_ms), ("12", -1000));
}

#[test]
fn a_partial_response_says_how_far_it_came() {
    let reports = |batch: &[u64]| match batch.contains(&13) {
        true => FunctionResult::reporting(["13"]),
        false => FunctionResult::returned("null"),
    };
    let timeline = recorded(settings().report_batch_item_failures(true), reports).timeline();
    assert_eq!(timeline.invocations[0].outcome, InvocationOutcome::Partial { handled: 2 });
    assert_eq!(timeline.invocations[0].response, r#"{"batchItemFailures":[{"itemIdentifier":"13"}]}"#);
    let fates: Vec<_> = timeline.records.iter().map(|record| record.fate).collect();
    assert_eq!(fates, [Fate::Handled, Fate::Handled, Fate::DeadLettered, Fate::DeadLettered]);
}

#[test]
fn what_comes_back_is_tied_to_its_message_and_counts_once() {
    let recorder = recorded(settings(), throws_at_12);
    for recovered in [11, 12, 12, 14] {
        recorder.accounted(KINESIS, &shard_id(), &number(recovered), false);
    }
    recorder.accounted(KINESIS, &shard_id(), &number(13), true);
    recorder.accounted(KINESIS, &shard_id(), &number(99), true);
    let timeline = recorder.timeline();
    let run = |first, last| Run { first, last };
    let recoveries: Vec<_> =
        timeline.recoveries.iter().map(|entry| (entry.records.clone(), &*entry.verdict, entry.message)).collect();
    assert_eq!(recoveries, [(vec![run(1, 2), run(4, 4)], "recovered", Some(0)), (vec![run(3, 3)], "lost", Some(0))]);
    assert_eq!(timeline.records[2].fate, Fate::Lost);
}

#[test]
fn an_invocation_that_never_arrived_is_told_apart_and_long_answers_are_cut() {
    let recorder = Recorder::new(EpochMillis(0));
    let mapping: Mapping<BareRecord> = Mapping::new(settings().build().unwrap(), Timing::default());
    let mut shard = mapping.open(shard_id());
    let _ = shard.step(EpochMillis(0), Input::Tick);
    let record = BareRecord { sequence_number: number(1), arrival: EpochMillis(0), payload_bytes: 1, key_hash: 0 };
    let action = shard.step(EpochMillis(0), Input::Polled { records: vec![record], end_of_shard: true });
    recorder.acts(KINESIS, &shard, &action);
    recorder.responded(KINESIS, shard.id(), 0, &FunctionResult::Undelivered);
    assert_eq!(recorder.timeline().invocations[0].outcome, InvocationOutcome::Undelivered);
    recorder.responded(KINESIS, shard.id(), 0, &FunctionResult::returned(&"é".repeat(1000)));
    assert_eq!(recorder.timeline().invocations[0].response.chars().count(), RESPONSE_CHARS_MAX);
}
