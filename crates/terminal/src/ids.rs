//! Ids of panes: counted in a file, so that none is given twice, not even after a restart.
//!
//! The file says where the next process begins. It is written for many ids at once, because it has to be on disk
//! before any of them is given, and that takes the disk's time; the ids that a killed process did not give are left out.
//! It is written in place, for which a full disk has room; where even that fails, ids are told by the clock.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::types::PaneId;
use clock::Clock;

const FILE: &str = "next-pane";
/// So many are written down at once.
const AT_ONCE: u32 = 64;
/// From here on ids are given that nothing on disk tells of: one for each second since 2026, and the next when there are more.
const BY_CLOCK: u32 = 2_000_000_000;
const CLOCK_FROM_MS: u64 = 1_767_225_600_000;

pub(crate) struct Ids {
    file: Option<PathBuf>,
    clock: Clock,
    given: Mutex<Given>,
}

struct Given {
    next: u32,
    /// No file says yet that this one, and those that follow, may be given.
    reserved: u32,
    /// The next one that may be given by the clock.
    by_clock: u32,
}

impl Ids {
    /// Goes on where the counter in `dir` is; without a directory, counts from 1.
    pub(crate) fn open(dir: Option<&Path>, clock: Clock) -> io::Result<Self> {
        let of = |file, next, reserved| Self {
            file,
            clock,
            given: Mutex::new(Given {
                next,
                reserved,
                by_clock: BY_CLOCK,
            }),
        };
        let Some(dir) = dir else {
            return Ok(of(None, 1, u32::MAX));
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        let file = dir.join(FILE);
        let next = match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        // A counter that was lost or damaged must not make old ids new.
        let highest = fs::read_dir(dir)?
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name();
                let digits: String = name
                    .to_str()?
                    .chars()
                    .take_while(char::is_ascii_digit)
                    .collect();
                digits.parse::<u32>().ok()
            })
            .filter(|id| *id < BY_CLOCK)
            .max()
            .unwrap_or(0);
        let next = next.max(highest.saturating_add(1));
        Ok(of(Some(file), next, next))
    }

    /// An id that was never given before; that it is given is written down before it is used.
    pub(crate) fn next(&self) -> io::Result<PaneId> {
        let mut given = self.given.lock();
        let id = given.next;
        let after = id
            .checked_add(1)
            .filter(|after| *after < BY_CLOCK)
            .ok_or_else(|| io::Error::other("all ids have been given"))?;
        if after > given.reserved {
            let reserved = id.saturating_add(AT_ONCE);
            if let Err(error) = self.write(reserved) {
                tracing::warn!(%error, "an id of a pane could not be written down");
                return Ok(self.by_clock(&mut given));
            }
            given.reserved = reserved;
        }
        given.next = after;
        Ok(PaneId(id.into()))
    }

    fn by_clock(&self, given: &mut Given) -> PaneId {
        let seconds = self.clock.now_ms().saturating_sub(CLOCK_FROM_MS) / 1_000;
        let now = BY_CLOCK.saturating_add(u32::try_from(seconds).unwrap_or(u32::MAX));
        let id = given.by_clock.max(now);
        given.by_clock = id.saturating_add(1);
        PaneId(id.into())
    }

    fn write(&self, next: u32) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let text = format!("{next:010}\n");
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(file)?;
        file.write_all_at(text.as_bytes(), 0)?;
        file.set_len(text.len() as u64)?;
        file.sync_data()
    }
}

impl Drop for Ids {
    fn drop(&mut self) {
        let Given { next, reserved, .. } = *self.given.get_mut();
        // Those that were not given are left out otherwise, which does no harm.
        if next < reserved
            && let Err(error) = self.write(next)
        {
            tracing::debug!(%error, "ids of panes were left out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids_in(dir: &Path) -> Ids {
        Ids::open(Some(dir), Clock::system()).unwrap()
    }

    #[test]
    fn an_id_is_never_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let ids = ids_in(dir.path());
        assert_eq!(ids.next().unwrap(), PaneId(1));
        assert_eq!(ids.next().unwrap(), PaneId(2));
        drop(ids);
        let ids = ids_in(dir.path());
        assert_eq!(ids.next().unwrap(), PaneId(3));
        // As after a kill: what it gave is not known, only what it may have given.
        std::mem::forget(ids);
        let ids = ids_in(dir.path());
        assert!(ids.next().unwrap() > PaneId(3));
    }

    #[test]
    fn a_damaged_counter_goes_on_behind_the_highest_id_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "rubbish").unwrap();
        fs::create_dir(dir.path().join("41")).unwrap();
        let ids = ids_in(dir.path());
        assert_eq!(ids.next().unwrap(), PaneId(42));
    }

    #[test]
    fn a_disk_that_takes_nothing_is_no_reason_to_open_no_pane() {
        let dir = tempfile::tempdir().unwrap();
        let ids = ids_in(dir.path());
        // The counter can't be written.
        fs::create_dir(dir.path().join(FILE)).unwrap();
        let first = ids.next().unwrap();
        assert!(first > PaneId(BY_CLOCK.into()));
        assert!(ids.next().unwrap() > first);
        // Such a pane leaves a history once the disk has room again, and what was counted goes on.
        fs::create_dir(dir.path().join(first.to_string())).unwrap();
        fs::remove_dir(dir.path().join(FILE)).unwrap();
        assert_eq!(ids.next().unwrap(), PaneId(1));
        drop(ids);
        assert_eq!(ids_in(dir.path()).next().unwrap(), PaneId(2));
    }
}
