//! Where in a shard a new mapping begins to read.

use super::field::SettingsError;
use jiff::Timestamp;
use records::{EpochMillis, StreamArn, StreamKind};
use serde_json::Value;

const KEY: &str = "StartingPosition";
const TIMESTAMP: &str = "StartingPositionTimestamp";

/// Where in a shard a new mapping begins to read. The driver's poll obeys it; the model has no position of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// At the oldest record that the stream still has.
    TrimHorizon,
    /// At the first record that arrives from now on.
    Latest,
    /// At the first record that arrived at this time or later. Kinesis only (documented).
    AtTimestamp(EpochMillis),
}

impl StartingPosition {
    /// Parses `StartingPosition` and `StartingPositionTimestamp`, of which one needs the other.
    pub(super) fn parse(text: &str, timestamp: Option<&Value>, arn: &str) -> Result<Self, SettingsError> {
        let is_dynamodb = StreamArn::parse(arn).is_ok_and(|arn| arn.kind() == StreamKind::DynamoDb);
        let position = match (text, timestamp) {
            ("AT_TIMESTAMP", _) if is_dynamodb => return Err(refused(text, is_dynamodb)),
            ("AT_TIMESTAMP", Some(value)) => return moment(value).map(Self::AtTimestamp),
            ("AT_TIMESTAMP", None) => return Err(SettingsError::Missing(TIMESTAMP)),
            ("TRIM_HORIZON", _) => Self::TrimHorizon,
            ("LATEST", _) => Self::Latest,
            _ => return Err(refused(text, is_dynamodb)),
        };
        match timestamp {
            None => Ok(position),
            Some(value) => {
                Err(SettingsError::refused(TIMESTAMP, value, "absent unless StartingPosition is AT_TIMESTAMP"))
            }
        }
    }

    /// Refuses `AT_TIMESTAMP` on a DynamoDB stream.
    pub(super) fn check(self, stream: &StreamArn) -> Result<(), SettingsError> {
        match (self, stream.kind()) {
            (Self::AtTimestamp(_), StreamKind::DynamoDb) => Err(refused("AT_TIMESTAMP", true)),
            _ => Ok(()),
        }
    }
}

fn refused(text: &str, is_dynamodb: bool) -> SettingsError {
    let expected = if is_dynamodb {
        "TRIM_HORIZON or LATEST on a DynamoDB stream"
    } else {
        "TRIM_HORIZON, LATEST or AT_TIMESTAMP"
    };
    SettingsError::refused(KEY, format!("{text:?}"), expected)
}

/// Seconds since 1970, as the API takes them, or a moment in RFC 3339, as command lines do.
fn moment(value: &Value) -> Result<EpochMillis, SettingsError> {
    let text = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let seconds = value.as_f64().filter(|seconds| (0.0..=253_402_300_799.0).contains(seconds));
    // Within the range just checked, milliseconds fit.
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let millis = text.map(Timestamp::as_millisecond).or(seconds.map(|seconds| (seconds * 1000.0).round() as i64));
    millis.map(EpochMillis).ok_or_else(|| {
        SettingsError::refused(TIMESTAMP, value, "seconds since 1970, or a moment like \"2026-01-31T12:00:00Z\"")
    })
}
