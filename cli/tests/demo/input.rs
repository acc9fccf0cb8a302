//! `--input FILE`: each line is a record, whatever its bytes.

use crate::streamctl::{demo, file, number, report};
use std::ffi::OsStr;
use std::path::Path;

/// The longest line: a Kinesis record holds 1 MiB, of which 256 bytes are the key's.
const LINE_BYTES_MAX: usize = 1_048_320;

fn order(id: usize) -> Vec<u8> {
    format!(r#"{{"order_id":"o-{id}","customer_id":"c-{}","amount":5,"items":[]}}"#, id % 7).into_bytes()
}

/// `bytes` bytes of every value but a line feed.
fn noise(bytes: usize) -> Vec<u8> {
    (0..).map(|n: usize| (n * n / 7 % 256) as u8).filter(|byte| *byte != b'\n').take(bytes).collect()
}

fn options(path: &Path) -> [&OsStr; 2] {
    [OsStr::new("--input"), path.as_os_str()]
}

#[tokio::test]
async fn every_line_is_handled_or_comes_back_as_it_was() {
    let with_carriage_return = [order(900), b"\r".to_vec()].concat();
    let with_bytes_behind = [order(901), b"\0".to_vec()].concat();
    let poison = [
        b"".to_vec(),
        b"\r".to_vec(),
        b"nonsense\r".to_vec(),
        b"\0\0\0".to_vec(),
        b"\xff\xfe\x80".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{}".to_vec(),
        b"[1,2".to_vec(),
        b" ".to_vec(),
        with_bytes_behind,
        noise(150_000),
        vec![b'x'; 150_000],
        vec![0; 150_000],
    ];
    let mut lines = Vec::new();
    for round in 0..10 {
        for (index, line) in poison.iter().enumerate() {
            lines.push(line.clone());
            lines.push(order(round * poison.len() + index));
        }
    }
    // JSON allows white space behind a value, and so a CRLF file of orders is one of good orders.
    lines.push(with_carriage_return);
    let good = 10 * poison.len() as u64 + 1;
    let input = file(&lines.join(&b'\n'));

    let report = report(options(input.path())).await;
    let of = |name| number(&report, "kinesis", name);
    assert_eq!(of("produced"), lines.len() as u64, "{report}");
    assert_eq!((of("handled"), of("recovered")), (good, lines.len() as u64 - good), "{report}");
    assert_eq!(of("identical"), of("recovered"), "{report}");
    assert_eq!((of("dead_lettered"), of("lost"), of("duplicates")), (of("recovered"), 0, 0), "{report}");
    assert_eq!((number(&report, "dynamodb", "produced"), &report["unaccounted"]), (0, &0.into()), "{report}");
}

#[tokio::test]
async fn an_empty_file_has_no_records() {
    let report = report(options(file(b"").path())).await;
    assert_eq!(number(&report, "kinesis", "produced"), 0);
    assert_eq!(report["unaccounted"], 0);
}

#[tokio::test]
async fn a_line_feed_alone_is_one_empty_record() {
    let report = report(options(file(b"\n").path())).await;
    assert_eq!((number(&report, "kinesis", "produced"), number(&report, "kinesis", "identical")), (1, 1));
}

#[tokio::test]
async fn what_does_not_fit_into_a_message_comes_back_by_way_of_a_bucket() {
    let mut huge_order = order(1);
    huge_order.resize(1_000_000, b' ');
    let marked = [b"PAYLOAD-MARKER".to_vec(), noise(300_000)].concat();
    let input = file(&[b"before".to_vec(), marked, noise(LINE_BYTES_MAX), huge_order, b"behind".to_vec()].join(&b'\n'));

    let path = input.path().to_str().unwrap();
    let ended = demo(["--json", "--input", path]).await;
    assert_eq!(ended.status, 0, "{ended:#?}");
    let report = ended.report();
    let of = |name| number(&report, "kinesis", name);
    assert_eq!((of("produced"), of("handled"), of("dead_lettered")), (5, 1, 4), "{report}");
    assert_eq!((of("recovered"), of("identical"), of("lost")), (4, 4, 0), "{report}");
    assert_eq!((&report["unaccounted"], &report["waiting_messages"]), (&0.into(), &0.into()), "{report}");
    assert!(!ended.stderr.contains("PAYLOAD-MARKER"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_file_that_cannot_be_put_in_is_named_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    refused(directory.path(), "failed to read", "Is a directory").await;
    refused(&directory.path().join("missing"), "failed to read", "No such file or directory").await;

    let too_long = file(&[b"fits".to_vec(), vec![b'x'; 1_048_577], b"fits".to_vec()].join(&b'\n'));
    refused(too_long.path(), "failed to use", "line 2 has 1048577 bytes: a Kinesis record takes at most").await;
}

async fn refused(path: &Path, operation: &str, reason: &str) {
    let ended = demo(options(path)).await;
    assert_eq!((ended.status, ended.stdout.as_str()), (1, ""), "{ended:#?}");
    let expected = format!("error: {operation} `{}`: {reason}", path.display());
    assert!(ended.stderr.starts_with(&expected), "expected {expected:?}: {ended:#?}");
}
