//! What a driver may rely on, step by step.

use crate::world::{START, numbered, numbers, record, settings};
use event_source_mapping::{Action, BareRecord, FunctionResult, Input, Mapping, NEVER, Response, Shard, Timing, Wait};
use records::{EpochMillis, SequenceNumber, ShardId};

type TestMapping = Mapping<BareRecord>;

fn mapping() -> TestMapping {
    Mapping::new(settings().maximum_retry_attempts(0).build().unwrap(), Timing::default())
}

fn id(text: &str) -> ShardId {
    ShardId::parse(text).unwrap()
}

fn polled(records: Vec<BareRecord>, end_of_shard: bool) -> Input<BareRecord> {
    Input::Polled { records, end_of_shard }
}

/// Gives the shard each input that answers nothing under way, and expects it to wait for the answer.
fn check_foreign(shard: &mut Shard<BareRecord>, under_way: &Action) {
    let foreign = [
        polled(numbered(90..=99), true),
        Response::from(FunctionResult::returned("null")).to(0),
        Response::from(FunctionResult::returned("null")).to(7),
        Input::Delivered { slot: 0 },
        Input::DeliveryFailed { slot: 0 },
        Input::Tick,
    ];
    let (counters, batch) = (shard.counters(), numbers(shard.batch(0)));
    for input in foreign {
        let answers = matches!(
            (&input, under_way),
            (Input::Polled { .. }, Action::Poll { .. })
                | (Input::Responded { slot: 0, .. }, Action::Invoke(_))
                | (Input::Delivered { slot: 0 } | Input::DeliveryFailed { slot: 0 }, Action::SendToDestination { .. })
        );
        if !answers {
            let waits = Action::WaitUntil { time: NEVER, reason: Wait::Answer };
            assert_eq!(shard.step(START, input), waits);
        }
    }
    assert_eq!((shard.counters(), numbers(shard.batch(0))), (counters, batch));
}

#[test]
fn an_answer_to_nothing_under_way_changes_nothing() {
    let mut mapping = mapping();
    let shard = mapping.add_shard(id("shardId-0"));
    let mut input = Input::Tick;
    let mut seen = Vec::new();
    loop {
        let action = shard.step(START, input);
        if matches!(action, Action::Poll { .. } | Action::Invoke(_) | Action::SendToDestination { .. }) {
            check_foreign(shard, &action);
        }
        input = match &action {
            Action::Poll { .. } => polled(numbered(1..=2), true),
            Action::Invoke(invocation) => Response::from(FunctionResult::Failed).to(invocation.slot),
            Action::SendToDestination { slot, .. } => Input::Delivered { slot: *slot },
            _ => Input::Tick,
        };
        seen.push(format!("{action:?}").split([' ', '(']).next().unwrap().to_owned());
        if action == Action::Finished {
            break;
        }
    }
    assert_eq!(seen, ["Poll", "Invoke", "SendToDestination", "Advance", "Finished"]);
}

#[test]
fn shards_run_side_by_side_and_a_closed_one_finishes_after_its_last_record() {
    let mut mapping = mapping();
    for name in ["shardId-0", "shardId-1"] {
        let shard = mapping.add_shard(id(name));
        assert_eq!(shard.step(START, Input::Tick), Action::Poll { limit: 10_000 });
        let _ = shard.step(START, polled(numbered(1..=3), name == "shardId-0"));
    }
    let invoked: Vec<_> = mapping.shards().map(|shard| numbers(shard.batch(0))).collect();
    assert_eq!(invoked, [[1, 2, 3], [1, 2, 3]], "both have an invocation under way");

    for shard in mapping.shards_mut() {
        let _ = shard.step(START, Response::from(FunctionResult::returned("null")).to(0));
    }
    assert_eq!(mapping.shard_mut(&id("shardId-0")).unwrap().step(START, Input::Tick), Action::Finished);
    assert_eq!(mapping.shard_mut(&id("shardId-1")).unwrap().step(START, Input::Tick), Action::Poll { limit: 10_000 });
    assert!(!mapping.is_finished());
    assert_eq!((mapping.counters().invocations, mapping.counters().handled_records), (2, 6));

    let again = mapping.add_shard(id("shardId-0"));
    assert!(again.is_finished(), "adding a shard a second time does not reopen it");
}

#[test]
fn the_checkpoint_and_the_iterator_age_follow_the_oldest_record_not_done_with() {
    let mut mapping = mapping();
    let mut shard = mapping.open(id("shardId-0"));
    let _ = shard.step(START, Input::Tick);
    assert_eq!((shard.checkpoint(), shard.iterator_age_ms(START)), (None, None));
    let _ = shard.step(START, polled(vec![record(7, -4000), record(8, -1000)], false));
    let later = EpochMillis(START.0 + 500);
    assert_eq!((shard.checkpoint(), shard.iterator_age_ms(later)), (None, Some(4500)));
    let _ = shard.step(later, Response::from(FunctionResult::returned("null")).to(0));
    assert_eq!(shard.checkpoint().map(SequenceNumber::as_str), Some("8"));
    assert_eq!((shard.iterator_age_ms(later), shard.waiting_records()), (None, 0));
    assert_eq!(mapping.add_shard(id("shardId-1")).batch(0).len(), 0);
}

#[test]
fn a_poll_that_finds_nothing_is_repeated_a_second_later() {
    let mut mapping = mapping();
    let shard = mapping.add_shard(id("shardId-0"));
    let _ = shard.step(START, Input::Tick);
    let time = EpochMillis(START.0 + 1000);
    let wait = Action::WaitUntil { time, reason: Wait::Poll };
    assert_eq!(shard.step(START, polled(Vec::new(), false)), wait);
    assert_eq!(shard.step(START, Input::Tick), wait, "too early");
    assert_eq!(shard.step(time, Input::Tick), Action::Poll { limit: 10_000 });
}

#[test]
fn shards_of_one_mapping_do_not_retry_in_step() {
    let retrying = Mapping::new(settings().build().unwrap(), Timing::default());
    let waits = ["shardId-0", "shardId-1"].map(|name| {
        let mut shard = retrying.open(id(name));
        let _ = shard.step(START, Input::Tick);
        let _ = shard.step(START, polled(numbered(1..=1), false));
        shard.step(START, Response::from(FunctionResult::Failed).to(0))
    });
    assert_ne!(waits[0], waits[1]);
}

#[test]
fn a_step_that_finds_nothing_to_do_allocates_nothing() {
    let retrying = Mapping::new(
        settings().parallelization_factor(10).maximum_batching_window_s(300).build().unwrap(),
        Timing::default(),
    );
    let mut shard = retrying.open(id("shardId-0"));
    let _ = shard.step(START, Input::Tick);
    let _ = shard.step(START, polled(numbered(1..=500), false));
    let idle = |shard: &mut Shard<BareRecord>, now_ms: i64, input: Input<BareRecord>| {
        let waits = |action| matches!(action, Action::WaitUntil { .. } | Action::Poll { .. });
        let counted = allocation_counter::measure(|| assert!(waits(shard.step(EpochMillis(START.0 + now_ms), input))));
        counted.count_total
    };
    assert_eq!(idle(&mut shard, 1, Input::Tick), 0, "while the window is open");
    assert_eq!(idle(&mut shard, 2000, Input::Tick), 0, "at the next poll");
    assert_eq!(idle(&mut shard, 2000, polled(Vec::new(), false)), 0, "when it finds nothing");
    assert_eq!(idle(&mut shard, 2001, Input::Tick), 0, "and after it");
}
