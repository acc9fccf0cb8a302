//! A variable that is set to nonsense stops the start of the real processors.

use records::StreamKind;
use scenarios::processor_with;

#[tokio::test]
async fn a_bad_variable_stops_the_start_with_one_line_that_names_it() {
    let sink = ("SINK", "http://localhost:1/000000000000/recovered");
    for kind in [StreamKind::Kinesis, StreamKind::DynamoDb] {
        for (variables, name, value) in [
            (&[("ON_INVALID", "drop")][..], "ON_INVALID", "\"drop\": expected `retry` or `quarantine`"),
            (&[("ON_INVALID", "quarantine")], "SINK", "is not set: expected the URL of an SQS queue"),
            (&[("ON_INVALID", "quarantine"), ("SINK", "recovered")], "SINK", "\"recovered\""),
            (&[("ON_INVALID", "quarantine"), sink, ("SINK_BATCH_MAX_BYTES", "0")], "SINK_BATCH_MAX_BYTES", "\"0\""),
            (&[("CONCURRENCY", "0")], "CONCURRENCY", "\"0\": expected a whole number of records from 1 to 1000"),
            (&[("KPL", "yes")], "KPL", "\"yes\": expected `on` or `off`"),
            (&[("SKIP_HANDLED", "false")], "SKIP_HANDLED", "\"false\": expected `on` or `off`"),
            (&[("DEADLINE_MARGIN_MS", "1s")], "DEADLINE_MARGIN_MS", "\"1s\": expected a whole number of milliseconds"),
            (&[("TUMBLING_WINDOW", "60")], "TUMBLING_WINDOW", "\"60\": expected `on` or `off`"),
        ] {
            let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let processor = processor_with(kind, environment.collect()).await.unwrap();
            let error = processor.error("{}").await.unwrap();
            assert!(error.contains("exit status 1"), "it ends by itself: {error}");
            let line = processor.line_with(&format!("`{name}`")).await.unwrap();
            assert!(line["error"].as_str().unwrap().contains(value), "{line}");
            assert_eq!(line["level"], "ERROR");
            processor.function.shutdown().await;
            assert_eq!(processor.lines().len(), 1, "{:#?}", processor.lines());
        }
    }
}
