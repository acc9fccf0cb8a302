//! The hydrator behind the local Lambda host, on the run's services.

use crate::World;
use anyhow::{Context, bail};
use aws_edge::provision::Queue;
use lambda_host::{Function, FunctionConfig, Log, Outcome, OutputLine};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time-out of the hydrator: AWS's streams are read twice a second.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What every stand-in takes in one message; AWS takes four times as much.
const MESSAGE_BYTES_MAX: &str = "262144";

/// A hydrator that is given its messages by hand.
#[derive(Debug)]
pub struct HostedHydrator {
    function: Function,
    complaints: Arc<Mutex<Vec<String>>>,
}

impl HostedHydrator {
    /// A hydrator with this queue as its sink, and this bucket for what the queue does not take.
    ///
    /// # Errors
    ///
    /// When it does not build.
    pub async fn new(world: &World, sink: &Queue, bucket: Option<&str>) -> anyhow::Result<Self> {
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&complaints);
        let mut config = FunctionConfig::new("dlq-hydrator", &world.binaries().await?.dlq_hydrator);
        config.environment.clone_from(&world.site.environment);
        config.environment.extend(variables(sink, bucket));
        config.account_id.clone_from(&world.site.account);
        config.region.clone_from(&world.site.region);
        config.timeout = TIMEOUT;
        config.log = Log::lines(move |line: OutputLine| {
            if !line.text.contains(r#""level":"INFO""#) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line.text);
            }
        });
        Ok(Self { function: Function::new(config), complaints })
    }

    /// Hands over messages, by their ids and bodies, and returns the ids of those that are to stay on the queue.
    ///
    /// # Errors
    ///
    /// When the hydrator fails as a whole.
    pub async fn hydrate(&self, queue_arn: &str, messages: &[(&str, &str)]) -> anyhow::Result<Vec<String>> {
        let records: Vec<Value> = messages
            .iter()
            .map(|(id, body)| {
                json!({
                    "messageId": id, "receiptHandle": id, "body": body, "messageAttributes": {},
                    "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545084650987"},
                    "eventSource": "aws:sqs", "eventSourceARN": queue_arn, "awsRegion": self.function.config().region,
                })
            })
            .collect();
        let event = json!({ "Records": records }).to_string();
        let result = self.function.invoke(event).await.context("the hydrator did not run")?;
        let response: Value = match result.outcome {
            Outcome::Response(body) => serde_json::from_slice(&body)?,
            Outcome::FunctionError(error) => bail!("the hydrator failed: {}", error.message),
        };
        let failures = response["batchItemFailures"].as_array().context("the response names no failures")?;
        Ok(failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str().map(str::to_owned)).collect())
    }

    /// What it logged beyond mere information: no line holds a payload.
    #[must_use]
    pub fn complaints(&self) -> String {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Ends its process.
    pub async fn end(self) {
        self.function.shutdown().await;
    }
}

fn variables(sink: &Queue, bucket: Option<&str>) -> Vec<(String, String)> {
    let mut variables = vec![
        ("SINK".to_owned(), sink.url.clone()),
        ("SINK_BATCH_MAX_BYTES".to_owned(), MESSAGE_BYTES_MAX.to_owned()),
        // There is no mapping to ask for them.
        ("FILTER_CRITERIA".to_owned(), r#"{"Filters":[]}"#.to_owned()),
    ];
    variables.extend(bucket.map(|bucket| ("CLAIM_CHECK".to_owned(), format!("s3://{bucket}"))));
    variables
}
