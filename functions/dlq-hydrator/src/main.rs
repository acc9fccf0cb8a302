//! The function behind the SQS event source mapping of the on-failure queue.

use aws_edge::{AwsSink, AwsStreamReader, AwsSurroundings, Clients};
use dlq_hydrator::{BatchResponse, Config, log, parse_event};
use lambda_runtime::{Context, Diagnostic};
use partial_batch::{Deadline, Invocation, serve};
use recovery::{Hydrator, Settings, TimeLimit};
use std::process::ExitCode;
use std::time::Instant;
use telemetry::Environment;

type AwsHydrator = Hydrator<AwsStreamReader, AwsSink, AwsSurroundings>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    telemetry::exit_code(Box::pin(run()).await)
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_environment(&Environment::of_process())?;
    let hydrator = hydrator(&config, Clients::of_function());
    serve(|Invocation { event, context }| {
        let deadline = Deadline::from_epoch_ms(context.deadline, config.deadline_margin);
        // Boxed: the SDK's futures nest deeper than the compiler lays out in one piece.
        Box::pin(invoke(&hydrator, event, context, deadline))
    })
    .await
}

fn hydrator(config: &Config, clients: Clients) -> AwsHydrator {
    let sink = AwsSink::new(&clients, &config.sink, config.claim_checks.as_ref(), config.sink_batch_bytes_max);
    let surroundings = AwsSurroundings::new(&clients);
    let settings = Settings {
        invoke_identity_arn: config.invoke_identity_arn.clone(),
        reads_per_second: config.reads_per_second,
        filter_criteria: config.filter_criteria.clone(),
        ..Settings::default()
    };
    Hydrator::new(AwsStreamReader::new(clients), sink, surroundings, settings)
}

async fn invoke(
    hydrator: &AwsHydrator,
    event: bytes::Bytes,
    context: Context,
    deadline: Deadline,
) -> Result<BatchResponse, Diagnostic> {
    let started = Instant::now();
    match parse_event(&event) {
        Ok(messages) => {
            let hydration = hydrator.hydrate(&messages, TimeLimit::until(deadline.stop_at())).await;
            log(&context, started.elapsed(), &hydration);
            Ok(BatchResponse::from(&hydration))
        }
        Err(error) => {
            let (request_id, trace_id) = (&context.request_id, context.xray_trace_id.as_deref());
            tracing::error!(faas.invocation_id = request_id, faas.trace_id = trace_id, %error, "event refused");
            Err(Diagnostic { error_type: "EventError".to_owned(), error_message: error.to_string() })
        }
    }
}
