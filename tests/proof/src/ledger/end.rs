//! The end of the account: every record has an end, and each loss has a reason that is allowed.

use super::{Ledger, Totals};
use event_source_mapping::Ending;
use records::EpochMillis;
use std::collections::HashSet;

/// What is left of a world.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What is wrong; empty if nothing is.
    pub complaints: Vec<String>,
    /// How the records ended.
    pub totals: Totals,
    /// The same for two runs of one seed.
    pub trace: u64,
    /// How long the world lasted, in virtual milliseconds.
    pub lasted_ms: i64,
    /// What happened, line by line, if that was wanted.
    pub story: Vec<String>,
}

impl Ledger {
    /// Closes the account. `dead_letters` are ranges that messages in the hydrator's dead-letter queue still name, by
    /// sequence number, both inclusive.
    #[must_use]
    pub fn close(&mut self, dead_letters: &[(String, String)], now: EpochMillis) -> Outcome {
        let in_dead_letters = self.ids_of(dead_letters);
        let mut totals = Totals { produced: self.entries.len() as u64, ..self.counted };
        for id in 0..self.next_id() {
            let counter = self.end_of(id, &in_dead_letters, now);
            match counter {
                Ok(counter) => *counter(&mut totals) += 1,
                Err(complaint) => self.complain_of(id, now, complaint),
            }
        }
        Outcome {
            complaints: std::mem::take(&mut self.complaints),
            totals,
            trace: self.trace,
            lasted_ms: now.0 - crate::clock::BEGIN.0,
            story: Vec::new(),
        }
    }

    /// How a record ended, as the counter for it; or what is wrong.
    fn end_of(&self, id: u32, dead_letters: &HashSet<u32>, now: EpochMillis) -> Result<Counter, &'static str> {
        let entry = self.entry(id);
        match entry.ended {
            Some(Ending::Filtered) => Ok(|totals| &mut totals.filtered),
            Some(Ending::Handled) if entry.handled && self.terms.has_windows => match entry.window {
                Some(_) => Ok(|totals| &mut totals.handled),
                None if entry.quarantined => Ok(|totals| &mut totals.quarantined),
                None if entry.window_is_dropped => Ok(|totals| &mut totals.dropped),
                None => Err("was added to a window, and the window was never closed"),
            },
            Some(Ending::Handled) if entry.handled => Ok(|totals| &mut totals.handled),
            Some(Ending::Handled) if entry.quarantined => Ok(|totals| &mut totals.quarantined),
            Some(Ending::Handled) => Err("ended as handled, and is neither handled nor quarantined"),
            // Whatever the function made of it before it was given up: the message is answered for.
            Some(Ending::Delivered) if entry.recovered => Ok(|totals| &mut totals.recovered),
            Some(Ending::Delivered) if entry.lost && self.could_have_been_read(id) => {
                Err("is lost, and a hydrator that nothing disturbed had all the time to read it")
            }
            // The stream had trimmed it when the hydrator wrote so.
            Some(Ending::Delivered) if entry.lost => Ok(|totals| &mut totals.lost),
            // The hydrator's own dead-letter queue has the message: it came too often, and nobody moved it back.
            Some(Ending::Delivered) if !self.terms.is_redriven && dead_letters.contains(&id) => {
                Ok(|totals| &mut totals.dead_letters)
            }
            Some(Ending::Delivered) => Err("was given up to the destination, and vanished"),
            // AWS dropped it: there is no destination, or it did not take the message. Both were held against what was
            // seen when it ended.
            Some(Ending::Dropped) => Ok(|totals| &mut totals.dropped),
            // The stream forgot it while it was retried, or before the mapping came to read it.
            Some(Ending::Trimmed) => Ok(|totals| &mut totals.trimmed),
            None if entry.trims_at <= now.0 => Ok(|totals| &mut totals.trimmed),
            None => Err("vanished: the mapping never ended it"),
        }
    }

    /// Whether an undisturbed hydrator, with few messages to read, had its message long before the stream trimmed it.
    fn could_have_been_read(&self, id: u32) -> bool {
        let entry = self.entry(id);
        let is_easy = self.terms.hydrator_is_calm && self.counted.messages <= FEW_MESSAGES;
        is_easy && entry.named_at.is_some_and(|named_at| named_at + LONG_BEFORE_MS < entry.trims_at)
    }

    fn ids_of(&self, ranges: &[(String, String)]) -> HashSet<u32> {
        let bounds = ranges.iter().filter_map(|(start, end)| Some((self.find(start)?, self.find(end)?)));
        let ids = bounds.flat_map(|(start, end)| {
            let line = &self.shards[self.entry(start).shard].ids;
            line[self.place_in_shard(start)..=self.place_in_shard(end)].to_vec()
        });
        ids.collect()
    }
}

/// Messages that one poller reads without falling behind.
const FEW_MESSAGES: u64 = 50;

/// Time enough for the queue's window, a poll, and the reads of a few messages.
const LONG_BEFORE_MS: i64 = 10 * 60_000;

type Counter = fn(&mut Totals) -> &mut u64;
