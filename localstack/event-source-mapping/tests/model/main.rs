//! The model, in virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod fidelity;
mod filters;
mod machine;
mod messages;
mod properties;
mod queue;
mod reshards;
mod retention;
mod retries;
mod slots;
mod switching;
mod walkthroughs;
mod windows;
mod world;
