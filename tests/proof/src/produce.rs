//! Those who put records into the stream, and what is to become of each record.

use crate::plan::{Filter, Plan, ProducerPlan, ROLE_ARN};
use crate::world::World;
use crate::{Chance, lock};
use records::{
    AttributeValue, DynamoDbRecord, EpochMillis, EventName, Item, KinesisRecord, SequenceNumber, StreamArn, StreamKind,
    StreamRecord,
};
use std::sync::Arc;

/// What a handler makes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is handled.
    Fine,
    /// It fails so often, and is handled then.
    FailsTimes(u32),
    /// It fails always.
    Fails,
    /// It is wrong, and its handler says so.
    Invalid,
    /// Its handler panics so often.
    PanicsTimes(u32),
    /// Its handler never ends.
    Hangs,
}

/// A record about to be put.
pub struct Product {
    /// The record as the stream has it.
    pub record: StreamRecord,
    /// Which key it has.
    pub key: usize,
    /// What a handler makes of it.
    pub fate: Fate,
    /// How long its handler takes.
    pub slow_ms: i64,
    /// Whether the mapping's filter lets it through.
    pub passes: bool,
}

/// Puts all records, reshards in between, and closes the stream.
pub async fn produce(world: &Arc<World>) {
    let plan = &world.plan;
    let mut chance = Chance::new(plan.seed, "producer");
    let mut numbers = Numbers::new(plan.kind, &mut chance);
    let mut reshards = plan.stream.reshards_ms.iter().copied().peekable();
    let mut produced = 0;
    while produced < plan.records {
        let burst = 1 + chance.below(plan.producer.burst_max);
        for _ in 0..burst.min(plan.records - produced) {
            let number = numbers.next(&mut chance);
            let product = product(plan, &mut chance, number, world.clock.now());
            world.put(product);
            produced += 1;
        }
        // Bursts are as far apart as it takes to fill the span, more or less.
        let left = i64::try_from((plan.records - produced).div_ceil(plan.producer.burst_max.div_ceil(2))).unwrap_or(1);
        let gap_ms = 2 * (plan.producer.span_ms - world.clock.elapsed_ms()).max(0) / left.max(1);
        world.clock.pause(chance.within(0..=gap_ms)).await;
        while reshards.next_if(|at_ms| *at_ms <= world.clock.elapsed_ms()).is_some() {
            world.stream.reshard(&mut chance);
        }
    }
    reshards.for_each(|_| world.stream.reshard(&mut chance));
    world.stream.close();
    lock(&world.ledger).all_produced();
}

fn product(plan: &Plan, chance: &mut Chance, number: SequenceNumber, now: EpochMillis) -> Product {
    let ProducerPlan { keys, payload_max, .. } = plan.producer;
    let key = chance.below(keys);
    let keep = chance.happens(700);
    let text = "x".repeat(chance.below(payload_max));
    let (record, passes_envelope, keep) = match plan.kind {
        StreamKind::Kinesis => kinesis(chance, number, now, key, keep, &text),
        StreamKind::DynamoDb => dynamodb(chance, number, now, key, keep, text),
    };
    let passes = match plan.mapping.filter {
        None => true,
        Some(Filter::Payload) => keep,
        Some(Filter::Envelope) => passes_envelope,
    };
    let (fate, slow_ms) = fate(plan, chance);
    Product { record, key, fate, slow_ms, passes }
}

fn fate(plan: &Plan, chance: &mut Chance) -> (Fate, i64) {
    let slow = chance.happens(plan.producer.slow);
    let slow_ms = if slow { chance.within(1..=plan.function.timeout_ms / 2) } else { 0 };
    if !chance.happens(plan.producer.troubled) {
        return (Fate::Fine, slow_ms);
    }
    let times = 1 + u32::try_from(chance.below(3)).unwrap_or(0);
    let fate = match chance.below(10) {
        0..3 => Fate::FailsTimes(times),
        3..5 => Fate::Fails,
        5..8 => Fate::Invalid,
        8 => Fate::PanicsTimes(times + 1),
        _ => Fate::Hangs,
    };
    (fate, slow_ms)
}

/// A record, whether a filter of the envelope lets it through, and whether one of the payload does.
type Record = (StreamRecord, bool, bool);

fn kinesis(
    chance: &mut Chance,
    number: SequenceNumber,
    now: EpochMillis,
    key: usize,
    keep: bool,
    text: &str,
) -> Record {
    // What is no JSON matches no pattern of the data.
    let is_json = !chance.happens(50);
    let data = if is_json {
        format!(r#"{{"keep":{keep},"text":"{text}","number":"{number}"}}"#)
    } else {
        format!("\u{1}{number} {text}")
    };
    let partition_key = format!("key-{key}");
    let passes_envelope = partition_key.starts_with("key-1");
    let record = KinesisRecord {
        sequence_number: number,
        partition_key,
        data: data.into_bytes(),
        approximate_arrival: Some(now),
        encryption_type: chance.happens(50).then(|| "KMS".to_owned()),
    };
    (StreamRecord::Kinesis(record), passes_envelope, keep && is_json)
}

fn dynamodb(
    chance: &mut Chance,
    number: SequenceNumber,
    now: EpochMillis,
    key: usize,
    keep: bool,
    text: String,
) -> Record {
    let event_name = chance.one_of([EventName::Insert, EventName::Modify, EventName::Remove]);
    let keys = Item::from([("id".to_owned(), AttributeValue::S(format!("key-{key}")))]);
    let mut image = keys.clone();
    image.insert("keep".to_owned(), AttributeValue::Bool(keep));
    image.insert("text".to_owned(), AttributeValue::S(text));
    image.insert("number".to_owned(), AttributeValue::S(number.to_string()));
    let has_new = event_name != EventName::Remove;
    let record = DynamoDbRecord {
        event_id: format!("change-{number}"),
        event_name,
        event_version: "1.1".to_owned(),
        aws_region: "us-east-1".to_owned(),
        // Whole seconds, as the service has them.
        approximate_creation: Some(EpochMillis(now.0 - now.0.rem_euclid(1_000))),
        keys,
        new_image: has_new.then(|| image.clone()),
        old_image: (event_name != EventName::Insert).then_some(image),
        sequence_number: number,
        size_bytes: Some(100),
        stream_view_type: Some("NEW_AND_OLD_IMAGES".to_owned()),
        user_identity: None,
    };
    (StreamRecord::DynamoDb(Box::new(record)), event_name != EventName::Modify, keep && has_new)
}

/// Sequence numbers: unique over all shards, ascending, of unequal length, some with leading zeros.
struct Numbers {
    prefix: String,
    next: u128,
}

impl Numbers {
    fn new(kind: StreamKind, chance: &mut Chance) -> Self {
        let zeros = if chance.happens(100) { "00" } else { "" };
        match kind {
            StreamKind::Kinesis => {
                Self { prefix: format!("{zeros}495903382714902566"), next: 10_u128.pow(37) + u128::from(chance.seed()) }
            }
            // On its way from 22 digits to 23.
            StreamKind::DynamoDb => {
                Self { prefix: zeros.to_owned(), next: 10_u128.pow(22) - u128::from(chance.seed() % 500_000_000_000) }
            }
        }
    }

    fn next(&mut self, chance: &mut Chance) -> SequenceNumber {
        self.next += 1 + u128::from(chance.seed() % 1_000_000_000);
        SequenceNumber::parse(&format!("{}{}", self.prefix, self.next)).expect("digits make a sequence number")
    }
}

/// The record as Lambda delivers it.
pub fn delivered(record: &StreamRecord, world: &World, shard: usize) -> String {
    let stream = StreamArn::parse(world.plan.stream_arn()).expect("the plan names a stream");
    let delivered = record.delivered(&stream, &world.stream.id_of(shard), Some(ROLE_ARN));
    delivered.expect("a record is JSON").get().to_owned()
}
