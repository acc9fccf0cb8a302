//! The walkthroughs that AWS has published, invocation by invocation.

use crate::world::{Lab, numbered, reports, settings, throws_on};
use event_source_mapping::{Ending, FunctionResult};

#[test]
fn walkthrough_1_the_same_ten_records_are_retried_and_all_ten_go_to_the_destination() {
    for retries in [0, 1, 3] {
        let lab = Lab::new(numbered(1..=10), throws_on(&[5])).run(settings().maximum_retry_attempts(retries));
        let invocations = usize::try_from(retries + 1).unwrap();
        assert_eq!(lab.invocations, vec![(1..=10).collect::<Vec<_>>(); invocations]);
        assert_eq!(lab.ranges(), [(1, 10, 10, u32::try_from(retries + 1).unwrap())]);
        assert_eq!(lab.advances, [(10, Ending::Delivered, Some(10))]);
    }
}

#[test]
fn walkthrough_2_bisect_finds_the_one_bad_record_in_seven_invocations() {
    let bisect = settings().maximum_retry_attempts(0).bisect_batch_on_function_error(true);
    let lab = Lab::new(numbered(1..=10), throws_on(&[5])).run(bisect);
    let expected: [&[u64]; 7] =
        [&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[1, 2, 3, 4, 5], &[1, 2, 3], &[4, 5], &[4], &[5], &[6, 7, 8, 9, 10]];
    assert_eq!(lab.invocations, expected);
    let handled_4 = lab.invocations.iter().filter(|batch| batch.contains(&4)).count();
    assert_eq!(handled_4, 4, "the function throws at record 5, so each batch with record 4 in it handles it");
    assert_eq!(lab.ranges(), [(5, 5, 1, 1)]);
    assert_eq!(lab.counters.splits, 3);
    assert_eq!(lab.counters.handled_records, 9);
}

#[test]
fn walkthrough_3_partial_responses_leave_less_to_do_each_time() {
    let mut failing = vec![4, 7, 10].into_iter().peekable();
    let fails_once = move |batch: &[u64]| match failing.next_if(|number| batch.contains(number)) {
        Some(number) => FunctionResult::reporting([number.to_string().as_str()]),
        None => FunctionResult::returned("{}"),
    };
    let lab = Lab::new(numbered(1..=10), fails_once).run(settings().report_batch_item_failures(true));
    let lengths: Vec<usize> = lab.invocations.iter().map(Vec::len).collect();
    assert_eq!(lengths, [10, 7, 4, 1]);
    assert_eq!(lab.messages, []);
    let checkpoints: Vec<_> = lab.advances.iter().map(|(_, _, checkpoint)| checkpoint.unwrap()).collect();
    assert_eq!(checkpoints, [3, 6, 9, 10]);
}

#[test]
fn walkthrough_4_the_suffix_of_a_partial_response_goes_to_the_destination() {
    let partial = settings().maximum_retry_attempts(1).report_batch_item_failures(true);
    let lab = Lab::new(numbered(1..=3), reports(&[2])).run(partial);
    let expected: [&[u64]; 3] = [&[1, 2, 3], &[2, 3], &[2, 3]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.ranges(), [(2, 3, 2, 2)]);
    assert_eq!(lab.attempts, [1, 1, 2], "the first batch is not charged to record 2");
}

#[test]
fn walkthrough_4_with_bisect_sends_only_the_bad_record() {
    let both = settings().maximum_retry_attempts(1).report_batch_item_failures(true);
    let lab = Lab::new(numbered(1..=3), reports(&[2])).run(both.bisect_batch_on_function_error(true));
    let expected: [&[u64]; 5] = [&[1, 2, 3], &[2, 3], &[2], &[2], &[3]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.ranges(), [(2, 2, 1, 2)]);
    assert_eq!(lab.advances.last(), Some(&(1, Ending::Handled, Some(3))));
}
