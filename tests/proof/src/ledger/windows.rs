//! Tumbling windows: what is in the state of a window that was closed, held against what the mapping calls handled.

use super::Ledger;
use event_source_mapping::{Ending, FunctionResult};
use records::EpochMillis;

/// A window as the function closes it.
pub struct ClosedWindow<'a> {
    /// The shard's name.
    pub shard: &'a str,
    /// When the window begins, as the event says.
    pub start: &'a str,
    /// The records in its state.
    pub ids: &'a [u32],
}

impl Ledger {
    /// The function closes a window: each record in it was handled, is in it once, and in no other.
    pub fn window_closed(&mut self, window: &ClosedWindow<'_>, now: EpochMillis) {
        self.note([5, window.ids.len() as u64, now.0.unsigned_abs()]);
        let name = format!("{} of {}", window.start, window.shard);
        let mut sorted = window.ids.to_vec();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            self.complain_of(twice[0], now, &format!("is in the window {name} twice"));
        }
        for id in sorted {
            let Some(entry) = self.entries.get_mut(id as usize) else {
                self.complain(&format!("record {id} of window {name} was never produced"));
                continue;
            };
            let before = entry.window.get_or_insert_with(|| name.clone()).clone();
            if entry.ended != Some(Ending::Handled) {
                self.complain_of(id, now, &format!("is in the window {name}, and does not count as handled"));
            } else if before != name {
                self.complain_of(id, now, &format!("is in the window {name}, and in that of {before}"));
            }
        }
    }

    /// The last invocation of a window, with this state, has ended. Where it fails once more than it may be retried, AWS
    /// drops the window, and names no record.
    pub fn final_responded(&mut self, slot: (usize, usize), state: &str, result: &FunctionResult) {
        let failures = self.final_failures.entry(slot).or_default();
        match result {
            FunctionResult::Undelivered => return,
            FunctionResult::Failed => *failures += 1,
            FunctionResult::Returned(_) => *failures = 0,
        }
        if self.terms.retries.is_some_and(|retries| *failures > retries) {
            *failures = 0;
            let ids: Vec<u32> = serde_json::from_str(state).unwrap_or_default();
            for id in ids {
                if let Some(entry) = self.entries.get_mut(id as usize) {
                    entry.window_is_dropped = true;
                }
            }
        }
    }
}
