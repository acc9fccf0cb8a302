//! The kernel's list of processes.

use std::fs;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A process, told from a later one of the same number by the time it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pid: u32,
    pub name: String,
    parent: u32,
    started: String,
}

impl Process {
    /// Reads `/proc/PID/stat`, which is `pid (name) state parent ... start time ...`. A zombie is no process.
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (head, tail) = stat.rsplit_once(") ")?;
        let (_, name) = head.split_once(" (")?;
        let fields: Vec<&str> = tail.split(' ').collect();
        let (state, parent, started) = (*fields.first()?, fields.get(1)?.parse().ok()?, *fields.get(19)?);
        (state != "Z").then(|| Self { pid, name: name.to_owned(), parent, started: started.to_owned() })
    }

    fn is_alive(&self) -> bool {
        Self::of(self.pid).is_some_and(|now| now.started == self.started)
    }
}

/// The children of a process.
pub fn children_of(parent: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::of).filter(|process| process.parent == parent).collect()
}

/// Waits until none of the processes is alive.
#[track_caller]
pub fn all_end(processes: Vec<Process>, bound: Duration) -> impl Future<Output = ()> {
    let deadline = Instant::now() + bound;
    async move {
        loop {
            let alive: Vec<_> = processes.iter().filter(|process| process.is_alive()).collect();
            if alive.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "still alive after {bound:?}: {alive:#?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}
