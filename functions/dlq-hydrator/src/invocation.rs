//! The answer of an invocation: which messages stay.

use recovery::Hydration;
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

impl From<&Hydration> for BatchResponse {
    fn from(hydration: &Hydration) -> Self {
        let staying = hydration.messages.iter().filter(|message| !message.is_done());
        let failure = |id: &String| ItemFailure { item_identifier: id.clone() };
        Self { batch_item_failures: staying.map(|message| failure(&message.message_id)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recovery::memory::{MemorySink, MemoryStream, MemorySurroundings};
    use recovery::{Hydrator, QueueMessage, Settings, TimeLimit};
    use std::time::Duration;
    use tokio::time::Instant;

    fn message(id: &str, body: &str) -> QueueMessage {
        QueueMessage { message_id: id.to_owned(), body: body.to_owned(), queue_arn: String::new() }
    }

    fn on_failure(number: &str) -> String {
        format!(
            r#"{{"KinesisBatchInfo":{{"shardId":"shardId-0","startSequenceNumber":"{number}",
            "endSequenceNumber":"{number}","batchSize":1,
            "streamArn":"arn:aws:kinesis:us-east-1:111122223333:stream/orders"}}}}"#
        )
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_message_that_is_not_done_stays() {
        let (reader, sink) = (MemoryStream::with(&["1", "2"]), MemorySink::default());
        let hydrator = Hydrator::new(reader, sink, MemorySurroundings::default(), Settings::default());
        let messages = [message("a", &on_failure("1")), message("b", "hello"), message("c", &on_failure("2"))];
        let limit = TimeLimit::until(Instant::now() + Duration::from_secs(60));
        let response = BatchResponse::from(&hydrator.hydrate(&messages, limit).await);
        assert_eq!(serde_json::to_string(&response).unwrap(), r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#);
        assert_eq!(hydrator.sink.entries().len(), 2);
    }
}
