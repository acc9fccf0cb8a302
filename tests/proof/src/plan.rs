//! What is random about a world, drawn from its seed before it begins.

mod draw;
mod settings;

pub use settings::{FUNCTION_ARN, QUEUE_ARN, ROLE_ARN, TOPIC_ARN};

use records::StreamKind;

/// One world. Times are milliseconds; rates are per mille of the calls, records or invocations they are about.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Decides everything.
    pub seed: u64,
    /// How many records are produced.
    pub records: usize,
    /// Which kind of stream.
    pub kind: StreamKind,
    /// The stream.
    pub stream: StreamPlan,
    /// Those who put records into it.
    pub producer: ProducerPlan,
    /// The mapping.
    pub mapping: MappingPlan,
    /// The function.
    pub function: FunctionPlan,
    /// Where the mapping tells what it gave up.
    pub destination: DestinationPlan,
    /// What recovers it.
    pub hydrator: HydratorPlan,
    /// From then on no service and no process fails any more. What the records themselves do to their handler goes on.
    pub calm_after_ms: i64,
}

/// How the stream behaves.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// Shards at the beginning.
    pub shards: usize,
    /// When shards are split or merged.
    pub reshards_ms: Vec<i64>,
    /// How long a record is kept for certain.
    pub retention_ms: i64,
    /// How much later it is trimmed.
    pub trim_lag_ms: i64,
    /// The most records of a page, whatever is asked for.
    pub page_max: usize,
    /// Pages that are empty although there is more.
    pub empty_pages: u32,
    /// From when to when every page is empty, and says that there is nothing newer.
    pub stalled_ms: Option<(i64, i64)>,
    /// Iterators that expire before their time.
    pub expired: u32,
    /// Reads that the service throttles.
    pub throttled: u32,
    /// Reads that fail on the way.
    pub transient: u32,
    /// Whether a shard answers five reads a second and no more, whoever reads.
    pub reads_limited: bool,
    /// The longest that a read takes.
    pub latency_max_ms: i64,
}

/// What is produced.
#[derive(Debug, Clone)]
pub struct ProducerPlan {
    /// Distinct keys.
    pub keys: usize,
    /// How long it takes to produce everything; 0 is one burst.
    pub span_ms: i64,
    /// Records that come at one moment, at most.
    pub burst_max: usize,
    /// Records with a fate that is not to be handled at once.
    pub troubled: u32,
    /// Records that take longer than others.
    pub slow: u32,
    /// The longest payload in bytes.
    pub payload_max: usize,
}

/// The settings of the mapping.
#[derive(Debug, Clone)]
pub struct MappingPlan {
    pub batch_size: i64,
    pub window_s: i64,
    pub parallelization: i64,
    /// The length of a tumbling window; 0 for none.
    pub tumbling_s: i64,
    pub retries: i64,
    pub record_age_s: i64,
    pub bisect: bool,
    /// Without it the function throws where it would report.
    pub reports: bool,
    pub filter: Option<Filter>,
    /// Polls of an idle shard.
    pub poll_interval_ms: i64,
    /// When the mapping is switched off, and on again.
    pub switched_ms: Vec<i64>,
}

/// What the mapping's filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// A field of the payload or of the new image.
    Payload,
    /// Something around it: the partition key, or the kind of change.
    Envelope,
}

/// How the function is set and how it fails.
#[derive(Debug, Clone)]
pub struct FunctionPlan {
    pub concurrency: usize,
    pub skip_handled: bool,
    /// Whether invalid records go to a quarantine, and how often that fails.
    pub quarantine: Option<u32>,
    pub timeout_ms: i64,
    pub margin_ms: i64,
    /// Invocations that are killed half-way.
    pub crashes: u32,
    /// Invocations whose process believes that it has more time than it has.
    pub overruns: u32,
    /// Invocations that never reach the function.
    pub throttles: u32,
    /// Environments that are thrown away after an invocation.
    pub recycled: u32,
    /// Windows that cannot be closed.
    pub close_fails: u32,
}

/// Where the mapping tells what it gave up.
#[derive(Debug, Clone)]
pub struct DestinationPlan {
    pub kind: Destination,
    /// Messages that it does not take.
    pub refuses: u32,
    /// Messages that it takes, and says that it did not.
    pub denies: u32,
}

/// Kinds of destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    Nowhere,
    Queue,
    Topic { raw: bool },
    Bucket,
}

/// The hydrator behind its queue.
#[derive(Debug, Clone)]
pub struct HydratorPlan {
    pub batch_size: i64,
    pub window_s: i64,
    pub pollers: usize,
    pub max_receive: u32,
    pub visibility_ms: i64,
    pub timeout_ms: i64,
    pub margin_ms: i64,
    pub crashes: u32,
    pub throttles: u32,
    /// Messages that come again although they were deleted.
    pub duplicates: u32,
    /// Reads of objects, look-ups of filters and sends that fail.
    pub service_fails: u32,
    pub sink_fails: u32,
    /// The longest that a write takes.
    pub sink_latency_max_ms: i64,
    /// Whether the sink makes an object of a range, or takes entry by entry.
    pub sink_of_objects: bool,
    pub held_bytes_max: usize,
    /// Whether somebody moves dead letters back once the world is calm.
    pub redriven: bool,
    /// Whether the mapping's filters are found when they are looked up.
    pub filters_known: bool,
}
