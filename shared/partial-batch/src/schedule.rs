//! The decision: which record may start now. Pure: it knows positions and keys, and starts nothing itself.
//!
//! Records of one key run one after the other, keys run side by side, and never more than `limit` at once. Once a
//! record fails, nothing behind the lowest failing position is started; what stands before it still is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};

/// Where a record stands in its batch. Records that a producer packed together have their parts behind each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    /// Index in `Records`, counted from 0.
    pub record: usize,
    /// Index within an aggregated record, counted from 0; 0 for a record that is one record.
    pub part: usize,
}

/// A key as a number: two keys that share one wait for each other without need, and that is all.
pub(crate) type KeyHash = u64;

/// What runs, what waits for its key, and how far records may be started.
#[derive(Debug)]
pub(crate) struct Schedule<U> {
    limit: usize,
    running: usize,
    /// Keys of which a record runs or is ready, each with the positions that wait for it.
    taken: HashMap<KeyHash, VecDeque<Position>>,
    /// What may run now, for its key has come free. Its key counts as taken.
    ready: BinaryHeap<Reverse<(Position, KeyHash)>>,
    waiting: BTreeMap<Position, U>,
    lowest_failure: Option<Position>,
}

impl<U> Schedule<U> {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            running: 0,
            taken: HashMap::new(),
            ready: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            lowest_failure: None,
        }
    }

    /// Whether another record may run beside those that do.
    pub fn has_room(&self) -> bool {
        self.running < self.limit
    }

    /// Whether a record at this position may still be started.
    pub fn may_start(&self, position: Position) -> bool {
        self.lowest_failure.is_none_or(|failure| position < failure)
    }

    /// A record that had to wait and need not any more, with the key that it holds: the lowest one.
    pub fn next_ready(&mut self) -> Option<(U, KeyHash)> {
        let Reverse((position, key)) = self.ready.pop()?;
        // Positions only grow from here on: when the lowest one may not start, none may.
        if !self.may_start(position) {
            return None;
        }
        self.waiting.remove(&position).map(|unit| (unit, key))
    }

    /// Takes in the next record of the batch. `Some` when it may start at once, with no key taken yet; otherwise it
    /// waits until its key is free. The key is asked for only when anything runs at all.
    pub fn admit(&mut self, position: Position, unit: U, key: impl FnOnce(&U) -> KeyHash) -> Option<U> {
        if self.taken.is_empty() {
            return Some(unit);
        }
        match self.taken.get_mut(&key(&unit)) {
            Some(queue) => {
                queue.push_back(position);
                self.waiting.insert(position, unit);
                None
            }
            None => Some(unit),
        }
    }

    /// A record runs that did not finish at once.
    pub fn started(&mut self, key: KeyHash) {
        self.running += 1;
        self.taken.entry(key).or_default();
    }

    /// A record is done that was counted as running.
    pub fn ended(&mut self, key: KeyHash) {
        self.running -= 1;
        self.release(key);
    }

    /// A record that holds its key is done with: the next one of that key is ready.
    pub fn release(&mut self, key: KeyHash) {
        match self.taken.get_mut(&key).map(VecDeque::pop_front) {
            Some(Some(next)) => self.ready.push(Reverse((next, key))),
            Some(None) => drop(self.taken.remove(&key)),
            None => {}
        }
    }

    /// A record failed: nothing behind it is started any more.
    pub fn failed(&mut self, position: Position) {
        self.lowest_failure = Some(self.lowest_failure.map_or(position, |lowest| lowest.min(position)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(record: usize) -> Position {
        Position { record, part: 0 }
    }

    /// Admits a record that carries its position as the unit, and starts it if it may.
    fn offer(schedule: &mut Schedule<usize>, record: usize, key: KeyHash) -> bool {
        let starts = schedule.admit(at(record), record, |_| key).is_some();
        if starts {
            schedule.started(key);
        }
        starts
    }

    #[test]
    fn records_of_one_key_wait_for_each_other_and_come_in_order() {
        let mut schedule = Schedule::new(4);
        assert!(offer(&mut schedule, 0, 7));
        assert!(!offer(&mut schedule, 1, 7) && !offer(&mut schedule, 2, 7));
        assert!(offer(&mut schedule, 3, 8), "another key runs beside it");
        assert_eq!(schedule.next_ready(), None);
        schedule.ended(7);
        assert_eq!(schedule.next_ready(), Some((1, 7)));
        assert!(!offer(&mut schedule, 4, 7), "the key is taken by the ready one");
        schedule.started(7);
        schedule.ended(7);
        assert_eq!(schedule.next_ready(), Some((2, 7)));
    }

    #[test]
    fn never_more_than_the_limit_runs() {
        let mut schedule = Schedule::new(2);
        assert!(offer(&mut schedule, 0, 1) && schedule.has_room());
        assert!(offer(&mut schedule, 1, 2) && !schedule.has_room());
        schedule.ended(1);
        assert!(schedule.has_room());
    }

    #[test]
    fn nothing_behind_the_lowest_failure_starts_and_what_stands_before_it_does() {
        let mut schedule = Schedule::new(9);
        assert!(offer(&mut schedule, 0, 7) && !offer(&mut schedule, 1, 7));
        assert!(offer(&mut schedule, 2, 8) && !offer(&mut schedule, 3, 8));
        assert!(offer(&mut schedule, 4, 9));
        schedule.failed(at(4));
        schedule.failed(at(2));
        assert!(schedule.may_start(at(1)) && !schedule.may_start(at(2)) && !schedule.may_start(at(3)));
        schedule.ended(9);
        schedule.ended(8);
        assert_eq!(schedule.next_ready(), None, "the third waits behind the failure");
        schedule.ended(7);
        assert_eq!(schedule.next_ready(), Some((1, 7)), "the first is before it");
    }

    #[test]
    fn parts_of_a_record_stand_behind_each_other() {
        assert!(Position { record: 1, part: 9 } < Position { record: 2, part: 0 });
        assert!(Position { record: 1, part: 1 } < Position { record: 1, part: 2 });
    }
}
