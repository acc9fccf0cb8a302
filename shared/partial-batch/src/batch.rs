//! The loop: starts what the schedule allows, collects what ends, and stops at the deadline.

use crate::handler::{RecordContext, RecordId};
use crate::quarantine::{EventOrigin, Quarantine, Quarantined};
use crate::schedule::{KeyHash, Position, Schedule};
use crate::source::{OriginKind, Record, Source};
use crate::{Deadline, FailedRecord, Handler, Memory, RecordError, RecordErrorKind};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use telemetry::Latencies;
use tokio::time::Instant;

/// A batch about to be handled.
pub(crate) struct Batch<'b, 'e, S: Source, H> {
    pub records: &'b [Record<'e, S::Body<'e>>],
    pub source: &'b S,
    pub handler: &'b H,
    pub concurrency: usize,
    pub memory: &'b RefCell<Memory>,
    pub quarantine: Option<(&'b Quarantine, &'b EventOrigin<'b>)>,
    pub deadline: Deadline,
}

/// What became of the records so far.
pub(crate) struct Progress {
    /// For each record the number of its units that are not done; 1 for a record that nobody has looked at yet.
    open: Vec<usize>,
    /// Units that are done, in the order in which they were.
    done: Vec<Done>,
    pub handled: usize,
    pub remembered: usize,
    pub failures: Vec<FailedRecord>,
    pub latencies: Latencies,
}

/// A unit that is done.
#[derive(Clone, Copy)]
struct Done {
    record: usize,
    sub_sequence_number: Option<u32>,
    /// By the handler, in this invocation.
    by_handler: bool,
}

impl Progress {
    fn new(records: usize) -> Self {
        Self {
            open: vec![1; records],
            done: Vec::with_capacity(records),
            handled: 0,
            remembered: 0,
            failures: Vec::new(),
            latencies: Latencies::default(),
        }
    }

    /// Index of the first record that is not done.
    pub fn first_open(&self) -> Option<usize> {
        self.open.iter().position(|units| *units > 0)
    }

    /// For each unit that the handler has handled, in the order in which it did, the index of its record.
    pub fn handled_records(&self) -> impl Iterator<Item = usize> {
        self.done.iter().filter(|done| done.by_handler).map(|done| done.record)
    }

    fn done<P>(&mut self, unit: &Unit<P>, by_handler: bool) {
        let record = unit.position.record;
        self.open[record] -= 1;
        self.done.push(Done { record, sub_sequence_number: unit.sub_sequence_number(), by_handler });
    }
}

/// What is handled by itself: a record, or what a producer packed into one.
struct Unit<P> {
    position: Position,
    parts: Option<Rc<P>>,
}

// Derived, it would ask for `P: Clone`.
impl<P> Clone for Unit<P> {
    fn clone(&self) -> Self {
        Self { position: self.position, parts: self.parts.clone() }
    }
}

impl<P> Unit<P> {
    fn sub_sequence_number(&self) -> Option<u32> {
        self.parts.as_ref().map(|_| u32::try_from(self.position.part).unwrap_or(u32::MAX))
    }
}

/// A unit that has ended.
struct Ended<P> {
    unit: Unit<P>,
    key: Option<KeyHash>,
    result: Result<(), RecordError>,
    /// Why no attempt will handle it, whatever became of it then.
    invalid: Option<RecordError>,
    attempt: u32,
}

/// What is known of a unit that runs, in case that it has to be cancelled.
struct Running<P> {
    unit: Unit<P>,
    started: Instant,
    attempt: u32,
    /// Nothing was done before it started: it has the whole invocation for itself.
    is_first: bool,
}

/// Walks through the units of the batch, in order.
struct Cursor<P> {
    record: usize,
    part: usize,
    parts: Option<Rc<P>>,
}

impl<'b, 'e, S, H> Batch<'b, 'e, S, H>
where
    S: Source,
    H: for<'p> Handler<S::Payload<'p>>,
{
    /// Handles what can be handled until a failure or the deadline.
    pub async fn handle(&self) -> Progress {
        let mut progress = Progress::new(self.records.len());
        let mut schedule = Schedule::new(self.concurrency);
        let mut cursor = Cursor { record: 0, part: 0, parts: None };
        let buffers = RefCell::new(Vec::new());
        let mut spare: Option<Slot<_>> = None;
        let mut futures = FuturesUnordered::new();
        let mut running: Vec<Running<S::Parts>> = Vec::new();
        let mut stop = pin!(tokio::time::sleep_until(self.deadline.stop_at()));
        let mut now = Instant::now();
        loop {
            while schedule.has_room() && now < self.deadline.stop_at() {
                let Some((unit, key)) = self.next(&mut schedule, &mut cursor, &mut progress) else { break };
                let attempt = self.attempt(&unit);
                let is_first = progress.handled == 0 && progress.failures.is_empty();
                let mut slot = spare.take().unwrap_or_default();
                slot.put(self.handle_unit(unit.clone(), key, attempt, &buffers));
                // Most handlers are done when they are called: what is has no need of a place in the set.
                match poll_fn(|context| Poll::Ready(slot.poll_unpin(context))).await {
                    Poll::Ready(ended) => {
                        spare = Some(slot);
                        let started = std::mem::replace(&mut now, Instant::now());
                        self.end(ended, now - started, &mut schedule, &mut progress);
                    }
                    Poll::Pending => {
                        running.push(Running { started: now, attempt, is_first, unit: unit.clone() });
                        let key = key.unwrap_or_else(|| self.key(&unit));
                        schedule.started(key);
                        futures.push(slot.map(move |ended| Ended { key: Some(key), ..ended }));
                        now = Instant::now();
                    }
                }
            }
            if futures.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some(ended) = futures.next() => {
                    now = Instant::now();
                    let position = ended.unit.position;
                    let index = running.iter().position(|one| one.unit.position == position);
                    let started = index.map_or(now, |index| running.swap_remove(index).started);
                    if let Some(key) = ended.key {
                        schedule.ended(key);
                    }
                    self.end(Ended { key: None, ..ended }, now - started, &mut schedule, &mut progress);
                }
                () = &mut stop => break,
            }
        }
        drop(futures);
        running.sort_by_key(|one| one.unit.position);
        let now = Instant::now();
        for cancelled in running {
            progress.latencies.record(now - cancelled.started);
            let error = if cancelled.is_first { RecordError::too_slow() } else { RecordError::deadline_exceeded() };
            progress.failures.push(self.failed(&cancelled.unit, error, cancelled.attempt));
        }
        progress.failures.sort_by_key(|failure| (failure.index, failure.sub_sequence_number));
        progress
    }

    /// The next unit that may start, with the key that it holds already.
    fn next(
        &self,
        schedule: &mut Schedule<Unit<S::Parts>>,
        cursor: &mut Cursor<S::Parts>,
        progress: &mut Progress,
    ) -> Option<(Unit<S::Parts>, Option<KeyHash>)> {
        if let Some((unit, key)) = schedule.next_ready() {
            return Some((unit, Some(key)));
        }
        loop {
            let unit = self.advance(cursor, progress)?;
            if !schedule.may_start(unit.position) {
                // The cursor only goes on: nothing behind it may start either.
                *cursor = Cursor { record: self.records.len(), part: 0, parts: None };
                return None;
            }
            if self.is_remembered(&unit) {
                progress.remembered += 1;
                progress.done(&unit, false);
            } else if let Some(unit) = schedule.admit(unit.position, unit, |unit| self.key(unit)) {
                return Some((unit, None));
            }
        }
    }

    /// The next unit of the batch, whatever becomes of it.
    fn advance(&self, cursor: &mut Cursor<S::Parts>, progress: &mut Progress) -> Option<Unit<S::Parts>> {
        loop {
            let record = self.records.get(cursor.record)?;
            let position = Position { record: cursor.record, part: cursor.part };
            if let Some(parts) = &cursor.parts {
                if cursor.part < self.units_in(parts) {
                    cursor.part += 1;
                    return Some(Unit { position, parts: Some(Rc::clone(parts)) });
                }
                *cursor = Cursor { record: cursor.record + 1, part: 0, parts: None };
                continue;
            }
            let parts = match (&record.sequence_number, &record.body) {
                (Ok(_), Ok(body)) => self.source.parts(body),
                _ => None,
            };
            let Some(parts) = parts else {
                cursor.record += 1;
                return Some(Unit { position, parts: None });
            };
            progress.open[cursor.record] = self.units_in(&parts);
            cursor.parts = Some(Rc::new(parts));
        }
    }

    async fn handle_unit(
        &self,
        unit: Unit<S::Parts>,
        key: Option<KeyHash>,
        attempt: u32,
        buffers: &RefCell<Vec<Vec<u8>>>,
    ) -> Ended<S::Parts> {
        // The call itself may panic as well as the future it returns, and so may the reading of the payload.
        let handled = AssertUnwindSafe(self.read_and_handle(&unit, attempt, buffers)).catch_unwind().await;
        let mut result = handled.unwrap_or_else(|_panic| Err(RecordError::panicked()));
        let mut invalid = None;
        if let Err(error) = &result
            && error.kind() == RecordErrorKind::Invalid
        {
            invalid = Some(error.clone());
            let written = AssertUnwindSafe(self.quarantine(&unit, error)).catch_unwind().await;
            if let Some(written) = written.unwrap_or_else(|_panic| Some(Err(RecordError::panicked()))) {
                result = written;
            }
        }
        Ended { unit, key, result, invalid, attempt }
    }

    async fn read_and_handle(
        &self,
        unit: &Unit<S::Parts>,
        attempt: u32,
        buffers: &RefCell<Vec<Vec<u8>>>,
    ) -> Result<(), RecordError> {
        let record = &self.records[unit.position.record];
        // A record that cannot be named is not handled: if it failed later, nothing could be said of it.
        let Some(id) = self.id(unit) else {
            return Err(record.sequence_number.as_ref().err().cloned().unwrap_or_else(RecordError::panicked));
        };
        let body = record.body.as_ref().map_err(Clone::clone)?;
        let context = RecordContext {
            id,
            key: self.key_text(unit),
            arrival: record.arrival,
            attempt: (attempt > 1).then_some(attempt),
            deadline: self.deadline,
        };
        let Some(parts) = &unit.parts else {
            let mut buffer = buffers.borrow_mut().pop().unwrap_or_default();
            let payload = self.source.payload(body, &mut buffer)?;
            let handled = self.handler.handle(payload, context).await;
            buffers.borrow_mut().push(buffer);
            return handled;
        };
        match self.source.part_payload(parts, unit.position.part) {
            Some(payload) => self.handler.handle(payload?, context).await,
            None => self.source.left_out(parts).map_or(Ok(()), Err),
        }
    }

    fn end(
        &self,
        ended: Ended<S::Parts>,
        took: Duration,
        schedule: &mut Schedule<Unit<S::Parts>>,
        progress: &mut Progress,
    ) {
        let Ended { unit, key, result, invalid, attempt } = ended;
        if let Some(key) = key {
            schedule.release(key);
        }
        progress.latencies.record(took);
        match result {
            Err(error) => {
                schedule.failed(unit.position);
                let failed = self.failed(&unit, error, attempt);
                progress.failures.push(FailedRecord { invalid: invalid.is_some(), ..failed });
            }
            Ok(()) => {
                progress.done(&unit, invalid.is_none());
                let Some(error) = invalid else {
                    progress.handled += 1;
                    return;
                };
                let failed = self.failed(&unit, error, attempt);
                progress.failures.push(FailedRecord { invalid: true, quarantined: true, ..failed });
            }
        }
    }

    /// Writes an invalid unit to the quarantine. `None` where there is no quarantine, or where the unit cannot be named,
    /// and so not told from another.
    async fn quarantine(&self, unit: &Unit<S::Parts>, error: &RecordError) -> Option<Result<(), RecordError>> {
        let (quarantine, origin) = self.quarantine?;
        let id = self.id(unit)?;
        let record = Quarantined {
            id,
            shard: (S::ORIGIN == OriginKind::Shard && !id.origin.is_empty()).then_some(id.origin),
            key: self.key_text(unit),
            arrival: self.records[unit.position.record].arrival,
            error,
            function_arn: origin.function_arn,
            request_id: origin.request_id,
        };
        let raw = origin.record(unit.position.record)?;
        let part = unit.parts.as_ref().and_then(|parts| self.source.part_event(raw, parts, unit.position.part));
        let event = part.unwrap_or_else(|| raw.to_owned());
        Some(quarantine.take(&record, event, self.deadline).await)
    }
}

// What needs no handler.
impl<'b, 'e, S: Source, H> Batch<'b, 'e, S, H> {
    /// Keeps in memory what is done and will be delivered again.
    pub fn remember(&self, progress: &Progress, comes_again_from: usize) {
        // Two records under one number cannot be told apart, and one of them may be open: neither is remembered.
        let mut numbers = HashMap::new();
        for number in self.records.iter().filter_map(|record| record.sequence_number.as_ref().ok()) {
            *numbers.entry(number.trim_start_matches('0')).or_insert(0_u32) += 1;
        }
        let is_known = |id: &RecordId<'_>| {
            let is_one = numbers.get(id.sequence_number.trim_start_matches('0')) == Some(&1);
            is_one && !id.stream.is_empty() && !id.origin.is_empty()
        };
        let mut memory = self.memory.borrow_mut();
        for done in &progress.done {
            let comes_again = done.record >= comes_again_from;
            if !comes_again && memory.is_empty() {
                continue;
            }
            match self.id_of(done.record, done.sub_sequence_number) {
                Some(id) if !comes_again => memory.forget_failures(&id),
                Some(id) if is_known(&id) => memory.handled(&id),
                _ => {}
            }
        }
        for failure in progress.failures.iter().filter(|failure| !failure.quarantined) {
            if let Some(id) = self.id_of(failure.index, failure.sub_sequence_number) {
                memory.failed(&id);
            }
        }
    }

    fn is_remembered(&self, unit: &Unit<S::Parts>) -> bool {
        let mut memory = self.memory.borrow_mut();
        !memory.is_empty() && self.id(unit).is_some_and(|id| memory.is_handled(&id))
    }

    /// Which attempt at the unit this is, counted from 1, as far as is known.
    fn attempt(&self, unit: &Unit<S::Parts>) -> u32 {
        let mut memory = self.memory.borrow_mut();
        if memory.is_empty() {
            return 1;
        }
        self.id(unit).map_or(1, |id| memory.failures(&id).saturating_add(1))
    }

    fn id(&self, unit: &Unit<S::Parts>) -> Option<RecordId<'_>> {
        self.id_of(unit.position.record, unit.sub_sequence_number())
    }

    fn id_of(&self, record: usize, sub_sequence_number: Option<u32>) -> Option<RecordId<'_>> {
        let record = &self.records[record];
        let sequence_number = record.sequence_number.as_ref().ok()?;
        Some(RecordId { stream: &record.stream, origin: &record.origin, sequence_number, sub_sequence_number })
    }

    fn key_text<'k>(&'k self, unit: &'k Unit<S::Parts>) -> &'k str {
        let part = unit.parts.as_ref().and_then(|parts| self.source.part_key(parts, unit.position.part));
        part.unwrap_or(&self.records[unit.position.record].key)
    }

    fn key(&self, unit: &Unit<S::Parts>) -> KeyHash {
        let mut hasher = DefaultHasher::new();
        self.source.canonical_key(self.key_text(unit)).hash(&mut hasher);
        hasher.finish()
    }

    /// A part each, and one for what could not be taken apart.
    fn units_in(&self, parts: &S::Parts) -> usize {
        self.source.part_count(parts) + usize::from(self.source.left_out(parts).is_some())
    }

    /// A record that comes again.
    fn failed(&self, unit: &Unit<S::Parts>, error: RecordError, attempt: u32) -> FailedRecord {
        let record = &self.records[unit.position.record];
        FailedRecord {
            index: unit.position.record,
            stream: record.stream.clone().into_owned(),
            origin: record.origin.clone().into_owned(),
            origin_kind: S::ORIGIN,
            sequence_number: record.sequence_number.as_ref().ok().map(|number| number.clone().into_owned()),
            sub_sequence_number: unit.sub_sequence_number(),
            attempt,
            error,
            invalid: false,
            quarantined: false,
        }
    }
}

/// A place on the heap for one future after the other.
struct Slot<F>(Pin<Box<Option<F>>>);

impl<F> Default for Slot<F> {
    fn default() -> Self {
        Self(Box::pin(None))
    }
}

impl<F> Slot<F> {
    fn put(&mut self, future: F) {
        self.0.set(Some(future));
    }
}

impl<F: Future> Future for Slot<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.0.as_mut().as_pin_mut() {
            Some(future) => future.poll(context),
            // Nothing is polled before it is put in.
            None => Poll::Pending,
        }
    }
}
