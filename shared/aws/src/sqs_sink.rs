//! An SQS queue as the hydrator's sink.

use crate::Clients;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};
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
    clients: Clients,
    queue_url: String,
    batch_bytes_max: usize,
}

impl SqsSink {
    /// A sink on the queue. `batch_bytes_max` bounds one message and one batch: [`MESSAGE_BYTES_MAX`] on AWS.
    #[must_use]
    pub fn new(clients: Clients, queue_url: String, batch_bytes_max: usize) -> Self {
        Self { clients, queue_url, batch_bytes_max }
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
            let request = self.clients.sqs().send_message_batch().queue_url(&self.queue_url);
            let sent = request.set_entries(Some(entries)).send().await.map_err(|error| match error.code() {
                Some(code) => format!("{code}: {}", error.message().unwrap_or("no message")),
                None => DisplayErrorContext(&error).to_string(),
            })?;
            open = sent.failed.iter().filter_map(|failure| failure.id.parse().ok()).collect();
            match sent.failed.first() {
                None => return Ok(()),
                Some(failure) => refusal = format!("{}: {}", failure.code, failure.message.as_deref().unwrap_or("")),
            }
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
        let entries: Vec<SinkEntry> =
            sizes.iter().map(|size| SinkEntry { id: String::new(), body: "x".repeat(*size) }).collect();
        let entries: Vec<&SinkEntry> = entries.iter().collect();
        let lengths: Vec<usize> = batches(&entries, bytes_max).iter().map(|batch| batch.len()).collect();
        assert_eq!(lengths, expected, "{sizes:?} into batches of {bytes_max} bytes");
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
