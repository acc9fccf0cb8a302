//! Which records of a shard are done with, and so how far its checkpoint may go.

use records::SequenceNumber;
use std::borrow::Cow;
use std::collections::VecDeque;

/// The records between the checkpoint and the last one polled.
///
/// Slots end records in another order than the shard has them. The checkpoint is the last record that has none before it
/// that is not done: it never passes one.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// One entry for each record behind the checkpoint: its number if it is done with.
    entries: VecDeque<Option<SequenceNumber>>,
    /// The ordinal of the first entry.
    first: u64,
    checkpoint: Option<SequenceNumber>,
}

impl Ledger {
    /// Notes one more record, polled behind all others, and returns its ordinal.
    pub fn open(&mut self) -> u64 {
        self.entries.push_back(None);
        self.first + self.entries.len() as u64 - 1
    }

    /// Records are done with, given by ordinal and number, ascending.
    pub fn close<'a>(&mut self, ended: impl Iterator<Item = (u64, &'a SequenceNumber)>) {
        let mut reached = None;
        for (ordinal, number) in ended {
            match usize::try_from(ordinal - self.first) {
                Ok(0) => reached = Some(self.advance(number)),
                Ok(ahead) => {
                    if let Some(entry) = self.entries.get_mut(ahead) {
                        *entry = Some(number.clone());
                    }
                }
                Err(_) => debug_assert!(false, "more records than memory holds"),
            }
        }
        if let Some(reached) = reached {
            self.checkpoint = Some(reached.into_owned());
        }
    }

    /// Passes the record in front and those behind it that were done before.
    fn advance<'a>(&mut self, front: &'a SequenceNumber) -> Cow<'a, SequenceNumber> {
        let mut reached = Cow::Borrowed(front);
        self.entries.pop_front();
        self.first += 1;
        while let Some(Some(_)) = self.entries.front() {
            reached = self.entries.pop_front().flatten().map_or(reached, Cow::Owned);
            self.first += 1;
        }
        reached
    }

    /// The last position passed.
    pub fn checkpoint(&self) -> Option<&SequenceNumber> {
        self.checkpoint.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u64) -> SequenceNumber {
        SequenceNumber::parse(&number.to_string()).unwrap()
    }

    /// Closes records of a ledger of five, in groups, and expects the checkpoint after each.
    fn check(groups: &[(&[u64], Option<u64>)]) {
        let mut ledger = Ledger::default();
        assert_eq!((0..5).map(|_| ledger.open()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        for (ordinals, checkpoint) in groups {
            let numbers: Vec<_> = ordinals.iter().map(|ordinal| number(100 + ordinal)).collect();
            ledger.close(ordinals.iter().copied().zip(&numbers));
            assert_eq!(ledger.checkpoint().cloned(), checkpoint.map(|ordinal| number(100 + ordinal)), "{ordinals:?}");
        }
    }

    #[test]
    fn the_checkpoint_stops_before_the_first_record_that_is_not_done() {
        check(&[(&[0, 1], Some(1)), (&[3, 4], Some(1)), (&[2], Some(4))]);
        check(&[(&[4], None), (&[2], None), (&[0], Some(0)), (&[1, 3], Some(4))]);
        check(&[(&[1, 3], None), (&[0, 2], Some(3)), (&[4], Some(4))]);
    }
}
