//! How a batch comes about, and what is begun with it.

use super::slot::UnderWay;
use super::{Next, Shard, after};
use crate::payload::{self, Fit};
use crate::{Action, Ending, Invocation, StreamRecord, Wait};
use records::EpochMillis;

impl<R: StreamRecord> Shard<R> {
    /// What the slot does now, if it does not wait for an answer.
    pub(super) fn begin(&mut self, now: EpochMillis, slot: usize) -> Next {
        if self.slots[slot].under_way != UnderWay::Nothing {
            return Next::Nothing;
        }
        if now < self.slots[slot].position.not_before {
            return Next::Wait(self.slots[slot].position.not_before, Wait::Retry);
        }
        if self.window_ends_early(slot) {
            return Next::Begin(self.invoke(slot, 0));
        }
        let piece = match self.slots[slot].pieces.current() {
            Some(piece) => piece,
            None if self.window_is_over(slot) => return Next::Begin(self.invoke(slot, 0)),
            None => match self.fill(now, slot) {
                Ok(piece) => piece,
                Err(next) => return next,
            },
        };
        self.work_on(now, slot, piece)
    }

    /// Starts on a batch and returns its length, or says what it waits for.
    ///
    /// Documented: a batch is complete at its size or at 6 MB, and otherwise waits for the batching window. Inferred: the
    /// window opens with the first record that waits behind no other batch, and the end of a shard closes it.
    fn fill(&mut self, now: EpochMillis, slot: usize) -> Result<usize, Next> {
        let fit = self.fit(slot);
        if fit.records == 0 {
            return Err(Next::Nothing);
        }
        let since = *self.slots[slot].waiting_since.get_or_insert(now);
        let closes = after(since, self.settings.batching_window_ms());
        if !fit.full && !self.intake.is_at_end() && now < closes {
            return Err(Next::Wait(closes, Wait::BatchingWindow));
        }
        self.slots[slot].waiting_since = None;
        self.intake.poll_soon();
        self.slots[slot].pieces.start(fit.records);
        Ok(fit.records)
    }

    /// How many of the slot's records the next batch has.
    fn fit(&mut self, slot: usize) -> Fit {
        if let Some(fit) = self.slots[slot].fit {
            return fit;
        }
        let records = &self.slots[slot].records;
        let in_window = self.records_of_one_window(slot);
        let sizes = records.range(..in_window).map(StreamRecord::payload_bytes);
        let mut fit = payload::fit(sizes, self.settings.batch_size());
        // A batch has records of one window only, so one that a later window follows is complete.
        fit.full |= in_window < records.len();
        self.slots[slot].fit = Some(fit);
        fit
    }

    /// Invokes the function with the current piece, but for what can no longer be invoked with.
    fn work_on(&mut self, now: EpochMillis, slot: usize, piece: usize) -> Next {
        if let Some(trimmed) = self.older_than(slot, piece, now.0.saturating_sub(self.timing.retention_ms)) {
            return Next::Begin(self.pass(slot, trimmed, Ending::Trimmed));
        }
        if let Some(age_ms) = self.settings.record_age_ms()
            && let Some(too_old) = self.older_than(slot, piece, now.0.saturating_sub(age_ms))
        {
            return Next::Begin(self.give_up_as_too_old(now, slot, too_old));
        }
        if self.front_is_oversized(slot) {
            return self.fail_oversized(now, slot);
        }
        Next::Begin(self.invoke(slot, piece))
    }

    /// The invocation with the first `records` records of the slot; with none, the last one of the window.
    fn invoke(&mut self, index: usize, records: usize) -> Action {
        if records > 0 {
            self.open_window(index);
        }
        let window = self.window_of(index, records == 0);
        let slot = &mut self.slots[index];
        slot.under_way = UnderWay::Invocation;
        slot.subject = 0..records;
        let failed = match &slot.window {
            Some(window) if records == 0 => window.failed_ends,
            _ => slot.position.attempts,
        };
        let attempt = failed.saturating_add(1);
        Action::Invoke(Invocation { slot: index, records, attempt, window })
    }
}
