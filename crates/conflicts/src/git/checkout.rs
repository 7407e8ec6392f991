//! One worktree's files: what its index says, what its rules say, and what both make of a commit.

mod disk;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use disk::Found;
use gix::bstr::{BStr, ByteSlice as _};
use gix::index::Entry;
use gix::index::entry::{Flags, Mode, Stage, Stat};

use super::{FileState, Git, Id, MergeRule, Place, Tree, chain, entry_state};
use crate::path::RepoPath;

/// The head of a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) commit: Option<Id>,
    pub(crate) branch: Option<String>,
}

/// One worktree, open to be read.
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
        let repo = super::open(&place.root).map_err(|error| chain(&error))?;
        let stamp = stamp(&repo.index_path());
        let index = read_index(&repo)
            .map_err(|error| format!("its index is damaged: {}", chain(&error)))?;
        let read = || -> gix::Result<Self> {
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

    /// Gives the directory of the worktree.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Reads where HEAD is.
    pub(crate) fn head(&self) -> Result<Head, String> {
        let read = || -> gix::Result<Head> {
            let mut head = self.repo.head()?;
            Ok(Head {
                branch: head
                    .referent_name()
                    .map(|name| name.shorten().to_str_lossy().into_owned()),
                commit: head.try_peel_to_id()?.map(|id| Id(id.detach())),
            })
        };
        read().map_err(|error| chain(&error))
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
        for (path, before, after) in by_path(&self.index, &index) {
            if before.map(tell) != after.map(tell) {
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

    /// Says whether the index has an entry of this very path: a file, a link or a submodule.
    pub(crate) fn tracks(&self, path: &RepoPath) -> bool {
        self.index
            .entry_by_path(path.as_bytes().as_bstr())
            .is_some()
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

    /// Lists what differs between a commit and this worktree: disk first, then index.
    pub(crate) fn changes(
        &self,
        git: &Git,
        head: Option<Id>,
        base: &Tree,
        dirty: &BTreeMap<RepoPath, Option<FileState>>,
    ) -> BTreeMap<RepoPath, FileChange> {
        let mut changes = BTreeMap::new();
        // A sparse index keeps whole directories as one entry: nothing of them is checked out.
        let mut left_out: Option<&BStr> = None;
        for (path, before, after) in by_path(&base.0, &self.index) {
            if after.is_some_and(|entry| entry.mode == Mode::DIR) {
                left_out = Some(path);
            }
            if left_out.is_some_and(|dir| path.starts_with(dir)) {
                continue;
            }
            let (base, now) = (before.and_then(entry_state), after.and_then(entry_state));
            if base != now {
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
            // A commit that can't be read is told of where it is compared.
            let committed = head.and_then(|head| git.lookup(head, path).ok()?);
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

/// Goes through two indexes side by side: each path of either, with its entry in the one and in the other.
fn by_path<'a>(
    old: &'a gix::index::File,
    new: &'a gix::index::File,
) -> impl Iterator<Item = (&'a BStr, Option<&'a Entry>, Option<&'a Entry>)> {
    let mut before = old.entries().iter().peekable();
    let mut after = new.entries().iter().peekable();
    std::iter::from_fn(move || {
        let paths = (
            before.peek().map(|entry| entry.path(old)),
            after.peek().map(|entry| entry.path(new)),
        );
        let (path, order) = match paths {
            (None, None) => return None,
            (Some(path), None) => (path, Ordering::Less),
            (None, Some(path)) => (path, Ordering::Greater),
            (Some(one), Some(two)) => (one.min(two), one.cmp(two)),
        };
        let one = before.next_if(|_| order.is_le());
        Some((path, one, after.next_if(|_| order.is_ge())))
    })
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
