//! The only files that name gix: worktrees, heads, merge bases, indexes, contents, ignore rules.
//!
//! Everything here only reads: no lock is taken and nothing is written in a repository, not even a refreshed index.
//! What only git itself can say, it is asked in a place of our own: see [`Scratch`].

mod checkout;
mod scratch;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use ::git::Program;
pub(crate) use checkout::{Arm, Checkout, FileChange, Found, Head};
use gix::bstr::ByteSlice as _;
use gix::index::entry::Mode;
pub(crate) use scratch::{Merged, Scratch, State};

use crate::types::WorktreeId;
use ::git::RepoPath;

/// Names an object of the repository: a commit, or a content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(gix::ObjectId);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_hex_with_len(8))
    }
}

impl Id {
    /// Says whether this is the content of an empty file.
    pub(crate) fn is_empty_file(self) -> bool {
        self.0.is_empty_blob()
    }
}

/// What a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileState {
    pub(crate) mode: FileMode,
    pub(crate) id: Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FileMode {
    Regular,
    Executable,
    Symlink,
    Submodule,
}

impl FileMode {
    fn of(mode: Mode) -> Option<Self> {
        match mode {
            Mode::FILE => Some(Self::Regular),
            Mode::FILE_EXECUTABLE => Some(Self::Executable),
            Mode::SYMLINK => Some(Self::Symlink),
            Mode::COMMIT => Some(Self::Submodule),
            _ => None,
        }
    }

    pub(crate) fn is_file(self) -> bool {
        matches!(self, Self::Regular | Self::Executable)
    }

    /// As git writes it.
    fn octal(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }

    fn of_octal(mode: &[u8]) -> Option<Self> {
        let all = [
            Self::Regular,
            Self::Executable,
            Self::Symlink,
            Self::Submodule,
        ];
        all.into_iter().find(|one| one.octal().as_bytes() == mode)
    }
}

/// How a file wants to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MergeRule {
    /// By lines, if it is text.
    Text,
    /// All lines of both sides: never stops.
    Union,
    /// Whole: stops when both sides changed it.
    Binary,
    /// By a program of the person's own.
    Driver,
}

/// A content, if it is one that can be compared by lines.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Text(Arc<[u8]>),
    Binary,
    TooLarge,
}

/// Why a repository could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No repository there or above.
    #[error("`{path}` is not in a git repository")]
    NotARepository {
        /// Where one was looked for.
        path: PathBuf,
        /// What git's files said.
        #[source]
        source: gix::Error,
    },
    /// There is one, and it may not be read.
    #[error("the repository `{path}` can't be read")]
    Unreadable {
        /// Its directory, or the file that names it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It keeps its objects or its refs in a form that can't be read.
    #[error("the repository `{path}` can't be compared: it keeps its {what} as `{format}`")]
    Unsupported {
        /// Its directory.
        path: PathBuf,
        /// What is kept in that form.
        what: &'static str,
        /// The form, as the repository's configuration calls it.
        format: String,
    },
    /// The repository is there and its worktrees could not be listed.
    #[error("could not list the worktrees of `{path}`")]
    Worktrees {
        /// The repository.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: gix::Error,
    },
}

/// Where one worktree lies, or the checkout that it has of a submodule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The linked ones after the main one.
    pub(crate) linked: bool,
    pub(crate) root: PathBuf,
    pub(crate) git_dir: PathBuf,
    /// The worktree itself, or the one that the checkout lies in.
    pub(crate) worktree: WorktreeId,
}

impl Place {
    /// Where a worktree of the repository lies.
    fn of(linked: bool, root: &Path, git_dir: &Path) -> Self {
        let root = absolute(root);
        Self {
            linked,
            worktree: WorktreeId::of(&root),
            root,
            git_dir: absolute(git_dir),
        }
    }
}

fn object_dirs(checkouts: &[Place]) -> Vec<PathBuf> {
    let dirs = checkouts.iter().map(|place| place.git_dir.join("objects"));
    dirs.collect()
}

/// The files of a commit.
pub(crate) struct Tree(gix::index::File);

impl Tree {
    pub(crate) fn get(&self, path: &RepoPath) -> Option<FileState> {
        entry_state(self.0.entry_by_path(path.as_bytes().as_bstr())?)
    }
}

fn entry_state(entry: &gix::index::Entry) -> Option<FileState> {
    Some(FileState {
        mode: FileMode::of(entry.mode)?,
        id: Id(entry.id),
    })
}

/// What may be read beside a repository's files: the person's own configuration, and none of git's variables.
///
/// Those that git hands to its hooks speak of the one worktree that the hook runs for, and of all others
/// they would be wrong.
fn permissions(trust: gix::sec::Trust) -> gix::open::Permissions {
    use gix::sec::{Permission, trust::DefaultForLevel as _};
    let mut permissions = gix::open::Permissions::default_for_level(trust);
    permissions.env.git_prefix = Permission::Deny;
    permissions.env.objects = Permission::Deny;
    permissions.config.env = false;
    permissions
}

/// Finds the repository that `path` is in.
fn discover(path: &Path) -> gix::Result<gix::Repository> {
    use gix::sec::trust::{DefaultForLevel as _, Mapping};
    let options =
        |trust| gix::open::Options::default_for_level(trust).permissions(permissions(trust));
    let by_trust = Mapping {
        full: options(gix::sec::Trust::Full),
        reduced: options(gix::sec::Trust::Reduced),
    };
    let found = gix::ThreadSafeRepository::discover_opts(path, Default::default(), by_trust)?;
    Ok(found.into())
}

/// Opens the repository, worktree or submodule whose root is `path`.
fn open(path: &Path) -> gix::Result<gix::Repository> {
    let options = gix::open::Options::default().permissions(permissions(gix::sec::Trust::Full));
    gix::open_opts(path, options)
}

/// Which repository a directory belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPlace {
    /// The directory of objects and refs that all its worktrees share; [`Picture::repository`] is the same.
    ///
    /// [`Picture::repository`]: crate::Picture::repository
    pub common_dir: PathBuf,
    /// The root of its main worktree; for a bare one, the common directory.
    pub root: PathBuf,
}

/// Finds the root of the worktree that a directory is in: the nearest one with a `.git`; none when there is none.
///
/// A submodule's checkout is a part of the worktree around it, unless it has worktrees of its own.
///
/// # Errors
///
/// When the directory is not there, or can't be read.
pub fn worktree_at(directory: &Path) -> io::Result<Option<PathBuf>> {
    let directory = directory.canonicalize()?;
    let found = root_above(&directory);
    Ok(found.map(|root| not_in_part(root).to_owned()))
}

/// The nearest directory with a `.git`.
fn root_above(directory: &Path) -> Option<&Path> {
    let mut above = directory.ancestors();
    above.find(|directory| directory.join(".git").exists())
}

/// Gives the worktree that a submodule's checkout belongs to; the root itself when it is none, or one that has
/// worktrees of its own.
fn not_in_part(root: &Path) -> &Path {
    let Some(git_dir) = named_in(&root.join(".git"), "gitdir:") else {
        return root;
    };
    let git_dir = absolute(&root.join(git_dir));
    let Some(around) = root.parent().and_then(root_above) else {
        return root;
    };
    let around_git = around.join(".git");
    let around_git = match named_in(&around_git, "gitdir:") {
        Some(dir) => around.join(dir),
        None => around_git,
    };
    let part = git_dir.starts_with(absolute(&around_git).join("modules"));
    let own_worktrees = git_dir.join("commondir").exists() || git_dir.join("worktrees").exists();
    match part && !own_worktrees {
        true => not_in_part(around),
        false => root,
    }
}

/// Finds the root of the worktree that a file lies in, or would if it were made.
///
/// # Errors
///
/// When the directories above it can't be read.
pub fn worktree_of(file: &Path) -> io::Result<Option<PathBuf>> {
    let mut above = file.ancestors().skip(1);
    worktree_at(above.find(|place| place.is_dir()).unwrap_or(file))
}

/// Finds the repository that `path` is in, without looking at any of its files; none when there is none.
pub fn repository_at(path: &Path) -> Option<RepositoryPlace> {
    let repo = discover(&around(path)).ok()?;
    let common_dir = absolute(repo.common_dir());
    let main = repo.main_repo().ok()?;
    Some(RepositoryPlace {
        root: main.workdir().map_or_else(|| common_dir.clone(), absolute),
        common_dir,
    })
}

/// Gives a place in the repository that `path` is to be told of: outside of the submodules that it lies in.
fn around(path: &Path) -> PathBuf {
    let outside = || {
        let directory = path.canonicalize().ok()?;
        let root = root_above(&directory)?;
        let outside = not_in_part(root);
        (outside != root).then(|| outside.to_owned())
    };
    outside().unwrap_or_else(|| path.to_owned())
}

/// Says whether of two commits of the repository at `path` one contains the other, and both contain `base`; none when
/// it has not all three.
pub(crate) fn goes_on(path: &Path, [base, one, other]: [Id; 3]) -> Option<bool> {
    let repo = open(path).ok()?;
    let contains = |commit: Id, past: Id| -> Option<bool> {
        let found = repo.merge_base(commit.0, past.0).ok()?;
        Some(found.is_some_and(|found| found.detach() == past.0))
    };
    let from_base = contains(one, base)? && contains(other, base)?;
    Some(from_base && (contains(one, other)? || contains(other, one)?))
}

/// The repository that the worktrees share.
pub(crate) struct Git {
    repo: gix::Repository,
    common_dir: PathBuf,
    /// The checkouts of a submodule that are taken for its worktrees.
    checkouts: Option<Checkouts>,
    bases: HashMap<(Id, Id), Vec<Id>>,
    trees: HashMap<Id, Arc<Tree>>,
    max_text: u64,
}

/// Checkouts of one submodule: each has a repository of its own.
struct Checkouts {
    places: Vec<Place>,
    /// Where the objects of all of them are found.
    _objects: tempfile::TempDir,
}

impl Git {
    pub(crate) fn open(path: &Path, max_text: u64) -> Result<Self, OpenError> {
        let repo = discover(&around(path)).map_err(|source| why_not(path, source))?;
        if let Some(refused) = unsupported(repo.common_dir()) {
            return Err(refused);
        }
        Ok(Self::of(repo, None, max_text))
    }

    /// Opens the repositories that several worktrees have of one submodule as if they were one.
    pub(crate) fn of_checkouts(places: Vec<Place>, max_text: u64) -> Result<Self, String> {
        let first = places.first().ok_or("it is checked out nowhere")?;
        let mut repo = open(&first.root).map_err(|error| chain(&error))?;
        for place in &places {
            if let Some(refused) = unsupported(&place.git_dir) {
                return Err(refused.to_string());
            }
        }
        let objects = scratch::objects_of(&object_dirs(&places)).and_then(|dir| {
            Ok((
                gix::odb::at(dir.path().join("objects"), repo.object_hash())?,
                dir,
            ))
        });
        let (found, objects) =
            objects.map_err(|error| format!("its objects can't be put together: {error}"))?;
        repo.objects = found.into();
        let checkouts = Checkouts {
            places,
            _objects: objects,
        };
        Ok(Self::of(repo, Some(checkouts), max_text))
    }

    fn of(mut repo: gix::Repository, checkouts: Option<Checkouts>, max_text: u64) -> Self {
        // Objects of merge bases and trees are asked for again and again.
        repo.object_cache_size_if_unset(8 * 1024 * 1024);
        Self {
            common_dir: absolute(repo.common_dir()),
            repo,
            checkouts,
            bases: HashMap::new(),
            trees: HashMap::new(),
            max_text,
        }
    }

    /// The checkouts of a submodule that are taken for its worktrees; none of them in any other repository.
    pub(crate) fn checkouts(&self) -> &[Place] {
        let checkouts = self.checkouts.as_ref();
        checkouts.map_or(&[], |checkouts| checkouts.places.as_slice())
    }

    /// The directories in which objects lie.
    pub(crate) fn object_dirs(&self) -> Vec<PathBuf> {
        match &self.checkouts {
            Some(checkouts) => object_dirs(&checkouts.places),
            None => vec![self.common_dir.join("objects")],
        }
    }

    /// The directory of objects and refs that all worktrees share.
    pub(crate) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Lists the worktrees, the main one first; those whose directory is gone, too.
    pub(crate) fn worktrees(&self) -> Result<Vec<Place>, OpenError> {
        if let Some(checkouts) = &self.checkouts {
            return Ok(checkouts.places.clone());
        }
        let failed = |source| OpenError::Worktrees {
            path: self.common_dir.clone(),
            source,
        };
        let mut places = Vec::new();
        let main = self.repo.main_repo().map_err(failed)?;
        if let Some(root) = main.workdir() {
            places.push(Place::of(false, root, main.git_dir()));
        }
        for proxy in self.repo.worktrees().map_err(failed)? {
            // A registration that can't be read is git's to prune; the others still count.
            if let Ok(root) = proxy.base() {
                places.push(Place::of(true, &root, proxy.git_dir()));
            }
        }
        places.sort();
        places.dedup_by(|a, b| a.root == b.root);
        Ok(places)
    }

    /// Finds the best common ancestors of two commits, each of which may be a merge that is still to be concluded:
    /// then it is all the commits that it will follow. None when they have no common history.
    pub(crate) fn merge_bases(&mut self, one: &[Id], two: &[Id]) -> Result<Vec<Id>, String> {
        let mut bases = Vec::new();
        for one in one {
            for two in two {
                bases.extend(self.bases_of(*one, *two)?);
            }
        }
        bases.sort();
        bases.dedup();
        // One that is in the past of another one is no best one.
        let mut best = bases.clone();
        for base in &bases {
            for other in bases.iter().filter(|other| *other != base) {
                if self.bases_of(*base, *other)? == [*base] {
                    best.retain(|best| best != base);
                }
            }
        }
        Ok(best)
    }

    fn bases_of(&mut self, one: Id, two: Id) -> Result<Vec<Id>, String> {
        if one == two {
            return Ok(vec![one]);
        }
        let key = (one.min(two), one.max(two));
        if let Some(bases) = self.bases.get(&key) {
            return Ok(bases.clone());
        }
        let found = || -> gix::Result<_> {
            let cache = self.repo.commit_graph_if_enabled()?;
            let mut graph = self.repo.revision_graph(cache.as_ref());
            let bases = self
                .repo
                .merge_bases_many_with_graph(key.0.0, &[key.1.0], &mut graph)?;
            let bases: Vec<_> = bases.into_iter().map(|id| Id(id.detach())).collect();
            Ok((bases, graph.detach()))
        };
        let (bases, walked) = found().map_err(|error| chain(&error))?;
        if !self.is_shallow() {
            // A parent that is not there was passed over: what lies behind it may be the branch point.
            let parents = walked.values().flat_map(|commit| &commit.parents);
            let lost = parents
                .filter(|parent| !walked.contains_key(*parent))
                .find(|parent| !self.has(Id(**parent)));
            if let Some(lost) = lost {
                return Err(format!("the repository lacks commit `{lost}`"));
            }
        }
        self.bases.insert(key, bases.clone());
        Ok(bases)
    }

    /// Lists the files of a commit; kept until [`Git::forget`].
    pub(crate) fn tree(&mut self, commit: Id) -> Result<Arc<Tree>, String> {
        if let Some(tree) = self.trees.get(&commit) {
            return Ok(tree.clone());
        }
        let read = || -> gix::Result<Tree> {
            let tree = self.repo.find_commit(commit.0)?.tree_id()?;
            Ok(Tree(self.repo.index_from_tree(&tree)?))
        };
        let tree = Arc::new(read().map_err(|error| chain(&error))?);
        self.trees.insert(commit, tree.clone());
        Ok(tree)
    }

    /// Drops what is kept about commits other than these.
    pub(crate) fn forget(&mut self, heads: &HashSet<Id>, bases: &HashSet<Id>) {
        let kept = |id: &Id| heads.contains(id) || bases.contains(id);
        self.bases.retain(|(one, two), _| kept(one) && kept(two));
        self.trees.retain(|commit, _| bases.contains(commit));
    }

    /// Says whether an object of this id is in the repository.
    pub(crate) fn has(&self, id: Id) -> bool {
        matches!(self.repo.try_find_header(id.0), Ok(Some(_)))
    }

    /// Says whether the history ends early, because not all of it was fetched.
    pub(crate) fn is_shallow(&self) -> bool {
        let mut checkouts = self.checkouts().iter();
        self.repo.is_shallow().unwrap_or(false)
            || checkouts.any(|place| place.git_dir.join("shallow").exists())
    }

    /// Reads a content from the objects; none when it is not there.
    pub(crate) fn content(&self, id: Id) -> Option<Content> {
        let header = self.repo.try_find_header(id.0).ok()??;
        if header.size() > self.max_text {
            return Some(Content::TooLarge);
        }
        let object = self.repo.try_find_object(id.0).ok()??;
        Some(content_of(object.detach().data.into()))
    }

    /// Looks up one path in a commit without listing all of it.
    pub(crate) fn lookup(&self, commit: Id, path: &RepoPath) -> Result<Option<FileState>, String> {
        let read = || -> gix::Result<Option<FileState>> {
            let tree = self.repo.find_commit(commit.0)?.tree()?;
            let entry = tree.lookup_entry_by_path(path.to_path())?;
            Ok(entry.and_then(|entry| {
                Some(FileState {
                    mode: FileMode::of(entry.mode().into())?,
                    id: Id(entry.object_id()),
                })
            }))
        };
        read().map_err(|error| chain(&error))
    }
}

/// Says why no repository could be opened at `path`: one above it that can't be read, or none at all.
fn why_not(path: &Path, source: gix::Error) -> OpenError {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = absolute.ancestors().find_map(|dir| {
        let git = dir.join(".git");
        // A linked worktree has a file there, which names its directory.
        let git = named_in(&git, "gitdir:").unwrap_or(git);
        match fs::metadata(git.join("HEAD")) {
            Ok(_) => {
                let common = named_in(&git.join("commondir"), "");
                unsupported(&common.map_or_else(|| git.clone(), |common| git.join(common)))
            }
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                Some(OpenError::Unreadable { path: git, source })
            }
            Err(_) => None,
        }
    });
    found.unwrap_or_else(|| OpenError::NotARepository {
        path: path.to_owned(),
        source,
    })
}

/// The directory that a file of git's names behind `prefix`.
fn named_in(file: &Path, prefix: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    Some(PathBuf::from(text.strip_prefix(prefix)?.trim()))
}

/// Says what a repository keeps in a form that can't be read here; nothing when all is well.
fn unsupported(common_dir: &Path) -> Option<OpenError> {
    let file = common_dir.join("config");
    let config = gix::config::File::from_path_no_includes(file, gix::config::Source::Local).ok()?;
    let kept = [
        ("extensions.objectFormat", "objects", "sha1"),
        ("extensions.refStorage", "refs", "files"),
    ];
    kept.into_iter().find_map(|(key, what, usual)| {
        let format = config.string(key)?.to_string();
        (!format.eq_ignore_ascii_case(usual)).then(|| OpenError::Unsupported {
            path: absolute(common_dir),
            what,
            format,
        })
    })
}

fn content_of(bytes: Arc<[u8]>) -> Content {
    if crate::compare::is_binary(&bytes) {
        Content::Binary
    } else {
        Content::Text(bytes)
    }
}

fn absolute(path: &Path) -> PathBuf {
    // Roots are compared with the paths of events, which come without links in them.
    fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
