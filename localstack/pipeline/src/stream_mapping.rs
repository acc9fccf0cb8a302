//! Drives the model of a stream's event source mapping: real polls, real invocations, real deliveries.

use crate::event::{PolledRecord, now, sleep_until, stream_event};
use crate::stack::processor_role;
use crate::{Books, Site, Stack};
use anyhow::Context;
use aws_edge::{AwsStreamReader, queue};
use bytes::Bytes;
use event_source_mapping::driver::{self, Polled, Surroundings};
use event_source_mapping::{
    Action, Backoff, Ending, FunctionResult, Invocation, Mapping, OnFailureMessage, Response, Settings, Shard,
    StartingPosition, Timing,
};
use lambda_host::{Function, Outcome};
use records::{EpochMillis, ShardId, StreamArn, StreamKind};
use recovery::{Position, ReadErrorKind, ShardIterator, StreamReader};
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Waits of the local stack, a tenth and less of Lambda's, so that nobody waits for a demo.
pub(crate) fn timing(seed: u64) -> Timing {
    Timing { backoff: Backoff { initial_ms: 5, maximum_ms: 40 }, poll_interval_ms: Some(50), seed, ..Timing::default() }
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
    let shards = stack.shards(kind).await?.into_iter().map(async |id| {
        let around = ShardSide {
            kind,
            stream: stack.stream(kind).clone(),
            shard: id.clone(),
            reader: stack.reader(),
            cursor: Mutex::new(Cursor { iterator: None, read_to: starting_position(mapping.settings())? }),
            function: stack.functions.processor(kind),
            site: &stack.site,
            destination_url: &stack.queues.on_failure.url,
            books,
        };
        driver::run(&mut mapping.open(id), &around).await
    });
    futures_util::future::try_join_all(shards).await.map(|_| ())
}

fn starting_position(settings: &Settings) -> anyhow::Result<Position> {
    match settings.starting_position() {
        StartingPosition::TrimHorizon => Ok(Position::TrimHorizon),
        StartingPosition::Latest => Ok(Position::Latest),
        StartingPosition::AtTimestamp(_) => anyhow::bail!("expected a mapping from TRIM_HORIZON or LATEST on"),
    }
}

/// What surrounds one shard of the model.
struct ShardSide<'s> {
    kind: StreamKind,
    stream: StreamArn,
    shard: ShardId,
    reader: AwsStreamReader,
    cursor: Mutex<Cursor>,
    function: &'s Function,
    site: &'s Site,
    destination_url: &'s str,
    books: &'s Books,
}

/// How far the shard is read.
struct Cursor {
    iterator: Option<ShardIterator>,
    read_to: Position,
}

impl ShardSide<'_> {
    fn cursor(&self) -> MutexGuard<'_, Cursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One page, and whether it was the shard's last.
    async fn read(&self, limit: usize) -> anyhow::Result<(Vec<records::StreamRecord>, bool)> {
        let (iterator, read_to) = {
            let mut cursor = self.cursor();
            (cursor.iterator.take(), cursor.read_to.clone())
        };
        let iterator = match iterator {
            Some(iterator) => iterator,
            None => self.reader.iterator(&self.stream, &self.shard, &read_to).await?,
        };
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        match self.reader.page(&self.stream, &iterator, limit).await {
            Ok(page) => {
                let end_of_shard = page.next.is_none();
                let mut cursor = self.cursor();
                cursor.iterator = page.next;
                if let Some(last) = page.records.last() {
                    cursor.read_to = Position::After(last.sequence_number().clone());
                }
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
}

impl ShardSide<'_> {
    /// One invocation of the real function.
    async fn respond(&self, event: Bytes) -> Response {
        let result = match self.function.invoke(event).await {
            Ok(result) => result,
            Err(error) => {
                tracing::debug!(%error, "the function did not run");
                return FunctionResult::Undelivered.into();
            }
        };
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
}

impl<'s> Surroundings<PolledRecord> for ShardSide<'s> {
    type Error = anyhow::Error;

    fn now(&self) -> EpochMillis {
        now()
    }

    async fn sleep_until(&self, time: EpochMillis) {
        sleep_until(time).await;
    }

    fn poll<'d>(
        &'d self,
        _shard: &ShardId,
        limit: usize,
    ) -> impl Future<Output = anyhow::Result<Polled<PolledRecord>>> + use<'d, 's> {
        async move {
            let (records, end_of_shard) = self.read(limit).await?;
            for record in &records {
                self.books.polled(self.kind, &self.shard, record);
            }
            let role = processor_role(self.site);
            let polled = |record| PolledRecord::new(record, &self.stream, &self.shard, &role, now());
            let records = records.into_iter().map(polled).collect::<Result<_, _>>()?;
            Ok(Polled { records, end_of_shard })
        }
    }

    fn invoke<'d>(
        &'d self,
        shard: &Shard<PolledRecord>,
        invocation: &Invocation,
    ) -> impl Future<Output = anyhow::Result<Response>> + use<'d, 's> {
        let (slot, event) = (invocation.slot, stream_event(shard.batch(invocation.slot).iter()));
        async move {
            let response = self.respond(event).await;
            self.books.responded(self.kind, &self.shard, slot, &response.result);
            Ok(response)
        }
    }

    fn deliver<'d>(
        &'d self,
        _shard: &Shard<PolledRecord>,
        _slot: usize,
        message: Box<OnFailureMessage>,
    ) -> impl Future<Output = bool> + use<'d, 's> {
        async move {
            let Ok(body) = serde_json::to_string(&message) else { return false };
            let sent =
                queue::send(&self.site.clients, self.destination_url, body, &queue::MessageAttributes::new()).await;
            if let Err(error) = &sent {
                tracing::error!(%error, "the on-failure destination did not take a message");
            }
            sent.is_ok()
        }
    }

    fn observe(&self, shard: &Shard<PolledRecord>, action: &Action) {
        self.books.acts(self.kind, shard, action);
        let Action::Advance { ending, .. } = action else { return };
        for PolledRecord { record, .. } in shard.ended().iter() {
            match ending {
                Ending::Handled | Ending::Filtered => self.books.handled(self.kind, &self.shard, record),
                Ending::Delivered => self.books.dead_lettered(self.kind, &self.shard, record),
                Ending::Dropped | Ending::Trimmed => self.books.dropped(self.kind, &self.shard, record),
            }
        }
    }
}
