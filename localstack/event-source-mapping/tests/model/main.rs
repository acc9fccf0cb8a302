//! The model, in virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod machine;
mod messages;
mod properties;
mod queue;
mod retries;
mod walkthroughs;
mod world;
