//! Reading ranges of shards that have changed, and of positions that are not there.

use crate::case::Case;
use anyhow::ensure;
use aws_edge::Service;
use aws_edge::produce::{NewRecord, Placed, put_records};
use aws_edge::provision::{Queue, QueueSettings, delete_kinesis_stream, list_shards, split_first_shard};
use integration::{
    Behaviour, HostedHydrator, Range, World, entries, entries_until, kinesis_range, on_failure_message, until,
};
use records::{SequenceNumber, StreamArn};
use std::collections::BTreeSet;
use std::time::Duration;

const SEEN_LIMIT: Duration = Duration::from_secs(60);
const GONE_LIMIT: Duration = Duration::from_secs(120);

const STREAM_AND_QUEUE: &[Service] = &[Service::Kinesis, Service::Sqs];

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "kinesis::ranges_on_both_sides_of_a_reshard_come_back",
            services: STREAM_AND_QUEUE,
            behaviours: &[(Service::Kinesis, Behaviour::ClosedShards)],
            test: |world| Box::pin(async move { around_a_reshard(&world).await }),
        },
        Case {
            name: "kinesis::a_range_beyond_the_end_of_a_closed_shard_is_never_silence",
            services: STREAM_AND_QUEUE,
            behaviours: &[(Service::Kinesis, Behaviour::ClosedShards)],
            test: |world| Box::pin(async move { beyond_a_closed_shard(&world).await }),
        },
        Case {
            name: "kinesis::a_range_that_was_trimmed_or_of_another_shard_is_never_silence",
            services: STREAM_AND_QUEUE,
            behaviours: &[],
            test: |world| Box::pin(async move { not_in_the_shard(&world).await }),
        },
        Case {
            name: "kinesis::a_range_of_a_stream_that_is_gone_keeps_its_message",
            services: STREAM_AND_QUEUE,
            behaviours: &[],
            test: |world| Box::pin(async move { stream_is_gone(&world).await }),
        },
    ]
}

struct Setting<'w> {
    world: &'w World,
    stream: StreamArn,
    queue: Queue,
    hydrator: HostedHydrator,
}

impl<'w> Setting<'w> {
    async fn new(world: &'w World, of: &str, shards: u16) -> anyhow::Result<Self> {
        let stream = world.stream(of, shards).await?;
        let queue = world.queue(&format!("{of}-recovered"), &QueueSettings::default()).await?;
        let hydrator = HostedHydrator::new(world, &queue, None).await?;
        Ok(Self { world, stream, queue, hydrator })
    }

    async fn put(&self, data: &[&str]) -> anyhow::Result<Vec<Placed>> {
        let records: Vec<_> = data.iter().map(|data| NewRecord::new("key", *data)).collect();
        Ok(put_records(self.world.clients(), &self.stream, &records).await?)
    }

    /// Gives the hydrator a message of a range, and holds it to its promise: what it does not bring back stays on the
    /// queue, or is reported lost. Returns how many records came back.
    async fn hydrate_and_account(&self, range: &Range) -> anyhow::Result<usize> {
        let stay = self.hydrator.hydrate(&self.queue.arn, &[("m-1", &on_failure_message(range))]).await?;
        let found = entries(self.world, &self.queue).await?;
        let numbers: BTreeSet<_> = found.iter().map(|entry| entry.number()).filter(|text| !text.is_empty()).collect();
        let is_reported = found.iter().any(|entry| entry.is_loss());
        ensure!(
            !stay.is_empty() || is_reported || numbers.len() >= range.count,
            "{} of {} records came back, none was reported lost, and the message left its queue",
            numbers.len(),
            range.count,
        );
        Ok(numbers.len())
    }
}

async fn around_a_reshard(world: &World) -> anyhow::Result<()> {
    let setting = Setting::new(world, "reshard", 1).await?;
    let before = setting.put(&["one", "two"]).await?;
    split_first_shard(world.clients(), setting.stream.name()).await?;
    let after = setting.put(&["three", "four"]).await?;
    ensure!(before[0].shard != after[0].shard, "the key is still in the shard that was split");
    let bodies = [
        on_failure_message(&kinesis_range(&setting.stream, &before[0], &before[1], 2)),
        on_failure_message(&kinesis_range(&setting.stream, &after[0], &after[1], 2)),
    ];
    let messages = [("m-1", bodies[0].as_str()), ("m-2", bodies[1].as_str())];
    let stay = setting.hydrator.hydrate(&setting.queue.arn, &messages).await?;
    ensure!(stay.is_empty(), "messages were not finished: {}", setting.hydrator.complaints());
    let enough = |found: &[integration::Entry]| found.len() >= 4;
    let found = entries_until(world, &setting.queue, "four records", SEEN_LIMIT, enough).await?;
    let numbers: BTreeSet<_> = found.iter().map(|entry| entry.number().to_owned()).collect();
    let expected = before.iter().chain(&after).map(|placed| placed.sequence_number.as_str().to_owned());
    ensure!(numbers == expected.collect(), "other records came back than were put in");
    ensure!(found.iter().all(|entry| entry.verdict() == Some("complete")), "a range was not proved complete");
    setting.hydrator.end().await;
    Ok(())
}

async fn beyond_a_closed_shard(world: &World) -> anyhow::Result<()> {
    let setting = Setting::new(world, "closed", 1).await?;
    let before = setting.put(&["one", "two"]).await?;
    split_first_shard(world.clients(), setting.stream.name()).await?;
    let after = setting.put(&["three"]).await?;
    // Its batch had a record more than the closed shard has.
    let mut range = kinesis_range(&setting.stream, &before[0], &before[1], 3);
    range.end = after[0].sequence_number.clone();
    let back = setting.hydrate_and_account(&range).await?;
    ensure!(back == 2, "expected the two records that are there, got {back}");
    setting.hydrator.end().await;
    Ok(())
}

async fn not_in_the_shard(world: &World) -> anyhow::Result<()> {
    let setting = Setting::new(world, "position", 2).await?;
    let placed = setting.put(&["one", "two", "three"]).await?;
    let whole = kinesis_range(&setting.stream, &placed[0], &placed[2], 3);
    if let Some(emulator) = world.emulator_of_kinesis() {
        // The one place whose records can be made to age.
        let (shard, second): (_, &SequenceNumber) = (&placed[1].shard, &placed[1].sequence_number);
        ensure!(emulator.trim_kinesis(setting.stream.name(), shard, second).await? == 2, "two records were trimmed");
        let back = setting.hydrate_and_account(&whole).await?;
        ensure!(back == 1, "expected the one record that is left, got {back}");
    }
    let shards = list_shards(world.clients(), &setting.stream).await?;
    for shard in shards.into_iter().filter(|shard| *shard != placed[0].shard) {
        let back = setting.hydrate_and_account(&Range { shard, ..whole.clone() }).await?;
        ensure!(back == 0, "{back} records came back out of another shard");
    }
    setting.hydrator.end().await;
    Ok(())
}

async fn stream_is_gone(world: &World) -> anyhow::Result<()> {
    let setting = Setting::new(world, "gone", 1).await?;
    let placed = setting.put(&["one"]).await?;
    delete_kinesis_stream(world.clients(), setting.stream.name()).await?;
    until("the stream to be gone", GONE_LIMIT, async || {
        Ok(list_shards(world.clients(), &setting.stream).await.is_err().then_some(()))
    })
    .await?;
    let range = kinesis_range(&setting.stream, &placed[0], &placed[0], 1);
    setting.hydrate_and_account(&range).await?;
    setting.hydrator.end().await;
    Ok(())
}
