//! The decision: what reading a range proved.

use crate::ReadEnd;
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

/// Decides what the positions found, in order, say about a range whose batch had `batch_size` records.
#[must_use]
pub fn verify(range: &ShardRange, batch_size: u64, found: &[&SequenceNumber], end: ReadEnd) -> (Verdict, Option<Loss>) {
    let reason = if end == ReadEnd::Gone { LossReason::Gone } else { LossReason::Trimmed };
    let loss = |count| Loss { start: range.start().clone(), end: range.end().clone(), count, reason };
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return (Verdict::Expired, Some(loss(batch_size)));
    };
    let count = found.len() as u64;
    let missing_ends = u64::from(*first != range.start()) + u64::from(*last != range.end());
    let missing = batch_size.saturating_sub(count).max(missing_ends);
    if missing > 0 {
        // A stream forgets from its oldest record on: what is missing lies before the first record found, unless that is
        // the start itself.
        let mut loss = loss(missing);
        if *first != range.start() && *last == range.end() {
            loss.end = (*first).clone();
        } else if *first == range.start() {
            loss.start = if *last == range.end() { (*first).clone() } else { (*last).clone() };
        }
        return (Verdict::Partial, Some(loss));
    }
    (if count == batch_size { Verdict::Complete } else { Verdict::Superset }, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{number, range};

    /// The verdict over the range [10, 14], and start, end and count of the loss.
    fn check(batch_size: u64, found: &[&str], verdict: Verdict, loss: Option<(&str, &str, u64)>) {
        let found: Vec<SequenceNumber> = found.iter().map(|text| number(text)).collect();
        let found: Vec<&SequenceNumber> = found.iter().collect();
        let (got, got_loss) = verify(&range("10", "14"), batch_size, &found, ReadEnd::EndSeen);
        let got_loss = got_loss.as_ref().map(|loss| (loss.start.as_str(), loss.end.as_str(), loss.count));
        assert_eq!((got, got_loss), (verdict, loss), "{found:?} of a batch of {batch_size}");
    }

    #[test]
    fn first_last_and_count_decide() {
        check(3, &["10", "12", "14"], Verdict::Complete, None);
        check(2, &["10", "12", "14"], Verdict::Superset, None);
        check(4, &["10", "12", "14"], Verdict::Partial, Some(("10", "14", 1)));
        check(3, &["12", "14"], Verdict::Partial, Some(("10", "12", 1)));
        check(3, &["14"], Verdict::Partial, Some(("10", "14", 2)));
        check(3, &["10", "12"], Verdict::Partial, Some(("12", "14", 1)));
        check(3, &[], Verdict::Expired, Some(("10", "14", 3)));
    }

    #[test]
    fn a_trimmed_superset_still_misses_its_start() {
        check(2, &["11", "12", "13", "14"], Verdict::Partial, Some(("10", "11", 1)));
    }

    #[test]
    fn a_gone_shard_is_told_from_a_trimmed_one() {
        let (verdict, loss) = verify(&range("1", "2"), 2, &[], ReadEnd::Gone);
        assert_eq!((verdict, loss.unwrap().reason), (Verdict::Expired, LossReason::Gone));
    }
}
