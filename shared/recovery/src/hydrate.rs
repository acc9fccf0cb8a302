//! An invocation's messages, from their texts to their ends.
//!
//! A message is done when every record of its range is in the sink, or in a loss report that is. Doing one twice writes the
//! same entries again, under the same ids.

mod answers;
mod delivery;
mod marks;
mod open;
mod outcome;
mod payload;
mod shard;

pub use outcome::{HydrateError, Hydrated, Hydration, Outcome, Part, QueueMessage, TimeLimit};
pub(crate) use payload::PayloadRecord;

use crate::pacing::Pacing;
use crate::plan::{ShardPlan, expiry, plan};
use crate::{Bounds, OnFailureMessage, READS_PER_SECOND, RangeSink, StreamReader, StreamSummary, Surroundings, Totals};
use answers::Answers;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use records::{FilterCriteria, StreamArn};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{timeout, timeout_at};

/// Shards read side by side, so that one that hangs or is throttled does not take the others' time.
const SHARDS_AT_ONCE: usize = 4;

/// Pages in memory at once, of which one that is asked for whole takes the place of all: on Kinesis it has up to 10 MB,
/// and more than as much again while it is decoded.
const PAGES_AT_ONCE: u32 = 2;

/// The longest wait for what only makes the work better: a stream's retention, a mapping's filters.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// How the hydrator works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How far reading may go.
    pub bounds: Bounds,
    /// GetRecords calls a second on one shard.
    pub reads_per_second: u32,
    /// How long to wait after an empty page, so that waiting for the shard leaves the mapping its reads.
    pub empty_page_pause: Duration,
    /// Bytes of records held until their verdict is known; what is beyond is written without one.
    pub held_bytes_max: usize,
    /// The processor's role, for the `invokeIdentityArn` of rebuilt Kinesis records; only the fork's owner knows it.
    pub invoke_identity_arn: Option<String>,
    /// The mapping's filters, where they are given and need not be looked up.
    pub filter_criteria: Option<FilterCriteria>,
}

/// Bytes of records held by default. With a page being decoded, and what is being written, it stays below 64 MB.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

impl Default for Settings {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            reads_per_second: READS_PER_SECOND,
            empty_page_pause: Duration::from_millis(250),
            held_bytes_max: HELD_BYTES_MAX,
            invoke_identity_arn: None,
            filter_criteria: None,
        }
    }
}

/// Turns on-failure messages into recovered records and loss reports.
#[derive(Debug)]
pub struct Hydrator<R, S, A> {
    /// Where the records are read.
    pub reader: R,
    /// Where they go.
    pub sink: S,
    /// What is asked seldom.
    pub surroundings: A,
    settings: Settings,
    pacing: Pacing,
    summaries: Answers<StreamArn, StreamSummary>,
    filters: Answers<(String, StreamArn), Option<Arc<FilterCriteria>>>,
}

/// An on-failure message of this invocation.
struct Job {
    /// Which message of the queue it came in.
    queue_message: usize,
    message: Box<OnFailureMessage>,
    /// Where it brought its records along, and they are written.
    outcome: Option<Outcome>,
}

/// The work of one invocation, shared by its shards.
struct Run<'h, R, S, A> {
    hydrator: &'h Hydrator<R, S, A>,
    queue: &'h [QueueMessage],
    jobs: Vec<Job>,
    outcomes: RefCell<Vec<Option<Outcome>>>,
    time: TimeLimit,
    pages: Semaphore,
    /// One range is written at a time, for each has its JSON beside its records.
    writes: Semaphore,
    /// Bytes of records that wait for their verdict.
    held_bytes: Cell<usize>,
    /// Reads and throttles, by stream.
    calls: RefCell<HashMap<StreamArn, (u64, u64)>>,
}

impl<R: StreamReader, S: RangeSink, A: Surroundings> Hydrator<R, S, A> {
    /// A hydrator that knows nothing yet of any stream.
    #[must_use]
    pub fn new(reader: R, sink: S, surroundings: A, settings: Settings) -> Self {
        let (pacing, summaries, filters) = Default::default();
        Self { reader, sink, surroundings, settings, pacing, summaries, filters }
    }

    /// Reads what the messages name, verifies it, and writes what was found and what was not.
    ///
    /// Dropped half-way, or killed, it leaves what it has written, and messages that nobody has deleted: the next run does
    /// them again.
    pub async fn hydrate(&self, queue: &[QueueMessage], time: TimeLimit) -> Hydration {
        let (mut jobs, unread) = self.open(queue, time).await;
        let outcomes = RefCell::new(jobs.iter_mut().map(|job| job.outcome.take()).collect());
        let (pages, writes) = (Semaphore::new(PAGES_AT_ONCE as usize), Semaphore::new(1));
        let (held_bytes, calls) = Default::default();
        let run = Run { hydrator: self, queue, jobs, outcomes, time, pages, writes, held_bytes, calls };
        let mut totals = BTreeMap::new();
        // What is not done by then is named at the end.
        let _ = timeout_at(time.stop_at, run.all(&mut totals)).await;
        run.into_hydration(unread, totals)
    }

    /// What is known of the stream.
    async fn summary(&self, stream: &StreamArn) -> Option<StreamSummary> {
        if let Some(known) = self.summaries.get(stream) {
            return Some(known);
        }
        let unknown = |error: &dyn std::fmt::Display| {
            tracing::warn!(stream.arn = stream.as_str(), %error, "the stream's retention is not known");
        };
        match timeout(ANSWER_MAX, self.reader.summary(stream)).await {
            Ok(Ok(summary)) => return Some(self.summaries.put(stream.clone(), summary)),
            Ok(Err(error)) => unknown(&error),
            Err(_) => unknown(&"no answer in time"),
        }
        None
    }
}

/// What DynamoDB Streams keeps, and the least that Kinesis can be told to: it puts messages in order where a stream's
/// retention is not known, and proves nothing.
const SHORTEST_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

impl<R: StreamReader, S: RangeSink, A: Surroundings> Run<'_, R, S, A> {
    async fn all(&self, totals: &mut BTreeMap<Option<String>, Totals>) {
        let mut known: HashMap<StreamArn, Option<Duration>> = HashMap::new();
        // What brought its records along needs no stream.
        let is_open = |index: &usize| self.outcomes.borrow()[*index].is_none();
        let open: Vec<usize> = (0..self.jobs.len()).filter(is_open).collect();
        let messages = || open.iter().map(|index| (*index, &*self.jobs[*index].message));
        let streams = messages().map(|(_, message)| message.range.stream()).map(|stream| (stream.as_str(), stream));
        let streams: BTreeMap<&str, &StreamArn> = streams.collect();
        let summaries = streams.into_values().map(async |stream| (stream, self.hydrator.summary(stream).await));
        for (stream, summary) in join_all(summaries).await {
            known.insert(stream.clone(), summary.map(|summary| summary.retention));
        }
        let retention = |stream: &StreamArn| known.get(stream).copied().flatten();
        let assumed = |stream: &StreamArn| retention(stream).unwrap_or(SHORTEST_RETENTION);
        for (_, message) in messages() {
            let stream = message.range.stream();
            let totals = totals.entry(Some(stream.to_string())).or_default();
            if let Some(expires) = expiry(message, assumed(stream)) {
                let left = (expires.0 - self.hydrator.surroundings.now().0).max(0) as f64 / 1_000.0;
                totals.seconds_until_expiry = Some(totals.seconds_until_expiry.map_or(left, |least| least.min(left)));
            }
        }
        let shards = plan(messages(), assumed);
        let read = async |shard: ShardPlan| {
            let retention = retention(&shard.stream);
            self.read_shard(shard, retention).await;
        };
        stream::iter(shards).for_each_concurrent(SHARDS_AT_ONCE, read).await;
    }

    fn end(&self, job: usize, outcome: Outcome) {
        self.outcomes.borrow_mut()[job] = Some(outcome);
    }

    fn into_hydration(
        self,
        unread: Vec<(usize, HydrateError)>,
        mut totals: BTreeMap<Option<String>, Totals>,
    ) -> Hydration {
        let ids = self.queue.iter().map(|message| message.message_id.clone());
        let mut messages: Vec<Hydrated> = ids.map(|message_id| Hydrated { message_id, parts: Vec::new() }).collect();
        for (job, outcome) in self.jobs.into_iter().zip(self.outcomes.into_inner()) {
            let outcome = outcome.unwrap_or(Outcome::Stays(HydrateError::Deadline));
            let totals = totals.entry(Some(job.message.range.stream().to_string())).or_default();
            totals.messages += 1;
            match &outcome {
                Outcome::Done(account) | Outcome::HandedOn(account) => *totals += *account,
                Outcome::Duplicate => {}
                Outcome::Stays(_) => totals.failed_messages += 1,
            }
            messages[job.queue_message].parts.push(Part { message: Some(job.message), outcome });
        }
        for (index, error) in unread {
            let totals = totals.entry(None).or_default();
            totals.messages += 1;
            totals.failed_messages += 1;
            messages[index].parts.push(Part { message: None, outcome: Outcome::Stays(error) });
        }
        for (stream, (reads, throttles)) in self.calls.into_inner() {
            let totals = totals.entry(Some(stream.to_string())).or_default();
            (totals.reads, totals.throttles) = (reads, throttles);
        }
        Hydration { messages, totals }
    }
}

#[cfg(test)]
mod tests;
