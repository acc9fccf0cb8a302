//! How records are given up: too old, or out of retries.

use super::Shard;
use crate::on_failure::{Condition, FailedRange, OnFailureMessage, RequestContext, ResponseContext};
use crate::{Action, Batch, Ending, StreamRecord};
use rand::Rng;
use records::EpochMillis;
use std::ops::Range;

impl<R: StreamRecord> Shard<R> {
    /// The first run of records in the current piece that are too old to be invoked with.
    ///
    /// Recorded: only old records go. An old one between fresh ones goes alone, so each run has a message of its own
    /// whose range names old records only (inferred).
    pub(super) fn too_old(&self, now: EpochMillis, piece: usize) -> Option<Range<usize>> {
        let oldest = EpochMillis(now.0.saturating_sub(self.settings.record_age_ms()?));
        let is_old = |record: &R| record.arrival() < oldest;
        let start = self.records.iter().take(piece).position(is_old)?;
        let length = self.records.range(start..piece).take_while(|record| is_old(record)).count();
        Some(start..start + length)
    }

    /// Recorded: no response, and a count of 1 even if the function never saw the records. Inferred: the number of
    /// charged invocations if there were more.
    pub(super) fn give_up_as_too_old(&mut self, now: EpochMillis, too_old: Range<usize>) -> Action {
        let count = self.position.attempts.max(1);
        self.give_up(now, too_old, Condition::RecordAgeExceeded, count, None)
    }

    /// Tells the destination of the records, or drops them if there is none (documented).
    pub(super) fn give_up(
        &mut self,
        now: EpochMillis,
        range: Range<usize>,
        condition: Condition,
        approximate_invoke_count: u32,
        response_context: Option<ResponseContext>,
    ) -> Action {
        let failed = FailedRange::of(Batch::of(&self.records, range.clone()), &self.id, &self.settings);
        let (Some(_), Some(failed)) = (self.settings.destination_arn(), failed) else {
            return self.pass(range, Ending::Dropped);
        };
        let request_id = self.position.request_id.clone().unwrap_or_else(|| self.derived_request_id());
        let request_context = RequestContext {
            request_id,
            function_arn: self.settings.function.arn.clone(),
            condition,
            approximate_invoke_count,
        };
        self.subject = range;
        Action::SendToDestination(Box::new(OnFailureMessage {
            request_context,
            response_context,
            version: "1.0",
            timestamp: now,
            batch_info: failed.into_info(self.settings.stream().kind()),
        }))
    }

    fn derived_request_id(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid().to_string()
    }
}
