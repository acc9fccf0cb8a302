//! The times that no setting of a mapping names.

use crate::Backoff;
use records::StreamKind;

/// When a mapping retries and polls, how long its stream keeps records, and the seed of what is random about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The wait before a retry: a guess.
    pub backoff: Backoff,
    /// The time between two polls that find too little for a batch, in milliseconds, in place of Lambda's own.
    pub poll_interval_ms: Option<i64>,
    /// How long the stream keeps a record, in milliseconds: 24 hours on DynamoDB and by default on Kinesis (documented).
    pub retention_ms: i64,
    /// Decides the jitter, and the request ids that no invocation gave. Each shard draws from its own sequence.
    pub seed: u64,
}

/// The shortest retention of a Kinesis stream, and the only one of a DynamoDB stream (documented).
pub const RETENTION_MS: i64 = 24 * 3_600_000;

impl Default for Timing {
    fn default() -> Self {
        Self { backoff: Backoff::default(), poll_interval_ms: None, retention_ms: RETENTION_MS, seed: 0 }
    }
}

impl Timing {
    /// Documented: a shard of Kinesis is polled once per second, one of DynamoDB four times.
    pub(crate) fn poll_interval_ms(&self, kind: StreamKind) -> i64 {
        self.poll_interval_ms.unwrap_or(match kind {
            StreamKind::Kinesis => 1000,
            StreamKind::DynamoDb => 250,
        })
    }

    /// The time between two receives of a queue that find too little, in milliseconds (inferred).
    pub(crate) fn receive_interval_ms(&self) -> i64 {
        self.poll_interval_ms.unwrap_or(1000)
    }

    /// The seed of the shard with this name: shards of one mapping must not wait in step.
    pub(crate) fn seed_for(&self, shard: &str) -> u64 {
        fnv1a(self.seed, shard.as_bytes())
    }
}

/// FNV-1a, which is the same on every machine and in every release.
pub(crate) fn fnv1a(seed: u64, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}
