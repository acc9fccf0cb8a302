//! Many records: batches on many lanes and slots, a few of which fail, are cut, given up and recovered.

use timeline::InvocationOutcome::{Failed, Handled, Partial};
use timeline::{Run, Timeline};

use crate::story::{Place, Story};

pub fn timeline(title: &str, lanes: u32, slots: u16, records: u32, batch_size: u32) -> Timeline {
    let subtitle =
        format!("{records} records · {lanes} shards · ParallelizationFactor {slots} · BatchSize {batch_size}");
    let mut crowd = Crowd { story: Story::new(title, &subtitle), seed: 42 };
    for lane in 0..lanes {
        crowd.story.lane(&format!("shardId-{lane:012}"), if lane % 4 == 3 { "dynamodb" } else { "kinesis" }, slots);
    }
    let places = u64::from(lanes) * u64::from(slots);
    for (number, _) in (0u64..).zip(0..records / batch_size) {
        let at = (number % places) as u32;
        crowd.batch(Place { lane: at % lanes, slot: (at / lanes) as u16 }, batch_size);
    }
    crowd.story.end()
}

struct Crowd {
    story: Story,
    seed: u64,
}

impl Crowd {
    fn batch(&mut self, place: Place, size: u32) {
        let batch = self.story.records(place.lane, size);
        let pause_ms = self.below(12);
        self.story.wait(place, pause_ms);
        // About four in a thousand are poison, as in the demo.
        if self.below(250) < u64::from(size) {
            let poison = batch.first + self.below(size.into()) as u32;
            self.poisoned(place, batch, poison);
        } else {
            let took_ms = self.below(30);
            self.story.invoke(place, batch, took_ms, Handled);
        }
    }

    /// Partial answers up to the poison, a retry, then the poison alone to the destination and the rest by itself.
    fn poisoned(&mut self, place: Place, batch: Run, poison: u32) {
        let handled = poison - batch.first;
        let outcome = if handled == 0 { Failed } else { Partial { handled } };
        let first = self.story.invoke(place, batch, 20, outcome);
        self.story.wait(place, 1_000);
        let rest = Run { first: poison, last: batch.last };
        let mut last = self.story.invoke_after(place, rest, 10, Failed, Some(first));
        if poison < batch.last {
            self.story.split(last, 1);
            let alone = self.story.invoke_after(place, Run { first: poison, last: poison }, 2, Failed, Some(last));
            let behind = Run { first: poison + 1, last: batch.last };
            self.story.invoke_after(place, behind, 15, Handled, Some(last));
            last = alone;
        }
        let delivered = self.below(20) != 0;
        let message = self.story.give_up(last, delivered);
        if delivered {
            let verdict = if self.below(25) == 0 { "Expired" } else { "Complete" };
            self.story.recover(message, 3_000, verdict);
        }
    }

    /// A number below the limit: the next of a linear congruential generator, its better half.
    fn below(&mut self, limit: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % limit
    }
}
