//! Scenarios end to end. One binary: linking dominates on small machines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_variables;
mod batch_cases;
mod concurrency;
mod delivered_shapes;
mod house_rules;
mod hydrator;
mod hydrator_objects;
mod hydrator_queues;
mod hydrator_services;
mod killed;
mod kpl;
mod pipeline_accounts;
mod processors;
mod quarantine;
mod recorded_forms;
mod remembered;
mod secrets;
mod table_changes;
mod telemetry_lines;
mod windows;
