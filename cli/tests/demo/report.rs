//! The page of a demo.

use crate::streamctl::{command, demo, ended};

#[tokio::test]
async fn a_demo_writes_a_page_of_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("demo.html");
    let run = demo(["--records", "500", "--seed", "42", "--report", page.to_str().unwrap()]).await;
    assert_eq!(run.status, 0, "{run:#?}");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.starts_with("<!doctype html>"));
    for part in
        ["Every record is accounted for: 550 produced", "RetryAttemptsExhausted", "batchItemFailures", "dynamodb"]
    {
        assert!(html.contains(part), "no {part}");
    }
    assert!(!html.contains("customer"), "no payload is in it");
}

#[tokio::test]
async fn more_records_than_a_page_shows_are_refused_before_anything_starts() {
    let mut command = command();
    command.args(["--records", "200000", "--report", "page.html"]);
    let run = ended(command).await;
    assert_eq!((run.status, &*run.stdout), (1, ""));
    assert_eq!(run.stderr, "error: --report shows up to 200000 records, got 220000\n");
}
