//! A process and all of its children that did not leave its group.

use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// The group that a process leads, from its start until its leader was reaped.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Pid,
    /// The end of signalling: once it is set, the number may belong to another group. Held while a signal is sent.
    ended: Mutex<bool>,
}

impl ProcessGroup {
    /// The group of a process that was started with `process_group(0)`; `None` if `pid` cannot be one.
    pub(crate) fn of_leader(pid: u32) -> Option<Self> {
        let leader = Pid::from_raw(i32::try_from(pid).ok()?)?;
        Some(Self { leader, ended: Mutex::new(false) })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.leader.as_raw_pid().unsigned_abs()
    }

    /// Asks every process of the group to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends every process of the group.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Kills what the leader left behind, and never signals this number again.
    ///
    /// To be called right after the leader was reaped. The kernel does not give out the number of a group that has members;
    /// of an empty group it could, but hands out numbers in turn, so that this one is not next.
    pub(crate) fn end(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if !*ended {
            let _ = kill_process_group(self.leader, Signal::KILL);
            *ended = true;
        }
    }

    /// Whether the leader runs, asked of the kernel: true knowledge before anybody has waited for it. Reaps nothing.
    pub(crate) fn is_alive(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        !*ended && matches!(waitid(WaitId::Pid(self.leader), options), Ok(None))
    }

    fn signal(&self, signal: Signal) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if !*ended {
            // The only failure left is that nobody is there any more.
            let _ = kill_process_group(self.leader, signal);
        }
    }
}

/// Ends the group when it is dropped: with the task that waits for the leader, even if that is with the whole runtime.
#[derive(Debug)]
pub(crate) struct EndOnDrop(pub(crate) Arc<ProcessGroup>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::process::{CommandExt, ExitStatusExt},
        process::{Child, Command},
    };

    use super::*;

    fn start() -> (Child, ProcessGroup) {
        let child = Command::new("sleep").arg("3600").process_group(0).spawn().unwrap();
        let group = ProcessGroup::of_leader(child.id()).unwrap();
        (child, group)
    }

    #[test]
    fn a_dead_leader_is_known_before_it_is_reaped() {
        let (mut child, group) = start();
        assert!(group.is_alive());
        group.kill();
        while group.is_alive() {
            std::thread::yield_now();
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9), "the look at it reaped nothing");
    }

    #[test]
    fn an_ended_group_is_not_alive() {
        let (mut child, group) = start();
        group.end();
        assert!(!group.is_alive());
        child.wait().unwrap();
    }

    #[test]
    fn no_group_has_the_number_zero() {
        assert!(ProcessGroup::of_leader(0).is_none(), "a signal to it would hit ourselves");
    }
}
