//! Tumbling windows: a state that travels with the batches.

use crate::world::{START, numbers, record, settings};
use event_source_mapping::virtual_time::{World, run};
use event_source_mapping::{
    Action, BareRecord, FunctionResult, Input, Invocation, OnFailureMessage, Response, STATE_BYTES_MAX,
    SettingsBuilder, Shard, Timing,
};
use records::{EpochMillis, ShardId};
use std::collections::VecDeque;
use std::sync::Arc;

/// `START` is a second after a multiple of ten seconds.
const WINDOW_S: i64 = 10;

/// What one invocation was given: records, state, end of the window in milliseconds after the start, final, early.
type Call = (Vec<u64>, String, i64, bool, bool);

struct Windows {
    stream: VecDeque<BareRecord>,
    closed: bool,
    answers: VecDeque<FunctionResult>,
    calls: Vec<Call>,
    called_at_ms: Vec<i64>,
    messages: usize,
}

impl World<BareRecord> for Windows {
    fn poll(&mut self, now: EpochMillis, _shard: &ShardId, _limit: usize) -> (Vec<BareRecord>, bool) {
        let arrived = self.stream.iter().take_while(|record| record.arrival <= now).count();
        (self.stream.drain(..arrived).collect(), self.closed && self.stream.is_empty())
    }

    /// The state counts the records so far, unless the script has an answer.
    fn invoke(&mut self, now: EpochMillis, shard: &Shard<BareRecord>, invocation: Invocation) -> (Response, i64) {
        let (batch, state) = (numbers(shard.batch(invocation.slot)), shard.state(invocation.slot).to_owned());
        let window = invocation.window.unwrap();
        let counted = state.parse::<usize>().unwrap_or(0) + batch.len();
        self.called_at_ms.push(now.0 - START.0);
        self.calls.push((batch, state, window.end.0 - START.0, window.is_final, window.is_terminated_early));
        let counted = FunctionResult::returned(&format!(r#"{{"state":{counted}}}"#));
        (self.answers.pop_front().unwrap_or(counted).into(), 0)
    }

    fn deliver(&mut self, _: EpochMillis, _: &Shard<BareRecord>, _: usize, _: &OnFailureMessage) -> bool {
        self.messages += 1;
        true
    }
}

fn windows(records: &[(u64, i64)], answers: Vec<FunctionResult>) -> Windows {
    let stream = records.iter().map(|(number, at_ms)| record(*number, *at_ms)).collect();
    let (calls, called_at_ms) = (Vec::new(), Vec::new());
    Windows { stream, closed: true, answers: answers.into(), calls, called_at_ms, messages: 0 }
}

/// Runs for `for_ms` and returns the shard.
fn run_for(world: &mut Windows, settings: SettingsBuilder, for_ms: i64) -> Shard<BareRecord> {
    let settings = Arc::new(settings.tumbling_window_s(WINDOW_S).build().unwrap());
    let mut shard = Shard::new(settings, Timing::default(), ShardId::parse("shardId-0").unwrap());
    run(&mut shard, START, EpochMillis(START.0 + for_ms), world);
    shard
}

fn call(batch: &[u64], state: &str, end_ms: i64, is_final: bool) -> Call {
    (batch.to_vec(), state.to_owned(), end_ms, is_final, false)
}

#[test]
fn the_state_travels_through_the_batches_of_a_window_and_ends_with_it() {
    let mut world = windows(&[(1, 0), (2, 0), (3, 0), (4, 9000)], Vec::new());
    let shard = run_for(&mut world, settings().batch_size(2), 60_000);
    assert_eq!(
        world.calls,
        [
            call(&[1, 2], "{}", 9000, false),
            call(&[3], "2", 9000, false),
            call(&[], "3", 9000, true),
            call(&[4], "{}", 19_000, false),
            call(&[], "1", 19_000, true),
        ]
    );
    assert!(shard.is_finished());
}

#[test]
fn a_batch_has_records_of_one_window_only() {
    let mut world = windows(&[(1, -500), (2, 8999), (3, 9000)], Vec::new());
    run_for(&mut world, settings(), 60_000);
    let batches: Vec<_> = world.calls.iter().map(|(batch, ..)| batch.clone()).collect();
    let expected: [&[u64]; 5] = [&[1], &[2], &[], &[3], &[]];
    assert_eq!(batches, expected);
}

#[test]
fn a_record_that_arrived_before_its_window_belongs_to_the_open_one() {
    let mut world = windows(&[(1, 9000), (2, 8999)], Vec::new());
    world.stream[1].arrival = EpochMillis(START.0 - 20_000);
    run_for(&mut world, settings(), 60_000);
    assert_eq!(world.calls, [call(&[1, 2], "{}", 19_000, false), call(&[], "2", 19_000, true)]);
}

#[test]
fn a_window_on_an_open_shard_ends_when_a_poll_after_its_end_finds_no_more() {
    let mut world = windows(&[(1, 0)], Vec::new());
    world.closed = false;
    run_for(&mut world, settings(), 60_000);
    assert_eq!(world.calls, [call(&[1], "{}", 9000, false), call(&[], "1", 9000, true)]);
    assert_eq!(world.called_at_ms, [0, 9000]);
}

#[test]
fn a_response_without_a_state_is_a_failure() {
    for body in ["{}", "null", "", r#"{"batchItemFailures":[]}"#, r#"{"State":1}"#] {
        let mut world = windows(&[(1, 0)], vec![FunctionResult::returned(body)]);
        run_for(&mut world, settings(), 60_000);
        assert_eq!(world.calls[1], call(&[1], "{}", 9000, false), "{body}");
    }
    let mut world = windows(&[(1, 0)], vec![FunctionResult::returned(r#"{"state":null}"#)]);
    run_for(&mut world, settings(), 60_000);
    assert_eq!(world.calls[1], call(&[], "null", 9000, true));
}

#[test]
fn the_last_response_of_a_window_needs_no_state() {
    let ok = FunctionResult::returned(r#"{"state":7}"#);
    let mut world = windows(&[(1, 0)], vec![ok, FunctionResult::returned("null")]);
    let shard = run_for(&mut world, settings(), 60_000);
    assert_eq!(world.calls.len(), 2, "it is not invoked again");
    assert!(shard.is_finished());
}

#[test]
fn a_failure_leaves_the_state_and_a_partial_response_carries_it() {
    let answers = vec![
        FunctionResult::Failed,
        FunctionResult::returned(r#"{"state":"one","batchItemFailures":[{"itemIdentifier":"2"}]}"#),
        FunctionResult::returned(r#"{"state":"none","batchItemFailures":[{"itemIdentifier":"2"}]}"#),
    ];
    let mut world = windows(&[(1, 0), (2, 0)], answers);
    run_for(&mut world, settings().report_batch_item_failures(true), 60_000);
    assert_eq!(
        world.calls[..4],
        [
            call(&[1, 2], "{}", 9000, false),
            call(&[1, 2], "{}", 9000, false),
            call(&[2], r#""one""#, 9000, false),
            call(&[2], r#""one""#, 9000, false),
        ]
    );
}

#[test]
fn a_state_over_a_megabyte_ends_the_window_early() {
    let state = format!(r#""{}""#, "x".repeat(STATE_BYTES_MAX));
    let large = FunctionResult::returned(&format!(r#"{{"state":{state}}}"#));
    let mut world = windows(&[(1, 0), (2, 0)], vec![large]);
    run_for(&mut world, settings().batch_size(1), 60_000);
    assert_eq!(
        world.calls,
        [
            call(&[1], "{}", 9000, false),
            (Vec::new(), state, 9000, true, true),
            call(&[2], "{}", 9000, false),
            call(&[], "1", 9000, true),
        ]
    );
}

#[test]
fn a_last_invocation_that_fails_holds_the_shard_up_until_it_succeeds() {
    let ok = || FunctionResult::returned(r#"{"state":7}"#);
    let mut world = windows(&[(1, 0), (2, 9000)], vec![ok(), FunctionResult::Failed, FunctionResult::Failed, ok()]);
    run_for(&mut world, settings(), 60_000);
    assert_eq!(world.calls[1..4], [call(&[], "7", 9000, true), call(&[], "7", 9000, true), call(&[], "7", 9000, true)]);
    assert_eq!(world.calls[4], call(&[2], "{}", 19_000, false));
}

#[test]
fn a_last_invocation_out_of_retries_loses_the_window_without_a_message() {
    let ok = FunctionResult::returned(r#"{"state":7}"#);
    let mut world = windows(&[(1, 0), (2, 9000)], vec![ok, FunctionResult::Failed, FunctionResult::Failed]);
    let shard = run_for(&mut world, settings().maximum_retry_attempts(1), 60_000);
    assert_eq!((shard.counters().lost_windows, world.messages), (1, 0));
    assert_eq!(world.calls[3], call(&[2], "{}", 19_000, false));
}

#[test]
fn records_that_come_after_a_failed_end_have_a_budget_of_their_own() {
    let builder = settings().tumbling_window_s(WINDOW_S).maximum_retry_attempts(1);
    let mut shard =
        Shard::new(Arc::new(builder.build().unwrap()), Timing::default(), ShardId::parse("shardId-0").unwrap());
    let at = |ms: i64| EpochMillis(START.0 + ms);
    let polled = |records| Input::Polled { records, end_of_shard: false };
    let answered = |result: FunctionResult| Response::from(result).to(0);
    let state = || FunctionResult::returned(r#"{"state":1}"#);
    let attempt = |action: Action| match action {
        Action::Invoke(invocation) => (invocation.records, invocation.attempt),
        other => panic!("expected an invocation, got {other:?}"),
    };
    assert!(matches!(shard.step(at(0), Input::Tick), Action::Poll { .. }));
    assert_eq!(attempt(shard.step(at(0), polled(vec![record(1, 0)]))), (1, 1));
    assert!(matches!(shard.step(at(100), answered(state())), Action::Advance { .. }));
    assert!(matches!(shard.step(at(10_000), Input::Tick), Action::Poll { .. }));
    assert_eq!(attempt(shard.step(at(10_000), polled(vec![]))), (0, 1), "the last of its window");
    assert!(matches!(shard.step(at(11_000), answered(FunctionResult::Failed)), Action::Poll { .. }));
    let retry_at = match shard.step(at(11_000), polled(vec![record(2, 8_000)])) {
        Action::WaitUntil { time, .. } => time,
        other => panic!("expected a back-off, got {other:?}"),
    };
    assert_eq!(attempt(shard.step(retry_at, Input::Tick)), (1, 1), "a record of the window that came late");
    let Action::WaitUntil { time, .. } = shard.step(retry_at, answered(FunctionResult::Failed)) else {
        panic!("one failure of two is not the last");
    };
    assert_eq!(attempt(shard.step(time, Input::Tick)), (1, 2));
    assert!(matches!(shard.step(time, answered(state())), Action::Advance { .. }));
}

#[test]
fn an_event_names_the_bounds_of_its_window_as_aws_does() {
    let window = event_source_mapping::Window {
        start: EpochMillis(START.0 - 1000),
        end: EpochMillis(START.0 + 9000),
        is_final: false,
        is_terminated_early: false,
    };
    assert_eq!(window.bounds(), ["2025-11-25T16:27:00Z", "2025-11-25T16:27:10Z"]);
}

#[test]
fn each_slot_has_a_window_of_its_own() {
    let mut world = windows(&[(1, 0), (2, 0), (3, 0)], Vec::new());
    run_for(&mut world, settings().parallelization_factor(2), 60_000);
    world.calls.sort();
    assert_eq!(
        world.calls,
        [
            call(&[], "1", 9000, true),
            call(&[], "2", 9000, true),
            call(&[1, 3], "{}", 9000, false),
            call(&[2], "{}", 9000, false),
        ]
    );
}
