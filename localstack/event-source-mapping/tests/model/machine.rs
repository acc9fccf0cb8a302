//! What a driver may rely on, step by step.

use crate::world::{START, numbered, numbers, record, settings};
use event_source_mapping::{Action, BareRecord, FunctionResult, Input, Mapping, Shard, Timing, Wait};
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

/// Gives the shard each input that does not answer its action, and expects that action again.
fn check_foreign(shard: &mut Shard<BareRecord>, outstanding: &Action) {
    let inputs = [
        Input::Tick,
        polled(numbered(90..=99), true),
        Input::Responded(FunctionResult::returned("null").into()),
        Input::Delivered,
        Input::DeliveryFailed,
    ];
    let counters = shard.counters();
    for input in inputs {
        let answers = matches!(
            (&input, outstanding),
            (Input::Tick, Action::WaitUntil { .. } | Action::Split { .. } | Action::Advance { .. })
                | (Input::Polled { .. }, Action::Poll { .. })
                | (Input::Responded(_), Action::Invoke(_))
                | (Input::Delivered | Input::DeliveryFailed, Action::SendToDestination(_))
        );
        if !answers {
            assert_eq!(shard.step(START, input), *outstanding);
        }
    }
    assert_eq!(shard.counters(), counters);
}

#[test]
fn an_input_that_answers_something_else_gets_the_outstanding_action_again() {
    let mut mapping = mapping();
    let shard = mapping.add_shard(id("shardId-0"));
    let mut input = Input::Tick;
    let mut seen = Vec::new();
    loop {
        let action = shard.step(START, input);
        check_foreign(shard, &action);
        input = match &action {
            Action::Poll { .. } => polled(numbered(1..=2), true),
            Action::Invoke(_) => Input::Responded(FunctionResult::Failed.into()),
            Action::SendToDestination(_) => Input::Delivered,
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
    let invoked: Vec<_> = mapping.shards().map(|shard| numbers(shard.batch())).collect();
    assert_eq!(invoked, [[1, 2, 3], [1, 2, 3]], "both have an invocation under way");

    for shard in mapping.shards_mut() {
        let _ = shard.step(START, Input::Responded(FunctionResult::returned("null").into()));
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
    let _ = shard.step(later, Input::Responded(FunctionResult::returned("null").into()));
    assert_eq!(shard.checkpoint().map(SequenceNumber::as_str), Some("8"));
    assert_eq!((shard.iterator_age_ms(later), shard.waiting_records()), (None, 0));
    assert_eq!(mapping.add_shard(id("shardId-1")).batch().len(), 0);
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
        shard.step(START, Input::Responded(FunctionResult::Failed.into()))
    });
    assert_ne!(waits[0], waits[1]);
}
