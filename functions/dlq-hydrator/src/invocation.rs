//! One invocation: each message by itself, until the deadline.

use crate::QueueMessage;
use futures_util::{StreamExt, future, stream};
use partial_batch::Deadline;
use recovery::{HydrateError, Hydrated, Hydrator, Sink, StreamReader};
use serde::Serialize;

/// An SQS partial batch response: the messages that stay on their queue.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// Empty when every message is done.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// A message that stays.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its message id.
    pub item_identifier: String,
}

/// Messages hydrated side by side, so that one whose stream hangs does not take the others' time. Each waits for the
/// network most of its time and holds its range in memory: few are enough.
const MESSAGES_AT_ONCE: usize = 4;

/// Hydrates the messages and names the ones that are not done.
///
/// No message is started after the deadline, and one that runs over it is left: what it wrote is written again when it
/// comes again, under the same ids.
pub async fn hydrate_batch<R: StreamReader, S: Sink>(
    messages: Vec<QueueMessage>,
    hydrator: &Hydrator<R, S>,
    deadline: Deadline,
) -> BatchResponse {
    let hydrated = stream::iter(messages).map(|message| async move {
        let outcome = before(deadline, hydrator.hydrate(&message.body)).await;
        log(&message.message_id, outcome.as_ref());
        let done = matches!(outcome, Some(Ok(_)));
        (!done).then_some(ItemFailure { item_identifier: message.message_id })
    });
    let batch_item_failures = hydrated.buffer_unordered(MESSAGES_AT_ONCE).filter_map(future::ready).collect().await;
    BatchResponse { batch_item_failures }
}

/// The outcome of `work`, unless the deadline comes first.
async fn before<T>(deadline: Deadline, work: impl Future<Output = T>) -> Option<T> {
    if deadline.is_reached() {
        return None;
    }
    tokio::time::timeout_at(deadline.stop_at(), work).await.ok()
}

fn log(message_id: &str, outcome: Option<&Result<Hydrated, HydrateError>>) {
    match outcome {
        None => {
            tracing::warn!(message.id = message_id, "message not finished before the deadline: it stays on its queue")
        }
        Some(Err(error)) => {
            tracing::error!(message.id = message_id, error = %error, "message not hydrated: it stays on its queue");
        }
        Some(Ok(hydrated)) => {
            let range = &hydrated.message.range;
            tracing::info!(
                message.id = message_id,
                stream.arn = range.stream().as_str(),
                shard.id = range.shard().as_str(),
                range.start = range.start().as_str(),
                range.end = range.end().as_str(),
                verdict = ?hydrated.verdict,
                records.recovered = hydrated.recovered,
                records.lost = hydrated.lost,
                "message hydrated"
            );
            if hydrated.lost > 0 {
                tracing::error!(message.id = message_id, records.lost = hydrated.lost, "records lost");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recovery::Bounds;
    use recovery::memory::{MemorySink, MemoryStream};
    use std::time::Duration;

    fn message(id: &str, body: &str) -> QueueMessage {
        QueueMessage { message_id: id.to_owned(), body: body.to_owned() }
    }

    fn on_failure(number: &str) -> String {
        format!(
            r#"{{"KinesisBatchInfo":{{"shardId":"shardId-0","startSequenceNumber":"{number}",
            "endSequenceNumber":"{number}","batchSize":1,
            "streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}}}}"#
        )
    }

    async fn staying(messages: Vec<QueueMessage>, deadline: Deadline) -> (Vec<String>, usize) {
        let reader = MemoryStream::with(&["1", "2"]);
        let bounds = Bounds::default();
        let hydrator = Hydrator { reader, sink: MemorySink::default(), bounds, invoke_identity_arn: None };
        let response = hydrate_batch(messages, &hydrator, deadline).await;
        let staying = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        (staying, hydrator.sink.entries().len())
    }

    #[tokio::test]
    async fn only_the_message_that_failed_stays() {
        let messages = vec![message("a", &on_failure("1")), message("b", "hello"), message("c", &on_failure("2"))];
        let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO);
        assert_eq!(staying(messages, deadline).await, (vec!["b".to_owned()], 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_whose_stream_hangs_does_not_take_the_others_time() {
        // Empty pages without end: the range of the first message is trimmed, and the stream gives no hint.
        let reader = MemoryStream::with(&["1", "2"]).trim(1).without_tip_hint();
        let bounds = Bounds { empty_pages: u32::MAX, pages: u32::MAX, ..Bounds::default() };
        let hydrator = Hydrator { reader, sink: MemorySink::default(), bounds, invoke_identity_arn: None };
        let messages =
            vec![message("a", &on_failure("3")), message("b", &on_failure("2")), message("c", &on_failure("2"))];
        let deadline = Deadline::after(Duration::from_secs(10), Duration::from_secs(1));
        let response = hydrate_batch(messages, &hydrator, deadline).await;
        assert_eq!(response.batch_item_failures.len(), 1);
        assert_eq!(response.batch_item_failures[0].item_identifier, "a");
    }

    #[tokio::test]
    async fn nothing_is_started_after_the_deadline() {
        let reached = Deadline::after(Duration::ZERO, Duration::ZERO);
        let outcome = staying(vec![message("a", &on_failure("1"))], reached).await;
        assert_eq!(outcome, (vec!["a".to_owned()], 0));
    }
}
