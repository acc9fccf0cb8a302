//! How long records took: thousands of them a batch, in a few kilobytes and without a sort.

use std::time::Duration;

/// Up to so many are kept as they are. It is what a metric can hold.
const EXACT_MAX: usize = 100;

/// Buckets for each doubling: a value that stands for its bucket is wrong by 3 percent at most.
const BUCKETS_PER_DOUBLING: usize = 16;

/// Buckets for every duration that has 64 bits of nanoseconds.
const BUCKETS: usize = (64 - 3) * BUCKETS_PER_DOUBLING;

/// Equal steps from the smallest to the largest, where there are more than [`EXACT_MAX`]. An even number, so that the median
/// is among the values.
const STEPS: u64 = 98;

/// Durations of records.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    /// The first ones, in nanoseconds.
    exact: Vec<u64>,
    /// All of them, by size, once there are too many.
    buckets: Vec<u32>,
    count: u64,
    min: u64,
    max: u64,
}

impl Latencies {
    /// Takes one in.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.min = if self.count == 0 { nanos } else { self.min.min(nanos) };
        self.max = self.max.max(nanos);
        self.count += 1;
        if self.exact.len() < EXACT_MAX {
            self.exact.push(nanos);
            return;
        }
        if self.buckets.is_empty() {
            self.buckets = vec![0; BUCKETS];
            self.exact.iter().for_each(|nanos| self.buckets[bucket(*nanos)] += 1);
        }
        self.buckets[bucket(nanos)] += 1;
    }

    /// Number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// At most 100 values that stand for all, in milliseconds. Of more, the smallest and the largest are exact, and what is
    /// between stands at equal distances in their order: percentiles stay true, to 3 percent.
    #[must_use]
    pub fn values_ms(&self) -> Vec<f64> {
        if self.buckets.is_empty() {
            return self.exact.iter().map(|nanos| milliseconds(*nanos)).collect();
        }
        let mut values = Vec::with_capacity(EXACT_MAX);
        let mut buckets = self.buckets.iter().enumerate();
        let (mut seen, mut index) = (0, 0);
        for step in 0..=STEPS {
            let rank = (step * (self.count - 1) + STEPS / 2) / STEPS;
            while seen <= rank {
                let Some((next, count)) = buckets.next() else { break };
                (index, seen) = (next, seen + u64::from(*count));
            }
            values.push(milliseconds(middle(index).clamp(self.min, self.max)));
        }
        values[0] = milliseconds(self.min);
        values[STEPS as usize] = milliseconds(self.max);
        values
    }
}

/// Small values have a bucket each; larger ones are told by the place of their first bit and the four bits behind it.
fn bucket(nanos: u64) -> usize {
    if nanos < BUCKETS_PER_DOUBLING as u64 {
        return nanos as usize;
    }
    let shift = 59 - nanos.leading_zeros();
    (shift as usize + 1) * BUCKETS_PER_DOUBLING + (nanos >> shift) as usize % BUCKETS_PER_DOUBLING
}

/// What stands in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    if bucket < BUCKETS_PER_DOUBLING {
        return bucket as u64;
    }
    let shift = bucket / BUCKETS_PER_DOUBLING - 1;
    let first = ((bucket % BUCKETS_PER_DOUBLING + BUCKETS_PER_DOUBLING) as u64) << shift;
    first + ((1_u64 << shift) >> 1)
}

fn milliseconds(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nanos: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        nanos.into_iter().for_each(|nanos| latencies.record(Duration::from_nanos(nanos)));
        latencies
    }

    #[test]
    fn few_are_kept_as_they_are() {
        assert!(of([]).values_ms().is_empty());
        assert_eq!(of([1_500_000, 250_000]).values_ms(), [1.5, 0.25]);
        assert_eq!(of(1..=100).values_ms().len(), 100);
    }

    #[test]
    fn of_many_the_ends_are_exact_and_percentiles_are_true_to_three_percent() {
        let latencies = of((1..=10_000).map(|n| n * 1_000));
        let values = latencies.values_ms();
        assert_eq!((latencies.count(), values.len()), (10_000, 99));
        assert_eq!((values[0], values[98]), (0.001, 10.0));
        for (step, value) in values.iter().enumerate().skip(1) {
            let expected = 10.0 * step as f64 / 98.0;
            assert!((value / expected - 1.0).abs() < 0.035, "step {step}: {value}, expected {expected}");
        }
        assert!(values.is_sorted());
        assert_eq!(of(std::iter::repeat_n(7_000_000, 5_000)).values_ms(), [7.0; 99]);
    }

    #[test]
    fn every_duration_has_a_bucket_and_its_middle_is_in_it() {
        let powers = (0..64).flat_map(|bit| [1_u64 << bit, (1_u64 << bit) - 1, (1_u64 << bit) + (1 << bit >> 1)]);
        for nanos in powers.chain([0, u64::MAX]) {
            let index = bucket(nanos);
            assert!(index < BUCKETS, "{nanos}");
            assert_eq!(bucket(middle(index)), index, "{nanos}");
            assert!(middle(index).abs_diff(nanos) <= nanos / 16, "{nanos}");
        }
    }
}
