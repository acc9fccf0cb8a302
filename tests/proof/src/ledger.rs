//! The account of a world, kept from outside: what was produced, what the handler did with it, what AWS said of it, and
//! what lies in the sinks. It asks neither engine, and it forgives only what it can explain.

mod delivery;
mod end;
mod handling;
mod sinks;
mod totals;
mod windows;

pub use end::Outcome;
pub use sinks::Writer;
pub use totals::Totals;
pub use windows::ClosedWindow;

use crate::produce::Fate;
use event_source_mapping::Ending;
use records::{EpochMillis, StreamRecord};
use std::collections::HashMap;
use std::sync::Arc;

/// What the account needs to know of the plan.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The stream.
    pub stream_arn: &'static str,
    /// `MaximumRetryAttempts`, if they are bounded.
    pub retries: Option<u32>,
    /// `MaximumRecordAgeInSeconds`, in milliseconds.
    pub record_age_ms: Option<i64>,
    /// How long the stream promises to keep a record, in milliseconds.
    pub retention_ms: i64,
    /// Whether the mapping has a destination.
    pub has_destination: bool,
    /// Whether dead letters are moved back in the end.
    pub is_redriven: bool,
    /// Whether records are added to tumbling windows.
    pub has_windows: bool,
    /// Whether nothing fails on the hydrator's side: not a read, not a write, not a process.
    pub hydrator_is_calm: bool,
}

/// One record that was produced, and all that is known of it.
#[derive(Debug)]
pub struct Entry {
    /// The record as the stream has it.
    pub record: Arc<StreamRecord>,
    /// The record as Lambda delivers it: what has to come back, to the byte.
    pub delivered: Arc<str>,
    /// Index of its shard.
    pub shard: usize,
    /// Index of its key.
    pub key: usize,
    /// Which one of its key it is.
    place: usize,
    /// When it arrived, as its record says.
    pub arrival: i64,
    /// From then on it cannot be read.
    pub trims_at: i64,
    /// What a handler makes of it.
    pub fate: Fate,
    /// How long its handler takes.
    pub slow_ms: i64,
    /// Whether the mapping's filter lets it through, by construction and not by evaluation.
    pub passes: bool,
    /// How often its handler was begun.
    tries: u32,
    handled: bool,
    quarantined: bool,
    /// Invocations that carried it and ended, one way or the other.
    invocations: u32,
    /// What the mapping did with it in the end.
    ended: Option<Ending>,
    /// Whether the destination has a message that was about it.
    named: bool,
    /// Whether the destination said that it did not take such a message.
    refused: bool,
    /// When the destination first had such a message.
    named_at: Option<i64>,
    recovered: bool,
    lost: bool,
    /// The window in whose state it was when that was closed.
    window: Option<String>,
    /// Whether it was in the state of a window that AWS dropped.
    window_is_dropped: bool,
}

/// The records of one shard.
#[derive(Debug, Default)]
struct ShardLine {
    ids: Vec<u32>,
    /// The records before this one are passed by the checkpoint.
    passed: usize,
    /// What messages that were taken name: indices of `ids`, both inclusive.
    ranges: Vec<(usize, usize)>,
}

/// The records of one key, in the order in which they were put.
#[derive(Debug, Default)]
struct KeyLine {
    ids: Vec<u32>,
    /// No record before this one is open.
    first_open: usize,
}

/// The account.
#[derive(Debug)]
pub struct Ledger {
    terms: Terms,
    entries: Vec<Entry>,
    by_number: HashMap<String, u32>,
    shards: Vec<ShardLine>,
    keys: Vec<KeyLine>,
    complaints: Vec<String>,
    production_is_over: bool,
    /// Invocations, deliveries and messages so far; the rest is counted in the end.
    counted: Totals,
    trace: u64,
    /// Failures in a row of the last invocation of a window, by shard and slot.
    final_failures: HashMap<(usize, usize), u32>,
}

/// What is wrong is said so often and no more.
const COMPLAINTS_MAX: usize = 20;

impl Ledger {
    /// An account of nothing.
    #[must_use]
    pub fn new(terms: Terms, keys: usize) -> Self {
        let keys = std::iter::repeat_with(KeyLine::default).take(keys).collect();
        Self {
            terms,
            entries: Vec::new(),
            by_number: HashMap::new(),
            shards: Vec::new(),
            keys,
            complaints: Vec::new(),
            production_is_over: false,
            counted: Totals::default(),
            trace: 0,
            final_failures: HashMap::new(),
        }
    }

    /// The id that the next record gets.
    #[must_use]
    pub fn next_id(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// A record was put into the shard.
    pub fn produced(&mut self, product: crate::produce::Product, delivered: String, shard: usize, trims_at: i64) {
        let id = self.next_id();
        let record = Arc::new(product.record);
        let number = record.sequence_number().to_string();
        if self.by_number.insert(number, id).is_some() {
            self.complain(&format!("the producer used {} twice", record.sequence_number()));
        }
        let line = &mut self.keys[product.key];
        let place = line.ids.len();
        line.ids.push(id);
        if self.shards.len() <= shard {
            self.shards.resize_with(shard + 1, ShardLine::default);
        }
        self.shards[shard].ids.push(id);
        self.entries.push(Entry {
            arrival: record.arrival().map_or(0, |arrival| arrival.0),
            record,
            delivered: delivered.into(),
            shard,
            key: product.key,
            place,
            trims_at,
            fate: product.fate,
            slow_ms: product.slow_ms,
            passes: product.passes,
            tries: 0,
            handled: false,
            quarantined: false,
            invocations: 0,
            ended: None,
            named: false,
            refused: false,
            named_at: None,
            recovered: false,
            lost: false,
            window: None,
            window_is_dropped: false,
        });
    }

    /// Nothing more will be produced.
    pub fn all_produced(&mut self) {
        self.production_is_over = true;
    }

    /// The record with this id.
    #[must_use]
    pub fn entry(&self, id: u32) -> &Entry {
        &self.entries[id as usize]
    }

    /// Something is wrong.
    pub fn complain(&mut self, complaint: &str) {
        if self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(complaint.to_owned());
        }
    }

    fn complain_of(&mut self, id: u32, now: EpochMillis, complaint: &str) {
        let entry = self.entry(id);
        let text = format!(
            "record {id} ({}, shard {}, key {}, {:?}) at {} ms: {complaint}",
            entry.record.sequence_number(),
            entry.shard,
            entry.key,
            entry.fate,
            now.0 - crate::clock::BEGIN.0
        );
        self.complain(&text);
    }

    /// Folds something that happened into the trace: two runs of a seed have one trace.
    pub fn note(&mut self, parts: [u64; 3]) {
        let fold = |trace: u64, part: u64| (trace ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        self.trace = parts.into_iter().fold(self.trace, fold);
    }

    fn find(&self, number: &str) -> Option<u32> {
        self.by_number.get(number).copied()
    }

    /// Whether nothing will happen to the record any more that could bring it before its handler for the first time.
    fn is_closed(&self, id: u32, now: EpochMillis) -> bool {
        let entry = self.entry(id);
        entry.handled || entry.quarantined || !entry.passes || entry.ended.is_some() || entry.trims_at <= now.0
    }
}
