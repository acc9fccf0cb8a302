//! One slot of a shard: the records of its keys, and the batch that is worked on.

use super::LONG_AGO;
use super::ledger::Ledger;
use super::windows::OpenWindow;
use crate::StreamRecord;
use crate::payload::Fit;
use crate::pieces::Pieces;
use records::EpochMillis;
use std::collections::VecDeque;
use std::ops::Range;

/// A slot of a shard.
#[derive(Debug)]
pub(super) struct Slot<R> {
    /// Polled and not done with, in the order of the shard. The current piece is always in front.
    pub records: VecDeque<R>,
    /// The records' ordinals in the ledger.
    ordinals: VecDeque<u64>,
    pub pieces: Pieces,
    pub under_way: UnderWay,
    /// The records that it concerns, as a range of `records`.
    pub subject: Range<usize>,
    /// When the records in front began to wait for a batch.
    pub waiting_since: Option<EpochMillis>,
    pub position: Position,
    /// How many records the next batch would have, until the records change.
    pub fit: Option<Fit>,
    /// The tumbling window that is open.
    pub window: Option<OpenWindow>,
}

/// What a slot has asked its driver for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnderWay {
    Nothing,
    Invocation,
    Message,
}

/// What is remembered of the position that the slot stands at; a new position starts from nothing (recorded).
#[derive(Debug)]
pub(super) struct Position {
    /// Invocations charged to the retry budget.
    pub attempts: u32,
    /// Failures of any kind in a row, for the back-off.
    pub failures: u32,
    /// The end of the back-off.
    pub not_before: EpochMillis,
    /// The id of the last invocation.
    pub request_id: Option<String>,
}

impl Position {
    pub const NEW: Self = Self { attempts: 0, failures: 0, not_before: LONG_AGO, request_id: None };
}

impl<R> Default for Slot<R> {
    fn default() -> Self {
        Self {
            records: VecDeque::new(),
            ordinals: VecDeque::new(),
            pieces: Pieces::default(),
            under_way: UnderWay::Nothing,
            subject: 0..0,
            waiting_since: None,
            position: Position::NEW,
            fit: None,
            window: None,
        }
    }
}

impl<R> Slot<R> {
    /// Whether nothing is left to do until more records come.
    pub fn is_done(&self) -> bool {
        self.records.is_empty() && self.under_way == UnderWay::Nothing && self.window.is_none()
    }

    /// Whether the slot works on a batch, or waits to retry one.
    pub fn has_batch(&self) -> bool {
        self.under_way != UnderWay::Nothing || self.pieces.current().is_some()
    }

    /// The state of the open window, as JSON.
    pub fn state(&self) -> Option<&str> {
        self.window.as_ref().map(|window| &*window.state)
    }
}

impl<R: StreamRecord> Slot<R> {
    /// Puts a record behind the others.
    pub fn push(&mut self, record: R, ordinal: u64) {
        debug_assert!(self.records.back().is_none_or(|last| last.sequence_number() < record.sequence_number()));
        self.records.push_back(record);
        self.ordinals.push_back(ordinal);
        self.fit = None;
    }

    /// Moves records that are done with to `ended`. If they stood in front, what is left is a new position.
    pub fn pass(&mut self, range: Range<usize>, ledger: &mut Ledger, ended: &mut VecDeque<R>) {
        let numbers = self.records.range(range.clone()).map(StreamRecord::sequence_number);
        ledger.close(self.ordinals.range(range.clone()).copied().zip(numbers));
        self.pieces.shorten(range.len());
        if range.start == 0 {
            self.position = Position::NEW;
        }
        self.ordinals.drain(range.clone());
        ended.extend(self.records.drain(range));
        self.subject = 0..0;
        self.fit = None;
    }
}
