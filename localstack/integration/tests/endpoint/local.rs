//! On the endpoint's services, with functions on this machine and the project's model of Lambda's mappings.

use crate::case::{Case, STREAMS_AND_SINKS};
use anyhow::{Context, ensure};
use aws_edge::AwsSurroundings;
use aws_edge::Service;
use aws_edge::produce::{NewRecord, put_records};
use aws_edge::provision::QueueSettings;
use integration::{Entry, HostedHydrator, World, entries_until, kinesis_range, on_failure_message};
use pipeline::{Books, KinesisPayload, Outcome, Report, Workload, run};
use recovery::{ObjectRef, Surroundings};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long something in a queue may take to be seen.
const SEEN_LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "kinesis::poison_records_end_byte_identical_in_the_recovered_queue",
            services: STREAMS_AND_SINKS,
            behaviours: &[],
            test: |world| Box::pin(async move { poison_of_a_stream(&world).await }),
        },
        Case {
            name: "dynamodb::poison_changes_end_identical_in_the_recovered_queue",
            services: STREAMS_AND_SINKS,
            behaviours: &[],
            test: |world| Box::pin(async move { poison_of_a_table(&world).await }),
        },
        Case {
            name: "s3::a_record_too_large_for_the_queue_waits_in_the_bucket_and_the_queue_points_at_it",
            services: &[Service::Kinesis, Service::Sqs, Service::S3],
            behaviours: &[],
            test: |world| Box::pin(async move { too_large_for_the_queue(&world).await }),
        },
    ]
}

async fn poison_of_a_stream(world: &World) -> anyhow::Result<()> {
    let orders = Workload::generate(200, 1).kinesis;
    let data: [&[u8]; 5] = [b"", b"\0", b"\xff\xfe", "\u{1f980}".as_bytes(), &[b'x'; 100_000]];
    let odd = data.map(|data| KinesisPayload { partition_key: "odd".to_owned(), data: data.to_vec(), poison: true });
    let workload = Workload { kinesis: [orders, odd.to_vec()].concat(), dynamodb: Vec::new() };
    let report = account(world, "kinesis", &workload).await?;
    let source = report.kinesis;
    ensure!(source.recovered == 6, "expected 6 records back, got {}", source.recovered);
    ensure!(source.identical == 6, "expected all of them identical, got {}", source.identical);
    ensure!(source.handled == 199, "expected 199 records handled, got {}", source.handled);
    Ok(())
}

async fn poison_of_a_table(world: &World) -> anyhow::Result<()> {
    let workload = Workload { kinesis: Vec::new(), dynamodb: Workload::generate(400, 1).dynamodb };
    let report = account(world, "dynamodb", &workload).await?;
    let source = report.dynamodb;
    ensure!(source.recovered == 2, "expected 2 changes back, got {}", source.recovered);
    ensure!(source.identical == 2, "expected both identical, got {}", source.identical);
    ensure!(source.handled == 38, "expected 38 changes handled, got {}", source.handled);
    Ok(())
}

/// Runs the whole pipeline until every record has ended.
async fn account(world: &World, of: &str, workload: &Workload) -> anyhow::Result<Report> {
    let stack = world.stack(of).await?;
    let books = Arc::new(Books::default());
    let outcome = run(&stack, workload, &books, &CancellationToken::new()).await;
    stack.shutdown().await;
    let (outcome, report) = (outcome?, books.report(Duration::ZERO));
    ensure!(outcome == Outcome::Closed, "the pipeline ended {outcome:?}: {}", report.json());
    ensure!(report.holds(), "the account does not add up: {}", report.json());
    Ok(report)
}

async fn too_large_for_the_queue(world: &World) -> anyhow::Result<()> {
    let stream = world.stream("large", 1).await?;
    let queue = world.queue("large-recovered", &QueueSettings::default()).await?;
    let bucket = world.bucket("large").await?;
    let hydrator = HostedHydrator::new(world, &queue, Some(&bucket)).await?;
    let large = vec![b'x'; 300_000];
    let records = [NewRecord::new("key", b"small".to_vec()), NewRecord::new("key", large.clone())];
    let placed = put_records(world.clients(), &stream, &records).await?;
    let message = on_failure_message(&kinesis_range(&stream, &placed[0], &placed[1], 2));
    let stay = hydrator.hydrate(&queue.arn, &[("m-1", &message)]).await?;
    ensure!(stay.is_empty(), "the message was not finished: {}", hydrator.complaints());
    hydrator.end().await;
    let found = entries_until(world, &queue, "both records", SEEN_LIMIT, |found| found.len() >= 2).await?;
    let pointer = found.iter().find_map(Entry::points_at).context("no message points at an object")?;
    ensure!(pointer.0 == bucket, "the pointer names another bucket: {}", pointer.0);
    let object = ObjectRef { bucket, key: pointer.1.to_owned(), version_id: None, size_bytes: None };
    let entry = Entry::parse(&AwsSurroundings::new(world.clients()).object(&object).await?)?;
    ensure!(entry.data()? == large, "the record in the bucket is not the one that was put in");
    ensure!(entry.verdict() == Some("complete"), "the range was not proved complete: {:?}", entry.verdict());
    let small = found.iter().find(|entry| entry.points_at().is_none()).context("the small record is not there")?;
    ensure!(small.data()? == b"small", "the small record is not the one that was put in");
    Ok(())
}
