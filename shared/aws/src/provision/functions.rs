//! Functions, and the event source mappings in front of them.

use super::tags::{Tags, map};
use super::{ACTIVE_POLL_PAUSE, ACTIVE_POLLS_MAX, ProvisionError, not_active};
use crate::Clients;
use crate::call::{Call, CallError};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, DestinationConfig, Environment, EventSourcePosition, FunctionCode, FunctionResponseType, OnFailure,
    Runtime, ScalingConfig, State,
};
use records::StreamArn;
use std::collections::HashMap;
use std::time::Duration;

/// A function to be created, for the runtime `provided.al2023`.
#[derive(Debug, Clone)]
pub struct NewFunction<'a> {
    /// Its name.
    pub name: &'a str,
    /// The ARN of the role that it runs under.
    pub role_arn: &'a str,
    /// An archive with an executable `bootstrap`.
    pub zip: &'a [u8],
    /// What the executable was built for, as Rust calls it: `x86_64` or `aarch64`.
    pub architecture: &'a str,
    /// The longest that an invocation may take, in whole seconds.
    pub timeout: Duration,
    /// Its variables. AWS refuses those that it sets itself.
    pub environment: &'a [(String, String)],
    /// Its tags.
    pub tags: &'a Tags,
}

/// How a stream's mapping retries. It asks for `ReportBatchItemFailures`, and begins at the oldest record.
#[derive(Debug, Clone)]
pub struct StreamMapping<'a> {
    /// `BatchSize`, 1 to 10,000.
    pub batch_size: i32,
    /// `MaximumRetryAttempts`.
    pub retries: i32,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// The ARN of the queue that is told what the mapping gives up.
    pub on_failure_arn: &'a str,
}

/// The least that AWS takes as `MaximumConcurrency` of a queue's mapping.
const QUEUE_CONCURRENCY: i32 = 2;

/// Creates a function and waits until it is active.
///
/// # Errors
///
/// When Lambda refuses it, or when it is not active within a minute.
pub async fn create_function(clients: &Clients, function: &NewFunction<'_>) -> Result<String, ProvisionError> {
    let call = Call { operation: "create function", object: function.name };
    let variables: HashMap<_, _> = function.environment.iter().cloned().collect();
    let architecture = if function.architecture == "aarch64" { Architecture::Arm64 } else { Architecture::X8664 };
    let seconds = i32::try_from(function.timeout.as_secs()).unwrap_or(i32::MAX);
    let request = clients
        .lambda()
        .create_function()
        .function_name(function.name)
        .runtime(Runtime::Providedal2023)
        .handler("bootstrap")
        .role(function.role_arn)
        .architectures(architecture)
        .timeout(seconds)
        .code(FunctionCode::builder().zip_file(Blob::new(function.zip)).build())
        .environment(Environment::builder().set_variables(Some(variables)).build())
        .set_tags(Some(map(function.tags)));
    let created = request.send().await.map_err(|error| call.failed(error))?;
    let arn = created.function_arn.ok_or_else(|| call.incomplete("function arn"))?;
    for _ in 0..ACTIVE_POLLS_MAX {
        let found = clients.lambda().get_function_configuration().function_name(function.name).send().await;
        match found.map_err(|error| call.failed(error))?.state {
            // A stand-in may give none.
            Some(State::Active) | None => return Ok(arn),
            Some(State::Failed) => return Err(call.incomplete("state: it is `Failed`").into()),
            Some(_) => tokio::time::sleep(ACTIVE_POLL_PAUSE).await,
        }
    }
    Err(not_active(call))
}

/// Puts a stream in front of a function, and returns the mapping's UUID.
///
/// # Errors
///
/// When Lambda refuses it.
pub async fn create_stream_mapping(
    clients: &Clients,
    function: &str,
    stream: &StreamArn,
    mapping: &StreamMapping<'_>,
    tags: &Tags,
) -> Result<String, CallError> {
    let call = Call { operation: "create event source mapping of", object: stream.as_str() };
    let on_failure = OnFailure::builder().destination(mapping.on_failure_arn).build();
    let request = clients
        .lambda()
        .create_event_source_mapping()
        .function_name(function)
        .event_source_arn(stream.as_str())
        .starting_position(EventSourcePosition::TrimHorizon)
        .batch_size(mapping.batch_size)
        .maximum_retry_attempts(mapping.retries)
        .bisect_batch_on_function_error(mapping.bisect)
        .function_response_types(FunctionResponseType::ReportBatchItemFailures)
        .destination_config(DestinationConfig::builder().on_failure(on_failure).build())
        .set_tags(Some(map(tags)));
    let created = request.send().await.map_err(|error| call.failed(error))?;
    created.uuid.ok_or_else(|| call.incomplete("uuid"))
}

/// Puts a queue in front of a function, and returns the mapping's UUID.
///
/// # Errors
///
/// When Lambda refuses it: the queue's visibility time-out is shorter than the function's, say.
pub async fn create_queue_mapping(
    clients: &Clients,
    function: &str,
    queue_arn: &str,
    batch_size: i32,
    tags: &Tags,
) -> Result<String, CallError> {
    let call = Call { operation: "create event source mapping of", object: queue_arn };
    let scaling = ScalingConfig::builder().maximum_concurrency(QUEUE_CONCURRENCY).build();
    let request = clients
        .lambda()
        .create_event_source_mapping()
        .function_name(function)
        .event_source_arn(queue_arn)
        .batch_size(batch_size)
        .function_response_types(FunctionResponseType::ReportBatchItemFailures)
        .scaling_config(scaling)
        .set_tags(Some(map(tags)));
    let created = request.send().await.map_err(|error| call.failed(error))?;
    created.uuid.ok_or_else(|| call.incomplete("uuid"))
}
