//! Functions and mappings on the endpoint's own Lambda.

use crate::archive::bootstrap_archive;
use crate::executable::{architecture, bootstrap};
use crate::{Kind, Resource, World};
use anyhow::Context;
use aws_edge::Service;
use aws_edge::provision::{
    NewFunction, Queue, StreamMapping, create_function, create_queue_mapping, create_stream_mapping,
};
use records::StreamArn;
use std::path::PathBuf;
use std::time::Duration;

/// Replaces the endpoints that a deployed function is told, where it sees the services at another address than the tests.
const FUNCTION_ENDPOINT: &str = "INTEGRATION_FUNCTION_ENDPOINT_URL";

/// Time-out of a deployed function.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `BatchSize` of the mappings: a test puts in less.
const STREAM_BATCH: i32 = 100;
const QUEUE_BATCH: i32 = 10;

/// `MaximumRetryAttempts` of the stream mappings.
const RETRIES: i32 = 2;

/// The functions of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Handles a Kinesis stream.
    KinesisProcessor,
    /// Handles a table's stream.
    DynamoDbProcessor,
    /// Handles an on-failure queue.
    DlqHydrator,
}

/// A function on the endpoint.
#[derive(Debug)]
pub struct Deployment {
    name: String,
}

impl Program {
    async fn executable(self, world: &World) -> anyhow::Result<PathBuf> {
        let name = match self {
            Self::KinesisProcessor => "kinesis-processor",
            Self::DynamoDbProcessor => "dynamodb-processor",
            Self::DlqHydrator => "dlq-hydrator",
        };
        if let Some(folder) = world.built_elsewhere() {
            return Ok(bootstrap(folder, name));
        }
        let binaries = world.binaries().await?;
        Ok(match self {
            Self::KinesisProcessor => binaries.kinesis_processor.clone(),
            Self::DynamoDbProcessor => binaries.dynamodb_processor.clone(),
            Self::DlqHydrator => binaries.dlq_hydrator.clone(),
        })
    }
}

impl Deployment {
    /// Deploys a function with these variables.
    ///
    /// # Errors
    ///
    /// When it does not build, or Lambda refuses it.
    pub async fn create(world: &World, of: &str, program: Program, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let name = world.name(of);
        let path = program.executable(world).await?;
        let executable = std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        let architecture =
            architecture(&executable).with_context(|| format!("failed to deploy `{}`", path.display()))?;
        let zip = bootstrap_archive(&executable)?;
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Vec<_> = endpoint_variables(world).into_iter().chain(variables).collect();
        let function = NewFunction {
            name: &name,
            role_arn: &world.role_arn(),
            zip: &zip,
            architecture,
            timeout: TIMEOUT,
            environment: &environment,
            tags: &world.tags(),
        };
        world.cleanup.expect(Resource::Function(name.clone()))?;
        let megabytes = zip.len() / 1_000_000;
        let created = create_function(world.clients(), &function).await;
        created.with_context(|| format!("failed to deploy {program:?}, an archive of {megabytes} MB"))?;
        Ok(Self { name })
    }

    /// Puts a stream in front of it: partial responses, bisect, two retries, and this queue for what is given up.
    ///
    /// # Errors
    ///
    /// When Lambda refuses.
    pub async fn reads(&self, world: &World, stream: &StreamArn, on_failure: &Queue) -> anyhow::Result<()> {
        let mapping =
            StreamMapping { batch_size: STREAM_BATCH, retries: RETRIES, bisect: true, on_failure_arn: &on_failure.arn };
        self.expect(world)?;
        create_stream_mapping(world.clients(), &self.name, stream, &mapping, &world.tags()).await?;
        Ok(())
    }

    /// Puts a queue in front of it.
    ///
    /// # Errors
    ///
    /// When Lambda refuses.
    pub async fn receives(&self, world: &World, queue: &Queue) -> anyhow::Result<()> {
        self.expect(world)?;
        create_queue_mapping(world.clients(), &self.name, &queue.arn, QUEUE_BATCH, &world.tags()).await?;
        Ok(())
    }

    /// A mapping goes with its function, which is noted once more: so it goes before whatever the mapping reads.
    fn expect(&self, world: &World) -> anyhow::Result<()> {
        world.cleanup.expect(Resource::Function(self.name.clone()))
    }
}

/// How a deployed function finds the services. AWS and LocalStack tell it themselves.
fn endpoint_variables(world: &World) -> Vec<(String, String)> {
    if let Ok(url) = std::env::var(FUNCTION_ENDPOINT) {
        return vec![("AWS_ENDPOINT_URL".to_owned(), url)];
    }
    if matches!(world.kind(Service::Lambda), Kind::Aws | Kind::LocalStack) {
        return Vec::new();
    }
    let variable = |service: Service| Some((service.endpoint_variable().to_owned(), world.url(service)?.to_owned()));
    Service::ALL.into_iter().filter_map(variable).collect()
}
