//! Random batches against the plain loop: whatever fails, waits or cannot be read, the promises hold.

use crate::{Config, Deadline, Engine, InvocationContext, Kinesis, RecordContext, RecordError, testkit};
use proptest::prelude::*;
use records::kpl::{SubRecord, aggregate};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::time::Duration;

/// What becomes of a unit each time that it is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Handled,
    Fails,
    Panics,
    /// It fails that often, and is handled then.
    FailsTimes(u8),
    /// It takes longer than an invocation.
    Hangs,
}

/// A unit as the producer put it.
#[derive(Debug, Clone, Copy)]
struct Unit {
    key: u8,
    fate: Fate,
    seconds: u8,
}

#[derive(Debug, Clone)]
enum Entry {
    Plain(Unit),
    Packed(Vec<Unit>),
    /// A record that cannot be handled, for its data is missing.
    WithoutData,
    /// A record that cannot be named.
    WithoutNumber,
}

#[derive(Debug, Clone)]
struct Script {
    entries: Vec<Entry>,
    concurrency: usize,
    skip_handled: bool,
}

fn unit() -> impl Strategy<Value = Unit> {
    let fate = prop_oneof![
        12 => Just(Fate::Handled),
        1 => Just(Fate::Fails),
        1 => Just(Fate::Panics),
        2 => (1..3_u8).prop_map(Fate::FailsTimes),
        1 => Just(Fate::Hangs),
    ];
    (0..4_u8, fate, 0..4_u8).prop_map(|(key, fate, seconds)| Unit { key, fate, seconds })
}

fn script() -> impl Strategy<Value = Script> {
    let entry = prop_oneof![
        12 => unit().prop_map(Entry::Plain),
        3 => prop::collection::vec(unit(), 0..4).prop_map(Entry::Packed),
        1 => Just(Entry::WithoutData),
        1 => Just(Entry::WithoutNumber),
    ];
    (prop::collection::vec(entry, 0..14), 1..5_usize, any::<bool>())
        .prop_map(|(entries, concurrency, skip_handled)| Script { entries, concurrency, skip_handled })
}

/// A unit is named by the index of its record, counted from 1, and the part of it.
type Name = (usize, Option<u32>);

impl Script {
    fn record(&self, number: usize) -> Value {
        let record = |key: &str, data: &[u8]| testkit::kinesis_record(&number.to_string(), key, data);
        match &self.entries[number - 1] {
            Entry::Plain(unit) => record(&unit.key.to_string(), b"{}"),
            Entry::Packed(units) => {
                let keys: Vec<String> = units.iter().map(|unit| unit.key.to_string()).collect();
                let part = |key| SubRecord { partition_key: key, explicit_hash_key: None, data: b"" };
                let packed = aggregate(&keys.iter().map(|key| part(key.as_str())).collect::<Vec<_>>());
                record("outer", &packed)
            }
            Entry::WithoutData => {
                let mut record = record("x", b"");
                record["kinesis"].as_object_mut().unwrap().remove("data");
                record
            }
            Entry::WithoutNumber => {
                let mut record = record("x", b"{}");
                record["kinesis"]["sequenceNumber"] = Value::Null;
                record
            }
        }
    }

    fn units(&self, number: usize) -> Vec<(Name, Unit)> {
        match &self.entries[number - 1] {
            Entry::Plain(unit) => vec![((number, None), *unit)],
            Entry::Packed(units) if units.is_empty() => {
                // What holds no message is no aggregate, and is handed through under its outer key.
                vec![((number, None), Unit { key: 255, fate: Fate::Handled, seconds: 0 })]
            }
            Entry::Packed(units) => (0..).zip(units).map(|(part, unit)| ((number, Some(part)), *unit)).collect(),
            Entry::WithoutData | Entry::WithoutNumber => Vec::new(),
        }
    }

    fn unit(&self, name: Name) -> Unit {
        let units = self.units(name.0);
        units.into_iter().find(|(known, _)| *known == name).map(|(_, unit)| unit).unwrap()
    }

    fn is_broken(&self, number: usize) -> bool {
        matches!(self.entries[number - 1], Entry::WithoutData | Entry::WithoutNumber)
    }
}

/// What was seen of one environment, over all deliveries.
#[derive(Default)]
struct Witness {
    tries: RefCell<HashMap<Name, u8>>,
    handled: RefCell<HashSet<Name>>,
    running: RefCell<Vec<Name>>,
    /// The lowest failure of this delivery.
    lowest_failure: Cell<Option<Name>>,
    complaints: RefCell<Vec<String>>,
}

impl Witness {
    fn complain(&self, complaint: String) {
        self.complaints.borrow_mut().push(complaint);
    }

    fn starts(&self, script: &Script, name: Name) {
        let unit = script.unit(name);
        let running = self.running.borrow();
        if running.len() >= script.concurrency {
            self.complain(format!("{name:?} runs beside {running:?}"));
        }
        if running.iter().any(|other| script.unit(*other).key == unit.key) {
            self.complain(format!("{name:?} runs beside another of its key: {running:?}"));
        }
        if self.lowest_failure.get().is_some_and(|lowest| name > lowest) {
            self.complain(format!("{name:?} is started behind the failure {:?}", self.lowest_failure.get()));
        }
        if script.skip_handled && self.handled.borrow().contains(&name) {
            self.complain(format!("{name:?} is handled twice"));
        }
    }

    fn fails(&self, name: Name) {
        self.lowest_failure.set(Some(self.lowest_failure.get().map_or(name, |lowest| lowest.min(name))));
    }
}

/// A unit that runs, until it ends or is cancelled.
struct Runs<'w>(&'w Witness, Name);

impl<'w> Runs<'w> {
    fn start(witness: &'w Witness, script: &Script, name: Name) -> Self {
        witness.starts(script, name);
        witness.running.borrow_mut().push(name);
        Self(witness, name)
    }
}

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        self.0.running.borrow_mut().retain(|name| *name != self.1);
    }
}

async fn handle(script: &Script, witness: &Witness, name: Name) -> Result<(), RecordError> {
    let unit = script.unit(name);
    let runs = Runs::start(witness, script, name);
    if unit.seconds > 0 {
        tokio::time::sleep(Duration::from_secs(unit.seconds.into())).await;
    }
    let tries = *witness.tries.borrow_mut().entry(name).and_modify(|tries| *tries += 1).or_insert(1);
    let fails = match unit.fate {
        Fate::Handled => false,
        Fate::Fails | Fate::Panics => true,
        Fate::FailsTimes(times) => tries <= times,
        Fate::Hangs => std::future::pending().await,
    };
    drop(runs);
    if fails {
        witness.fails(name);
        assert!(unit.fate != Fate::Panics, "a bug in a handler");
        return Err(RecordError::retryable("not yet"));
    }
    witness.handled.borrow_mut().insert(name);
    Ok(())
}

/// Delivers what is left from the checkpoint on, again and again, as a mapping does.
async fn deliver(script: &Script) -> Vec<String> {
    let witness = Witness::default();
    let handler = async |_: &[u8], context: RecordContext<'_>| {
        let number = context.sequence_number().parse().unwrap();
        handle(script, &witness, (number, context.id().sub_sequence_number)).await
    };
    let concurrency = NonZeroUsize::new(script.concurrency).unwrap();
    let config = Config { concurrency, skip_handled: script.skip_handled, ..Config::default() };
    let engine = Engine::new(Kinesis::raw(), handler, &config);
    let count = script.entries.len();
    let mut from = 1;
    for _ in 0..6 {
        let event = testkit::event((from..=count).map(|number| script.record(number)).collect());
        witness.lowest_failure.set(None);
        let deadline = Deadline::after(Duration::from_secs(30), Duration::ZERO);
        let report = engine.process(event.as_bytes(), &InvocationContext::until(deadline)).await;
        let next = match &report.response {
            Err(_) => from,
            Ok(response) => match response.batch_item_failures.first() {
                None => count + 1,
                Some(failure) => failure.item_identifier.as_str().parse().unwrap(),
            },
        };
        if report.failures.is_empty() && !deadline.is_reached() && next <= count {
            witness.complain(format!("nothing failed, and {next} is left all the same"));
        }
        if next < from || (next > count && report.response.as_ref().is_ok_and(|r| !r.batch_item_failures.is_empty())) {
            witness.complain(format!("{next} is no position of the batch"));
        }
        for number in from..next.min(count + 1) {
            let is_handled = |name: &Name| witness.handled.borrow().contains(name);
            if script.is_broken(number) || !script.units(number).iter().all(|(name, _)| is_handled(name)) {
                witness.complain(format!("the checkpoint passes {number}, which is not handled"));
            }
        }
        // Without a handler in the way, the lowest open position is the checkpoint, and no one before it.
        if script.concurrency == 1 && report.response.is_ok() {
            let plain = plain_loop(script, &witness, from);
            if plain.is_some_and(|plain| plain != next) {
                witness.complain(format!("the plain loop stops at {plain:?}, the engine at {next}"));
            }
        }
        from = next;
    }
    witness.complaints.into_inner()
}

/// Where a loop without anything clever stops: at the first record that is not all handled by now.
fn plain_loop(script: &Script, witness: &Witness, from: usize) -> Option<usize> {
    let handled = witness.handled.borrow();
    let is_open = |number: &usize| {
        script.is_broken(*number) || !script.units(*number).iter().all(|(name, _)| handled.contains(name))
    };
    let open = (from..=script.entries.len()).find(is_open);
    match open {
        None => Some(script.entries.len() + 1),
        Some(open) if matches!(script.entries[open - 1], Entry::WithoutNumber) => (open > from).then(|| open - 1),
        Some(open) => Some(open),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_order_holds_nothing_is_lost_and_nothing_is_hidden(script in script()) {
        // Panics are part of the script.
        std::panic::set_hook(Box::new(|_| {}));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let complaints = runtime.block_on(deliver(&script));
        prop_assert!(complaints.is_empty(), "{complaints:#?}");
    }
}
