//! How a plan is drawn from its seed: often what is usual, often enough what hurts.

use super::{
    Destination, DestinationPlan, Filter, FunctionPlan, HydratorPlan, MappingPlan, Plan, ProducerPlan, StreamPlan,
};
use crate::Chance;
use records::StreamKind;

const MINUTE: i64 = 60_000;

impl Plan {
    /// The world of this seed, with so many records if that is said.
    #[must_use]
    pub fn new(seed: u64, records: Option<usize>) -> Self {
        let mut chance = Chance::new(seed, "plan");
        let chance = &mut chance;
        let kind = if chance.happens(600) { StreamKind::Kinesis } else { StreamKind::DynamoDb };
        let drawn = match chance.below(4) {
            0 => chance.within(1..=60),
            1 => chance.within(60..=300),
            _ => chance.within(300..=1_200),
        };
        let records = records.unwrap_or_else(|| usize::try_from(drawn).unwrap_or(1));
        let producer = producer(chance);
        let calm_after_ms = producer.span_ms + chance.one_of([0, 2, 10, 30]) * MINUTE;
        let mapping = mapping(chance, calm_after_ms);
        let mut stream = stream(chance, producer.span_ms);
        let endless = mapping.retries < 0 && mapping.record_age_s < 0;
        if endless {
            // A record that always fails blocks its shard until the stream forgets it.
            stream.retention_ms = stream.retention_ms.min(30 * MINUTE);
        }
        // A hint that lies while the stream keeps records beyond their retention would be believed.
        if stream.trim_lag_ms == 0 && chance.happens(300) {
            let from_ms = chance.within(0..=calm_after_ms);
            stream.stalled_ms = Some((from_ms, from_ms + chance.one_of([5_000, MINUTE, 10 * MINUTE])));
        }
        let function = function(chance);
        let destination = destination(chance);
        let hydrator = hydrator(chance);
        Self { seed, records, kind, stream, producer, mapping, function, destination, hydrator, calm_after_ms }
    }
}

fn producer(chance: &mut Chance) -> ProducerPlan {
    ProducerPlan {
        keys: chance.one_of([1, 3, 10, 50, 400]),
        span_ms: chance.one_of([0, MINUTE, 5 * MINUTE, 20 * MINUTE]),
        burst_max: chance.one_of([1, 10, 200]),
        troubled: chance.one_of([0, 5, 20, 60, 200]),
        slow: chance.one_of([0, 0, 20, 200]),
        payload_max: chance.one_of([20, 200, 200, 2_000]),
    }
}

fn stream(chance: &mut Chance, span_ms: i64) -> StreamPlan {
    let reshards = chance.one_of([0, 0, 1, 2, 4]);
    let mut reshards_ms: Vec<i64> = (0..reshards).map(|_| chance.within(0..=span_ms)).collect();
    reshards_ms.sort_unstable();
    let faulty = chance.happens(500);
    let rate = |chance: &mut Chance| if faulty { chance.one_of([0, 10, 100, 300]) } else { 0 };
    StreamPlan {
        shards: chance.one_of([1, 1, 2, 3, 4]),
        reshards_ms,
        retention_ms: chance.one_of([5 * MINUTE, 30 * MINUTE, 24 * 60 * MINUTE, 24 * 60 * MINUTE]),
        trim_lag_ms: chance.one_of([0, 1, MINUTE, 20 * MINUTE]),
        page_max: chance.one_of([2, 7, 50, 10_000, 10_000]),
        empty_pages: rate(chance),
        stalled_ms: None,
        expired: rate(chance) / 4,
        throttled: rate(chance),
        transient: rate(chance),
        reads_limited: chance.happens(500),
        latency_max_ms: chance.one_of([0, 20, 500]),
    }
}

fn mapping(chance: &mut Chance, calm_after_ms: i64) -> MappingPlan {
    let mut switched_ms = Vec::new();
    if chance.happens(150) {
        let off = chance.within(0..=calm_after_ms);
        switched_ms = vec![off, off + chance.one_of([1, 1_000, MINUTE, 20 * MINUTE])];
    }
    let batch_size = match chance.below(4) {
        0 => chance.within(1..=3),
        1 => chance.within(4..=20),
        2 => 100,
        _ => chance.within(20..=1_000),
    };
    MappingPlan {
        batch_size,
        window_s: chance.one_of([0, 0, 1, 20]),
        parallelization: if chance.happens(500) { 1 } else { chance.within(2..=10) },
        tumbling_s: chance.one_of([0, 0, 0, 0, 10, 120]),
        retries: chance.one_of([-1, 0, 0, 1, 2, 3, 6]),
        record_age_s: chance.one_of([-1, -1, 60, 300, 3_600]),
        bisect: chance.happens(500),
        reports: chance.happens(800),
        filter: match chance.below(5) {
            0 => Some(Filter::Payload),
            1 => Some(Filter::Envelope),
            _ => None,
        },
        poll_interval_ms: chance.one_of([1_000, 1_000, 5_000, 20_000]),
        switched_ms,
    }
}

fn function(chance: &mut Chance) -> FunctionPlan {
    let faulty = chance.happens(500);
    let rate = |chance: &mut Chance| if faulty { chance.one_of([0, 10, 50, 200]) } else { 0 };
    FunctionPlan {
        concurrency: chance.one_of([1, 1, 2, 8, 100]),
        skip_handled: chance.happens(700),
        quarantine: chance.happens(500).then(|| rate(chance)),
        timeout_ms: chance.one_of([3_000, 10_000, 60_000]),
        margin_ms: chance.one_of([0, 100, 500, 5_000]),
        crashes: rate(chance),
        overruns: rate(chance),
        throttles: rate(chance),
        recycled: chance.one_of([0, 50, 1_000]),
        close_fails: rate(chance),
    }
}

fn destination(chance: &mut Chance) -> DestinationPlan {
    let kind = match chance.below(10) {
        0 => Destination::Nowhere,
        1 => Destination::Topic { raw: true },
        2 => Destination::Topic { raw: false },
        3 | 4 => Destination::Bucket,
        _ => Destination::Queue,
    };
    DestinationPlan { kind, refuses: chance.one_of([0, 0, 0, 50]), denies: chance.one_of([0, 0, 0, 50]) }
}

fn hydrator(chance: &mut Chance) -> HydratorPlan {
    let faulty = chance.happens(500);
    let rate = |chance: &mut Chance| if faulty { chance.one_of([0, 20, 100, 300]) } else { 0 };
    let (timeout_ms, window_s) = (chance.one_of([5_000, 15_000, 5 * MINUTE]), chance.one_of([1, 5, 30]));
    HydratorPlan {
        batch_size: chance.one_of([1, 10, 10, 50]),
        window_s,
        pollers: chance.one_of([1, 1, 2, 4]),
        max_receive: chance.one_of([1, 3, 10]),
        // AWS wants the time-out at least, and recommends six of them and the window.
        visibility_ms: timeout_ms * chance.one_of([1, 6]) + window_s * chance.one_of([0, 1_000]),
        timeout_ms,
        margin_ms: chance.one_of([0, 500, 1_500]),
        crashes: rate(chance),
        throttles: rate(chance),
        duplicates: chance.one_of([0, 0, 50, 300]),
        service_fails: rate(chance),
        sink_fails: rate(chance),
        sink_latency_max_ms: chance.one_of([10, 100, 100, 4_000]),
        sink_of_objects: chance.happens(400),
        held_bytes_max: chance.one_of([0, 5_000, 1_000_000]),
        redriven: chance.happens(800),
        filters_known: chance.happens(700),
    }
}
