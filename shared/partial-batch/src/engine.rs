//! The engine: an event in, what became of its records out.

use crate::batch::{Batch, Progress};
use crate::checkpoint::Checkpoint;
use crate::event::read;
use crate::quarantine::{EventOrigin, Quarantine};
use crate::{BatchError, BatchResponse, Config, Deadline, Handler, Memory, OriginKind, RecordError, Source};
use records::EpochMillis;
use std::cell::RefCell;
use telemetry::Latencies;

/// Handles batches, one after the other, for as long as the environment lives.
#[derive(Debug)]
pub struct Engine<S, H> {
    pub(crate) source: S,
    pub(crate) handler: H,
    pub(crate) concurrency: usize,
    pub(crate) memory: RefCell<Memory>,
    pub(crate) quarantine: Option<Quarantine>,
}

/// What Lambda says of an invocation.
#[derive(Debug, Clone, Copy)]
pub struct InvocationContext<'a> {
    /// Names the invocation in logs and quarantined records.
    pub request_id: &'a str,
    /// The function, as it was invoked.
    pub function_arn: &'a str,
    /// When to stop.
    pub deadline: Deadline,
}

impl InvocationContext<'_> {
    /// An invocation without a name: for tests and simulations.
    #[must_use]
    pub fn until(deadline: Deadline) -> Self {
        Self { request_id: "", function_arn: "", deadline }
    }
}

/// What became of a batch.
#[derive(Debug)]
pub struct BatchReport<R = BatchResponse> {
    /// Number of records in the batch, as the stream has them.
    pub records: usize,
    /// Number of those at its begin that are done: the response lets Lambda go on behind them.
    pub passed: usize,
    /// Index of the first record that Lambda delivers again; `usize::MAX` where none is. It is the one before `passed` where
    /// the open record cannot be named.
    pub(crate) comes_again_from: usize,
    /// Number of records that the handler has handled in this invocation: parts of aggregated records by themselves.
    pub handled: usize,
    /// Number that was skipped, since this environment had handled them before.
    pub remembered: usize,
    /// Number of invalid records that went to the quarantine.
    pub quarantined: usize,
    /// What was not handled although it was started, in the order of the batch, and what went to the quarantine.
    pub failures: Vec<FailedRecord>,
    /// How long each record took that was handled or failed.
    pub latencies: Latencies,
    /// The stream's ARN, where the event says it.
    pub stream: Option<String>,
    /// When the stream took the last record of the batch.
    pub last_arrival: Option<EpochMillis>,
    /// What to answer, or why the function has to fail.
    pub response: Result<R, BatchError>,
}

/// A record that failed, or that was quarantined.
#[derive(Debug, Clone)]
pub struct FailedRecord {
    /// Its index in the batch, counted from 0.
    pub index: usize,
    /// The stream's ARN; empty where the event does not say.
    pub stream: String,
    /// The shard, or the change's own id; empty where the event does not say.
    pub origin: String,
    /// Which of the two.
    pub origin_kind: OriginKind,
    /// Its position, where it has one.
    pub sequence_number: Option<String>,
    /// Its position in the aggregated record, counted from 0.
    pub sub_sequence_number: Option<u32>,
    /// How often this environment has tried it, this time included.
    pub attempt: u32,
    /// Why.
    pub error: RecordError,
    /// Whether no attempt will handle it. It is so as well where the quarantine could not take it, which is an error that
    /// another attempt may not meet.
    pub invalid: bool,
    /// Whether its payload is in the quarantine, so that the batch went on.
    pub quarantined: bool,
}

impl<R> BatchReport<R> {
    /// Number of records that were invalid, quarantined or not.
    #[must_use]
    pub fn invalid(&self) -> usize {
        self.failures.iter().filter(|failure| failure.invalid).count()
    }

    /// Number of records that failed and will come again.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failures.iter().filter(|failure| !failure.quarantined).count()
    }

    /// An event that is no batch.
    pub(crate) fn refused(error: BatchError) -> Self {
        Self {
            records: 0,
            passed: 0,
            comes_again_from: 0,
            handled: 0,
            remembered: 0,
            quarantined: 0,
            failures: Vec::new(),
            latencies: Latencies::default(),
            stream: None,
            last_arrival: None,
            response: Err(error),
        }
    }

    /// The report with another response.
    pub(crate) fn with_response<T>(self, response: Result<T, BatchError>) -> BatchReport<T> {
        BatchReport {
            response,
            records: self.records,
            passed: self.passed,
            comes_again_from: self.comes_again_from,
            handled: self.handled,
            remembered: self.remembered,
            quarantined: self.quarantined,
            failures: self.failures,
            latencies: self.latencies,
            stream: self.stream,
            last_arrival: self.last_arrival,
        }
    }
}

impl<S: Source, H: for<'p> Handler<S::Payload<'p>>> Engine<S, H> {
    /// An engine that starts with an empty memory. Invalid records are retried unless there is a quarantine.
    #[must_use]
    pub fn new(source: S, handler: H, config: &Config) -> Self {
        let memory = RefCell::new(Memory::new(config.skip_handled));
        Self { source, handler, concurrency: config.concurrency.get(), memory, quarantine: None }
    }

    /// With a quarantine invalid records go there, and the batch goes on.
    #[must_use]
    pub fn with_quarantine(self, quarantine: Option<Quarantine>) -> Self {
        Self { quarantine, ..self }
    }

    /// Handles the batch in `event` and decides what to answer.
    ///
    /// Records of one key are handled in order, and as many keys side by side as the configuration says. After the first
    /// failure nothing behind it is started: Lambda retries from the lowest record that is not done. A panic is one
    /// record's failure. No record is started after the deadline, and one that runs over it is cancelled.
    pub async fn process(&self, event: &[u8], invocation: &InvocationContext<'_>) -> BatchReport {
        let records = match read(event, &self.source) {
            Ok(records) => records,
            Err(error) => return BatchReport::refused(error.into()),
        };
        let origin = EventOrigin::new(event, invocation.function_arn, invocation.request_id);
        let batch = Batch {
            records: &records,
            source: &self.source,
            handler: &self.handler,
            concurrency: self.concurrency,
            memory: &self.memory,
            quarantine: self.quarantine.as_ref().map(|quarantine| (quarantine, &origin)),
            deadline: invocation.deadline,
        };
        let progress = batch.handle().await;
        report(&batch, progress)
    }
}

/// Decides the response, keeps in memory what Lambda will deliver again, and forgets the failures of what it will not.
pub(crate) fn report<S: Source, H>(batch: &Batch<'_, '_, S, H>, progress: Progress) -> BatchReport {
    let records = batch.records;
    let open = progress.first_open();
    let checkpoint = Checkpoint::decide(open, |index| records[index].sequence_number.clone());
    // Without a checkpoint the whole batch comes again.
    let comes_again_from = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.comes_again_from);
    if open.is_some() || !batch.memory.borrow().is_empty() {
        batch.remember(&progress, if open.is_some() { comes_again_from } else { records.len() });
    }
    let stream = records.iter().map(|record| &record.stream).find(|stream| !stream.is_empty());
    BatchReport {
        records: records.len(),
        passed: open.unwrap_or(records.len()),
        comes_again_from,
        handled: progress.handled,
        remembered: progress.remembered,
        quarantined: progress.failures.iter().filter(|failure| failure.quarantined).count(),
        stream: stream.map(|stream| stream.clone().into_owned()),
        last_arrival: records.iter().rev().find_map(|record| record.arrival),
        failures: progress.failures,
        latencies: progress.latencies,
        response: checkpoint.map(|checkpoint| checkpoint.response),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
