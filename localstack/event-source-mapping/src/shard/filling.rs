//! How a batch comes about: polls, the batching window, the bounds of a batch.

use super::{LONG_AGO, Shard, after};
use crate::{Action, StreamRecord, Wait, payload};
use records::{EpochMillis, StreamKind};

impl<R: StreamRecord> Shard<R> {
    /// Takes in a page of records.
    pub(super) fn take_in(&mut self, now: EpochMillis, page: Vec<R>, end_of_shard: bool, page_is_full: bool) {
        self.counters.polls += 1;
        self.counters.polled_records += page.len() as u64;
        self.end_of_shard = end_of_shard;
        // Documented: a shard is polled once per second. A full page says that there is more, so it is not waited for.
        self.next_poll = if page_is_full { now } else { after(now, self.timing.poll_interval_ms) };
        self.records.extend(page);
        debug_assert!(self.records.iter().is_sorted_by(|a, b| a.sequence_number() < b.sequence_number()));
    }

    /// Starts on a batch and returns `None`, or says how to get to one.
    ///
    /// Documented: a batch is complete at its size or at 6 MB, and otherwise waits for the batching window. Inferred: the
    /// window opens with the first record that waits behind no other batch, and the end of a shard closes it.
    pub(super) fn fill(&mut self, now: EpochMillis) -> Option<Action> {
        let fit = payload::fit(self.records.iter().map(StreamRecord::payload_bytes), self.settings.batch_size());
        if fit.records == 0 {
            return Some(if self.end_of_shard { Action::Finished } else { self.poll(now, None) });
        }
        let opened = *self.window_start.get_or_insert(now);
        let closes = after(opened, self.settings.batching_window_ms());
        if !fit.full && !self.end_of_shard && now < closes {
            return Some(self.poll(now, Some(closes)));
        }
        self.window_start = None;
        // Inferred: while there are records, the shard is polled as fast as they are handled.
        self.next_poll = LONG_AGO;
        self.pieces.start(fit.records);
        None
    }

    fn poll(&self, now: EpochMillis, window_closes: Option<EpochMillis>) -> Action {
        if now >= self.next_poll {
            return Action::Poll { limit: page_records_max(self.settings.stream().kind()) };
        }
        match window_closes.filter(|closes| *closes <= self.next_poll) {
            Some(closes) => Action::WaitUntil { time: closes, reason: Wait::BatchingWindow },
            None => Action::WaitUntil { time: self.next_poll, reason: Wait::Poll },
        }
    }
}

/// The largest page of one poll, in records: the limit of `GetRecords` of either service (documented).
fn page_records_max(kind: StreamKind) -> usize {
    match kind {
        StreamKind::Kinesis => 10_000,
        StreamKind::DynamoDb => 1_000,
    }
}
