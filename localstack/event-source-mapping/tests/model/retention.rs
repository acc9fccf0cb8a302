//! What the stream trims while the mapping still has it.

use crate::world::{Lab, numbered, record, settings, throws_on};
use event_source_mapping::{Ending, Timing};

fn kept_for_hours(hours: i64) -> Timing {
    Timing { retention_ms: hours * 3_600_000, ..Timing::default() }
}

#[test]
fn records_retried_for_ever_end_when_the_stream_trims_them_and_nobody_is_told() {
    let lab = Lab::new(numbered(1..=2), throws_on(&[1])).run_with(settings(), kept_for_hours(24), 48 * 3_600_000);
    assert!(lab.finished);
    assert_eq!(lab.advances, [(2, Ending::Trimmed, Some(2))]);
    assert_eq!((lab.messages.len(), lab.counters.dropped_records, lab.counters.trimmed_records), (0, 0, 2));
    let last_ms = lab.invoked_at_ms.last().unwrap();
    assert!((23 * 3_600_000..=24 * 3_600_000).contains(last_ms), "{last_ms}");
}

#[test]
fn only_what_is_trimmed_goes() {
    let stream = vec![record(1, -3_600_000), record(2, 0)];
    let lab = Lab::new(stream, throws_on(&[1])).run_with(settings(), kept_for_hours(2), 24 * 3_600_000);
    assert_eq!(lab.advances, [(1, Ending::Trimmed, Some(1)), (1, Ending::Handled, Some(2))]);
}

#[test]
fn a_record_age_below_the_retention_saves_what_would_be_trimmed() {
    let aged = settings().maximum_record_age_s(3600);
    let lab = Lab::new(numbered(1..=2), throws_on(&[1])).run_with(aged, kept_for_hours(24), 48 * 3_600_000);
    assert_eq!(lab.advances, [(2, Ending::Delivered, Some(2))]);
}
