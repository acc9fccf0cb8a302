//! What the kernel says of this process.

use std::fs;
use std::time::Duration;

/// Time on the CPU of the main thread, which does all the work.
pub(crate) fn cpu_time() -> Duration {
    let nanoseconds = fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(nanoseconds.split(' ').next().unwrap().parse().unwrap())
}

/// Memory in use, in bytes.
pub(crate) fn memory_now_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// The most memory that was in use since [`reset_memory_peak`], in bytes.
pub(crate) fn memory_peak_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// Forgets what was in use before.
pub(crate) fn reset_memory_peak() {
    // See `man 5 proc_pid_clear_refs`.
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn status_bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    kilobytes.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
