//! Tumbling windows: records add to a state that travels in the event and in the response.
//!
//! Lambda hands the state of the window to each invocation and takes the next one back. What a record contributes is
//! read first, which may fail, and added afterwards, which may not: so a record that fails leaves the state as it was,
//! and the state in a partial batch response holds the records before its checkpoint and no others.
//!
//! Records are read one at a time, and nothing is remembered between invocations: what is in the state is for the state
//! alone to say.

use crate::batch::Batch;
use crate::engine::{InvocationContext, report};
use crate::event::read;
use crate::quarantine::{EventOrigin, Quarantine};
use crate::{BatchError, BatchReport, BatchResponse, Handler, ItemFailure, Memory, RecordContext, RecordError, Source};
use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The bound on a state, as the documentation of tumbling windows gives it. Above it Lambda ends the window early.
pub const STATE_BYTES_MAX: usize = 1024 * 1024;

/// What Lambda takes in the response of an invocation. A larger state could never be handed back.
const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024;

/// What a window adds up.
pub trait TumblingWindow {
    /// The state: any JSON. A window begins with the default.
    type State: Serialize + DeserializeOwned + Default;
    /// What one record adds to it.
    type Contribution;

    /// Adds what a record contributes.
    fn add(&self, state: &mut Self::State, contribution: Self::Contribution);

    /// The window is over, or Lambda ends it early; this is its last state: write it where it is needed. On an error Lambda tries again, with
    /// the same records and the state that they came with.
    fn close(&self, state: &Self::State, window: &Window) -> impl Future<Output = Result<(), RecordError>>;
}

/// Reads out of one record what it adds to the window.
pub trait Contribute<P>: TumblingWindow {
    /// What `payload` adds. An error fails the record, and leaves the state as it was.
    fn contribution(
        &self,
        payload: P,
        context: RecordContext<'_>,
    ) -> impl Future<Output = Result<Self::Contribution, RecordError>>;
}

/// Which window an invocation belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// When it begins, RFC 3339.
    pub start: String,
    /// When it ends, RFC 3339; not itself part of it.
    pub end: String,
    /// The shard: each has windows of its own.
    pub shard_id: Option<String>,
    /// Whether this is the last invocation of the window.
    pub is_final: bool,
    /// Whether Lambda ends the window before its time, for its state is too large.
    pub is_terminated_early: bool,
}

/// A response with the window's state.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowResponse {
    /// The state after the records before the first failure.
    pub state: Box<RawValue>,
    /// Empty when every record was added.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// Handles the batches of a mapping with a tumbling window.
#[derive(Debug)]
pub struct WindowEngine<S, W> {
    source: S,
    window: W,
    quarantine: Option<Quarantine>,
}

impl<S, W> WindowEngine<S, W>
where
    S: Source,
    W: TumblingWindow + for<'p> Contribute<S::Payload<'p>>,
{
    /// An engine for the window.
    #[must_use]
    pub fn new(source: S, window: W) -> Self {
        Self { source, window, quarantine: None }
    }

    /// With a quarantine invalid records go there and add nothing, and the batch goes on.
    #[must_use]
    pub fn with_quarantine(self, quarantine: Option<Quarantine>) -> Self {
        Self { quarantine, ..self }
    }

    /// Adds the batch in `event` to the window's state, closes the window if this is its end, and decides the answer.
    pub async fn process(&self, event: &[u8], invocation: &InvocationContext<'_>) -> BatchReport<WindowResponse> {
        let (state, window) = match read_window::<W::State>(event) {
            Ok(read) => read,
            Err(error) => return BatchReport::refused(error),
        };
        let records = match read(event, &self.source) {
            Ok(records) => records,
            Err(error) => return BatchReport::refused(error.into()),
        };
        let origin = EventOrigin::new(event, invocation.function_arn, invocation.request_id);
        let collected = Collected { window: &self.window, contributions: RefCell::new(Vec::new()) };
        let memory = RefCell::new(Memory::new(false));
        let batch = Batch {
            records: &records,
            source: &self.source,
            handler: &collected,
            concurrency: 1,
            memory: &memory,
            quarantine: self.quarantine.as_ref().map(|quarantine| (quarantine, &origin)),
            deadline: invocation.deadline,
        };
        let progress = batch.handle().await;
        let handled: Vec<usize> = progress.handled_records().collect();
        let report = report(&batch, progress);
        // An aggregated record of which one part failed comes again whole, so none of its parts may be in the state; nor may
        // a handled record that comes again because the one behind it has no name.
        let passed = report.passed.min(report.comes_again_from);
        let contributions = handled.into_iter().zip(collected.contributions.into_inner());
        let added = contributions.filter(|(record, _)| *record < passed).map(|(_, contribution)| contribution);
        let state = self.add_all(state, added);
        self.finish(report, state, &window, invocation).await
    }

    fn add_all(
        &self,
        mut state: W::State,
        contributions: impl Iterator<Item = W::Contribution>,
    ) -> Result<W::State, BatchError> {
        let add = || contributions.for_each(|contribution| self.window.add(&mut state, contribution));
        match catch_unwind(AssertUnwindSafe(add)) {
            Ok(()) => Ok(state),
            Err(_panic) => Err(state_error("could not be added to: the adding panicked")),
        }
    }

    async fn finish(
        &self,
        mut report: BatchReport,
        state: Result<W::State, BatchError>,
        window: &Window,
        invocation: &InvocationContext<'_>,
    ) -> BatchReport<WindowResponse> {
        let response = std::mem::replace(&mut report.response, Ok(BatchResponse::default()));
        let answered = async {
            let (response, state) = (response?, state?);
            // A window with an open record is not over: its last invocation comes again with what is left. One that ends
            // before its time has a state to be written as well.
            if (window.is_final || window.is_terminated_early) && response.batch_item_failures.is_empty() {
                self.close(&state, window, invocation).await.map_err(BatchError::Close)?;
            }
            let state = written(&state)?;
            Ok(WindowResponse { state, batch_item_failures: response.batch_item_failures })
        };
        let answer = answered.await;
        report.with_response(answer)
    }

    async fn close(
        &self,
        state: &W::State,
        window: &Window,
        invocation: &InvocationContext<'_>,
    ) -> Result<(), RecordError> {
        let closed = AssertUnwindSafe(async { self.window.close(state, window).await }).catch_unwind();
        match tokio::time::timeout_at(invocation.deadline.stop_at(), closed).await {
            Ok(Ok(closed)) => closed,
            Ok(Err(_panic)) => Err(RecordError::panicked()),
            Err(_elapsed) => Err(RecordError::deadline_exceeded()),
        }
    }
}

/// Collects what the records contribute, in the order of the batch.
struct Collected<'w, W: TumblingWindow> {
    window: &'w W,
    contributions: RefCell<Vec<W::Contribution>>,
}

impl<P, W: Contribute<P>> Handler<P> for Collected<'_, W> {
    async fn handle(&self, payload: P, context: RecordContext<'_>) -> Result<(), RecordError> {
        let contribution = self.window.contribution(payload, context).await?;
        self.contributions.borrow_mut().push(contribution);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'e> {
    window: Option<Bounds>,
    #[serde(borrow)]
    state: Option<&'e RawValue>,
    shard_id: Option<String>,
    #[serde(default)]
    is_final_invoke_for_window: bool,
    #[serde(default)]
    is_window_terminated_early: bool,
}

#[derive(Deserialize)]
struct Bounds {
    start: String,
    end: String,
}

/// The window's part of an event. Its first state is `{}`, which stands for a state that nothing was added to.
fn read_window<State: DeserializeOwned + Default>(event: &[u8]) -> Result<(State, Window), BatchError> {
    // What is no batch at all is said by whoever reads the records.
    records::split_records(event)?;
    let fields: Fields<'_> = serde_json::from_slice(event).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        BatchError::NoWindow {
            reason: format!("a field of the window has another type at line {line} column {column}"),
        }
    })?;
    let Some(bounds) = fields.window else {
        return Err(BatchError::NoWindow { reason: "it has no `window`".to_owned() });
    };
    let state = match fields.state.map(RawValue::get) {
        None | Some("{}" | "null") => State::default(),
        Some(state) => serde_json::from_str(state).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            state_error(format_args!("does not fit its type: `state` line {line} column {column}"))
        })?,
    };
    let window = Window {
        start: bounds.start,
        end: bounds.end,
        shard_id: fields.shard_id,
        is_final: fields.is_final_invoke_for_window,
        is_terminated_early: fields.is_window_terminated_early,
    };
    Ok((state, window))
}

fn written<State: Serialize>(state: &State) -> Result<Box<RawValue>, BatchError> {
    let written = catch_unwind(AssertUnwindSafe(|| serde_json::value::to_raw_value(state)));
    let Ok(Ok(state)) = written else {
        return Err(state_error("could not be written as JSON"));
    };
    let bytes = state.get().len();
    if bytes >= RESPONSE_BYTES_MAX {
        return Err(state_error(format_args!(
            "has {bytes} bytes: expected at most {STATE_BYTES_MAX}, and a response holds {RESPONSE_BYTES_MAX}"
        )));
    }
    if bytes > STATE_BYTES_MAX {
        tracing::warn!(state.bytes = bytes, state.bytes_max = STATE_BYTES_MAX, "Lambda will end the window early");
    }
    Ok(state)
}

fn state_error(problem: impl std::fmt::Display) -> BatchError {
    BatchError::State { problem: problem.to_string() }
}

#[cfg(test)]
mod tests;
