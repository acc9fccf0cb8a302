//! What an event source mapping did, as data and as a page.
//!
//! A [`Timeline`] is filled by whoever watched a run: the simulation in virtual time, the demo in real time. It knows
//! nothing of the model and holds no payload, so that a report may be handed on. [`Timeline::json`] is the same as data;
//! [`html`] makes one self-contained page of it, which asks no network for anything and runs no script but its own.
//!
//! ```
//! use timeline::{Fate, InvocationEntry, InvocationOutcome, Lane, RecordEntry, Run, Timeline};
//!
//! let record = |label: &str| RecordEntry { lane: 0, label: label.into(), arrived_ms: -5, fate: Fate::Handled };
//! let timeline = Timeline {
//!     title: "simulate: two records".into(),
//!     lanes: vec![Lane { name: "shardId-000000000000".into(), source: "kinesis".into(), slots: 1, parents: vec![] }],
//!     records: vec![record("4960"), record("4961")],
//!     invocations: vec![InvocationEntry {
//!         lane: 0,
//!         slot: 0,
//!         start_ms: 0,
//!         end_ms: 12,
//!         records: vec![Run { first: 1, last: 2 }],
//!         attempt: 1,
//!         outcome: InvocationOutcome::Handled,
//!         response: r#"{"batchItemFailures":[]}"#.into(),
//!         follows: None,
//!     }],
//!     finished_at_ms: 12,
//!     ..Timeline::default()
//! };
//! let page = timeline::html(&timeline)?;
//! assert!(page.starts_with("<!doctype html>"));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # The page
//!
//! Time goes from left to right. A lane is a shard and has a row for each of its slots, one for its on-failure messages
//! and one for recoveries. An invocation is a bar, its records are the bar's cells, and a cell's colour says what came of
//! the record *there*: handled; to be delivered again; or, in its last invocation, how it ended. Lines tie an invocation to
//! what it repeats or is a piece of, a message to its invocation, and a recovery to its message.
//!
//! - A mapping waits a minute and works a millisecond, so there are two scales. *Steps* gives each event the same width, in
//!   the order of events; *time* is true to scale. The page starts in steps where the shortest bar could not be seen.
//! - Bars too thin to show become columns with the shares of the cells in them. What is not handled keeps two pixels, so
//!   that one failure among thousands does not vanish.
//! - The data is embedded in columns of runs, about 20 bytes a record (`columns.rs`), and drawn on one canvas, only where
//!   it is visible.
//! - Whatever comes from outside becomes text, never markup; a content security policy forbids every load.
//!
//! `tests/browser/run` drives the page in Chromium; `examples/pages` writes what it looks at.

mod columns;
mod page;
mod timeline;

pub use page::html;
pub use timeline::{
    Fate, InvocationEntry, InvocationOutcome, Lane, MessageEntry, RecordEntry, RecoveryEntry, Run, SplitEntry, Timeline,
};
