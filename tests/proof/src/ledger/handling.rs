//! What the function does: which records it is invoked with, which ones its handler handles, and in which order.

use super::Ledger;
use crate::produce::Fate;
use event_source_mapping::FunctionResult;
use records::EpochMillis;

/// What a handler is to do with a record.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// Which record.
    pub id: u32,
    /// What becomes of it.
    pub fate: Fate,
    /// How long it takes.
    pub slow_ms: i64,
    /// How often its handler was begun, this time included.
    pub tries: u32,
}

impl Ledger {
    /// The function is invoked with these records.
    pub fn invoked(&mut self, ids: &[u32], now: EpochMillis) {
        self.counted.invocations += 1;
        self.counted.deliveries += ids.len() as u64;
        for id in ids {
            let entry = self.entry(*id);
            if let Some(ending) = entry.ended {
                self.complain_of(*id, now, &format!("the function is invoked with it, which has ended as {ending:?}"));
            } else if !entry.passes {
                self.complain_of(*id, now, "the function is invoked with it, which the filter drops");
            }
        }
        let sorted =
            |pair: &[u32]| self.entry(pair[0]).record.sequence_number() < self.entry(pair[1]).record.sequence_number();
        if !ids.windows(2).all(sorted) {
            self.complain_of(ids[0], now, "the batch that begins with it is out of order");
        }
    }

    /// An invocation has ended: one that reached the function counts.
    pub fn responded(&mut self, ids: &[u32], result: &FunctionResult) {
        if *result == FunctionResult::Undelivered {
            return;
        }
        ids.iter().for_each(|id| self.entries[*id as usize].invocations += 1);
    }

    /// A handler is given a record.
    pub fn begun(
        &mut self,
        number: &str,
        is_same: impl FnOnce(&super::Entry) -> bool,
        now: EpochMillis,
    ) -> Option<Task> {
        let Some(id) = self.find(number) else {
            self.complain(&format!("the handler is given {number}, which was never produced"));
            return None;
        };
        let entry = &mut self.entries[id as usize];
        entry.tries += 1;
        let task = Task { id, fate: entry.fate, slow_ms: entry.slow_ms, tries: entry.tries };
        let (is_same, passes) = (is_same(entry), entry.passes);
        if !is_same {
            self.complain_of(id, now, "the handler is given another payload than was produced");
        }
        if !passes {
            self.complain_of(id, now, "the handler is given it, which the filter drops");
        }
        Some(task)
    }

    /// The handler has handled the record.
    ///
    /// The order of a key: when a record is handled for the first time, no earlier one of its key may still be open, that
    /// is, not handled, quarantined, given up to the destination, dropped, filtered or trimmed.
    pub fn handled(&mut self, id: u32, now: EpochMillis) {
        self.note([1, u64::from(id), now.0.unsigned_abs()]);
        if std::mem::replace(&mut self.entries[id as usize].handled, true) {
            return;
        }
        let (key, place) = (self.entry(id).key, self.entry(id).place);
        let mut first_open = self.keys[key].first_open;
        while first_open < place && self.is_closed(self.keys[key].ids[first_open], now) {
            first_open += 1;
        }
        self.keys[key].first_open = first_open;
        if first_open < place {
            let earlier = self.keys[key].ids[first_open];
            let earlier = self.entry(earlier).record.sequence_number().clone();
            self.complain_of(id, now, &format!("handled while {earlier}, an earlier one of its key, is open"));
        }
    }
}
