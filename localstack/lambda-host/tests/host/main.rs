//! The host with real processes: what a function sees, how it may fail, and what is left of it.
//!
//! The processes are this test binary itself, which becomes a function in [`bootstrap`].

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy.toml allows both in tests, but knows as such only functions with #[test]"
)]

mod bootstrap;
mod concurrency;
mod failures;
mod invocations;
mod output;
mod processes;
