//! What each worktree changed since the merge bases that it is compared at, and which pairs changed the same files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use super::judge::{Case, Judged, Party};
use super::{Note, Survey, Worktree, name};
use crate::compare;
use crate::git::{FileChange, FileMode, FileState, Git, Id};
use crate::types::{ChangeKind, WorktreeId};
use ::git::RepoPath;

/// Deleted times created files of one worktree, up to which renames with changes are looked for. Those with the same
/// content, or a name of their own, are found before, however many there are.
const RENAMES: usize = 40_000;

/// How many pairs of files are remembered with how alike they are.
const ALIKE: usize = 500_000;

/// Two worktrees, and the best of their common ancestors; none when they can't be compared.
pub(super) type Pair = (WorktreeId, WorktreeId, Vec<Id>);

/// One file that a worktree changed, by its path at the merge base.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) base: Option<FileState>,
    pub(super) now: Option<FileState>,
    /// Where it is now.
    pub(super) path: RepoPath,
}

/// What one worktree changed since one merge base.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) raw: BTreeMap<RepoPath, FileChange>,
    pub(super) effects: BTreeMap<RepoPath, Effect>,
    /// Paths that are occupied now and were not at the merge base, with the effect's key.
    pub(super) arrivals: BTreeMap<RepoPath, RepoPath>,
    /// How many deleted and how many new files there were too many of, to look for renames with changes among them.
    pub(super) unsearched: Option<(usize, usize)>,
}

/// New paths, and what each was called before; and what was not searched, as [`Changes`] says.
type Renames = (BTreeMap<RepoPath, RepoPath>, Option<(usize, usize)>);

impl Survey {
    /// All pairs of worktrees that are there, with their merge bases; of one worktree only, when told.
    pub(super) fn pairs(&mut self, of: Option<&WorktreeId>) -> Vec<Pair> {
        let present: Vec<_> = self
            .worktrees
            .iter()
            .filter(|(_, tree)| tree.checkout.is_some())
            .map(|(id, tree)| (id.clone(), tree.head.parents()))
            .collect();
        let mut pairs = Vec::new();
        for (at, (left, left_head)) in present.iter().enumerate() {
            for (right, right_head) in &present[at + 1..] {
                if of.is_some_and(|of| of != left && of != right) {
                    continue;
                }
                let bases = self.git.merge_bases(left_head, right_head);
                // Where there is nothing in common, nothing can be merged either: that is no gap.
                let why = match &bases {
                    Ok(bases) if !bases.is_empty() => None,
                    Ok(_) if left_head.is_empty() || right_head.is_empty() => {
                        Some(("there is no commit yet".to_owned(), false))
                    }
                    Ok(_) if self.git.is_shallow() => {
                        let why = "the history was not fetched back to a common ancestor";
                        Some((why.to_owned(), true))
                    }
                    Ok(_) => Some(("they have no common ancestor".to_owned(), false)),
                    Err(error) => Some((error.clone(), true)),
                };
                if let Some((why, gap)) = why {
                    let names = (name(left), name(right));
                    self.notes.push(Note {
                        text: format!("`{}` and `{}` are not compared: {why}", names.0, names.1),
                        gap,
                        about: Some([left.clone(), right.clone()]),
                    });
                }
                pairs.push((left.clone(), right.clone(), bases.unwrap_or_default()));
            }
        }
        pairs
    }

    /// Brings each worktree's changes up to date, for every merge base it is compared at.
    pub(super) fn refresh_changes(&mut self, pairs: &[Pair], now: u64) {
        let mut wanted = HashMap::<WorktreeId, HashSet<Id>>::new();
        for (left, right, bases) in pairs {
            for id in [left, right] {
                wanted.entry(id.clone()).or_default().extend(bases);
            }
        }
        let (mut heads, mut bases) = (HashSet::new(), HashSet::new());
        let mut unread = BTreeMap::new();
        for (id, tree) in &mut self.worktrees {
            let mut wanted = wanted.remove(id).unwrap_or_default();
            if wanted.is_empty() {
                // Alone: what is not committed.
                wanted.extend(tree.head.commit);
            }
            heads.extend(tree.head.parents());
            bases.extend(wanted.iter().copied());
            tree.changes.retain(|base, _| wanted.contains(base));
            let only = self.only.as_deref().filter(|_| !tree.whole);
            for base in wanted {
                if tree.checkout.is_none() || tree.changes.contains_key(&base) {
                    continue;
                }
                match raw_changes(&mut self.git, tree, base, only) {
                    Ok(raw) => {
                        let changes = Changes {
                            raw,
                            ..Changes::default()
                        };
                        tree.changes.insert(base, changes);
                    }
                    Err(error) => drop(unread.insert(base, error)),
                }
            }
        }
        for (base, error) in unread {
            self.gap(format!("could not read commit `{base}`: {error}"));
        }
        self.refresh_effects(now);
        self.git.forget(&heads, &bases);
    }

    /// Tells renames from files that came and went, where that is not told yet.
    fn refresh_effects(&mut self, now: u64) {
        let trees = self.worktrees.iter();
        let all = trees.flat_map(|(id, tree)| {
            tree.changes
                .iter()
                .map(move |(base, changes)| (id, base, changes))
        });
        let stale =
            all.filter(|(.., changes)| changes.effects.is_empty() && !changes.raw.is_empty());
        let stale: Vec<_> = stale
            .map(|(id, base, changes)| (id.clone(), *base, changes.raw.clone()))
            .collect();
        for (id, base, raw) in stale {
            let (renames, unsearched) = self.renames(&id, &raw);
            if let Some(tree) = self.worktrees.get_mut(&id) {
                take_effects(tree, base, &raw, &renames, now);
                if let Some(changes) = tree.changes.get_mut(&base) {
                    changes.unsearched = unsearched;
                }
            }
        }
        for tree in self.worktrees.values_mut() {
            for changes in tree
                .changes
                .values_mut()
                .filter(|changes| changes.raw.is_empty())
            {
                changes.effects.clear();
                changes.arrivals.clear();
            }
            let changes = &tree.changes;
            tree.seen.retain(|path, _| {
                changes
                    .values()
                    .any(|changes| changes.raw.contains_key(path))
            });
        }
    }

    /// Finds the renames among the deleted and the new files of one worktree.
    fn renames(&mut self, id: &WorktreeId, raw: &BTreeMap<RepoPath, FileChange>) -> Renames {
        let file = |state: Option<FileState>| state.filter(|state| state.mode.is_file());
        let mut gone: Vec<_> = raw
            .iter()
            .filter(|(_, change)| change.now.is_none())
            .filter_map(|(path, change)| Some((path, file(change.base)?)))
            .collect();
        let mut new: Vec<_> = raw
            .iter()
            .filter(|(_, change)| change.base.is_none())
            .filter_map(|(path, change)| Some((path, file(change.now)?)))
            .collect();
        gone.retain(|(_, state)| !state.id.is_empty_file());
        new.retain(|(_, state)| !state.id.is_empty_file());
        let mut renames = BTreeMap::new();
        if gone.is_empty() || new.is_empty() {
            return (renames, None);
        }
        // The same content first, preferring the same file name.
        let mut by_content = HashMap::<Id, Vec<&RepoPath>>::new();
        for (from, state) in &gone {
            by_content.entry(state.id).or_default().push(from);
        }
        new.retain(|(to, state)| {
            let Some(same) = by_content
                .get_mut(&state.id)
                .filter(|same| !same.is_empty())
            else {
                return true;
            };
            let at = same.iter().position(|from| from.name() == to.name());
            renames.insert((*to).clone(), same.remove(at.unwrap_or(0)).clone());
            false
        });
        // Then a name that only one of each has, when enough of it is still there.
        let names = |files: &[(&RepoPath, FileState)]| {
            let mut names = HashMap::<Vec<u8>, Vec<usize>>::new();
            for (at, (path, _)) in files.iter().enumerate() {
                names.entry(path.name().to_vec()).or_default().push(at);
            }
            names
        };
        let taken: HashSet<_> = renames.values().cloned().collect();
        gone.retain(|(path, _)| !taken.contains(path));
        let gone_names = names(&gone);
        for (name, to) in names(&new) {
            let ([to], Some([from])) = (to.as_slice(), gone_names.get(&name).map(Vec::as_slice))
            else {
                continue;
            };
            let ((to, state), (from, old)) = (new[*to], gone[*from]);
            let party = Party {
                worktree: id.clone(),
                path: to.clone(),
                state: Some(state),
            };
            if self.alike(old, &party).is_some_and(|score| score >= 0.75) {
                renames.insert(to.clone(), from.clone());
            }
        }
        let taken: HashSet<_> = renames.values().cloned().collect();
        gone.retain(|(path, _)| !taken.contains(path));
        new.retain(|(path, _)| !renames.contains_key(path));
        if gone.len() * new.len() > RENAMES {
            // What a merge makes of them git says, as far as its own limit goes.
            return (renames, Some((gone.len(), new.len())));
        }
        let mut candidates = Vec::new();
        for (to, new_state) in &new {
            for (from, old_state) in &gone {
                let party = Party {
                    worktree: id.clone(),
                    path: (*to).clone(),
                    state: Some(*new_state),
                };
                if let Some(score) = self.alike(*old_state, &party) {
                    candidates.push((score, from.name() == to.name(), *to, *from));
                }
            }
        }
        candidates.sort_by(|a, b| {
            (b.1 && b.0 >= 0.75)
                .cmp(&(a.1 && a.0 >= 0.75))
                .then(b.0.total_cmp(&a.0))
        });
        let mut taken = HashSet::new();
        for (_, _, to, from) in candidates {
            if !renames.contains_key(to) && taken.insert(from) {
                renames.insert(to.clone(), from.clone());
            }
        }
        (renames, None)
    }

    fn alike(&mut self, old: FileState, new: &Party) -> Option<f64> {
        let key = (old.id, new.state?.id);
        if let Some(score) = self.memory.alike.get(&key) {
            return (*score >= 0.5).then_some(*score);
        }
        let old = self.text_of(Some(old), None)?;
        let text = self.text_of(new.state, Some(new))?;
        let (short, long) = (old.len().min(text.len()), old.len().max(text.len()));
        let score = if short * 2 < long {
            0.0
        } else {
            compare::similarity(&old, &text)
        };
        if self.memory.alike.len() > ALIKE {
            self.memory.alike.clear();
        }
        self.memory.alike.insert(key, score);
        (score >= 0.5).then_some(score)
    }

    /// Collects what two worktrees did to the same files.
    pub(super) fn cases(
        &self,
        left: &WorktreeId,
        right: &WorktreeId,
        base: Id,
        cases: &mut Vec<Case>,
    ) {
        let of = |id: &WorktreeId| self.worktrees.get(id)?.changes.get(&base);
        let (Some(ours), Some(theirs)) = (of(left), of(right)) else {
            return;
        };
        let party = |id: &WorktreeId, effect: &Effect| Party {
            worktree: id.clone(),
            path: effect.path.clone(),
            state: effect.now,
        };
        let mut push =
            |key: &RepoPath, ours: (&RepoPath, &Effect), theirs: (&RepoPath, &Effect), known| {
                cases.push(Case {
                    path: key.clone(),
                    base_commit: base,
                    base: if ours.0 == theirs.0 {
                        ours.1.base
                    } else {
                        None
                    },
                    left: party(left, ours.1),
                    right: party(right, theirs.1),
                    kinds: [kind(ours.1, ours.0), kind(theirs.1, theirs.0)],
                    known,
                });
            };
        let (few, many) = if ours.effects.len() <= theirs.effects.len() {
            (ours, theirs)
        } else {
            (theirs, ours)
        };
        for key in few
            .effects
            .keys()
            .filter(|key| many.effects.contains_key(key))
        {
            let (Some(a), Some(b)) = (ours.effects.get(key), theirs.effects.get(key)) else {
                continue;
            };
            let known = match (a.now, b.now) {
                (Some(_), Some(_)) if a.path != b.path && &a.path != key && &b.path != key => {
                    Some(Judged::whole(true, Some("renamed to two different places")))
                }
                _ => None,
            };
            push(key, (key, a), (key, b), known);
        }
        // Two different files that end up at the same path.
        for (path, our_key) in &ours.arrivals {
            let Some(their_key) = theirs.arrivals.get(path).filter(|key| *key != our_key) else {
                continue;
            };
            let (Some(a), Some(b)) = (ours.effects.get(our_key), theirs.effects.get(their_key))
            else {
                continue;
            };
            push(path, (our_key, a), (their_key, b), None);
        }
        // A file on one side where the other has a directory.
        for (one, two, swapped) in [(ours, theirs, false), (theirs, ours, true)] {
            let mut told = HashSet::new();
            for (path, key) in &one.arrivals {
                let Some(dir) = path.parents().find(|dir| two.arrivals.contains_key(dir)) else {
                    continue;
                };
                let file_key = &two.arrivals[&dir];
                let (Some(below), Some(file)) = (one.effects.get(key), two.effects.get(file_key))
                else {
                    continue;
                };
                if told.insert(dir.clone()) {
                    let known =
                        Judged::whole(true, Some("a file on one side, a directory on the other"));
                    let (a, b) = if swapped {
                        ((file_key, file), (key, below))
                    } else {
                        ((key, below), (file_key, file))
                    };
                    push(&dir, a, b, Some(known));
                }
            }
        }
    }
}

/// Says what differs between a commit and a worktree: everywhere, or at `only` these paths.
fn raw_changes(
    git: &mut Git,
    tree: &Worktree,
    base: Id,
    only: Option<&[RepoPath]>,
) -> Result<BTreeMap<RepoPath, FileChange>, String> {
    let Some(checkout) = &tree.checkout else {
        return Ok(BTreeMap::new());
    };
    let head = tree.head.commit;
    let Some(only) = only else {
        let files = git.tree(base)?;
        return Ok(checkout.changes(git, head, &files, &tree.dirty));
    };
    // A few paths of a large commit are found without listing it.
    let mut raw = BTreeMap::new();
    for path in only {
        let state = git.lookup(base, path)?;
        if let Some(change) = checkout.change(git, head, state, &tree.dirty, path) {
            raw.insert(path.clone(), change);
        }
    }
    Ok(raw)
}

/// Takes over what a worktree changed since a merge base, each file under the path that it had there.
fn take_effects(
    tree: &mut Worktree,
    base: Id,
    raw: &BTreeMap<RepoPath, FileChange>,
    renames: &BTreeMap<RepoPath, RepoPath>,
    now: u64,
) {
    let Some(changes) = tree.changes.get_mut(&base) else {
        return;
    };
    let sources: HashSet<_> = renames.values().collect();
    changes.arrivals.clear();
    for (path, change) in raw {
        let renamed = renames.get(path).filter(|_| change.base.is_none());
        if renamed.is_none() && sources.contains(path) {
            // It is told under its source, where the target of the rename is.
            continue;
        }
        let key = renamed.unwrap_or(path).clone();
        let effect = Effect {
            base: renamed.map_or(change.base, |from| raw.get(from)?.base),
            now: change.now,
            path: path.clone(),
        };
        if change.base.is_none() {
            changes.arrivals.insert(path.clone(), key.clone());
        }
        let root = &tree.place.root;
        let seen = tree
            .seen
            .entry(path.clone())
            .or_insert_with(|| (effect.now, written_at(root, path).unwrap_or(now).min(now)));
        if seen.0 != effect.now {
            *seen = (effect.now, now);
        }
        changes.effects.insert(key, effect);
    }
}

/// When a file was written last, in milliseconds since 1970: a change that was there before it was looked at has no
/// other beginning. One that is gone went when its directory was written.
fn written_at(root: &Path, path: &RepoPath) -> Option<u64> {
    let file = root.join(path.to_path());
    let mut places = file.ancestors().take_while(|place| place.starts_with(root));
    let written = places.find_map(|place| place.symlink_metadata().ok()?.modified().ok())?;
    let since = written.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// The merge base that a worktree is nearest to, of those it is compared at.
pub(super) fn nearest(tree: &Worktree) -> Option<(&Id, &Changes)> {
    tree.changes
        .iter()
        .min_by_key(|(base, changes)| (changes.raw.len(), **base))
}

pub(super) fn kind(effect: &Effect, key: &RepoPath) -> ChangeKind {
    let is = |mode: FileMode| {
        [effect.base, effect.now]
            .iter()
            .flatten()
            .any(|state| state.mode == mode)
    };
    match (effect.base, effect.now) {
        (_, Some(_)) if effect.path != *key => ChangeKind::Rename {
            to: effect.path.to_string(),
        },
        (_, None) => ChangeKind::Delete,
        _ if is(FileMode::Submodule) => ChangeKind::Submodule,
        _ if is(FileMode::Symlink) => ChangeKind::Symlink,
        (None, Some(_)) => ChangeKind::Create,
        (Some(base), Some(now)) if base.id == now.id => ChangeKind::Mode,
        _ => ChangeKind::Modify,
    }
}
