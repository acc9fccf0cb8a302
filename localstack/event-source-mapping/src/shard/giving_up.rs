//! How records are given up: too old, or out of retries.

use super::Shard;
use super::slot::UnderWay;
use crate::on_failure::{Condition, FailedRange, OnFailureMessage, RequestContext, ResponseContext};
use crate::{Action, Batch, Ending, StreamRecord};
use rand::Rng;
use records::EpochMillis;
use std::ops::Range;

impl<R: StreamRecord> Shard<R> {
    /// The first run of records in the current piece that arrived before `oldest_ms`.
    ///
    /// Recorded: only old records go. An old one between fresh ones goes alone, so each run has a message of its own
    /// whose range names old records only (inferred).
    pub(super) fn older_than(&self, slot: usize, piece: usize, oldest_ms: i64) -> Option<Range<usize>> {
        let records = &self.slots[slot].records;
        let is_old = |record: &R| record.arrival().0 < oldest_ms;
        let start = records.iter().take(piece).position(is_old)?;
        let length = records.range(start..piece).take_while(|record| is_old(record)).count();
        Some(start..start + length)
    }

    /// Recorded: no response, and a count of 1 even if the function never saw the records. Inferred: the number of
    /// charged invocations if there were more.
    pub(super) fn give_up_as_too_old(&mut self, now: EpochMillis, slot: usize, too_old: Range<usize>) -> Action {
        let count = self.slots[slot].position.attempts.max(1);
        self.give_up(now, slot, too_old, Condition::RecordAgeExceeded, count, None)
    }

    /// Tells the destination of the records, or drops them if there is none (documented).
    pub(super) fn give_up(
        &mut self,
        now: EpochMillis,
        slot: usize,
        range: Range<usize>,
        condition: Condition,
        approximate_invoke_count: u32,
        response_context: Option<ResponseContext>,
    ) -> Action {
        let batch = Batch::of(&self.slots[slot].records, range.clone());
        let failed = FailedRange::of(batch, &self.id, &self.settings);
        let (Some(_), Some(failed)) = (self.settings.destination(), failed) else {
            return self.pass(slot, range, Ending::Dropped);
        };
        let request_id = self.slots[slot].position.request_id.clone().unwrap_or_else(|| self.derived_request_id());
        let request_context = RequestContext {
            request_id,
            function_arn: self.settings.function.arn.clone(),
            condition,
            approximate_invoke_count,
        };
        self.slots[slot].under_way = UnderWay::Message;
        self.slots[slot].subject = range;
        let message = OnFailureMessage {
            request_context,
            response_context,
            version: "1.0",
            timestamp: now,
            batch_info: failed.into_info(self.settings.stream().kind()),
        };
        Action::SendToDestination { slot, message: Box::new(message) }
    }

    fn derived_request_id(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid().to_string()
    }
}
