//! A question to the model: a mapping, a stream, and what fails.

mod error;
mod mapping;
mod read;
mod section;

pub use error::ScenarioError;
pub use mapping::MappingPlan;

use event_source_mapping::Backoff;
use records::StreamKind;
use serde_json::Value;
use std::collections::BTreeMap;

/// A scenario that can be run. Made by [`Scenario::parse`], so that there is no invalid one.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The mapping, as CreateEventSourceMapping takes it.
    pub mapping: MappingPlan,
    /// The stream and its records.
    pub stream: StreamPlan,
    /// Records that differ from the others, by number.
    pub records: BTreeMap<u32, RecordPlan>,
    /// What the function does.
    pub function: FunctionPlan,
    /// How often a record fails, by number.
    pub failures: BTreeMap<u32, Times>,
    /// What the destination does.
    pub destination: DestinationPlan,
    /// When the mapping is switched off (`false`) and on again, in milliseconds after the start, ascending.
    pub switches: Vec<(i64, bool)>,
    /// Seed, bounds and back-off.
    pub bounds: Bounds,
}

/// The stream and its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPlan {
    /// Which service it is.
    pub kind: StreamKind,
    /// Shards at the start.
    pub shards: usize,
    /// How many records there are.
    pub records: u32,
    /// How long before the start they arrived, in milliseconds.
    pub age_ms: i64,
    /// How many arrive in a second from the start on; without it all are there before the mapping starts.
    pub rate_per_second: Option<i64>,
    /// How many distinct keys they have, in turn.
    pub keys: u32,
    /// The length of each in the JSON that the function is given.
    pub record_bytes: usize,
    /// How long the stream keeps them, in milliseconds.
    pub retention_ms: i64,
    /// Splits and merges, ascending in time.
    pub reshards: Vec<Reshard>,
}

/// A split or a merge. Shards are numbered from 0 in the order in which they came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reshard {
    /// In milliseconds after the start.
    pub at_ms: i64,
    /// What happens.
    pub change: Change,
}

/// What a reshard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A shard becomes two.
    Split(usize),
    /// Two neighbours become one.
    Merge(usize, usize),
}

/// What one record has for itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordPlan {
    /// Its partition key, or its item's key.
    pub key: Option<String>,
    /// What filters look at: the data of a Kinesis record, or the whole record of a table.
    pub document: Option<Value>,
    /// How long before the start it arrived, in milliseconds.
    pub age_ms: Option<i64>,
    /// Its length in the JSON that the function is given.
    pub bytes: Option<usize>,
}

/// What the function does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionPlan {
    /// How it ends when a record fails.
    pub reports: Reports,
    /// What it answers instead whenever a record of the batch would fail.
    pub response: Option<String>,
    /// How long an invocation takes, in milliseconds.
    pub duration_ms: i64,
    /// How much longer it takes for each record, in milliseconds.
    pub per_record_ms: i64,
    /// How long an invocation takes that times out, in milliseconds.
    pub timeout_ms: i64,
    /// How many invocations are throttled before the first one arrives.
    pub throttled_invocations: u32,
}

/// How an invocation ends when a record fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// The function stops at the first record that fails, and reports it.
    First,
    /// It handles all others, and reports all that fail.
    All,
    /// It throws at the first record that fails.
    Throws,
    /// It hangs at the first record that fails.
    TimesOut,
    /// Its process ends at the first record that fails.
    Crashes,
}

/// How often a record fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// As often as the function meets it, this many times.
    Count(u32),
    /// Whenever the function meets it.
    Always,
}

/// What the destination does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationPlan {
    /// It takes every message.
    Works,
    /// It takes none.
    Fails,
    /// It takes none of the first ones.
    FailsFirst(u32),
}

/// Seed, bounds and back-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Decides what is random.
    pub seed: u64,
    /// When to stop if nothing else ends the run, in milliseconds after the start.
    pub until_ms: i64,
    /// The guess at Lambda's back-off.
    pub backoff: Backoff,
}
