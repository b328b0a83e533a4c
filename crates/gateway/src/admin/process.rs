//! What the system knows of this process, where there is a `/proc`.

use std::fs;

/// Figures of the process; `None` where the system has no `/proc`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    /// Resident memory, in bytes.
    pub(super) resident: Option<u64>,
    /// Open file descriptors.
    pub(super) descriptors: Option<u64>,
    /// The most open file descriptors.
    pub(super) max_descriptors: Option<u64>,
}

// === impl Process ===

impl Process {
    pub(super) fn read() -> Self {
        let text = |file: &str| fs::read_to_string(file).unwrap_or_default();
        Self {
            resident: resident(&text("/proc/self/status")),
            // Reading the folder opens one more.
            descriptors: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|all| all.count().saturating_sub(1) as u64),
            max_descriptors: max_descriptors(&text("/proc/self/limits")),
        }
    }
}

/// The line `VmRSS:    12345 kB`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The line `Max open files   1024   4096   files`: the soft limit; `None` if it is unlimited.
fn max_descriptors(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_the_limit_of_descriptors_are_read() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\nVmData: 1 kB\n"), Some(1234 * 1024));
        assert_eq!(resident(""), None);
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n";
        assert_eq!(max_descriptors(limits), Some(1024));
        assert_eq!(max_descriptors("Max open files  unlimited unlimited files"), None);
    }
}
