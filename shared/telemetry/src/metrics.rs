//! The names, units and dimensions of all metrics: the one file that dashboards, alarms and their tests go by.

use serde::Serialize;

/// The namespace that CloudWatch keeps them in.
pub const NAMESPACE: &str = "StreamRecovery";

/// The dimension that names the function.
pub const FUNCTION_NAME: &str = "FunctionName";

/// The dimension that names the stream, by its ARN.
pub const EVENT_SOURCE: &str = "EventSource";

/// A metric, by its name and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metric {
    /// Unique within the namespace.
    pub name: &'static str,
    /// What one of it is.
    pub unit: Unit,
}

/// The units in use, spelt as CloudWatch spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Hundredths of a whole, 0 to 100.
    Percent,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// Records that the handler handled, in this invocation.
pub const RECORDS_HANDLED: Metric = Metric { name: "RecordsHandled", unit: Unit::Count };

/// Records that were started and not handled: they come again.
pub const RECORDS_FAILED: Metric = Metric { name: "RecordsFailed", unit: Unit::Count };

/// Records that no attempt will handle, whether they come again or are in quarantine.
pub const RECORDS_INVALID: Metric = Metric { name: "RecordsInvalid", unit: Unit::Count };

/// Invalid records that are safe in the sink, so that their batch went on without them.
pub const RECORDS_QUARANTINED: Metric = Metric { name: "RecordsQuarantined", unit: Unit::Count };

/// Records that were skipped, since this environment had handled them before.
pub const RECORDS_REMEMBERED: Metric = Metric { name: "RecordsRemembered", unit: Unit::Count };

/// How much of the batch need not come again, 0 to 100.
pub const BATCH_SUCCESS_RATE: Metric = Metric { name: "BatchSuccessRate", unit: Unit::Percent };

/// How long ago the stream took the last record of the batch, when the invocation ended.
pub const ITERATOR_AGE: Metric = Metric { name: "IteratorAge", unit: Unit::Milliseconds };

/// How long each record took that was handled or failed: a distribution.
pub const PROCESSING_LATENCY: Metric = Metric { name: "ProcessingLatency", unit: Unit::Milliseconds };

/// On-failure messages that the hydrator was given.
pub const MESSAGES: Metric = Metric { name: "Messages", unit: Unit::Count };

/// On-failure messages that stay on their queue: they come again, and go to its dead-letter queue in the end.
pub const MESSAGES_FAILED: Metric = Metric { name: "MessagesFailed", unit: Unit::Count };

/// On-failure messages of whose records the stream had none left.
pub const MESSAGES_EXPIRED: Metric = Metric { name: "MessagesExpired", unit: Unit::Count };

/// Records that Lambda gave up, as far as they are accounted for: always the sum of those recovered and those lost.
pub const RECORDS_DELIVERED: Metric = Metric { name: "RecordsDelivered", unit: Unit::Count };

/// Records that Lambda gave up and that are in the sink.
pub const RECORDS_RECOVERED: Metric = Metric { name: "RecordsRecovered", unit: Unit::Count };

/// Records that Lambda gave up and that no stream holds any more: each is in a loss report.
pub const RECORDS_LOST: Metric = Metric { name: "RecordsLost", unit: Unit::Count };

/// Records in the sink that lie between those that Lambda gave up, and may not be any of them.
pub const RECORDS_CANDIDATES: Metric = Metric { name: "RecordsCandidates", unit: Unit::Count };

/// The least time left, among the messages, until the stream forgets the first record of one; 0 when it is over.
pub const SECONDS_UNTIL_EXPIRY: Metric = Metric { name: "SecondsUntilExpiry", unit: Unit::Seconds };

/// GetRecords calls of the hydrator.
pub const STREAM_READS: Metric = Metric { name: "StreamReads", unit: Unit::Count };

/// Calls of the hydrator that the stream refused because it was asked too often.
pub const STREAM_THROTTLES: Metric = Metric { name: "StreamThrottles", unit: Unit::Count };

/// All of them.
pub const ALL: [Metric; 18] = [
    RECORDS_HANDLED,
    RECORDS_FAILED,
    RECORDS_INVALID,
    RECORDS_QUARANTINED,
    RECORDS_REMEMBERED,
    BATCH_SUCCESS_RATE,
    ITERATOR_AGE,
    PROCESSING_LATENCY,
    MESSAGES,
    MESSAGES_FAILED,
    MESSAGES_EXPIRED,
    RECORDS_DELIVERED,
    RECORDS_RECOVERED,
    RECORDS_LOST,
    RECORDS_CANDIDATES,
    SECONDS_UNTIL_EXPIRY,
    STREAM_READS,
    STREAM_THROTTLES,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
    const CLOUDWATCH_UNITS: [&str; 27] = [
        "Seconds",
        "Microseconds",
        "Milliseconds",
        "Bytes",
        "Kilobytes",
        "Megabytes",
        "Gigabytes",
        "Terabytes",
        "Bits",
        "Kilobits",
        "Megabits",
        "Gigabits",
        "Terabits",
        "Percent",
        "Count",
        "Bytes/Second",
        "Kilobytes/Second",
        "Megabytes/Second",
        "Gigabytes/Second",
        "Terabytes/Second",
        "Bits/Second",
        "Kilobits/Second",
        "Megabits/Second",
        "Gigabits/Second",
        "Terabits/Second",
        "Count/Second",
        "None",
    ];

    #[test]
    fn every_metric_is_listed_once() {
        let declared = include_str!("metrics.rs").lines().filter(|line| line.contains(": Metric = Metric {")).count();
        // The line above has the text too.
        assert_eq!(declared - 1, ALL.len());
        let names: HashSet<&str> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len(), "two metrics have one name");
        assert!(!names.contains(FUNCTION_NAME) && !names.contains(EVENT_SOURCE), "a line would have the key twice");
    }

    #[test]
    fn names_and_units_are_such_that_cloudwatch_takes_them() {
        for Metric { name, unit } in ALL {
            let unit = serde_json::to_value(unit).unwrap();
            assert!(CLOUDWATCH_UNITS.iter().any(|known| unit == *known), "{name} is in {unit}");
            assert!(name.len() <= 255 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
        }
        assert!(!NAMESPACE.starts_with("AWS/"), "those are AWS's own");
    }
}
