//! How records come in: polls, filters, and which slot a record goes to.

use super::{LONG_AGO, Next, Shard, after};
use crate::{Action, Ending, StreamRecord, Wait};
use records::{EpochMillis, StreamKind};

/// What a shard knows of its end of the stream.
#[derive(Debug)]
pub(super) struct Intake {
    /// Whether a poll is under way.
    polling: bool,
    end_of_shard: bool,
    next_poll: EpochMillis,
    /// When a poll last found that there was no more to read.
    pub caught_up: EpochMillis,
}

impl Default for Intake {
    fn default() -> Self {
        Self { polling: false, end_of_shard: false, next_poll: LONG_AGO, caught_up: LONG_AGO }
    }
}

impl Intake {
    /// Whether the shard is closed and all of its records were polled.
    pub fn is_at_end(&self) -> bool {
        self.end_of_shard
    }

    /// Inferred: while there are records, the shard is polled as fast as they are handled.
    pub fn poll_soon(&mut self) {
        self.next_poll = LONG_AGO;
    }
}

impl<R: StreamRecord> Shard<R> {
    /// Takes in a page of records. Those that the filters drop are done with at once.
    pub(super) fn take_in(&mut self, now: EpochMillis, page: Vec<R>, end_of_shard: bool) -> Option<Action> {
        if !std::mem::take(&mut self.intake.polling) {
            return None;
        }
        let page_is_full = page.len() >= page_records_max(self.settings.stream().kind());
        self.counters.polls += 1;
        self.counters.polled_records += page.len() as u64;
        self.intake.end_of_shard = end_of_shard;
        if page_is_full {
            // A full page says that there is more, so it is not waited for.
            self.intake.poll_soon();
        } else {
            self.intake.caught_up = now;
            self.intake.next_poll = after(now, self.timing.poll_interval_ms(self.settings.stream().kind()));
        }
        for record in page {
            self.sort_in(record);
        }
        self.end_filtered()
    }

    /// Puts a record into the slot of its key, or among the ended ones if the filters drop it.
    fn sort_in(&mut self, record: R) {
        let ordinal = self.ledger.open();
        if let Some(filters) = self.settings.filters()
            && !record.passes(self.settings.stream().kind(), filters)
        {
            self.ledger.close(std::iter::once((ordinal, record.sequence_number())));
            self.ended.push_back(record);
            return;
        }
        // Documented: the order is kept per key. Inferred: by a hash of it.
        let slot = record.key_hash() % self.slots.len() as u64;
        if let Some(slot) = usize::try_from(slot).ok().and_then(|slot| self.slots.get_mut(slot)) {
            slot.push(record, ordinal);
        }
    }

    /// Documented: a record that the filters drop counts as handled, so the checkpoint passes it.
    fn end_filtered(&mut self) -> Option<Action> {
        let records = self.ended.len();
        if records == 0 {
            return None;
        }
        self.counters.end(records, Ending::Filtered);
        Some(Action::Advance { records, ending: Ending::Filtered, checkpoint: self.ledger.checkpoint().cloned() })
    }

    /// The next poll, if a slot has too little for a batch.
    ///
    /// Inferred: reading ahead ends when there is a batch for every slot, whichever slots they are for. So keys that fail
    /// for long hold up the others in the end, and what is held is bounded.
    pub(super) fn next_poll(&mut self, now: EpochMillis) -> Next {
        let hungry = self.slots.iter().any(|slot| !slot.has_batch() && slot.fit.is_none_or(|fit| !fit.full));
        let wanted = self.slots.len() * self.settings.batch_size();
        if self.intake.polling || self.intake.end_of_shard || !hungry || self.waiting_records() >= wanted {
            return Next::Nothing;
        }
        if now < self.intake.next_poll {
            return Next::Wait(self.intake.next_poll, Wait::Poll);
        }
        self.intake.polling = true;
        Next::Begin(Action::Poll { limit: page_records_max(self.settings.stream().kind()) })
    }
}

/// The largest page of one poll, in records: the limit of `GetRecords` of either service (documented).
fn page_records_max(kind: StreamKind) -> usize {
    match kind {
        StreamKind::Kinesis => 10_000,
        StreamKind::DynamoDb => 1_000,
    }
}
