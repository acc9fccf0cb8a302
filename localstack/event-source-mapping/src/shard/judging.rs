//! What a response does to a slot: progress, a retry, a split, or the end of the retries.

use super::slot::Position;
use super::{Next, Shard, after};
use crate::on_failure::{Condition, ResponseContext};
use crate::response::window_state;
use crate::{Action, Batch, Ending, FunctionResult, Response, StreamRecord, Verdict, Wait, classify, payload};
use records::EpochMillis;

impl<R: StreamRecord> Shard<R> {
    /// Acts on the response to the slot's invocation, and says what follows at once.
    pub(super) fn judge(&mut self, now: EpochMillis, slot: usize, response: Response) -> Option<Action> {
        let (records, verdict) = (self.slots[slot].subject.len(), self.verdict(slot, &response.result));
        self.counters.invoke(records, verdict);
        if records > 0 && matches!(verdict, Verdict::Success | Verdict::RetryFrom(1..)) {
            self.take_state(slot, &response.result);
        }
        match verdict {
            Verdict::Success if records == 0 => {
                self.close_window(slot);
                None
            }
            Verdict::Success => Some(self.pass(slot, 0..records, Ending::Handled)),
            Verdict::RetryFrom(index @ 1..) => {
                // Recorded: the checkpoint moves, the rest is retried without a refill, and its count starts again.
                // With bisect this is the split that AWS documents "at the returned sequence number".
                let advance = self.pass(slot, 0..index, Ending::Handled);
                self.back_off(now, slot);
                Some(advance)
            }
            Verdict::Undelivered => {
                // Documented: retried until the records are too old, and not counted.
                self.back_off(now, slot);
                None
            }
            Verdict::RetryFrom(0) | Verdict::Failed => {
                let request_id = &mut self.slots[slot].position.request_id;
                *request_id = response.request_id.or(request_id.take());
                match records {
                    0 => self.fail_window(now, slot),
                    _ => self.fail(now, slot, records, &response.result),
                }
            }
        }
    }

    /// What `result` means for the records of the slot's invocation.
    ///
    /// Documented: within a tumbling window a response without a state has failed. Inferred: but for the last one.
    #[must_use]
    pub fn verdict(&self, slot: usize, result: &FunctionResult) -> Verdict {
        let Some(slot) = self.slots.get(slot) else { return Verdict::Failed };
        let batch = Batch::of(&slot.records, slot.subject.clone());
        let verdict = classify(result, &self.settings, batch);
        let makes_progress = matches!(verdict, Verdict::Success | Verdict::RetryFrom(1..));
        match (result, &slot.window) {
            (FunctionResult::Returned(body), Some(_))
                if makes_progress && !batch.is_empty() && window_state(body).is_none() =>
            {
                Verdict::Failed
            }
            _ => verdict,
        }
    }

    /// Takes the window's next state out of a response that made progress.
    fn take_state(&mut self, slot: usize, result: &FunctionResult) {
        if let FunctionResult::Returned(body) = result
            && let Some(state) = window_state(body)
        {
            self.keep_state(slot, state);
        }
    }

    /// The whole piece failed.
    fn fail(&mut self, now: EpochMillis, slot: usize, records: usize, result: &FunctionResult) -> Option<Action> {
        // Documented: splitting does not use up the retry budget; a piece of one that fails does.
        if self.settings.bisects()
            && let Some((left, right)) = self.slots[slot].pieces.halve()
        {
            self.counters.splits += 1;
            self.back_off(now, slot);
            return Some(Action::Split { slot, left, right });
        }
        if self.charge(slot) {
            let response = ResponseContext {
                status_code: 200,
                executed_version: self.settings.function.executed_version.clone(),
                function_error: (*result == FunctionResult::Failed).then_some("Unhandled"),
            };
            let count = self.slots[slot].position.attempts;
            return Some(self.give_up(now, slot, 0..records, Condition::RetryAttemptsExhausted, count, Some(response)));
        }
        self.back_off(now, slot);
        None
    }

    /// Whether the piece in front is a record that no invocation can carry.
    pub(super) fn front_is_oversized(&self, slot: usize) -> bool {
        self.slots[slot].records.front().is_some_and(|record| payload::is_oversized(record.payload_bytes()))
    }

    /// A record over 6 MB fails without an invocation and is charged like one, which is what the captured message says:
    /// retries + 1, and no response. Without a limit to the retries it therefore blocks its slot until it is too old.
    pub(super) fn fail_oversized(&mut self, now: EpochMillis, slot: usize) -> Next {
        if self.charge(slot) {
            let count = self.slots[slot].position.attempts;
            return Next::Begin(self.give_up(now, slot, 0..1, Condition::RetryAttemptsExhausted, count, None));
        }
        self.back_off(now, slot);
        Next::Wait(self.slots[slot].position.not_before, Wait::Retry)
    }

    /// Charges one attempt to the budget and says whether it was the last: N retries mean N + 1 invocations.
    fn charge(&mut self, slot: usize) -> bool {
        let attempts = &mut self.slots[slot].position.attempts;
        *attempts = attempts.saturating_add(1);
        self.settings.retry_attempts().is_some_and(|retries| *attempts > retries)
    }

    /// Puts off the next invocation. Inferred: undelivered invocations and splits lengthen the wait as failures do.
    pub(super) fn back_off(&mut self, now: EpochMillis, slot: usize) {
        let Position { failures, not_before, .. } = &mut self.slots[slot].position;
        *not_before = after(now, self.timing.backoff.delay_ms(*failures, &mut self.random));
        *failures = failures.saturating_add(1);
    }
}
