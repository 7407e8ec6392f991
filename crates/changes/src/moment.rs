//! What a worktree was at some time, kept outside of it: what changed since, and the way back.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git::RepoPath;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::disk::{self, State};
use crate::index::Index;
use crate::picture::FilePictures;
use crate::snapshot::{Import, SnapshotId, SnapshotReason, Snapshots, next_content};
use crate::types::{
    ChangedFile, Chosen, DiffQuestion, FileDiff, FileKind, Hunk, View, ViewChanges, WorktreeChanges,
};
use crate::worktree::{ChangesError, Worktree, text_of};

/// More bytes than this are not kept of one moment: it is taken while somebody waits.
const MOST: u64 = 128 * 1024 * 1024;

/// So many moments of one worktree are kept, the newest.
const KEPT: usize = 50;

/// Where they stand in the repository that keeps them.
pub(crate) const MOMENTS: &str = "refs/moments/";

/// A file as git would have it; and one that it would not have.
const CLEAN: &str = "clean/";
const DROPPED: &str = "dropped/";

const ODD: &str = "git says something that is not understood";

/// The tree without files.
const NOTHING: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A moment that a worktree can be compared with, and taken back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Moment {
    /// Its name.
    pub id: SnapshotId,
    /// When it was, in milliseconds since 1970.
    pub taken_ms: u64,
    /// Of what.
    #[serde(flatten)]
    pub kept: KeptMoment,
}

/// Of what a moment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeptMoment {
    /// The root of the worktree.
    pub worktree: String,
    /// What it was, in words.
    pub label: String,
    /// The commit that it was at; none before the first.
    pub head: Option<String>,
    /// So many files were others than in the commit.
    pub count: u32,
}

/// Where git finds objects, and puts new ones, beside what the repository has.
#[derive(Debug)]
pub(crate) struct Objects {
    into: PathBuf,
    others: OsString,
    /// All that is written; it is gone with this.
    scratch: tempfile::TempDir,
}

impl Objects {
    fn below(scratch: io::Result<tempfile::TempDir>, others: &[&Path]) -> Result<Self, String> {
        let scratch = scratch.map_err(|error| error.to_string())?;
        let into = scratch.path().join("objects");
        fs::create_dir(&into).map_err(|error| error.to_string())?;
        Ok(Self {
            into,
            others: listed(others),
            scratch,
        })
    }

    pub(crate) fn env(&self) -> [(&'static str, &OsStr); 2] {
        [
            ("GIT_OBJECT_DIRECTORY", self.into.as_os_str()),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", &self.others),
        ]
    }
}

/// A worktree as it is, beside what it was at some moment.
#[derive(Debug)]
pub struct Since {
    /// It finds what was then.
    worktree: Worktree,
    /// All that there was, as git has it.
    tree: String,
    head: Option<String>,
    /// The files that were others than in the commit, byte by byte.
    states: BTreeMap<RepoPath, State>,
    /// Repositories of their own, of which the commit alone is known.
    repositories: BTreeSet<RepoPath>,
}

impl Snapshots {
    /// Keeps what a worktree is now, in words of the person's or of who asks. Nothing is written to the worktree or its repository.
    ///
    /// Costs what `git add` costs of all that changed since the commit.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotKept`]: it is too much, a file can't be read, the disk is full.
    pub fn remember(
        &self,
        worktree: &Worktree,
        label: &str,
        now_ms: u64,
    ) -> Result<SnapshotId, ChangesError> {
        let failed = |why: String| ChangesError::NotKept {
            worktree: worktree.root().to_owned(),
            why,
        };
        self.take_moment(worktree, label, now_ms).map_err(failed)
    }

    fn take_moment(
        &self,
        worktree: &Worktree,
        label: &str,
        now_ms: u64,
    ) -> Result<SnapshotId, String> {
        worktree.is_small_enough()?;
        self.make()?;
        let scratch = tempfile::Builder::new().prefix("switchyard-").tempdir();
        let with = worktree.with_objects(Objects::below(scratch, &[&worktree.objects_at()?])?);
        let index = Index::copy(&worktree.index_place()?);
        let index = index.map_err(|error| format!("its index could not be copied: {error}"))?;
        with.ask_with(index.env(), ["add", "--all", "--", ":/"], &[])?;
        let tree = text_of(&with.ask_with(index.env(), ["write-tree"], &[])?);
        let head = worktree.commit_here();
        let from = head.as_deref().unwrap_or(NOTHING);
        let args = [
            "diff-tree",
            "-r",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            from,
            &tree,
        ];
        let printed = with.ask(args)?;
        let entries = changed(&printed).ok_or(ODD)?;

        let id = SnapshotId::new(now_ms);
        let kept = KeptMoment {
            worktree: worktree.root().display().to_string(),
            label: label.to_owned(),
            head,
            count: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        };
        let mut told = Import::begin(&id.full_in(MOMENTS), now_ms, &kept);
        let files = |entry: &&Entry| !matches!(entry.kind(), None | Some(FileKind::Repository));
        let wanted: String = entries
            .iter()
            .filter(files)
            .map(|entry| format!("{}\n", entry.id))
            .collect();
        let contents = with.ask_with(Vec::new(), ["cat-file", "--batch"], wanted.as_bytes())?;
        let mut contents = &contents[..];
        let mut left = MOST;
        for entry in &entries {
            let Entry { path, mode, id } = entry;
            match entry.kind() {
                Some(FileKind::Repository) => {
                    told.object(mode, id, CLEAN, path);
                    continue;
                }
                Some(_) => {
                    let bytes = next_content(&mut contents);
                    told.file(mode, CLEAN, path, bytes.ok_or(ODD)?);
                }
                None => told.file("100644", DROPPED, path, &[]),
            }
            let state = disk::state_or_directory(worktree.root(), path, left)
                .map_err(|error| format!("`{path}`: {error}"))?;
            if let State::There { bytes, .. } = &state {
                left = left.saturating_sub(bytes.len() as u64);
            }
            told.add(path, &state);
        }
        self.ask(&["fast-import", "--quiet", "--done"], &told.end())?;
        Ok(id)
    }

    /// Lists the moments of a worktree that are kept, the newest first.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotListed`].
    pub fn moments(&self, worktree: &Worktree) -> Result<Vec<Moment>, ChangesError> {
        let root = worktree.root().display().to_string();
        let mut all: Vec<_> = self
            .listed_in::<KeptMoment>(MOMENTS)
            .map_err(|why| ChangesError::NotListed { why })?
            .into_iter()
            .filter(|(_, kept)| kept.worktree == root)
            .map(|(id, kept)| Moment {
                taken_ms: id.taken_ms(),
                id,
                kept,
            })
            .collect();
        all.sort_by_key(|one| std::cmp::Reverse((one.taken_ms, one.id.nth())));
        all.truncate(KEPT);
        Ok(all)
    }

    /// Drops the moments of a worktree that are too many, and all that are too old; what they took goes with the next
    /// [`Snapshots::prune`].
    ///
    /// # Errors
    ///
    /// Says for a person why it was not done.
    pub fn prune_moments(&self) -> Result<(), String> {
        let mut of = BTreeMap::<String, Vec<SnapshotId>>::new();
        for (id, kept) in self.listed_in::<KeptMoment>(MOMENTS)? {
            of.entry(kept.worktree).or_default().push(id);
        }
        let mut gone = Vec::new();
        for mut ids in of.into_values() {
            ids.sort_by_key(|id| std::cmp::Reverse((id.taken_ms(), id.nth())));
            gone.extend(ids.into_iter().skip(KEPT));
        }
        self.drop_refs(gone.iter().map(|id| id.full_in(MOMENTS)))
    }

    /// Compares a worktree with what it was at a moment.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NoSnapshot`] when it is not kept any more, or the commit that it was at is gone.
    pub fn since(&self, worktree: &Worktree, id: &SnapshotId) -> Result<Since, ChangesError> {
        let missing = |why: String| ChangesError::NoSnapshot {
            id: id.to_string(),
            why,
        };
        self.read_moment(worktree, id).map_err(missing)
    }

    fn read_moment(&self, worktree: &Worktree, id: &SnapshotId) -> Result<Since, String> {
        if !id.is_sound() {
            return Err("no moment is called so".to_owned());
        }
        let full = id.full_in(MOMENTS);
        let kept = self.ask(&["for-each-ref", "--format=%(contents)", &full], &[])?;
        let kept: KeptMoment = serde_json::from_slice(&kept)
            .map_err(|_| "no moment is called so, or it is another version's".to_owned())?;
        if kept.worktree != worktree.root().display().to_string() {
            return Err(format!("it is a moment of `{}`", kept.worktree));
        }
        let tree = self.ask(&["ls-tree", "-r", "-z", &full], &[])?;
        let (mut gone, mut there) = (Vec::new(), Vec::new());
        let mut repositories = BTreeSet::new();
        for line in tree
            .split(|byte| *byte == 0)
            .filter(|line| !line.is_empty())
        {
            let tab = line.iter().position(|byte| *byte == b'\t');
            let (about, path) = line.split_at(tab.unwrap_or(line.len()));
            let path = path.get(1..).unwrap_or_default();
            let mut about = about.split(|byte| *byte == b' ');
            let mode = about.next().unwrap_or_default();
            if let Some(path) = path.strip_prefix(CLEAN.as_bytes()) {
                let id = about.nth(1).unwrap_or_default();
                there.extend_from_slice(&[mode, b" ", id, b"\t", path, b"\0"].concat());
                if FileKind::of_mode(mode) == Some(FileKind::Repository) {
                    repositories.insert(RepoPath::new(path));
                }
            } else if let Some(path) = path.strip_prefix(DROPPED.as_bytes()) {
                let nothing = "0".repeat(40);
                gone.extend_from_slice(&[b"0 ", nothing.as_bytes(), b"\t", path, b"\0"].concat());
            }
        }
        let scratch = tempfile::Builder::new().prefix("switchyard-").tempdir();
        let mine = self.directory().join("objects");
        let objects = Objects::below(scratch, &[&worktree.objects_at()?, &mine])?;
        let index = objects.scratch.path().join("index");
        let with = worktree.with_objects(objects);
        let env = || vec![("GIT_INDEX_FILE", index.as_os_str())];
        if let Some(head) = &kept.head {
            with.ask_with(env(), ["read-tree", head], &[])
                .map_err(|why| format!("its commit {head} is gone: {why}"))?;
        }
        // What took the place of a directory, or the other way round, comes after that is gone.
        let entries = [gone, there].concat();
        let args = ["update-index", "-z", "--replace", "--index-info"];
        with.ask_with(env(), args, &entries)?;
        let tree = text_of(&with.ask_with(env(), ["write-tree"], &[])?);
        Ok(Since {
            worktree: with,
            tree,
            head: kept.head,
            states: self.states_of(&full)?,
            repositories,
        })
    }
}

impl Since {
    /// Lists what changed since, as one view: [`View::Whole`].
    ///
    /// # Errors
    ///
    /// As [`Worktree::list`].
    pub fn list(&self) -> Result<WorktreeChanges, ChangesError> {
        let mut listed = self.worktree.list(&[], None)?;
        let (files, notes) = self.worktree.whole_since(&self.tree)?;
        let view = View::Whole;
        listed.views = vec![ViewChanges { view, files }];
        listed.notes.extend(notes);
        Ok(listed)
    }

    /// Tells which lines of a file changed since.
    ///
    /// # Errors
    ///
    /// As [`Worktree::diff`].
    pub fn diff(&self, question: &DiffQuestion) -> Result<FileDiff, ChangesError> {
        let question = DiffQuestion {
            view: View::Whole,
            ..question.clone()
        };
        self.worktree.diff_by(&question, vec![self.tree.clone()])
    }

    /// Gives a file that changed since as the pictures that it was and is.
    pub fn pictures(&self, question: &DiffQuestion) -> FilePictures {
        self.worktree
            .pictures_between(question, Some(&self.tree), None)
    }

    /// Makes files what they were, each in one step, or takes some hunks back; all that changed since, when no file is named. What stood
    /// there is kept by the snapshot that is returned; none: there was nothing to be done.
    ///
    /// A path that is not a text is named as [`Since::list`] shows it.
    ///
    /// # Errors
    ///
    /// [`ChangesError::Moved`], [`ChangesError::Refused`] and [`ChangesError::NotKept`] before anything is written;
    /// [`ChangesError::Write`].
    pub fn restore(
        &self,
        chosen: Option<&[Chosen]>,
        snapshots: &Snapshots,
        now_ms: u64,
    ) -> Result<Option<SnapshotId>, ChangesError> {
        let (files, _) = self.worktree.whole_since(&self.tree)?;
        let named: Option<BTreeMap<String, &Chosen>> = chosen.map(|chosen| {
            let named = chosen.iter().map(|one| (one.path.to_string(), one));
            named.collect()
        });
        let mut targets = BTreeMap::new();
        for file in &files {
            let hunks = match &named {
                None => &[][..],
                Some(named) => match named.get(&file.path.to_string()) {
                    Some(chosen) => &chosen.hunks,
                    None => continue,
                },
            };
            if !hunks.is_empty() {
                targets.insert(file.path.clone(), self.without(file, hunks)?);
                continue;
            }
            for path in file.from.iter().chain([&file.path]) {
                targets.insert(path.clone(), self.state_then(path)?);
            }
        }
        if targets.is_empty() {
            return Ok(None);
        }
        let paths: Vec<_> = targets.keys().cloned().collect();
        let before = snapshots.take(&self.worktree, &paths, SnapshotReason::Restored, now_ms)?;
        let scratch = self.worktree.scratch()?;
        let mut targets: Vec<_> = targets.into_iter().collect();
        // What goes makes room for what comes.
        targets.sort_by_key(|(_, state)| matches!(state, State::There { .. }));
        for (path, state) in &targets {
            disk::put(self.worktree.root(), path, state, &scratch)
                .map_err(self.worktree.unwritten(path))?;
        }
        Ok(Some(before))
    }

    /// What a file is without what came since in these hunks.
    fn without(&self, file: &ChangedFile, hunks: &[Hunk]) -> Result<State, ChangesError> {
        let chosen = Chosen {
            path: file.path.clone(),
            from: file.from.clone(),
            hunks: hunks.to_vec(),
        };
        let now = disk::state(self.worktree.root(), &file.path, MOST);
        let now = now.map_err(|error| ChangesError::Refused {
            path: file.path.clone(),
            why: error.to_string(),
        })?;
        let patch = self.worktree.patch_by(&self.tree, &chosen)?;
        self.worktree.without_hunks(now, &patch, &chosen)
    }

    /// What stood at a path then.
    fn state_then(&self, path: &RepoPath) -> Result<State, ChangesError> {
        if self.repositories.contains(path) {
            return Err(ChangesError::Refused {
                path: path.clone(),
                why: "it is a repository of its own".to_owned(),
            });
        }
        if let Some(state) = self.states.get(path) {
            return Ok(state.clone());
        }
        // It was as in the commit.
        let Some(head) = &self.head else {
            return Ok(State::Absent);
        };
        let mode = match disk::state(self.worktree.root(), path, u64::MAX) {
            Ok(State::There { mode, .. }) => mode,
            _ => None,
        };
        self.worktree.in_commit(head, path, mode)
    }
}

impl Worktree {
    /// The same worktree, in which git finds these objects as well.
    fn with_objects(&self, objects: Objects) -> Self {
        let mut with = self.clone();
        with.objects = Some(Arc::new(objects));
        with
    }

    fn objects_at(&self) -> Result<PathBuf, String> {
        let args = [
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "objects",
        ];
        Ok(RepoPath::new(self.ask(args)?.trim_ascii_end()).to_path())
    }

    /// The commit that HEAD is at; none before the first.
    fn commit_here(&self) -> Option<String> {
        let head = self.ask(["rev-parse", "--verify", "--quiet", "HEAD"]);
        head.ok().map(|head| text_of(&head))
    }

    /// Says why so much is not kept.
    fn is_small_enough(&self) -> Result<(), String> {
        let args = [
            "status",
            "--porcelain",
            "-z",
            "--no-renames",
            "--untracked-files=all",
        ];
        let printed = self.ask(args)?;
        let mut bytes = 0;
        for line in printed.split(|byte| *byte == 0) {
            let path = RepoPath::new(line.get(3..).unwrap_or_default());
            let about = fs::symlink_metadata(self.root().join(path.to_path()));
            bytes += about.map_or(0, |about| about.len());
        }
        match bytes > MOST {
            false => Ok(()),
            true => {
                let mib = 1024 * 1024;
                Err(format!(
                    "what changed since the commit has {} MiB, at most {} MiB are kept of a moment",
                    bytes / mib,
                    MOST / mib
                ))
            }
        }
    }
}

/// A file that differs from the commit, as git would have it: no mode when it would not.
struct Entry {
    path: RepoPath,
    mode: String,
    id: String,
}

impl Entry {
    fn kind(&self) -> Option<FileKind> {
        FileKind::of_mode(self.mode.as_bytes())
    }
}

/// Reads what `git diff-tree --raw -z --no-renames` printed.
fn changed(printed: &[u8]) -> Option<Vec<Entry>> {
    let mut parts = printed.split(|byte| *byte == 0);
    let mut entries = Vec::new();
    while let Some(about) = parts.next().filter(|about| !about.is_empty()) {
        let about = std::str::from_utf8(about).ok()?;
        let mut fields = about.split(' ').skip(1);
        let (mode, id) = (fields.next()?, fields.nth(1)?);
        entries.push(Entry {
            path: RepoPath::new(parts.next()?),
            mode: mode.to_owned(),
            id: id.to_owned(),
        });
    }
    Some(entries)
}

/// Directories as git reads a list of them.
fn listed(places: &[&Path]) -> OsString {
    let mut all = Vec::new();
    for place in places {
        if !all.is_empty() {
            all.push(b':');
        }
        let bytes = place.as_os_str().as_bytes();
        if !bytes.contains(&b':') && !bytes.starts_with(b"\"") {
            all.extend_from_slice(bytes);
            continue;
        }
        all.push(b'"');
        for byte in bytes {
            if matches!(byte, b'"' | b'\\') {
                all.push(b'\\');
            }
            all.push(*byte);
        }
        all.push(b'"');
    }
    OsString::from_vec(all)
}
