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

/// Where a stack's services are.
#[derive(Debug, Clone)]
pub struct Site {
    /// Clients of the services.
    pub clients: Clients,
    /// The variables with which a function finds them.
    pub environment: Vec<(String, String)>,
    /// The account that owns the resources: twelve digits.
    pub account: String,
    /// The region that they are in.
    pub region: String,
}

/// What the resources of a stack are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The Kinesis stream.
    pub stream: String,
    /// The table.
    pub table: String,
    /// Where the stream mappings send what they give up.
    pub on_failure: String,
    /// Where messages go that the hydrator cannot finish.
    pub hydrator_dead_letters: String,
    /// Where recovered records and loss reports go.
    pub recovered: String,
    /// Where recovered records go that do not fit into a message of the recovered queue.
    pub claim_checks: String,
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    /// The services, where they are the stack's own.
    pub emulator: Option<Emulator>,
    /// Clients of the services, and what else a function of the stack has to know of them.
    pub site: Site,
    /// What the resources are called.
    pub names: Names,
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

/// The attribute that is the table's key.
pub(crate) const TABLE_KEY: &str = "order_id";

/// After how many receives a message of the on-failure queue goes to the hydrator's dead-letter queue.
const MAX_RECEIVE_COUNT: u16 = 5;

/// How many invocations of the hydrator run side by side: AWS's least `MaximumConcurrency`.
pub(crate) const HYDRATOR_CONCURRENCY: usize = 2;

/// The emulated services have no bound on reads, and a demo should not wait for one.
const READS_PER_SECOND: &str = "1000";

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

impl Site {
    /// The services of an emulator.
    #[must_use]
    pub fn of_emulator(emulator: &Emulator) -> Self {
        let endpoints = emulator.endpoints();
        let clients = Clients::for_endpoints(&endpoints.kinesis, &endpoints.dynamodb, &endpoints.sqs, emulator::REGION);
        // It has no bound on reads, and a demo should not wait for one.
        let reads = ("READS_PER_SECOND".to_owned(), READS_PER_SECOND.to_owned());
        Self {
            clients: clients.with_s3(&endpoints.s3),
            environment: [endpoints.environment(), vec![reads]].concat(),
            account: emulator::ACCOUNT.to_owned(),
            region: emulator::REGION.to_owned(),
        }
    }
}

impl Default for Names {
    /// Names of a stack that has the services for itself.
    fn default() -> Self {
        Self {
            stream: "orders".to_owned(),
            table: "orders".to_owned(),
            on_failure: "on-failure".to_owned(),
            hydrator_dead_letters: "hydrator-dead-letters".to_owned(),
            recovered: "recovered".to_owned(),
            claim_checks: "claim-checks".to_owned(),
        }
    }
}

impl Names {
    /// The same names behind a prefix, for services that others use as well.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |name| format!("{prefix}-{name}");
        let Self { stream, table, on_failure, hydrator_dead_letters, recovered, claim_checks } = Self::default();
        Self {
            stream: name(stream),
            table: name(table),
            on_failure: name(on_failure),
            hydrator_dead_letters: name(hydrator_dead_letters),
            recovered: name(recovered),
            claim_checks: name(claim_checks),
        }
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
        let site = Site::of_emulator(&emulator);
        Ok(Self { emulator: Some(emulator), ..Self::on(site, Names::default(), config).await? })
    }

    /// The same on services that run already. What it creates there stays.
    ///
    /// # Errors
    ///
    /// When a service refuses a resource.
    pub async fn on(site: Site, names: Names, config: StackConfig) -> anyhow::Result<Self> {
        let clients = &site.clients;
        create_bucket(clients, &names.claim_checks).await?;
        let stream = create_kinesis_stream(clients, &names.stream, config.shards).await?;
        let table_stream = create_table(clients, &names.table, TABLE_KEY).await?;
        let queues = Queues::create(clients, &names, config.visibility_timeout()).await?;
        let functions = Functions::prepare(&config, &site, &names, &queues);
        Ok(Self { emulator: None, site, names, stream, table_stream, queues, functions, config })
    }

    /// Clients of the services.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.site.clients
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
        list_shards(self.clients(), stream).await.with_context(|| format!("failed to list the shards of `{stream}`"))
    }

    /// Reads the streams.
    pub(crate) fn reader(&self) -> AwsStreamReader {
        AwsStreamReader::new(self.clients().clone())
    }

    /// Ends the functions, children included, and then the services, where they are its own.
    pub async fn shutdown(self) {
        let Functions { kinesis_processor, dynamodb_processor, dlq_hydrator } = &self.functions;
        tokio::join!(kinesis_processor.shutdown(), dynamodb_processor.shutdown(), dlq_hydrator.shutdown());
        if let Some(emulator) = self.emulator {
            emulator.shutdown().await;
        }
    }
}

impl Queues {
    async fn create(clients: &Clients, names: &Names, visibility_timeout: Duration) -> anyhow::Result<Self> {
        let retention = Duration::from_secs(14 * 24 * 60 * 60);
        let plain = QueueSettings { visibility_timeout, retention, redrive: None };
        let hydrator_dead_letters = create_queue(clients, &names.hydrator_dead_letters, &plain).await?;
        let redrive =
            Redrive { dead_letter_arn: hydrator_dead_letters.arn.clone(), max_receive_count: MAX_RECEIVE_COUNT };
        let redriven = QueueSettings { redrive: Some(redrive), ..plain.clone() };
        Ok(Self {
            on_failure: create_queue(clients, &names.on_failure, &redriven).await?,
            hydrator_dead_letters,
            recovered: create_queue(clients, &names.recovered, &plain).await?,
        })
    }
}

impl Functions {
    fn prepare(config: &StackConfig, site: &Site, names: &Names, queues: &Queues) -> Self {
        let function = |name: &str, program, concurrency, extra: Vec<(String, String)>| {
            let mut function = FunctionConfig::new(name, program);
            function.environment = [site.environment.clone(), extra].concat();
            function.account_id.clone_from(&site.account);
            function.region.clone_from(&site.region);
            function.timeout = config.function_timeout;
            function.maximum_concurrency = concurrency;
            function.log = config.log.clone();
            Function::new(function)
        };
        let Binaries { kinesis_processor, dynamodb_processor, dlq_hydrator } = &config.binaries;
        let hydrator = vec![
            ("SINK".to_owned(), queues.recovered.url.clone()),
            ("SINK_BATCH_MAX_BYTES".to_owned(), SQS_MESSAGE_BYTES_MAX.to_string()),
            ("INVOKE_IDENTITY_ARN".to_owned(), processor_role(site)),
            ("CLAIM_CHECK".to_owned(), format!("s3://{}", names.claim_checks)),
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
pub(crate) fn processor_role(site: &Site) -> String {
    format!("arn:aws:iam::{}:role/kinesis-processor", site.account)
}
