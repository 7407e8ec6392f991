//! What git itself is asked: contents that only a program can convert, and merges that hang on more than one file.
//!
//! The survey says what it wants to know and goes on with what it knows. Whoever keeps it takes the work out, runs it
//! while others may ask the survey, and hands the answers back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use super::breaks::{self, Meaning};
use super::changes::Changes;
use super::judge::{Case, Judged, Party};
use super::{Note, Survey, Worktree, name};
use crate::git::{FileMode, FileState, Id, Merged, Place, Scratch, State};
use crate::types::{ChangeKind, Severity, WorktreeId};
use ::git::RepoPath;

/// Merges that are remembered at most.
const MERGES: usize = 1_024;

/// What git said, and what it is to be asked.
#[derive(Default)]
pub(super) struct Asked {
    /// None until something is asked, and while it is.
    pub(super) scratch: Option<Scratch>,
    merges: HashMap<(State, State), Result<Merged, String>>,
    wanted: Vec<Merge>,
}

/// Two worktrees to be merged.
#[derive(Clone)]
struct Merge {
    sides: (State, State),
    places: [Place; 2],
    drivers: Vec<String>,
}

/// Files of one worktree that a program is to convert.
struct Filtered {
    worktree: WorktreeId,
    root: PathBuf,
    files: Vec<(RepoPath, FileMode)>,
}

/// Work that needs nothing of the survey.
pub(crate) struct Work {
    /// The submodule that it is about, inside of those behind it; none: the repository itself.
    within: Vec<RepoPath>,
    job: Job,
}

enum Job {
    /// For git.
    Ask {
        scratch: Box<Scratch>,
        filtered: Vec<Filtered>,
        merges: Vec<Merge>,
    },
    /// Texts of programs.
    Read(breaks::Unread),
}

/// What came of it.
pub(crate) struct Answers {
    within: Vec<RepoPath>,
    done: Done,
}

enum Done {
    Asked {
        scratch: Box<Scratch>,
        filtered: Vec<(Filtered, Result<Vec<Id>, String>)>,
        merges: Vec<((State, State), Result<Merged, String>)>,
    },
    Read(breaks::Outlines),
}

/// What is known of a pair.
pub(super) enum Known {
    /// Each file says for itself what a merge makes of it.
    Plain,
    /// Git said it.
    Told(Box<Merged>),
    /// Git is to be asked.
    Waiting,
    /// Git could not say it.
    Failed(String),
}

impl Work {
    /// Does it: asks git once for each worktree that something is wanted of, or reads.
    pub(crate) fn run(self) -> Answers {
        let done = match self.job {
            Job::Read(texts) => Done::Read(breaks::read(texts)),
            Job::Ask {
                scratch,
                filtered,
                merges,
            } => ask(scratch, filtered, merges),
        };
        Answers {
            within: self.within,
            done,
        }
    }
}

fn ask(mut scratch: Box<Scratch>, filtered: Vec<Filtered>, merges: Vec<Merge>) -> Done {
    let convert = |filtered: Filtered| {
        let paths: Vec<_> = filtered
            .files
            .iter()
            .map(|(path, _)| path.clone())
            .collect();
        let ids = scratch.keep_filtered(&filtered.root, &paths);
        (filtered, ids)
    };
    let filtered = filtered.into_iter().map(convert).collect();
    let mut by_left = BTreeMap::<PathBuf, Vec<Merge>>::new();
    for merge in merges {
        by_left
            .entry(merge.sides.0.place.clone())
            .or_default()
            .push(merge);
    }
    let mut answers = Vec::new();
    for merges in by_left.into_values() {
        answers.extend(merge_all(&mut scratch, merges));
    }
    Done::Asked {
        scratch,
        filtered,
        merges: answers,
    }
}

/// Merges one worktree with some others.
fn merge_all(
    scratch: &mut Scratch,
    merges: Vec<Merge>,
) -> Vec<((State, State), Result<Merged, String>)> {
    let mut answers = Vec::new();
    let mut ready = Vec::new();
    for merge in merges {
        let [left, right] = &merge.places;
        let commits = scratch
            .commit(&merge.sides.0, left)
            .and_then(|one| Ok((one, scratch.commit(&merge.sides.1, right)?)));
        match commits {
            Ok((one, other)) => ready.push((merge, one, other)),
            Err(error) => answers.push((merge.sides, Err(error))),
        }
    }
    let Some((first, one, _)) = ready.first() else {
        return answers;
    };
    let others: Vec<_> = ready.iter().map(|(.., other)| *other).collect();
    let merged = scratch.merge(*one, &first.places[0], &others, &first.drivers);
    let sides = ready.into_iter().map(|(merge, ..)| merge.sides);
    answers.extend(sides.zip(merged));
    answers
}

impl Survey {
    /// Takes out what git is to be asked and what is to be read, here or of a submodule; none when nothing is.
    pub(crate) fn work(&mut self) -> Option<Work> {
        let reads = |meaning: &mut Meaning| meaning.work().map(Job::Read);
        let own = self
            .own_work()
            .or_else(|| self.meaning.as_mut().and_then(reads));
        if let Some(job) = own {
            let within = Vec::new();
            return Some(Work { within, job });
        }
        let mut surveys = self.submodules.surveys.iter_mut();
        surveys.find_map(|(at, survey)| {
            let mut work = survey.work()?;
            work.within.push(at.clone());
            Some(work)
        })
    }

    /// What git is to be asked.
    fn own_work(&mut self) -> Option<Job> {
        let mut merges = std::mem::take(&mut self.asked.wanted);
        let mut filtered = Vec::new();
        for (id, tree) in &mut self.worktrees {
            let files: Vec<_> = std::mem::take(&mut tree.filtered).into_iter().collect();
            if !files.is_empty() {
                let root = tree.place.root.clone();
                filtered.push(Filtered {
                    worktree: id.clone(),
                    root,
                    files,
                });
            }
        }
        if merges.is_empty() && filtered.is_empty() {
            return None;
        }
        let kept = self
            .asked
            .scratch
            .take()
            .filter(|scratch| !scratch.is_full());
        let scratch = match kept {
            Some(scratch) => Ok(scratch),
            None => {
                // What was said before speaks of objects that are gone.
                self.asked.merges.clear();
                Scratch::new(self.program.clone(), &self.git.object_dirs())
            }
        };
        let mut scratch = match scratch {
            Ok(scratch) => scratch,
            Err(error) => {
                for merge in merges {
                    self.asked.merges.insert(merge.sides, Err(error.clone()));
                }
                return None;
            }
        };
        merges.retain(|merge| {
            let sides = [&merge.sides.0, &merge.sides.1];
            let kept = sides.map(|side| keep(&mut self.worktrees, &mut scratch, side));
            match kept.into_iter().find_map(Result::err) {
                None => true,
                Some(error) => {
                    self.asked.merges.insert(merge.sides.clone(), Err(error));
                    false
                }
            }
        });
        Some(Job::Ask {
            scratch: Box::new(scratch),
            filtered,
            merges,
        })
    }

    /// Takes in what came of some work.
    pub(crate) fn learn(&mut self, mut answers: Answers) {
        if let Some(at) = answers.within.pop() {
            // One that is gone by now needs no answer.
            if let Some(survey) = self.submodules.surveys.get_mut(&at) {
                survey.learn(answers);
            }
            return;
        }
        let (scratch, filtered, merges) = match answers.done {
            Done::Asked {
                scratch,
                filtered,
                merges,
            } => (scratch, filtered, merges),
            Done::Read(outlines) => {
                if let Some(meaning) = &mut self.meaning {
                    meaning.learn(outlines);
                }
                return;
            }
        };
        self.asked.scratch = Some(*scratch);
        if self.asked.merges.len() + merges.len() > MERGES {
            self.asked.merges.clear();
        }
        self.asked.merges.extend(merges);
        for (filtered, ids) in filtered {
            let Some(tree) = self.worktrees.get_mut(&filtered.worktree) else {
                continue;
            };
            let Some(checkout) = &tree.checkout else {
                continue;
            };
            let ids = match ids {
                Ok(ids) => ids,
                Err(error) => {
                    let count = filtered.files.len();
                    tree.problems.push(format!(
                        "{count} files of `{}` are converted by a program, and can't be compared: {error}",
                        name(&filtered.worktree),
                    ));
                    continue;
                }
            };
            for ((path, mode), id) in filtered.files.into_iter().zip(ids) {
                let state = FileState { mode, id };
                let before = tree.dirty.remove(&path);
                let now = (checkout.indexed_state(&path) != Some(state)).then_some(Some(state));
                if let Some(now) = now {
                    tree.dirty.insert(path, now);
                }
                if now != before {
                    tree.changes.clear();
                }
            }
        }
    }

    /// Says what is known of the merge of two worktrees; what is not known yet is wanted from now on.
    pub(super) fn known(&mut self, left: &WorktreeId, right: &WorktreeId, bases: &[Id]) -> Known {
        if self.is_plain(left, right, bases) {
            return Known::Plain;
        }
        let (Some(one), Some(other)) = (self.state(left), self.state(right)) else {
            return Known::Plain;
        };
        let sides = (one, other);
        match self.asked.merges.get(&sides) {
            Some(Ok(merged)) => return Known::Told(Box::new(merged.clone())),
            Some(Err(error)) => return Known::Failed(error.clone()),
            None => {}
        }
        let trees = [left, right].map(|id| self.worktrees.get(id));
        if let [Some(one), Some(other)] = trees {
            let drivers = one
                .checkout
                .as_ref()
                .map(|checkout| checkout.drivers().to_vec());
            self.asked.wanted.push(Merge {
                sides,
                places: [one.place.clone(), other.place.clone()],
                drivers: drivers.unwrap_or_default(),
            });
        }
        Known::Waiting
    }

    /// Forgets what is wanted; the next settling says it anew.
    pub(super) fn want_nothing(&mut self) {
        self.asked.wanted.clear();
    }

    /// Says whether what a merge of two worktrees comes to follows from each file alone.
    fn is_plain(&self, left: &WorktreeId, right: &WorktreeId, bases: &[Id]) -> bool {
        let base = match bases {
            // Nothing in common, nothing to merge.
            [] => return true,
            [base] => base,
            _ => return false,
        };
        let side = |id: &WorktreeId| {
            let tree = self.worktrees.get(id)?;
            Some((tree, tree.changes.get(base)?))
        };
        let (Some(ours), Some(theirs)) = (side(left), side(right)) else {
            return true;
        };
        let renormalizes = ours
            .0
            .checkout
            .as_ref()
            .is_some_and(|checkout| checkout.renormalizes());
        !renormalizes && !hangs(ours, theirs.1) && !hangs(theirs, ours.1)
    }

    /// What a worktree would be committed as.
    fn state(&self, id: &WorktreeId) -> Option<State> {
        let tree = self.worktrees.get(id)?;
        let checkout = tree.checkout.as_ref()?;
        let beside = tree.dirty.iter().filter(|(path, state)| {
            // Work that is only staged counts: the disk shows what is committed.
            let head = tree.head.commit;
            let committed = head.and_then(|head| self.git.lookup(head, path).ok());
            committed != Some(**state) || checkout.is_unmerged(path)
        });
        Some(State {
            place: tree.place.git_dir.clone(),
            parents: tree.head.parents(),
            index: checkout.stamp(),
            beside: beside.map(|(path, state)| (path.clone(), *state)).collect(),
        })
    }

    /// Judges the files that two worktrees changed; at several merge bases, each file at the one where the changes are
    /// furthest apart: the others hold what both sides have taken over already.
    pub(super) fn judged(
        &mut self,
        left: &WorktreeId,
        right: &WorktreeId,
        bases: &[Id],
    ) -> Vec<(Case, Judged)> {
        let mut found = BTreeMap::<RepoPath, (Case, Judged)>::new();
        for (at, base) in bases.iter().enumerate() {
            let mut cases = Vec::new();
            self.cases(left, right, *base, &mut cases);
            let mut here = BTreeMap::new();
            for case in cases {
                if let Some(judged) = self.judge(&case) {
                    here.insert(case.path.clone(), (case, judged));
                }
            }
            if at == 0 {
                found = here;
                continue;
            }
            // At this base only one side changed it, or none.
            found.retain(|path, _| here.contains_key(path));
            for (path, new) in here {
                let worth = |judged: &Judged| (judged.would_conflict, judged.severity);
                if let Some(known) = found.get_mut(&path)
                    && worth(&new.1) < worth(&known.1)
                {
                    *known = new;
                }
            }
        }
        found.into_values().collect()
    }

    /// Judges a pair as git did: it says which files stop a merge, and the lines say how near the others are.
    pub(super) fn judged_by_git(
        &mut self,
        left: &WorktreeId,
        right: &WorktreeId,
        bases: &[Id],
        merged: &Merged,
    ) -> Vec<(Case, Judged)> {
        let mut all = self.judged(left, right, bases);
        let mut told = HashSet::new();
        for (case, judged) in &mut all {
            let stops: Vec<_> = [&case.path, &case.left.path, &case.right.path]
                .into_iter()
                .filter(|path| merged.stops.contains_key(*path))
                .cloned()
                .collect();
            if !judged.by_us {
                judged.would_conflict = !stops.is_empty();
            }
            if judged.would_conflict {
                judged.severity = Severity::SameLine;
            }
            judged.note = judged
                .note
                .or_else(|| stops.iter().find_map(|path| note(merged, path)));
            told.extend(stops);
        }
        let base = bases.first().copied();
        for (path, states) in &merged.stops {
            if told.contains(path) {
                continue;
            }
            let Some(base_commit) = base else { continue };
            let [base, ours, theirs] = *states;
            let party = |worktree: &WorktreeId, state| Party {
                worktree: worktree.clone(),
                path: path.clone(),
                state,
            };
            let case = Case {
                path: path.clone(),
                base_commit,
                base,
                left: party(left, ours),
                right: party(right, theirs),
                kinds: [ours, theirs].map(|state| kind_of(base, state)),
                known: None,
            };
            let judged = self
                .judge(&case)
                .unwrap_or_else(|| Judged::whole(true, None));
            let judged = Judged {
                severity: Severity::SameLine,
                would_conflict: true,
                note: note(merged, path).or(judged.note),
                ..judged
            };
            all.push((case, judged));
        }
        all
    }

    /// Takes note of what git could not do, or did not.
    pub(super) fn note_of_git(
        &mut self,
        left: &WorktreeId,
        right: &WorktreeId,
        text: &str,
        gap: bool,
    ) {
        self.notes.push(Note {
            text: format!("`{}` and `{}`: {text}", name(left), name(right)),
            gap,
            about: Some([left.clone(), right.clone()]),
        });
    }
}

/// Keeps what is only on a worktree's disk where git will look for it.
fn keep(
    worktrees: &mut BTreeMap<WorktreeId, Worktree>,
    scratch: &mut Scratch,
    state: &State,
) -> Result<(), String> {
    let mut trees = worktrees.values_mut();
    let tree = trees.find(|tree| tree.place.git_dir == state.place);
    let Some(checkout) = tree.and_then(|tree| tree.checkout.as_mut()) else {
        return Err("its worktree is gone".to_owned());
    };
    for (path, file) in &state.beside {
        let Some(file) =
            file.filter(|file| file.mode != FileMode::Submodule && !scratch.has(file.id))
        else {
            continue;
        };
        let bytes = checkout.kept(path, file.mode);
        let bytes = bytes.map_err(|error| format!("could not read `{path}`: {error}"))?;
        if scratch.keep(&bytes)? != file.id {
            return Err(format!("`{path}` was changed while it was read"));
        }
    }
    Ok(())
}

/// Says whether what one side did to some files bears on what the other one did to others: files that may have been
/// renamed, whole directories that may have been, and files in the place of directories.
fn hangs((tree, one): (&Worktree, &Changes), other: &Changes) -> bool {
    let new = |changes: &Changes| -> Vec<_> {
        let new = changes
            .raw
            .iter()
            .filter(|(_, change)| change.base.is_none());
        new.map(|(path, _)| path.clone()).collect()
    };
    let (ours, theirs) = (new(one), new(other));
    let is_new = |path: &RepoPath| {
        other
            .raw
            .get(path)
            .is_some_and(|change| change.base.is_none())
    };
    if ours
        .iter()
        .any(|path| path.parents().any(|dir| is_new(&dir)))
    {
        return true;
    }
    let gone = || one.raw.iter().filter(|(_, change)| change.now.is_none());
    if ours.is_empty() || gone().next().is_none() {
        return false;
    }
    if gone().any(|(path, _)| other.raw.contains_key(path)) || ours.iter().any(is_new) {
        return true;
    }
    let left: HashSet<_> = match theirs.is_empty() {
        true => HashSet::new(),
        false => gone().flat_map(|(path, _)| path.parents()).collect(),
    };
    let dirs: HashSet<_> = theirs.iter().flat_map(RepoPath::parents).collect();
    let checkout = tree.checkout.as_ref();
    dirs.intersection(&left)
        .any(|dir| checkout.is_some_and(|checkout| !checkout.has_files_below(dir, &tree.dirty)))
}

/// What happened to a file of which git says only what it was and is.
fn kind_of(base: Option<FileState>, now: Option<FileState>) -> ChangeKind {
    match (base, now) {
        (_, None) => ChangeKind::Delete,
        (None, Some(_)) => ChangeKind::Create,
        _ => ChangeKind::Modify,
    }
}

/// Says in our words what git says of a file that stops it.
fn note(merged: &Merged, path: &RepoPath) -> Option<&'static str> {
    let about = merged
        .messages
        .iter()
        .filter(|(paths, _)| paths.contains(path));
    about.into_iter().find_map(|(_, kind)| {
        Some(match kind.strip_prefix("CONFLICT (")?.strip_suffix(')')? {
            "rename/rename" => "renamed to two different places",
            "rename/delete" => "renamed on one side, deleted on the other",
            "modify/delete" => "deleted on one side, changed on the other",
            "add/add" => "new on both sides",
            "file/directory" => "a file on one side, a directory on the other",
            "distinct modes" => "two kinds of file",
            "directory rename suggested" => "in a directory that the other side renamed",
            "directory rename unclear split" => "in a directory that the other side split",
            "file in way of directory rename" => "where a renamed directory would put another file",
            "directory rename collision" => "where a renamed directory would put several files",
            "binary" => "not text",
            _ => return None,
        })
    })
}
