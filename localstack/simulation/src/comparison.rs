//! One failure under four settings: whole batches, bisect, partial responses, both.

use crate::Outcome;
use crate::scenario::{FunctionPlan, Reports, Scenario};
use event_source_mapping::{Ending, SettingsError};
use serde_json::{Value, json};

/// What the four settings cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// `whole batches`, `bisect`, `partial`, `both`.
    pub rows: Vec<Row>,
}

/// What one setting costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which one.
    pub mode: &'static str,
    /// Invocations that reached the function.
    pub invocations: u64,
    /// Records that it handled more than once.
    pub handled_again: usize,
    /// When the last record ended, in milliseconds after the start; `None` if one never did.
    pub drained_ms: Option<i64>,
    /// Records that the destination was told about.
    pub in_destination: usize,
    /// Records that nobody was told about: dropped, trimmed, or acknowledged without being handled.
    pub lost: usize,
}

impl Scenario {
    /// Runs the scenario with bisect and partial batch responses off and on; all else stays.
    ///
    /// A function cannot report what nobody reads. So where partial responses are off, one that reports throws instead:
    /// otherwise each failure would pass as a success. Where they are on, one that throws, hangs or crashes reports the
    /// first record that fails, as a function does that was written for them. A raw `response` counts where they are on.
    ///
    /// # Errors
    ///
    /// Never, for a scenario that was read.
    pub fn compare(&self) -> Result<Comparison, SettingsError> {
        let modes =
            [("whole batches", false, false), ("bisect", true, false), ("partial", false, true), ("both", true, true)];
        let rows = modes.map(|(mode, bisect, partial)| {
            let mapping = self.mapping.with(bisect, partial)?;
            let function = function_of(&self.function, partial);
            let outcome = Scenario { mapping, function, ..self.clone() }.run();
            Ok(row(mode, &outcome))
        });
        Ok(Comparison { rows: rows.into_iter().collect::<Result<_, _>>()? })
    }
}

fn function_of(plan: &FunctionPlan, partial: bool) -> FunctionPlan {
    let reports = match (plan.reports, partial) {
        (Reports::First | Reports::All, false) => Reports::Throws,
        (Reports::Throws | Reports::TimesOut | Reports::Crashes, true) => Reports::First,
        (as_it_is, _) => as_it_is,
    };
    let response = plan.response.clone().filter(|_| partial);
    FunctionPlan { reports, response, ..plan.clone() }
}

fn row(mode: &'static str, outcome: &Outcome) -> Row {
    Row {
        mode,
        invocations: outcome.counters.invocations,
        handled_again: outcome.handled_again(),
        drained_ms: outcome.finished.then_some(outcome.finished_at_ms),
        in_destination: outcome.ended(Ending::Delivered).len(),
        lost: outcome.ended(Ending::Dropped).len() + outcome.trimmed().len() + outcome.passed_over().len(),
    }
}

impl Comparison {
    /// The rows as one JSON object, by mode.
    #[must_use]
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let numbers = json!({
                "invocations": row.invocations,
                "handled_more_than_once": row.handled_again,
                "drained_at_ms": row.drained_ms,
                "records_in_destination": row.in_destination,
                "records_lost": row.lost,
            });
            (row.mode.to_owned(), numbers)
        });
        Value::Object(rows.collect())
    }
}
