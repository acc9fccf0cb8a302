//! Payloads are customers' data: they are in no log and in no report.

use crate::streamctl::{demo, file};
use std::fs;
use tempfile::NamedTempFile;

/// Only letters, for JSON escapes none of them.
const MARKER: &str = "CUSTOMERSECRET";

/// Each is poison for a reason of its own, and each reason has a message of its own.
const POISON: [&str; 14] = [
    "CUSTOMERSECRET",
    r#"{"order_id":"CUSTOMERSECRET","#,
    r#""CUSTOMERSECRET""#,
    r#"["CUSTOMERSECRET"]"#,
    r#"{"CUSTOMERSECRET":1}"#,
    r#"{"order_id":"CUSTOMERSECRET","customer_id":"CUSTOMERSECRET"}"#,
    r#"{"order_id":"","customer_id":"CUSTOMERSECRET","amount":5,"items":[]}"#,
    r#"{"order_id":"CUSTOMERSECRET","customer_id":"","amount":5,"items":[]}"#,
    r#"{"order_id":"CUSTOMERSECRET","customer_id":"c","amount":-5,"items":[]}"#,
    r#"{"order_id":"o","customer_id":"c","amount":"CUSTOMERSECRET","items":[]}"#,
    r#"{"order_id":"o","customer_id":"c","amount":5,"items":"CUSTOMERSECRET"}"#,
    r#"{"order_id":"o","customer_id":"c","amount":5,"items":[{"sku":"CUSTOMERSECRET","qty":0,"price":1}]}"#,
    r#"{"order_id":"o","customer_id":"c","amount":5,"items":[{"sku":"a","qty":"CUSTOMERSECRET","price":1}]}"#,
    r#"{"order_id":"o","order_id":"CUSTOMERSECRET","customer_id":"c","amount":5,"items":[]}"#,
];

#[tokio::test]
async fn a_payload_is_in_no_log_and_in_no_report() {
    assert!(POISON.iter().all(|line| line.contains(MARKER)));
    let input = file(POISON.join("\n").as_bytes());
    let logs = NamedTempFile::new().unwrap();
    let [input, logs] = [&input, &logs].map(|file| file.path().to_str().unwrap());

    let ended = demo(["--input", input, "--function-logs", logs]).await;
    assert_eq!(ended.status, 0, "{ended:#?}");
    let sentence = format!("{0} produced, {0} recovered byte for byte", POISON.len());
    assert!(ended.stdout.contains(&sentence), "all of it is poison: {ended:#?}");

    let logs = fs::read_to_string(logs).unwrap();
    for message in ["record failed", "message hydrated"] {
        assert!(logs.lines().any(|line| line.contains(message)), "no log of `{message}`: {logs}");
    }
    for (name, text) in [("logs", &logs), ("stderr", &ended.stderr), ("stdout", &ended.stdout)] {
        let leak = text.lines().find(|line| line.contains(MARKER));
        assert_eq!(leak, None, "in the {name}");
    }
}
