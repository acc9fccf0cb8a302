//! The function: the real engine of the processors in environments that are warm, cold, killed, and told the wrong time.

mod environment;
mod hands;
mod quarantine;

use crate::plan::FunctionPlan;
use crate::sabotage::Sabotage;
use crate::world::World;
use crate::{Chance, lock};
use environment::{Answer, Environment};
use event_source_mapping::FunctionResult;
use partial_batch::Deadline;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::timeout;

/// The function behind the mapping.
pub struct Function {
    world: Arc<World>,
    chance: Mutex<Chance>,
    /// Environments that wait for an invocation, the last one used on top.
    idle: Mutex<Vec<Environment>>,
}

/// How an invocation will go, as far as nothing in it decides.
struct Luck {
    is_throttled: bool,
    crashes_after_ms: Option<i64>,
    overrun_ms: i64,
    is_recycled: bool,
    overhead_ms: i64,
    seed: u64,
}

impl Function {
    /// A function without a warm environment.
    #[must_use]
    pub fn new(world: &Arc<World>) -> Self {
        let chance = Chance::new(world.plan.seed, "function");
        Self { world: Arc::clone(world), chance: Mutex::new(chance), idle: Mutex::default() }
    }

    /// Invokes the function with an event.
    pub async fn invoke(&self, event: String) -> FunctionResult {
        let FunctionPlan { timeout_ms, margin_ms, .. } = self.world.plan.function;
        let luck = self.luck();
        self.world.clock.pause(luck.overhead_ms).await;
        if luck.is_throttled {
            return FunctionResult::Undelivered;
        }
        let environment = lock(&self.idle).pop();
        let environment = environment.unwrap_or_else(|| Environment::cold(&self.world, luck.seed));
        let deadline = Deadline::after(milliseconds(timeout_ms + luck.overrun_ms), milliseconds(margin_ms));
        // Whatever comes first ends the process: Lambda at the time-out, or a crash. What it was doing is dropped.
        let killed_after_ms = luck.crashes_after_ms.unwrap_or(timeout_ms).min(timeout_ms);
        let ended = timeout(milliseconds(killed_after_ms), environment.process(&event, deadline)).await;
        let Ok(answer) = ended else { return FunctionResult::Failed };
        if !luck.is_recycled {
            lock(&self.idle).push(environment);
        }
        answer.map_or(FunctionResult::Failed, |answer| self.returned(&event, answer))
    }

    fn luck(&self) -> Luck {
        let FunctionPlan { crashes, overruns, throttles, recycled, timeout_ms, .. } = self.world.plan.function;
        let mut chance = lock(&self.chance);
        let is_faulty = self.world.is_faulty();
        let crashes = is_faulty && chance.happens(crashes);
        Luck {
            is_throttled: is_faulty && chance.happens(throttles),
            crashes_after_ms: crashes.then(|| {
                let bound_ms = chance.one_of([1, 20, timeout_ms]);
                chance.within(0..=bound_ms)
            }),
            overrun_ms: if is_faulty && chance.happens(overruns) { 2 * timeout_ms } else { 0 },
            is_recycled: chance.happens(recycled),
            overhead_ms: chance.within(1..=30),
            seed: chance.seed(),
        }
    }

    /// What goes back. A mapping without partial responses would take any answer for success, so that the function has to
    /// throw where it would report.
    fn returned(&self, event: &str, answer: Answer) -> FunctionResult {
        match answer.named {
            Some(_) if !self.world.plan.mapping.reports => FunctionResult::Failed,
            Some(named) if self.world.sabotage == Some(Sabotage::CheckpointOneTooFar) => {
                FunctionResult::reporting(behind(event, &named).as_deref())
            }
            _ => FunctionResult::Returned(answer.body),
        }
    }
}

/// The number of the record behind the one with this number, if the event has one.
fn behind(event: &str, number: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(event).ok()?;
    let numbers = event["Records"].as_array()?.iter().filter_map(|record| {
        record["kinesis"]["sequenceNumber"].as_str().or(record["dynamodb"]["SequenceNumber"].as_str())
    });
    numbers.skip_while(|other| *other != number).nth(1).map(str::to_owned)
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
