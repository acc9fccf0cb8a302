//! `streamctl` as a user runs it: the real binary, which builds and starts the real functions.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but knows as such only functions with #[test]"
)]

mod account;
mod bad_options;
mod face;
mod input;
#[cfg(target_os = "linux")]
mod interruption;
mod payloads;
#[cfg(target_os = "linux")]
mod processes;
mod report;
mod simulate;
mod streamctl;
