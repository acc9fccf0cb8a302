//! The services, the resources in them, and the functions.

use crate::Binaries;
use anyhow::Context;
use aws_edge::provision::{
    Queue, QueueSettings, Redrive, create_bucket, create_kinesis_stream, create_queue, create_table, list_shards,
};
use aws_edge::{AwsStreamReader, Clients};
use emulator::Emulator;
use lambda_host::{Function, FunctionConfig, Log};
use records::{ShardId, StreamArn, StreamKind};
use std::time::Duration;

/// What a stack is made of.
#[derive(Debug, Clone)]
pub struct StackConfig {
    /// Executables of the functions.
    pub binaries: Binaries,
    /// Shards of the Kinesis stream, 1 to 100.
    pub shards: u16,
    /// `BatchSize` of both stream mappings, 1 to 10,000.
    pub batch_size: i64,
    /// `MaximumRetryAttempts` of both stream mappings, 0 to 10,000: a demo that retries for ever would not end.
    pub retries: i64,
    /// `BisectBatchOnFunctionError` of both stream mappings.
    pub bisect: bool,
    /// Decides the jitter of the mappings.
    pub seed: u64,
    /// Time-out of the functions.
    pub function_timeout: Duration,
    /// What the functions write.
    pub log: Log,
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    /// The services.
    pub emulator: Emulator,
    /// Clients of the services.
    pub clients: Clients,
    /// The Kinesis stream.
    pub stream: StreamArn,
    /// The table's stream.
    pub table_stream: StreamArn,
    /// The queues.
    pub queues: Queues,
    /// The functions.
    pub functions: Functions,
    /// What it was made of.
    pub config: StackConfig,
}

/// The queues of the pipeline.
#[derive(Debug, Clone)]
pub struct Queues {
    /// Where the stream mappings send what they give up.
    pub on_failure: Queue,
    /// Where messages go that the hydrator cannot finish.
    pub hydrator_dead_letters: Queue,
    /// Where recovered records and loss reports go.
    pub recovered: Queue,
}

/// The functions of the pipeline. Handles are cheap to clone.
#[derive(Debug, Clone)]
pub struct Functions {
    /// Handles the Kinesis stream.
    pub kinesis_processor: Function,
    /// Handles the table's stream.
    pub dynamodb_processor: Function,
    /// Handles the on-failure queue.
    pub dlq_hydrator: Function,
}

/// Name of the Kinesis stream and of the table.
pub(crate) const ORDERS: &str = "orders";

/// The attribute that is the table's key.
pub(crate) const TABLE_KEY: &str = "order_id";

/// After how many receives a message of the on-failure queue goes to the hydrator's dead-letter queue.
const MAX_RECEIVE_COUNT: u16 = 5;

/// How many invocations of the hydrator run side by side: AWS's least `MaximumConcurrency`.
pub(crate) const HYDRATOR_CONCURRENCY: usize = 2;

/// Where recovered records go that do not fit into a message of the recovered queue.
pub(crate) const CLAIM_CHECKS: &str = "claim-checks";

/// The emulated services have no bound on reads, and a demo should not wait for one.
const READS_PER_SECOND: u32 = 1_000;

/// The emulated SQS takes messages of 256 KiB, AWS's bound until August 2025.
const SQS_MESSAGE_BYTES_MAX: usize = 262_144;

impl StackConfig {
    /// Shards 4, batches of 100, two retries, bisect on, time-outs of 5 s, logs thrown away.
    #[must_use]
    pub fn new(binaries: Binaries) -> Self {
        Self {
            binaries,
            shards: 4,
            batch_size: 100,
            retries: 2,
            bisect: true,
            seed: 0,
            function_timeout: Duration::from_secs(5),
            log: Log::Null,
        }
    }

    /// A second more than the function may take. In production it is six times the time-out, so that a throttled mapping
    /// does not use up the receive count; here nobody should wait that long for a message whose hydrator was killed.
    fn visibility_timeout(&self) -> Duration {
        self.function_timeout + Duration::from_secs(1)
    }
}

impl Stack {
    /// Starts the services, creates the resources, and prepares the functions; their processes start with the first
    /// invocation.
    ///
    /// # Errors
    ///
    /// When a service does not start or refuses a resource.
    pub async fn start(config: StackConfig) -> anyhow::Result<Self> {
        let emulator = Emulator::start().await?;
        let endpoints = emulator.endpoints();
        let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, emulator::REGION);
        let clients = clients.with_s3(&endpoints.s3);
        create_bucket(&clients, CLAIM_CHECKS).await?;
        let stream = create_kinesis_stream(&clients, ORDERS, config.shards).await?;
        let table_stream = create_table(&clients, ORDERS, TABLE_KEY).await?;
        let queues = Queues::create(&clients, config.visibility_timeout()).await?;
        let functions = Functions::prepare(&config, endpoints.environment(), &queues);
        Ok(Self { emulator, clients, stream, table_stream, queues, functions, config })
    }

    /// The stream of a kind.
    #[must_use]
    pub fn stream(&self, kind: StreamKind) -> &StreamArn {
        match kind {
            StreamKind::Kinesis => &self.stream,
            StreamKind::DynamoDb => &self.table_stream,
        }
    }

    /// The shards of a stream.
    ///
    /// # Errors
    ///
    /// When the service does not name them.
    pub async fn shards(&self, kind: StreamKind) -> anyhow::Result<Vec<ShardId>> {
        let stream = self.stream(kind);
        list_shards(&self.clients, stream).await.with_context(|| format!("failed to list the shards of `{stream}`"))
    }

    /// Reads the streams.
    pub(crate) fn reader(&self) -> AwsStreamReader {
        AwsStreamReader::new(self.clients.clone())
    }

    /// Ends the functions, children included, and then the services.
    pub async fn shutdown(self) {
        let Functions { kinesis_processor, dynamodb_processor, dlq_hydrator } = &self.functions;
        tokio::join!(kinesis_processor.shutdown(), dynamodb_processor.shutdown(), dlq_hydrator.shutdown());
        self.emulator.shutdown().await;
    }
}

impl Queues {
    async fn create(clients: &Clients, visibility_timeout: Duration) -> anyhow::Result<Self> {
        let retention = Duration::from_secs(14 * 24 * 60 * 60);
        let plain = QueueSettings { visibility_timeout, retention, redrive: None };
        let hydrator_dead_letters = create_queue(clients, "hydrator-dead-letters", &plain).await?;
        let redrive =
            Redrive { dead_letter_arn: hydrator_dead_letters.arn.clone(), max_receive_count: MAX_RECEIVE_COUNT };
        let redriven = QueueSettings { redrive: Some(redrive), ..plain.clone() };
        Ok(Self {
            on_failure: create_queue(clients, "on-failure", &redriven).await?,
            hydrator_dead_letters,
            recovered: create_queue(clients, "recovered", &plain).await?,
        })
    }
}

impl Functions {
    fn prepare(config: &StackConfig, environment: Vec<(String, String)>, queues: &Queues) -> Self {
        let function = |name: &str, program, concurrency, extra: Vec<(String, String)>| {
            let mut function = FunctionConfig::new(name, program);
            function.environment = [environment.clone(), extra].concat();
            function.timeout = config.function_timeout;
            function.maximum_concurrency = concurrency;
            function.log = config.log.clone();
            Function::new(function)
        };
        let Binaries { kinesis_processor, dynamodb_processor, dlq_hydrator } = &config.binaries;
        let hydrator = vec![
            ("SINK".to_owned(), queues.recovered.url.clone()),
            ("SINK_BATCH_MAX_BYTES".to_owned(), SQS_MESSAGE_BYTES_MAX.to_string()),
            ("INVOKE_IDENTITY_ARN".to_owned(), processor_role()),
            ("CLAIM_CHECK".to_owned(), format!("s3://{CLAIM_CHECKS}")),
            ("READS_PER_SECOND".to_owned(), READS_PER_SECOND.to_string()),
            // There is no Lambda to ask for them.
            ("FILTER_CRITERIA".to_owned(), r#"{"Filters":[]}"#.to_owned()),
        ];
        Self {
            kinesis_processor: function("kinesis-processor", kinesis_processor, config.shards.into(), Vec::new()),
            // A table of the emulator has one shard.
            dynamodb_processor: function("dynamodb-processor", dynamodb_processor, 1, Vec::new()),
            dlq_hydrator: function("dlq-hydrator", dlq_hydrator, HYDRATOR_CONCURRENCY, hydrator),
        }
    }

    /// The processor of a kind of stream.
    #[must_use]
    pub fn processor(&self, kind: StreamKind) -> &Function {
        match kind {
            StreamKind::Kinesis => &self.kinesis_processor,
            StreamKind::DynamoDb => &self.dynamodb_processor,
        }
    }
}

/// The role under which the processors read: what Lambda writes into each Kinesis record.
pub(crate) fn processor_role() -> String {
    format!("arn:aws:iam::{}:role/kinesis-processor", emulator::ACCOUNT)
}
