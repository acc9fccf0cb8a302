//! What the model needs to know of a record, and the view of the records of one invocation.

use records::{EpochMillis, FilterCriteria, SequenceNumber, StreamKind};
use std::collections::VecDeque;
use std::ops::Range;

/// A record as the mapping sees it: where it stands, when it arrived, how much room it takes.
///
/// The payload is nobody's business here, so that a shard can move a million records a second without looking into one.
pub trait StreamRecord {
    /// The record's position in its shard.
    fn sequence_number(&self) -> &SequenceNumber;

    /// When the stream took the record in.
    fn arrival(&self) -> EpochMillis;

    /// The length in bytes of the record in the JSON that the function is given, base64 and envelope included.
    fn payload_bytes(&self) -> usize;

    /// A hash of the partition key (Kinesis) or of the item's key (DynamoDB): records with the same one stay in order.
    fn key_hash(&self) -> u64;

    /// Whether the mapping's filters let the record through. Asked only of a mapping that has filters.
    fn passes(&self, kind: StreamKind, filters: &FilterCriteria) -> bool;
}

/// A record of which nothing is known but what the model needs: for simulations and tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BareRecord {
    /// The record's position in its shard.
    pub sequence_number: SequenceNumber,
    /// When the stream took the record in.
    pub arrival: EpochMillis,
    /// The length in bytes of the record in the JSON that the function is given.
    pub payload_bytes: usize,
    /// A hash of its key.
    pub key_hash: u64,
}

impl StreamRecord for BareRecord {
    fn sequence_number(&self) -> &SequenceNumber {
        &self.sequence_number
    }

    fn arrival(&self) -> EpochMillis {
        self.arrival
    }

    fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    /// There is nothing that a filter could look at.
    fn passes(&self, _kind: StreamKind, _filters: &FilterCriteria) -> bool {
        true
    }
}

/// The records of one action, in the order of the shard: borrowed, in two slices, since a shard keeps them in a ring.
#[derive(Debug)]
pub struct Batch<'a, R> {
    front: &'a [R],
    back: &'a [R],
}

impl<R> Clone for Batch<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Batch<'_, R> {}

impl<'a, R> From<&'a [R]> for Batch<'a, R> {
    fn from(records: &'a [R]) -> Self {
        Self { front: records, back: &[] }
    }
}

impl<'a, R> Batch<'a, R> {
    /// The records of `range`; what lies beyond the end of `records` is left out.
    pub(crate) fn of(records: &'a VecDeque<R>, range: Range<usize>) -> Self {
        let (front, back) = records.as_slices();
        let (start, end) = (range.start.min(records.len()), range.end.min(records.len()));
        let cut = front.len();
        Self { front: &front[start.min(cut)..end.min(cut)], back: &back[start.max(cut) - cut..end.max(cut) - cut] }
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.front.len() + self.back.len()
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record at `index`, counted from zero.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'a R> {
        self.front.get(index).or_else(|| self.back.get(index.checked_sub(self.front.len())?))
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a R> + Clone + use<'a, R> {
        self.front.iter().chain(self.back)
    }

    /// The two slices that hold the records, in order; the second is often empty.
    #[must_use]
    pub fn as_slices(&self) -> (&'a [R], &'a [R]) {
        (self.front, self.back)
    }
}

impl<'a, R: StreamRecord> Batch<'a, R> {
    /// Where the record stands whose sequence number is, digit for digit, `text`.
    #[must_use]
    pub fn position_of(&self, text: &str) -> Option<usize> {
        let number = SequenceNumber::parse(text).ok()?;
        let search = |slice: &[R]| slice.binary_search_by(|record| record.sequence_number().cmp(&number)).ok();
        let position = search(self.front).or_else(|| search(self.back).map(|index| self.front.len() + index))?;
        (self.get(position)?.sequence_number().as_str() == text).then_some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: &str) -> BareRecord {
        let sequence_number = SequenceNumber::parse(number).unwrap();
        BareRecord { sequence_number, arrival: EpochMillis(0), payload_bytes: 1, key_hash: 0 }
    }

    /// A ring whose contents wrap around its end.
    fn ring() -> VecDeque<BareRecord> {
        let mut ring = VecDeque::with_capacity(4);
        ring.extend(["7", "8", "9"].map(record));
        ring.drain(..2);
        while ring.len() < ring.capacity() {
            ring.push_back(record(&(9 + ring.len()).to_string()));
        }
        assert!(!ring.as_slices().1.is_empty(), "the ring should wrap");
        ring
    }

    #[test]
    fn any_range_of_a_wrapped_ring_is_seen_in_order() {
        let ring = ring();
        for start in 0..=ring.len() {
            for end in start..=ring.len() {
                let batch = Batch::of(&ring, start..end);
                let expected: Vec<_> = ring.range(start..end).collect();
                assert_eq!(batch.iter().collect::<Vec<_>>(), expected);
                assert_eq!((0..batch.len()).filter_map(|i| batch.get(i)).collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn a_record_is_found_by_the_very_digits_of_its_number() {
        let ring = ring();
        let batch = Batch::of(&ring, 0..ring.len());
        assert_eq!(batch.position_of("9"), Some(0));
        assert_eq!(batch.position_of("12"), Some(3));
        for absent in ["8", "010", "", "x", "100"] {
            assert_eq!(batch.position_of(absent), None, "{absent:?}");
        }
    }
}
