//! All randomness of a world: one seed, split by what it is for, so that one component's draws do not shift another's.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::ops::RangeInclusive;

/// A sequence of draws.
#[derive(Debug, Clone)]
pub struct Chance(SmallRng);

impl Chance {
    /// The sequence of one component of a world.
    #[must_use]
    pub fn new(seed: u64, component: &str) -> Self {
        Self(SmallRng::seed_from_u64(seed ^ hash(component)))
    }

    /// Whether something happens that does so `per_mille` times in a thousand.
    pub fn happens(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.0.random_range(0..1_000) < per_mille
    }

    /// A number of the range.
    pub fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.0.random_range(range)
    }

    /// An index below `count`; 0 where there is none.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count.max(1))
    }

    /// One of these.
    pub fn one_of<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[self.below(N)]
    }

    /// A seed for something with a generator of its own.
    pub fn seed(&mut self) -> u64 {
        self.0.random()
    }
}

/// FNV-1a with a finish that spreads short texts: the same on every machine and in every release.
#[must_use]
pub fn hash(text: &str) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}
