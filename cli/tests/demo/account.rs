//! Whatever the settings, the account closes.

use crate::streamctl::{number, report};
use serde_json::Value;
use std::fs;
use tempfile::NamedTempFile;

/// Every record was handled or came back as it was put in, and none was lost, left over or treated twice.
#[track_caller]
fn assert_closed(report: &Value, kinesis: u64, dynamodb: u64) {
    for (source, produced) in [("kinesis", kinesis), ("dynamodb", dynamodb)] {
        let of = |name| number(report, source, name);
        assert_eq!(of("produced"), produced, "{report}");
        assert_eq!(of("handled") + of("recovered"), produced, "{report}");
        assert_eq!(of("recovered"), of("dead_lettered"), "{report}");
        assert_eq!(of("identical"), of("recovered"), "{report}");
        assert_eq!((of("lost"), of("duplicates")), (0, 0), "{report}");
        assert!(of("recovered") > 0 && of("handled") > 0, "nothing to see: {report}");
        assert!(of("invocations") > 0, "{report}");
    }
    assert_eq!(report["unaccounted"], 0, "{report}");
    assert!(report["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{report}");
}

async fn check(arguments: &[&str]) -> Value {
    let report = report(["--records", "500"].iter().chain(arguments)).await;
    assert_closed(&report, 500, 50);
    report
}

/// The values of a field in the lines that the functions log and that have another one as well.
async fn logged(field: &str, beside: &str, arguments: &[&str]) -> Vec<Value> {
    let logs = NamedTempFile::new().unwrap();
    check(&[arguments, &["--function-logs", logs.path().to_str().unwrap()]].concat()).await;
    let logs = fs::read_to_string(&logs).unwrap();
    let mut lines: Vec<Value> = logs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let values = lines.iter_mut().filter(|line| line.get(beside).is_some()).map(|line| line[field].take());
    values.filter(|value| !value.is_null()).collect()
}

#[tokio::test]
async fn the_same_seed_meets_the_same_fate() {
    let arguments = ["--records", "2000", "--seed", "7"];
    let (first, second) = (report(arguments).await, report(arguments).await);
    assert_closed(&first, 2000, 200);
    for source in ["kinesis", "dynamodb"] {
        for name in ["produced", "dead_lettered", "recovered"] {
            assert_eq!(number(&first, source, name), number(&second, source, name), "{name} of {source}");
        }
    }
}

#[tokio::test]
async fn bisecting_leaves_nothing_but_the_poison() {
    let report = check(&["--bisect", "on"]).await;
    assert_eq!(number(&report, "kinesis", "recovered"), 2, "four in a thousand");
}

#[tokio::test]
async fn without_bisecting_a_poison_record_takes_the_rest_of_its_batch_along() {
    let report = check(&["--bisect", "off"]).await;
    assert!(number(&report, "kinesis", "recovered") > 2, "{report}");
}

#[tokio::test]
async fn without_retries_each_record_of_its_own_is_tried_once() {
    let report = check(&["--retries", "0", "--batch-size", "1"]).await;
    assert_eq!(number(&report, "kinesis", "invocations"), 500);
    assert_eq!(number(&report, "dynamodb", "invocations"), 50);
}

#[tokio::test]
async fn with_two_retries_poison_of_its_own_is_tried_three_times() {
    let report = check(&["--retries", "2", "--batch-size", "1"]).await;
    assert!(number(&report, "kinesis", "invocations") >= 498 + 2 * 3, "{report}");
}

#[tokio::test]
async fn the_account_closes_without_retries() {
    check(&["--retries", "0"]).await;
}

#[tokio::test]
async fn the_account_closes_with_one_shard_and_with_many() {
    let poisoned = async |shards| {
        // The hydrator's lines: a processor names the shard of each failure too, however often it is tried.
        let mut shards = logged("shard.id", "range.start", &["--shards", shards]).await;
        shards.retain(|shard| shard.as_str().is_some_and(|shard| shard.starts_with("shardId-0000000000")));
        shards.sort_by_key(Value::to_string);
        shards
    };
    assert_eq!(poisoned("1").await, ["shardId-000000000000"; 2]);
    assert_eq!(poisoned("8").await, ["shardId-000000000005", "shardId-000000000007"], "where the seed's customers are");
}

#[tokio::test]
async fn the_account_closes_with_the_largest_batches() {
    let batches = logged("batch.records", "batch.passed", &["--shards", "1", "--batch-size", "10000"]).await;
    assert!(batches.iter().any(|records| records.as_u64() > Some(100)), "{batches:?}");
}

#[tokio::test]
async fn no_records_are_no_trouble() {
    let report = report(["--records", "0"]).await;
    assert_eq!((number(&report, "kinesis", "produced"), number(&report, "dynamodb", "produced")), (0, 0));
    assert_eq!(report["unaccounted"], 0);
}
