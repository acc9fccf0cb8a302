//! How far the pipeline is: bars on a terminal, plain lines elsewhere. All of it on standard error.

use crate::console::tell;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pipeline::{Books, Tally, Workload};
use records::StreamKind;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;

/// Between two pictures of the bars.
const DRAW_INTERVAL: Duration = Duration::from_millis(200);

/// Between two plain lines.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

/// The progress of a demo. Clones draw the same.
#[derive(Clone)]
pub struct Progress {
    bars: Option<Bars>,
}

#[derive(Clone)]
struct Bars {
    all: MultiProgress,
    sources: [(StreamKind, ProgressBar); 2],
}

impl Progress {
    /// The progress of a workload, on a terminal if standard error is one.
    pub fn new(workload: &Workload) -> Self {
        let bars = std::io::stderr().is_terminal().then(|| Bars::new(workload));
        Self { bars }
    }

    /// Says something above the bars.
    pub fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.all.suspend(|| tell(line)),
            None => tell(line),
        }
    }

    /// Draws what the books say until the guard is dropped.
    pub fn watch(&self, books: Arc<Books>) -> Watching {
        let progress = self.clone();
        let task = tokio::spawn(async move {
            let interval = if progress.bars.is_some() { DRAW_INTERVAL } else { LINE_INTERVAL };
            loop {
                tokio::time::sleep(interval).await;
                progress.draw(&books);
            }
        });
        Watching(task.abort_handle())
    }

    /// Clears the bars away.
    pub fn finish(&self) {
        if let Some(bars) = &self.bars {
            for (_, bar) in &bars.sources {
                bar.finish_and_clear();
            }
        }
    }

    /// Leaves the bars as they stand. On Ctrl-C the terminal writes `^C` behind them, and what is no longer where it was
    /// drawn cannot be cleared.
    pub fn leave(&self) {
        if let Some(bars) = &self.bars {
            bars.all.set_draw_target(ProgressDrawTarget::hidden());
            tell("");
        }
    }

    fn draw(&self, books: &Books) {
        match &self.bars {
            Some(bars) => {
                for (kind, bar) in &bars.sources {
                    let tally = books.tally(*kind);
                    bar.set_position(tally.handled + tally.recovered + tally.lost);
                    bar.set_message(short_counts(&tally));
                }
            }
            None => {
                let of = |kind| counts(&books.tally(kind));
                tell(format_args!("kinesis: {}; dynamodb: {}", of(StreamKind::Kinesis), of(StreamKind::DynamoDb)));
            }
        }
    }
}

impl Bars {
    fn new(workload: &Workload) -> Self {
        let all = MultiProgress::new();
        // A line that wraps cannot be drawn over, so the message takes what the terminal has left and no more.
        let style = ProgressStyle::with_template("{prefix:9}{bar:20.cyan/blue} {pos:>6}/{len:6} {wide_msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = |kind, name, records: usize| {
            let bar = ProgressBar::new(records as u64).with_style(style.clone()).with_prefix(name);
            (kind, all.add(bar))
        };
        let sources = [
            bar(StreamKind::Kinesis, "kinesis", workload.kinesis.len()),
            bar(StreamKind::DynamoDb, "dynamodb", workload.dynamodb.len()),
        ];
        Self { all, sources }
    }
}

fn counts(tally: &Tally) -> String {
    let Tally { produced, handled, dead_lettered, recovered, lost, .. } = tally;
    format!("{produced} produced, {handled} handled, {dead_lettered} dead-lettered, {recovered} recovered, {lost} lost")
}

/// What the bar itself does not show. At 80 columns, the end of it may be cut off.
fn short_counts(tally: &Tally) -> String {
    let lost = if tally.lost > 0 { format!("{} lost, ", tally.lost) } else { String::new() };
    format!("{lost}{} dead-lettered, {} recovered", tally.dead_lettered, tally.recovered)
}

/// Draws until it is dropped.
pub struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}
