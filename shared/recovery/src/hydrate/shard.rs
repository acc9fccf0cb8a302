//! The ranges of one shard: calls are made, what ends is settled, and near the deadline the rest is handed on.

use super::delivery::{Before, Delivery};
use super::{HydrateError, Hydrator, Outcome, PAGES_AT_ONCE, Run};
use crate::Account;
use crate::pacing::pauses;
use crate::plan::{RangePlan, ShardPlan};
use crate::shard_reading::PAGE_MODEST;
use crate::{
    Call, Found, Gap, OnFailureMessage, Progress, RangeFailure, RangeReading, RangeSink, ReadEnd, ReadError,
    ReadErrorKind, ShardReading, SinkError, StreamReader, Surroundings, Verdict, verify,
};
use records::StreamArn;
use std::time::Duration;
use tokio::time::{sleep, sleep_until, timeout, timeout_at};

/// What expires later does not expire while it is read: Lambda's longest time-out is 15 minutes, what is known of a stream's
/// retention may be 10 minutes old, and services do not trim to the second.
const EXPIRES_SOON_MS: i64 = 60 * 60 * 1_000;

/// The longest that one call may take, whatever the client's own bound is: another shard waits for its page.
const CALL_MAX: Duration = Duration::from_secs(10);

/// A range that is being read, and those who want it.
struct Wanted<'r, S: RangeSink + 'r> {
    plan: RangePlan,
    deliveries: Vec<Delivery<'r, S>>,
    is_settled: bool,
}

impl<R: StreamReader, S: RangeSink, A: Surroundings> Run<'_, R, S, A> {
    /// Reads the shard and settles what ends, until the time for reading is over; then hands the rest on.
    pub(super) async fn read_shard(&self, mut shard: ShardPlan, retention: Option<Duration>) {
        let plans = std::mem::take(&mut shard.ranges);
        let readings = plans.iter().map(|plan| self.reading_of(plan)).collect();
        let mut reading = ShardReading::new(shard.stream.kind(), readings, self.hydrator.settings.bounds);
        let now = self.hydrator.surroundings.now();
        if shard.expires.is_none_or(|expires| expires.0 < now.0 + EXPIRES_SOON_MS) {
            reading = reading.of_expiring_records();
        }
        let mut wanted: Vec<Wanted<'_, S>> = plans.into_iter().map(|plan| self.wanted(plan)).collect();
        let mut held_bytes = 0;
        while let Some(call) = reading.next_call() {
            // Only the call is cut off. What is being written is brought to its end.
            if timeout_at(self.time.read_until, self.make(&shard, call, &mut reading)).await.is_err() {
                break;
            }
            for (range, wanted) in reading.ranges.iter_mut().zip(&mut wanted) {
                if range.ended.is_some() && !wanted.is_settled {
                    self.settle(range, wanted, retention).await;
                }
            }
            self.bound_memory(&mut reading, &mut wanted, &mut held_bytes).await;
        }
        for (range, wanted) in reading.ranges.iter_mut().zip(&mut wanted) {
            if !wanted.is_settled {
                self.hand_on(range, wanted).await;
            }
        }
        self.held_bytes.set(self.held_bytes.get() - held_bytes);
    }

    fn wanted(&self, plan: RangePlan) -> Wanted<'_, S> {
        let delivery = |job: &usize| Delivery::new(*job, &self.jobs[*job].message, &self.hydrator.sink);
        Wanted { deliveries: plan.messages.iter().map(delivery).collect(), plan, is_settled: false }
    }

    fn reading_of(&self, plan: &RangePlan) -> RangeReading {
        let batch_sizes = plan.messages.iter().map(|job| self.jobs[*job].message.batch_size);
        let reading = RangeReading::new(plan.start.clone(), plan.end.clone(), batch_sizes.max().unwrap_or(1));
        match &plan.progress {
            Some(progress) => reading.resumed(progress.start.clone(), progress.found),
            None => reading,
        }
    }

    /// Makes one call, again and again while the service is busy.
    async fn make(&self, shard: &ShardPlan, call: Call, reading: &mut ShardReading) {
        let Hydrator { reader, pacing, settings, .. } = self.hydrator;
        if reading.was_empty() {
            sleep(settings.empty_page_pause).await;
        }
        let mut pauses = pauses();
        loop {
            let error = match &call {
                Call::Iterator(position) => {
                    match in_time(reader.iterator(&shard.stream, &shard.shard, position)).await {
                        Ok(iterator) => return reading.absorb_iterator(iterator),
                        Err(error) => error,
                    }
                }
                Call::Page { iterator, limit } => {
                    sleep_until(pacing.next(&shard.stream, &shard.shard, settings.reads_per_second)).await;
                    // Closed only with the run: an error cannot be.
                    let _page = self.pages.acquire_many(if *limit > PAGE_MODEST { PAGES_AT_ONCE } else { 1 }).await;
                    self.count(&shard.stream, (1, 0));
                    match in_time(reader.page(&shard.stream, iterator, *limit)).await {
                        Ok(page) => return reading.absorb_page(page),
                        Err(error) => error,
                    }
                }
            };
            let pause = match error.kind {
                ReadErrorKind::Throttled => {
                    self.count(&shard.stream, (0, 1));
                    pauses.next()
                }
                ReadErrorKind::Transient => pauses.next(),
                _ => None,
            };
            match pause {
                Some(pause) => sleep(pause).await,
                None => return reading.absorb_error(error),
            }
        }
    }

    fn count(&self, stream: &StreamArn, (reads, throttles): (u64, u64)) {
        let mut calls = self.calls.borrow_mut();
        let counted = calls.entry(stream.clone()).or_default();
        *counted = (counted.0 + reads, counted.1 + throttles);
    }

    /// Writes what is held when it becomes too much, without waiting for the verdict.
    async fn bound_memory(&self, reading: &mut ShardReading, wanted: &mut [Wanted<'_, S>], held_bytes: &mut usize) {
        let mut account = |held: usize| {
            self.held_bytes.set(self.held_bytes.get() + held - *held_bytes);
            *held_bytes = held;
        };
        account(reading.ranges.iter().map(|range| range.held_bytes).sum());
        if self.held_bytes.get() <= self.hydrator.settings.held_bytes_max {
            return;
        }
        let _writing = self.writes.acquire().await;
        for (range, wanted) in reading.ranges.iter_mut().zip(wanted).filter(|(range, _)| range.held_bytes > 0) {
            let records = range.take_records();
            for delivery in &mut wanted.deliveries {
                let marks = self.marks(delivery.message(), &records, None).await;
                delivery.write(&records, None, &marks, self.role(), None).await;
            }
        }
        account(0);
    }

    fn role(&self) -> Option<&str> {
        self.hydrator.settings.invoke_identity_arn.as_deref()
    }

    /// Verifies a range that was read to its end, and writes what is left to write.
    async fn settle(&self, range: &mut RangeReading, wanted: &mut Wanted<'_, S>, retention: Option<Duration>) {
        wanted.is_settled = true;
        if self.may_be_handed_on(range, wanted) {
            return self.hand_on(range, wanted).await;
        }
        let _writing = self.writes.acquire().await;
        let records = range.take_records();
        for mut delivery in wanted.deliveries.drain(..) {
            let (job, message) = (delivery.job(), delivery.message());
            let end = match range.ended.clone() {
                Some(Ok(end)) => end,
                Some(Err(RangeFailure::Call(error))) if self.is_recreated(message, &error).await => ReadEnd::Recreated,
                Some(Err(failure)) => {
                    self.end(job, Outcome::Stays(HydrateError::reading(&message.range, failure)));
                    continue;
                }
                None => continue,
            };
            let before = Before::of(message);
            let (verdict, loss) = verify(before.start, &range.end, before.open_batch(message), &found(range, end));
            let verdict = if before.lost > 0 { Verdict::Partial } else { verdict };
            if loss.is_some() && end == ReadEnd::TipReached && !self.is_past(message, retention) {
                self.end(job, Outcome::Stays(HydrateError::Unproven { range: Box::new(message.range.clone()) }));
                continue;
            }
            // Filters are asked only of a range that was never written in part.
            let is_whole = delivery.written() == 0 && message.progress.is_none();
            let marks = self.marks(message, &records, Some(verdict).filter(|_| is_whole)).await;
            if !delivery.write(&records, Some(verdict), &marks, self.role(), Some(self.time.read_until)).await {
                let outcome = self.hand_on_rest(range, delivery, job).await;
                self.end(job, outcome.map_or_else(Outcome::Stays, Outcome::HandedOn));
                continue;
            }
            let (written, lost) = (delivery.written(), loss.as_ref().map_or(0, |loss| loss.count));
            let account = Account::at_end(verdict, message.batch_size, before.accounted, written, lost);
            let closed = delivery.close(verdict, loss.as_ref()).await;
            self.end(job, closed.map_or_else(Outcome::Stays, |()| Outcome::Done(account)));
        }
        self.end_duplicates(&wanted.plan);
    }

    /// Whether reading failed for a reason that may pass, when a part was read already.
    fn may_be_handed_on(&self, range: &RangeReading, wanted: &Wanted<'_, S>) -> bool {
        let may_pass = match &range.ended {
            Some(Err(RangeFailure::Call(error))) => error.kind != ReadErrorKind::ForeignPosition,
            Some(Err(RangeFailure::Bound { .. })) => true,
            _ => false,
        };
        may_pass && wanted.deliveries.iter().all(|delivery| range.found > Before::of(delivery.message()).found)
    }

    /// Whether the stream is another one of the same name, made after the records arrived.
    async fn is_recreated(&self, message: &OnFailureMessage, error: &ReadError) -> bool {
        if error.kind != ReadErrorKind::ForeignPosition {
            return false;
        }
        let created = self.hydrator.summary(message.range.stream()).await.and_then(|summary| summary.created);
        created.zip(message.last_arrival).is_some_and(|(created, arrival)| created.0 > arrival.0)
    }

    /// Whether the stream has forgotten the records by its retention. Where neither that nor an age is known, nothing is.
    fn is_past(&self, message: &OnFailureMessage, retention: Option<Duration>) -> bool {
        let retention_ms = retention.map(|retention| i64::try_from(retention.as_millis()).unwrap_or(i64::MAX));
        // Lambda gave the batch up after its records had arrived.
        let arrival = message.last_arrival.or(message.given_up);
        let now = self.hydrator.surroundings.now();
        arrival.zip(retention_ms).is_some_and(|(arrival, retention_ms)| now.0 - arrival.0 >= retention_ms)
    }

    /// Makes what was read before the deadline safe, and a message of the rest.
    async fn hand_on(&self, range: &mut RangeReading, wanted: &mut Wanted<'_, S>) {
        let _writing = self.writes.acquire().await;
        let records = range.take_records();
        for mut delivery in wanted.deliveries.drain(..) {
            let job = delivery.job();
            let marks = self.marks(delivery.message(), &records, None).await;
            delivery.write(&records, None, &marks, self.role(), None).await;
            let outcome = self.hand_on_rest(range, delivery, job).await;
            self.end(job, outcome.map_or_else(Outcome::Stays, Outcome::HandedOn));
        }
        self.end_duplicates(&wanted.plan);
    }

    /// Hands on what lies behind the last record that was written. A message of which nothing was written stays.
    async fn hand_on_rest(
        &self,
        range: &RangeReading,
        delivery: Delivery<'_, S>,
        job: usize,
    ) -> Result<Account, HydrateError> {
        let queue_arn = &self.queue[self.jobs[job].queue_message].queue_arn;
        let Some(after) = delivery.last_written().cloned().filter(|_| !queue_arn.is_empty()) else {
            return Err(HydrateError::Deadline);
        };
        let message = delivery.message();
        let before = Before::of(message);
        let count = before.found + delivery.written();
        // What is missing in front and in between is reported now: the rest does not know of it.
        let gaps: Vec<Gap> = range.gaps.iter().filter(|gap| gap.before <= after).cloned().collect();
        let part = Found { count, first: range.first.as_ref(), last: Some(&after), gaps: &gaps, end: ReadEnd::EndSeen };
        let (verdict, loss) = verify(before.start, &after, count, &part);
        let lost = loss.as_ref().map_or(0, |loss| loss.count);
        let account = Account::of_part(message.batch_size, before.accounted, delivery.written(), lost);
        // One that is too large keeps the message, and nothing else from being safe: the rest goes on.
        let closed = delivery.close(verdict, loss.as_ref()).await;
        if !matches!(closed, Ok(()) | Err(HydrateError::Sink(SinkError::TooLarge { .. }))) {
            return closed.map(|()| account);
        }
        let (start, accounted) = (before.start.clone(), before.accounted + account.delivered);
        let lost = before.lost + account.lost;
        let rest = message.rest(&Progress { after, start, found: count, accounted, lost })?;
        self.hydrator.surroundings.send(queue_arn, &rest).await.map_err(HydrateError::HandOn)?;
        closed.map(|()| account)
    }

    fn end_duplicates(&self, plan: &RangePlan) {
        for (job, same) in &plan.duplicates {
            let is_done = !matches!(self.outcomes.borrow()[*same], Some(Outcome::Stays(_)) | None);
            self.end(*job, if is_done { Outcome::Duplicate } else { Outcome::Stays(HydrateError::DuplicateStays) });
        }
    }
}

fn found(range: &RangeReading, end: ReadEnd) -> Found<'_> {
    let (first, last) = (range.first.as_ref(), range.last.as_ref());
    Found { count: range.found, first, last, gaps: &range.gaps, end }
}

async fn in_time<T>(call: impl Future<Output = Result<T, ReadError>>) -> Result<T, ReadError> {
    timeout(CALL_MAX, call).await.unwrap_or_else(|_| {
        let message = format!("the stream did not answer within {} s", CALL_MAX.as_secs());
        Err(ReadError { kind: ReadErrorKind::Transient, message })
    })
}
