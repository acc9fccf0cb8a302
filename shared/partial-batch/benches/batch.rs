//! Prints what the crate's docs claim, as ratios to the plain loop: `cargo bench -p partial-batch`.
//!
//! The plain loop is what a first version of a processor does: serde_json reads the event into owned types, and each
//! payload into an owned order. Both sides handle each record by the same rule. With an argument only the side of that
//! name runs, ten times: for a profiler that counts instructions.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for the person who runs it")]

use partial_batch::{
    Config, Deadline, Engine, InvocationContext, Kinesis, Payload, RecordContext, RecordError, Source, Text, testkit,
};
use serde::Deserialize;
use serde_json::json;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// About what fits into the 6 MB of an invocation.
const RECORDS: usize = 6_500;

const RUNS: usize = 40;

#[derive(Deserialize)]
struct Order<'p> {
    #[serde(borrow)]
    order_id: Text<'p>,
    amount: f64,
    #[serde(borrow)]
    items: Vec<Item<'p>>,
}

#[derive(Deserialize)]
struct Item<'p> {
    #[serde(borrow)]
    sku: Text<'p>,
    qty: u32,
}

enum Orders {}

impl Payload for Orders {
    type Of<'p> = Order<'p>;
}

async fn handle(order: Order<'_>, _context: RecordContext<'_>) -> Result<(), RecordError> {
    let is_good = !order.order_id.is_empty() && order.amount > 0.0 && order.items.iter().all(|item| item.qty > 0);
    black_box(order.items.iter().map(|item| item.sku.len()).sum::<usize>());
    if is_good { Ok(()) } else { Err(RecordError::invalid("the order breaks a rule")) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PlainEvent {
    records: Vec<PlainRecord>,
}

#[derive(Deserialize)]
struct PlainRecord {
    kinesis: PlainKinesis,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainKinesis {
    sequence_number: String,
    data: String,
}

#[derive(Deserialize)]
struct PlainOrder {
    order_id: String,
    amount: f64,
    items: Vec<PlainItem>,
}

#[derive(Deserialize)]
struct PlainItem {
    sku: String,
    qty: u32,
}

fn plain_loop(event: &[u8]) -> Option<String> {
    let event: PlainEvent = serde_json::from_slice(event).unwrap();
    event.records.into_iter().find_map(|record| {
        let data = base64_simd::STANDARD.decode_to_vec(&record.kinesis.data).ok();
        let order = data.and_then(|data| serde_json::from_slice::<PlainOrder>(&data).ok());
        let is_good = order.is_some_and(|order| {
            black_box(order.items.iter().map(|item| item.sku.len()).sum::<usize>());
            !order.order_id.is_empty() && order.amount > 0.0 && order.items.iter().all(|item| item.qty > 0)
        });
        (!is_good).then_some(record.kinesis.sequence_number)
    })
}

fn order(index: usize, amount: f64) -> String {
    let item = |n: usize| json!({"sku": format!("SKU-{:06}", index * 7 + n), "qty": n + 1, "price": 19.95 + n as f64});
    json!({
        "order_id": format!("order-{index:08}"),
        "customer_id": format!("customer-{:06}", index % 5_000),
        "amount": amount,
        "currency": "EUR",
        "created_at": "2026-01-05T10:00:00Z",
        "items": (0..index % 5).map(item).collect::<Vec<_>>(),
    })
    .to_string()
}

fn event(poison: Option<usize>) -> String {
    let amount = |index| if poison == Some(index) { -1.0 } else { 49.9 };
    testkit::kinesis_event((0..RECORDS).map(|index| (format!("customer-{index}"), order(index, amount(index)))))
}

/// The best of many runs: what the machine does when it does nothing else.
fn best(runs: usize, mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let started = Instant::now();
        run();
        started.elapsed()
    };
    (0..runs).map(time).min().unwrap()
}

fn main() {
    let only = std::env::args().nth(1).filter(|name| !name.starts_with("--"));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let runs = if only.is_some() { 10 } else { RUNS };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (good, poisoned) = (event(None), event(Some(RECORDS / 2)));
    println!("{RECORDS} records, {:.1} MB", good.len() as f64 / 1e6);

    let plain = wanted("plain").then(|| best(runs, || assert_eq!(plain_loop(good.as_bytes()), None)));
    let read = Kinesis::json::<Orders>();
    let read = wanted("read").then(|| best(runs, || assert!(black_box(read.read_event(good.as_bytes())).is_some())));
    let engine_time = |name: &str, concurrency: usize, event: &str, named: usize| {
        let config = Config { concurrency: NonZeroUsize::new(concurrency).unwrap(), ..Config::default() };
        let engine = Engine::new(Kinesis::json::<Orders>(), handle, &config);
        let run = || {
            let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO);
            let report = runtime.block_on(engine.process(event.as_bytes(), &InvocationContext::until(deadline)));
            assert_eq!(report.response.unwrap().batch_item_failures.len(), named);
        };
        wanted(name).then(|| best(runs, run))
    };
    let times = [
        ("plain loop, owned types", plain),
        ("engine, one at a time", engine_time("engine", 1, &good, 0)),
        ("engine, 8 at once", engine_time("concurrent", 8, &good, 0)),
        ("engine, poison in the middle", engine_time("poison", 8, &poisoned, 1)),
        ("of it, reading the event", read),
    ];
    for (what, time) in times {
        let Some(time) = time else { continue };
        let ratio = plain.map_or(f64::NAN, |plain| time.as_secs_f64() / plain.as_secs_f64());
        println!("{what:30} {:8.2} ms   {ratio:5.2} of the plain loop", time.as_secs_f64() * 1e3);
    }
}
