//! The decision: what reading a range proved.

use crate::Gap;
use records::SequenceNumber;
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

impl Verdict {
    /// As JSON spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Superset => "superset",
            Self::Partial => "partial",
            Self::Expired => "expired",
        }
    }
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
    /// The stream was deleted, and made again under its name.
    Recreated,
}

/// Why reading ended. Each but [`ReadEnd::TipReached`] proves that no record of the range is left unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEnd {
    /// A record at or behind `end` was seen.
    EndSeen,
    /// The shard is closed, and its last record was before `end`.
    ShardClosed,
    /// The service says that `end` itself is trimmed.
    Trimmed,
    /// The service hints that nothing newer is in the shard, again and again, and its last record was before `end`.
    TipReached,
    /// The service says that the shard or the stream is gone.
    Gone,
    /// The stream was deleted, and another one has its name: it was created after the records arrived.
    Recreated,
}

/// What was found of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// Number of records.
    pub count: u64,
    /// The first one's position.
    pub first: Option<&'a SequenceNumber>,
    /// The last one's position.
    pub last: Option<&'a SequenceNumber>,
    /// Where records were trimmed between two that were read.
    pub gaps: &'a [Gap],
    /// Why reading ended.
    pub end: ReadEnd,
}

/// Decides what was found says about the range `[start, end]`, whose batch had `batch_size` records.
#[must_use]
pub fn verify(
    start: &SequenceNumber,
    end: &SequenceNumber,
    batch_size: u64,
    found: &Found<'_>,
) -> (Verdict, Option<Loss>) {
    let reason = match found.end {
        ReadEnd::Gone => LossReason::Gone,
        ReadEnd::Recreated => LossReason::Recreated,
        _ => LossReason::Trimmed,
    };
    let loss = |start: &SequenceNumber, end: &SequenceNumber, count: u64| {
        // Whoever counts a loss counts the batch: it cannot miss more records than it had.
        Some(Loss { start: start.clone(), end: end.clone(), count: count.min(batch_size), reason })
    };
    let (Some(first), Some(last)) = (found.first, found.last) else {
        return (Verdict::Expired, loss(start, end, batch_size));
    };
    // Each part that is missing misses one record at least.
    let parts = found.gaps.len() as u64 + u64::from(first != start) + u64::from(last != end);
    let missing = batch_size.saturating_sub(found.count).max(parts);
    if missing == 0 {
        return (if found.count == batch_size { Verdict::Complete } else { Verdict::Superset }, None);
    }
    let (from, to) = bounds_of_the_missing(start, end, first, last, found.gaps);
    (Verdict::Partial, loss(from, to, missing))
}

/// The narrowest bounds around all that is missing.
fn bounds_of_the_missing<'a>(
    start: &'a SequenceNumber,
    end: &'a SequenceNumber,
    first: &'a SequenceNumber,
    last: &'a SequenceNumber,
    gaps: &'a [Gap],
) -> (&'a SequenceNumber, &'a SequenceNumber) {
    let (front, back) = (first != start, last != end);
    let from = match gaps.first() {
        _ if front => start,
        Some(gap) => &gap.after,
        None if back => last,
        None => start,
    };
    let to = match gaps.last() {
        _ if back => end,
        Some(gap) => &gap.before,
        None if front => first,
        None => end,
    };
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::number;

    /// The verdict over the range [10, 14], and start, end and count of the loss.
    fn check(
        batch_size: u64,
        found: &[&str],
        gaps: &[(&str, &str)],
        verdict: Verdict,
        loss: Option<(&str, &str, u64)>,
    ) {
        let (got, got_loss) = verify_found(batch_size, found, gaps, ReadEnd::EndSeen);
        let got_loss = got_loss.as_ref().map(|loss| (loss.start.as_str(), loss.end.as_str(), loss.count));
        assert_eq!((got, got_loss), (verdict, loss), "{found:?} with gaps {gaps:?} of a batch of {batch_size}");
    }

    fn verify_found(batch_size: u64, found: &[&str], gaps: &[(&str, &str)], end: ReadEnd) -> (Verdict, Option<Loss>) {
        let gap = |(after, before): &(&str, &str)| Gap { after: number(after), before: number(before) };
        let (numbers, gaps): (Vec<_>, Vec<_>) =
            (found.iter().map(|text| number(text)).collect(), gaps.iter().map(gap).collect());
        let (first, last): (Option<&SequenceNumber>, _) = (numbers.first(), numbers.last());
        let found = Found { count: numbers.len() as u64, first, last, gaps: &gaps, end };
        verify(&number("10"), &number("14"), batch_size, &found)
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
        // At least two are missing, of a batch that had one: the batch is lost.
        check(1, &["11", "13", "14"], &[("11", "13")], Verdict::Partial, Some(("10", "13", 1)));
    }

    #[test]
    fn a_gone_shard_is_told_from_a_trimmed_one() {
        for (end, reason) in [
            (ReadEnd::Gone, LossReason::Gone),
            (ReadEnd::Recreated, LossReason::Recreated),
            (ReadEnd::Trimmed, LossReason::Trimmed),
            (ReadEnd::TipReached, LossReason::Trimmed),
        ] {
            let (verdict, loss) = verify_found(2, &[], &[], end);
            assert_eq!((verdict, loss.unwrap().reason), (Verdict::Expired, reason), "{end:?}");
        }
    }
}
