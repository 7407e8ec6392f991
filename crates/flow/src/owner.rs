//! Whose a run is: only one process drives it, others look on, and take over when that one is gone.

use std::fs;

use serde::{Deserialize, Serialize};
use specta::Type;

/// A process, told apart from a later one with the same id and from one before the last boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Owner {
    /// Its id.
    pub pid: u32,
    /// When it started, in the system's own count.
    pub started: String,
    /// Which boot it belongs to.
    pub boot: String,
}

/// Tells who we are, and whether another is still there.
pub trait Owners: Send + Sync + 'static {
    /// This process.
    fn me(&self) -> Owner;
    /// Whether `owner` still runs.
    fn is_alive(&self, owner: &Owner) -> bool;
    /// Whether `owner` was stopped by a signal, so that it answers nothing until it is continued.
    fn is_stopped(&self, _owner: &Owner) -> bool {
        false
    }
}

/// The processes of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemOwners;

impl Owners for SystemOwners {
    fn me(&self) -> Owner {
        let pid = std::process::id();
        Owner {
            pid,
            started: started(pid).unwrap_or_default(),
            boot: boot(),
        }
    }

    fn is_alive(&self, owner: &Owner) -> bool {
        if owner.boot != boot() {
            return false;
        }
        match started(owner.pid) {
            Some(started) => started == owner.started,
            None => owner.started.is_empty() && exists(owner.pid),
        }
    }

    fn is_stopped(&self, owner: &Owner) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", owner.pid))
            .ok()
            .as_deref()
            .and_then(state)
            .is_some_and(|state| matches!(state, "T" | "t"))
    }
}

/// The state of a process, from its line in `/proc`.
fn state(stat: &str) -> Option<&str> {
    // The name, in parentheses, may hold anything: the fields are counted from behind it.
    stat[stat.rfind(')')? + 1..].split_whitespace().next()
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// When a process started, in clock ticks since boot; none where `/proc` does not say. A process that
/// has ended and was not reaped yet is gone.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything: the fields are counted from behind it.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

fn exists(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_stopped_from_one_signal_to_another() {
        use rustix::process::{Pid, Signal, kill_process};
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .current_dir("/")
            .spawn()
            .expect("a program starts");
        let owner = Owner {
            pid: child.id(),
            started: String::new(),
            boot: String::new(),
        };
        let pid = Pid::from_child(&child);
        let until = |stopped| {
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
            while SystemOwners.is_stopped(&owner) != stopped {
                assert!(std::time::Instant::now() < deadline, "it is seen in time");
                std::thread::yield_now();
            }
        };
        until(false);
        kill_process(pid, Signal::STOP).expect("it is there");
        until(true);
        kill_process(pid, Signal::CONT).expect("it is there");
        until(false);
        child.kill().expect("it is there");
        child.wait().expect("it ends");
    }

    #[test]
    fn this_process_is_alive_and_earlier_ones_are_not() {
        let owners = SystemOwners;
        let me = owners.me();
        assert!(owners.is_alive(&me));
        assert!(!owners.is_alive(&Owner {
            started: "1".to_owned(),
            ..me.clone()
        }));
        assert!(!owners.is_alive(&Owner {
            boot: "another".to_owned(),
            ..me
        }));
    }
}
