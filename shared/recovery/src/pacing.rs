//! How often a shard is asked. Five reads a second are all that it gives, and the event source mapping needs them too.

use backon::{BackoffBuilder, ExponentialBuilder};
use records::{ShardId, StreamArn};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Reads a second of one shard, unless an operator says otherwise: two of its five.
pub const READS_PER_SECOND: u32 = 2;

/// The first pause after a call that was throttled, doubled from one to the next.
const PAUSE_FIRST: Duration = Duration::from_millis(200);

/// The longest pause. After a page of ten megabytes, Kinesis throttles for five seconds.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often one call is tried again. Together some half a minute: longer than any throttle that ends by itself.
const RETRIES_MAX: usize = 10;

/// Shards remembered between invocations. More than one hydrator meets within a second.
const SHARDS_MAX: usize = 1_000;

/// The pauses between the attempts of one call, each with jitter.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    let pauses = ExponentialBuilder::default().with_min_delay(PAUSE_FIRST).with_max_delay(PAUSE_MAX);
    pauses.with_max_times(RETRIES_MAX).with_jitter().build()
}

/// When each shard may be read next, whichever invocation reads it.
#[derive(Debug, Default)]
pub(crate) struct Pacing(Mutex<HashMap<(StreamArn, ShardId), Instant>>);

impl Pacing {
    /// Takes the shard's next free moment.
    pub fn next(&self, stream: &StreamArn, shard: &ShardId, reads_per_second: u32) -> Instant {
        let now = Instant::now();
        let interval = Duration::from_secs(1) / reads_per_second.max(1);
        let mut shards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shards.len() >= SHARDS_MAX {
            shards.retain(|_, free| *free > now);
        }
        let free = shards.entry((stream.clone(), shard.clone())).or_insert(now);
        let moment = now.max(*free);
        *free = moment + interval;
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_shard_is_read_so_often_and_its_neighbour_as_well() {
        let stream = StreamArn::parse("arn:aws:kinesis:us-east-1:111122223333:stream/orders").unwrap();
        let shard = |name| ShardId::parse(name).unwrap();
        let (pacing, start) = (Pacing::default(), Instant::now());
        let next = |name| (pacing.next(&stream, &shard(name), 2) - start).as_millis();
        assert_eq!([next("a"), next("a"), next("b"), next("a")], [0, 500, 0, 1_000]);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(next("a"), 60_000, "what was not used is not saved up");
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<Duration> = pauses().collect();
        assert_eq!(pauses.len(), RETRIES_MAX);
        assert!(pauses.iter().all(|pause| *pause >= PAUSE_FIRST && *pause <= 2 * PAUSE_MAX), "{pauses:?}");
        let all: Duration = pauses.iter().sum();
        assert!(all > Duration::from_secs(20), "a throttle of five seconds ends within it: {all:?}");
    }
}
