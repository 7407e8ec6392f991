//! What settings were before `--install` changed them, so that `--uninstall` gives them back byte by byte.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use app::Paths;
use serde::{Deserialize, Serialize};

/// One file of settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Before {
    /// Its text; none: it was not there.
    pub(super) text: Option<String>,
    /// What was made of it.
    pub(super) made: String,
    /// Directories that were made for it, the outer ones first.
    pub(super) directories: Vec<PathBuf>,
}

/// All that is kept, by the file.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// None: there is no place to keep anything.
    place: Option<PathBuf>,
    files: BTreeMap<PathBuf, Before>,
}

impl Kept {
    /// Reads it; what can't be read is as if it had never been kept.
    pub(super) fn read(paths: Option<&Paths>, kept_as: &str) -> Self {
        let place = paths.map(|paths| paths.data().join(kept_as));
        let text = place.as_ref().and_then(|place| fs::read(place).ok());
        let files = text.and_then(|text| serde_json::from_slice(&text).ok());
        Self {
            place,
            files: files.unwrap_or_default(),
        }
    }

    /// What the file was before, as long as it is what was made of it.
    pub(super) fn of(&self, file: &Path, now: &str) -> Option<&Before> {
        self.files.get(file).filter(|before| before.made == now)
    }

    pub(super) fn keep(&mut self, file: &Path, before: Before) {
        self.files.insert(file.to_owned(), before);
    }

    pub(super) fn forget(&mut self, file: &Path) {
        self.files.remove(file);
    }

    /// Writes it for its owner alone: settings may hold what nobody else should read.
    pub(super) fn write(&self, paths: Option<&Paths>) -> io::Result<()> {
        let (Some(place), Some(paths)) = (&self.place, paths) else {
            return Ok(());
        };
        if self.files.is_empty() && !place.exists() {
            return Ok(());
        }
        paths.create()?;
        let new = place.with_extension("json.new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let text = serde_json::to_vec(&self.files)?;
        options.open(&new)?.write_all(&text)?;
        fs::rename(new, place)
    }
}
