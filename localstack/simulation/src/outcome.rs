//! What Lambda did: the invocations, and what became of each record.

use event_source_mapping::{Counters, Ending, Wait};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use timeline::Run;

/// What came of a scenario. Times are milliseconds since the start; records are numbered from 1 in stream order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// The shards, by index.
    pub shards: Vec<ShardEntry>,
    /// In the order in which they began.
    pub invocations: Vec<InvocationEntry>,
    /// What the destination took.
    pub messages: Vec<MessageEntry>,
    /// How often the function handled each record, by number. Records that it never handled are not there.
    pub handled: BTreeMap<u32, u32>,
    /// How each record ended, by number. One that has not ended is not there.
    pub endings: BTreeMap<u32, Ending>,
    /// Records that the stream trimmed before the mapping read them. Nobody is told.
    pub trimmed_unread: Vec<u32>,
    /// Records before the mapping's starting position.
    pub unread: Vec<u32>,
    /// The largest age of a batch's last record when it was invoked with, as the metric `IteratorAge` counts it.
    pub iterator_age_ms_max: i64,
    /// When the last record ended, or when the run was stopped.
    pub finished_at_ms: i64,
    /// Whether every record ended before the run was stopped.
    pub finished: bool,
    /// The mapping's counters, some of which are metrics of AWS.
    pub counters: Counters,
    /// All of it in the order of events.
    pub walk: Vec<(i64, Step)>,
    /// By number from 1: the index of its shard, its sequence number, when it arrived.
    pub records: Vec<(usize, String, i64)>,
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardEntry {
    /// Its name.
    pub id: String,
    /// Indexes of the shards that it came out of.
    pub parents: Vec<usize>,
}

/// One invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationEntry {
    /// When it began.
    pub at_ms: i64,
    /// When its answer came.
    pub ended_at_ms: i64,
    /// The index of its shard.
    pub shard: usize,
    /// The slot of its shard.
    pub slot: usize,
    /// Its records. Empty when a tumbling window ends.
    pub records: Vec<Run>,
    /// Which one it is for this position, counted from 1.
    pub attempt: u32,
    /// What the function returned; nothing if it failed or was throttled.
    pub response: Option<String>,
    /// `handled`, `partial`, `failed` or `undelivered`.
    pub outcome: &'static str,
    /// How many of its records count as handled.
    pub handled: usize,
    /// Whether it is the last one of a tumbling window.
    pub ends_window: bool,
}

/// A message that the destination took, or did not.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageEntry {
    /// When it was sent.
    pub at_ms: i64,
    /// The index of its shard.
    pub shard: usize,
    /// The records that it is about.
    pub records: Vec<Run>,
    /// What the destination gets.
    pub body: Value,
    /// Where a bucket keeps it.
    pub key: Option<String>,
    /// Why.
    pub condition: &'static str,
    /// Whether it was taken.
    pub delivered: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An invocation began: its index.
    Invoked(usize),
    /// An invocation ended: its index.
    Responded(usize),
    /// A shard waits until a time for this reason.
    Waits(usize, i64, Wait),
    /// The batch of a shard was cut in two, of these lengths.
    Split(usize, usize, usize),
    /// Records of a shard ended, and its checkpoint stands at this record.
    Ended(usize, Vec<Run>, Ending, Option<u32>),
    /// A message was sent: its index.
    Sent(usize),
    /// The mapping was switched on or off.
    Switched(bool),
}

impl Outcome {
    /// Records of one ending.
    #[must_use]
    pub fn ended(&self, ending: Ending) -> Vec<u32> {
        self.endings.iter().filter(|(_, ended)| **ended == ending).map(|(record, _)| *record).collect()
    }

    /// Records that were handled more than once.
    #[must_use]
    pub fn handled_again(&self) -> usize {
        self.handled.values().filter(|times| **times > 1).count()
    }

    /// Records that count as handled though the function never handled them: its report was not read, or said nothing of
    /// them. They are lost, and no metric says so.
    #[must_use]
    pub fn passed_over(&self) -> Vec<u32> {
        self.ended(Ending::Handled).into_iter().filter(|record| !self.handled.contains_key(record)).collect()
    }

    /// Records that the stream trimmed, before or after the mapping read them.
    #[must_use]
    pub fn trimmed(&self) -> Vec<u32> {
        let mut trimmed = self.ended(Ending::Trimmed);
        trimmed.extend(&self.trimmed_unread);
        trimmed.sort_unstable();
        trimmed
    }

    /// Records that have not ended.
    #[must_use]
    pub fn open(&self) -> usize {
        self.records.len() - self.endings.len() - self.unread.len() - self.trimmed_unread.len()
    }

    /// All of it as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let handled: BTreeMap<String, u32> =
            self.handled.iter().map(|(record, times)| (record.to_string(), *times)).collect();
        json!({
            "invocations": self.invocations.iter().map(|entry| self.invocation(entry)).collect::<Vec<_>>(),
            "on_failure": self.messages.iter().filter(|message| message.delivered).map(message).collect::<Vec<_>>(),
            "dropped": self.ended(Ending::Dropped),
            "handled": handled,
            "iterator_age_ms_max": self.iterator_age_ms_max,
            "finished_at_ms": self.finished_at_ms,
            "finished": self.finished,
            "filtered": self.ended(Ending::Filtered),
            "trimmed": self.trimmed(),
            "unread": self.unread,
            "passed_over": self.passed_over(),
            "splits": self.splits(),
            "waits": self.waits(),
            "checkpoints": self.checkpoints(),
            "metrics": self.metrics(),
        })
    }

    fn invocation(&self, entry: &InvocationEntry) -> Value {
        let mut json = json!({
            "at_ms": entry.at_ms,
            "ended_at_ms": entry.ended_at_ms,
            "shard": self.shards[entry.shard].id,
            "slot": entry.slot,
            "records": numbers(&entry.records).collect::<Vec<_>>(),
            "attempt": entry.attempt,
            "response": entry.response,
            "outcome": entry.outcome,
        });
        if entry.ends_window {
            json["ends_window"] = true.into();
        }
        json
    }

    fn splits(&self) -> Vec<Value> {
        let split = |(at_ms, step): &(i64, Step)| match step {
            Step::Split(shard, left, right) => {
                Some(json!({"at_ms": at_ms, "shard": self.shards[*shard].id, "left": left, "right": right}))
            }
            _ => None,
        };
        self.walk.iter().filter_map(split).collect()
    }

    fn waits(&self) -> Vec<Value> {
        let wait = |(at_ms, step): &(i64, Step)| match step {
            Step::Waits(shard, until_ms, _) => {
                Some(json!({"at_ms": at_ms, "shard": self.shards[*shard].id, "until_ms": until_ms}))
            }
            _ => None,
        };
        self.walk.iter().filter_map(wait).collect()
    }

    fn checkpoints(&self) -> Vec<Value> {
        let checkpoint = |(at_ms, step): &(i64, Step)| match step {
            Step::Ended(shard, .., Some(record)) => {
                Some(json!({"at_ms": at_ms, "shard": self.shards[*shard].id, "record": record}))
            }
            _ => None,
        };
        self.walk.iter().filter_map(checkpoint).collect()
    }

    /// What the mapping's metrics would count.
    fn metrics(&self) -> Value {
        let counters = &self.counters;
        json!({
            "PolledEventCount": counters.polled_records,
            "FilteredOutEventCount": counters.filtered_records,
            "InvokedEventCount": counters.invoked_records,
            "FailedInvokeEventCount": counters.failed_invocations,
            "DroppedEventCount": counters.dropped_records,
            "OnFailureDestinationDeliveredEventCount": counters.delivered_records,
            "DestinationDeliveryFailures": counters.destination_failures,
        })
    }
}

fn message(message: &MessageEntry) -> Value {
    match &message.key {
        Some(key) => json!({"key": key, "body": message.body}),
        None => message.body.clone(),
    }
}

/// The numbers of runs.
pub fn numbers(runs: &[Run]) -> impl Iterator<Item = u32> + use<'_> {
    runs.iter().flat_map(|run| run.first..=run.last)
}
