//! The mapping: the model, driven as the local stack drives it, on the world's stream, function and destination.

mod destination;
mod polled_record;
mod shard_side;

use crate::function::Function;
use crate::lock;
use crate::sabotage::Sabotage;
use crate::world::World;
use event_source_mapping::driver::run;
use event_source_mapping::{Backoff, Mapping, Settings, Timing};
use futures_util::stream::{FuturesUnordered, StreamExt};
use polled_record::PolledRecord;
use shard_side::ShardSide;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Runs the mapping until each of its shards is finished.
pub async fn run_mapping(world: &Arc<World>, settings: Settings) {
    let timing = Timing {
        backoff: Backoff::default(),
        poll_interval_ms: Some(world.plan.mapping.poll_interval_ms),
        retention_ms: world.plan.stream.retention_ms,
        seed: world.plan.seed,
    };
    let mapping: Mapping<PolledRecord> = Mapping::new(settings, timing);
    let function = Function::new(world);
    let drive = async |index: usize| {
        let id = world.stream.id_of(index);
        let mut shard = mapping.open(id.clone());
        let Ok(()) = run(&mut shard, &ShardSide::new(world, &function, index, &id)).await;
        lock(&world.ledger).finished(index, world.clock.now());
        index
    };
    let (mut begun, mut finished) = (BTreeSet::from_iter(world.stream.first_shards()), BTreeSet::new());
    let mut running = FuturesUnordered::new();
    begun.iter().for_each(|index| running.push(drive(*index)));
    while let Some(index) = running.next().await {
        finished.insert(index);
        for (child, parents) in world.stream.children(index) {
            // A child begins when the last of its parents is finished, so that its keys keep their order.
            let is_too_early = world.sabotage == Some(Sabotage::ChildTooEarly);
            let are_finished = is_too_early || parents.iter().all(|parent| finished.contains(parent));
            if are_finished && begun.insert(child) {
                running.push(drive(child));
            }
        }
    }
}
