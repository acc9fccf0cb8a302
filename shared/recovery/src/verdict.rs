//! The decision: what reading a range proved.

use crate::{RangeReading, ReadEnd};
use records::{SequenceNumber, ShardRange};
use serde::Serialize;

/// What reading a range proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// First, last and count are those of the failed batch: it is exactly that.
    Complete,
    /// Both ends were found with more records between them than the batch had: records that were filtered out, or that
    /// a parallel batch handled.
    Superset,
    /// Records of the batch are missing; the rest was found.
    Partial,
    /// Nothing of the range is left.
    Expired,
}

/// What cannot be read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// First position of the part that is missing, inclusive.
    pub start: SequenceNumber,
    /// Last position of the part that is missing; inclusive where nothing of it was found.
    pub end: SequenceNumber,
    /// Number of records of the batch that are missing, at least.
    pub count: u64,
    /// Why.
    pub reason: LossReason,
}

/// Why records cannot be read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LossReason {
    /// The stream's retention was over.
    Trimmed,
    /// The shard or the stream is gone.
    Gone,
}

/// Decides what a reading says about a range whose batch had `batch_size` records.
#[must_use]
pub fn verify(range: &ShardRange, batch_size: u64, reading: &RangeReading) -> (Verdict, Option<Loss>) {
    let reason = if reading.end == ReadEnd::Gone { LossReason::Gone } else { LossReason::Trimmed };
    let loss = |start: &SequenceNumber, end: &SequenceNumber, count| {
        Some(Loss { start: start.clone(), end: end.clone(), count, reason })
    };
    let (Some(first), Some(last)) = (reading.records.first(), reading.records.last()) else {
        return (Verdict::Expired, loss(range.start(), range.end(), batch_size));
    };
    let (first, last) = (first.sequence_number(), last.sequence_number());
    let found = reading.records.len() as u64;
    // Each part that is missing misses one record at least.
    let parts = reading.gaps.len() as u64 + u64::from(first != range.start()) + u64::from(last != range.end());
    let missing = batch_size.saturating_sub(found).max(parts);
    if missing == 0 {
        return (if found == batch_size { Verdict::Complete } else { Verdict::Superset }, None);
    }
    let (start, end) = bounds_of_the_missing(range, first, last, reading);
    (Verdict::Partial, loss(start, end, missing))
}

/// The narrowest bounds around all that is missing.
fn bounds_of_the_missing<'a>(
    range: &'a ShardRange,
    first: &'a SequenceNumber,
    last: &'a SequenceNumber,
    reading: &'a RangeReading,
) -> (&'a SequenceNumber, &'a SequenceNumber) {
    let (front, back) = (first != range.start(), last != range.end());
    let (first_gap, last_gap) = (reading.gaps.first(), reading.gaps.last());
    let start = match first_gap {
        _ if front => range.start(),
        Some(gap) => &gap.after,
        None if back => last,
        None => range.start(),
    };
    let end = match last_gap {
        _ if back => range.end(),
        Some(gap) => &gap.before,
        None if front => first,
        None => range.end(),
    };
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gap;
    use crate::memory::{number, range, records};

    fn reading(found: &[&str], gaps: &[(&str, &str)], end: ReadEnd) -> RangeReading {
        let gap = |(after, before): &(&str, &str)| Gap { after: number(after), before: number(before) };
        RangeReading { records: records(found), end, gaps: gaps.iter().map(gap).collect() }
    }

    /// The verdict over the range [10, 14], and start, end and count of the loss.
    fn check(
        batch_size: u64,
        found: &[&str],
        gaps: &[(&str, &str)],
        verdict: Verdict,
        loss: Option<(&str, &str, u64)>,
    ) {
        let (got, got_loss) = verify(&range("10", "14"), batch_size, &reading(found, gaps, ReadEnd::EndSeen));
        let got_loss = got_loss.as_ref().map(|loss| (loss.start.as_str(), loss.end.as_str(), loss.count));
        assert_eq!((got, got_loss), (verdict, loss), "{found:?} with gaps {gaps:?} of a batch of {batch_size}");
    }

    #[test]
    fn first_last_and_count_decide() {
        check(3, &["10", "12", "14"], &[], Verdict::Complete, None);
        check(2, &["10", "12", "14"], &[], Verdict::Superset, None);
        check(4, &["10", "12", "14"], &[], Verdict::Partial, Some(("10", "14", 1)));
        check(3, &["12", "14"], &[], Verdict::Partial, Some(("10", "12", 1)));
        check(3, &["14"], &[], Verdict::Partial, Some(("10", "14", 2)));
        check(3, &["10", "12"], &[], Verdict::Partial, Some(("12", "14", 1)));
        check(3, &[], &[], Verdict::Expired, Some(("10", "14", 3)));
    }

    #[test]
    fn a_trimmed_superset_still_misses_its_start() {
        check(2, &["11", "12", "13", "14"], &[], Verdict::Partial, Some(("10", "11", 1)));
    }

    #[test]
    fn a_gap_is_a_loss_even_when_first_last_and_count_fit() {
        check(3, &["10", "13", "14"], &[("10", "13")], Verdict::Partial, Some(("10", "13", 1)));
        check(2, &["10", "13", "14"], &[("10", "13")], Verdict::Partial, Some(("10", "13", 1)));
        check(9, &["11", "13"], &[("11", "13")], Verdict::Partial, Some(("10", "14", 7)));
        check(1, &["11", "13", "14"], &[("11", "13")], Verdict::Partial, Some(("10", "13", 2)));
    }

    #[test]
    fn a_gone_shard_is_told_from_a_trimmed_one() {
        let (verdict, loss) = verify(&range("1", "2"), 2, &reading(&[], &[], ReadEnd::Gone));
        assert_eq!((verdict, loss.unwrap().reason), (Verdict::Expired, LossReason::Gone));
    }
}
