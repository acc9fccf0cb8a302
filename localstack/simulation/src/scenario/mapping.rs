//! `[mapping]`: AWS's settings under AWS's names.

use super::error::ScenarioError;
use super::section::Section;
use event_source_mapping::{Settings, SettingsError};
use records::StreamKind;
use serde_json::{Map, Value, json};

/// The settings of a mapping, kept as they were written, so that a comparison can change some.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingPlan {
    json: Map<String, Value>,
    settings: Settings,
}

/// What CreateEventSourceMapping takes for a stream.
const KNOWN: [&str; 18] = [
    "BatchSize",
    "MaximumRetryAttempts",
    "BisectBatchOnFunctionError",
    "FunctionResponseTypes",
    "MaximumRecordAgeInSeconds",
    "MaximumBatchingWindowInSeconds",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
    "StartingPosition",
    "StartingPositionTimestamp",
    "DestinationConfig",
    "FilterCriteria",
    "Enabled",
    "EventSourceArn",
    "FunctionName",
    "KMSKeyArn",
    "MetricsConfig",
    "Tags",
];

impl MappingPlan {
    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same mapping with bisect and partial batch responses on or off.
    ///
    /// # Errors
    ///
    /// Never, where the mapping itself was accepted.
    pub fn with(&self, bisect: bool, partial: bool) -> Result<Self, SettingsError> {
        let mut json = self.json.clone();
        json.insert("BisectBatchOnFunctionError".to_owned(), bisect.into());
        let types = if partial { json!(["ReportBatchItemFailures"]) } else { json!([]) };
        json.insert("FunctionResponseTypes".to_owned(), types);
        Ok(Self { settings: settings(&json)?, json })
    }

    pub(super) fn read(text: &str, section: Section<'_>, kind: StreamKind) -> Result<Self, ScenarioError> {
        let (path, table_offset) = (section.path.clone(), section.offset);
        let mut json = defaults(kind);
        let mut offsets = Vec::new();
        for (key, offset, value) in section.rest() {
            if !KNOWN.contains(&key.as_str()) {
                let message = format!("{path}.{key} is not known; known here: {}", KNOWN.join(", "));
                return Err(ScenarioError::at(text, offset, message));
            }
            offsets.push((key.clone(), offset));
            json.insert(key, value);
        }
        let settings = settings(&json).map_err(|error| {
            let key = error.key().unwrap_or_default();
            let named = |(name, _): &&(String, usize)| key == name || key.starts_with(&format!("{name}."));
            let offset = offsets.iter().find(named).map_or(table_offset, |(_, offset)| *offset);
            ScenarioError::at(text, offset, explained(&path, &error))
        })?;
        if settings.stream().kind() != kind {
            let offset = offsets.iter().find(|(name, _)| name == "EventSourceArn").map_or(table_offset, |(_, at)| *at);
            let message = format!("{path}.EventSourceArn must be of the service that stream.source names");
            return Err(ScenarioError::at(text, offset, message));
        }
        Ok(Self { json, settings })
    }
}

fn settings(json: &Map<String, Value>) -> Result<Settings, SettingsError> {
    Settings::from_json(&Value::Object(json.clone()).to_string())
}

/// The model's words, and AWS's where they are known.
fn explained(path: &str, error: &SettingsError) -> String {
    let text = match error {
        SettingsError::NotCovered { key, .. } => format!("{path}.{key} is refused: {error}"),
        _ => format!("{path}.{error}"),
    };
    match error.aws_error() {
        Some(aws) => format!("{text}; AWS would answer {aws}"),
        None => text,
    }
}

/// What a scenario need not say: where the records are, who handles them, and who is told of failures.
fn defaults(kind: StreamKind) -> Map<String, Value> {
    let arn = match kind {
        StreamKind::Kinesis => "arn:aws:kinesis:us-east-1:111122223333:stream/orders",
        StreamKind::DynamoDb => "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2026-01-01T00:00:00.000",
    };
    let json = json!({
        "EventSourceArn": arn,
        "FunctionName": "orders",
        "StartingPosition": "TRIM_HORIZON",
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:111122223333:orders-failed"}},
    });
    match json {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
