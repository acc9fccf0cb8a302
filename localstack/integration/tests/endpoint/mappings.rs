//! The whole pipeline on the endpoint's own Lambda: its stream mapping gives up the poison, and the hydrator behind its
//! queue mapping brings it back.
//!
//! Several tests look at one run of each source: a mapping takes a minute to set up on AWS.

use crate::case::Case;
use crate::deployed::{is_empty, watched};
use crate::orders::{changes, good, poison};
use anyhow::ensure;
use aws_edge::Service;
use aws_edge::produce::{NewRecord, put_item, put_records};
use aws_edge::provision::{Queue, QueueSettings};
use integration::{Behaviour, Deployment, Entry, OneAttempt, Program, World, entries, entries_until};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a mapping may take to begin, to retry twice each piece of a batch that it halves, and to be hydrated.
pub(crate) const GIVEN_UP_LIMIT: Duration = Duration::from_secs(600);

const KINESIS: &[Service] = &[Service::Kinesis, Service::Sqs, Service::Lambda];
const TABLE: &[Service] = &[Service::DynamoDb, Service::DynamoDbStreams, Service::Sqs, Service::Lambda];

const GIVES_UP: (Service, Behaviour) = (Service::Lambda, Behaviour::OnFailureDestination);
const PARTIAL: (Service, Behaviour) = (Service::Lambda, Behaviour::PartialResponses);
const BISECT: (Service, Behaviour) = (Service::Lambda, Behaviour::Bisect);

/// Which of the five records that were put in came back: the third and the last are poison, and came back as they were.
type Back = BTreeSet<usize>;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "kinesis::mapping_gives_up_the_poison_and_the_hydrator_brings_it_back",
            services: KINESIS,
            behaviours: &[GIVES_UP],
            test: |world| Box::pin(async move { stream_run(&world).await.map(drop) }),
        },
        Case {
            name: "kinesis::mapping_honours_partial_responses",
            services: KINESIS,
            behaviours: &[PARTIAL, GIVES_UP],
            test: |world| Box::pin(async move { begins_with_the_poison(&stream_run(&world).await?) }),
        },
        Case {
            name: "kinesis::mapping_bisects_until_the_poison_is_alone",
            services: KINESIS,
            behaviours: &[BISECT, GIVES_UP],
            test: |world| Box::pin(async move { is_the_poison_alone(&stream_run(&world).await?) }),
        },
        Case {
            name: "dynamodb::mapping_gives_up_the_poison_and_the_hydrator_brings_it_back",
            services: TABLE,
            behaviours: &[GIVES_UP],
            test: |world| Box::pin(async move { table_run(&world).await.map(drop) }),
        },
        Case {
            name: "dynamodb::mapping_honours_partial_responses",
            services: TABLE,
            behaviours: &[PARTIAL, GIVES_UP],
            test: |world| Box::pin(async move { begins_with_the_poison(&table_run(&world).await?) }),
        },
        Case {
            name: "dynamodb::mapping_bisects_until_the_poison_is_alone",
            services: TABLE,
            behaviours: &[BISECT, GIVES_UP],
            test: |world| Box::pin(async move { is_the_poison_alone(&table_run(&world).await?) }),
        },
    ]
}

/// What was handled before the poison is not in the range that was given up.
fn begins_with_the_poison(back: &Back) -> anyhow::Result<()> {
    ensure!(!back.contains(&0) && !back.contains(&1), "records before the poison were given up too: {back:?}");
    Ok(())
}

fn is_the_poison_alone(back: &Back) -> anyhow::Result<()> {
    ensure!(*back == Back::from([2, 4]), "expected records 2 and 4 to be given up, got {back:?}");
    Ok(())
}

async fn stream_run(world: &World) -> anyhow::Result<Back> {
    static RUN: OneAttempt<Back> = OneAttempt::new();
    RUN.get(async || run_stream(world).await).await.cloned()
}

async fn table_run(world: &World) -> anyhow::Result<Back> {
    static RUN: OneAttempt<Back> = OneAttempt::new();
    RUN.get(async || run_table(world).await).await.cloned()
}

async fn run_stream(world: &World) -> anyhow::Result<Back> {
    let stream = world.stream("mapping", 1).await?;
    let data = [good("o-1"), good("o-2"), poison(1), good("o-3"), poison(2)];
    let records: Vec<_> = data.iter().map(|data| NewRecord::new("key", data.clone())).collect();
    put_records(world.clients(), &stream, &records).await?;
    let pipeline = Pipeline::deploy(world, "mapping").await?;
    let processor = Deployment::create(world, "mapping-processor", Program::KinesisProcessor, &[]).await?;
    processor.reads(world, &stream, &pipeline.on_failure).await?;
    let position = |entry: &Entry| {
        let found = entry.data().ok();
        data.iter().position(|data| Some(data) == found.as_ref())
    };
    pipeline.wait(world, position).await
}

async fn run_table(world: &World) -> anyhow::Result<Back> {
    let (table, stream) = world.table("mapping").await?;
    let items = changes([20, 21, -3, 22, -5]);
    for item in &items {
        put_item(world.clients(), &table, item).await?;
    }
    let pipeline = Pipeline::deploy(world, "mapping-table").await?;
    let processor = Deployment::create(world, "mapping-table-processor", Program::DynamoDbProcessor, &[]).await?;
    processor.reads(world, &stream, &pipeline.on_failure).await?;
    let position = |entry: &Entry| {
        let found = entry.new_image().ok();
        items.iter().position(|item| Some(item) == found.as_ref())
    };
    pipeline.wait(world, position).await
}

/// What is behind a stream's mapping.
struct Pipeline {
    on_failure: Queue,
    recovered: Queue,
}

impl Pipeline {
    async fn deploy(world: &World, of: &str) -> anyhow::Result<Self> {
        let on_failure = world.queue(&format!("{of}-on-failure"), &watched()).await?;
        let recovered = world.queue(&format!("{of}-recovered"), &QueueSettings::default()).await?;
        let hydrator = format!("{of}-hydrator");
        let hydrator = Deployment::create(world, &hydrator, Program::DlqHydrator, &[("SINK", &recovered.url)]).await?;
        hydrator.receives(world, &on_failure).await?;
        Ok(Self { on_failure, recovered })
    }

    /// Waits until both poison records are back and nothing is under way, and says which records came back. The last one
    /// that was put in is poison: when it was given up, the mapping was done with all others.
    async fn wait(&self, world: &World, position: impl Fn(&Entry) -> Option<usize>) -> anyhow::Result<Back> {
        let back = |found: &[Entry]| found.iter().filter_map(&position).collect::<Back>();
        let poison = |found: &[Entry]| back(found).is_superset(&Back::from([2, 4]));
        let mut found = entries_until(world, &self.recovered, "both poison records", GIVEN_UP_LIMIT, poison).await?;
        is_empty(world, &self.on_failure).await?;
        found.extend(entries(world, &self.recovered).await?);
        ensure!(found.iter().all(|entry| !entry.is_loss()), "a loss was reported");
        ensure!(found.iter().all(|entry| position(entry).is_some()), "a record differs from what was put in");
        Ok(back(&found))
    }
}
