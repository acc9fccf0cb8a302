//! The data: what a run did, from its first invocation to the last recovery.
//!
//! Times are milliseconds since the run's start. Records are numbered from 1 in stream order over the whole run, so that a
//! batch is a few [`Run`]s however many records it holds. Indexes (lanes, invocations, messages) point into the vectors
//! of the same [`Timeline`]; whoever fills it keeps them in range.

use serde::{Deserialize, Serialize};

/// Everything the page shows.
#[derive(Serialize, Deserialize, Default, Debug, Clone, PartialEq)]
pub struct Timeline {
    /// What ran: `simulate: walkthrough-2`, `demo`.
    pub title: String,
    /// Its settings or its account in one line.
    pub subtitle: String,
    /// Label and value, shown in this order: `invocations`, `7`.
    pub facts: Vec<(String, String)>,
    /// The shards.
    pub lanes: Vec<Lane>,
    /// At index n-1: record n.
    pub records: Vec<RecordEntry>,
    /// The invocations, in the order in which they started.
    pub invocations: Vec<InvocationEntry>,
    /// The batches that were cut in two.
    pub splits: Vec<SplitEntry>,
    /// What was sent, or should have been, to the on-failure destination.
    pub messages: Vec<MessageEntry>,
    /// What the hydrator made of the messages.
    pub recoveries: Vec<RecoveryEntry>,
    /// When the run was over.
    pub finished_at_ms: u64,
}

impl Timeline {
    /// The timeline as JSON, field by field. Reads back as the same timeline.
    ///
    /// # Errors
    ///
    /// Only where `serde_json` cannot write to memory.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// A shard.
#[derive(Serialize, Deserialize, Default, Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The shard's id, with its stream where there are several.
    pub name: String,
    /// `kinesis` or `dynamodb`.
    pub source: String,
    /// The mapping's `ParallelizationFactor`: 1 to 10.
    pub slots: u16,
    /// The lanes of the shards it was split or merged from.
    pub parents: Vec<usize>,
}

/// A record and what became of it.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct RecordEntry {
    /// The lane of its shard.
    pub lane: u32,
    /// Its sequence number. Never its payload.
    pub label: String,
    /// When it came into the stream. Negative where it was there before the run.
    pub arrived_ms: i64,
    /// How it ended.
    pub fate: Fate,
}

/// How a record ended.
#[derive(Serialize, Deserialize, Default, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It did not: the run was over first.
    #[default]
    Open,
    /// A function acknowledged it.
    Handled,
    /// The mapping's filters took it out.
    Filtered,
    /// An on-failure message names it, and nothing brought it back.
    DeadLettered,
    /// The hydrator brought it back.
    Recovered,
    /// A loss report names it.
    Lost,
    /// AWS gave it up and no destination took its message.
    Dropped,
    /// The stream forgot it before it was delivered.
    Trimmed,
    /// The processor set it aside and acknowledged it.
    Quarantined,
}

/// One invocation of the function.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct InvocationEntry {
    /// The lane of its shard.
    pub lane: u32,
    /// The slot of its shard, from 0.
    pub slot: u16,
    /// When it started.
    pub start_ms: u64,
    /// When its answer was there. Equal to `start_ms` where no time passed.
    pub end_ms: u64,
    /// Its batch, in the order of delivery.
    pub records: Vec<Run>,
    /// 1 for the first delivery of this batch.
    pub attempt: u32,
    /// What the mapping made of the answer.
    pub outcome: InvocationOutcome,
    /// The answer, shortened. Never a payload.
    pub response: String,
    /// The invocation of which this is a retry or a piece.
    pub follows: Option<u32>,
}

/// Records that follow each other, by number.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first record's number.
    pub first: u32,
    /// The last record's number, inclusive.
    pub last: u32,
}

impl Run {
    /// Numbers as runs, in the order in which they come.
    pub fn of(numbers: impl IntoIterator<Item = u32>) -> Vec<Self> {
        let mut runs = Vec::new();
        for number in numbers {
            Self::push(&mut runs, number);
        }
        runs
    }

    /// Puts a number behind runs.
    pub fn push(runs: &mut Vec<Self>, number: u32) {
        match runs.last_mut() {
            Some(run) if run.last.checked_add(1) == Some(number) => run.last = number,
            _ => runs.push(Self { first: number, last: number }),
        }
    }
}

/// What the mapping made of an answer.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum InvocationOutcome {
    /// The whole batch is done.
    Handled,
    /// The batch is done up to the checkpoint; the rest is not.
    Partial {
        /// Records in front of the checkpoint.
        handled: u32,
    },
    /// The whole batch failed.
    Failed,
    /// The function never saw it: it was throttled, or could not be started.
    Undelivered,
}

/// A batch cut in two.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitEntry {
    /// The lane of its shard.
    pub lane: u32,
    /// When it was cut.
    pub at_ms: u64,
    /// The invocation whose batch it was.
    pub invocation: u32,
    /// Records of the left piece.
    pub left: u32,
    /// Records of the right piece.
    pub right: u32,
}

/// A message to the on-failure destination.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct MessageEntry {
    /// The lane of its shard.
    pub lane: u32,
    /// When it was sent.
    pub at_ms: u64,
    /// What it speaks of.
    pub records: Vec<Run>,
    /// Its condition, as AWS spells it: `RetryAttemptsExhausted`.
    pub condition: String,
    /// Whether the destination took it. If not, its records are dropped.
    pub delivered: bool,
    /// The last invocation of its records; none where the function never saw them.
    pub invocation: Option<u32>,
}

/// What the hydrator made of a message.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct RecoveryEntry {
    /// The lane of its shard.
    pub lane: u32,
    /// When the records were back, or their loss was reported.
    pub at_ms: u64,
    /// The records in question.
    pub records: Vec<Run>,
    /// What reading the range proved: `Complete`, `Superset`, `Partial`, `Expired`.
    pub verdict: String,
    /// The message it answers.
    pub message: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"title":"t","subtitle":"s","facts":[["invocations","1"]],
        "lanes":[{"name":"shardId-000000000000","source":"kinesis","slots":2,"parents":[]}],
        "records":[{"lane":0,"label":"4960","arrived_ms":-5,"fate":"dead-lettered"}],
        "invocations":[
            {"lane":0,"slot":1,"start_ms":0,"end_ms":3,"records":[{"first":1,"last":1}],"attempt":1,
             "outcome":{"partial":{"handled":0}},"response":"{}","follows":null},
            {"lane":0,"slot":1,"start_ms":9,"end_ms":9,"records":[{"first":1,"last":1}],"attempt":2,
             "outcome":"undelivered","response":"","follows":0}],
        "splits":[{"lane":0,"at_ms":3,"invocation":0,"left":1,"right":0}],
        "messages":[{"lane":0,"at_ms":9,"records":[{"first":1,"last":1}],"condition":"RetryAttemptsExhausted",
            "delivered":true,"invocation":1}],
        "recoveries":[{"lane":0,"at_ms":20,"records":[{"first":1,"last":1}],"verdict":"Expired","message":0}],
        "finished_at_ms":20}"#;

    #[test]
    fn json_reads_back_as_the_same_timeline() {
        let timeline: Timeline = serde_json::from_str(JSON).unwrap();
        assert_eq!(serde_json::from_str::<Timeline>(&timeline.json().unwrap()).unwrap(), timeline);
    }

    #[test]
    fn json_keeps_the_names_that_others_read() {
        let timeline: Timeline = serde_json::from_str(JSON).unwrap();
        let written: serde_json::Value = serde_json::from_str(&timeline.json().unwrap()).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(JSON).unwrap());
    }
}
