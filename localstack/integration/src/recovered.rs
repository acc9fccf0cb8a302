//! What is in the recovered queue.

use crate::{World, until};
use anyhow::{Context, ensure};
use aws_edge::provision::Queue;
use aws_edge::queue::{BATCH_MAX, delete_batch, receive};
use records::Item;
use serde_json::Value;
use std::time::Duration;

/// How long a receive waits for a message.
const WAIT: Duration = Duration::from_secs(1);

/// Bounds the receives that take a queue's messages out.
const RECEIVES_MAX: u32 = 10_000;

/// One message: a recovered record, a loss report, or a pointer to either. Its `Debug` shows no payload.
pub struct Entry(Value);

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({} {})", self.text("/type").unwrap_or("pointer"), self.number())
    }
}

impl Entry {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// When it is no JSON.
    pub fn parse(body: &str) -> anyhow::Result<Self> {
        // An error of serde_json's names a place, and quotes nothing of the text.
        Ok(Self(serde_json::from_str(body).context("a message of the recovered queue is no JSON")?))
    }

    /// Whether it reports a loss.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.text("/type") == Some("loss")
    }

    /// The sequence number of a recovered record; empty for anything else.
    #[must_use]
    pub fn number(&self) -> &str {
        self.text("/source/sequenceNumber").unwrap_or_default()
    }

    /// Why the record is here.
    #[must_use]
    pub fn condition(&self) -> Option<&str> {
        self.text("/failure/condition")
    }

    /// What reading the range proved.
    #[must_use]
    pub fn verdict(&self) -> Option<&str> {
        self.text("/verdict")
    }

    /// The bytes of a Kinesis record.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn data(&self) -> anyhow::Result<Vec<u8>> {
        let data = self.text("/event/kinesis/data").context("a recovered record has no `kinesis.data`")?;
        base64_simd::STANDARD.decode_to_vec(data).ok().context("`kinesis.data` of a recovered record is no base64")
    }

    /// The image of an item after its change.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn new_image(&self) -> anyhow::Result<Item> {
        let image = self.0.pointer("/event/dynamodb/NewImage").context("a recovered change has no `NewImage`")?;
        serde_json::from_value(image.clone()).ok().context("`NewImage` of a recovered change is no item")
    }

    /// The bucket and the key that a pointer names.
    #[must_use]
    pub fn points_at(&self) -> Option<(&str, &str)> {
        Some((self.text("/1/s3BucketName")?, self.text("/1/s3Key")?))
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }
}

/// Takes out what is in the queue now.
///
/// # Errors
///
/// When the queue cannot be read, or a message is not deleted.
pub async fn entries(world: &World, queue: &Queue) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for _ in 0..RECEIVES_MAX {
        let messages = receive(world.clients(), &queue.url, BATCH_MAX, WAIT).await?;
        if messages.is_empty() {
            break;
        }
        for message in &messages {
            entries.push(Entry::parse(&message.body)?);
        }
        let handles: Vec<_> = messages.iter().map(|message| message.receipt_handle.as_str()).collect();
        ensure!(delete_batch(world.clients(), &queue.url, &handles).await?.is_empty(), "messages were not deleted");
    }
    Ok(entries)
}

/// Takes out entries until there are enough, and what follows them at once.
///
/// # Errors
///
/// As [`entries`], and when there are not enough in time: the error says what was waited for, and how many there are.
pub async fn entries_until(
    world: &World,
    queue: &Queue,
    what: &str,
    limit: Duration,
    enough: impl Fn(&[Entry]) -> bool,
) -> anyhow::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let waited = until(what, limit, async || {
        found.extend(entries(world, queue).await?);
        Ok(enough(&found).then_some(()))
    })
    .await;
    waited.with_context(|| format!("{} entries are in the recovered queue", found.len()))?;
    Ok(found)
}
