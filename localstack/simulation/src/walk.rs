//! The outcome as text: a line for each thing that happened, and a summary.

use crate::outcome::{InvocationEntry, Outcome, Step};
use event_source_mapping::Ending;
use std::fmt::Write;
use timeline::Run;

/// Lines of a run that is shown whole. A longer one is cut in the middle.
const LINES_MAX: usize = 60;

/// Characters of a response that are shown.
const RESPONSE_CHARS_MAX: usize = 40;

impl Outcome {
    /// The run, line by line; with `all` however long it is.
    #[must_use]
    pub fn walk(&self, all: bool) -> String {
        let slots = self.invocations.iter().any(|entry| entry.slot > 0);
        let lines: Vec<String> = self.walk.iter().filter_map(|(at_ms, step)| self.line(*at_ms, step, slots)).collect();
        let mut text = String::new();
        let cut = if all || lines.len() <= LINES_MAX { 0 } else { lines.len() - LINES_MAX };
        let head = if cut == 0 { lines.len() } else { LINES_MAX / 2 };
        for line in &lines[..head] {
            push(&mut text, line);
        }
        if cut > 0 {
            push(&mut text, &format!("{:>12}  ... {cut} lines left out; --all shows them", ""));
            for line in &lines[head + cut..] {
                push(&mut text, line);
            }
        }
        text
    }

    /// What it comes to.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let count = |ending| self.ended(ending).len();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<28}{value}");
        };
        row("invocations", self.counters.invocations.to_string());
        if self.counters.undelivered_invocations > 0 {
            row("throttled", self.counters.undelivered_invocations.to_string());
        }
        row("records acknowledged", count(Ending::Handled).to_string());
        row("handled more than once", self.handled_again().to_string());
        row("in the destination", records_of(&self.ended(Ending::Delivered)));
        let rest = [
            ("acknowledged, NOT handled", self.passed_over()),
            ("filtered out", self.ended(Ending::Filtered)),
            ("dropped, nobody told", self.ended(Ending::Dropped)),
            ("trimmed, nobody told", self.ended(Ending::Trimmed)),
            ("trimmed before it was read", self.trimmed_unread.clone()),
            ("before the start position", self.unread.clone()),
        ];
        for (name, records) in rest.iter().filter(|(_, records)| !records.is_empty()) {
            row(name, records_of(records));
        }
        row("largest iterator age", duration(self.iterator_age_ms_max));
        match self.finished {
            true => row("drained after", duration(self.finished_at_ms)),
            false => row("NOT drained", format!("{} open after {}", self.open(), duration(self.finished_at_ms))),
        }
        text
    }

    /// A step as a line; with the slot of an invocation where there are several.
    fn line(&self, at_ms: i64, step: &Step, slots: bool) -> Option<String> {
        let (shard, what) = match step {
            Step::Invoked(index) => {
                let entry = &self.invocations[*index];
                (Some((entry.shard, Some(entry.slot))), self.invoked(entry))
            }
            Step::Responded(_) => return None,
            Step::Waits(shard, until_ms, _) => (Some((*shard, None)), format!("waits {}", duration(until_ms - at_ms))),
            Step::Split(shard, left, right) => (Some((*shard, None)), format!("splits into {left} and {right}")),
            Step::Ended(shard, records, ending, checkpoint) => {
                (Some((*shard, None)), ended(records, *ending, *checkpoint)?)
            }
            Step::Sent(index) => {
                let message = &self.messages[*index];
                let taken = if message.delivered { "" } else { ", which does not take it" };
                let records = shown(&message.records);
                (
                    Some((message.shard, None)),
                    format!("tells the destination of {records}: {}{taken}", message.condition),
                )
            }
            Step::Switched(on) => (None, format!("the mapping is switched {}", if *on { "on" } else { "off" })),
        };
        let place = shard.map(|(shard, slot)| self.place(shard, slot.filter(|_| slots))).unwrap_or_default();
        Some(format!("{:>12}  {place}{what}", duration(at_ms)))
    }

    /// Shard and slot, where there are several.
    fn place(&self, shard: usize, slot: Option<usize>) -> String {
        match (self.shards.len() > 1, slot) {
            (true, Some(slot)) => format!("shard {shard}/{slot}  "),
            (true, None) => format!("shard {shard}  "),
            (false, Some(slot)) => format!("slot {slot}  "),
            (false, None) => String::new(),
        }
    }

    /// What failed the batch: a record of its own that the response names, or a response that cannot be understood.
    fn blamed(&self, entry: &InvocationEntry, response: &str) -> String {
        let named = |record: &u32| response.contains(&format!("{:?}", self.records[*record as usize - 1].1));
        match crate::outcome::numbers(&entry.records).find(named) {
            Some(record) => format!(", reports {record}"),
            None => format!(" by {}", cut(response)),
        }
    }

    fn invoked(&self, entry: &InvocationEntry) -> String {
        let records = if entry.ends_window { "the end of a window".to_owned() } else { shown(&entry.records) };
        let attempt = if entry.attempt > 1 { format!(", attempt {}", entry.attempt) } else { String::new() };
        let outcome = match (entry.outcome, entry.handled) {
            ("partial", handled) => format!("partial: {handled} handled"),
            (outcome, _) => outcome.to_owned(),
        };
        let response = match &entry.response {
            Some(response) if entry.outcome == "failed" => self.blamed(entry, response),
            _ => String::new(),
        };
        format!("invokes with {records}{attempt} -> {outcome}{response}")
    }
}

/// Handling is told by the invocation, so only a checkpoint is news then.
fn ended(records: &[Run], ending: Ending, checkpoint: Option<u32>) -> Option<String> {
    let checkpoint = checkpoint.map_or(String::new(), |record| format!("checkpoint {record}"));
    let what = match ending {
        Ending::Handled => return (!checkpoint.is_empty()).then_some(checkpoint),
        Ending::Delivered => return (!checkpoint.is_empty()).then_some(checkpoint),
        Ending::Filtered => "filters out",
        Ending::Dropped => "drops",
        Ending::Trimmed => "has lost to the stream's retention",
    };
    let comma = if checkpoint.is_empty() { "" } else { ", " };
    Some(format!("{what} {}{comma}{checkpoint}", shown(records)))
}

fn push(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// A response on one line, cut.
fn cut(response: &str) -> String {
    let line: String = response.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(RESPONSE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Runs as `1-3, 5`, the first few of them.
fn shown(runs: &[Run]) -> String {
    const RUNS_MAX: usize = 8;
    let run =
        |run: &Run| if run.first == run.last { run.first.to_string() } else { format!("{}-{}", run.first, run.last) };
    let mut text = runs.iter().take(RUNS_MAX).map(run).collect::<Vec<_>>().join(", ");
    if runs.len() > RUNS_MAX {
        let records: u32 = runs.iter().map(|run| run.last - run.first + 1).sum();
        let _ = write!(text, ", ... ({records} records)");
    }
    text
}

fn records_of(records: &[u32]) -> String {
    match records.len() {
        0 => "0".to_owned(),
        count => format!("{count} ({})", shown(&Run::of(records.iter().copied()))),
    }
}

/// Milliseconds in words: `1.250 s`, `24 h 00 min 03 s`.
#[must_use]
pub fn duration(ms: i64) -> String {
    let (seconds, rest) = (ms / 1000, ms % 1000);
    match seconds {
        ..3600 => format!("{seconds}.{rest:03} s"),
        3600.. => format!("{} h {:02} min {:02} s", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}
