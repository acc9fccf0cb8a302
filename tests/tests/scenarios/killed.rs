//! A process killed in mid-invocation: the mapping retries, and the account still closes.

use lambda_host::{EnvironmentState, Function};
use pipeline::{Books, Outcome, Report, Stack, StackConfig, Workload, run};
use rustix::process::{Pid, Signal, kill_process};
use scenarios::binaries;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Kills one environment while it works on an invocation, and returns once it is dead.
///
/// The process is stopped first: if the invocation is still under way then, it stays so until the kill.
async fn kill_in_mid_invocation(function: &Function) {
    // A test that cannot catch an invocation within this has nothing to say.
    let given_up = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        assert!(tokio::time::Instant::now() < given_up, "no invocation of `{}` was met", function.config().name);
        tokio::time::sleep(Duration::from_micros(200)).await;
        let Some(seen) = function.running().into_iter().next() else { continue };
        let pid = Pid::from_raw(i32::try_from(seen.pid).unwrap()).unwrap();
        // A process that was killed a moment ago may still be listed.
        if kill_process(pid, Signal::STOP).is_err() {
            continue;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        let still_running = function.running().iter().any(|now| {
            let same = matches!((&now.state, &seen.state), (
                EnvironmentState::Running { request_id: now },
                EnvironmentState::Running { request_id: then },
            ) if now == then);
            now.pid == seen.pid && same
        });
        if still_running {
            kill_process(pid, Signal::KILL).unwrap();
            return;
        }
        let _ = kill_process(pid, Signal::CONT);
    }
}

async fn account(workload: &Workload, config: impl FnOnce(&mut StackConfig), kill: impl AsyncFn(&Stack)) -> Report {
    let mut stack_config = StackConfig::new(binaries().await.unwrap());
    config(&mut stack_config);
    let stack = Stack::start(stack_config).await.unwrap();
    let books = Arc::new(Books::default());
    let cancel = CancellationToken::new();
    let (outcome, ()) = tokio::join!(run(&stack, workload, &books, &cancel), kill(&stack));
    stack.shutdown().await;
    assert_eq!(outcome.unwrap(), Outcome::Closed);
    books.report(Duration::ZERO)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_killed_in_mid_invocation_loses_nothing() {
    let workload = Workload::generate(20_000, 3);
    // Large batches take long enough to be met.
    let config = |config: &mut StackConfig| (config.batch_size, config.retries) = (5_000, 4);
    let report = account(&workload, config, async |stack| {
        for _ in 0..3 {
            kill_in_mid_invocation(&stack.functions.kinesis_processor).await;
        }
        kill_in_mid_invocation(&stack.functions.dynamodb_processor).await;
    })
    .await;
    assert!(report.holds(), "{report:#?}");
    assert_eq!((report.kinesis.lost, report.dynamodb.lost), (0, 0));
    assert_eq!(report.kinesis.handled + report.kinesis.recovered, 20_000);
    assert!(report.kinesis.recovered >= 80, "the poison is back: {report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hydrator_killed_in_mid_invocation_loses_nothing() {
    let workload = Workload::generate(5_000, 4);
    let config = |config: &mut StackConfig| config.function_timeout = Duration::from_secs(2);
    let report = account(&workload, config, async |stack| {
        for _ in 0..2 {
            kill_in_mid_invocation(&stack.functions.dlq_hydrator).await;
        }
    })
    .await;
    assert!(report.holds(), "{report:#?}");
    assert_eq!((report.kinesis.recovered, report.kinesis.identical), (20, 20));
    assert_eq!(report.waiting_messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_never_starts_sends_everything_to_the_hydrator() {
    let workload = Workload { kinesis: Workload::generate(200, 5).kinesis, dynamodb: Vec::new() };
    let config = |config: &mut StackConfig| {
        config.binaries.kinesis_processor = "/bin/false".into();
        (config.retries, config.bisect) = (1, false);
    };
    let report = account(&workload, config, async |_| {}).await;
    assert!(report.holds(), "{report:#?}");
    assert_eq!((report.kinesis.handled, report.kinesis.recovered, report.kinesis.identical), (0, 200, 200));
}
