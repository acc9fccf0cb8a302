//! The times that no setting of AWS names.

use crate::Backoff;

/// When a mapping retries and polls, and the seed of what is random about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The wait before a retry: a guess.
    pub backoff: Backoff,
    /// The time between two polls of a shard or queue that has too little for a batch, in milliseconds. Lambda polls a
    /// shard once per second (documented).
    pub poll_interval_ms: i64,
    /// Decides the jitter, and the request ids that no invocation gave. Each shard draws from its own sequence.
    pub seed: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { backoff: Backoff::default(), poll_interval_ms: 1000, seed: 0 }
    }
}

impl Timing {
    /// The seed of the shard with this name: shards of one mapping must not wait in step.
    pub(crate) fn seed_for(&self, shard: &str) -> u64 {
        // FNV-1a, which is the same on every machine and in every release.
        const PRIME: u64 = 0x0100_0000_01b3;
        shard.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
    }
}
