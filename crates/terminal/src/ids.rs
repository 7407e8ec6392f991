//! Ids of panes: counted in a file, so that none is given twice, not even after a restart.
//!
//! The file says where the next process begins. It is written for many ids at once, because it has to be on disk
//! before any of them is given, and that takes the disk's time; the ids that a killed process did not give are left out.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::types::PaneId;

const FILE: &str = "next-pane";
/// So many are written down at once.
const AT_ONCE: u32 = 64;

pub(crate) struct Ids {
    file: Option<PathBuf>,
    given: Mutex<Given>,
}

struct Given {
    next: u32,
    /// No file says yet that this one, and those that follow, may be given.
    reserved: u32,
}

impl Ids {
    /// Goes on where the counter in `dir` is; without a directory, counts from 1.
    pub(crate) fn open(dir: Option<&Path>) -> io::Result<Self> {
        let Some(dir) = dir else {
            return Ok(Self {
                file: None,
                given: Mutex::new(Given {
                    next: 1,
                    reserved: u32::MAX,
                }),
            });
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
            .max()
            .unwrap_or(0);
        let next = next.max(highest.saturating_add(1));
        Ok(Self {
            file: Some(file),
            given: Mutex::new(Given {
                next,
                reserved: next,
            }),
        })
    }

    /// An id that was never given before; that it is given is written down before it is used.
    pub(crate) fn next(&self) -> io::Result<PaneId> {
        let mut given = self.given.lock();
        let id = given.next;
        let after = id
            .checked_add(1)
            .ok_or_else(|| io::Error::other("all ids have been given"))?;
        if after > given.reserved {
            let reserved = id.saturating_add(AT_ONCE);
            self.write(reserved)?;
            given.reserved = reserved;
        }
        given.next = after;
        Ok(PaneId(id))
    }

    fn write(&self, next: u32) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let new = file.with_extension("new");
        let mut writer = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        writeln!(writer, "{next}")?;
        writer.sync_data()?;
        fs::rename(&new, file)
    }
}

impl Drop for Ids {
    fn drop(&mut self) {
        let Given { next, reserved } = *self.given.get_mut();
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

    #[test]
    fn an_id_is_never_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let ids = Ids::open(Some(dir.path())).unwrap();
        assert_eq!(ids.next().unwrap(), PaneId(1));
        assert_eq!(ids.next().unwrap(), PaneId(2));
        drop(ids);
        let ids = Ids::open(Some(dir.path())).unwrap();
        assert_eq!(ids.next().unwrap(), PaneId(3));
        // As after a kill: what it gave is not known, only what it may have given.
        std::mem::forget(ids);
        let ids = Ids::open(Some(dir.path())).unwrap();
        assert!(ids.next().unwrap() > PaneId(3));
    }

    #[test]
    fn a_damaged_counter_goes_on_behind_the_highest_id_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "rubbish").unwrap();
        fs::create_dir(dir.path().join("41")).unwrap();
        let ids = Ids::open(Some(dir.path())).unwrap();
        assert_eq!(ids.next().unwrap(), PaneId(42));
    }
}
