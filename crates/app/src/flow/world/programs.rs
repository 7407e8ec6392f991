//! The programs that a step started, also those that left its session: found in `/proc`, and ended.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flow::JobKey;
use rustix::process::{Pid, Signal, kill_process};

/// How long they may take to end, once they are asked to.
const GRACE: Duration = Duration::from_millis(500);
/// How long their end may take once they are killed.
const DIE_WITHIN: Duration = Duration::from_secs(20);
/// How soon it is looked whether they have, at first, and then twice as late each time: most end at once.
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// How often it is looked at the least.
const LOOK: Duration = Duration::from_millis(20);

/// What an attempt started and has not ended, wherever it went: the session of its leader, all that descends from that,
/// all that has the attempt's mark in its environment, and all that descends from these.
///
/// What has ended and was not reaped is none of it: whoever is to reap it, a process 1 that was made for other things,
/// may take its time.
///
/// A cgroup would hold also what forks twice and clears its environment between two looks. Moving a process into one took
/// between 0.1 and 33 ms, which is more than a whole step may cost.
pub(super) struct Family {
    leader: Option<i32>,
    marks: [Vec<u8>; 3],
    /// Found before, so that whoever loses its parents is known all the same.
    members: HashSet<Process>,
    /// Found to be none of it.
    strangers: HashSet<Process>,
}

impl Family {
    /// `leader` leads the session that the attempt's program was started in, as far as it is known.
    pub(super) fn of(key: &JobKey, leader: Option<u32>) -> Self {
        let mark = |name: &str, value: &str| format!("SWITCHYARD_{name}={value}").into_bytes();
        Self {
            leader: leader.and_then(|leader| i32::try_from(leader).ok()),
            marks: [
                mark("RUN", &key.run),
                mark("STEP", &key.step),
                mark("ATTEMPT", &key.attempt.to_string()),
            ],
            members: HashSet::new(),
            strangers: HashSet::new(),
        }
    }

    /// Asks all of them to end.
    pub(super) fn ask_to_end(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Kills those that have not ended a while later, and waits for that. Says whether none is left.
    pub(super) async fn end(&mut self) -> bool {
        let asked = async {
            let mut wait = FIRST_LOOK;
            while !self.look().is_empty() {
                tokio::time::sleep(wait).await;
                wait = LOOK.min(2 * wait);
            }
        };
        if tokio::time::timeout(GRACE, asked).await.is_ok() {
            return true;
        }
        let killed = async {
            // What they start meanwhile is of the family as well.
            while self.signal(Signal::KILL) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(DIE_WITHIN, killed).await.is_ok()
    }

    fn signal(&mut self, signal: Signal) -> usize {
        let found = self.look();
        for pid in &found {
            // It may be gone by now.
            let _ = kill_process(*pid, signal);
        }
        found.len()
    }

    /// Those of them that run now.
    fn look(&mut self) -> Vec<Pid> {
        let us = std::process::id();
        let running: HashMap<i32, Running> = running()
            .filter(|running| running.process.pid.unsigned_abs() != us)
            .map(|running| (running.process.pid, running))
            .collect();
        self.members.retain(|known| {
            running
                .get(&known.pid)
                .is_some_and(|now| now.process == *known)
        });
        for found in running.values() {
            let known = &found.process;
            if self.members.contains(known) || self.strangers.contains(known) {
                continue;
            }
            let in_session = self.leader == Some(found.session) || self.leader == Some(found.group);
            if in_session || self.is_marked(&found.directory) {
                self.members.insert(known.clone());
            } else {
                self.strangers.insert(known.clone());
            }
        }
        // Children of members, and theirs.
        loop {
            let born: Vec<Process> = running
                .values()
                .filter(|found| !self.members.contains(&found.process))
                .filter(|found| {
                    let parent = running.get(&found.parent);
                    parent.is_some_and(|parent| self.members.contains(&parent.process))
                })
                .map(|found| found.process.clone())
                .collect();
            if born.is_empty() {
                break;
            }
            self.members.extend(born);
        }
        self.members
            .iter()
            .filter_map(|known| Pid::from_raw(known.pid))
            .collect()
    }

    fn is_marked(&self, directory: &Path) -> bool {
        std::fs::read(directory.join("environ")).is_ok_and(|environment| {
            let has = |mark: &Vec<u8>| {
                let mut entries = environment.split(|byte| *byte == 0);
                entries.any(|entry| entry == mark.as_slice())
            };
            self.marks.iter().all(has)
        })
    }
}

/// A process, for ever: the system gives ids again, but not together with the time that they began.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Process {
    pid: i32,
    began: u64,
}

/// A process that has not ended.
struct Running {
    process: Process,
    parent: i32,
    group: i32,
    session: i32,
    directory: PathBuf,
}

impl Running {
    fn of(pid: i32, directory: PathBuf) -> Option<Self> {
        let stat = std::fs::read_to_string(directory.join("stat")).ok()?;
        // The name, in parentheses, may hold anything: the fields are counted from behind it.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        let (parent, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let session = fields.next()?.parse().ok()?;
        let began = fields.nth(15)?.parse().ok()?;
        Some(Self {
            process: Process { pid, began },
            parent,
            group,
            session,
            directory,
        })
    }
}

fn running() -> impl Iterator<Item = Running> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Running::of(pid, entry.path())
    })
}
