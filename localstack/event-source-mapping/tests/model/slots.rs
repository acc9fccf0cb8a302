//! `ParallelizationFactor`: concurrent batches of one shard, the order of each key, one checkpoint.

use crate::world::{Lab, answers, numbered, record, settings, throws_on};
use event_source_mapping::{Ending, FunctionResult};

#[test]
fn the_slots_of_a_shard_work_side_by_side_on_the_records_of_their_keys() {
    let mut lab = Lab::new(numbered(1..=6), throws_on(&[]));
    lab.invocation_ms = 1000;
    let lab = lab.run(settings().parallelization_factor(2));
    let expected: [&[u64]; 2] = [&[2, 4, 6], &[1, 3, 5]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.slots, [0, 1]);
    assert_eq!(lab.invoked_at_ms, [0, 0], "the second does not wait for the first");
}

#[test]
fn the_batches_of_a_slot_are_serial() {
    let mut lab = Lab::new(numbered(1..=8), throws_on(&[]));
    lab.invocation_ms = 1000;
    let lab = lab.run(settings().parallelization_factor(2).batch_size(2));
    let of_slot = |slot| {
        let invocations = lab.slots.iter().zip(lab.invocations.iter().zip(&lab.invoked_at_ms));
        invocations
            .filter(|(of, _)| **of == slot)
            .map(|(_, (batch, at_ms))| (batch.clone(), *at_ms))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_slot(0), [(vec![2, 4], 0), (vec![6, 8], 1000)]);
    assert_eq!(of_slot(1), [(vec![1, 3], 0), (vec![5, 7], 1000)]);
}

#[test]
fn the_checkpoint_is_that_of_the_slowest_slot() {
    // Slot 0 fails at first, so 1 and 3 are done before 2.
    let mut lab = Lab::new(numbered(1..=3), answers(vec![FunctionResult::Failed]));
    lab.invocation_ms = 10;
    let lab = lab.run(settings().parallelization_factor(2));
    let expected: [&[u64]; 3] = [&[2], &[1, 3], &[2]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.advances, [(2, Ending::Handled, Some(1)), (1, Ending::Handled, Some(3))]);
}

#[test]
fn a_message_of_one_slot_spans_records_that_other_slots_handled() {
    let lab =
        Lab::new(numbered(1..=6), throws_on(&[4])).run(settings().parallelization_factor(2).maximum_retry_attempts(0));
    assert_eq!(lab.given_up, [[2, 4, 6]]);
    assert_eq!(lab.ranges(), [(2, 6, 3, 1)], "the range holds five records, and batchSize says three");
}

#[test]
fn a_failing_key_holds_up_its_own_slot_only() {
    let mut lab = Lab::new(numbered(1..=9), throws_on(&[3]));
    lab.invocation_ms = 1;
    let lab = lab.run_with(settings().parallelization_factor(3).batch_size(1), crate::world::long_kept(), 60_000);
    assert_eq!(lab.counters.handled_records, 6, "slot 0 has 3, 6 and 9");
    assert_eq!(lab.advances.last().unwrap().2, Some(2), "the checkpoint waits for record 3");
}

#[test]
fn reading_ahead_ends_at_a_batch_for_each_slot() {
    // All records but one have the key of a slot that fails for ever.
    let mut stream: Vec<_> = (1..=9).map(|number| record(number, 2000 * i64::try_from(number).unwrap())).collect();
    for record in &mut stream {
        record.key_hash = 0;
    }
    stream[8].key_hash = 1;
    let lab = Lab::new(stream, |batch: &[u64]| match batch {
        [9] => FunctionResult::returned("null"),
        _ => FunctionResult::Failed,
    });
    let lab = lab.run_with(settings().parallelization_factor(2).batch_size(2), crate::world::long_kept(), 3_600_000);
    assert_eq!(lab.counters.polled_records, 4, "two slots, two records each");
    assert!(!lab.invocations.contains(&vec![9]));
}
