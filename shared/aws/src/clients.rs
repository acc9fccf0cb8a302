//! The SDK's clients, configured once for all services. Each is built when it is first asked for.

use crate::https::https;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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
    kinesis: Lazy<aws_sdk_kinesis::Client>,
    dynamodb_streams: Lazy<aws_sdk_dynamodbstreams::Client>,
    sqs: Lazy<aws_sdk_sqs::Client>,
    #[cfg(feature = "provision")]
    dynamodb: Lazy<aws_sdk_dynamodb::Client>,
    #[cfg(feature = "hydrator")]
    s3: Lazy<aws_sdk_s3::Client>,
    #[cfg(feature = "hydrator")]
    lambda: Lazy<aws_sdk_lambda::Client>,
}

/// A client that is built when it is first asked for: a cold start pays for those that it uses.
#[derive(Debug)]
struct Lazy<C>(Arc<LazyClient<C>>);

#[derive(Debug)]
struct LazyClient<C> {
    config: SdkConfig,
    build: fn(&SdkConfig) -> C,
    client: OnceLock<C>,
}

/// The services that there are clients of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Kinesis Data Streams.
    Kinesis,
    /// DynamoDB Streams.
    DynamoDbStreams,
    /// SQS.
    Sqs,
    /// DynamoDB itself.
    #[cfg(feature = "provision")]
    DynamoDb,
    /// S3.
    #[cfg(feature = "hydrator")]
    S3,
    /// Lambda.
    #[cfg(feature = "hydrator")]
    Lambda,
}

impl Service {
    /// All of them.
    #[cfg(feature = "provision")]
    pub const ALL: [Self; 6] =
        [Self::Kinesis, Self::DynamoDb, Self::DynamoDbStreams, Self::Sqs, Self::S3, Self::Lambda];

    /// What people call it.
    #[cfg(feature = "provision")]
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kinesis => "Kinesis",
            Self::DynamoDb => "DynamoDB",
            Self::DynamoDbStreams => "DynamoDB Streams",
            Self::Sqs => "SQS",
            Self::S3 => "S3",
            Self::Lambda => "Lambda",
        }
    }

    /// The variable that names its endpoint to the SDKs.
    #[must_use]
    pub fn endpoint_variable(self) -> &'static str {
        match self {
            Self::Kinesis => "AWS_ENDPOINT_URL_KINESIS",
            Self::DynamoDbStreams => "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
            Self::Sqs => "AWS_ENDPOINT_URL_SQS",
            #[cfg(feature = "provision")]
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            #[cfg(feature = "hydrator")]
            Self::S3 => "AWS_ENDPOINT_URL_S3",
            #[cfg(feature = "hydrator")]
            Self::Lambda => "AWS_ENDPOINT_URL_LAMBDA",
        }
    }
}

impl Clients {
    /// Clients as the environment and the profiles say: region, credentials, and `AWS_ENDPOINT_URL` or one such variable
    /// per service (`AWS_ENDPOINT_URL_KINESIS`, `_DYNAMODB_STREAMS`, `_SQS`, `_DYNAMODB`, `_S3`, `_LAMBDA`).
    pub async fn from_env() -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(https());
        let config = config.retry_config(retries()).timeout_config(timeouts()).load().await;
        Self::with_configs(|_| config.clone())
    }

    /// Clients of a function: all is where Lambda puts it, and nothing else is asked. Region and credentials come from
    /// variables, the latter from the container's endpoint where they are not; endpoints as in [`Clients::from_env`].
    ///
    /// The default chain of `from_env` asks profiles, STS and SSO as well. Linked into a function, that code costs each
    /// cold start half a millisecond for its relocations alone, whether it runs or not.
    #[must_use]
    pub fn of_function() -> Self {
        let config = config_of_function();
        Self::with_configs(|service| at(&config, endpoint_of(service)))
    }

    /// Clients of services on loopback: plain HTTP, invented credentials, and nothing read from the environment. S3 and
    /// Lambda have no endpoint yet: what is asked of them fails.
    #[must_use]
    pub fn for_endpoints(kinesis: &str, dynamodb: &str, sqs: &str, region: &str) -> Self {
        let config =
            config_of_stand_ins(aws_smithy_http_client::Builder::new().build_http(), region, ("local", "local"));
        Self::with_configs(|service| {
            let url = match service {
                Service::Kinesis => kinesis,
                Service::DynamoDbStreams => dynamodb,
                Service::Sqs => sqs,
                #[cfg(feature = "provision")]
                Service::DynamoDb => dynamodb,
                #[cfg(feature = "hydrator")]
                Service::S3 | Service::Lambda => NO_ENDPOINT,
            };
            at(&config, Some(url.to_owned()))
        })
    }

    /// Clients of stand-ins for AWS: each service at the endpoint that it is given, over HTTP or HTTPS, with these keys.
    /// Nothing of it is read from the environment, but for the roots that TLS trusts (`AWS_CA_BUNDLE`). What is asked of a
    /// service without an endpoint fails: it never goes to AWS.
    #[cfg(feature = "provision")]
    #[must_use]
    pub fn of_stand_ins(endpoint: impl Fn(Service) -> Option<String>, region: &str, keys: (&str, &str)) -> Self {
        let config = config_of_stand_ins(https(), region, keys);
        Self::with_configs(|service| at(&config, Some(endpoint(service).unwrap_or_else(|| NO_ENDPOINT.to_owned()))))
    }

    /// The same clients, with S3 at this endpoint.
    #[cfg(feature = "hydrator")]
    #[must_use]
    pub fn with_s3(self, endpoint: &str) -> Self {
        Self { s3: self.s3.with(|config| at(config, Some(endpoint.to_owned()))), ..self }
    }

    /// The same clients, with Lambda at this endpoint.
    #[cfg(feature = "hydrator")]
    #[must_use]
    pub fn with_lambda(self, endpoint: &str) -> Self {
        Self { lambda: self.lambda.with(|config| at(config, Some(endpoint.to_owned()))), ..self }
    }

    fn with_configs(config: impl Fn(Service) -> SdkConfig) -> Self {
        Self {
            kinesis: Lazy::new(config(Service::Kinesis), aws_sdk_kinesis::Client::new),
            dynamodb_streams: Lazy::new(config(Service::DynamoDbStreams), aws_sdk_dynamodbstreams::Client::new),
            sqs: Lazy::new(config(Service::Sqs), aws_sdk_sqs::Client::new),
            #[cfg(feature = "provision")]
            dynamodb: Lazy::new(config(Service::DynamoDb), aws_sdk_dynamodb::Client::new),
            #[cfg(feature = "hydrator")]
            s3: Lazy::new(config(Service::S3), s3_client),
            #[cfg(feature = "hydrator")]
            lambda: Lazy::new(config(Service::Lambda), aws_sdk_lambda::Client::new),
        }
    }

    /// The same clients, where those of streams try a call once, for this long: for who has retries of his own.
    pub(crate) fn reading_once(self, attempt_timeout: Duration) -> Self {
        let once = |config: &SdkConfig| {
            let timeouts = timeouts().to_builder().operation_attempt_timeout(attempt_timeout).build();
            config.clone().into_builder().retry_config(RetryConfig::disabled()).timeout_config(timeouts).build()
        };
        Self { kinesis: self.kinesis.with(once), dynamodb_streams: self.dynamodb_streams.with(once), ..self }
    }

    /// The region that requests go to.
    pub(crate) fn region(&self) -> Option<&str> {
        self.kinesis.0.config.region().map(AsRef::as_ref)
    }

    pub(crate) fn kinesis(&self) -> &aws_sdk_kinesis::Client {
        self.kinesis.get()
    }

    pub(crate) fn dynamodb_streams(&self) -> &aws_sdk_dynamodbstreams::Client {
        self.dynamodb_streams.get()
    }

    pub(crate) fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get()
    }

    #[cfg(feature = "provision")]
    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get()
    }

    #[cfg(feature = "hydrator")]
    pub(crate) fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.get()
    }

    #[cfg(feature = "hydrator")]
    pub(crate) fn lambda(&self) -> &aws_sdk_lambda::Client {
        self.lambda.get()
    }
}

impl<C> Lazy<C> {
    fn new(config: SdkConfig, build: fn(&SdkConfig) -> C) -> Self {
        Self(Arc::new(LazyClient { config, build, client: OnceLock::new() }))
    }

    fn get(&self) -> &C {
        self.0.client.get_or_init(|| (self.0.build)(&self.0.config))
    }

    /// One with another configuration.
    fn with(&self, change: impl FnOnce(&SdkConfig) -> SdkConfig) -> Self {
        Self::new(change(&self.0.config), self.0.build)
    }
}

// Derived, it would want `C: Clone`.
impl<C> Clone for Lazy<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Reserved, so that nobody listens there.
#[cfg(feature = "hydrator")]
const NO_ENDPOINT: &str = "http://127.0.0.1:0";

/// A client of SQS alone, for a processor.
pub(crate) fn sqs_of_function() -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&at(&config_of_function(), endpoint_of(Service::Sqs)))
}

/// What [`Clients::of_function`] says.
fn config_of_function() -> SdkConfig {
    let is_on = |name: &str| variable(name).map(|value| value.eq_ignore_ascii_case("true"));
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
    config.set_use_fips(is_on("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"));
    config.build()
}

/// With nothing of the environment: endpoints are to be added.
fn config_of_stand_ins(http: SharedHttpClient, region: &str, (key, secret): (&str, &str)) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(key, secret, None)))
        .http_client(http)
        .retry_config(retries())
        .timeout_config(timeouts())
        .build()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn endpoint_of(service: Service) -> Option<String> {
    variable(service.endpoint_variable()).or_else(|| variable("AWS_ENDPOINT_URL"))
}

fn at(config: &SdkConfig, url: Option<String>) -> SdkConfig {
    let mut config = config.clone().into_builder();
    config.set_endpoint_url(url);
    config.build()
}

#[cfg(feature = "hydrator")]
fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let is_at_an_endpoint = config.endpoint_url().is_some() || endpoint_of(Service::S3).is_some();
    let s3 = aws_sdk_s3::config::Builder::from(config)
        // The signature covers the body's SHA-256 already, and S3 verifies it. The checksums that the SDK would add cost
        // another pass over the body, and stand-ins for S3 do not know all of them.
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
        // A stand-in answers at one host, whatever the bucket.
        .force_path_style(is_at_an_endpoint);
    aws_sdk_s3::Client::from_conf(s3.build())
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build()
}
