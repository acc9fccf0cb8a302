//! Retries, record age, the bounds of a batch, and the destination.

use crate::world::{Lab, answers, long_kept, numbered, record, reports, settings, throws_on};
use event_source_mapping::{Ending, FunctionResult, PAYLOAD_BYTES_MAX, Timing};

#[test]
fn progress_starts_the_count_again() {
    let report = |number: &str| FunctionResult::reporting([number]);
    // Record 3 fails twice, then record 4 three times: no position fails more often than its budget of two retries.
    let script = vec![report("3"), report("3"), report("4"), report("4"), report("4")];
    let lab = Lab::new(numbered(1..=5), answers(script))
        .run(settings().maximum_retry_attempts(2).report_batch_item_failures(true));
    let lengths: Vec<usize> = lab.invocations.iter().map(Vec::len).collect();
    assert_eq!(lengths, [5, 3, 3, 2, 2, 2]);
    assert_eq!(lab.attempts, [1, 1, 2, 1, 2, 3]);
    assert_eq!(lab.messages, []);
}

#[test]
fn each_retry_waits_longer_until_there_is_progress() {
    let script = vec![FunctionResult::Failed, FunctionResult::Failed, FunctionResult::reporting(["2"])];
    let lab = Lab::new(numbered(1..=2), answers(script)).run(settings().report_batch_item_failures(true));
    let waits: Vec<i64> = lab.invoked_at_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait_ms, bounds) in waits.iter().zip([250..=500, 500..=1000, 250..=500]) {
        assert!(bounds.contains(wait_ms), "{waits:?}");
    }
    assert_eq!(waits.len(), 3);
}

#[test]
fn what_remains_is_retried_without_a_refill_from_the_stream() {
    let lab = Lab::new(numbered(1..=9), answers(vec![FunctionResult::reporting(["3"])]))
        .run(settings().batch_size(4).report_batch_item_failures(true));
    let expected: [&[u64]; 4] = [&[1, 2, 3, 4], &[3, 4], &[5, 6, 7, 8], &[9]];
    assert_eq!(lab.invocations, expected);
}

#[test]
fn invocations_that_never_arrive_are_not_charged() {
    let script = vec![FunctionResult::Undelivered; 5];
    let lab = Lab::new(numbered(1..=2), answers(script)).run(settings().maximum_retry_attempts(0));
    assert_eq!(lab.attempts, [1; 6]);
    assert_eq!(lab.messages, []);
    assert_eq!((lab.counters.undelivered_invocations, lab.counters.invocations), (5, 1));
}

#[test]
fn invocations_that_never_arrive_are_retried_until_the_records_are_too_old() {
    let aged = settings().maximum_retry_attempts(0).maximum_record_age_s(60).bisect_batch_on_function_error(true);
    let lab = Lab::new(numbered(1..=2), |_| FunctionResult::Undelivered).run(aged);
    assert_eq!(lab.ranges(), [(1, 2, 2, 1)]);
    assert_eq!(lab.counters.splits, 0);
    assert!((7..=8).contains(&lab.attempts.len()), "{}", lab.attempts.len());
}

#[test]
fn about_eight_invocations_fit_into_a_record_age_of_a_minute() {
    for seed in 0..50 {
        let timing = Timing { seed, ..Timing::default() };
        let lab =
            Lab::new(numbered(1..=1), throws_on(&[1])).run_with(settings().maximum_record_age_s(60), timing, 3_600_000);
        let invocations = u32::try_from(lab.invocations.len()).unwrap();
        assert!((7..=8).contains(&invocations));
        assert_eq!(lab.ranges(), [(1, 1, 1, invocations)]);
        assert_eq!(serde_json::to_value(&lab.messages[0]).unwrap()["requestContext"]["condition"], "RecordAgeExceeded");
    }
}

#[test]
fn a_batch_without_an_end_to_its_retries_blocks_the_shard() {
    let lab = Lab::new(numbered(1..=2), throws_on(&[1])).run_with(settings(), long_kept(), 24 * 3_600_000);
    assert!(!lab.finished);
    assert!(lab.invocations.len() > 1000);
    assert_eq!((lab.messages.len(), lab.advances.len()), (0, 0));
}

#[test]
fn only_the_old_records_of_a_batch_are_given_up_before_the_function_sees_them() {
    let stream = vec![record(1, -61_000), record(2, -60_001), record(3, -60_000), record(4, 0)];
    let lab = Lab::new(stream, throws_on(&[])).run(settings().maximum_record_age_s(60));
    assert_eq!(lab.invocations, [[3, 4]]);
    assert_eq!(lab.ranges(), [(1, 2, 2, 1)]);
    let message = serde_json::to_value(&lab.messages[0]).unwrap();
    assert_eq!(message["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(message.get("responseContext"), None);
    assert_eq!(lab.advances, [(2, Ending::Delivered, Some(2)), (2, Ending::Handled, Some(4))]);
}

#[test]
fn an_old_record_between_fresh_ones_goes_alone() {
    let stream = vec![record(1, 0), record(2, -61_000), record(3, 0), record(4, -61_000)];
    let lab = Lab::new(stream, reports(&[])).run(settings().maximum_record_age_s(60));
    assert_eq!(lab.invocations, [[1, 3]]);
    assert_eq!(lab.given_up, [[2], [4]]);
    let none = [(1, Ending::Delivered, None), (1, Ending::Delivered, None)];
    assert_eq!(lab.advances[..2], none, "record 1 still stands in front");
    assert_eq!(lab.advances[2..], [(2, Ending::Handled, Some(4))], "record 4 was done with before");
}

#[test]
fn records_that_grow_old_between_two_retries_are_given_up_then() {
    let stream = vec![record(1, -59_900), record(2, 0)];
    let lab = Lab::new(stream, answers(vec![FunctionResult::Failed])).run(settings().maximum_record_age_s(60));
    let expected: [&[u64]; 2] = [&[1, 2], &[2]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.ranges(), [(1, 1, 1, 1)]);
    assert_eq!(lab.messages[0].request_context.request_id, "request-1");
}

#[test]
fn the_checkpoint_catches_up_with_the_highest_record_that_was_given_up_ahead_of_it() {
    // Record 3 is too old at once; record 2 becomes so between two retries of record 1.
    let stream = vec![record(1, 0), record(2, -59_900), record(3, -61_000)];
    let lab = Lab::new(stream, answers(vec![FunctionResult::Failed])).run(settings().maximum_record_age_s(60));
    let expected: [&[u64]; 2] = [&[1, 2], &[1]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.given_up, [[3], [2]]);
    assert_eq!(lab.advances.last(), Some(&(1, Ending::Handled, Some(3))));
}

#[test]
fn a_batching_window_collects_records_until_it_closes_or_the_batch_is_full() {
    let stream = || (1..=6).map(|number| record(number, 1500 * i64::try_from(number).unwrap())).collect();
    let windowed = |size| settings().maximum_batching_window_s(5).batch_size(size);
    // The poll at 2 s finds record 1, so the window closes at 7 s; record 4 was found at 6 s.
    let lab = Lab::new(stream(), throws_on(&[])).run(windowed(100));
    let expected: [&[u64]; 2] = [&[1, 2, 3, 4], &[5, 6]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.invoked_at_ms, [7000, 9000], "the end of the shard closes the second window");

    let lab = Lab::new(stream(), throws_on(&[])).run(windowed(2));
    assert_eq!(lab.invocations, [[1, 2], [3, 4], [5, 6]]);
    assert_eq!(lab.invoked_at_ms[0], 3000, "a full batch does not wait");
}

#[test]
fn without_a_window_records_go_as_soon_as_a_poll_finds_them() {
    let lab = Lab::new(vec![record(1, 0), record(2, 400)], throws_on(&[])).run(settings());
    assert_eq!(lab.invocations, [[1], [2]]);
    assert_eq!(lab.invoked_at_ms, [0, 1000], "polls without a find are a second apart");
}

#[test]
fn a_batch_never_exceeds_six_megabytes() {
    let mut stream = numbered(1..=5);
    for record in &mut stream {
        record.payload_bytes = PAYLOAD_BYTES_MAX / 5 * 2;
    }
    let lab = Lab::new(stream, throws_on(&[])).run(settings().maximum_batching_window_s(300));
    let expected: [&[u64]; 3] = [&[1, 2], &[3, 4], &[5]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.invoked_at_ms, [0, 0, 0], "a batch full of bytes does not wait for its window");
}

#[test]
fn a_record_that_no_invocation_can_carry_is_given_up_without_one() {
    let mut stream = numbered(1..=3);
    stream[1].payload_bytes = PAYLOAD_BYTES_MAX;
    let lab = Lab::new(stream, throws_on(&[])).run(settings().maximum_retry_attempts(3));
    assert_eq!(lab.invocations, [[1], [3]]);
    assert_eq!(lab.ranges(), [(2, 2, 1, 4)]);
    let message = serde_json::to_value(&lab.messages[0]).unwrap();
    assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(message.get("responseContext"), None);
}

#[test]
fn a_record_that_no_invocation_can_carry_blocks_its_shard_until_it_is_too_old() {
    let mut stream = numbered(1..=1);
    stream[0].payload_bytes = PAYLOAD_BYTES_MAX;
    let endless = Lab::new(stream.clone(), throws_on(&[])).run(settings());
    assert!(!endless.finished);
    let aged = Lab::new(stream, throws_on(&[])).run(settings().maximum_record_age_s(60));
    assert_eq!(aged.invocations.len(), 0);
    let message = serde_json::to_value(&aged.messages[0]).unwrap();
    assert_eq!(message["requestContext"]["condition"], "RecordAgeExceeded");
}

#[test]
fn when_the_destination_fails_the_shard_moves_on_and_the_records_are_lost() {
    let mut lab = Lab::new(numbered(1..=4), throws_on(&[1]));
    lab.destination_works = false;
    let lab = lab.run(settings().maximum_retry_attempts(0).batch_size(2));
    assert_eq!(lab.invocations, [[1, 2], [3, 4]]);
    assert_eq!(lab.advances, [(2, Ending::Dropped, Some(2)), (2, Ending::Handled, Some(4))]);
    assert_eq!((lab.counters.destination_failures, lab.counters.dropped_records), (1, 2));
    assert_eq!(lab.counters.delivered_records, 0);
    assert!(lab.finished);
}

#[test]
fn without_a_destination_records_out_of_retries_are_dropped() {
    let bare = event_source_mapping::Settings::builder(crate::world::STREAM, "orders").maximum_retry_attempts(0);
    let lab = Lab::new(numbered(1..=2), throws_on(&[1])).run(bare);
    assert_eq!(lab.advances, [(2, Ending::Dropped, Some(2))]);
    assert_eq!((lab.messages.len(), lab.counters.destination_failures, lab.counters.dropped_records), (0, 0, 2));
}

#[test]
fn both_halves_of_a_batch_that_always_fails_end_at_the_destination_record_by_record() {
    let bisect = settings().maximum_retry_attempts(0).bisect_batch_on_function_error(true);
    let lab = Lab::new(numbered(1..=3), |_| FunctionResult::Failed).run(bisect);
    let expected: [&[u64]; 5] = [&[1, 2, 3], &[1, 2], &[1], &[2], &[3]];
    assert_eq!(lab.invocations, expected);
    assert_eq!(lab.given_up, [[1], [2], [3]]);
}

#[test]
fn with_bisect_a_partial_response_splits_at_the_number_it_returns() {
    let both = settings().report_batch_item_failures(true).bisect_batch_on_function_error(true);
    let lab =
        Lab::new(numbered(1..=9), answers(vec![FunctionResult::reporting(["4"]), FunctionResult::Failed])).run(both);
    let expected: [&[u64]; 4] = [&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[4, 5, 6, 7, 8, 9], &[4, 5, 6], &[7, 8, 9]];
    assert_eq!(lab.invocations, expected);
}

#[test]
fn a_split_lengthens_the_back_off_too() {
    let bisect = settings().bisect_batch_on_function_error(true);
    let lab = Lab::new(numbered(1..=4), answers(vec![FunctionResult::Failed; 2])).run(bisect);
    let waits: Vec<i64> = lab.invoked_at_ms.windows(2).map(|pair| pair[1] - pair[0]).take(2).collect();
    assert!((250..=500).contains(&waits[0]) && (500..=1000).contains(&waits[1]), "{waits:?}");
}

#[test]
fn a_table_is_polled_four_times_a_second() {
    let table = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";
    let lab = Lab::new(vec![record(1, 0), record(2, 100), record(3, 300)], throws_on(&[]))
        .run(event_source_mapping::Settings::builder(table, "orders"));
    assert_eq!(lab.invoked_at_ms, [0, 250, 500]);
}

#[test]
fn a_full_page_is_followed_by_the_next_poll_at_once() {
    // A page of DynamoDB holds 1,000 records.
    let table = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2025-11-25T16:00:00.123";
    let windowed = event_source_mapping::Settings::builder(table, "orders").batch_size(10_000);
    let lab = Lab::new(numbered(1..=2500), throws_on(&[])).run(windowed.maximum_batching_window_s(300));
    assert_eq!((lab.invocations.len(), lab.invocations[0].len()), (1, 2500));
    assert_eq!(lab.invoked_at_ms, [0]);
}
