//! The function of a scenario: which records it handles, and how it ends.

use crate::scenario::{FunctionPlan, Reports, Scenario, Times};
use event_source_mapping::FunctionResult;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A function that remembers how often a record has yet to fail.
#[derive(Debug)]
pub(crate) struct SimulatedFunction {
    plan: FunctionPlan,
    failures: BTreeMap<u32, Times>,
    throttles: u32,
    /// How often each record was handled, by number.
    pub handled: BTreeMap<u32, u32>,
}

/// A record of a batch, as the function sees it.
pub(crate) struct Given<'a> {
    pub number: u32,
    pub sequence_number: &'a str,
}

impl SimulatedFunction {
    pub fn new(scenario: &Scenario) -> Self {
        let plan = scenario.function.clone();
        let throttles = plan.throttled_invocations;
        Self { plan, failures: scenario.failures.clone(), throttles, handled: BTreeMap::new() }
    }

    /// Handles a batch, with the state of its window if it has one. Says how it ended and how long that took.
    pub fn invoke(&mut self, batch: &[Given<'_>], state: Option<&str>) -> (FunctionResult, i64) {
        if self.throttles > 0 {
            self.throttles -= 1;
            return (FunctionResult::Undelivered, 0);
        }
        let (mut handled, mut failed) = (0_u32, Vec::new());
        for record in batch {
            if self.fails(record.number) {
                failed.push(record.sequence_number);
                if self.plan.reports != Reports::All {
                    break;
                }
            } else {
                handled += 1;
                *self.handled.entry(record.number).or_default() += 1;
            }
        }
        let took_ms = self.plan.duration_ms + i64::from(handled) * self.plan.per_record_ms;
        let hangs = self.plan.reports == Reports::TimesOut && !failed.is_empty();
        if hangs || took_ms > self.plan.timeout_ms {
            return (FunctionResult::Failed, self.plan.timeout_ms);
        }
        (self.answer(&failed, handled, state), took_ms)
    }

    /// Whether the function meets a failure at this record.
    fn fails(&mut self, record: u32) -> bool {
        match self.failures.get_mut(&record) {
            None | Some(Times::Count(0)) => false,
            Some(Times::Always) => true,
            Some(Times::Count(left)) => {
                *left -= 1;
                true
            }
        }
    }

    fn answer(&self, failed: &[&str], handled: u32, state: Option<&str>) -> FunctionResult {
        match (&self.plan.response, self.plan.reports) {
            (Some(response), _) if !failed.is_empty() => FunctionResult::returned(response),
            (_, Reports::Throws | Reports::TimesOut | Reports::Crashes) if !failed.is_empty() => FunctionResult::Failed,
            _ => {
                let failures: Vec<Value> = failed.iter().map(|number| json!({"itemIdentifier": number})).collect();
                let mut body = json!({ "batchItemFailures": failures });
                if let Some(state) = state {
                    body["state"] = counted(state, handled);
                }
                FunctionResult::Returned(body.to_string().into_bytes())
            }
        }
    }
}

/// The state of a window: how many records were handled in it.
fn counted(state: &str, handled: u32) -> Value {
    let before = serde_json::from_str::<Value>(state).ok().and_then(|state| state["records"].as_u64()).unwrap_or(0);
    json!({ "records": before + u64::from(handled) })
}
