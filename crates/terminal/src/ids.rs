//! Ids of panes: counted in a file, so that none is given twice, not even after a restart.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::types::PaneId;

const FILE: &str = "next-pane";

pub(crate) struct Ids {
    file: Option<PathBuf>,
    next: Mutex<u32>,
}

impl Ids {
    /// Goes on where the counter in `dir` is; without a directory, counts from 1.
    pub(crate) fn open(dir: Option<&Path>) -> io::Result<Self> {
        let Some(dir) = dir else {
            return Ok(Self {
                file: None,
                next: Mutex::new(1),
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
        Ok(Self {
            file: Some(file),
            next: Mutex::new(next.max(highest.saturating_add(1))),
        })
    }

    /// An id that was never given before; it is written down before it is used.
    pub(crate) fn next(&self) -> io::Result<PaneId> {
        let mut next = self.next.lock();
        let id = *next;
        let after = id
            .checked_add(1)
            .ok_or_else(|| io::Error::other("all ids have been given"))?;
        if let Some(file) = &self.file {
            let new = file.with_extension("new");
            let mut writer = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            writeln!(writer, "{after}")?;
            writer.sync_data()?;
            fs::rename(&new, file)?;
        }
        *next = after;
        Ok(PaneId(id))
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
        let ids = Ids::open(Some(dir.path())).unwrap();
        assert_eq!(ids.next().unwrap(), PaneId(3));
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
