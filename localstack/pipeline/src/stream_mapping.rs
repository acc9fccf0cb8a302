//! Drives the model of a stream's event source mapping: real polls, real invocations, real deliveries.

use crate::event::{PolledRecord, now, sleep_until, stream_event};
use crate::stack::processor_role;
use crate::{Books, Stack};
use anyhow::Context;
use aws_edge::{AwsStreamReader, Clients, queue};
use event_source_mapping::{
    Action, Backoff, Ending, FunctionResult, Input, Mapping, OnFailureMessage, Response, Settings, Shard,
    StartingPosition, Timing,
};
use lambda_host::{Function, Outcome};
use records::{ShardId, StreamArn, StreamKind};
use recovery::{Position, ReadErrorKind, ShardIterator, StreamReader};
use serde_json::json;
use std::sync::Arc;

/// Waits of the local stack, a tenth and less of Lambda's, so that nobody waits for a demo.
pub(crate) fn timing(seed: u64) -> Timing {
    Timing { backoff: Backoff { initial_ms: 5, maximum_ms: 40 }, poll_interval_ms: 50, seed }
}

/// The mapping that reads the stream of `kind`, set as one would set it on AWS.
pub(crate) fn settings(stack: &Stack, kind: StreamKind) -> anyhow::Result<Settings> {
    let config = &stack.config;
    let settings = json!({
        "EventSourceArn": stack.stream(kind).as_str(),
        "FunctionName": stack.functions.processor(kind).config().arn(),
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": config.batch_size,
        "MaximumRetryAttempts": config.retries,
        "BisectBatchOnFunctionError": config.bisect,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": { "OnFailure": { "Destination": stack.queues.on_failure.arn } },
    });
    Settings::from_json(&settings.to_string()).context("failed to set up a mapping")
}

/// Runs the mapping of one stream, its shards side by side, until it is dropped.
///
/// # Errors
///
/// When a stream cannot be read, or a record cannot be written as JSON: nothing else could be done with it.
pub(crate) async fn run(stack: &Stack, kind: StreamKind, books: &Arc<Books>) -> anyhow::Result<()> {
    let mapping: Mapping<PolledRecord> = Mapping::new(settings(stack, kind)?, timing(stack.config.seed));
    let pollers = stack.shards(kind).await?.into_iter().map(|shard| {
        let poller = ShardPoller {
            kind,
            stream: stack.stream(kind).clone(),
            reader: stack.reader(),
            iterator: None,
            read_to: starting_position(mapping.settings()),
            function: stack.functions.processor(kind).clone(),
            clients: stack.clients.clone(),
            destination_url: stack.queues.on_failure.url.clone(),
            books: Arc::clone(books),
        };
        poller.run(mapping.open(shard))
    });
    futures_util::future::try_join_all(pollers).await.map(|_| ())
}

fn starting_position(settings: &Settings) -> Position {
    match settings.starting_position() {
        StartingPosition::TrimHorizon => Position::TrimHorizon,
        StartingPosition::Latest => Position::Latest,
    }
}

/// Carries out what one shard of the model asks for.
struct ShardPoller {
    kind: StreamKind,
    stream: StreamArn,
    reader: AwsStreamReader,
    iterator: Option<ShardIterator>,
    read_to: Position,
    function: Function,
    clients: Clients,
    destination_url: String,
    books: Arc<Books>,
}

impl ShardPoller {
    async fn run(mut self, mut shard: Shard<PolledRecord>) -> anyhow::Result<()> {
        let mut input = Input::Tick;
        // The records that an Advance speaks of: those of the last invocation or message.
        let mut subject: Vec<Arc<records::StreamRecord>> = Vec::new();
        loop {
            let action = shard.step(now(), input);
            if matches!(action, Action::Invoke(_) | Action::SendToDestination(_)) {
                subject = shard.batch().iter().map(|polled| Arc::clone(&polled.record)).collect();
            }
            input = match action {
                Action::Poll { limit } => self.poll(shard.id(), limit).await?,
                Action::Invoke(_) => self.invoke(&shard).await,
                Action::WaitUntil { time, .. } => {
                    sleep_until(time).await;
                    Input::Tick
                }
                Action::Split { .. } => Input::Tick,
                Action::Advance { records, ending, .. } => {
                    self.record(shard.id(), &subject[..records.min(subject.len())], ending);
                    Input::Tick
                }
                Action::SendToDestination(message) => self.deliver(&message).await,
                Action::Finished => return Ok(()),
            };
        }
    }

    async fn poll(&mut self, shard: &ShardId, limit: usize) -> anyhow::Result<Input<PolledRecord>> {
        let (records, end_of_shard) = self.read(shard, limit).await?;
        for record in &records {
            self.books.polled(self.kind, shard, record);
        }
        if let Some(last) = records.last() {
            self.read_to = Position::After(last.sequence_number().clone());
        }
        let role = processor_role();
        let polled = records.into_iter().map(|record| PolledRecord::new(record, &self.stream, shard, &role, now()));
        Ok(Input::Polled { records: polled.collect::<Result<_, _>>()?, end_of_shard })
    }

    /// One page, and whether it was the shard's last.
    async fn read(&mut self, shard: &ShardId, limit: usize) -> anyhow::Result<(Vec<records::StreamRecord>, bool)> {
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => self.reader.iterator(&self.stream, shard, &self.read_to).await?,
        };
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        match self.reader.page(&self.stream, &iterator, limit).await {
            Ok(page) => {
                let end_of_shard = page.next.is_none();
                self.iterator = page.next;
                Ok((page.records, end_of_shard))
            }
            Err(error) => match error.kind {
                // The next poll takes an iterator behind the last record read.
                ReadErrorKind::ExpiredIterator | ReadErrorKind::Throttled | ReadErrorKind::Transient => {
                    Ok((Vec::new(), false))
                }
                _ => Err(error.into()),
            },
        }
    }

    async fn invoke(&self, shard: &Shard<PolledRecord>) -> Input<PolledRecord> {
        let event = stream_event(shard.batch().iter());
        let response = match self.function.invoke(event).await {
            Ok(result) => {
                self.books.invoked(self.kind);
                let outcome = match result.outcome {
                    Outcome::Response(body) => FunctionResult::Returned(body.to_vec()),
                    Outcome::FunctionError(error) => {
                        tracing::debug!(function = %self.function.config().name, error = %error.message, "failed");
                        FunctionResult::Failed
                    }
                };
                Response { request_id: Some(result.request_id), result: outcome }
            }
            Err(error) => {
                tracing::debug!(%error, "the function did not run");
                FunctionResult::Undelivered.into()
            }
        };
        Input::Responded(response)
    }

    async fn deliver(&self, message: &OnFailureMessage) -> Input<PolledRecord> {
        let body = match serde_json::to_string(message) {
            Ok(body) => body,
            Err(_) => return Input::DeliveryFailed,
        };
        match queue::send(&self.clients, &self.destination_url, body, &queue::MessageAttributes::new()).await {
            Ok(_) => Input::Delivered,
            Err(error) => {
                tracing::error!(%error, "the on-failure destination did not take a message");
                Input::DeliveryFailed
            }
        }
    }

    fn record(&self, shard: &ShardId, records: &[Arc<records::StreamRecord>], ending: Ending) {
        for record in records {
            match ending {
                Ending::Handled => self.books.handled(self.kind, shard, record),
                Ending::Delivered => self.books.dead_lettered(self.kind, shard, record),
                Ending::Dropped => self.books.dropped(self.kind, shard, record),
            }
        }
    }
}
