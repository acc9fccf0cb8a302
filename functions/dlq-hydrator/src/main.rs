//! The function behind the SQS event source mapping of the on-failure queue.

use aws_edge::{AwsStreamReader, Clients, SqsSink};
use dlq_hydrator::{BatchResponse, Config, hydrate_batch, parse_event};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use partial_batch::Deadline;
use recovery::{Bounds, Hydrator};
use serde_json::value::RawValue;
use std::sync::Arc;
use telemetry::Environment;

type AwsHydrator = Hydrator<AwsStreamReader, SqsSink>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_environment(&Environment::of_process())
        .inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    let hydrator = Arc::new(hydrator(&config, Clients::from_env().await));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let hydrator = Arc::clone(&hydrator);
        let deadline = Deadline::from_epoch_ms(event.context.deadline, config.deadline_margin);
        // Boxed: the SDK's futures nest deeper than the compiler lays out in one piece.
        Box::pin(async move { invoke(&hydrator, event.payload.get(), deadline).await })
    }))
    .await
}

fn hydrator(config: &Config, clients: Clients) -> AwsHydrator {
    Hydrator {
        reader: AwsStreamReader::new(clients.clone()),
        sink: SqsSink::new(clients, config.sink_queue_url.clone(), config.sink_batch_bytes_max),
        bounds: Bounds::default(),
        invoke_identity_arn: config.invoke_identity_arn.clone(),
    }
}

async fn invoke(hydrator: &AwsHydrator, event: &str, deadline: Deadline) -> Result<BatchResponse, Error> {
    let messages = parse_event(event).inspect_err(|error| tracing::error!(%error, "event refused"))?;
    Ok(hydrate_batch(messages, hydrator, deadline).await)
}
