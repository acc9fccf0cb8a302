//! The pieces that bisecting has cut a batch into.

/// The lengths of the pieces of one batch that are not done, the first piece on top of the stack.
///
/// Pieces are worked on in the order of the shard, so the current piece is always the records in front, and a length is
/// all there is to remember.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    lengths: Vec<usize>,
}

impl Pieces {
    /// Starts on a batch of `records` records, in one piece.
    pub fn start(&mut self, records: usize) {
        self.lengths.clear();
        self.lengths.push(records);
    }

    /// The number of records in the current piece, or `None` between two batches.
    pub fn current(&self) -> Option<usize> {
        self.lengths.last().copied()
    }

    /// Takes `records` records out of the current piece; an empty piece gives way to the next.
    pub fn shorten(&mut self, records: usize) {
        let Some(length) = self.lengths.last_mut() else { return };
        *length = length.saturating_sub(records);
        if *length == 0 {
            self.lengths.pop();
        }
    }

    /// Cuts the current piece in half and returns both lengths, or `None` when it is too short.
    ///
    /// The left half has the extra record of an odd piece, as the published walkthrough with ten records shows.
    pub fn halve(&mut self) -> Option<(usize, usize)> {
        let length = self.current().filter(|length| *length > 1)?;
        let left = length.div_ceil(2);
        self.lengths.pop();
        self.lengths.extend([length - left, left]);
        Some((left, length - left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_come_left_first_and_the_left_one_has_the_extra_record() {
        let mut pieces = Pieces::default();
        pieces.start(5);
        assert_eq!(pieces.halve(), Some((3, 2)));
        assert_eq!(pieces.halve(), Some((2, 1)));
        let mut order = Vec::new();
        while let Some(length) = pieces.current() {
            order.push(length);
            pieces.shorten(length);
        }
        assert_eq!(order, [2, 1, 2]);
    }

    #[test]
    fn a_piece_of_one_cannot_be_halved() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.halve(), None);
        pieces.start(1);
        assert_eq!(pieces.halve(), None);
        assert_eq!(pieces.current(), Some(1));
    }
}
