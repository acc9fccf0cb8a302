//! An invocation's log line and its metrics at once, in CloudWatch's embedded metric format.
//!
//! CloudWatch Logs takes the metrics out of the line: they cost no call, and the numbers stand beside the ids that explain
//! them. The line is printed whatever `LOG_LEVEL` says, since an alarm must not fall silent with the logs; and it is never
//! refused: what CloudWatch would refuse is left out, or stands in it as `unknown`.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use crate::metrics::{EVENT_SOURCE, FUNCTION_NAME, Metric, NAMESPACE};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;
use std::io::{self, Write};
use std::time::SystemTime;

/// The most metrics in one directive.
const DIRECTIVE_METRICS_MAX: usize = 100;

/// The most values of one metric.
const VALUES_MAX: usize = 100;

/// The largest magnitude of a value, 2^360.
const VALUE_MAX: f64 = 2.348_542_582_773_833_2e108;

/// The most characters in the value of a dimension.
const DIMENSION_CHARS_MAX: usize = 1_024;

/// Stands for a dimension's value that is not known, or that CloudWatch would refuse.
const UNKNOWN: &str = "unknown";

/// As the logs have it, to the millisecond.
const TIMES: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// Room for a line with a few dozen samples.
const LINE_BYTES: usize = 2_048;

/// One JSON object: the fields of a log line, and metrics with what CloudWatch has to know of them.
///
/// ```
/// use std::time::SystemTime;
/// use telemetry::{InvocationLine, metrics};
///
/// let mut line = InvocationLine::new(SystemTime::now(), "orders", None);
/// line.field("message", "batch done").field("batch.records", 3).metric(&metrics::RECORDS_HANDLED, 3.0);
/// line.print();
/// ```
#[derive(Debug, Clone)]
pub struct InvocationLine {
    /// The object as far as it is written, without its end.
    json: Vec<u8>,
    timestamp_ms: i64,
    metrics: Vec<Metric>,
}

impl InvocationLine {
    /// A line with a time, the level `INFO`, a target and the two dimensions. `event_source` is the stream's ARN, where
    /// it is known.
    #[must_use]
    pub fn new(timestamp: SystemTime, function_name: &str, event_source: Option<&str>) -> Self {
        // A clock that stands outside of the calendar gives its beginning, which CloudWatch can still read.
        let timestamp = Timestamp::try_from(timestamp).unwrap_or_default().max(Timestamp::UNIX_EPOCH);
        let mut line = Self {
            json: Vec::with_capacity(LINE_BYTES),
            timestamp_ms: timestamp.as_millisecond(),
            metrics: Vec::with_capacity(crate::metrics::ALL.len()),
        };
        line.json.extend_from_slice(b"{\"timestamp\":\"");
        let _ = TIMES.print_timestamp(&timestamp, &mut line.json);
        line.json.push(b'"');
        line.field("level", "INFO")
            .field("target", module_path!())
            .field(FUNCTION_NAME, dimension(Some(function_name)))
            .field(EVENT_SOURCE, dimension(event_source));
        line
    }

    /// Adds a field to the log line, such as `message` or `batch.records`. One that is `None`, or cannot be JSON, is left
    /// out. Give each name once, and none that a metric or a dimension has.
    pub fn field(&mut self, name: &'static str, value: impl Serialize) -> &mut Self {
        let start = self.json.len();
        self.key(name);
        let value_start = self.json.len();
        let written = serde_json::to_writer(&mut self.json, &value);
        if written.is_err() || &self.json[value_start..] == b"null" {
            self.json.truncate(start);
        }
        self
    }

    /// Adds a metric of one value. One that is not finite, or above 2^360, is left out; so is a second value.
    pub fn metric(&mut self, metric: &Metric, value: f64) -> &mut Self {
        if is_writable(value) && self.declare(metric) {
            self.number(value);
        }
        self
    }

    /// Adds a metric of up to 100 values, which is what CloudWatch takes, written to thousandths of its unit. Without any
    /// the metric is left out. [`Latencies`](crate::Latencies) reduces thousands of values to that.
    pub fn distribution(&mut self, metric: &Metric, values: &[f64]) -> &mut Self {
        let mut values = values.iter().filter(|value| is_writable(**value)).take(VALUES_MAX).peekable();
        if values.peek().is_some() && self.declare(metric) {
            let mut before = b'[';
            for value in values {
                self.json.push(before);
                self.number((value * 1000.0).round() / 1000.0);
                before = b',';
            }
            self.json.push(b']');
        }
        self
    }

    /// Writes the line to standard output in one piece, so that lines of several threads do not mix. A closed output is
    /// nothing that a function could do anything about.
    pub fn print(self) {
        let mut output = io::stdout().lock();
        let _ = self.write_to(&mut output).and_then(|()| output.flush());
    }

    /// Writes the line, with its line break, in one piece.
    ///
    /// # Errors
    ///
    /// When `output` does not take it.
    pub fn write_to(self, output: &mut impl Write) -> io::Result<()> {
        output.write_all(&self.finish())
    }

    fn finish(mut self) -> Vec<u8> {
        let metrics = std::mem::take(&mut self.metrics);
        if !metrics.is_empty() {
            let directive =
                |metrics| Directive { namespace: NAMESPACE, dimensions: [[FUNCTION_NAME, EVENT_SOURCE]], metrics };
            let cloud_watch_metrics = metrics.chunks(DIRECTIVE_METRICS_MAX).map(directive).collect();
            self.field("_aws", Metadata { timestamp: self.timestamp_ms, cloud_watch_metrics });
        }
        self.json.extend_from_slice(b"}\n");
        self.json
    }

    /// Begins the value of a metric, unless it has one.
    fn declare(&mut self, metric: &Metric) -> bool {
        let is_new = self.metrics.iter().all(|declared| declared.name != metric.name);
        if is_new {
            self.metrics.push(*metric);
            self.key(metric.name);
        }
        is_new
    }

    fn key(&mut self, name: &str) {
        self.json.push(b',');
        self.write(name);
        self.json.push(b':');
    }

    /// A whole number is written as one: it is shorter.
    fn number(&mut self, value: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and is then not equal")]
        let whole = value as i64;
        #[expect(clippy::cast_precision_loss, reason = "a number that loses precision is not equal, or is the same")]
        if whole as f64 == value { self.write(&whole) } else { self.write(&value) }
    }

    /// A text or a number, neither of which can fail to be JSON in memory.
    fn write(&mut self, value: &(impl Serialize + ?Sized)) {
        let _ = serde_json::to_writer(&mut self.json, value);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    /// Milliseconds since the Unix epoch.
    timestamp: i64,
    cloud_watch_metrics: Vec<Directive<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'static str,
    dimensions: [[&'static str; 2]; 1],
    metrics: &'a [Metric],
}

/// A metric with an invalid dimension would be lost. CloudWatch takes 1 to 1,024 printable ASCII characters that are not all
/// spaces and do not begin with a colon.
fn dimension(value: Option<&str>) -> &str {
    let is_valid = |value: &&str| {
        value.len() <= DIMENSION_CHARS_MAX
            && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
            && !value.trim().is_empty()
            && !value.starts_with(':')
    };
    value.filter(is_valid).unwrap_or(UNKNOWN)
}

/// False for what is not a number, too.
fn is_writable(value: f64) -> bool {
    value.abs() <= VALUE_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{self, Unit};
    use serde_json::{Value, json};
    use std::time::Duration;

    const STREAM: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";

    fn moment() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(1_767_225_600_005_999)
    }

    fn line() -> InvocationLine {
        InvocationLine::new(moment(), "orders", Some(STREAM))
    }

    /// The line as JSON, after it was held against the specification.
    fn checked(line: InvocationLine) -> Value {
        let mut text = Vec::new();
        line.write_to(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.ends_with('\n') && text.matches('\n').count() == 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            assert!(line["_aws"]["Timestamp"].is_u64(), "{line}");
            assert_eq!(directive["Namespace"], "StreamRecovery");
            assert_eq!(directive["Dimensions"], json!([["FunctionName", "EventSource"]]));
            for dimension in directive["Dimensions"][0].as_array().unwrap() {
                let value = line[dimension.as_str().unwrap()].as_str().unwrap();
                assert!((1..=1024).contains(&value.chars().count()) && value.is_ascii(), "{value:?}");
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()), "{} metrics", metrics.len());
            for metric in metrics {
                let value = &line[metric["Name"].as_str().unwrap()];
                let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number), "{metric}: {value}");
                assert!(metric["Unit"].is_string(), "{metric}");
            }
        }
        line
    }

    fn names(line: &Value) -> Vec<&str> {
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten();
        let metrics = directives.flat_map(|directive| directive["Metrics"].as_array().into_iter().flatten());
        metrics.filter_map(|metric| metric["Name"].as_str()).collect()
    }

    #[test]
    fn a_line_is_a_log_line_and_a_document_in_the_embedded_metric_format() {
        let mut line = line();
        line.field("message", "batch done").field("faas.invocation_id", "r-1").field("batch.records", 3);
        line.metric(&metrics::RECORDS_HANDLED, 2.0).metric(&metrics::BATCH_SUCCESS_RATE, 200.0 / 3.0);
        line.distribution(&metrics::PROCESSING_LATENCY, &[1.5, 0.000_6, 20.0]);
        let mut text = Vec::new();
        line.clone().write_to(&mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            concat!(
                r#"{"timestamp":"2026-01-01T00:00:00.005Z","level":"INFO","target":"telemetry::emf","#,
                r#""FunctionName":"orders","#,
                r#""EventSource":"arn:aws:kinesis:us-east-1:111122223333:stream/orders","message":"batch done","#,
                r#""faas.invocation_id":"r-1","batch.records":3,"RecordsHandled":2,"#,
                r#""BatchSuccessRate":66.66666666666667,"ProcessingLatency":[1.5,0.001,20],"#,
                r#""_aws":{"Timestamp":1767225600005,"CloudWatchMetrics":[{"Namespace":"StreamRecovery","#,
                r#""Dimensions":[["FunctionName","EventSource"]],"Metrics":[{"Name":"RecordsHandled","Unit":"Count"},"#,
                r#"{"Name":"BatchSuccessRate","Unit":"Percent"},{"Name":"ProcessingLatency","Unit":"Milliseconds"}]}]}}"#,
                "\n"
            )
        );
        checked(line);
    }

    #[test]
    fn all_metrics_fit_into_one_line() {
        let mut line = line();
        for metric in &metrics::ALL {
            line.metric(metric, 1.0);
        }
        assert_eq!(names(&checked(line)), metrics::ALL.map(|metric| metric.name));
    }

    #[test]
    fn a_dimension_that_cloudwatch_would_refuse_is_unknown() {
        let too_long = "x".repeat(1025);
        for bad in
            [None, Some(""), Some("  "), Some(":orders"), Some("orders\n"), Some("bestellungen-ü"), Some(&too_long)]
        {
            let mut line = InvocationLine::new(moment(), bad.unwrap_or_default(), bad);
            line.field("message", "batch done").metric(&metrics::RECORDS_HANDLED, 1.0);
            let line = checked(line);
            assert_eq!(
                (&line["FunctionName"], &line["EventSource"]),
                (&json!("unknown"), &json!("unknown")),
                "{bad:?}"
            );
            assert_eq!((&line["message"], &line["RecordsHandled"]), (&json!("batch done"), &json!(1)));
        }
        let longest = "x".repeat(1024);
        assert_eq!(checked(InvocationLine::new(moment(), "orders", Some(&longest)))["EventSource"], json!(longest));
    }

    #[test]
    fn what_is_no_value_leaves_its_metric_out() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, VALUE_MAX * 1.1] {
            let mut line = line();
            line.metric(&metrics::ITERATOR_AGE, bad).metric(&metrics::RECORDS_HANDLED, 1.0);
            line.distribution(&metrics::PROCESSING_LATENCY, &[bad]);
            let line = checked(line);
            assert_eq!(names(&line), ["RecordsHandled"], "{bad}");
            assert_eq!((line.get("IteratorAge"), line.get("ProcessingLatency")), (None, None));
        }
        let mut line = line();
        line.distribution(&metrics::PROCESSING_LATENCY, &[f64::NAN, 2.0]).distribution(&metrics::ITERATOR_AGE, &[]);
        let line = checked(line);
        assert_eq!((names(&line), &line["ProcessingLatency"]), (vec!["ProcessingLatency"], &json!([2])));
        assert_eq!(VALUE_MAX, 2_f64.powi(360));
    }

    #[test]
    fn a_line_without_metrics_is_a_log_line() {
        let mut line = line();
        line.field("message", "batch done").metric(&metrics::ITERATOR_AGE, f64::NAN);
        assert_eq!(checked(line).get("_aws"), None);
    }

    #[test]
    fn a_second_value_of_a_metric_is_left_out() {
        let mut line = line();
        line.metric(&metrics::RECORDS_HANDLED, 1.0).metric(&metrics::RECORDS_HANDLED, 2.0);
        line.distribution(&metrics::RECORDS_HANDLED, &[3.0]);
        let line = checked(line);
        assert_eq!((names(&line), &line["RecordsHandled"]), (vec!["RecordsHandled"], &json!(1)));
    }

    #[test]
    fn more_metrics_than_a_directive_takes_go_into_a_second_one() {
        let mut line = line();
        for number in 0..101 {
            let name = Box::leak(format!("Metric{number}").into_boxed_str());
            line.metric(&Metric { name, unit: Unit::Count }, 1.0);
        }
        let line = checked(line);
        assert_eq!((names(&line).len(), line["_aws"]["CloudWatchMetrics"].as_array().unwrap().len()), (101, 2));
    }

    #[test]
    fn a_field_without_a_value_is_left_out_and_takes_nothing_with_it() {
        let not_json = std::collections::BTreeMap::from([((1, 2), "secret")]);
        let mut line = line();
        line.field("before", "a\nb").field("faas.trace_id", None::<&str>).field("not_json", not_json);
        line.field("not_a_number", f64::NAN).field("after", Some(2));
        let line = checked(line);
        assert_eq!((&line["before"], &line["after"]), (&json!("a\nb"), &json!(2)));
        assert_eq!(line.as_object().unwrap().len(), 7, "{line}");
        assert!(!line.to_string().contains("secret"));
    }

    #[test]
    fn a_clock_outside_of_the_calendar_costs_no_line() {
        let day = Duration::from_secs(86_400);
        for moment in [SystemTime::UNIX_EPOCH - day, SystemTime::UNIX_EPOCH + day * 365 * 20_000] {
            let mut line = InvocationLine::new(moment, "orders", None);
            line.metric(&metrics::RECORDS_HANDLED, 1.0);
            let line = checked(line);
            assert_eq!(line["timestamp"], "1970-01-01T00:00:00.000Z");
            assert_eq!(line["_aws"]["Timestamp"], 0);
        }
    }
}
