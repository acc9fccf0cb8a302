//! Runs worlds until a million records were produced, or those that are asked for.
//!
//!     cargo test -p proof --test worlds                       a million records
//!     cargo test -p proof --test worlds -- --seeds 10000      the worlds of the seeds 0 to 9999
//!     cargo test -p proof --test worlds -- --seed 1234        one world
//!     cargo test -p proof --test worlds -- --records 50000    until so many records were produced

#![expect(clippy::print_stdout, reason = "it takes the place of libtest's main, which prints")]

use proof::{Asked, Outcome, Plan, Totals, run_told};
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// The one test of this binary, as libtest would name it.
const NAME: &str = "every_record_ends_and_every_loss_has_a_reason";

/// Failing seeds after which no more are looked for.
const FAILURES_MAX: usize = 5;

fn main() -> ExitCode {
    let asked = match Asked::from_arguments(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(problem) => {
            println!("{problem}");
            return ExitCode::from(2);
        }
    };
    if asked.lists {
        if !asked.only_ignored && asked.selects(NAME) {
            println!("{NAME}: test");
        }
        return ExitCode::SUCCESS;
    }
    if asked.only_ignored || !asked.selects(NAME) {
        println!("\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out");
        return ExitCode::SUCCESS;
    }
    println!("\nrunning 1 test");
    let failed = worlds(&asked);
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("test {NAME} ... {result}\n");
    println!("test result: {result}. {} passed; {} failed; 0 ignored; 0 measured", 1 - failed.min(1), failed.min(1));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the worlds on all cores, and returns how many failed.
fn worlds(asked: &Asked) -> usize {
    let began = Instant::now();
    let (next, produced, stop) = (AtomicU64::new(asked.first), AtomicU64::new(0), AtomicBool::new(false));
    let totals = Mutex::new(Totals::default());
    let failures = Mutex::new(0);
    let work = || {
        while !stop.load(Relaxed) {
            let seed = next.fetch_add(1, Relaxed);
            if asked.end.is_some_and(|end| seed >= end)
                || asked.records.is_some_and(|most| produced.load(Relaxed) >= most)
            {
                break;
            }
            if asked.is_verbose {
                println!("{:#?}", Plan::new(seed, asked.world_records));
            }
            let world_began = Instant::now();
            let outcome = world(seed, asked);
            outcome.story.iter().for_each(|line| println!("{line}"));
            produced.fetch_add(outcome.totals.produced, Relaxed);
            totals.lock().expect("no thread panics with it").add(&outcome.totals);
            if asked.is_verbose {
                let (took, totals) = (world_began.elapsed(), outcome.totals);
                println!(
                    "seed {seed}: {took:?}, {} virtual s, trace {:x}, {totals:?}",
                    outcome.lasted_ms / 1_000,
                    outcome.trace
                );
            }
            if !outcome.complaints.is_empty() {
                let mut failures = failures.lock().expect("no thread panics with it");
                *failures += 1;
                report(seed, asked.world_records, &outcome);
                stop.store(*failures >= FAILURES_MAX, Relaxed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (took, totals) = (began.elapsed().as_secs_f64(), totals.into_inner().expect("no thread panics with it"));
    println!(
        "{} worlds in {took:.1} s, {:.0} records a second",
        next.load(Relaxed) - asked.first,
        totals.produced as f64 / took
    );
    println!("{totals:#?}");
    failures.into_inner().expect("no thread panics with it")
}

/// One world. A panic in it is what is wrong with it.
fn world(seed: u64, asked: &Asked) -> Outcome {
    catch_unwind(|| run_told(Plan::new(seed, asked.world_records), None, asked.is_told)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let complaint = format!("it panics: {}", text.unwrap_or("without a word"));
        Outcome { complaints: vec![complaint], totals: Totals::default(), trace: 0, lasted_ms: 0, story: Vec::new() }
    })
}

/// One line to run the world again, and what is wrong with it.
fn report(seed: u64, records: Option<usize>, outcome: &Outcome) {
    let records = records.map_or(String::new(), |records| format!(" --world-records {records}"));
    println!("cargo test -p proof --test worlds -- --seed {seed}{records}");
    outcome.complaints.iter().for_each(|complaint| println!("    {complaint}"));
}
