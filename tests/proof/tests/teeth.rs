//! The account can fail: bugs that are planted from outside of the engines, each of which it has to notice.

use proof::{Plan, Sabotage, run};

/// Worlds that are tried before a bug counts as unnoticed. Not every world gives every bug a chance.
const WORLDS: u64 = 60;

/// Plants the bug in worlds until the account complains, and expects these words in a complaint.
fn check(sabotage: Sabotage, complaint: &str) {
    let complaints: Vec<String> =
        (0..WORLDS).flat_map(|seed| run(Plan::new(seed, Some(150)), Some(sabotage)).complaints).collect();
    assert!(complaints.iter().any(|text| text.contains(complaint)), "{sabotage:?} went unnoticed: {complaints:#?}");
}

#[test]
fn a_checkpoint_one_too_far_is_noticed() {
    check(Sabotage::CheckpointOneTooFar, "counts as handled, and no handler handled it");
}

#[test]
fn a_message_that_the_destination_loses_is_noticed() {
    check(Sabotage::MessageSwallowed, "was given up to the destination, and vanished");
}

#[test]
fn an_entry_that_the_sink_loses_is_noticed() {
    check(Sabotage::EntrySwallowed, "was given up to the destination, and vanished");
}

#[test]
fn a_payload_that_comes_back_otherwise_is_noticed() {
    check(Sabotage::PayloadChanged, "lies in a sink as something else");
}

#[test]
fn a_loss_that_is_none_is_noticed() {
    check(Sabotage::ShardCutShort, "are reported lost from it on, and the stream has trimmed");
}

#[test]
fn a_filter_that_lets_everything_through_is_noticed() {
    check(Sabotage::FilterSkipped, "the function is invoked with it, which the filter drops");
}

#[test]
fn a_record_that_a_page_leaves_out_is_noticed() {
    check(Sabotage::RecordSkipped, "the checkpoint passes it");
}

#[test]
fn records_of_a_key_in_the_wrong_order_are_noticed() {
    check(Sabotage::BatchReversed, "an earlier one of its key, is open");
}

#[test]
fn a_child_of_two_shards_that_begins_after_the_first_is_noticed() {
    check(Sabotage::ChildTooEarly, "an earlier one of its key, is open");
}

#[test]
fn the_same_seed_is_the_same_world_again() {
    for seed in 0..20 {
        let [one, other] = [0, 1].map(|_| run(Plan::new(seed, Some(200)), None));
        assert_eq!((one.trace, one.lasted_ms, one.totals), (other.trace, other.lasted_ms, other.totals), "seed {seed}");
        assert_eq!(one.complaints, Vec::<String>::new());
    }
}
