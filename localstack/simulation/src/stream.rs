//! The stream of a scenario: its records, the shards they are in, and what of them can still be read.

use crate::scenario::{Change, Scenario};
use event_source_mapping::{NEVER, StartingPosition, StreamRecord};
use records::{EpochMillis, FilterCriteria, SequenceNumber, ShardId, StreamKind};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// When every run begins: 2026-01-01T00:00:00Z.
pub const START: EpochMillis = EpochMillis(1_767_225_600_000);

/// A record of a simulated stream.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedRecord {
    /// Counted from 1, in the order of the stream.
    pub number: u32,
    sequence_number: SequenceNumber,
    arrival: EpochMillis,
    bytes: usize,
    key_hash: u64,
    /// The record as it would be delivered, where a filter may look at it.
    delivered: Option<Arc<Value>>,
}

impl StreamRecord for SimulatedRecord {
    fn sequence_number(&self) -> &SequenceNumber {
        &self.sequence_number
    }

    fn arrival(&self) -> EpochMillis {
        self.arrival
    }

    fn payload_bytes(&self) -> usize {
        self.bytes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn passes(&self, kind: StreamKind, filters: &FilterCriteria) -> bool {
        self.delivered.as_ref().is_some_and(|delivered| filters.passes(kind, delivered))
    }
}

/// A shard of a simulated stream.
#[derive(Debug)]
pub(crate) struct SimulatedShard {
    pub id: ShardId,
    /// Indexes of the shards that it came out of.
    pub parents: Vec<usize>,
    /// Indexes of the shards that it became.
    pub children: Vec<usize>,
    /// The hashes of the keys that go into it, both ends included.
    range: (u64, u64),
    opened_at: EpochMillis,
    closed_at: EpochMillis,
    /// Not yet read.
    pub records: VecDeque<SimulatedRecord>,
    /// Read by the mapping, and not done with.
    pub unfinished: usize,
    /// When the last of them arrives.
    pub last_arrival: Option<EpochMillis>,
}

/// A simulated stream.
#[derive(Debug)]
pub(crate) struct SimulatedStream {
    pub shards: Vec<SimulatedShard>,
    /// What each record is called, by number from 1, and in which shard it is.
    pub labels: Vec<Label>,
}

/// Where a record stands.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub shard: usize,
    pub sequence_number: SequenceNumber,
    pub arrival: EpochMillis,
}

impl SimulatedStream {
    pub fn new(scenario: &Scenario) -> Self {
        let mut stream = Self { shards: Vec::new(), labels: Vec::new() };
        let shards = scenario.stream.shards as u64;
        let width = u64::MAX / shards;
        for shard in 0..shards {
            let last = if shard + 1 == shards { u64::MAX } else { (shard + 1) * width - 1 };
            stream.open((shard * width, last), EpochMillis(i64::MIN), Vec::new());
        }
        stream.reshard(scenario);
        for number in 1..=scenario.stream.records {
            stream.put(scenario, number);
        }
        stream
    }

    fn open(&mut self, range: (u64, u64), opened_at: EpochMillis, parents: Vec<usize>) -> usize {
        let index = self.shards.len();
        let shard = SimulatedShard {
            // The names of Kinesis; those of DynamoDB hold a time and mean no more.
            id: shard_id(index),
            parents,
            children: Vec::new(),
            range,
            opened_at,
            closed_at: NEVER,
            records: VecDeque::new(),
            unfinished: 0,
            last_arrival: None,
        };
        self.shards.push(shard);
        index
    }

    fn reshard(&mut self, scenario: &Scenario) {
        for reshard in &scenario.stream.reshards {
            let at = EpochMillis(START.0 + reshard.at_ms);
            let (parents, ranges) = match reshard.change {
                Change::Split(parent) => {
                    let (first, last) = self.shards[parent].range;
                    let middle = first + (last - first) / 2;
                    // A shard of one hash cannot be halved any further: its second child gets the same one, and no record.
                    (vec![parent], vec![(first, middle), (middle.saturating_add(1).min(last), last)])
                }
                Change::Merge(left, right) => {
                    (vec![left, right], vec![(self.shards[left].range.0, self.shards[right].range.1)])
                }
            };
            let children: Vec<usize> = ranges.into_iter().map(|range| self.open(range, at, parents.clone())).collect();
            for parent in parents {
                self.shards[parent].closed_at = at;
                self.shards[parent].children.clone_from(&children);
            }
        }
    }

    fn put(&mut self, scenario: &Scenario, number: u32) {
        let plan = scenario.records.get(&number);
        let (stream, index) = (&scenario.stream, number - 1);
        let after_ms = stream.rate_per_second.map_or(0, |rate| i64::from(index) * 1000 / rate);
        let age_ms = plan.and_then(|plan| plan.age_ms).unwrap_or(stream.age_ms);
        let arrival = EpochMillis(START.0 + after_ms - age_ms);
        let default_key = || format!("key-{}", index % stream.keys + 1);
        let key = plan.and_then(|plan| plan.key.clone()).unwrap_or_else(default_key);
        let hash = hash_of(&key);
        let sequence_number = sequence_number(stream.kind, number);
        let document = plan.and_then(|plan| plan.document.as_ref());
        let delivered = scenario.mapping.settings().filters().map(|_| Arc::new(delivered(stream.kind, &key, document)));
        let Some(shard) = self.shard_of(hash, arrival) else { return };
        self.labels.push(Label { shard, sequence_number: sequence_number.clone(), arrival });
        let record = SimulatedRecord {
            number,
            sequence_number,
            arrival,
            bytes: plan.and_then(|plan| plan.bytes).unwrap_or(stream.record_bytes),
            key_hash: hash,
            delivered,
        };
        let shard = &mut self.shards[shard];
        shard.last_arrival = shard.last_arrival.max(Some(arrival));
        shard.records.push_back(record);
    }

    /// The shard that was open for this hash at this time.
    fn shard_of(&self, hash: u64, at: EpochMillis) -> Option<usize> {
        self.shards.iter().position(|shard| {
            (shard.range.0..=shard.range.1).contains(&hash) && shard.opened_at <= at && at < shard.closed_at
        })
    }

    /// The index of a shard.
    pub fn index_of(&self, id: &ShardId) -> Option<usize> {
        self.shards.iter().position(|shard| shard.id == *id)
    }

    /// The children of a shard, each with all of its parents.
    pub fn children_of(&self, shard: usize) -> Vec<(ShardId, Vec<ShardId>)> {
        let names = |indexes: &[usize]| indexes.iter().map(|index| self.shards[*index].id.clone()).collect::<Vec<_>>();
        let children = self.shards[shard].children.iter();
        children.map(|child| (self.shards[*child].id.clone(), names(&self.shards[*child].parents))).collect()
    }
}

impl SimulatedShard {
    /// Whether nothing more comes into the shard, and all that did is done with.
    ///
    /// A shard that was split or merged is closed then. One that was not stays open in truth; it counts as closed when
    /// there is nothing left to see, so that a run has an end. A tumbling window is waited for before.
    pub fn is_at_end(&self, now: EpochMillis, window_ms: Option<i64>) -> bool {
        if self.closed_at != NEVER {
            return now >= self.closed_at && self.records.is_empty();
        }
        let window_ends =
            self.last_arrival.zip(window_ms).map(|(last, length)| (last.0.div_euclid(length) + 1) * length);
        self.records.is_empty() && self.unfinished == 0 && window_ends.is_none_or(|ends| now.0 > ends)
    }
}

/// Whether a mapping that starts at this position would not read a record, for it is older.
pub(crate) fn lies_before(position: StartingPosition, arrival: EpochMillis) -> bool {
    match position {
        StartingPosition::TrimHorizon => false,
        StartingPosition::Latest => arrival <= START,
        StartingPosition::AtTimestamp(moment) => arrival < moment,
    }
}

/// The record as Lambda would hand it over, as far as a filter may look.
fn delivered(kind: StreamKind, key: &str, document: Option<&Value>) -> Value {
    match kind {
        StreamKind::Kinesis => {
            let data = document.map(Value::to_string).unwrap_or_default();
            json!({"kinesis": {"partitionKey": key, "data": base64_simd::STANDARD.encode_to_string(data)}})
        }
        StreamKind::DynamoDb => document.cloned().unwrap_or_else(|| json!({"eventName": "INSERT", "dynamodb": {}})),
    }
}

fn shard_id(index: usize) -> ShardId {
    let name = format!("shardId-{index:012}");
    ShardId::parse(&name).unwrap_or_else(|_| unreachable!("{name} is a shard's name"))
}

/// As wide as those of the service: 56 digits on Kinesis, 24 on DynamoDB.
fn sequence_number(kind: StreamKind, number: u32) -> SequenceNumber {
    let digits = match kind {
        StreamKind::Kinesis => format!("49590338271490256608559692538361571095921575{number:012}"),
        StreamKind::DynamoDb => format!("4421584500000000{number:08}"),
    };
    SequenceNumber::parse(&digits).unwrap_or_else(|_| unreachable!("{digits} is a number"))
}

/// FNV-1a with its bits spread. Kinesis takes MD5; which key goes into which shard means nothing here.
fn hash_of(key: &str) -> u64 {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53) ^ (hash >> 29)
}
