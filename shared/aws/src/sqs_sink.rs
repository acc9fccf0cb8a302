//! An SQS queue as a sink.

use crate::Clients;
use crate::clients::chain;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use recovery::{Sink, SinkEntry, SinkError};

/// The most that AWS takes in one message and in one batch of them, in bytes, since August 2025.
pub const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// Entries in one SendMessageBatch.
const BATCH_ENTRIES_MAX: usize = 10;

/// How often an entry is sent that SQS refused within a batch, on top of the client's own retries of whole calls.
const ENTRY_ATTEMPTS_MAX: u32 = 3;

/// Sends entries to a standard queue.
#[derive(Debug, Clone)]
pub struct SqsSink {
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
    batch_bytes_max: usize,
}

impl SqsSink {
    /// A sink on the queue. `batch_bytes_max` bounds one message and one batch, and is cut to [`MESSAGE_BYTES_MAX`], which
    /// is the bound on AWS.
    #[must_use]
    pub fn new(clients: &Clients, queue_url: String, batch_bytes_max: usize) -> Self {
        Self::with_client(clients.sqs().clone(), queue_url, batch_bytes_max)
    }

    pub(crate) fn with_client(sqs: aws_sdk_sqs::Client, queue_url: String, batch_bytes_max: usize) -> Self {
        Self { sqs, queue_url, batch_bytes_max: batch_bytes_max.min(MESSAGE_BYTES_MAX) }
    }

    /// Sends one batch and again what of it was refused.
    async fn send(&self, batch: &[&SinkEntry]) -> Result<(), String> {
        let mut open: Vec<usize> = (0..batch.len()).collect();
        let mut refusal = String::new();
        for _ in 0..ENTRY_ATTEMPTS_MAX {
            let mut entries = Vec::with_capacity(open.len());
            for &index in &open {
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
                entries.push(entry.message_body(&batch[index].body).build().map_err(|error| error.to_string())?);
            }
            let request = self.sqs.send_message_batch().queue_url(&self.queue_url);
            let sent = request.set_entries(Some(entries)).send().await.map_err(|error| match error.code() {
                Some(code) => format!("{code}: {}", error.message().unwrap_or("no message")),
                None => chain(&error),
            })?;
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
}

impl Sink for SqsSink {
    async fn write(&self, entries: &[SinkEntry]) -> Result<(), SinkError> {
        let (fitting, too_large): (Vec<&SinkEntry>, Vec<&SinkEntry>) =
            entries.iter().partition(|entry| entry.body.len() <= self.batch_bytes_max);
        let mut written = 0;
        for batch in batches(&fitting, self.batch_bytes_max) {
            self.send(batch).await.map_err(|reason| SinkError::Failed {
                count: entries.len() - written,
                of: entries.len(),
                sink: self.queue_url.clone(),
                reason,
            })?;
            written += batch.len();
        }
        match too_large.iter().map(|entry| entry.body.len()).max() {
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

/// Cuts entries, in order, into batches of at most ten and `bytes_max` in all.
fn batches<'a, 'b>(entries: &'b [&'a SinkEntry], bytes_max: usize) -> Vec<&'b [&'a SinkEntry]> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (index, entry) in entries.iter().enumerate() {
        let full = index - start == BATCH_ENTRIES_MAX || bytes + entry.body.len() > bytes_max;
        if full && index > start {
            batches.push(&entries[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += entry.body.len();
    }
    if start < entries.len() {
        batches.push(&entries[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sizes: &[usize], bytes_max: usize, expected: &[usize]) {
        let entries: Vec<SinkEntry> = sizes
            .iter()
            .map(|size| SinkEntry { id: String::new(), group: String::new(), body: "x".repeat(*size) })
            .collect();
        let entries: Vec<&SinkEntry> = entries.iter().collect();
        let lengths: Vec<usize> = batches(&entries, bytes_max).iter().map(|batch| batch.len()).collect();
        assert_eq!(lengths, expected, "{sizes:?} into batches of {bytes_max} bytes");
    }

    #[test]
    fn only_an_acknowledgement_closes_an_entry() {
        let none: [&str; 0] = [];
        assert_eq!(still_open(&[0, 1, 2], none.into_iter()), [0, 1, 2], "an empty answer closes nothing");
        assert_eq!(still_open(&[0, 1, 2], ["1"].into_iter()), [0, 2]);
        assert_eq!(still_open(&[0, 2], ["2", "0", "7", "x"].into_iter()), [0_usize; 0]);
    }

    #[test]
    fn batches_are_filled_to_ten_entries_or_the_bound_in_bytes() {
        check(&[], 100, &[]);
        check(&[1; 25], 100, &[10, 10, 5]);
        check(&[40, 40, 40], 100, &[2, 1]);
        check(&[50, 50, 1], 100, &[2, 1]);
        check(&[100, 100], 100, &[1, 1]);
    }
}
