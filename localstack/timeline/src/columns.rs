//! The form in which a timeline is embedded in its page: columns instead of objects.
//!
//! A column is a list of pairs, value and how often it follows itself. What grows steadily (times, record numbers) is
//! written as differences first, so that a stream without events is one pair. A label keeps only what tells it from the
//! one before it in its lane: sequence numbers of a shard agree in most of their 56 digits.

use std::collections::HashMap;

use serde::Serialize;

use crate::{Fate, InvocationOutcome, Lane, RecordEntry, Run, Timeline};

/// A timeline as the page reads it; `page.js` holds its reader.
#[derive(Serialize)]
pub(crate) struct Columns<'a> {
    title: &'a str,
    subtitle: &'a str,
    facts: &'a [(String, String)],
    lanes: &'a [Lane],
    finished: u64,
    records: Records<'a>,
    invocations: Invocations<'a>,
    splits: Vec<[u64; 4]>,
    messages: Vec<Message<'a>>,
    recoveries: Vec<Recovery<'a>>,
}

#[derive(Serialize)]
struct Records<'a> {
    count: usize,
    /// The fates that occur, by name; the column holds indexes into them.
    fates: Vec<Fate>,
    fate: Column,
    lane: Column,
    arrived: Column,
    /// How many characters a label shares with the one before it in its lane.
    kept: Column,
    tails: Vec<&'a str>,
}

#[derive(Serialize)]
struct Invocations<'a> {
    count: usize,
    lane: Column,
    slot: Column,
    start: Column,
    length: Column,
    attempt: Column,
    /// -1 handled, -2 failed, -3 undelivered; otherwise partial, with so many records handled.
    outcome: Column,
    /// How many invocations back the followed one is; 0 is none.
    back: Column,
    responses: Vec<&'a str>,
    response: Column,
    runs: Column,
    run_gap: Column,
    run_length: Column,
}

#[derive(Serialize)]
struct Message<'a> {
    lane: u32,
    at: u64,
    runs: Vec<[u32; 2]>,
    condition: &'a str,
    delivered: bool,
    invocation: Option<u32>,
}

#[derive(Serialize)]
struct Recovery<'a> {
    lane: u32,
    at: u64,
    runs: Vec<[u32; 2]>,
    verdict: &'a str,
    message: Option<u32>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(timeline: &'a Timeline) -> Self {
        let last = u32::try_from(timeline.records.len()).unwrap_or(u32::MAX);
        Self {
            title: &timeline.title,
            subtitle: &timeline.subtitle,
            facts: &timeline.facts,
            lanes: &timeline.lanes,
            finished: timeline.finished_at_ms,
            records: Records::of(&timeline.records),
            invocations: Invocations::of(timeline, last),
            splits: timeline
                .splits
                .iter()
                .map(|split| [split.at_ms, split.invocation.into(), split.left.into(), split.right.into()])
                .collect(),
            messages: timeline
                .messages
                .iter()
                .map(|message| Message {
                    lane: message.lane,
                    at: message.at_ms,
                    runs: pairs(&message.records, last),
                    condition: &message.condition,
                    delivered: message.delivered,
                    invocation: message.invocation,
                })
                .collect(),
            recoveries: timeline
                .recoveries
                .iter()
                .map(|recovery| Recovery {
                    lane: recovery.lane,
                    at: recovery.at_ms,
                    runs: pairs(&recovery.records, last),
                    verdict: &recovery.verdict,
                    message: recovery.message,
                })
                .collect(),
        }
    }
}

impl<'a> Records<'a> {
    fn of(records: &'a [RecordEntry]) -> Self {
        let mut fates = Names::default();
        let fate = column(records.iter().map(|record| fates.index(record.fate)));
        let mut before: HashMap<u32, &str> = HashMap::new();
        let (kept, tails): (Vec<i64>, Vec<&str>) = records
            .iter()
            .map(|record| {
                let kept = shared_prefix(before.insert(record.lane, &record.label).unwrap_or(""), &record.label);
                // The page counts in UTF-16 units; a prefix in ASCII has as many of them as it has bytes.
                (kept as i64, &record.label[kept..])
            })
            .unzip();
        Self {
            count: records.len(),
            fates: fates.list,
            fate,
            lane: column(records.iter().map(|record| record.lane.into())),
            arrived: column(differences(records.iter().map(|record| record.arrived_ms))),
            kept: column(kept),
            tails,
        }
    }
}

impl<'a> Invocations<'a> {
    fn of(timeline: &'a Timeline, last_record: u32) -> Self {
        let all = &timeline.invocations;
        let mut responses = Names::default();
        let response = column(all.iter().map(|invocation| responses.index(invocation.response.as_str())));
        let runs: Vec<Vec<[u32; 2]>> = all.iter().map(|invocation| pairs(&invocation.records, last_record)).collect();
        let flat = || runs.iter().flatten();
        let ends = std::iter::once(0).chain(flat().map(|run| i64::from(run[1])));
        Self {
            count: all.len(),
            lane: column(all.iter().map(|invocation| invocation.lane.into())),
            slot: column(all.iter().map(|invocation| invocation.slot.into())),
            start: column(differences(all.iter().map(|invocation| signed(invocation.start_ms)))),
            length: column(all.iter().map(|invocation| signed(invocation.end_ms.saturating_sub(invocation.start_ms)))),
            attempt: column(all.iter().map(|invocation| invocation.attempt.into())),
            outcome: column(all.iter().map(|invocation| outcome_code(invocation.outcome))),
            back: column((0i64..).zip(all).map(|(index, invocation)| {
                // One that claims to follow itself or a later one follows none: the page draws forwards.
                invocation.follows.map_or(0, |followed| (index - i64::from(followed)).max(0))
            })),
            responses: responses.list,
            response,
            runs: column(runs.iter().map(|runs| runs.len() as i64)),
            run_gap: column(flat().zip(ends).map(|(run, end)| i64::from(run[0]) - end)),
            run_length: column(flat().map(|run| i64::from(run[1]) - i64::from(run[0]))),
        }
    }
}

/// Value and repetitions, in turn.
type Column = Vec<i64>;

fn column(values: impl IntoIterator<Item = i64>) -> Column {
    let mut pairs: Column = Vec::new();
    for value in values {
        match pairs.as_mut_slice() {
            [.., last, count] if *last == value => *count += 1,
            _ => pairs.extend([value, 1]),
        }
    }
    pairs
}

fn differences(values: impl Iterator<Item = i64>) -> impl Iterator<Item = i64> {
    values.scan(0, |before: &mut i64, value| Some(value.wrapping_sub(std::mem::replace(before, value))))
}

/// Runs as pairs, within the records there are: a run that reaches beyond them would have the page count for hours.
fn pairs(runs: &[Run], last_record: u32) -> Vec<[u32; 2]> {
    let within = runs.iter().map(|run| [run.first.max(1), run.last.min(last_record)]);
    within.filter(|[first, last]| first <= last).collect()
}

fn outcome_code(outcome: InvocationOutcome) -> i64 {
    match outcome {
        InvocationOutcome::Handled => -1,
        InvocationOutcome::Failed => -2,
        InvocationOutcome::Undelivered => -3,
        InvocationOutcome::Partial { handled } => handled.into(),
    }
}

fn shared_prefix(before: &str, label: &str) -> usize {
    before.bytes().zip(label.bytes()).take_while(|(left, right)| left == right && left.is_ascii()).count()
}

fn signed(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}

/// Values in the order in which they first occurred.
struct Names<T> {
    list: Vec<T>,
    indexes: HashMap<T, usize>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { list: Vec::new(), indexes: HashMap::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Names<T> {
    fn index(&mut self, value: T) -> i64 {
        let index = *self.indexes.entry(value).or_insert_with(|| {
            self.list.push(value);
            self.list.len() - 1
        });
        index as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_column_is_one_pair() {
        assert_eq!(column([7; 1000]), [7, 1000]);
        assert_eq!(column(differences((5..1005).map(|value| value * 2))), [10, 1, 2, 999]);
        assert_eq!(column([]), Column::new());
    }

    #[test]
    fn a_run_beyond_the_records_is_cut() {
        let runs = [Run { first: 0, last: 3 }, Run { first: 9, last: u32::MAX }, Run { first: 11, last: 12 }];
        assert_eq!(pairs(&runs, 10), [[1, 3], [9, 10]]);
    }

    #[test]
    fn a_prefix_ends_where_counting_characters_would_need_thought() {
        assert_eq!(shared_prefix("4961", "4962"), 3);
        assert_eq!(shared_prefix("aé1", "aé2"), 1);
        assert_eq!(shared_prefix("", "4962"), 0);
    }
}
