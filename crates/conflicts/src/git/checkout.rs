//! One worktree's files: what its index says, what its disk says, what its rules ignore.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use gix::bstr::{BStr, ByteSlice as _};
use gix::index::entry::{Flags, Mode, Stage, Stat};

use super::{
    Content, FileMode, FileState, Git, Id, MergeRule, Place, Tree, chain, content_of, entry_state,
};
use crate::types::RepoPath;

/// What one path of a worktree was found to be.
pub(crate) enum Found {
    /// As in the index.
    AsIndexed,
    /// Something else, or nothing.
    Other(Option<FileState>),
}

/// What a walk through a worktree came by.
#[derive(Default)]
pub(crate) struct Walked {
    /// Directories that hold files git may see.
    pub(crate) dirs: Vec<PathBuf>,
    /// Files that are not ignored, tracked or not.
    pub(crate) files: Vec<RepoPath>,
    /// What could not be read, and why.
    pub(crate) problems: Vec<String>,
}

/// The head of a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) commit: Option<Id>,
    pub(crate) branch: Option<String>,
}

/// One worktree's files: what its index says, what its disk says, what its rules ignore.
pub(crate) struct Checkout {
    root: PathBuf,
    repo: gix::Repository,
    index: gix::index::File,
    stamp: Option<Stat>,
    rules: gix::worktree::Stack,
    filter: gix::filter::plumbing::Pipeline,
    stat_options: gix::index::entry::stat::Options,
    executable_bit: bool,
    max_text: u64,
}

impl Checkout {
    pub(crate) fn open(place: &Place, max_text: u64) -> Result<Self, String> {
        let read = || -> gix::Result<Self> {
            let repo = gix::open(&place.root)?;
            let stamp = stamp(&repo.index_path());
            let index = read_index(&repo)?;
            let rules = rules(&repo, &index)?;
            let filter = filter(&repo)?;
            Ok(Self {
                root: place.root.clone(),
                stat_options: repo.stat_options()?,
                executable_bit: repo.filesystem_options()?.executable_bit,
                repo,
                index,
                stamp,
                rules,
                filter,
                max_text,
            })
        };
        read().map_err(|error| chain(&error))
    }

    /// Reads where HEAD is.
    pub(crate) fn head(&self) -> Head {
        let Ok(head) = self.repo.head() else {
            return Head::default();
        };
        Head {
            branch: head
                .referent_name()
                .map(|name| name.shorten().to_str_lossy().into_owned()),
            commit: head.id().map(|id| Id(id.detach())),
        }
    }

    /// Reads the index again if its file changed, and lists the paths whose entries did.
    ///
    /// An index that can't be read now (git is replacing it) is left for the next look.
    pub(crate) fn reload_index(&mut self) -> Result<Vec<RepoPath>, String> {
        let now = stamp(&self.repo.index_path());
        if now == self.stamp {
            return Ok(Vec::new());
        }
        let index = read_index(&self.repo).map_err(|error| chain(&error))?;
        let mut changed = Vec::new();
        let tell = |entry: &gix::index::Entry| (entry.id, entry.mode, entry.stage_raw());
        let (old, new) = (&self.index, &index);
        let (mut o, mut n) = (0, 0);
        loop {
            let (a, b) = (old.entries().get(o), new.entries().get(n));
            let order = match (a, b) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.path(old).cmp(b.path(new)),
            };
            if order.is_le() {
                o += 1;
            }
            if order.is_ge() {
                n += 1;
            }
            let differs = !order.is_eq() || a.map(tell) != b.map(tell);
            let path = if order.is_le() {
                a.map(|entry| entry.path(old))
            } else {
                b.map(|entry| entry.path(new))
            };
            if let (true, Some(path)) = (differs, path) {
                changed.push(RepoPath::new(path));
            }
        }
        changed.dedup();
        self.index = index;
        self.stamp = now;
        Ok(changed)
    }

    /// What the index holds at `path`; nothing while it is unmerged or only intended.
    fn indexed(&self, path: &RepoPath) -> Option<(FileState, &gix::index::Entry)> {
        let entry = self.index.entry_by_path(path.as_bytes().as_bstr())?;
        let real =
            entry.stage() == Stage::Unconflicted && !entry.flags.contains(Flags::INTENT_TO_ADD);
        real.then_some((entry_state(entry)?, entry))
    }

    fn is_tracked(&self, path: &BStr) -> bool {
        self.index.entry_by_path(path).is_some() || self.index.path_is_directory(path)
    }

    /// Lists the tracked paths, all or those at and below `path`.
    pub(crate) fn tracked(&self, below: Option<&RepoPath>) -> Vec<RepoPath> {
        let entries = match below {
            None => self.index.entries(),
            Some(path) => {
                let mut prefix = path.as_bytes().to_vec();
                prefix.push(b'/');
                self.index
                    .prefixed_entries(prefix.as_bstr())
                    .unwrap_or_default()
            }
        };
        let mut paths: Vec<_> = entries
            .iter()
            .filter(|entry| entry.mode != Mode::DIR)
            .map(|entry| RepoPath::new(entry.path(&self.index)))
            .collect();
        paths.dedup();
        paths
    }

    /// Says whether git's rules leave this path out; tracked files are never left out.
    fn is_ignored(&mut self, path: &RepoPath, dir: bool) -> bool {
        let mode = if dir { Mode::DIR } else { Mode::FILE };
        self.rules
            .at_entry(path.as_bytes().as_bstr(), Some(mode), &self.repo.objects)
            .is_ok_and(|at| at.is_excluded())
    }

    /// How the file at `path` wants to be merged.
    pub(crate) fn merge_rule(&mut self, path: &RepoPath) -> MergeRule {
        let mut found = self.rules.selected_attribute_matches(["merge"]);
        let Ok(at) = self.rules.at_entry(
            path.as_bytes().as_bstr(),
            Some(Mode::FILE),
            &self.repo.objects,
        ) else {
            return MergeRule::Text;
        };
        at.matching_attributes(&mut found);
        match found
            .iter_selected()
            .next()
            .map(|found| found.assignment.state)
        {
            Some(gix::attrs::StateRef::Unset) => MergeRule::Binary,
            Some(gix::attrs::StateRef::Value(value)) if value.as_bstr() == "union" => {
                MergeRule::Union
            }
            Some(gix::attrs::StateRef::Value(value)) if value.as_bstr() == "binary" => {
                MergeRule::Binary
            }
            _ => MergeRule::Text,
        }
    }

    /// Walks the directory `from`, or everything; leaves out what is ignored, other repositories, and
    /// what lies behind links. `arm` hears of each directory before it is read, so that a watch on it
    /// misses nothing.
    pub(crate) fn walk(&mut self, from: Option<&RepoPath>, arm: &mut dyn FnMut(&Path)) -> Walked {
        let mut walked = Walked::default();
        let mut waiting = vec![from.cloned()];
        if let Some(from) = from {
            let inside = std::iter::once(from.clone())
                .chain(from.parents())
                .any(|dir| {
                    let foreign = self
                        .root
                        .join(dir.to_path())
                        .join(".git")
                        .symlink_metadata()
                        .is_ok();
                    foreign
                        || (self.is_ignored(&dir, true)
                            && !self.is_tracked(dir.as_bytes().as_bstr()))
                });
            if inside {
                return walked;
            }
        }
        while let Some(dir) = waiting.pop() {
            let path = dir
                .as_ref()
                .map_or_else(|| self.root.clone(), |dir| self.root.join(dir.to_path()));
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
            for entry in entries.filter_map(Result::ok) {
                let name = entry.file_name();
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                if name == ".git" {
                    continue;
                }
                let path = match &dir {
                    Some(dir) => {
                        RepoPath::new([dir.as_bytes(), b"/", name.as_encoded_bytes()].concat())
                    }
                    None => RepoPath::new(name.as_encoded_bytes()),
                };
                let ignored = self.is_ignored(&path, kind.is_dir());
                if kind.is_dir() {
                    let foreign = entry.path().join(".git").symlink_metadata().is_ok();
                    if !ignored && !foreign {
                        waiting.push(Some(path));
                    }
                } else if !ignored
                    || self
                        .index
                        .entry_by_path(path.as_bytes().as_bstr())
                        .is_some()
                {
                    walked.files.push(path);
                }
            }
            walked.dirs.push(path);
        }
        walked
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
            None if self
                .index
                .entry_by_path(path.as_bytes().as_bstr())
                .is_some() =>
            {
                Found::Other(None)
            }
            None => Found::AsIndexed,
        };
        // Behind a link lies another place, which git does not see through this path.
        if path
            .parents()
            .any(|dir| self.root.join(dir.to_path()).is_symlink())
        {
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
                    match gix::open(&file)
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
            let same =
                Stat::from_fs(&metadata).is_ok_and(|now| stat.matches(&now, self.stat_options));
            if same
                && state.mode == mode
                && !stat.is_racy(self.index.timestamp(), self.stat_options)
            {
                return Ok(Found::AsIndexed);
            }
        } else if self
            .index
            .entry_by_path(path.as_bytes().as_bstr())
            .is_none()
            && self.is_ignored(path, false)
        {
            return Ok(Found::AsIndexed);
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

    /// Lists what differs between a commit and this worktree: disk first, then index.
    pub(crate) fn changes(
        &self,
        git: &Git,
        head: Option<Id>,
        base: &Tree,
        dirty: &BTreeMap<RepoPath, Option<FileState>>,
    ) -> BTreeMap<RepoPath, FileChange> {
        let mut changes = BTreeMap::new();
        let (old, new) = (&base.0, &self.index);
        let (mut o, mut n) = (0, 0);
        loop {
            let (a, b) = (old.entries().get(o), new.entries().get(n));
            let order = match (a, b) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.path(old).cmp(b.path(new)),
            };
            if order.is_ge()
                && let Some(entry) = b
                && entry.mode == Mode::DIR
            {
                // A sparse index keeps whole directories as one entry: nothing of it is checked out.
                let prefix = entry.path(new);
                while old
                    .entries()
                    .get(o)
                    .is_some_and(|entry| entry.path(old).starts_with(prefix))
                {
                    o += 1;
                }
                n += 1;
                continue;
            }
            if order.is_le() {
                o += 1;
            }
            if order.is_ge() {
                n += 1;
            }
            let of = |entry: Option<&gix::index::Entry>, counts: bool| {
                entry.filter(|_| counts).and_then(entry_state)
            };
            let (base, now) = (of(a, order.is_le()), of(b, order.is_ge()));
            let path = if order.is_le() {
                a.map(|e| e.path(old))
            } else {
                b.map(|e| e.path(new))
            };
            if let (true, Some(path)) = (base != now, path) {
                changes.insert(RepoPath::new(path), FileChange { base, now });
            }
        }
        for path in dirty.keys() {
            match self.change(git, head, base.get(path), dirty, path) {
                Some(change) => changes.insert(path.clone(), change),
                None => changes.remove(path),
            };
        }
        changes
    }

    /// Says what differs at one path between a commit and this worktree.
    pub(crate) fn change(
        &self,
        git: &Git,
        head: Option<Id>,
        base: Option<FileState>,
        dirty: &BTreeMap<RepoPath, Option<FileState>>,
        path: &RepoPath,
    ) -> Option<FileChange> {
        let indexed = self.indexed(path).map(|(state, _)| state);
        let mut now = dirty.get(path).copied().unwrap_or(indexed);
        if now == base && indexed != base {
            // The disk shows the merge base. Work that is only staged still counts; a committed
            // change that was undone on disk does not.
            let committed = head.and_then(|head| git.lookup(head, path));
            if committed == now {
                now = indexed;
            }
        }
        (now != base).then_some(FileChange { base, now })
    }
}

/// What a path held at the merge base, and what it holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileChange {
    pub(crate) base: Option<FileState>,
    pub(crate) now: Option<FileState>,
}

fn stamp(index: &Path) -> Option<Stat> {
    let metadata = gix::index::fs::Metadata::from_path_no_follow(index).ok()?;
    Stat::from_fs(&metadata).ok()
}

fn read_index(repo: &gix::Repository) -> gix::Result<gix::index::File> {
    if stamp(&repo.index_path()).is_none() {
        let empty = gix::index::State::new(repo.object_hash());
        return Ok(gix::index::File::from_state(empty, repo.index_path()));
    }
    repo.open_index()
}

fn rules(repo: &gix::Repository, index: &gix::index::File) -> gix::Result<gix::worktree::Stack> {
    use gix::worktree::stack::state::{attributes, ignore};
    let stack = repo.attributes(
        index,
        attributes::Source::WorktreeThenIdMapping,
        ignore::Source::WorktreeThenIdMappingIfNotSkipped,
        None,
    )?;
    Ok(stack.detach())
}

fn filter(repo: &gix::Repository) -> gix::Result<gix::filter::plumbing::Pipeline> {
    use gix::filter::plumbing::pipeline::CrlfRoundTripCheck;
    let mut options = gix::filter::Pipeline::options(repo)?;
    options.drivers.clear();
    options.crlf_roundtrip_check = CrlfRoundTripCheck::Skip;
    Ok(gix::filter::plumbing::Pipeline::new(
        Default::default(),
        repo.object_hash(),
        options,
    ))
}
