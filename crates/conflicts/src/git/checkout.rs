//! One worktree's files: what its index says, what its rules say, and what both make of a commit.

mod disk;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use disk::{Arm, Found};
use gix::bstr::{BStr, ByteSlice as _};
use gix::index::Entry;
use gix::index::entry::{Flags, Mode, Stage, Stat};

use super::{FileState, Git, Id, MergeRule, Place, Tree, chain, entry_state};
use crate::types::WorktreeId;
use ::git::RepoPath;

/// The head of a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) commit: Option<Id>,
    pub(crate) branch: Option<String>,
    /// The commits that a merge in progress brings in.
    pub(crate) merging: Vec<Id>,
}

impl Head {
    /// The commits that the next one would follow.
    pub(crate) fn parents(&self) -> Vec<Id> {
        self.commit.iter().chain(&self.merging).copied().collect()
    }
}

/// How files are merged here, beside what attributes say.
#[derive(Debug, Default)]
struct MergeSettings {
    /// Ways of merging that are programs.
    drivers: Vec<String>,
    /// The way for files of which no attribute says one.
    usual: Option<String>,
    /// Both sides are converted anew before they are compared.
    renormalize: bool,
}

/// One worktree, open to be read.
pub(crate) struct Checkout {
    worktree: WorktreeId,
    root: PathBuf,
    repo: gix::Repository,
    index: gix::index::File,
    stamp: Option<Stat>,
    rules: gix::worktree::Stack,
    filter: gix::filter::plumbing::Pipeline,
    /// The filters that are programs.
    programs: HashSet<Vec<u8>>,
    merging: MergeSettings,
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
        let index = whole_index(&repo, index).map_err(|error| chain(&error))?;
        let read = || -> gix::Result<Self> {
            let rules = rules(&repo, &index)?;
            let (filter, programs) = filter(&repo)?;
            Ok(Self {
                worktree: place.worktree.clone(),
                root: place.root.clone(),
                stat_options: repo.stat_options()?,
                executable_bit: repo.filesystem_options()?.executable_bit,
                merging: merge_settings(&repo),
                repo,
                index,
                stamp,
                rules,
                filter,
                programs,
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
                merging: self.merge_heads(),
            })
        };
        read().map_err(|error| chain(&error))
    }

    fn merge_heads(&self) -> Vec<Id> {
        let told = fs::read(self.repo.git_dir().join("MERGE_HEAD")).unwrap_or_default();
        let ids = told.lines().map(gix::ObjectId::from_hex);
        ids.filter_map(Result::ok).map(Id).collect()
    }

    /// Tells this state of the index from all others.
    pub(crate) fn stamp(&self) -> Option<Stat> {
        self.stamp
    }

    /// Says whether git's merges convert both sides anew before they compare them.
    pub(crate) fn renormalizes(&self) -> bool {
        self.merging.renormalize
    }

    /// Lists the ways of merging that are programs.
    pub(crate) fn drivers(&self) -> &[String] {
        &self.merging.drivers
    }

    /// Reads the index again if its file changed, and lists the paths whose entries did.
    ///
    /// An index that can't be read now (git is replacing it) is left for the next look.
    pub(crate) fn reload_index(&mut self) -> Result<Vec<RepoPath>, String> {
        let now = stamp(&self.repo.index_path());
        if now == self.stamp {
            return Ok(Vec::new());
        }
        let index = read_index(&self.repo).and_then(|index| whole_index(&self.repo, index));
        let index = index.map_err(|error| chain(&error))?;
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

    /// Says whether the index only has what a merge could not decide, or what is only intended.
    pub(crate) fn is_unmerged(&self, path: &RepoPath) -> bool {
        self.tracks(path) && self.indexed(path).is_none()
    }

    fn is_tracked(&self, path: &RepoPath) -> bool {
        self.tracks(path) || self.index.path_is_directory(path.as_bytes().as_bstr())
    }

    /// Says whether the index has an entry of this very path, merged or not: a file, a link or a submodule.
    pub(crate) fn tracks(&self, path: &RepoPath) -> bool {
        let path = path.as_bytes().as_bstr();
        self.index.entry_index_by_path(path).is_ok()
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
        // What a sparse checkout leaves out is not there; where it is nevertheless, a walk comes by it.
        let mut paths: Vec<_> = entries
            .iter()
            .filter(|entry| !entry.flags.contains(Flags::SKIP_WORKTREE))
            .map(|entry| RepoPath::new(entry.path(&self.index)))
            .collect();
        paths.dedup();
        paths
    }

    /// Lists the submodules that are checked out here.
    pub(crate) fn submodules(&self) -> Vec<(RepoPath, Place)> {
        let entries = self.index.entries().iter();
        let submodules = entries.filter(|entry| {
            entry.mode == Mode::COMMIT && !entry.flags.contains(Flags::SKIP_WORKTREE)
        });
        let place = |entry: &Entry| {
            let path = RepoPath::new(entry.path(&self.index));
            let root = self.root.join(path.to_path());
            let git_dir = super::open(&root).ok()?.git_dir().to_owned();
            let place = Place {
                worktree: self.worktree.clone(),
                ..Place::of(false, &root, &git_dir)
            };
            Some((path, place))
        };
        let mut found: Vec<_> = submodules.filter_map(place).collect();
        // One that a merge could not decide has several entries.
        found.dedup();
        found
    }

    /// The submodule that a path lies in, if it lies in one.
    pub(crate) fn submodule_around(&self, path: &RepoPath) -> Option<RepoPath> {
        path.parents().find(|dir| self.is_submodule(dir))
    }

    /// Says whether a submodule is at this very path.
    pub(crate) fn is_submodule(&self, path: &RepoPath) -> bool {
        let entry = self.index.entry_by_path(path.as_bytes().as_bstr());
        entry.is_some_and(|entry| entry.mode == Mode::COMMIT)
    }

    /// Says whether git's rules leave this path out; tracked files are never left out.
    fn is_ignored(&mut self, path: &[u8], dir: bool) -> bool {
        let mode = if dir { Mode::DIR } else { Mode::FILE };
        self.rules
            .at_entry(path.as_bstr(), Some(mode), &self.repo.objects)
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
        use gix::attrs::StateRef;
        let state = found.iter_selected().next();
        let usual = || self.merging.usual.clone();
        let name = match state.map(|found| found.assignment.state) {
            Some(StateRef::Set) => return MergeRule::Text,
            Some(StateRef::Unset) => return MergeRule::Binary,
            Some(StateRef::Value(value)) => Some(value.as_bstr().to_str_lossy().into_owned()),
            Some(StateRef::Unspecified) | None => usual(),
        };
        match name.as_deref() {
            Some(name) if self.merging.drivers.iter().any(|driver| driver == name) => {
                MergeRule::Driver
            }
            Some("union") => MergeRule::Union,
            Some("binary") => MergeRule::Binary,
            _ => MergeRule::Text,
        }
    }

    /// Says whether any file lies in this directory now, on disk or left out by a sparse checkout.
    pub(crate) fn has_files_below(
        &self,
        dir: &RepoPath,
        dirty: &BTreeMap<RepoPath, Option<FileState>>,
    ) -> bool {
        let mut prefix = dir.as_bytes().to_vec();
        prefix.push(b'/');
        let entries = self.index.prefixed_entries(prefix.as_bstr());
        let mut indexed = entries.unwrap_or_default().iter();
        let kept = |path: &RepoPath| dirty.get(path).is_none_or(Option::is_some);
        let new = dirty.range(RepoPath::new(&prefix)..);
        let mut new = new.take_while(|(path, _)| path.as_bytes().starts_with(&prefix));
        indexed.any(|entry| kept(&RepoPath::new(entry.path(&self.index))))
            || new.any(|(_, state)| state.is_some())
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
        for (path, before, after) in by_path(&base.0, &self.index) {
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
        if now == base && indexed != base && !self.is_unmerged(path) {
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

/// The pipeline that converts what is on disk, without the filters that are programs; and the names of those.
fn filter(
    repo: &gix::Repository,
) -> gix::Result<(gix::filter::plumbing::Pipeline, HashSet<Vec<u8>>)> {
    use gix::filter::plumbing::pipeline::CrlfRoundTripCheck;
    let mut options = gix::filter::Pipeline::options(repo)?;
    let drivers = std::mem::take(&mut options.drivers).into_iter();
    let programs = drivers
        .filter(|driver| driver.clean.is_some() || driver.process.is_some())
        .map(|driver| driver.name.into())
        .collect();
    options.crlf_roundtrip_check = CrlfRoundTripCheck::Skip;
    let pipeline =
        gix::filter::plumbing::Pipeline::new(Default::default(), repo.object_hash(), options);
    Ok((pipeline, programs))
}

fn merge_settings(repo: &gix::Repository) -> MergeSettings {
    let config = repo.config_snapshot();
    let sections = config.plumbing().sections_by_name("merge");
    let drivers = sections.into_iter().flatten().filter_map(|section| {
        section.value("driver")?;
        let name = section.header().subsection_name()?;
        Some(name.to_str_lossy().into_owned())
    });
    MergeSettings {
        drivers: drivers.collect(),
        usual: config.string("merge.default").map(|name| name.to_string()),
        renormalize: config.boolean("merge.renormalize").unwrap_or(false),
    }
}

/// Puts the files of its trees in the place of the directories that a sparse index names as a whole.
fn whole_index(
    repo: &gix::Repository,
    mut index: gix::index::File,
) -> gix::Result<gix::index::File> {
    let dirs = index
        .entries()
        .iter()
        .filter(|entry| entry.mode == Mode::DIR);
    let dirs: Vec<_> = dirs
        .map(|dir| (dir.path(&index).to_owned(), dir.id))
        .collect();
    if dirs.is_empty() {
        return Ok(index);
    }
    for (dir, tree) in &dirs {
        let files = repo.index_from_tree(tree)?;
        for file in files.entries() {
            let path = [dir.as_slice(), file.path(&files).as_bytes()].concat();
            let flags = Flags::SKIP_WORKTREE | Flags::EXTENDED;
            index.dangerously_push_entry(
                Stat::default(),
                file.id,
                flags,
                file.mode,
                path.as_bstr(),
            );
        }
    }
    index.remove_entries(|_, _, entry| entry.mode == Mode::DIR);
    index.sort_entries();
    Ok(index)
}
