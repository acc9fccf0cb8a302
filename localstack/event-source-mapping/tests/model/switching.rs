//! A mapping that is switched off and on again.

use crate::world::{Lab, numbered, record, settings, throws_on};

#[test]
fn a_mapping_that_is_off_begins_nothing_and_goes_on_where_it_stood() {
    let mut lab = Lab::new(vec![record(1, 0), record(2, 5000), record(3, 90_000)], throws_on(&[]));
    lab.switches = [(3000, false), (60_000, true)].into();
    let lab = lab.run(settings());
    assert_eq!(lab.invocations, [[1], [2], [3]]);
    assert_eq!(lab.invoked_at_ms, [0, 60_000, 90_000]);
}

#[test]
fn an_invocation_under_way_ends_while_the_mapping_is_off() {
    let mut lab = Lab::new(numbered(1..=2), throws_on(&[]));
    lab.invocation_ms = 1000;
    lab.switches = [(500, false), (60_000, true)].into();
    let lab = lab.run(settings().batch_size(1));
    assert_eq!(lab.invocations, [[1], [2]]);
    assert_eq!(lab.advances[0].2, Some(1), "its response counts");
    assert_eq!(lab.invoked_at_ms, [0, 60_000]);
}

#[test]
fn a_mapping_that_is_switched_on_again_has_a_fresh_budget() {
    let mut lab = Lab::new(numbered(1..=1), throws_on(&[1]));
    lab.switches = [(1, false), (60_000, true)].into();
    let lab = lab.run(settings().maximum_retry_attempts(1));
    assert_eq!(lab.attempts, [1, 1, 2]);
}

#[test]
fn a_mapping_can_be_made_switched_off() {
    let off = settings().enabled(false);
    let mut lab = Lab::new(numbered(1..=1), throws_on(&[]));
    lab.switches = [(7000, true)].into();
    let lab = lab.run(off);
    assert_eq!(lab.invoked_at_ms, [7000]);
}
