//! AWS's published walkthroughs, as scenarios.

use crate::{batches, given_up, run};
use simulation::{Comparison, Scenario};

#[test]
fn walkthrough_1() {
    let outcome = run("walkthrough-1");
    assert_eq!(batches(&outcome), vec![(1..=10).collect::<Vec<_>>(); 3]);
    assert_eq!(given_up(&outcome), [(1..=10).collect::<Vec<_>>()]);
    let attempts: Vec<_> = outcome.invocations.iter().map(|entry| entry.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
}

#[test]
fn walkthrough_2() {
    let outcome = run("walkthrough-2");
    let expected: [&[u32]; 7] =
        [&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[1, 2, 3, 4, 5], &[1, 2, 3], &[4, 5], &[4], &[5], &[6, 7, 8, 9, 10]];
    assert_eq!(batches(&outcome), expected);
    assert_eq!(outcome.handled[&4], 4);
    assert!(!outcome.handled.contains_key(&5));
    assert_eq!(given_up(&outcome), [[5]]);
}

#[test]
fn walkthrough_3() {
    let outcome = run("walkthrough-3");
    let lengths: Vec<usize> = batches(&outcome).iter().map(Vec::len).collect();
    assert_eq!(lengths, [10, 7, 4, 1]);
    assert!(outcome.messages.is_empty() && outcome.handled.values().all(|times| *times == 1));
}

#[test]
fn walkthrough_4() {
    let outcome = run("walkthrough-4");
    let expected: [&[u32]; 3] = [&[1, 2, 3], &[2, 3], &[2, 3]];
    assert_eq!(batches(&outcome), expected);
    assert_eq!(given_up(&outcome), [[2, 3]]);
    assert_eq!(outcome.messages[0].body["KinesisBatchInfo"]["batchSize"], 2);

    let bisected = run("walkthrough-4-bisect");
    assert_eq!(given_up(&bisected), [[2]]);
    assert_eq!(bisected.handled[&3], 1);
}

/// Invocations, records handled more than once, records in the destination; by mode.
fn compared(name: &str) -> Vec<(&'static str, u64, usize, usize)> {
    let Comparison { rows } = Scenario::parse(simulation::example(name).unwrap().text).unwrap().compare().unwrap();
    rows.iter().map(|row| (row.mode, row.invocations, row.handled_again, row.in_destination)).collect()
}

#[test]
fn a_comparison_changes_bisect_and_partial_responses_and_nothing_else() {
    assert_eq!(
        compared("walkthrough-2"),
        [("whole batches", 1, 0, 10), ("bisect", 7, 4, 1), ("partial", 2, 0, 6), ("both", 8, 0, 1)]
    );
    // Records 4, 7 and 10 fail once each. Whole batches that are retried without end meet them one after the other.
    assert_eq!(compared("walkthrough-3")[0], ("whole batches", 4, 9, 0));
    assert_eq!(compared("walkthrough-3")[2], ("partial", 4, 0, 0));
}
