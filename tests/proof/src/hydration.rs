//! The on-failure queue and the real hydrator behind it: messages that come twice, invocations that are killed, services
//! that fail, and somebody who moves dead letters back in the end.

use crate::plan::{HydratorPlan, QUEUE_ARN, ROLE_ARN};
use crate::sabotage::Sabotage;
use crate::sink::RecoverySink;
use crate::stream::Reader;
use crate::world::World;
use crate::{Chance, lock};
use event_source_mapping::sqs::{Received, SqsAction, SqsInput, SqsMapping, SqsSettings};
use event_source_mapping::{FunctionResult, Timing};
use records::{EpochMillis, ShardId, StreamArn};
use recovery::{
    Bounds, Hydration, Hydrator, ObjectRef, Outcome, Page, Position, QueueMessage, ReadError, ServiceError, Settings,
    ShardIterator, StreamReader, StreamSummary, Surroundings, TimeLimit,
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, timeout};

type Process = Hydrator<HydratorReader, RecoverySink, Around>;

/// Polls the queue, one invocation after the other, until the queue is empty and nobody will send to it.
pub struct Poller {
    world: Arc<World>,
    chance: Chance,
    process: Option<Process>,
}

impl Poller {
    /// A poller of a name of its own.
    #[must_use]
    pub fn new(world: &Arc<World>, name: &str) -> Self {
        Self { world: Arc::clone(world), chance: Chance::new(world.plan.seed, name), process: None }
    }

    /// Polls until there is nothing left to do.
    pub async fn run(mut self) {
        let plan = self.world.plan.hydrator.clone();
        let timing = Timing { poll_interval_ms: Some(5_000), ..Timing::default() };
        let mut mapping: SqsMapping<Received> = SqsMapping::new(Arc::new(settings(&plan)), timing);
        let mut input = SqsInput::Tick;
        loop {
            let now = self.world.clock.now();
            self.world.count_step();
            input = match mapping.step(now, input) {
                SqsAction::Receive { .. } if self.world.is_drained() => return,
                SqsAction::Receive { max } => SqsInput::Received(lock(&self.world.queue).receive(now, max)),
                SqsAction::Invoke { .. } => SqsInput::Responded(self.invoke(mapping.batch()).await),
                SqsAction::Delete { .. } => {
                    mapping.batch().iter().for_each(|message| self.delete(message));
                    SqsInput::Deleted
                }
                SqsAction::WaitUntil(time) => {
                    self.world.clock.sleep_until(time).await;
                    SqsInput::Tick
                }
            };
        }
    }

    /// Deletes a message; a standard queue may deliver it once more all the same.
    fn delete(&mut self, message: &Received) {
        let mut queue = lock(&self.world.queue);
        queue.delete(message.receipt);
        if self.world.is_faulty() && self.chance.happens(self.world.plan.hydrator.duplicates) {
            queue.send(self.world.clock.now(), message.body.clone());
        }
    }

    async fn invoke(&mut self, batch: &[Received]) -> FunctionResult {
        let plan = self.world.plan.hydrator.clone();
        let is_faulty = self.world.is_faulty();
        // Whoever moves dead letters back gives the function time to finish them.
        let timeout_ms = if is_faulty { plan.timeout_ms } else { plan.timeout_ms.max(300_000) };
        let overhead_ms = self.chance.within(1..=100);
        self.world.clock.pause(overhead_ms).await;
        if is_faulty && self.chance.happens(plan.throttles) {
            return FunctionResult::Undelivered;
        }
        let crashes = is_faulty && self.chance.happens(plan.crashes);
        let bound_ms = self.chance.one_of([100, 2_000, timeout_ms]);
        let killed_after_ms = if crashes { self.chance.within(0..=bound_ms) } else { timeout_ms };
        let process = match self.process.take() {
            Some(process) => process,
            None => process(&self.world, self.chance.seed()),
        };
        let message = |message: &Received| QueueMessage {
            message_id: message.message_id.clone(),
            body: message.body.clone(),
            queue_arn: QUEUE_ARN.to_owned(),
        };
        let messages: Vec<QueueMessage> = batch.iter().map(message).collect();
        self.world.tell(|| format!("hydrator invoked with {messages:?}"));
        let limit = TimeLimit::until(Instant::now() + milliseconds(timeout_ms - plan.margin_ms));
        let ended = timeout(milliseconds(killed_after_ms), process.hydrate(&messages, limit)).await;
        let Ok(hydration) = ended else { return FunctionResult::Failed };
        self.world.tell(|| format!("hydrated {:?}", hydration.messages));
        self.process = Some(process);
        self.note_reasons(&hydration);
        let stay = hydration.messages.iter().filter(|message| !message.is_done());
        FunctionResult::reporting(stay.map(|message| message.message_id.as_str()))
    }
}

impl Poller {
    /// Remembers why messages stayed, for whoever has to find out what is wrong with a world.
    fn note_reasons(&self, hydration: &Hydration) {
        let mut stayed = lock(&self.world.stayed);
        for part in hydration.messages.iter().flat_map(|message| &message.parts) {
            if let Outcome::Stays(error) = &part.outcome {
                let range = part.message.as_ref().map(|message| message.range.to_string());
                stayed.push_back(format!("{} ms, {range:?}: {error}", self.world.clock.elapsed_ms()));
            }
        }
        while stayed.len() > REASONS_MAX {
            stayed.pop_front();
        }
    }
}

/// Reasons that are remembered.
const REASONS_MAX: usize = 5;

fn settings(plan: &HydratorPlan) -> SqsSettings {
    let settings = json!({
        "EventSourceArn": QUEUE_ARN,
        "FunctionName": "dlq-hydrator",
        "BatchSize": plan.batch_size,
        "MaximumBatchingWindowInSeconds": plan.window_s,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    SqsSettings::from_json(&settings.to_string()).expect("the plan is legal")
}

/// A process of the hydrator, which knows nothing yet.
fn process(world: &Arc<World>, seed: u64) -> Process {
    let reader =
        HydratorReader { world: Arc::clone(world), reader: Reader::new(&world.stream, Chance::new(seed, "reads")) };
    let sink = RecoverySink::new(world, Chance::new(seed, "sink"));
    let around = Around { world: Arc::clone(world), chance: Mutex::new(Chance::new(seed, "services")) };
    let settings = Settings {
        bounds: Bounds::default(),
        held_bytes_max: world.plan.hydrator.held_bytes_max,
        invoke_identity_arn: Some(ROLE_ARN.to_owned()),
        ..Settings::default()
    };
    Hydrator::new(reader, sink, around, settings)
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// The stream as the hydrator reads it.
struct HydratorReader {
    world: Arc<World>,
    reader: Reader,
}

impl StreamReader for HydratorReader {
    async fn iterator(&self, stream: &StreamArn, shard: &ShardId, at: &Position) -> Result<ShardIterator, ReadError> {
        self.reader.iterator(stream, shard, at).await
    }

    async fn page(&self, stream: &StreamArn, iterator: &ShardIterator, limit: u32) -> Result<Page, ReadError> {
        let mut page = self.reader.page(stream, iterator, limit).await?;
        if self.world.sabotage == Some(Sabotage::ShardCutShort) && !page.records.is_empty() {
            page.records.truncate(1);
            page.next = None;
        }
        Ok(page)
    }

    async fn summary(&self, stream: &StreamArn) -> Result<StreamSummary, ReadError> {
        self.reader.summary(stream).await
    }
}

/// The services around the hydrator.
struct Around {
    world: Arc<World>,
    chance: Mutex<Chance>,
}

impl Around {
    async fn travel(&self, what: &str) -> Result<(), ServiceError> {
        let fails = self.world.is_faulty() && lock(&self.chance).happens(self.world.plan.hydrator.service_fails);
        let latency_ms = lock(&self.chance).within(0..=200);
        self.world.clock.pause(latency_ms).await;
        if fails {
            return Err(ServiceError { message: format!("failed to {what}: told to fail"), is_missing: false });
        }
        Ok(())
    }
}

impl Surroundings for Around {
    async fn object(&self, object: &ObjectRef) -> Result<String, ServiceError> {
        self.travel("read an object").await?;
        let text = lock(&self.world.objects).get(&object.key).cloned();
        text.ok_or_else(|| ServiceError { message: format!("no object `{}`", object.key), is_missing: true })
    }

    async fn filter_patterns(&self, _function: &str, _stream: &StreamArn) -> Result<Option<Vec<String>>, ServiceError> {
        self.travel("look up a mapping").await?;
        let patterns = self.world.plan.pattern().into_iter().map(str::to_owned).collect();
        Ok(self.world.plan.hydrator.filters_known.then_some(patterns))
    }

    async fn send(&self, queue_arn: &str, body: &str) -> Result<(), ServiceError> {
        self.travel("send a message").await?;
        if queue_arn != QUEUE_ARN {
            lock(&self.world.ledger).complain(&format!("the hydrator sends to {queue_arn}, which is not its queue"));
        }
        lock(&self.world.queue).send(self.world.clock.now(), body);
        Ok(())
    }

    fn now(&self) -> EpochMillis {
        self.world.clock.now()
    }
}
