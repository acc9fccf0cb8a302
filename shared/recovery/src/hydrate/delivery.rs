//! One message's records on their way into the sink.

use super::HydrateError;
use crate::{
    Certainty, Loss, LossReport, OnFailureMessage, RangeName, RangeSink, RangeWriter, RecoveredRecord, SinkEntry,
    SinkError, Verdict,
};
use records::{SequenceNumber, StreamKind, StreamRecord};
use std::sync::Arc;
use tokio::time::Instant;

/// Records written at once: ten batches of the ten messages that SQS takes.
const RECORDS_PER_WRITE: usize = 100;

/// Bytes of entries written at once, so that no range is in memory as JSON beside itself.
const BYTES_PER_WRITE: usize = 2 * 1024 * 1024;

/// What earlier invocations did of a message's range.
pub(super) struct Before<'m> {
    /// First position of the range as Lambda named it.
    pub start: &'m SequenceNumber,
    pub found: u64,
    pub accounted: u64,
    pub lost: u64,
}

impl<'m> Before<'m> {
    pub fn of(message: &'m OnFailureMessage) -> Self {
        match &message.progress {
            None => Self { start: message.range.start(), found: 0, accounted: 0, lost: 0 },
            Some(progress) => Self {
                start: &progress.start,
                found: progress.found,
                accounted: progress.accounted,
                lost: progress.lost,
            },
        }
    }

    /// Records of the batch that are not known to be lost.
    pub fn open_batch(&self, message: &OnFailureMessage) -> u64 {
        message.batch_size.saturating_sub(self.lost)
    }
}

pub(super) struct Delivery<'r, S: RangeSink + 'r> {
    job: usize,
    message: &'r OnFailureMessage,
    sink: &'r S,
    writer: Option<S::Writer<'r>>,
    written: u64,
    last_written: Option<SequenceNumber>,
    /// One that is too large keeps nothing else from being safe: it is said when all others are written.
    too_large: Option<SinkError>,
    failed: Option<HydrateError>,
}

impl<'r, S: RangeSink> Delivery<'r, S> {
    pub fn new(job: usize, message: &'r OnFailureMessage, sink: &'r S) -> Self {
        Self { job, message, sink, writer: None, written: 0, last_written: None, too_large: None, failed: None }
    }

    pub fn job(&self) -> usize {
        self.job
    }

    pub fn message(&self) -> &'r OnFailureMessage {
        self.message
    }

    /// Number of records written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The last record written.
    pub fn last_written(&self) -> Option<&SequenceNumber> {
        self.last_written.as_ref()
    }

    /// Writes records, each with its mark. How it went is said in the end. Returns whether all were tried: after `until`
    /// nothing more is begun, once something is written.
    pub async fn write(
        &mut self,
        records: &[Arc<StreamRecord>],
        verdict: Option<Verdict>,
        marks: &[Certainty],
        role: Option<&str>,
        until: Option<Instant>,
    ) -> bool {
        let message = self.message;
        let entries = records.iter().zip(marks).map(|(record, certainty)| {
            let recovered = RecoveredRecord::new(message, verdict, *certainty, record, role);
            recovered.and_then(|record| record.entry())
        });
        if let Some(first) = records.first() {
            self.open(first.sequence_number(), verdict);
        }
        let before = self.written;
        let all = self.write_entries(entries, until).await;
        let tried = usize::try_from(self.written - before).unwrap_or(usize::MAX);
        if let Some(last) = tried.checked_sub(1).and_then(|last| records.get(last)) {
            self.last_written = Some(last.sequence_number().clone());
        }
        all
    }

    /// Opens the range under a name that says what it will hold: a later attempt that finds less must not replace what this
    /// one has written.
    fn open(&mut self, first: &SequenceNumber, verdict: Option<Verdict>) {
        let (start, name) = (self.message.range.start(), name(self.message));
        let sink = self.sink;
        self.writer.get_or_insert_with(|| {
            sink.open(&match verdict {
                None => RangeName::new(&format!("{name}.part-from-{first}")),
                Some(_) if first != start => RangeName::new(&format!("{name}.from-{first}")),
                Some(_) => RangeName::new(&name),
            })
        });
    }

    /// Writes entries in pieces, so that not all of them are in memory as JSON.
    pub async fn write_entries(
        &mut self,
        entries: impl Iterator<Item = Result<SinkEntry, serde_json::Error>>,
        until: Option<Instant>,
    ) -> bool {
        let mut entries = entries.peekable();
        while entries.peek().is_some() && self.failed.is_none() {
            if self.written > 0 && until.is_some_and(|until| Instant::now() >= until) {
                return false;
            }
            let (mut chunk, mut bytes) = (Vec::new(), 0);
            while chunk.len() < RECORDS_PER_WRITE && bytes < BYTES_PER_WRITE {
                match entries.next() {
                    Some(Ok(entry)) => {
                        bytes += entry.body.len();
                        chunk.push(entry);
                    }
                    Some(Err(error)) => self.failed = Some(error.into()),
                    None => break,
                }
            }
            self.write_chunk(&chunk).await;
        }
        true
    }

    async fn write_chunk(&mut self, chunk: &[SinkEntry]) {
        let (sink, message) = (self.sink, self.message);
        let writer = self.writer.get_or_insert_with(|| sink.open(&RangeName::new(&name(message))));
        match writer.write(chunk).await {
            Ok(()) => {}
            Err(error @ SinkError::TooLarge { .. }) => self.too_large = Some(error),
            Err(error) => self.failed = Some(error.into()),
        }
        self.written += chunk.len() as u64;
    }

    /// Ends the records and reports what is lost. Everything is safe when this returns `Ok`.
    pub async fn close(self, verdict: Verdict, loss: Option<&Loss>) -> Result<(), HydrateError> {
        if let Some(error) = self.failed {
            if let Some(writer) = self.writer {
                writer.abort().await;
            }
            return Err(error);
        }
        if let Some(writer) = self.writer {
            writer.close().await?;
        }
        if let Some(loss) = loss {
            let report = LossReport::new(self.message, verdict, loss).entry()?;
            let name = RangeName::new(&format!("{}.loss", name(self.message)));
            let mut writer = self.sink.open(&name);
            writer.write(&[report]).await?;
            writer.close().await?;
        }
        self.too_large.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Names the range of a message, and who gave it up.
fn name(message: &OnFailureMessage) -> String {
    let range = &message.range;
    let stream = range.stream();
    let kind = match stream.kind() {
        StreamKind::Kinesis => "kinesis",
        StreamKind::DynamoDb => "dynamodb",
    };
    let account = stream.as_str().split(':').nth(4).unwrap_or("unknown");
    let table_or_stream = stream.as_str().splitn(6, ':').nth(5).unwrap_or(stream.name()).replace('/', "-");
    // A function's name and alias, or the last part of a pipe's ARN, which has one part less.
    let function = message.failure.function_arn.as_deref();
    let function = function.and_then(|arn| arn.splitn(7, ':').nth(6).or_else(|| arn.splitn(6, ':').nth(5)));
    let function = function.unwrap_or("unknown").replace('/', "-");
    // The rest of a range can begin where the range itself does, or another one: it is none of them.
    let rest = if message.progress.is_some() { "after-" } else { "" };
    format!(
        "{kind}/{}/{account}/{table_or_stream}/{}/{rest}{}-{}/{function}",
        stream.region(),
        range.shard(),
        range.start(),
        range.end()
    )
}
