//! An SQS queue as a sink.

use crate::Clients;
use crate::call::reason;
use crate::claim_check::ClaimChecks;
use crate::sha256::sha256_hex;
use crate::sqs_message::{SqsMessage, batches};
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, try_join_all};
use futures_util::stream;
use recovery::{Sink, SinkEntry, SinkError};

/// The most that AWS takes in one message and in one batch of them, in bytes, since August 2025.
pub const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// Batches on their way at once to a standard queue: a range of ten thousand records is a thousand batches, each of some
/// milliseconds.
const BATCHES_AT_ONCE: usize = 8;

/// How often an entry is sent that SQS refused within a batch, on top of the client's own retries of whole calls.
const ENTRY_ATTEMPTS_MAX: u32 = 3;

/// Sends entries to a queue.
///
/// To a FIFO queue, whose URL ends in `.fifo`, each goes with its group, and with its id as what tells duplicates apart;
/// SQS forgets that after five minutes. Entries of one group arrive in the order that they are written in. There is one
/// exception: where SQS takes a batch and refuses single entries of it, which only a fault of its own can be the cause of,
/// then what follows them in their group and in the batch, nine entries at most, is in the queue before them. One entry of
/// a group per batch would prevent that, and take ten times as long for a key that a range is full of. The refused ones
/// are sent again before anything else is, and nothing else is sent where SQS does not take them.
#[derive(Debug, Clone)]
pub struct SqsSink {
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
    batch_bytes_max: usize,
    claim_checks: Option<ClaimChecks>,
}

/// Which service did not take something, and why.
#[derive(Debug)]
pub(crate) struct NotWritten {
    pub sink: String,
    pub reason: String,
}

impl SqsSink {
    /// A sink on the queue. `batch_bytes_max` bounds one message and one batch, and is cut to [`MESSAGE_BYTES_MAX`], which
    /// is the bound on AWS.
    #[must_use]
    pub fn new(clients: &Clients, queue_url: String, batch_bytes_max: usize) -> Self {
        Self::with_client(clients.sqs().clone(), queue_url, batch_bytes_max)
    }

    pub(crate) fn with_client(sqs: aws_sdk_sqs::Client, queue_url: String, batch_bytes_max: usize) -> Self {
        Self { sqs, queue_url, batch_bytes_max: batch_bytes_max.min(MESSAGE_BYTES_MAX), claim_checks: None }
    }

    /// The same sink, which puts an entry that is too large for a message into S3 and sends a pointer to it: the one of
    /// Amazon's Extended Client Library.
    #[cfg(feature = "hydrator")]
    #[must_use]
    pub fn with_claim_checks(self, clients: &Clients, target: recovery::S3Prefix) -> Self {
        Self { claim_checks: Some(ClaimChecks::new(clients, target)), ..self }
    }

    async fn write_batch(&self, batch: &[SqsMessage<'_>]) -> Result<(), NotWritten> {
        // What a pointer points at comes first: a reader may be at the queue already.
        if let Some(claim_checks) = &self.claim_checks {
            let mut puts: Vec<BoxFuture<'_, _>> = Vec::new();
            for message in batch.iter().filter(|message| message.is_pointer()) {
                puts.push(Box::pin(claim_checks.put(message.entry)));
            }
            try_join_all(puts).await?;
        }
        self.send(batch).await.map_err(|reason| NotWritten { sink: self.queue_url.clone(), reason })
    }

    /// Sends one batch and again what of it was refused.
    async fn send(&self, batch: &[SqsMessage<'_>]) -> Result<(), String> {
        let mut open: Vec<usize> = (0..batch.len()).collect();
        let mut refusal = String::new();
        for _ in 0..ENTRY_ATTEMPTS_MAX {
            let entries = open.iter().map(|&index| self.request_entry(&batch[index], index));
            let entries = entries.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
            let request = self.sqs.send_message_batch().queue_url(&self.queue_url);
            let sent = request.set_entries(Some(entries)).send().await.map_err(|error| reason(&error))?;
            open = still_open(&open, sent.successful.iter().map(|success| success.id.as_str()));
            if open.is_empty() {
                return Ok(());
            }
            refusal = match sent.failed.first() {
                Some(failure) => format!("{}: {}", failure.code, failure.message.as_deref().unwrap_or("no message")),
                None => "the answer acknowledges only a part of the batch".to_owned(),
            };
        }
        Err(refusal)
    }

    fn is_fifo(&self) -> bool {
        self.queue_url.ends_with(".fifo")
    }

    fn request_entry(&self, message: &SqsMessage<'_>, id: usize) -> Result<SendMessageBatchRequestEntry, BuildError> {
        let mut entry = message.to_sdk(id)?;
        if self.is_fifo() {
            // Both have at most 128 characters of a set that keys and ARNs go beyond.
            entry.message_group_id = Some(sha256_hex(&message.entry.group));
            entry.message_deduplication_id = Some(sha256_hex(&message.entry.id));
        }
        Ok(entry)
    }
}

impl Sink for SqsSink {
    async fn write(&self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        let mut messages = Vec::with_capacity(entries.len());
        let mut too_large = Vec::new();
        for entry in entries {
            match SqsMessage::of(entry, self.batch_bytes_max, self.claim_checks.as_ref()) {
                Some(message) => messages.push(message),
                None => too_large.push(entry.body.len()),
            }
        }
        // In a FIFO queue one batch follows the other.
        let at_once = if self.is_fifo() { 1 } else { BATCHES_AT_ONCE };
        let batches = batches(&messages, self.batch_bytes_max);
        // Boxed one by one: of a closure the compiler cannot tell that its futures may move between threads.
        let mut writes: Vec<BoxFuture<'_, _>> = Vec::with_capacity(batches.len());
        for batch in batches {
            writes.push(Box::pin(async move { (batch.len(), self.write_batch(batch).await) }));
        }
        let mut writes = stream::iter(writes).buffered(at_once);
        let mut written = 0;
        while let Some((count, result)) = writes.next().await {
            result.map_err(|NotWritten { sink, reason }| SinkError::Failed {
                count: entries.len() - written,
                of: entries.len(),
                sink,
                reason,
            })?;
            written += count;
        }
        match too_large.iter().copied().max() {
            None => Ok(()),
            Some(largest) => Err(SinkError::TooLarge {
                count: too_large.len(),
                of: entries.len(),
                limit: self.batch_bytes_max,
                largest,
            }),
        }
    }
}

/// The entries that nobody has acknowledged. Only an acknowledgement makes an entry safe: an answer that says nothing of
/// it, neither good nor bad, does not.
fn still_open<'a>(open: &[usize], acknowledged: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let acknowledged: Vec<usize> = acknowledged.filter_map(|id| id.parse().ok()).collect();
    open.iter().copied().filter(|index| !acknowledged.contains(index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_acknowledgement_closes_an_entry() {
        let none: [&str; 0] = [];
        assert_eq!(still_open(&[0, 1, 2], none.into_iter()), [0, 1, 2], "an empty answer closes nothing");
        assert_eq!(still_open(&[0, 1, 2], ["1"].into_iter()), [0, 2]);
        assert_eq!(still_open(&[0, 2], ["2", "0", "7", "x"].into_iter()), [0_usize; 0]);
    }
}
