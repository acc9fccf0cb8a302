//! The SDK's clients, configured once for all services, and how a call of theirs fails.
//!
//! Over TLS they use ring: the SDK's default provider takes thirty times as long for its first call, and a Lambda pays
//! that on every cold start.

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::error::Error as StdError;
use std::time::Duration;
use thiserror::Error;

/// How long a connection may take. AWS answers within a region in milliseconds; a lost packet costs a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one attempt may take. A long poll of SQS is silent for up to 20 s.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(25);

/// Attempts per call, the first one included, for throttling and for failures that pass. What still fails then leaves its
/// message on the queue, whose visibility time-out is the longer pause.
const ATTEMPTS_MAX: u32 = 3;

/// One client per service, cheap to clone.
#[derive(Debug, Clone)]
pub struct Clients {
    kinesis: aws_sdk_kinesis::Client,
    dynamodb_streams: aws_sdk_dynamodbstreams::Client,
    sqs: aws_sdk_sqs::Client,
    #[cfg(feature = "provision")]
    dynamodb: aws_sdk_dynamodb::Client,
}

/// A call to a service that failed.
#[derive(Debug, Error)]
pub enum CallError {
    /// The service refused the request, or was not reached.
    #[error("failed to {operation} `{object}`")]
    Request {
        /// What was to be done, as in `receive messages from`.
        operation: &'static str,
        /// To which queue, stream or table.
        object: String,
        /// The service's error code, when it answered.
        code: Option<String>,
        /// The SDK's error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The answer lacks what the service always gives.
    #[error("failed to {operation} `{object}`: the answer has no valid {field}")]
    Answer {
        /// What was done, as in `receive messages from`.
        operation: &'static str,
        /// To which queue, stream or table.
        object: String,
        /// What is missing or malformed.
        field: &'static str,
    },
}

impl CallError {
    /// The service's error code, such as `ResourceNotFoundException`; `None` when it did not answer with one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Request { code, .. } => code.as_deref(),
            Self::Answer { .. } => None,
        }
    }
}

impl Clients {
    /// Clients as the environment says: region, credentials, and `AWS_ENDPOINT_URL` or one such variable per service
    /// (`AWS_ENDPOINT_URL_KINESIS`, `_DYNAMODB_STREAMS`, `_SQS`, `_DYNAMODB`).
    pub async fn from_env() -> Self {
        let config = config_from_env().await;
        Self {
            kinesis: aws_sdk_kinesis::Client::new(&config),
            dynamodb_streams: aws_sdk_dynamodbstreams::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            #[cfg(feature = "provision")]
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
        }
    }

    /// Clients of services on loopback: plain HTTP, invented credentials, and nothing read from the environment.
    #[must_use]
    pub fn for_endpoints(kinesis: &str, dynamodb: &str, sqs: &str, region: &str) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("local", "local", None)))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(retries())
            .timeout_config(timeouts())
            .build();
        let at = |url: &str| config.clone().into_builder().endpoint_url(url).build();
        Self {
            kinesis: aws_sdk_kinesis::Client::new(&at(kinesis)),
            dynamodb_streams: aws_sdk_dynamodbstreams::Client::new(&at(dynamodb)),
            sqs: aws_sdk_sqs::Client::new(&at(sqs)),
            #[cfg(feature = "provision")]
            dynamodb: aws_sdk_dynamodb::Client::new(&at(dynamodb)),
        }
    }

    /// The region that requests go to.
    pub(crate) fn region(&self) -> Option<&str> {
        self.kinesis.config().region().map(AsRef::as_ref)
    }

    pub(crate) fn kinesis(&self) -> &aws_sdk_kinesis::Client {
        &self.kinesis
    }

    pub(crate) fn dynamodb_streams(&self) -> &aws_sdk_dynamodbstreams::Client {
        &self.dynamodb_streams
    }

    pub(crate) fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.sqs
    }

    #[cfg(feature = "provision")]
    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.dynamodb
    }
}

/// A client of SQS alone, for a function: region, credentials and endpoint come from where Lambda puts them.
///
/// The default chain asks profiles, STS and SSO as well. Linked into a processor, that code would cost each cold start half
/// a millisecond for its relocations alone, whether it runs or not.
pub(crate) fn sqs_of_function() -> aws_sdk_sqs::Client {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let http = https();
    let container =
        EcsCredentialsProvider::builder().configure(&ProviderConfig::empty().with_http_client(http.clone())).build();
    let credentials = CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("Container", container);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http)
        .retry_config(retries())
        .timeout_config(timeouts());
    config.set_region(variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).map(Region::new));
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL_SQS").or_else(|| variable("AWS_ENDPOINT_URL")));
    aws_sdk_sqs::Client::new(&config.build())
}

fn https() -> aws_sdk_sqs::config::SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

async fn config_from_env() -> SdkConfig {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(https());
    config.retry_config(retries()).timeout_config(timeouts()).load().await
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build()
}

/// What went wrong and what was behind it, each said once.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = error.source();
    }
    text
}

/// A call under way, for its errors.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub operation: &'static str,
    pub object: &'a str,
}

impl Call<'_> {
    pub fn failed<E, R>(self, error: SdkError<E, R>) -> CallError
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        self.refused(error.code().map(str::to_owned), error)
    }

    /// The request could not even be built.
    pub fn unbuilt(self, error: impl StdError + Send + Sync + 'static) -> CallError {
        self.refused(None, error)
    }

    pub fn incomplete(self, field: &'static str) -> CallError {
        CallError::Answer { operation: self.operation, object: self.object.to_owned(), field }
    }

    fn refused(self, code: Option<String>, error: impl StdError + Send + Sync + 'static) -> CallError {
        CallError::Request { operation: self.operation, object: self.object.to_owned(), code, source: Box::new(error) }
    }
}
