//! `streamctl demo`: the main job, on this machine.

use crate::console::{print, tell};
use crate::function_logs::FunctionLogs;
use crate::page;
use crate::progress::Progress;
use crate::table::table;
use anyhow::Context;
use clap::{Args, ValueEnum};
use pipeline::{Binaries, Books, Outcome, Recorder, Report, SourceReport, Stack, StackConfig, Workload};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use timeline::Timeline;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: u8 = 130;

/// Puts orders into a Kinesis stream and a DynamoDB table on loopback, runs the three functions behind a model of
/// Lambda's event source mapping, and says what became of each record.
#[derive(Debug, Args)]
pub struct Options {
    /// Orders on Kinesis, up to 10,000,000; a tenth as many are written to DynamoDB.
    #[arg(long, value_name = "N", default_value_t = 20_000, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    records: u32,
    /// Seed of the orders: the same seed makes the same orders.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// Shards of the Kinesis stream, 1 to 100.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=100))]
    shards: u16,
    /// BatchSize of both mappings, 1 to 10,000.
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..=10_000))]
    batch_size: i64,
    /// MaximumRetryAttempts of both mappings, 0 to 10,000.
    #[arg(long, value_name = "N", default_value_t = 2, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i64).range(0..=10_000))]
    retries: i64,
    /// BisectBatchOnFunctionError of both mappings.
    #[arg(long, value_enum, default_value_t = Switch::On)]
    bisect: Switch,
    /// Put each line of a file on Kinesis, whatever its bytes, and nothing else anywhere.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["records", "seed"])]
    input: Option<PathBuf>,
    /// Write what the functions log to a file.
    #[arg(long, value_name = "FILE")]
    function_logs: Option<PathBuf>,
    /// Write a page that shows the run to a file; for up to 200,000 records.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print the final report as one JSON object, and nothing else, on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// What a page shows, in records of both sources: the recorder holds each of them in memory.
const REPORT_RECORDS_MAX: usize = 200_000;

/// Runs the demo. The exit status is 1 if one record is unaccounted for or differs.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let workload = match &options.input {
        Some(file) => Workload::from_file(file)?,
        None => Workload::generate(options.records as usize, options.seed),
    };
    let records = workload.kinesis.len() + workload.dynamodb.len();
    anyhow::ensure!(
        options.report.is_none() || records <= REPORT_RECORDS_MAX,
        "--report shows up to {REPORT_RECORDS_MAX} records, got {records}"
    );
    // Up to here there is nothing to clean up, so a signal may end the process as it ends any other.
    let cancel = cancelled_by_signals()?;
    let progress = Progress::new(&workload);
    let logs = FunctionLogs::new(options.function_logs.as_deref(), progress.clone())?;
    let Some(report) = account(&options, &workload, &progress, &logs, &cancel).await.transpose() else {
        progress.leave();
        tell("interrupted: everything is stopped, nothing was accounted for");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    progress.finish();
    let report = report?;
    if options.json {
        print(report.json())?;
    } else {
        print(format_args!("{}\n\n{}", table(&report), report.sentence()))?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The report, or `None` if the run was cancelled. Whatever was started is stopped when this returns.
async fn account(
    options: &Options,
    workload: &Workload,
    progress: &Progress,
    logs: &FunctionLogs,
    cancel: &CancellationToken,
) -> anyhow::Result<Option<Report>> {
    let stack = tokio::select! {
        stack = start(options, progress, logs) => stack?,
        () = cancel.cancelled() => return Ok(None),
    };
    let books = Arc::new(match options.report {
        Some(_) => Books::with_recorder(Recorder::start()),
        None => Books::default(),
    });
    let started = Instant::now();
    let outcome = {
        let _watching = progress.watch(Arc::clone(&books));
        pipeline::run(&stack, workload, &books, cancel).await
    };
    let duration = started.elapsed();
    stack.shutdown().await;
    match outcome? {
        Outcome::Cancelled => return Ok(None),
        Outcome::Stalled => progress.say("nothing moves any more: closing the books"),
        Outcome::Closed => {}
    }
    let report = books.report(duration);
    if let (Some(file), Some(timeline)) = (&options.report, books.timeline()) {
        page::write(file, &titled(timeline, &report))?;
    }
    Ok(Some(report))
}

/// The timeline with what the account says.
fn titled(timeline: Timeline, report: &Report) -> Timeline {
    let sum = |number: fn(&SourceReport) -> u64| (number(&report.kinesis) + number(&report.dynamodb)).to_string();
    let facts = [
        ("produced", sum(|source| source.produced)),
        ("handled", sum(|source| source.handled)),
        ("dead-lettered", sum(|source| source.dead_lettered)),
        ("recovered", sum(|source| source.recovered)),
        ("lost", sum(|source| source.lost)),
        ("invocations", sum(|source| source.invocations)),
        ("seconds", format!("{:.1}", report.seconds)),
    ];
    let facts = facts.map(|(label, value)| (label.to_owned(), value)).into();
    Timeline { title: "demo".to_owned(), subtitle: report.sentence(), facts, ..timeline }
}

async fn start(options: &Options, progress: &Progress, logs: &FunctionLogs) -> anyhow::Result<Stack> {
    progress.say("building the functions (release)");
    let binaries = Binaries::build().await?;
    progress.say("starting Kinesis, DynamoDB and SQS on loopback");
    let config = StackConfig {
        shards: options.shards,
        batch_size: options.batch_size,
        retries: options.retries,
        bisect: options.bisect == Switch::On,
        seed: options.seed,
        log: logs.log(),
        ..StackConfig::new(binaries)
    };
    Stack::start(config).await.context("failed to start the local stack")
}

/// A token that Ctrl-C and SIGTERM cancel. A second one ends the process at once.
fn cancelled_by_signals() -> anyhow::Result<CancellationToken> {
    let mut interrupts = signal(SignalKind::interrupt()).context("failed to listen for Ctrl-C")?;
    let mut terminations = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! { _ = interrupts.recv() => {}, _ = terminations.recv() => {} }
        };
        next().await;
        cancelled.cancel();
        next().await;
        std::process::exit(i32::from(INTERRUPTED));
    });
    Ok(cancel)
}
