//! How much memory Switchyard takes, all of its processes together.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::{App, Code, Error};

/// What Switchyard takes in memory, in megabytes. A page that several processes share counts once, in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MemoryUse {
    /// This process, and those in which its page is drawn.
    pub window_mb: u32,
    /// The pane host; none when the panes live in this process. The programs in the panes are not counted.
    pub host_mb: Option<u32>,
}

impl App {
    /// How much memory is in use; nothing where the system does not say. It takes some milliseconds: ask rarely.
    ///
    /// # Errors
    ///
    /// [`Code::HostDown`].
    pub async fn memory_use(&self) -> Result<Option<MemoryUse>, Error> {
        let host = match self.0.here {
            None => Some(self.0.panes.health().await?.pid),
            Some(_) => None,
        };
        let look = move || {
            let proc = Path::new("/proc");
            window_kb(proc, std::process::id()).map(|window| MemoryUse {
                window_mb: megabytes(window),
                host_mb: host.and_then(|pid| kilobytes(proc, pid)).map(megabytes),
            })
        };
        tokio::task::spawn_blocking(look)
            .await
            .map_err(|error| Error::new(Code::Failed, error.to_string()))
    }
}

fn megabytes(kilobytes: u64) -> u32 {
    u32::try_from(kilobytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// What a process and its web view's processes take. Its other children are other people's programs.
fn window_kb(proc: &Path, pid: u32) -> Option<u64> {
    let own = kilobytes(proc, pid)?;
    let children = fs::read_dir(proc)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|child| draws_for(proc, *child, pid));
    Some(
        own + children
            .filter_map(|child| kilobytes(proc, child))
            .sum::<u64>(),
    )
}

/// Whether a process is one of WebKit's, started by `parent`.
fn draws_for(proc: &Path, pid: u32, parent: u32) -> bool {
    // PID (NAME) STATE PARENT …; a name may hold spaces and parentheses.
    let Ok(stat) = fs::read_to_string(proc.join(pid.to_string()).join("stat")) else {
        return false;
    };
    let Some((head, tail)) = stat.rsplit_once(") ") else {
        return false;
    };
    let is_child = tail.split(' ').nth(1) == Some(parent.to_string().as_str());
    is_child && head.contains("(WebKit")
}

/// A process's share of memory.
fn kilobytes(proc: &Path, pid: u32) -> Option<u64> {
    let maps = fs::read_to_string(proc.join(pid.to_string()).join("smaps_rollup")).ok()?;
    let line = maps.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_views_processes_count_and_the_programs_in_panes_do_not() {
        let proc = tempfile::tempdir().unwrap();
        let process = |pid: u32, name: &str, parent: u32, kb: u32| {
            let dir = proc.path().join(pid.to_string());
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join("stat"), format!("{pid} ({name}) S {parent} 1 1 0")).unwrap();
            let maps =
                format!("5500-7fff ---p 00000000 00:00 0 [rollup]\nRss: 9999 kB\nPss: {kb} kB\n");
            fs::write(dir.join("smaps_rollup"), maps).unwrap();
        };
        process(7, "switchyard", 1, 50_000);
        process(8, "WebKitWebProces", 7, 200_000);
        process(9, "WebKitNetworkPr", 7, 10_000);
        process(10, "bash", 7, 5_000);
        process(11, "WebKitWebProces", 1, 90_000);
        fs::create_dir(proc.path().join("self")).unwrap();
        assert_eq!(window_kb(proc.path(), 7), Some(260_000));
        assert_eq!(window_kb(proc.path(), 12), None);
    }
}
