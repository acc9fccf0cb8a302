//! The outcome as a timeline, for the page that shows it.

use crate::outcome::{InvocationEntry, Outcome, Step};
use crate::scenario::Scenario;
use event_source_mapping::Ending;
use std::collections::HashMap;
use timeline::{Fate, InvocationOutcome, Lane, MessageEntry, RecordEntry, SplitEntry, Timeline};

/// An answer on the page is as long as a line.
const RESPONSE_CHARS_MAX: usize = 120;

impl Outcome {
    /// The timeline of the run of `scenario`, under this name.
    #[must_use]
    pub fn timeline(&self, scenario: &Scenario, name: &str) -> Timeline {
        let mut last_of = HashMap::new();
        let invocations: Vec<timeline::InvocationEntry> =
            (0..).zip(&self.invocations).map(|(index, entry)| invocation(index, entry, &mut last_of)).collect();
        Timeline {
            title: format!("simulate: {name}"),
            subtitle: subtitle(scenario),
            facts: self.facts(),
            lanes: self.lanes(scenario),
            records: (1..).zip(&self.records).map(|(number, record)| self.record(number, record)).collect(),
            splits: self.split_entries(),
            messages: self.messages.iter().map(|message| self.message_entry(message)).collect(),
            recoveries: Vec::new(),
            finished_at_ms: millis(self.finished_at_ms),
            invocations,
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        let count = |ending| self.ended(ending).len().to_string();
        let drained = match self.finished {
            true => crate::walk::duration(self.finished_at_ms),
            false => "never".to_owned(),
        };
        [
            ("invocations", self.counters.invocations.to_string()),
            ("records", self.records.len().to_string()),
            ("handled more than once", self.handled_again().to_string()),
            ("in the destination", count(Ending::Delivered)),
            ("dropped", count(Ending::Dropped)),
            ("drained after", drained),
        ]
        .map(|(label, value)| (label.to_owned(), value))
        .into()
    }

    fn lanes(&self, scenario: &Scenario) -> Vec<Lane> {
        let settings = scenario.mapping.settings();
        let source = match scenario.stream.kind {
            records::StreamKind::Kinesis => "kinesis",
            records::StreamKind::DynamoDb => "dynamodb",
        };
        let lane = |shard: &crate::ShardEntry| Lane {
            name: shard.id.clone(),
            source: source.to_owned(),
            slots: u16::try_from(settings.parallelization_factor()).unwrap_or(1),
            parents: shard.parents.clone(),
        };
        self.shards.iter().map(lane).collect()
    }

    fn record(&self, number: u32, (shard, label, arrived_ms): &(usize, String, i64)) -> RecordEntry {
        let fate = match self.endings.get(&number) {
            Some(Ending::Handled) => Fate::Handled,
            Some(Ending::Filtered) => Fate::Filtered,
            Some(Ending::Delivered) => Fate::DeadLettered,
            Some(Ending::Dropped) => Fate::Dropped,
            Some(Ending::Trimmed) => Fate::Trimmed,
            None => Fate::Open,
        };
        RecordEntry { lane: index(*shard), label: label.clone(), arrived_ms: *arrived_ms, fate }
    }

    /// A split follows the response to the invocation that failed: the last one of its shard before it.
    fn split_entries(&self) -> Vec<SplitEntry> {
        let (mut last_of_shard, mut splits) = (HashMap::new(), Vec::new());
        for (at_ms, step) in &self.walk {
            match step {
                Step::Responded(invocation) => {
                    last_of_shard.insert(self.invocations[*invocation].shard, *invocation);
                }
                Step::Split(shard, left, right) => {
                    let Some(invocation) = last_of_shard.get(shard) else { continue };
                    splits.push(SplitEntry {
                        lane: index(*shard),
                        at_ms: millis(*at_ms),
                        invocation: index(*invocation),
                        left: index(*left),
                        right: index(*right),
                    });
                }
                _ => {}
            }
        }
        splits
    }

    fn message_entry(&self, message: &crate::MessageEntry) -> MessageEntry {
        let first = message.records.first().map(|run| run.first);
        let about = |entry: &InvocationEntry| {
            first.is_some_and(|first| entry.records.iter().any(|run| (run.first..=run.last).contains(&first)))
        };
        let before = self.invocations.partition_point(|entry| entry.at_ms <= message.at_ms);
        MessageEntry {
            lane: index(message.shard),
            at_ms: millis(message.at_ms),
            records: message.records.clone(),
            condition: message.condition.to_owned(),
            delivered: message.delivered,
            invocation: self.invocations[..before].iter().rposition(about).map(index),
        }
    }
}

/// An invocation follows the last one that had its first record.
fn invocation(number: u32, entry: &InvocationEntry, last_of: &mut HashMap<u32, u32>) -> timeline::InvocationEntry {
    let first = entry.records.first().map(|run| run.first);
    let follows = first.and_then(|first| last_of.get(&first)).copied();
    for record in crate::outcome::numbers(&entry.records) {
        last_of.insert(record, number);
    }
    let response = match (&entry.response, entry.outcome) {
        (Some(response), _) => response.chars().take(RESPONSE_CHARS_MAX).collect(),
        (None, "undelivered") => "throttled".to_owned(),
        (None, _) => "function error".to_owned(),
    };
    timeline::InvocationEntry {
        lane: index(entry.shard),
        slot: u16::try_from(entry.slot).unwrap_or(u16::MAX),
        start_ms: millis(entry.at_ms),
        end_ms: millis(entry.ended_at_ms),
        records: entry.records.clone(),
        attempt: entry.attempt,
        outcome: match entry.outcome {
            "handled" => InvocationOutcome::Handled,
            "partial" => InvocationOutcome::Partial { handled: index(entry.handled) },
            "undelivered" => InvocationOutcome::Undelivered,
            _ => InvocationOutcome::Failed,
        },
        response,
        follows,
    }
}

fn subtitle(scenario: &Scenario) -> String {
    let settings = scenario.mapping.settings();
    let on = |on| if on { "on" } else { "off" };
    let retries = settings.retry_attempts().map_or("without end".to_owned(), |retries| retries.to_string());
    format!(
        "BatchSize {}, retries {retries}, bisect {}, partial responses {}",
        settings.batch_size(),
        on(settings.bisects()),
        on(settings.reports_batch_item_failures())
    )
}

fn millis(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}

fn index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
