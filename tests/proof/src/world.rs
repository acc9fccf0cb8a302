//! A world from its beginning to the end of its account.

use crate::clock::BEGIN;
use crate::ledger::{Ledger, Outcome, Terms, Writer};
use crate::plan::{Destination, Plan};
use crate::produce::{Product, delivered, produce};
use crate::sabotage::Sabotage;
use crate::stream::Stream;
use crate::{Clock, chance, hydration, lock, mapping};
use event_source_mapping::Settings;
use event_source_mapping::sqs::Queue;
use futures_util::future::{join, join_all};
use records::EpochMillis;
use recovery::{Envelope, OnFailureMessage};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// A world that is not done by then never will be.
const LASTS_AT_MOST: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Steps of the models after which a world turns in circles.
const STEPS_MAX: u64 = 3_000_000;

/// When an object was closed, and the entries in it.
type Object = (EpochMillis, Vec<String>);

/// What the parts of a world share.
pub struct World {
    pub plan: Plan,
    pub clock: Clock,
    pub stream: Arc<Stream>,
    pub ledger: Mutex<Ledger>,
    /// The on-failure queue, with its dead-letter queue behind it.
    pub queue: Mutex<Queue>,
    /// The on-failure bucket.
    pub objects: Mutex<HashMap<String, String>>,
    /// The objects of the hydrator's sink, if it makes any, by name.
    pub sunk: Mutex<BTreeMap<String, Object>>,
    pub sabotage: Option<Sabotage>,
    /// Why the last messages that stayed on their queue did so.
    pub stayed: Mutex<VecDeque<String>>,
    story: Option<Mutex<Vec<String>>>,
    mapping_is_done: AtomicBool,
    steps: AtomicU64,
}

/// Runs the world of a plan, in its own virtual time.
#[must_use]
pub fn run(plan: Plan, sabotage: Option<Sabotage>) -> Outcome {
    run_told(plan, sabotage, false)
}

/// Runs the world of a plan, and tells its story if that is wanted.
#[must_use]
pub fn run_told(plan: Plan, sabotage: Option<Sabotage>, is_told: bool) -> Outcome {
    fastrand::seed(plan.seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without I/O needs nothing").block_on(async {
        let world = Arc::new(World::new(plan, sabotage, is_told));
        if timeout(LASTS_AT_MOST, live(&world)).await.is_err() {
            lock(&world.ledger).complain("the world is stuck: it does not end within 30 days");
        }
        world.close()
    })
}

async fn live(world: &Arc<World>) {
    let settings = match Settings::from_json(&world.plan.settings().to_string()) {
        Ok(settings) => settings,
        Err(error) => return lock(&world.ledger).complain(&format!("the plan is not legal: {error}")),
    };
    let mapped = async {
        join(produce(world), mapping::run_mapping(world, settings)).await;
        world.mapping_is_done.store(true, Relaxed);
    };
    join(mapped, hydrate(world, "hydrator")).await;
    // Once the world is calm, somebody looks after the dead letters.
    world.clock.sleep_until(EpochMillis(BEGIN.0 + world.plan.calm_after_ms)).await;
    for round in 0..3 {
        if world.plan.hydrator.redriven && world.redrive() > 0 {
            hydrate(world, &format!("redrive {round}")).await;
        }
    }
}

async fn hydrate(world: &Arc<World>, name: &str) {
    let pollers =
        (0..world.plan.hydrator.pollers).map(|index| hydration::Poller::new(world, &format!("{name} {index}")));
    join_all(pollers.map(hydration::Poller::run)).await;
}

impl World {
    fn new(plan: Plan, sabotage: Option<Sabotage>, is_told: bool) -> Self {
        let clock = Clock::start();
        let stream = Stream::new(plan.kind, plan.stream.clone(), plan.calm_after_ms, clock);
        let terms = Terms {
            stream_arn: plan.stream_arn(),
            retries: u32::try_from(plan.mapping.retries).ok(),
            record_age_ms: (plan.mapping.record_age_s >= 0).then_some(plan.mapping.record_age_s * 1_000),
            retention_ms: plan.stream.retention_ms,
            has_destination: plan.destination.kind != Destination::Nowhere,
            is_redriven: plan.hydrator.redriven,
            has_windows: plan.mapping.tumbling_s > 0,
            hydrator_is_calm: plan.is_calm_for_the_hydrator(),
        };
        let dead_letters = Queue::new(60_000);
        let queue = Queue::new(plan.hydrator.visibility_ms).with_redrive(plan.hydrator.max_receive, dead_letters);
        Self {
            ledger: Mutex::new(Ledger::new(terms, plan.producer.keys)),
            clock,
            stream: Arc::new(stream),
            queue: Mutex::new(queue),
            objects: Mutex::default(),
            sunk: Mutex::default(),
            sabotage,
            stayed: Mutex::default(),
            story: is_told.then(Mutex::default),
            mapping_is_done: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            plan,
        }
    }

    /// Whether services and processes may still fail.
    pub fn is_faulty(&self) -> bool {
        self.clock.elapsed_ms() < self.plan.calm_after_ms
    }

    /// The hash of a key, which chooses its shard and its slot.
    pub fn hash_of(&self, key: usize) -> u64 {
        chance::hash(&format!("key-{key}"))
    }

    /// Puts a record into the stream and onto the account.
    pub fn put(&self, product: Product) {
        let shard = self.stream.shard_of(self.hash_of(product.key));
        let delivered = delivered(&product.record, self, shard);
        let mut ledger = lock(&self.ledger);
        let record = Arc::new(product.record.clone());
        let trims_at = self.stream.put(shard, ledger.next_id(), record);
        ledger.produced(product, delivered, shard, trims_at);
    }

    /// Whether the queue is empty for good.
    pub fn is_drained(&self) -> bool {
        self.mapping_is_done.load(Relaxed) && lock(&self.queue).is_empty()
    }

    /// Notes what happens, if anybody asked for it.
    pub fn tell(&self, what: impl FnOnce() -> String) {
        if let Some(story) = &self.story {
            lock(story).push(format!("{} ms: {}", self.clock.elapsed_ms(), what()));
        }
    }

    /// Counts a step of a model. A world in which time stands still would never end otherwise.
    pub fn count_step(&self) {
        let steps = self.steps.fetch_add(1, Relaxed);
        assert!(steps < STEPS_MAX, "the world turns in circles at {} ms", self.clock.elapsed_ms());
    }

    /// Moves the dead letters back into a queue with time enough, and says how many.
    fn redrive(&self) -> usize {
        let now = self.clock.now();
        let mut queue = lock(&self.queue);
        let messages = queue.dead_letter_queue().map_or(Vec::new(), |queue| queue.receive(now, usize::MAX));
        *queue = Queue::new(24 * 3_600_000).with_redrive(3, Queue::new(60_000));
        messages.iter().for_each(|message| drop(queue.send(now, message.body.clone())));
        messages.len()
    }

    /// The ranges that messages among the dead letters name, by their first and last number.
    fn dead_letters(&self) -> Vec<(String, String)> {
        let mut queue = lock(&self.queue);
        let messages = queue.dead_letter_queue().map(|queue| queue.receive(self.clock.now(), usize::MAX));
        let messages = messages.into_iter().flatten().flat_map(|message| match Envelope::parse(&message.body) {
            Ok(Envelope::OnFailure(message)) => vec![*message],
            Ok(Envelope::Objects(objects)) => {
                objects.iter().filter_map(|object| self.message_of(&object.key)).collect()
            }
            Ok(Envelope::Test) | Err(_) => Vec::new(),
        });
        messages.map(|message| (message.range.start().to_string(), message.range.end().to_string())).collect()
    }

    fn message_of(&self, key: &str) -> Option<OnFailureMessage> {
        OnFailureMessage::parse(lock(&self.objects).get(key)?).ok()
    }

    fn close(&self) -> Outcome {
        let dead_letters = self.dead_letters();
        let now = self.clock.now();
        let mut ledger = lock(&self.ledger);
        if self.plan.hydrator.sink_of_objects {
            // Objects that were replaced are no one's evidence.
            ledger.forget_sink();
            for (written_at, entries) in lock(&self.sunk).values() {
                entries.iter().for_each(|body| ledger.written(Writer::Hydrator, body, *written_at));
            }
        }
        let mut outcome = ledger.close(&dead_letters, now);
        if !outcome.complaints.is_empty() {
            let stayed = std::mem::take(&mut *lock(&self.stayed));
            outcome.complaints.extend(stayed.into_iter().map(|reason| format!("(a message stayed: {reason})")));
        }
        outcome.story = self.story.as_ref().map(|story| std::mem::take(&mut *lock(story))).unwrap_or_default();
        outcome
    }
}
