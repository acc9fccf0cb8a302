//! What a response does to a shard: progress, a retry, a split, or the end of the retries.

use super::{Position, Shard, after};
use crate::on_failure::{Condition, ResponseContext};
use crate::{Action, Ending, FunctionResult, Response, StreamRecord, Verdict, Wait, classify, payload};
use records::EpochMillis;

impl<R: StreamRecord> Shard<R> {
    /// Acts on the response to the current invocation.
    pub(super) fn judge(&mut self, now: EpochMillis, response: Response) -> Action {
        let batch = self.batch();
        let (verdict, records) = (classify(&response.result, &self.settings, batch), batch.len());
        self.counters.invoke(records, verdict);
        match verdict {
            Verdict::Success => self.pass(0..records, Ending::Handled),
            Verdict::RetryFrom(index @ 1..) => {
                // Recorded: the checkpoint moves, the rest is retried without a refill, and its count starts again.
                // With bisect this is the split that AWS documents "at the returned sequence number".
                let advance = self.pass(0..index, Ending::Handled);
                self.back_off(now);
                advance
            }
            Verdict::Undelivered => {
                // Documented: retried until the records are too old, and not counted.
                self.back_off(now);
                self.wait_for_retry()
            }
            Verdict::RetryFrom(0) | Verdict::Failed => {
                self.position.request_id = response.request_id.or(self.position.request_id.take());
                self.fail(now, records, &response.result)
            }
        }
    }

    /// The whole piece failed.
    fn fail(&mut self, now: EpochMillis, records: usize, result: &FunctionResult) -> Action {
        // Documented: splitting does not use up the retry budget; a piece of one that fails does.
        if self.settings.bisects()
            && let Some((left, right)) = self.pieces.halve()
        {
            self.counters.splits += 1;
            self.back_off(now);
            return Action::Split { left, right };
        }
        if self.charge() {
            let response = ResponseContext {
                status_code: 200,
                executed_version: self.settings.function.executed_version.clone(),
                function_error: (*result == FunctionResult::Failed).then_some("Unhandled"),
            };
            let count = self.position.attempts;
            return self.give_up(now, 0..records, Condition::RetryAttemptsExhausted, count, Some(response));
        }
        self.back_off(now);
        self.wait_for_retry()
    }

    /// Whether the piece in front is a record that no invocation can carry.
    pub(super) fn front_is_oversized(&self) -> bool {
        self.records.front().is_some_and(|record| payload::is_oversized(record.payload_bytes()))
    }

    /// A record over 6 MB fails without an invocation and is charged like one, which is what the captured message says:
    /// retries + 1, and no response. Without a limit to the retries it therefore blocks its shard until it is too old.
    pub(super) fn fail_oversized(&mut self, now: EpochMillis) -> Action {
        if self.charge() {
            return self.give_up(now, 0..1, Condition::RetryAttemptsExhausted, self.position.attempts, None);
        }
        self.back_off(now);
        self.wait_for_retry()
    }

    /// Charges one attempt to the budget and says whether it was the last: N retries mean N + 1 invocations.
    fn charge(&mut self) -> bool {
        self.position.attempts = self.position.attempts.saturating_add(1);
        self.settings.retry_attempts().is_some_and(|retries| self.position.attempts > retries)
    }

    /// Puts off the next invocation. Inferred: undelivered invocations and splits lengthen the wait as failures do.
    fn back_off(&mut self, now: EpochMillis) {
        let Position { failures, not_before, .. } = &mut self.position;
        *not_before = after(now, self.timing.backoff.delay_ms(*failures, &mut self.random));
        *failures = failures.saturating_add(1);
    }

    fn wait_for_retry(&self) -> Action {
        Action::WaitUntil { time: self.position.not_before, reason: Wait::Retry }
    }
}
