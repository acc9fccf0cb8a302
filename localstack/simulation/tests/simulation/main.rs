//! Scenarios, run through the model.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod bad_scenarios;
mod examples;
mod function;
mod outcome;
mod walkthroughs;

use simulation::{Outcome, Scenario, numbers};

/// Runs a scenario that is one of the examples, or its text.
fn run(text: &str) -> Outcome {
    let text = simulation::example(text).map_or(text, |example| example.text);
    Scenario::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")).run()
}

/// The records of each invocation.
fn batches(outcome: &Outcome) -> Vec<Vec<u32>> {
    outcome.invocations.iter().map(|entry| numbers(&entry.records).collect()).collect()
}

/// The records of each message.
fn given_up(outcome: &Outcome) -> Vec<Vec<u32>> {
    outcome.messages.iter().map(|message| numbers(&message.records).collect()).collect()
}
