//! What lies on a worktree's disk: walked, looked at, and read as git would keep it.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use gix::bstr::ByteSlice as _;
use gix::index::entry::{Flags, Mode, Stat};

use super::Checkout;
use crate::git::{Content, FileMode, FileState, Id, content_of, open};
use ::git::RepoPath;

/// What one path of a worktree was found to be.
pub(crate) enum Found {
    /// As in the index.
    AsIndexed,
    /// Something else, or nothing.
    Other(Option<FileState>),
    /// A file that only a program can convert to what git would keep.
    Filtered(FileMode),
}

/// What a walk came by, beside files.
#[derive(Default)]
struct Walked {
    /// Directories that hold files git may see; the root is the empty one.
    dirs: HashSet<Vec<u8>>,
    /// What could not be read, and why.
    problems: Vec<String>,
}

/// A file that a walk came by.
struct Met<'a> {
    path: &'a [u8],
    /// Where the index has it.
    at: Option<usize>,
    entry: &'a fs::DirEntry,
}

/// Hears of each directory before it is read, so that a watch on it misses nothing.
pub(crate) type Arm<'a> = &'a mut (dyn FnMut(&Path) + Send);

impl Checkout {
    /// Lists the files of the directory `from` that are not ignored, tracked or not; and what could not be read.
    pub(crate) fn files_below(
        &mut self,
        from: &RepoPath,
        arm: Arm<'_>,
    ) -> (Vec<RepoPath>, Vec<String>) {
        let inside = std::iter::once(from.clone())
            .chain(from.parents())
            .any(|dir| {
                is_repository(&self.root.join(dir.to_path()))
                    || (self.is_ignored(dir.as_bytes(), true) && !self.is_tracked(&dir))
            });
        let mut files = Vec::new();
        if inside {
            return (files, Vec::new());
        }
        let mut meet = |_: &mut Self, met: Met<'_>| files.push(RepoPath::new(met.path));
        let walked = self.walk(from.as_bytes(), arm, &mut meet);
        (files, walked.problems)
    }

    /// Goes through everything, and hands over each path that has to be looked at to know whether it is as in the
    /// index; gives what could not be read.
    pub(crate) fn scan(
        &mut self,
        arm: Arm<'_>,
        look: &mut dyn FnMut(&mut Self, RepoPath),
    ) -> Vec<String> {
        let mut met = vec![false; self.index.entries().len()];
        let mut meet = |checkout: &mut Self, file: Met<'_>| {
            if let Some(at) = file.at {
                met[at] = true;
                let plain = file.entry.metadata();
                if plain.is_ok_and(|metadata| checkout.is_plainly_as_indexed(at, &metadata)) {
                    return;
                }
            }
            look(checkout, RepoPath::new(file.path));
        };
        let mut walked = self.walk(b"", &mut *arm, &mut meet);
        let mut before: Option<RepoPath> = None;
        for at in 0..met.len() {
            if met[at] {
                continue;
            }
            let entry = &self.index.entries()[at];
            // What a sparse checkout leaves out is not there; where it is nevertheless, the walk came by it.
            if entry.flags.contains(Flags::SKIP_WORKTREE) {
                continue;
            }
            let path = RepoPath::new(entry.path(&self.index));
            // What a merge could not decide has several entries.
            if before.as_ref() == Some(&path)
                || (at > 0 && met[at - 1] && self.has_path(at - 1, &path))
            {
                met[at] = true;
                continue;
            }
            // A tracked file may lie in an ignored directory, which the walk left out.
            for dir in path.parents() {
                if !walked.dirs.insert(dir.as_bytes().to_vec()) {
                    break;
                }
                let dir = self.root.join(dir.to_path());
                if dir.is_dir() && !dir.is_symlink() {
                    arm(&dir);
                }
            }
            look(self, path.clone());
            before = Some(path);
        }
        walked.problems
    }

    fn has_path(&self, at: usize, path: &RepoPath) -> bool {
        self.index.entries()[at].path(&self.index).as_bytes() == path.as_bytes()
    }

    /// Walks a directory; leaves out what is ignored, other repositories, and what lies behind links.
    fn walk(
        &mut self,
        from: &[u8],
        arm: Arm<'_>,
        meet: &mut dyn FnMut(&mut Self, Met<'_>),
    ) -> Walked {
        let mut walked = Walked::default();
        let mut waiting = vec![from.to_vec()];
        while let Some(dir) = waiting.pop() {
            let path = match dir.as_slice() {
                b"" => self.root.clone(),
                dir => self.root.join(RepoPath::new(dir).to_path()),
            };
            arm(&path);
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) => {
                    // One that vanished meanwhile raises its own event.
                    if error.kind() != io::ErrorKind::NotFound {
                        walked
                            .problems
                            .push(format!("could not read `{}`: {error}", path.display()));
                    }
                    continue;
                }
            };
            let mut file = dir.clone();
            if !file.is_empty() {
                file.push(b'/');
            }
            let prefix = file.len();
            let tracked = self.index.prefixed_entries_range(file.as_bstr());
            let tracked = tracked.unwrap_or_default();
            for entry in entries.filter_map(Result::ok) {
                let name = entry.file_name();
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                if name == ".git" {
                    continue;
                }
                file.truncate(prefix);
                file.extend_from_slice(name.as_encoded_bytes());
                if kind.is_dir() {
                    if !self.is_ignored(&file, true) && !is_repository(&entry.path()) {
                        waiting.push(file.clone());
                    }
                    continue;
                }
                let among = &self.index.entries()[tracked.clone()];
                let at = among.binary_search_by(|one| one.path(&self.index).as_bytes().cmp(&file));
                let at = at.ok().map(|at| tracked.start + at);
                if at.is_some() || !self.is_ignored(&file, false) {
                    let met = Met {
                        path: &file,
                        at,
                        entry: &entry,
                    };
                    meet(self, met);
                }
            }
            walked.dirs.insert(dir);
        }
        walked
    }

    /// Says whether a file is as in the index, by what the directory alone tells of it.
    #[cfg(unix)]
    fn is_plainly_as_indexed(&self, at: usize, metadata: &fs::Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;

        use gix::index::entry::stat::Time;

        let entry = &self.index.entries()[at];
        let plain = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD;
        let mode = match metadata.mode() & 0o170_000 {
            0o120_000 => Mode::SYMLINK,
            0o100_000 if !self.executable_bit => entry.mode,
            0o100_000 if metadata.mode() & 0o100 != 0 => Mode::FILE_EXECUTABLE,
            0o100_000 => Mode::FILE,
            _ => return false,
        };
        if entry.stage_raw() != 0 || entry.flags.intersects(plain) || entry.mode != mode {
            return false;
        }
        let time = |secs: i64, nsecs: i64| Time {
            secs: secs as u32,
            nsecs: nsecs as u32,
        };
        // As git keeps it: the low bits.
        let now = Stat {
            mtime: time(metadata.mtime(), metadata.mtime_nsec()),
            ctime: time(metadata.ctime(), metadata.ctime_nsec()),
            dev: metadata.dev() as u32,
            ino: metadata.ino() as u32,
            uid: metadata.uid(),
            gid: metadata.gid(),
            size: metadata.size() as u32,
        };
        self.is_unchanged(&entry.stat, &now)
    }

    #[cfg(not(unix))]
    fn is_plainly_as_indexed(&self, _at: usize, _metadata: &fs::Metadata) -> bool {
        false
    }

    /// Looks at one path on disk.
    pub(crate) fn look(&mut self, path: &RepoPath) -> io::Result<Found> {
        let file = self.root.join(path.to_path());
        let indexed = self
            .indexed(path)
            .map(|(state, entry)| (state, entry.stat, entry.flags));
        let absent = match indexed {
            Some((.., flags)) if flags.contains(Flags::SKIP_WORKTREE) => Found::AsIndexed,
            Some(_) => Found::Other(None),
            None if self.tracks(path) => Found::Other(None),
            None => Found::AsIndexed,
        };
        if self.is_elsewhere(path) {
            return Ok(absent);
        }
        let metadata = match gix::index::fs::Metadata::from_path_no_follow(&file) {
            Ok(metadata) => metadata,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(absent);
            }
            Err(error) => return Err(error),
        };
        if let Some((.., flags)) = indexed
            && flags.contains(Flags::ASSUME_VALID)
        {
            return Ok(Found::AsIndexed);
        }
        if metadata.is_dir() {
            return Ok(match indexed {
                Some((state, ..)) if state.mode == FileMode::Submodule => {
                    match open(&file)
                        .ok()
                        .and_then(|sub| sub.head_id().ok().map(|id| id.detach()))
                    {
                        Some(id) if Id(id) != state.id => Found::Other(Some(FileState {
                            id: Id(id),
                            ..state
                        })),
                        _ => Found::AsIndexed,
                    }
                }
                _ => absent,
            });
        }
        let mode = if metadata.is_symlink() {
            FileMode::Symlink
        } else if !metadata.is_file() {
            return Ok(absent);
        } else if self.executable_bit {
            if metadata.is_executable() {
                FileMode::Executable
            } else {
                FileMode::Regular
            }
        } else {
            match indexed {
                Some((state, ..)) if state.mode.is_file() => state.mode,
                _ => FileMode::Regular,
            }
        };
        if let Some((state, stat, _)) = indexed {
            let now = Stat::from_fs(&metadata);
            if state.mode == mode && now.is_ok_and(|now| self.is_unchanged(&stat, &now)) {
                return Ok(Found::AsIndexed);
            }
        } else if !self.tracks(path) && self.is_ignored(path.as_bytes(), false) {
            return Ok(Found::AsIndexed);
        }
        if mode.is_file() && self.is_filtered(path) {
            return Ok(Found::Filtered(mode));
        }
        let id = match mode {
            FileMode::Symlink => self.hash(fs::read_link(&file)?.as_os_str().as_encoded_bytes())?,
            _ => self.hash_file(path, &file, metadata.len())?,
        };
        let state = FileState { mode, id };
        Ok(match indexed {
            Some((indexed, ..)) if indexed == state => Found::AsIndexed,
            _ => Found::Other(Some(state)),
        })
    }

    /// Says whether a file is as it was when it was put into the index.
    ///
    /// One that was written at the time of the index may have been written once more after it. Nanoseconds tell
    /// more of them apart than git's seconds do, where the file system and whoever wrote the index keep them.
    fn is_unchanged(&self, indexed: &Stat, now: &Stat) -> bool {
        let written = self.index.timestamp();
        let exact = [indexed.mtime.nsecs, now.mtime.nsecs, written.nanoseconds()];
        let options = gix::index::entry::stat::Options {
            use_nsec: self.stat_options.use_nsec || !exact.contains(&0),
            ..self.stat_options
        };
        indexed.matches(now, options) && !indexed.is_racy(written, options)
    }

    /// Says whether a program converts this file to what git keeps.
    fn is_filtered(&mut self, path: &RepoPath) -> bool {
        if self.programs.is_empty() {
            return false;
        }
        let mut found = self.rules.selected_attribute_matches(["filter"]);
        let path = path.as_bytes().as_bstr();
        let Ok(at) = self
            .rules
            .at_entry(path, Some(Mode::FILE), &self.repo.objects)
        else {
            return false;
        };
        at.matching_attributes(&mut found);
        found
            .iter_selected()
            .any(|found| match found.assignment.state {
                gix::attrs::StateRef::Value(name) => {
                    self.programs.contains(name.as_bstr().as_bytes())
                }
                _ => false,
            })
    }

    /// What the index has at a path, to tell what a program makes of the file there.
    pub(crate) fn indexed_state(&self, path: &RepoPath) -> Option<FileState> {
        self.indexed(path).map(|(state, _)| state)
    }

    /// Reads what git would keep of a file or a link on disk, however large.
    pub(crate) fn kept(&mut self, path: &RepoPath, mode: FileMode) -> io::Result<Vec<u8>> {
        let file = self.root.join(path.to_path());
        match mode {
            FileMode::Symlink => Ok(fs::read_link(file)?.into_os_string().into_encoded_bytes()),
            _ => self.clean(path, fs::read(file)?),
        }
    }

    /// Says whether git does not see through this path: it leads behind a link, or into another repository.
    fn is_elsewhere(&self, path: &RepoPath) -> bool {
        path.parents().any(|dir| {
            let dir = self.root.join(dir.to_path());
            dir.is_symlink() || is_repository(&dir)
        })
    }

    fn hash_file(&mut self, path: &RepoPath, file: &Path, len: u64) -> io::Result<Id> {
        if len <= self.max_text {
            let bytes = self.clean(path, fs::read(file)?)?;
            return self.hash(&bytes);
        }
        // Too large to hold: hashed as it lies, in one pass.
        let mut file = fs::File::open(file)?;
        let mut hasher = gix::hash::hasher(self.repo.object_hash());
        hasher.update(format!("blob {len}\0").as_bytes());
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => hasher.update(&buffer[..read]),
            }
        }
        hasher.try_finalize().map(Id).map_err(io::Error::other)
    }

    fn hash(&self, bytes: &[u8]) -> io::Result<Id> {
        gix::objs::compute_hash(self.repo.object_hash(), gix::objs::Kind::Blob, bytes)
            .map(Id)
            .map_err(io::Error::other)
    }

    /// Turns what is on disk into what git would keep: line ends, encodings. Programs are not run.
    fn clean(&mut self, path: &RepoPath, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let Self {
            rules,
            filter,
            repo,
            index,
            ..
        } = self;
        let at = rules.at_entry(path.as_bytes().as_bstr(), Some(Mode::FILE), &repo.objects)?;
        let indexed = index
            .entry_by_path(path.as_bytes().as_bstr())
            .map(|entry| entry.id);
        let outcome = filter
            .convert_to_git(
                bytes.as_slice(),
                &path.to_path(),
                &mut |_, found| {
                    at.matching_attributes(found);
                },
                &mut |buffer| {
                    use gix::objs::Find as _;
                    let Some(id) = indexed else { return Ok(None) };
                    Ok(repo
                        .objects
                        .try_find(&id, buffer)
                        .ok()
                        .flatten()
                        .map(|_| ()))
                },
            )
            .map_err(io::Error::other)?;
        let converted = outcome.as_bytes().map(<[u8]>::to_vec);
        Ok(converted.unwrap_or(bytes))
    }

    /// Reads the content of a file on disk as git would keep it, and its id.
    pub(crate) fn content(&mut self, path: &RepoPath) -> io::Result<(Id, Content)> {
        let file = self.root.join(path.to_path());
        let len = fs::symlink_metadata(&file)?.len();
        if len > self.max_text {
            return Ok((self.hash_file(path, &file, len)?, Content::TooLarge));
        }
        let bytes = self.clean(path, fs::read(&file)?)?;
        Ok((self.hash(&bytes)?, content_of(bytes.into())))
    }
}

/// Says whether a directory is the root of a repository or of a worktree.
fn is_repository(dir: &Path) -> bool {
    dir.join(".git").symlink_metadata().is_ok()
}
