//! What a person has looked at: a file counts as that until its content is another.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use git::RepoPath;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::disk;
use crate::types::{FileKind, View};
use crate::worktree::{ChangesError, Worktree};

/// A file that was written this recently may be written again without a later time to show for it.
const YOUNG_MS: i64 = 2_000;

/// A file as a person saw it, to be kept: it says later whether the file is still that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    content: String,
    /// As long as this is the same, the file need not be read; none: it was young.
    stat: Option<Stat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stat {
    bytes: u64,
    inode: u64,
    mode: u32,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Worktree {
    /// Looks at a file as it stands now.
    pub fn look(&self, path: &RepoPath, now_ms: u64) -> Look {
        let place = self.root().join(path.to_path());
        let stat = Stat::of(&place);
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        Look {
            content: content(&place),
            // Taken before the content was read: what is written meanwhile is seen the next time.
            stat: stat.filter(|stat| stat.is_older(now_ms)),
        }
    }

    /// Says whether a file is still what it was; and what is to be kept of it from then on, when that costs less the next time.
    pub fn is_still(&self, path: &RepoPath, look: &Look, now_ms: u64) -> (bool, Option<Look>) {
        let place = self.root().join(path.to_path());
        if look.stat.is_some() && Stat::of(&place) == look.stat {
            return (true, None);
        }
        let now = self.look(path, now_ms);
        let same = now.content == look.content;
        (same, (same && now.stat != look.stat).then_some(now))
    }

    /// The path of a file that a view lists under this name: as a text, it may lack bytes that are no text.
    ///
    /// # Errors
    ///
    /// [`ChangesError::Git`] when the view can't be listed.
    pub fn path_of(&self, view: View, name: &str) -> Result<RepoPath, ChangesError> {
        let path = RepoPath::from(name);
        Ok(self.meant(view, None, &path, None)?.0)
    }
}

impl Stat {
    fn of(place: &Path) -> Option<Self> {
        let found = fs::symlink_metadata(place).ok()?;
        Some(Self {
            bytes: found.len(),
            inode: found.ino(),
            mode: found.mode(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    fn is_older(&self, now_ms: i64) -> bool {
        let last = self.modified.max(self.changed);
        last.0.saturating_mul(1_000) + last.1 / 1_000_000 + YOUNG_MS < now_ms
    }
}

/// What stands at a place, in a few letters that are others when it is another thing.
fn content(place: &Path) -> String {
    let told = || -> io::Result<String> {
        let found = fs::symlink_metadata(place)?;
        if found.is_symlink() {
            let to = fs::read_link(place)?;
            return Ok(format!(
                "link {:x}",
                Sha256::digest(to.as_os_str().as_bytes())
            ));
        }
        if !found.is_file() {
            // A repository of its own, say: when something was made or removed in it.
            return Ok(format!("other {} {}", found.mtime(), found.mtime_nsec()));
        }
        let kind = match disk::kind_of(found.mode()) {
            FileKind::Executable => "executable",
            _ => "file",
        };
        let mut digest = Sha256::new();
        let mut file = disk::open(place)?;
        let mut part = [0; 64 * 1024];
        loop {
            match file.read(&mut part)? {
                0 => return Ok(format!("{kind} {:x}", digest.finalize())),
                count => digest.update(&part[..count]),
            }
        }
    };
    told().unwrap_or_else(|error| match disk::is_absent(&error) {
        true => "absent".to_owned(),
        false => format!("unread {:?}", error.kind()),
    })
}
