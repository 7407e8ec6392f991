//! The programs that a step started, also those that left its process group: found in `/proc`, and ended.

use std::path::PathBuf;
use std::time::Duration;

use flow::JobKey;
use rustix::process::{Pid, Signal, kill_process, test_kill_process_group};

/// How long those that left may take to end, once they are asked to.
const GRACE: Duration = Duration::from_millis(500);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until nothing of a process group runs any more. What has ended and was not reaped runs no more: whoever is to
/// reap it, a process 1 that was made for other things, may take its time.
pub(super) async fn are_gone_within(group: Pid, limit: Duration) -> bool {
    let gone = async {
        while test_kill_process_group(group).is_ok() && any_runs_in(group) {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(limit, gone).await.is_ok()
}

/// The processes that carry the mark of an attempt in their environment, wherever they went.
pub(super) struct Marked {
    marks: [Vec<u8>; 3],
}

impl Marked {
    pub(super) fn of(key: &JobKey) -> Self {
        let mark = |name: &str, value: &str| format!("SWITCHYARD_{name}={value}").into_bytes();
        Self {
            marks: [
                mark("RUN", &key.run),
                mark("STEP", &key.step),
                mark("ATTEMPT", &key.attempt.to_string()),
            ],
        }
    }

    /// Asks all of them to end.
    pub(super) fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Kills those that have not ended a while later, and waits for that.
    pub(super) async fn kill(&self) {
        let gone = async {
            while !self.find().is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(GRACE, gone).await.is_ok() {
            return;
        }
        // What they start meanwhile has the mark as well.
        for _ in 0..10 {
            if self.signal(Signal::KILL) == 0 {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        tracing::warn!("programs that a step left behind do not end");
    }

    fn signal(&self, signal: Signal) -> usize {
        let found = self.find();
        for pid in &found {
            // It may be gone by now.
            let _ = kill_process(*pid, signal);
        }
        found.len()
    }

    fn find(&self) -> Vec<Pid> {
        processes()
            .filter(|(pid, directory)| {
                *pid != rustix::process::getpid()
                    && Running::of(directory).is_some()
                    && std::fs::read(directory.join("environ")).is_ok_and(|environment| {
                        let has = |mark: &Vec<u8>| {
                            let mut entries = environment.split(|byte| *byte == 0);
                            entries.any(|entry| entry == mark.as_slice())
                        };
                        self.marks.iter().all(has)
                    })
            })
            .map(|(pid, _)| pid)
            .collect()
    }
}

/// Whether a process has children that run.
pub(in crate::flow) fn waits_for_a_program(pid: u32) -> bool {
    processes()
        .filter_map(|(_, directory)| Running::of(&directory))
        .any(|process| u32::try_from(process.parent) == Ok(pid))
}

/// All processes, with their directories in `/proc`.
fn processes() -> impl Iterator<Item = (Pid, PathBuf)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((Pid::from_raw(pid)?, entry.path()))
    })
}

/// A process that has not ended.
struct Running {
    parent: i32,
    group: i32,
}

impl Running {
    fn of(directory: &std::path::Path) -> Option<Self> {
        let stat = std::fs::read_to_string(directory.join("stat")).ok()?;
        // The name, in parentheses, may hold anything: the fields are counted from behind it.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        Some(Self {
            parent: fields.next()?.parse().ok()?,
            group: fields.next()?.parse().ok()?,
        })
    }
}

fn any_runs_in(group: Pid) -> bool {
    let group = group.as_raw_nonzero().get();
    processes()
        .filter_map(|(_, directory)| Running::of(&directory))
        .any(|process| process.group == group)
}
