//! How long the mapping waits before it retries.

use rand::Rng;

/// Exponential back-off with jitter: **a guess** that replaces what AWS does not publish.
///
/// The only recorded datum is that 8 invocations fit into a record age of 60 s. The default meets it: seven waits take
/// 32 to 64 s together and an eighth always leads beyond 60 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait, in milliseconds.
    pub initial_ms: u32,
    /// The longest of all waits, in milliseconds.
    pub maximum_ms: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial_ms: 500, maximum_ms: 60_000 }
    }
}

impl Backoff {
    /// The wait in milliseconds after `failures` earlier ones in a row: doubled each time, of which the upper half is
    /// jitter.
    pub fn delay_ms(&self, failures: u32, jitter: &mut impl Rng) -> i64 {
        let doubled = i64::from(self.initial_ms).saturating_mul(1_i64 << failures.min(31));
        let longest = doubled.min(i64::from(self.maximum_ms));
        jitter.random_range(longest / 2..=longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    #[test]
    fn about_eight_invocations_fit_into_a_minute() {
        let invocations = |seed| {
            let mut jitter = SmallRng::seed_from_u64(seed);
            let mut time_ms = 0;
            (0..).take_while(move |n| {
                let invoked = time_ms <= 60_000;
                time_ms += Backoff::default().delay_ms(*n, &mut jitter);
                invoked
            })
        };
        let counts: Vec<usize> = (0..1000).map(|seed| invocations(seed).count()).collect();
        assert!(counts.iter().all(|count| (7..=8).contains(count)));
        assert!(counts.iter().filter(|count| **count == 8).count() > 950);
    }

    #[test]
    fn waits_stay_within_their_bounds_after_any_number_of_failures() {
        let mut jitter = SmallRng::seed_from_u64(1);
        for failures in [0, 1, 6, 7, 31, 32, u32::MAX] {
            let longest = (500_i64 << failures.min(20)).min(60_000);
            let delay_ms = Backoff::default().delay_ms(failures, &mut jitter);
            assert!((longest / 2..=longest).contains(&delay_ms), "{failures}: {delay_ms}");
        }
        assert_eq!(Backoff { initial_ms: 0, maximum_ms: 0 }.delay_ms(3, &mut jitter), 0);
    }
}
