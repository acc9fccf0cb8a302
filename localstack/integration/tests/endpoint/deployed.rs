//! With functions on the endpoint's own Lambda, each by itself.

use crate::case::Case;
use crate::orders::{changes, good, poison};
use anyhow::ensure;
use aws_edge::Service;
use aws_edge::produce::{NewRecord, put_item, put_records};
use aws_edge::provision::{Queue, QueueSettings};
use aws_edge::queue::{MessageAttributes, count, send};
use integration::{
    Deployment, Program, Range, World, entries_until, kinesis_range, on_failure_message, table_range, until,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a function of the endpoint may take to be reached: AWS's mappings begin within a minute or two.
pub(crate) const REACHED_LIMIT: Duration = Duration::from_secs(300);

/// Six times the time-out of the functions, as Lambda advises; it refuses less than once.
const VISIBILITY: Duration = Duration::from_secs(60);

const KINESIS: &[Service] = &[Service::Kinesis, Service::Sqs, Service::Lambda];
const TABLE: &[Service] = &[Service::DynamoDb, Service::DynamoDbStreams, Service::Sqs, Service::Lambda];

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "kinesis::the_deployed_hydrator_brings_back_what_a_message_names",
            services: KINESIS,
            behaviours: &[],
            test: |world| Box::pin(async move { hydrates_a_stream(&world).await }),
        },
        Case {
            name: "dynamodb::the_deployed_hydrator_brings_back_what_a_message_names",
            services: TABLE,
            behaviours: &[],
            test: |world| Box::pin(async move { hydrates_a_table(&world).await }),
        },
        Case {
            name: "kinesis::the_deployed_processor_handles_the_good_and_quarantines_the_poison",
            services: KINESIS,
            behaviours: &[],
            test: |world| Box::pin(async move { quarantines_of_a_stream(&world).await }),
        },
        Case {
            name: "dynamodb::the_deployed_processor_handles_the_good_and_quarantines_the_poison",
            services: TABLE,
            behaviours: &[],
            test: |world| Box::pin(async move { quarantines_of_a_table(&world).await }),
        },
    ]
}

/// A queue in front of a function.
pub(crate) fn watched() -> QueueSettings {
    QueueSettings { visibility_timeout: VISIBILITY, ..QueueSettings::default() }
}

async fn hydrates_a_stream(world: &World) -> anyhow::Result<()> {
    let stream = world.stream("by-hand", 1).await?;
    let data = [b"before".to_vec(), poison(1), good("o-1"), poison(2), b"after".to_vec()];
    let records: Vec<_> = data.iter().map(|data| NewRecord::new("key", data.clone())).collect();
    let placed = put_records(world.clients(), &stream, &records).await?;
    let range = kinesis_range(&stream, &placed[1], &placed[3], 3);
    let found = hydrated(world, "by-hand", &range).await?;
    let back: BTreeSet<_> = found.iter().map(integration::Entry::data).collect::<Result<_, _>>()?;
    ensure!(back == data[1..4].iter().cloned().collect(), "other records came back than the message names");
    Ok(())
}

async fn hydrates_a_table(world: &World) -> anyhow::Result<()> {
    let (table, stream) = world.table("by-hand").await?;
    let items = changes([-1, 20, -3]);
    for item in &items {
        put_item(world.clients(), &table, item).await?;
    }
    let range = table_range(world, &stream, items.len()).await?;
    let found = hydrated(world, "by-hand-table", &range).await?;
    let images: Vec<_> = found.iter().map(integration::Entry::new_image).collect::<Result<_, _>>()?;
    ensure!(items.iter().all(|item| images.contains(item)), "other changes came back than the message names");
    Ok(())
}

/// Deploys the hydrator behind a queue, sends a message of the range, and waits until all of it is in the recovered queue
/// and the message is gone.
async fn hydrated(world: &World, of: &str, range: &Range) -> anyhow::Result<Vec<integration::Entry>> {
    let on_failure = world.queue(&format!("{of}-on-failure"), &watched()).await?;
    let recovered = world.queue(&format!("{of}-recovered"), &QueueSettings::default()).await?;
    let hydrator = Deployment::create(world, of, Program::DlqHydrator, &[("SINK", &recovered.url)]).await?;
    hydrator.receives(world, &on_failure).await?;
    send(world.clients(), &on_failure.url, on_failure_message(range), &MessageAttributes::new()).await?;
    let expected = range.count;
    let found =
        entries_until(world, &recovered, "the hydrator", REACHED_LIMIT, |found| found.len() >= expected).await?;
    ensure!(found.iter().all(|entry| !entry.is_loss()), "a loss was reported");
    ensure!(found.iter().all(|entry| entry.verdict() == Some("complete")), "the range was not proved complete");
    is_empty(world, &on_failure).await?;
    Ok(found)
}

/// Waits until a queue is empty, messages in flight included.
pub(crate) async fn is_empty(world: &World, queue: &Queue) -> anyhow::Result<()> {
    until("the on-failure queue to be empty", REACHED_LIMIT, async || {
        let counts = count(world.clients(), &queue.url).await?;
        Ok((counts.visible + counts.in_flight + counts.delayed == 0).then_some(()))
    })
    .await
}

/// What a processor needs to quarantine to a queue.
fn quarantine_to(queue: &Queue) -> [(&str, &str); 2] {
    [("ON_INVALID", "quarantine"), ("SINK", &queue.url)]
}

async fn quarantines_of_a_stream(world: &World) -> anyhow::Result<()> {
    let stream = world.stream("quarantine", 1).await?;
    let [on_failure, sink] = quarantine_queues(world, "quarantine").await?;
    let variables = quarantine_to(&sink);
    let processor = Deployment::create(world, "quarantine", Program::KinesisProcessor, &variables).await?;
    let data = [good("o-1"), poison(1), good("o-2"), poison(2)];
    let records: Vec<_> = data.iter().map(|data| NewRecord::new("key", data.clone())).collect();
    put_records(world.clients(), &stream, &records).await?;
    processor.reads(world, &stream, &on_failure).await?;
    let found = quarantined(world, &sink).await?;
    let back: BTreeSet<_> = found.iter().map(integration::Entry::data).collect::<Result<_, _>>()?;
    ensure!(back == BTreeSet::from([poison(1), poison(2)]), "something else was quarantined than the poison");
    is_empty(world, &on_failure).await
}

async fn quarantines_of_a_table(world: &World) -> anyhow::Result<()> {
    let (table, stream) = world.table("quarantine").await?;
    let [on_failure, sink] = quarantine_queues(world, "quarantine-table").await?;
    let variables = quarantine_to(&sink);
    let processor = Deployment::create(world, "quarantine-table", Program::DynamoDbProcessor, &variables).await?;
    let items = changes([20, -2, 21, -4]);
    for item in &items {
        put_item(world.clients(), &table, item).await?;
    }
    processor.reads(world, &stream, &on_failure).await?;
    let found = quarantined(world, &sink).await?;
    let images: Vec<_> = found.iter().map(integration::Entry::new_image).collect::<Result<_, _>>()?;
    ensure!(images.contains(&items[1]) && images.contains(&items[3]), "the poison was not quarantined as it was");
    ensure!(!images.contains(&items[0]) && !images.contains(&items[2]), "a good change was quarantined");
    is_empty(world, &on_failure).await
}

async fn quarantine_queues(world: &World, of: &str) -> anyhow::Result<[Queue; 2]> {
    let on_failure = world.queue(&format!("{of}-on-failure"), &QueueSettings::default()).await?;
    Ok([on_failure, world.queue(&format!("{of}-sink"), &QueueSettings::default()).await?])
}

/// Waits for two records, the second of which is behind all others of its shard.
async fn quarantined(world: &World, sink: &Queue) -> anyhow::Result<Vec<integration::Entry>> {
    let numbers = |found: &[integration::Entry]| found.iter().map(|entry| entry.number().to_owned()).collect();
    let both = |found: &[integration::Entry]| {
        let numbers: BTreeSet<String> = numbers(found);
        numbers.len() >= 2
    };
    let found = entries_until(world, sink, "the processor", REACHED_LIMIT, both).await?;
    let is_quarantined = |entry: &integration::Entry| entry.condition() == Some("QuarantinedByProcessor");
    ensure!(found.iter().all(is_quarantined), "an entry is not the processor's");
    Ok(found)
}
