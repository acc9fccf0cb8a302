//! Scenarios end to end. One binary: linking dominates on small machines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delivered_shapes;
mod house_rules;
mod hydrator;
mod killed;
mod pipeline_accounts;
mod processors;
mod recorded_forms;
