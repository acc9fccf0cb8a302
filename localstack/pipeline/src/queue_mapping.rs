//! Drives the model of the mapping that feeds the hydrator from the on-failure queue.

use crate::event::{QueuedMessage, now, queue_event, sleep_until};
use crate::stack::HYDRATOR_CONCURRENCY;
use crate::stream_mapping::timing;
use crate::{Books, Site, Stack};
use anyhow::Context;
use aws_edge::queue;
use event_source_mapping::FunctionResult;
use event_source_mapping::sqs::{SqsAction, SqsInput, SqsMapping, SqsSettings};
use lambda_host::{Function, Outcome};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Runs the mapping, as many pollers side by side as it may have invocations, until it is dropped.
///
/// # Errors
///
/// When the mapping's settings are refused.
pub(crate) async fn run(stack: &Stack, books: &Arc<Books>) -> anyhow::Result<()> {
    let function = &stack.functions.dlq_hydrator;
    let settings = json!({
        "EventSourceArn": stack.queues.on_failure.arn,
        "FunctionName": function.config().arn(),
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": HYDRATOR_CONCURRENCY },
    });
    let settings = SqsSettings::from_json(&settings.to_string()).context("failed to set up the hydrator's mapping")?;
    let settings = Arc::new(settings);
    let pollers = (0..HYDRATOR_CONCURRENCY).map(|_| {
        let poller = QueuePoller {
            site: stack.site.clone(),
            queue_url: stack.queues.on_failure.url.clone(),
            queue_arn: stack.queues.on_failure.arn.clone(),
            function: function.clone(),
            books: Arc::clone(books),
        };
        poller.run(SqsMapping::new(Arc::clone(&settings), timing(stack.config.seed)))
    });
    futures_util::future::join_all(pollers).await;
    Ok(())
}

struct QueuePoller {
    site: Site,
    queue_url: String,
    queue_arn: String,
    function: Function,
    books: Arc<Books>,
}

impl QueuePoller {
    async fn run(self, mut mapping: SqsMapping<QueuedMessage>) {
        let mut input = SqsInput::Tick;
        loop {
            input = match mapping.step(now(), input) {
                SqsAction::Receive { max } => SqsInput::Received(self.receive(max).await),
                SqsAction::Invoke { .. } => SqsInput::Responded(self.invoke(mapping.batch()).await),
                SqsAction::Delete { .. } => {
                    self.delete(mapping.batch()).await;
                    SqsInput::Deleted
                }
                SqsAction::WaitUntil(time) => {
                    sleep_until(time).await;
                    SqsInput::Tick
                }
            };
        }
    }

    /// A receive that fails is one that found nothing.
    async fn receive(&self, max: usize) -> Vec<QueuedMessage> {
        match queue::receive(&self.site.clients, &self.queue_url, max, Duration::ZERO).await {
            Ok(messages) => messages.into_iter().map(QueuedMessage).collect(),
            Err(error) => {
                tracing::warn!(%error, "receive failed");
                Vec::new()
            }
        }
    }

    async fn invoke(&self, messages: &[QueuedMessage]) -> FunctionResult {
        match self.function.invoke(queue_event(messages, &self.queue_arn, &self.site)).await {
            Ok(result) => {
                self.books.hydrator_invoked();
                match result.outcome {
                    Outcome::Response(body) => FunctionResult::Returned(body.to_vec()),
                    Outcome::FunctionError(error) => {
                        tracing::debug!(error = %error.message, "the hydrator failed");
                        FunctionResult::Failed
                    }
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the hydrator did not run");
                FunctionResult::Undelivered
            }
        }
    }

    /// What is not deleted comes again after its visibility time-out.
    async fn delete(&self, messages: &[QueuedMessage]) {
        let handles: Vec<&str> = messages.iter().map(|message| message.0.receipt_handle.as_str()).collect();
        match queue::delete_batch(&self.site.clients, &self.queue_url, &handles).await {
            Ok(failures) if failures.is_empty() => {}
            Ok(failures) => tracing::warn!(count = failures.len(), "messages not deleted"),
            Err(error) => tracing::warn!(%error, "messages not deleted"),
        }
    }
}
