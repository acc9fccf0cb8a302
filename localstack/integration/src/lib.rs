//! The recovery pipeline on any AWS-compatible endpoint: LocalStack, ministack, kinesis-local, AWS itself, or the embedded
//! emulator, which is what a plain `cargo test` takes.
//!
//! The tests are in `tests/endpoint`; this library is what they stand on. Where they run is decided by the SDK's own
//! variables (`target.rs`), what the place cannot do is found out at the start or known by name (`kind.rs`,
//! `behaviour.rs`), and what they make there is removed at the end (`cleanup.rs`). `localstack/README.md` says how to
//! start each place.
//!
//! | File | Holds |
//! |---|---|
//! | `target.rs` | where to run, decided from variables alone |
//! | `kind.rs` | what answers at an endpoint |
//! | `behaviour.rs` | what tests rely on, and who is known not to do it |
//! | `world.rs` | the services that a run has, and the names of what it makes |
//! | `place.rs` | where each service is, and what Lambda cannot see from where it is |
//! | `one_attempt.rs` | what several tests need, and is tried once |
//! | `cleanup.rs` | what was made, and its removal |
//! | `executable.rs` | executables that were built elsewhere, and the machine that one is for |
//! | `archive.rs` | an executable as the archive that Lambda takes |
//! | `deployment.rs` | functions and mappings on the endpoint's own Lambda |
//! | `hosted.rs` | the hydrator behind the local Lambda host |
//! | `message.rs` | on-failure messages by hand |
//! | `table_stream.rs` | when a table's stream can be read, and where changes are in it |
//! | `recovered.rs` | what is in the recovered queue |
//! | `patience.rs` | waits that end, and say what they waited for |

mod archive;
mod behaviour;
mod cleanup;
mod deployment;
mod executable;
mod hosted;
mod kind;
mod message;
mod one_attempt;
mod patience;
mod place;
mod recovered;
mod table_stream;
mod target;
mod world;

pub use behaviour::Behaviour;
pub use cleanup::{Cleanup, Resource};
pub use deployment::{Deployment, Program};
pub use hosted::HostedHydrator;
pub use kind::Kind;
pub use message::{Range, kinesis_range, on_failure_message};
pub use one_attempt::OneAttempt;
pub use patience::until;
pub use recovered::{Entry, entries, entries_until};
pub use table_stream::table_range;
pub use target::{Endpoints, OnAws, Target, TargetError};
pub use world::World;
