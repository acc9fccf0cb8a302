//! A record as the mapping holds it, and the event that a batch of them makes.

use crate::stream::Stored;
use event_source_mapping::{Batch, Shard, StreamRecord, Window};
use records::{EpochMillis, FilterCriteria, SequenceNumber, StreamKind};
use std::sync::Arc;

/// A record as the mapping holds it.
#[derive(Debug, Clone)]
pub struct PolledRecord {
    pub stored: Stored,
    pub arrival: EpochMillis,
    pub delivered: Arc<str>,
    pub key_hash: u64,
    /// Whether the filter lets it through whatever it says: a planted bug.
    pub is_let_through: bool,
}

impl StreamRecord for PolledRecord {
    fn sequence_number(&self) -> &SequenceNumber {
        self.stored.record.sequence_number()
    }

    fn arrival(&self) -> EpochMillis {
        self.arrival
    }

    fn payload_bytes(&self) -> usize {
        self.delivered.len()
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn passes(&self, kind: StreamKind, filters: &FilterCriteria) -> bool {
        let record = serde_json::from_str(&self.delivered);
        self.is_let_through || record.is_ok_and(|record| filters.passes(kind, &record))
    }
}

/// `{"Records":[...]}`, with more fields behind.
pub fn event(records: impl Iterator<Item = Arc<str>>, more: &str) -> String {
    let records: Vec<Arc<str>> = records.collect();
    format!(r#"{{"Records":[{}]{more}}}"#, records.join(","))
}

/// The fields of an event that speak of a window, each behind a comma.
pub fn fields(window: Window, shard: &Shard<PolledRecord>, slot: usize) -> String {
    let ([start, end], state, shard) = (window.bounds(), shard.state(slot), shard.id());
    let Window { is_final, is_terminated_early, .. } = window;
    format!(r#","window":{{"start":"{start}","end":"{end}"}},"state":{state},"shardId":"{shard}","#)
        + &format!(r#""isFinalInvokeForWindow":{is_final},"isWindowTerminatedEarly":{is_terminated_early}"#)
}

/// The ids of the records of a batch.
pub fn ids(batch: Batch<'_, PolledRecord>) -> Vec<u32> {
    batch.iter().map(|record| record.stored.id).collect()
}
