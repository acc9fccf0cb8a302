//! What a world comes to, in numbers.

/// How many of a world's records ended how, and what it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records that were put into the stream.
    pub produced: u64,
    /// Those that the function handled.
    pub handled: u64,
    /// Those that the mapping's filter dropped.
    pub filtered: u64,
    /// Those that the processor quarantined.
    pub quarantined: u64,
    /// Those that came back through the hydrator.
    pub recovered: u64,
    /// Those that the hydrator reported lost.
    pub lost: u64,
    /// Those that AWS dropped: no destination, one that failed, or a window out of retries.
    pub dropped: u64,
    /// Those that the stream forgot before the mapping was done with them.
    pub trimmed: u64,
    /// Those that are named by a message in the hydrator's own dead-letter queue.
    pub dead_letters: u64,
    /// Invocations of the processor.
    pub invocations: u64,
    /// Records in those invocations, each time anew.
    pub deliveries: u64,
    /// On-failure messages.
    pub messages: u64,
}

impl Totals {
    /// Adds those of another world.
    pub fn add(&mut self, other: &Self) {
        self.produced += other.produced;
        self.handled += other.handled;
        self.filtered += other.filtered;
        self.quarantined += other.quarantined;
        self.recovered += other.recovered;
        self.lost += other.lost;
        self.dropped += other.dropped;
        self.trimmed += other.trimmed;
        self.dead_letters += other.dead_letters;
        self.invocations += other.invocations;
        self.deliveries += other.deliveries;
        self.messages += other.messages;
    }
}
