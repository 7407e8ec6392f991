//! Where to look again: everything, one worktree, the refs, or the paths that a notice names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Survey, Worktree};
use crate::git::{Arm, Checkout, FileMode, FileState, Found, Git, Head, OpenError};
use crate::types::WorktreeId;
use ::git::RepoPath;

impl Survey {
    /// Looks at one file for the worktree that asks about it: in all worktrees, under all names that it has there.
    ///
    /// A rename is known by the files that went and came with it, so a worktree in which the file may have got
    /// another name is looked through as a whole. The others are not.
    pub(crate) fn look_at_file(&mut self, worktree: &WorktreeId, path: &RepoPath) {
        if let Some((submodule, inside)) = self.in_submodule(worktree, path) {
            self.relist_submodules(Some(&submodule), &mut |_| {});
            if let Some(survey) = self.submodules.surveys.get_mut(&submodule) {
                return survey.look_at_file(worktree, &inside);
            }
            return self.look_at_file(worktree, &submodule);
        }
        self.look_also_at(path);
        let mut before = 0;
        loop {
            self.refresh_pairs_of(worktree);
            let moved = self.may_have_moved();
            for id in &moved {
                if let Some(tree) = self.worktrees.get_mut(id) {
                    tree.whole = true;
                }
                self.scan_files(std::slice::from_ref(id), &mut |_| {});
            }
            if !moved.is_empty() {
                self.refresh_pairs_of(worktree);
            }
            // What the file was called where it came from.
            let trees = self.worktrees.values();
            let arrivals = trees.flat_map(|tree| tree.changes.values());
            let origins: HashSet<_> = arrivals
                .filter_map(|changes| changes.arrivals.get(path).cloned())
                .collect();
            for origin in &origins {
                self.look_also_at(origin);
            }
            let known = self.only.as_ref().map_or(0, Vec::len);
            if moved.is_empty() && known == before {
                return;
            }
            before = known;
        }
    }

    fn refresh_pairs_of(&mut self, worktree: &WorktreeId) {
        let pairs = self.pairs(Some(worktree));
        self.refresh_changes(&pairs, self.clock.now_ms());
    }

    /// The worktrees of which only some paths were looked at, and one of those came or went.
    fn may_have_moved(&self) -> Vec<WorktreeId> {
        let moved = |tree: &Worktree| {
            let mut all = tree
                .changes
                .values()
                .flat_map(|changes| changes.raw.values());
            !tree.whole && all.any(|change| change.base.is_none() || change.now.is_none())
        };
        let trees = self.worktrees.iter();
        let found = trees.filter(|(_, tree)| moved(tree));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// Looks at one more path; what was found out about the worktrees so far stays.
    fn look_also_at(&mut self, path: &RepoPath) {
        let only = self.only.get_or_insert_default();
        if only.contains(path) {
            return;
        }
        only.push(path.clone());
        for tree in self.worktrees.values_mut().filter(|tree| !tree.whole) {
            let Some(checkout) = &mut tree.checkout else {
                continue;
            };
            let mut disk = Disk::of(&mut tree.dirty, &mut tree.filtered, &mut tree.problems);
            disk.look(checkout, path, None);
            tree.changes.clear();
        }
    }

    /// Finds out which worktrees there are, and looks at none of their files.
    pub(crate) fn look_at_no_file(&mut self) -> Result<(), OpenError> {
        self.only = Some(Vec::new());
        self.relist(&mut |_| {}).map(drop)
    }

    /// Finds out which worktrees there are, and looks through those that are new; says whether any changed.
    pub(crate) fn relist(&mut self, arm: Arm<'_>) -> Result<bool, OpenError> {
        let places = self.git.worktrees()?;
        let ids: Vec<_> = places.iter().map(|place| place.worktree.clone()).collect();
        let before = self.worktrees.len();
        self.worktrees.retain(|id, _| ids.contains(id));
        let mut changed = self.worktrees.len() != before;
        let mut new = Vec::new();
        for (id, place) in ids.into_iter().zip(places) {
            let known = self.worktrees.get(&id);
            if known.is_some_and(|tree| {
                tree.place == place && tree.checkout.is_some() && place.root.exists()
            }) {
                continue;
            }
            let was_present = known.is_some_and(|tree| tree.checkout.is_some());
            changed |= known.is_none();
            let tree = Worktree {
                place,
                checkout: None,
                head: Head::default(),
                dirty: BTreeMap::new(),
                filtered: BTreeMap::new(),
                changes: HashMap::new(),
                seen: HashMap::new(),
                problems: Vec::new(),
                whole: false,
            };
            self.worktrees.insert(id.clone(), tree);
            new.push((id, was_present));
        }
        let ids: Vec<_> = new.iter().map(|(id, _)| id.clone()).collect();
        self.scan_files(&ids, arm);
        for (id, was_present) in new {
            let tree = self.worktrees.get(&id);
            let present = tree.is_some_and(|tree| tree.checkout.is_some());
            changed |= present != was_present;
        }
        if changed {
            self.relist_submodules(None, arm);
        }
        Ok(changed)
    }

    /// Looks at everything again.
    pub(crate) fn rescan(&mut self, arm: Arm<'_>) -> Result<(), OpenError> {
        let known: Vec<_> = self.worktrees.keys().cloned().collect();
        self.relist(arm)?;
        self.scan_files(&known, arm);
        for survey in self.submodules.surveys.values_mut() {
            survey.rescan(arm)?;
        }
        self.relist_submodules(None, arm);
        self.scanned_at = self.clock.now_ms();
        Ok(())
    }

    /// Looks at all files of one worktree again, those of its submodules included.
    pub(crate) fn scan(&mut self, id: &WorktreeId, arm: Arm<'_>) {
        self.scan_files(std::slice::from_ref(id), arm);
        for survey in self.submodules.surveys.values_mut() {
            survey.scan(id, arm);
        }
        self.relist_submodules(None, arm);
    }

    /// Looks at all files of some worktrees, several at once.
    fn scan_files(&mut self, ids: &[WorktreeId], arm: Arm<'_>) {
        let (max_text, only) = (self.max_text, &self.only);
        let trees = self.worktrees.iter_mut();
        let trees: Vec<_> = trees.filter(|(id, _)| ids.contains(id)).collect();
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        let helpers = most.min(trees.len()).saturating_sub(1);
        let (waiting, arm) = (Mutex::new(trees), Mutex::new(arm));
        let work = || {
            let mut arm = |dir: &Path| {
                let mut arm = arm.lock().unwrap_or_else(PoisonError::into_inner);
                (*arm)(dir);
            };
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((id, tree)) = next else { return };
                let only = only.as_deref().filter(|_| !tree.whole);
                scan_worktree(id, tree, only, max_text, &mut arm);
            }
        };
        std::thread::scope(|scope| {
            for number in 0..helpers {
                let helper = std::thread::Builder::new().name(format!("conflicts-scan {number}"));
                // Without one, this thread does all of it.
                let _ = helper.spawn_scoped(scope, work);
            }
            work();
        });
    }

    /// Follows what changed in the shared directory or a worktree's own: HEAD, refs, index, worktrees.
    pub(crate) fn refs_changed(&mut self, arm: Arm<'_>) -> Result<bool, OpenError> {
        let mut changed = self.relist(arm)?;
        for tree in self.worktrees.values_mut() {
            let Some(checkout) = &mut tree.checkout else {
                continue;
            };
            match checkout.head() {
                Ok(head) if head == tree.head => {}
                Ok(head) => {
                    tree.head = head;
                    tree.changes.clear();
                    changed = true;
                }
                Err(error) => tree.problems.push(error),
            }
            match checkout.reload_index() {
                Ok(moved) if moved.is_empty() => {}
                Ok(moved) => {
                    // What is dirty is so in comparison with the index.
                    let mut again: HashSet<_> = tree.dirty.keys().cloned().collect();
                    again.extend(moved);
                    if let (Some(only), false) = (&self.only, tree.whole) {
                        again.retain(|path| only.contains(path));
                    }
                    let mut disk =
                        Disk::of(&mut tree.dirty, &mut tree.filtered, &mut tree.problems);
                    for path in again {
                        let kept = disk.dirty.remove(&path);
                        disk.look(checkout, &path, kept);
                    }
                    tree.changes.clear();
                    changed = true;
                }
                Err(error) => tree.problems.push(error),
            }
        }
        for survey in self.submodules.surveys.values_mut() {
            changed |= survey.refs_changed(arm)?;
        }
        for (path, place) in self.submodules.checkouts() {
            if let Some(tree) = self.worktrees.get_mut(&place.worktree) {
                changed |= look_again(&mut self.git, tree, &path);
            }
        }
        self.relist_submodules(None, arm);
        Ok(changed)
    }

    /// Looks again at some paths of one worktree: files, or directories with all that is below.
    pub(crate) fn touched(&mut self, id: &WorktreeId, paths: &HashSet<RepoPath>, arm: Arm<'_>) {
        let rules_file = |path: &RepoPath| matches!(path.name(), b".gitignore" | b".gitattributes");
        if paths.iter().any(rules_file) {
            self.scan(id, arm);
            return;
        }
        let Some(tree) = self.worktrees.get_mut(id) else {
            return;
        };
        let Some(checkout) = &mut tree.checkout else {
            return;
        };
        let mut again = HashSet::new();
        let (mut inside, mut relist) = (HashMap::<RepoPath, HashSet<_>>::new(), false);
        for path in paths {
            if let Some(submodule) = checkout.submodule_around(path) {
                // It was checked out just now, or is no more.
                relist |= path.name() == b".git";
                let path = path.inside(&submodule).filter(|path| !path.is_gits_own());
                inside.entry(submodule).or_default().extend(path);
                continue;
            }
            relist |= checkout.is_submodule(path);
            let file = tree.place.root.join(path.to_path());
            let kind = file.symlink_metadata().map(|metadata| metadata.is_dir());
            let mut below = false;
            if kind.as_ref().is_ok_and(|dir| *dir) {
                let (files, problems) = checkout.files_below(path, arm);
                tree.problems.extend(problems);
                again.extend(files);
                below = true;
            }
            if below || kind.is_err() {
                again.extend(checkout.tracked(Some(path)));
                let dirty = tree.dirty.range(path.clone()..).map(|(dirty, _)| dirty);
                // Siblings such as `a-b` sort between `a` and `a/b`.
                let dirty = dirty.take_while(|dirty| dirty.as_bytes().starts_with(path.as_bytes()));
                again.extend(dirty.filter(|dirty| dirty.is_below(path)).cloned());
            }
            again.insert(path.clone());
        }
        for path in again {
            look_again(&mut self.git, tree, &path);
        }
        if relist {
            for submodule in inside.keys() {
                look_again(&mut self.git, tree, submodule);
            }
            self.relist_submodules(None, arm);
        }
        for (submodule, paths) in inside {
            if let Some(survey) = self.submodules.surveys.get_mut(&submodule) {
                survey.touched(id, &paths, arm);
            }
        }
    }

    /// Looks at one file again in all worktrees: the notice of an edit may still be on its way.
    pub(crate) fn touched_everywhere(&mut self, path: &RepoPath) {
        for tree in self.worktrees.values_mut() {
            look_again(&mut self.git, tree, path);
        }
    }
}

/// Looks at all files of one worktree, or at `only` these paths.
fn scan_worktree(
    id: &WorktreeId,
    tree: &mut Worktree,
    only: Option<&[RepoPath]>,
    max_text: u64,
    arm: Arm<'_>,
) {
    tree.problems.clear();
    tree.changes.clear();
    tree.checkout = None;
    if !tree.place.root.is_dir() {
        tree.dirty.clear();
        tree.head = Head::default();
        return;
    }
    let opened = readable(&tree.place.root).and_then(|()| {
        let checkout = Checkout::open(&tree.place, max_text)?;
        Ok((checkout.head()?, checkout))
    });
    let (head, mut checkout) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            tree.problems
                .push(format!("could not read worktree `{id}`: {error}"));
            tree.dirty.clear();
            tree.head = Head::default();
            return;
        }
    };
    tree.head = head;
    let mut before = std::mem::take(&mut tree.dirty);
    tree.filtered.clear();
    let mut disk = Disk::of(&mut tree.dirty, &mut tree.filtered, &mut tree.problems);
    let mut look = |checkout: &mut Checkout, path: RepoPath| {
        let kept = before.remove(&path);
        disk.look(checkout, &path, kept);
    };
    match only {
        Some(only) => only
            .iter()
            .for_each(|path| look(&mut checkout, path.clone())),
        None => {
            let problems = checkout.scan(arm, &mut look);
            tree.problems.extend(problems);
        }
    }
    tree.checkout = Some(checkout);
}

/// Says why a directory may not be read, in fewer words than git's files would have for it.
fn readable(dir: &Path) -> Result<(), String> {
    match fs::read_dir(dir) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Looks at one path, and corrects what is known of the worktree's changes; says whether anything changed.
fn look_again(git: &mut Git, tree: &mut Worktree, path: &RepoPath) -> bool {
    let Some(checkout) = &mut tree.checkout else {
        return false;
    };
    let kept = tree.dirty.remove(path);
    let mut disk = Disk::of(&mut tree.dirty, &mut tree.filtered, &mut tree.problems);
    disk.look(checkout, path, kept);
    if tree.dirty.get(path).copied() == kept {
        return false;
    }
    for (base, changes) in &mut tree.changes {
        let Ok(base) = git.tree(*base) else {
            continue;
        };
        match checkout.change(git, tree.head.commit, base.get(path), &tree.dirty, path) {
            Some(change) => changes.raw.insert(path.clone(), change),
            None => changes.raw.remove(path),
        };
        changes.effects.clear();
    }
    true
}

/// What is known of the files on a worktree's disk.
struct Disk<'a> {
    dirty: &'a mut BTreeMap<RepoPath, Option<FileState>>,
    filtered: &'a mut BTreeMap<RepoPath, FileMode>,
    problems: &'a mut Vec<String>,
}

impl<'a> Disk<'a> {
    fn of(
        dirty: &'a mut BTreeMap<RepoPath, Option<FileState>>,
        filtered: &'a mut BTreeMap<RepoPath, FileMode>,
        problems: &'a mut Vec<String>,
    ) -> Self {
        Self {
            dirty,
            filtered,
            problems,
        }
    }

    /// Looks at one path, and keeps what was known of it when it can't be read, or not yet.
    fn look(&mut self, checkout: &mut Checkout, path: &RepoPath, kept: Option<Option<FileState>>) {
        self.filtered.remove(path);
        let kept = match checkout.look(path) {
            Ok(Found::AsIndexed) => None,
            Ok(Found::Other(state)) => Some(state),
            Ok(Found::Filtered(mode)) => {
                self.filtered.insert(path.clone(), mode);
                kept
            }
            Err(error) => {
                let file = checkout.root().join(path.to_path());
                let problem = format!("could not read `{}`: {error}", file.display());
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                kept
            }
        };
        if let Some(state) = kept {
            self.dirty.insert(path.clone(), state);
        }
    }
}
