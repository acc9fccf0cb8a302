//! The function behind the SQS event source mapping of the on-failure queue.

use aws_edge::{AwsStreamReader, Clients, SqsSink};
use dlq_hydrator::{BatchResponse, Config, hydrate_batch, parse_event};
use lambda_runtime::Diagnostic;
use partial_batch::{Deadline, Invocation, serve};
use recovery::{Bounds, Hydrator};
use std::process::ExitCode;
use telemetry::Environment;

type AwsHydrator = Hydrator<AwsStreamReader, SqsSink>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    telemetry::exit_code(Box::pin(run()).await)
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment(&Environment::of_process())?;
    let hydrator = hydrator(&config, Clients::from_env().await);
    serve(|Invocation { event, context }| {
        let deadline = Deadline::from_epoch_ms(context.deadline, config.deadline_margin);
        // Boxed: the SDK's futures nest deeper than the compiler lays out in one piece.
        Box::pin(invoke(&hydrator, event, deadline))
    })
    .await
}

fn hydrator(config: &Config, clients: Clients) -> AwsHydrator {
    Hydrator {
        sink: SqsSink::new(&clients, config.sink_queue_url.to_string(), config.sink_batch_bytes_max),
        reader: AwsStreamReader::new(clients),
        bounds: Bounds::default(),
        invoke_identity_arn: config.invoke_identity_arn.clone(),
    }
}

async fn invoke(hydrator: &AwsHydrator, event: bytes::Bytes, deadline: Deadline) -> Result<BatchResponse, Diagnostic> {
    match parse_event(&event) {
        Ok(messages) => Ok(hydrate_batch(messages, hydrator, deadline).await),
        Err(error) => {
            tracing::error!(%error, "event refused");
            Err(Diagnostic { error_type: "EventError".to_owned(), error_message: error.to_string() })
        }
    }
}
