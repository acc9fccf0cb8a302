//! The whole pipeline at work, until every record has ended or nothing moves any more.

use crate::{Books, Stack, Workload, collector, producer, queue_mapping, stream_mapping};
use aws_edge::queue;
use records::StreamKind;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every record has ended, and the queues are empty.
    Closed,
    /// Nothing moved for longer than anything in the pipeline takes.
    Stalled,
    /// Somebody asked for it.
    Cancelled,
}

/// How often the books are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How long nothing may move: longer than a message takes from its first receive to the dead-letter queue.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// Puts the workload in and runs the mappings and the functions beside it. The books fill while it runs, and hold the
/// account at the end.
///
/// # Errors
///
/// When a service fails in a way that no mapping would survive either.
pub async fn run(
    stack: &Stack,
    workload: &Workload,
    books: &Arc<Books>,
    cancel: &CancellationToken,
) -> anyhow::Result<Outcome> {
    let produced_and_closed = async {
        producer::run(stack, workload, books).await?;
        watch(stack, books).await
    };
    tokio::select! {
        outcome = produced_and_closed => outcome,
        () = cancel.cancelled() => Ok(Outcome::Cancelled),
        ended = stream_mapping::run(stack, StreamKind::Kinesis, books) => ended_early(ended, "the Kinesis mapping"),
        ended = stream_mapping::run(stack, StreamKind::DynamoDb, books) => ended_early(ended, "the DynamoDB mapping"),
        ended = queue_mapping::run(stack, books) => ended_early(ended, "the hydrator's mapping"),
        ended = collector::run(stack, books) => ended_early(ended, "the collector"),
    }
}

fn ended_early(ended: anyhow::Result<()>, what: &str) -> anyhow::Result<Outcome> {
    ended?;
    anyhow::bail!("{what} ended before its work did")
}

/// Waits until the books are closed and no message is under way, or until nothing moves.
async fn watch(stack: &Stack, books: &Books) -> anyhow::Result<Outcome> {
    // An invocation is movement too: a record may be retried for long.
    let mut last_change = Instant::now();
    let mut last_seen = None;
    loop {
        let dead = queue::count(stack.clients(), &stack.queues.hydrator_dead_letters.url).await?.visible;
        books.messages_waiting(dead);
        let open = open_messages(stack).await?;
        if open == 0 && (books.are_closed() || (dead > 0 && mappings_are_done(books))) {
            return Ok(Outcome::Closed);
        }
        let seen = (books.tally(StreamKind::Kinesis), books.tally(StreamKind::DynamoDb), open, dead);
        if last_seen != Some(seen) {
            (last_seen, last_change) = (Some(seen), Instant::now());
        }
        if last_change.elapsed() > STALL_LIMIT {
            return Ok(Outcome::Stalled);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// Messages that somebody still has to work on.
async fn open_messages(stack: &Stack) -> anyhow::Result<u64> {
    let mut open = 0;
    for queue in [&stack.queues.on_failure, &stack.queues.recovered] {
        let counts = queue::count(stack.clients(), &queue.url).await?;
        open += counts.visible + counts.in_flight + counts.delayed;
    }
    Ok(open)
}

/// Whether the mappings are done with everything that was put in.
fn mappings_are_done(books: &Books) -> bool {
    [StreamKind::Kinesis, StreamKind::DynamoDb].into_iter().all(|kind| {
        let tally = books.tally(kind);
        tally.handled + tally.dead_lettered + tally.dropped >= tally.produced
    })
}
