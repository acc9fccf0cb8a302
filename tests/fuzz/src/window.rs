//! Any bytes as an event of a tumbling window: the window's state beside the one that is added up in order.

use crate::event::{Expected, Named, block_on, invocation, read_both_ways};
use crate::verdict::{Told, Verdict};
use partial_batch::{
    BatchError, Contribute, DynamoDb, Kinesis, RecordContext, RecordError, Source, TumblingWindow, Window,
    WindowEngine, WindowResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;

/// An event of a tumbling window, from either source.
pub fn window_event(event: &[u8]) {
    check(event, Kinesis::raw);
    check(event, DynamoDb::<Value>::new);
}

/// The state of a window: everything that was added, in its order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Chain {
    #[serde(default)]
    units: u64,
    #[serde(default)]
    hash: u64,
    /// What else the event had in the state.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Chain {
    fn add(&mut self, bytes: &[u8]) {
        self.units = self.units.wrapping_add(1);
        self.hash = bytes.iter().fold(self.hash, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    }
}

/// Adds the bytes of payloads, and keeps what it was closed with.
#[derive(Clone, Default)]
struct Chained {
    closed: Rc<RefCell<Vec<(Chain, Window)>>>,
}

impl TumblingWindow for Chained {
    type State = Chain;
    type Contribution = Vec<u8>;

    fn add(&self, state: &mut Chain, contribution: Vec<u8>) {
        state.add(&contribution);
    }

    async fn close(&self, state: &Chain, window: &Window) -> Result<(), RecordError> {
        self.closed.borrow_mut().push((state.clone(), window.clone()));
        Verdict::of(window.end.as_bytes()).come_true().await
    }
}

impl<P: Told> Contribute<P> for Chained {
    async fn contribution(&self, payload: P, _context: RecordContext<'_>) -> Result<Vec<u8>, RecordError> {
        let bytes = payload.bytes().into_owned();
        Verdict::of(&bytes).come_true().await?;
        Ok(bytes)
    }
}

impl Named for WindowResponse {
    fn names(&self) -> Vec<&str> {
        self.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }
}

fn check<S: Source>(event: &[u8], source: impl Fn() -> S)
where
    for<'e> S::Body<'e>: PartialEq + Debug,
    for<'p> S::Payload<'p>: Told,
{
    let window = Chained::default();
    let engine = WindowEngine::new(source(), window.clone());
    let report = block_on(engine.process(event, &invocation()));
    let closed = window.closed.borrow();
    let source = source();
    let Some(records) = read_both_ways(event, &source) else {
        assert!(matches!(report.response, Err(BatchError::Event(_))), "{:?}", report.response);
        assert!(closed.is_empty());
        return;
    };
    let Some((before, is_over)) = state_before(event) else {
        assert!(matches!(report.response, Err(BatchError::NoWindow { .. } | BatchError::State { .. })));
        assert!(report.records == 0 && closed.is_empty());
        return;
    };
    let expected = Expected::of(&records, &source);
    let mut state = before;
    expected.handled.iter().for_each(|bytes| state.add(bytes));
    let is_closed = is_over && expected.open.is_none();
    assert_eq!(
        closed.iter().map(|(state, _)| state).collect::<Vec<_>>(),
        if is_closed { vec![&state] } else { vec![] }
    );
    if let Err(BatchError::Close(_)) = report.response {
        assert!(is_closed && !matches!(Verdict::of(closed[0].1.end.as_bytes()), Verdict::Handled { .. }));
        return;
    }
    expected.check(event, &records, &report);
    if let Ok(response) = &report.response {
        assert_eq!(response.state.get(), serde_json::to_string(&state).expect("a state is JSON"));
        // Lambda hands it back.
        let next = format!(r#"{{"Records":[],"window":{{"start":"","end":""}},"state":{}}}"#, response.state);
        let report = block_on(engine.process(next.as_bytes(), &invocation()));
        assert!(report.response.is_ok(), "the state cannot be read back: {next}: {:?}", report.response);
    }
}

/// The state that the event begins with, and whether the window is over; `None` when the event is none of a window.
fn state_before(event: &[u8]) -> Option<(Chain, bool)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fields {
        #[serde(rename = "window")]
        _window: Bounds,
        #[serde(default)]
        state: Option<Box<serde_json::value::RawValue>>,
        #[serde(default)]
        is_final_invoke_for_window: bool,
        #[serde(default)]
        is_window_terminated_early: bool,
        #[serde(default, rename = "shardId")]
        _shard_id: Option<String>,
    }
    #[derive(Deserialize)]
    struct Bounds {
        #[serde(rename = "start")]
        _start: String,
        #[serde(rename = "end")]
        _end: String,
    }
    let fields: Fields = serde_json::from_slice(event).ok()?;
    let state = match fields.state.as_ref().map(|state| state.get()) {
        None | Some("null" | "{}") => Chain::default(),
        Some(state) => serde_json::from_str(state).ok()?,
    };
    Some((state, fields.is_final_invoke_for_window || fields.is_window_terminated_early))
}
