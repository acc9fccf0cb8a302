//! The whole pipeline, once with each way of giving up.

use pipeline::{Books, KinesisPayload, Outcome, Report, Stack, StackConfig, Workload, run};
use scenarios::binaries;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

async fn account(workload: &Workload, config: impl FnOnce(&mut StackConfig)) -> Report {
    let mut stack_config = StackConfig::new(binaries().await.unwrap());
    config(&mut stack_config);
    let stack = Stack::start(stack_config).await.unwrap();
    let books = Arc::new(Books::default());
    let outcome = run(&stack, workload, &books, &CancellationToken::new()).await;
    stack.shutdown().await;
    assert_eq!(outcome.unwrap(), Outcome::Closed);
    books.report(Duration::ZERO)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_bisect_only_the_poison_goes_to_the_destination() {
    let report = account(&Workload::generate(2_000, 1), |_| {}).await;
    assert!(report.holds(), "{report:#?}");
    assert_eq!((report.kinesis.handled, report.kinesis.recovered, report.kinesis.duplicates), (1_992, 8, 0));
    assert_eq!((report.dynamodb.handled, report.dynamodb.recovered), (198, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bisect_the_rest_of_the_batch_goes_with_the_poison_and_comes_back() {
    let report = account(&Workload::generate(2_000, 1), |config| config.bisect = false).await;
    assert!(report.holds(), "{report:#?}");
    assert!(report.kinesis.recovered > 8, "{report:#?}");
    assert_eq!(report.kinesis.identical, report.kinesis.recovered);
    assert_eq!(report.kinesis.handled + report.kinesis.recovered, 2_000);
    assert_eq!(report.kinesis.duplicates, 0, "what was handled before the poison is not in the range");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_come_back_as_they_were() {
    let data: [&[u8]; 6] = [b"", b"\0", b"\xff\xfe", b"\r", "\u{1f980}".as_bytes(), &[b'x'; 150_000]];
    let payload = |data: &[u8]| KinesisPayload { partition_key: "same".to_owned(), data: data.to_vec(), poison: true };
    let workload = Workload { kinesis: data.into_iter().map(payload).collect(), dynamodb: Vec::new() };
    let report = account(&workload, |config| config.retries = 0).await;
    assert!(report.holds(), "{report:#?}");
    assert_eq!((report.kinesis.recovered, report.kinesis.identical, report.kinesis.lost), (6, 6, 0));
}
