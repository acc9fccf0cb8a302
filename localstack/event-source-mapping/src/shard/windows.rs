//! Tumbling windows: which records share one, when it ends, and the state that travels through it.
//!
//! Documented: a record belongs to one window; each invocation gets the state and returns the next one; the last one says
//! `isFinalInvokeForWindow`, after which the state is deleted; a failing one holds the shard up; a state over 1 MB ends the
//! window early; the end of a shard closes its window. Inferred: which window a record belongs to goes by its arrival;
//! a window is over when a record of a later one is in front, or when a poll after its end finds no more; the last
//! invocation has no records; each slot has a window of its own; one that fails in the end is lost without a message,
//! since there is no record to name.

use super::slot::Position;
use super::{Shard, after};
use crate::{Action, StreamRecord, Window};
use records::EpochMillis;

/// A window of which the last invocation has not succeeded.
#[derive(Debug)]
pub(super) struct OpenWindow {
    start: EpochMillis,
    end: EpochMillis,
    /// JSON, as the function returned it.
    pub state: Box<str>,
    pub terminated_early: bool,
    /// Last invocations that failed. Records that come in between, though they arrived in the window, have a budget of
    /// their own.
    pub failed_ends: u32,
}

impl<R: StreamRecord> Shard<R> {
    /// How many of the slot's records come before the next window begins.
    pub(super) fn records_of_one_window(&self, slot: usize) -> usize {
        let slot = &self.slots[slot];
        let (Some(length_ms), Some(front)) = (self.settings.tumbling_window_ms(), slot.records.front()) else {
            return slot.records.len();
        };
        let end = match &slot.window {
            Some(window) => window.end,
            None => after(start_of(front.arrival(), length_ms), length_ms),
        };
        slot.records.iter().take_while(|record| record.arrival() < end).count()
    }

    /// Opens the window of the record in front, unless one is open.
    pub(super) fn open_window(&mut self, slot: usize) {
        let Some(length_ms) = self.settings.tumbling_window_ms() else { return };
        let slot = &mut self.slots[slot];
        if let (None, Some(front)) = (&slot.window, slot.records.front()) {
            let start = start_of(front.arrival(), length_ms);
            let end = after(start, length_ms);
            slot.window = Some(OpenWindow { start, end, state: "{}".into(), terminated_early: false, failed_ends: 0 });
        }
    }

    /// Whether the open window, if there is one, has got all of its records.
    pub(super) fn window_is_over(&self, slot: usize) -> bool {
        let slot = &self.slots[slot];
        slot.window.as_ref().is_some_and(|window| match slot.records.front() {
            Some(front) => front.arrival() >= window.end,
            None => self.intake.is_at_end() || self.intake.caught_up >= window.end,
        })
    }

    /// Whether the open window must end before another record is handled in it.
    pub(super) fn window_ends_early(&self, slot: usize) -> bool {
        self.slots[slot].window.as_ref().is_some_and(|window| window.terminated_early)
    }

    /// What the slot's next invocation says of its window.
    pub(super) fn window_of(&self, slot: usize, is_final: bool) -> Option<Window> {
        self.slots[slot].window.as_ref().map(|window| Window {
            start: window.start,
            end: window.end,
            is_final,
            is_terminated_early: is_final && window.terminated_early,
        })
    }

    /// Takes the state that the function returned.
    pub(super) fn keep_state(&mut self, slot: usize, state: Box<str>) {
        if let Some(window) = &mut self.slots[slot].window {
            window.terminated_early = state.len() > crate::STATE_BYTES_MAX;
            window.state = state;
        }
    }

    /// The last invocation has ended, so the window is closed and its state deleted.
    pub(super) fn close_window(&mut self, slot: usize) {
        let slot = &mut self.slots[slot];
        slot.window = None;
        slot.position = Position::NEW;
        slot.fit = None;
    }

    /// The last invocation of the window failed.
    pub(super) fn fail_window(&mut self, now: EpochMillis, slot: usize) -> Option<Action> {
        let retries = self.settings.retry_attempts();
        let is_out_of_retries = self.slots[slot].window.as_mut().is_none_or(|window| {
            window.failed_ends = window.failed_ends.saturating_add(1);
            retries.is_some_and(|retries| window.failed_ends > retries)
        });
        if is_out_of_retries {
            self.counters.lost_windows += 1;
            self.close_window(slot);
        } else {
            self.back_off(now, slot);
        }
        None
    }
}

/// The start of the window that a moment lies in.
fn start_of(arrival: EpochMillis, length_ms: i64) -> EpochMillis {
    EpochMillis(arrival.0 - arrival.0.rem_euclid(length_ms))
}
