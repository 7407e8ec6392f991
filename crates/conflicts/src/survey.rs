//! All worktrees of one repository as they are: what each changed, and what that makes of every pair.
//!
//! The survey is told where to look again and answers with the picture that a fresh start would give;
//! who tells it is not its business.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compare::{self, Changed, Text};
use crate::diff::diff;
use crate::git::{
    Checkout, Content, FileChange, FileMode, FileState, Found, Git, Head, Id, MergeRule, OpenError,
    Place,
};
use crate::index::Index;
use crate::quiet::Quiets;
use crate::types::{
    ChangeKind, CheckAnswer, Clock, ConflictEvent, Entry, Health, LineRange, Picture,
    ProposedChange, RepoPath, Severity, Side, Status, Touch, Verdict, VerdictDetails, VerdictKey,
    WorktreeId, WorktreeInfo,
};

/// How many bytes of file contents are kept at hand.
const TEXTS: usize = 32 * 1024 * 1024;

/// Deleted times created files of one worktree, up to which renames with changes are looked for.
const RENAMES: usize = 10_000;

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The worktree is not one of this repository.
    #[error("`{worktree}` is no worktree of this repository; it has {known}")]
    UnknownWorktree {
        /// As it was given.
        worktree: String,
        /// Those that would be right.
        known: String,
    },
    /// The file lies outside of the worktree.
    #[error("file `{file}` is not inside the worktree `{worktree}`")]
    OutsideWorktree {
        /// As it was given.
        file: String,
        /// The worktree's root.
        worktree: WorktreeId,
    },
    /// The lines are not a range.
    #[error(
        "lines `{start}` to `{end}` are no range: the first is 1, and the end is not before the start"
    )]
    BadLines {
        /// The first line.
        start: u32,
        /// The line after the last.
        end: u32,
    },
    /// No such verdict holds now.
    #[error("nothing is said of `{path}` in this pair of worktrees any more")]
    NoVerdict {
        /// The file.
        path: RepoPath,
    },
    /// A glob of the filter can't be matched.
    #[error(transparent)]
    Glob(#[from] crate::quiet::BadGlob),
}

/// One file that a worktree changed, by its path at the merge base.
#[derive(Debug, Clone)]
struct Effect {
    base: Option<FileState>,
    now: Option<FileState>,
    /// Where it is now.
    path: RepoPath,
}

/// What one worktree changed since one merge base.
#[derive(Default)]
struct Changes {
    raw: BTreeMap<RepoPath, FileChange>,
    effects: BTreeMap<RepoPath, Effect>,
    /// Paths that are occupied now and were not at the merge base, with the effect's key.
    arrivals: BTreeMap<RepoPath, RepoPath>,
}

struct Worktree {
    place: Place,
    checkout: Option<Checkout>,
    head: Head,
    dirty: BTreeMap<RepoPath, Option<FileState>>,
    changes: HashMap<Id, Changes>,
    seen: HashMap<RepoPath, (Option<FileState>, u64)>,
    problems: Vec<String>,
}

/// A change that an agent announced.
#[derive(Debug, Clone)]
struct Announced {
    worktree: WorktreeId,
    agent: Option<String>,
    path: RepoPath,
    lines: Option<LineRange>,
    at: u64,
}

/// What is said of two changes of one file, whoever made them.
#[derive(Debug, Clone)]
struct Judged {
    severity: Severity,
    would_conflict: bool,
    overlaps: Vec<LineRange>,
    left: Vec<LineRange>,
    right: Vec<LineRange>,
    binary: bool,
    note: Option<&'static str>,
}

impl Judged {
    fn whole(would_conflict: bool, note: Option<&'static str>) -> Self {
        Self {
            severity: Severity::SameLine,
            would_conflict,
            overlaps: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            binary: false,
            note,
        }
    }

    fn apart() -> Self {
        Self {
            severity: Severity::DifferentArea,
            ..Self::whole(false, None)
        }
    }
}

/// One side of a comparison.
#[derive(Clone)]
struct Party {
    worktree: WorktreeId,
    path: RepoPath,
    state: Option<FileState>,
}

/// Two changes to be judged.
struct Case {
    path: RepoPath,
    base_commit: Id,
    base: Option<FileState>,
    left: Party,
    right: Party,
    kinds: [ChangeKind; 2],
    /// The outcome, where it does not depend on contents.
    known: Option<Judged>,
}

impl Case {
    fn key(&self) -> VerdictKey {
        VerdictKey {
            path: self.path.clone(),
            left: self.left.worktree.clone(),
            right: self.right.worktree.clone(),
        }
    }
}

type JudgedKey = (
    Option<FileState>,
    Option<FileState>,
    Option<FileState>,
    MergeRule,
);

/// Contents and comparisons that were needed lately.
#[derive(Default)]
struct Memory {
    texts: HashMap<Id, Content>,
    text_bytes: usize,
    hunks: HashMap<(Option<Id>, Id), Arc<Vec<compare::Hunk>>>,
    judged: HashMap<JudgedKey, Judged>,
    /// Those asked for since the last settling; the others are dropped then.
    used: HashSet<JudgedKey>,
    alike: HashMap<(Id, Id), bool>,
}

pub(crate) struct Survey {
    git: Git,
    clock: Clock,
    max_text: u64,
    announce_age: u64,
    worktrees: BTreeMap<WorktreeId, Worktree>,
    agents: BTreeMap<WorktreeId, String>,
    announced: Vec<Announced>,
    index: Index,
    /// What was compared for each verdict: the merge base's content and both sides'.
    contents: HashMap<VerdictKey, [Option<FileState>; 3]>,
    memory: Memory,
    notes: Vec<String>,
    scanned_at: u64,
    /// When set, only these paths are looked at.
    only: Option<Vec<RepoPath>>,
    pub(crate) quiets: Quiets,
}

pub(crate) type Arm<'a> = &'a mut dyn FnMut(&Path);

impl Survey {
    pub(crate) fn open(
        path: &Path,
        clock: Clock,
        max_text: u64,
        announce_age: u64,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            git: Git::open(path, max_text)?,
            clock,
            max_text,
            announce_age,
            worktrees: BTreeMap::new(),
            agents: BTreeMap::new(),
            announced: Vec::new(),
            index: Index::default(),
            contents: HashMap::new(),
            memory: Memory::default(),
            notes: Vec::new(),
            scanned_at: 0,
            only: None,
            quiets: Quiets::default(),
        })
    }

    pub(crate) fn common_dir(&self) -> &Path {
        self.git.common_dir()
    }

    /// Drops everything that is known: the repository is gone.
    pub(crate) fn clear(&mut self) {
        self.worktrees.clear();
    }

    /// Hands over what does not follow from the repository.
    pub(crate) fn take_agents(&mut self) -> BTreeMap<WorktreeId, String> {
        std::mem::take(&mut self.agents)
    }

    /// Hands over what was told, so that the next telling is a difference.
    pub(crate) fn take_index(&mut self) -> Index {
        std::mem::take(&mut self.index)
    }

    /// Goes on where another survey of the same repository ended.
    pub(crate) fn adopt(
        &mut self,
        agents: BTreeMap<WorktreeId, String>,
        quiets: Quiets,
        index: Index,
    ) {
        (self.agents, self.quiets, self.index) = (agents, quiets, index);
    }

    /// Looks at this path only, now and later; what was found out about the worktrees so far stays.
    pub(crate) fn look_only_at(&mut self, path: RepoPath) {
        for tree in self.worktrees.values_mut() {
            let Some(checkout) = &mut tree.checkout else {
                continue;
            };
            look(checkout, &path, None, &mut tree.dirty, &mut tree.problems);
        }
        self.only = Some(vec![path]);
    }

    /// Finds out which worktrees there are, and looks at none of their files.
    pub(crate) fn look_at_no_file(&mut self) -> Result<(), OpenError> {
        self.only = Some(Vec::new());
        self.relist(&mut |_| {}).map(drop)
    }

    /// Roots of the worktrees, and their directories of HEAD and index.
    pub(crate) fn places(&self) -> Vec<(WorktreeId, PathBuf, PathBuf)> {
        let place = |(id, tree): (&WorktreeId, &Worktree)| {
            (
                id.clone(),
                tree.place.root.clone(),
                tree.place.git_dir.clone(),
            )
        };
        self.worktrees.iter().map(place).collect()
    }

    /// Worktrees whose directories can't be read now.
    pub(crate) fn absent(&self) -> Vec<WorktreeId> {
        let absent = self
            .worktrees
            .iter()
            .filter(|(_, tree)| tree.checkout.is_none());
        absent.map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.worktrees
            .values()
            .flat_map(|tree| tree.problems.iter().cloned())
            .collect()
    }

    /// Finds out which worktrees there are, and looks through those that are new; says whether any changed.
    pub(crate) fn relist(&mut self, arm: Arm<'_>) -> Result<bool, OpenError> {
        let places = self.git.worktrees()?;
        let ids: Vec<_> = places
            .iter()
            .map(|place| WorktreeId::of(&place.root))
            .collect();
        let before = self.worktrees.len();
        self.worktrees.retain(|id, _| ids.contains(id));
        let mut changed = self.worktrees.len() != before;
        for (id, place) in ids.into_iter().zip(places) {
            let known = self.worktrees.get(&id);
            if known.is_some_and(|tree| {
                tree.place == place && tree.checkout.is_some() && place.root.exists()
            }) {
                continue;
            }
            let was_present = known.is_some_and(|tree| tree.checkout.is_some());
            let was_known = known.is_some();
            let tree = Worktree {
                place,
                checkout: None,
                head: Head::default(),
                dirty: BTreeMap::new(),
                changes: HashMap::new(),
                seen: HashMap::new(),
                problems: Vec::new(),
            };
            self.worktrees.insert(id.clone(), tree);
            self.scan(&id, arm);
            let present = self
                .worktrees
                .get(&id)
                .is_some_and(|tree| tree.checkout.is_some());
            changed |= !was_known || present != was_present;
        }
        Ok(changed)
    }

    /// Looks at everything again.
    pub(crate) fn rescan(&mut self, arm: Arm<'_>) -> Result<(), OpenError> {
        let known: Vec<_> = self.worktrees.keys().cloned().collect();
        self.relist(arm)?;
        for id in known {
            self.scan(&id, arm);
        }
        self.scanned_at = (self.clock)();
        Ok(())
    }

    /// Looks at all files of one worktree again.
    pub(crate) fn scan(&mut self, id: &WorktreeId, arm: Arm<'_>) {
        let (max_text, only) = (self.max_text, self.only.clone());
        let Some(tree) = self.worktrees.get_mut(id) else {
            return;
        };
        tree.problems.clear();
        tree.changes.clear();
        tree.checkout = None;
        if !tree.place.root.is_dir() {
            tree.problems.push(format!("worktree `{id}` is not there"));
            tree.dirty.clear();
            tree.head = Head::default();
            return;
        }
        let mut checkout = match Checkout::open(&tree.place, max_text) {
            Ok(checkout) => checkout,
            Err(error) => {
                tree.problems
                    .push(format!("could not read worktree `{id}`: {error}"));
                tree.dirty.clear();
                tree.head = Head::default();
                return;
            }
        };
        tree.head = checkout.head();
        let mut looked = HashSet::new();
        let mut before = std::mem::take(&mut tree.dirty);
        match only {
            Some(only) => looked.extend(only),
            None => {
                let walked = checkout.walk(None, arm);
                tree.problems.extend(walked.problems);
                let mut armed: HashSet<_> = walked.dirs.into_iter().collect();
                looked.extend(walked.files);
                for path in checkout.tracked(None) {
                    // A tracked file may lie in an ignored directory, which the walk left out.
                    for dir in path.parents() {
                        let dir = tree.place.root.join(dir.to_path());
                        if armed.contains(&dir) {
                            break;
                        }
                        if dir.is_dir() && !dir.is_symlink() {
                            arm(&dir);
                        }
                        armed.insert(dir);
                    }
                    looked.insert(path);
                }
            }
        }
        for path in looked {
            let kept = before.remove(&path);
            look(
                &mut checkout,
                &path,
                kept,
                &mut tree.dirty,
                &mut tree.problems,
            );
        }
        tree.checkout = Some(checkout);
    }

    /// Follows what changed in the shared directory or a worktree's own: HEAD, refs, index, worktrees.
    pub(crate) fn refs_changed(&mut self, arm: Arm<'_>) -> Result<bool, OpenError> {
        let mut changed = self.relist(arm)?;
        for tree in self.worktrees.values_mut() {
            let Some(checkout) = &mut tree.checkout else {
                continue;
            };
            let head = checkout.head();
            if head != tree.head {
                tree.head = head;
                tree.changes.clear();
                changed = true;
            }
            match checkout.reload_index() {
                Ok(moved) if moved.is_empty() => {}
                Ok(moved) => {
                    // What is dirty is so in comparison with the index.
                    let mut again: HashSet<_> = tree.dirty.keys().cloned().collect();
                    again.extend(moved);
                    if let Some(only) = &self.only {
                        again.retain(|path| only.contains(path));
                    }
                    for path in again {
                        let kept = tree.dirty.remove(&path);
                        look(checkout, &path, kept, &mut tree.dirty, &mut tree.problems);
                    }
                    tree.changes.clear();
                    changed = true;
                }
                Err(error) => tree.problems.push(error),
            }
        }
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
        for path in paths {
            let file = tree.place.root.join(path.to_path());
            let kind = file.symlink_metadata().map(|metadata| metadata.is_dir());
            let mut below = false;
            if kind.as_ref().is_ok_and(|dir| *dir) {
                let walked = checkout.walk(Some(path), arm);
                tree.problems.extend(walked.problems);
                again.extend(walked.files);
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
            let kept = tree.dirty.remove(&path);
            let was = kept;
            look(checkout, &path, kept, &mut tree.dirty, &mut tree.problems);
            if tree.dirty.get(&path).copied() == was {
                continue;
            }
            for (base, changes) in &mut tree.changes {
                let Ok(base) = self.git.tree(*base) else {
                    continue;
                };
                let base = base.get(&path);
                match checkout.change(&self.git, tree.head.commit, base, &tree.dirty, &path) {
                    Some(change) => changes.raw.insert(path.clone(), change),
                    None => changes.raw.remove(&path),
                };
                changes.effects.clear();
            }
        }
    }

    /// Says who works in a worktree.
    pub(crate) fn set_agent(
        &mut self,
        worktree: &str,
        agent: Option<String>,
    ) -> Result<(), AskError> {
        let id = self.find(worktree)?;
        match agent {
            Some(agent) => self.agents.insert(id, agent),
            None => self.agents.remove(&id),
        };
        Ok(())
    }

    /// Takes note of a change that is about to be made.
    pub(crate) fn announce(
        &mut self,
        change: &ProposedChange,
        agent: Option<String>,
    ) -> Result<(), AskError> {
        let (worktree, path) = self.locate(change)?;
        let agent = agent.or_else(|| self.agents.get(&worktree).cloned());
        self.announced
            .retain(|other| (&other.worktree, &other.path) != (&worktree, &path));
        let at = (self.clock)();
        self.announced.push(Announced {
            worktree,
            agent,
            path,
            lines: change.lines,
            at,
        });
        Ok(())
    }

    /// Brings entries and verdicts up to date, and says what changed.
    pub(crate) fn settle(&mut self) -> Vec<ConflictEvent> {
        let now = (self.clock)();
        self.notes.clear();
        let pairs = self.pairs(None);
        self.refresh_changes(&pairs, now);
        let mut cases = Vec::new();
        for (left, right, base) in &pairs {
            if let Some(base) = base {
                self.cases(left, right, *base, &mut cases);
            }
        }
        let mut verdicts = Vec::new();
        let mut shared = HashMap::<(WorktreeId, RepoPath), (Vec<LineRange>, bool)>::new();
        let mut contents = HashMap::new();
        for case in cases {
            let judged = self.judge(&case);
            let states = [case.base, case.left.state, case.right.state];
            contents.insert(case.key(), states);
            for (party, ranges) in [(&case.left, &judged.left), (&case.right, &judged.right)] {
                shared.insert(
                    (party.worktree.clone(), case.path.clone()),
                    (ranges.clone(), judged.binary),
                );
            }
            verdicts.push(self.verdict(case, judged));
        }
        self.pending(&pairs, now, &mut verdicts);
        for verdict in &mut verdicts {
            verdict.quiet = self.quiets.covers(verdict, now);
        }
        let before = self.index.touched();
        self.register(&shared);
        let touched = self.index.touched() != before;
        let memory = &mut self.memory;
        let used = std::mem::take(&mut memory.used);
        memory.judged.retain(|key, _| used.contains(key));
        if memory.hunks.len() > 4 * used.len() + 64 {
            memory.hunks.clear();
        }
        let mut events = self.index.settle(verdicts, now);
        let before = std::mem::replace(&mut self.contents, contents);
        for (key, states) in &self.contents {
            let told = |event: &ConflictEvent| matches!(event, ConflictEvent::Verdict { verdict } if verdict.key() == *key);
            if before.get(key).is_some_and(|before| before != states) && !events.iter().any(told) {
                events.push(ConflictEvent::Contents { key: key.clone() });
            }
        }
        if touched {
            events.push(ConflictEvent::Worktrees);
        }
        events
    }

    /// Tells everything that is known.
    pub(crate) fn picture(&self, health: Health) -> Picture {
        let mut verdicts = self.verdicts();
        rank(&mut verdicts);
        Picture {
            repository: self.common_dir().to_string_lossy().into_owned(),
            worktrees: self.worktrees(),
            entries: self.index.snapshot(),
            verdicts,
            notes: self.notes(),
            health: Health {
                scanned_at: self.scanned_at,
                ..health
            },
        }
    }

    /// Tells of the worktrees, the main one first.
    pub(crate) fn worktrees(&self) -> Vec<WorktreeInfo> {
        let mut worktrees: Vec<_> = self
            .worktrees
            .keys()
            .filter_map(|id| self.info(id))
            .collect();
        worktrees.sort_by_key(|info| !info.main);
        worktrees
    }

    /// Lists all verdicts, in no order.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.index.verdicts().cloned().collect()
    }

    /// Tells what could not be compared or read.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        notes.extend(self.problems());
        notes
    }

    fn info(&self, id: &WorktreeId) -> Option<WorktreeInfo> {
        let tree = self.worktrees.get(id)?;
        let changed = nearest(tree).map_or(0, |(_, changes)| changes.effects.len());
        Some(WorktreeInfo {
            id: id.clone(),
            name: name(id),
            branch: tree.head.branch.clone(),
            head: tree.head.commit.map(|commit| commit.to_string()),
            main: !tree.place.linked,
            agent: self.agents.get(id).cloned(),
            changed_files: u32::try_from(changed).unwrap_or(u32::MAX),
            present: tree.checkout.is_some(),
        })
    }

    /// Finds a worktree by its root, its name or its branch.
    pub(crate) fn find(&self, worktree: &str) -> Result<WorktreeId, AskError> {
        let path = Path::new(worktree);
        let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let by_root = WorktreeId::of(&root);
        if self.worktrees.contains_key(&by_root) {
            return Ok(by_root);
        }
        let mut found = self.worktrees.iter().filter(|(id, tree)| {
            name(id) == worktree || tree.head.branch.as_deref() == Some(worktree)
        });
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Ok(id.clone()),
            _ => {
                let known: Vec<_> = self.worktrees.keys().map(|id| format!("`{id}`")).collect();
                Err(AskError::UnknownWorktree {
                    worktree: worktree.to_owned(),
                    known: known.join(", "),
                })
            }
        }
    }

    /// Finds the worktree and the path that a proposed change is about.
    pub(crate) fn locate(
        &self,
        change: &ProposedChange,
    ) -> Result<(WorktreeId, RepoPath), AskError> {
        let worktree = self.find(&change.worktree)?;
        if let Some(lines) = change.lines
            && (lines.start == 0 || lines.end < lines.start)
        {
            return Err(AskError::BadLines {
                start: lines.start,
                end: lines.end,
            });
        }
        let path = path_in(Path::new(&worktree.0), Path::new(&change.file));
        let path = path.ok_or_else(|| AskError::OutsideWorktree {
            file: change.file.clone(),
            worktree: worktree.clone(),
        })?;
        Ok((worktree, path))
    }

    /// Says what the other worktrees do where a change is proposed.
    pub(crate) fn check(&mut self, change: &ProposedChange) -> Result<CheckAnswer, AskError> {
        let (worktree, path) = self.locate(change)?;
        let mut touches = Vec::new();
        // What is kept of other pairs is kept for the watcher; a single look needs none of it.
        let of = self.only.is_some().then_some(&worktree);
        let pairs = self.pairs(of);
        self.refresh_changes(&pairs, (self.clock)());
        for (left, right, base) in &pairs {
            let (Some(base), true) = (base, [left, right].contains(&&worktree)) else {
                continue;
            };
            let other = if *left == worktree { right } else { left };
            let effect = |id: &WorktreeId, key: &RepoPath| {
                self.worktrees
                    .get(id)?
                    .changes
                    .get(base)?
                    .effects
                    .get(key)
                    .cloned()
            };
            // The file may have been renamed here, or there.
            let key = self
                .worktrees
                .get(&worktree)
                .and_then(|tree| tree.changes.get(base)?.arrivals.get(&path).cloned());
            let key = key.unwrap_or_else(|| path.clone());
            let (mine, Some(theirs)) = (effect(&worktree, &key), effect(other, &key)) else {
                continue;
            };
            let party = |id: &WorktreeId, effect: &Effect| Party {
                worktree: id.clone(),
                path: effect.path.clone(),
                state: effect.now,
            };
            let their_party = party(other, &theirs);
            let their_hunks = self.hunks_of(theirs.base, &their_party);
            let my_hunks = match &mine {
                Some(mine) => self.hunks_of(mine.base, &party(&worktree, mine)),
                None => Some(Arc::default()),
            };
            let mut note = None;
            let severity = match (change.lines, &their_hunks, &my_hunks) {
                (Some(lines), Some(theirs), Some(mine)) if !theirs.is_empty() => {
                    let lines = compare::to_base(&(lines.start - 1..lines.end - 1), mine);
                    compare::nearness(&lines, theirs)
                }
                (None, Some(theirs), Some(mine)) if !mine.is_empty() => mine
                    .iter()
                    .filter_map(|hunk| compare::nearness(&hunk.old, theirs))
                    .max(),
                (Some(_), None, _) => {
                    note = Some(Severity::SameLine);
                    note
                }
                _ => None,
            };
            let ranges = their_hunks
                .iter()
                .flat_map(|hunks| hunks.iter().map(compare::Hunk::range));
            let side = self.side(&their_party, kind(&theirs, &key), ranges.collect());
            touches.push(Touch {
                side,
                severity: severity.or(note).unwrap_or(Severity::DifferentArea),
            });
        }
        for other in self.announced.clone() {
            if other.worktree == worktree || other.path != path {
                continue;
            }
            let severity = match (change.lines, other.lines) {
                (Some(mine), Some(theirs)) => {
                    let hunk = compare::Hunk {
                        old: theirs.start..theirs.end,
                        new: 0..0,
                    };
                    compare::nearness(&(mine.start..mine.end), &[hunk])
                }
                _ => None,
            };
            touches.push(Touch {
                side: self.announced_side(&other),
                severity: severity.unwrap_or(Severity::DifferentArea),
            });
        }
        touches.sort_by_key(|touch| std::cmp::Reverse(touch.severity));
        Ok(CheckAnswer {
            severity: touches.first().map(|touch| touch.severity),
            path,
            worktree,
            touches,
            notes: self.notes(),
        })
    }

    /// Shows both sides of a verdict in their context.
    pub(crate) fn details(&mut self, key: &VerdictKey) -> Result<VerdictDetails, AskError> {
        let gone = || AskError::NoVerdict {
            path: key.path.clone(),
        };
        let verdict = self.index.verdicts().find(|verdict| verdict.key() == *key);
        let verdict = verdict.cloned().ok_or_else(gone)?;
        let bare = VerdictDetails {
            left: Vec::new(),
            right: Vec::new(),
            merged: None,
            verdict: verdict.clone(),
        };
        let mut sides = Vec::new();
        let mut base = None;
        for side in [&verdict.left, &verdict.right] {
            let changes = self.worktrees.get(&side.worktree).and_then(|tree| {
                let mut bases = tree.changes.iter();
                bases
                    .find(|(base, _)| base.to_string() == verdict.base)
                    .map(|(_, changes)| changes)
            });
            let effect = changes.and_then(|changes| {
                changes
                    .effects
                    .get(&key.path)
                    .or_else(|| changes.effects.get(changes.arrivals.get(&key.path)?))
            });
            let Some(effect) = effect else {
                return Ok(bare);
            };
            base = base.or(effect.base);
            sides.push(Party {
                worktree: side.worktree.clone(),
                path: effect.path.clone(),
                state: effect.now,
            });
        }
        let mut texts = vec![self.text_of(base, None)];
        for side in &sides {
            texts.push(self.text_of(side.state, Some(side)));
        }
        let [Some(base), Some(left), Some(right)] = texts.as_slice() else {
            return Ok(bare);
        };
        let (base, left, right) = (Text::new(base), Text::new(left), Text::new(right));
        let (left_hunks, right_hunks) = (diff(&base, &left), diff(&base, &right));
        let left = Changed {
            text: left,
            hunks: &left_hunks,
        };
        let right = Changed {
            text: right,
            hunks: &right_hunks,
        };
        let names = [verdict.left.name.as_str(), verdict.right.name.as_str()];
        let deleted = sides.iter().any(|side| side.state.is_none());
        Ok(VerdictDetails {
            left: compare::views(&base, &left, &right_hunks),
            right: compare::views(&base, &right, &left_hunks),
            merged: (!deleted).then(|| {
                String::from_utf8_lossy(&compare::merge(&base, &left, &right, names)).into_owned()
            }),
            verdict,
        })
    }

    /// All pairs of worktrees that are there, with their merge base; of one worktree only, when told.
    fn pairs(&mut self, of: Option<&WorktreeId>) -> Vec<(WorktreeId, WorktreeId, Option<Id>)> {
        let present: Vec<_> = self
            .worktrees
            .iter()
            .filter(|(_, tree)| tree.checkout.is_some())
            .map(|(id, tree)| (id.clone(), tree.head.commit))
            .collect();
        let mut pairs = Vec::new();
        for (at, (left, left_head)) in present.iter().enumerate() {
            for (right, right_head) in &present[at + 1..] {
                if of.is_some_and(|of| of != left && of != right) {
                    continue;
                }
                let base = match (left_head, right_head) {
                    (Some(one), Some(two)) => self.git.merge_base(*one, *two),
                    _ => Ok(None),
                };
                let why = match &base {
                    Ok(Some(_)) => None,
                    Ok(None) => Some("they have no common ancestor".to_owned()),
                    Err(error) => Some(error.clone()),
                };
                if let Some(why) = why {
                    let (left, right) = (name(left), name(right));
                    self.notes
                        .push(format!("`{left}` and `{right}` are not compared: {why}"));
                }
                pairs.push((left.clone(), right.clone(), base.ok().flatten()));
            }
        }
        pairs
    }

    /// Brings each worktree's changes up to date, for every merge base it is compared at.
    fn refresh_changes(&mut self, pairs: &[(WorktreeId, WorktreeId, Option<Id>)], now: u64) {
        let mut wanted = HashMap::<WorktreeId, HashSet<Id>>::new();
        for (left, right, base) in pairs {
            for id in [left, right] {
                wanted.entry(id.clone()).or_default().extend(base);
            }
        }
        let mut heads = HashSet::new();
        let mut bases = HashSet::new();
        for (id, tree) in &mut self.worktrees {
            let wanted = wanted.entry(id.clone()).or_default();
            if wanted.is_empty() {
                // Alone: what is not committed.
                wanted.extend(tree.head.commit);
            }
            heads.extend(tree.head.commit);
            bases.extend(wanted.iter().copied());
            tree.changes.retain(|base, _| wanted.contains(base));
            let Some(checkout) = &tree.checkout else {
                continue;
            };
            for base in wanted.iter() {
                if !tree.changes.contains_key(base) {
                    let head = tree.head.commit;
                    let raw = match &self.only {
                        // A few paths of a large commit are found without listing it.
                        Some(only) => only
                            .iter()
                            .filter_map(|path| {
                                let state = self.git.lookup(*base, path);
                                let change =
                                    checkout.change(&self.git, head, state, &tree.dirty, path)?;
                                Some((path.clone(), change))
                            })
                            .collect(),
                        None => match self.git.tree(*base) {
                            Ok(files) => checkout.changes(&self.git, head, &files, &tree.dirty),
                            Err(error) => {
                                self.notes
                                    .push(format!("could not read commit `{base}`: {error}"));
                                continue;
                            }
                        },
                    };
                    tree.changes.insert(
                        *base,
                        Changes {
                            raw,
                            ..Changes::default()
                        },
                    );
                }
            }
        }
        let stale: Vec<_> = self
            .worktrees
            .iter()
            .flat_map(|(id, tree)| {
                tree.changes
                    .iter()
                    .map(move |(base, changes)| (id, base, changes))
            })
            .filter(|(_, _, changes)| changes.effects.is_empty() && !changes.raw.is_empty())
            .map(|(id, base, changes)| (id.clone(), *base, changes.raw.clone()))
            .collect();
        for (id, base, raw) in stale {
            let renames = self.renames(&id, &raw);
            let Some(tree) = self.worktrees.get_mut(&id) else {
                continue;
            };
            let Some(changes) = tree.changes.get_mut(&base) else {
                continue;
            };
            changes.arrivals.clear();
            for (path, change) in &raw {
                let (key, effect) = match (renames.get(path), change.base) {
                    // The target of a rename is told under its source.
                    (Some(from), None) => (
                        from.clone(),
                        Effect {
                            base: raw.get(from).and_then(|change| change.base),
                            now: change.now,
                            path: path.clone(),
                        },
                    ),
                    _ if renames.values().any(|from| from == path) => continue,
                    _ => (
                        path.clone(),
                        Effect {
                            base: change.base,
                            now: change.now,
                            path: path.clone(),
                        },
                    ),
                };
                if change.base.is_none() {
                    changes.arrivals.insert(path.clone(), key.clone());
                }
                let seen = tree.seen.entry(path.clone()).or_insert((effect.now, now));
                if seen.0 != effect.now {
                    *seen = (effect.now, now);
                }
                changes.effects.insert(key, effect);
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
        self.git.forget(&heads, &bases);
    }

    /// Finds the renames among the deleted and the new files of one worktree: new path → old path.
    fn renames(
        &mut self,
        id: &WorktreeId,
        raw: &BTreeMap<RepoPath, FileChange>,
    ) -> BTreeMap<RepoPath, RepoPath> {
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
            return renames;
        }
        // The same content first, preferring the same file name.
        new.retain(|(to, state)| {
            let same = |(_, old): &&(&RepoPath, FileState)| old.id == state.id;
            let from = gone
                .iter()
                .filter(same)
                .find(|(from, _)| from.name() == to.name())
                .or_else(|| gone.iter().find(same))
                .map(|(from, _)| *from);
            if let Some(from) = from {
                gone.retain(|(path, _)| *path != from);
                renames.insert((*to).clone(), from.clone());
            }
            from.is_none()
        });
        if gone.len() * new.len() > RENAMES {
            return renames;
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
        for (_, _, to, from) in candidates {
            if !renames.contains_key(to) && !renames.values().any(|taken| taken == from) {
                renames.insert(to.clone(), from.clone());
            }
        }
        renames
    }

    fn alike(&mut self, old: FileState, new: &Party) -> Option<f64> {
        let key = (old.id, new.state?.id);
        if self.memory.alike.get(&key) == Some(&false) {
            return None;
        }
        let old = self.text_of(Some(old), None)?;
        let text = self.text_of(new.state, Some(new))?;
        let (short, long) = (old.len().min(text.len()), old.len().max(text.len()));
        let score = if short * 2 < long {
            0.0
        } else {
            compare::similarity(&old, &text)
        };
        self.memory.alike.insert(key, score >= 0.5);
        (score >= 0.5).then_some(score)
    }

    /// Collects what two worktrees did to the same files.
    fn cases(&self, left: &WorktreeId, right: &WorktreeId, base: Id, cases: &mut Vec<Case>) {
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

    fn judge(&mut self, case: &Case) -> Judged {
        if let Some(known) = &case.known {
            return known.clone();
        }
        let rule = match self
            .worktrees
            .get_mut(&case.left.worktree)
            .and_then(|tree| tree.checkout.as_mut())
        {
            Some(checkout) => checkout.merge_rule(&case.left.path),
            None => MergeRule::Text,
        };
        let key = (case.base, case.left.state, case.right.state, rule);
        self.memory.used.insert(key);
        if let Some(judged) = self.memory.judged.get(&key) {
            return judged.clone();
        }
        match self.judge_contents(case, rule) {
            Some(judged) => {
                self.memory.judged.insert(key, judged.clone());
                judged
            }
            // A content that is being replaced right now: its event is on the way.
            None => Judged::whole(true, Some("could not be read to the end")),
        }
    }

    fn judge_contents(&mut self, case: &Case, rule: MergeRule) -> Option<Judged> {
        let (base, left, right) = (case.base, case.left.state, case.right.state);
        if left == right {
            let ranges = self.ranges(base, &case.left);
            return Some(Judged {
                severity: Severity::Identical,
                left: ranges.clone(),
                right: ranges,
                ..Judged::apart()
            });
        }
        let (Some(ours), Some(theirs)) = (left, right) else {
            return Some(Judged {
                left: self.ranges(base, &case.left),
                right: self.ranges(base, &case.right),
                ..Judged::whole(true, Some("deleted on one side, changed on the other"))
            });
        };
        let base_mode = base.map(|base| base.mode);
        let base_id = base.map(|base| base.id);
        if !ours.mode.is_file() || !theirs.mode.is_file() {
            let same_kind = ours.mode == theirs.mode;
            let one_sided = same_kind
                && base_mode == Some(ours.mode)
                && [ours.id, theirs.id].map(Some).contains(&base_id);
            return Some(match (same_kind, ours.mode) {
                _ if one_sided => Judged::apart(),
                (true, FileMode::Submodule) => {
                    Judged::whole(true, Some("two commits of a submodule"))
                }
                (true, _) => Judged::whole(true, Some("two targets of a symbolic link")),
                (false, _) => Judged::whole(true, Some("two kinds of file")),
            });
        }
        let modes = ours.mode != theirs.mode
            && base_mode != Some(ours.mode)
            && base_mode != Some(theirs.mode);
        let by_content =
            if ours.id == theirs.id || base_id == Some(ours.id) || base_id == Some(theirs.id) {
                Judged {
                    left: self.ranges(base, &case.left),
                    right: self.ranges(base, &case.right),
                    ..Judged::apart()
                }
            } else {
                self.judge_texts(case, rule)?
            };
        Some(if modes {
            Judged {
                severity: Severity::SameLine,
                would_conflict: true,
                note: Some("executable on one side only"),
                ..by_content
            }
        } else {
            by_content
        })
    }

    fn judge_texts(&mut self, case: &Case, rule: MergeRule) -> Option<Judged> {
        let mut contents = Vec::new();
        let no_base = case.base.filter(|base| base.mode.is_file());
        contents.push(match no_base {
            Some(base) => self.content(base.id, None)?,
            None => Content::Text(Arc::default()),
        });
        for party in [&case.left, &case.right] {
            contents.push(self.content(party.state?.id, Some(party))?);
        }
        let texts: Vec<_> = contents
            .iter()
            .filter_map(|content| match content {
                Content::Text(text) => Some(text.clone()),
                Content::Binary | Content::TooLarge => None,
            })
            .collect();
        let ([base, left, right], false) = (texts.as_slice(), rule == MergeRule::Binary) else {
            let large = contents
                .iter()
                .any(|content| matches!(content, Content::TooLarge));
            let note = if large {
                "too large to be compared by lines"
            } else {
                "not text"
            };
            return Some(Judged {
                binary: true,
                ..Judged::whole(true, Some(note))
            });
        };
        let (base, left, right) = (Text::new(base), Text::new(left), Text::new(right));
        let base_id = no_base.map(|base| base.id);
        let mut hunks = Vec::new();
        for (text, party) in [(&left, &case.left), (&right, &case.right)] {
            let key = (base_id, party.state?.id);
            let found = self
                .memory
                .hunks
                .entry(key)
                .or_insert_with(|| Arc::new(diff(&base, text)));
            hunks.push(found.clone());
        }
        let ranges = |hunks: &[compare::Hunk]| hunks.iter().map(compare::Hunk::range).collect();
        let comparison = compare::compare(
            &Changed {
                text: left,
                hunks: &hunks[0],
            },
            &Changed {
                text: right,
                hunks: &hunks[1],
            },
        );
        Some(Judged {
            severity: comparison.severity,
            would_conflict: comparison.would_conflict && rule != MergeRule::Union,
            overlaps: comparison.overlaps,
            left: ranges(&hunks[0]),
            right: ranges(&hunks[1]),
            binary: false,
            note: None,
        })
    }

    /// The lines of the merge base that one side replaces; none when there is no text to tell by.
    fn ranges(&mut self, base: Option<FileState>, party: &Party) -> Vec<LineRange> {
        let hunks = self.hunks_of(base, party);
        hunks
            .iter()
            .flat_map(|hunks| hunks.iter().map(compare::Hunk::range))
            .collect()
    }

    fn hunks_of(
        &mut self,
        base: Option<FileState>,
        party: &Party,
    ) -> Option<Arc<Vec<compare::Hunk>>> {
        let key = party
            .state
            .map(|state| (base.map(|base| base.id), state.id));
        if let Some(found) = key.and_then(|key| self.memory.hunks.get(&key)) {
            return Some(found.clone());
        }
        let base = self.text_of(base, None)?;
        let now = self.text_of(party.state, Some(party))?;
        let hunks = Arc::new(diff(&Text::new(&base), &Text::new(&now)));
        if let Some(key) = key {
            self.memory.hunks.insert(key, hunks.clone());
        }
        Some(hunks)
    }

    /// The text of a file; the empty one when there is no file, none when it is not text.
    fn text_of(&mut self, state: Option<FileState>, party: Option<&Party>) -> Option<Arc<[u8]>> {
        let Some(state) = state else {
            return Some(Arc::default());
        };
        if !state.mode.is_file() {
            return None;
        }
        match self.content(state.id, party)? {
            Content::Text(text) => Some(text),
            Content::Binary | Content::TooLarge => None,
        }
    }

    /// Reads a content: from memory, from the disk where it is not committed, or from the objects.
    fn content(&mut self, id: Id, party: Option<&Party>) -> Option<Content> {
        if let Some(content) = self.memory.texts.get(&id) {
            return Some(content.clone());
        }
        let mut content = None;
        if let Some(party) = party
            && let Some(tree) = self.worktrees.get_mut(&party.worktree)
            && tree
                .dirty
                .get(&party.path)
                .is_some_and(|dirty| dirty.is_some_and(|state| state.id == id))
            && let Some(checkout) = &mut tree.checkout
        {
            let on_disk = checkout.content(&party.path).ok();
            content = on_disk
                .filter(|(found, _)| *found == id)
                .map(|(_, content)| content);
        }
        let content = content.or_else(|| self.git.content(id))?;
        if let Content::Text(text) = &content {
            self.memory.text_bytes += text.len();
        }
        if self.memory.text_bytes > TEXTS {
            self.memory.texts.clear();
            self.memory.text_bytes = 0;
        }
        self.memory.texts.insert(id, content.clone());
        Some(content)
    }

    fn verdict(&self, case: Case, judged: Judged) -> Verdict {
        let [left_kind, right_kind] = case.kinds;
        let binary = |kind| match kind {
            ChangeKind::Modify | ChangeKind::Create if judged.binary => ChangeKind::Binary,
            kind => kind,
        };
        Verdict {
            left: self.side(&case.left, binary(left_kind), judged.left),
            right: self.side(&case.right, binary(right_kind), judged.right),
            path: case.path,
            severity: judged.severity,
            would_conflict: judged.would_conflict,
            overlaps: judged.overlaps,
            base: case.base_commit.to_string(),
            note: judged.note.map(str::to_owned),
            since: 0,
            quiet: false,
        }
    }

    fn side(&self, party: &Party, change: ChangeKind, ranges: Vec<LineRange>) -> Side {
        let tree = self.worktrees.get(&party.worktree);
        Side {
            name: name(&party.worktree),
            branch: tree.and_then(|tree| tree.head.branch.clone()),
            agent: self.agents.get(&party.worktree).cloned(),
            since: tree
                .and_then(|tree| tree.seen.get(&party.path))
                .map_or_else(|| (self.clock)(), |(_, since)| *since),
            worktree: party.worktree.clone(),
            path: party.path.clone(),
            change,
            ranges,
            status: Status::Applied,
        }
    }

    fn announced_side(&self, announced: &Announced) -> Side {
        let party = Party {
            worktree: announced.worktree.clone(),
            path: announced.path.clone(),
            state: None,
        };
        Side {
            agent: announced.agent.clone(),
            status: Status::Pending,
            since: announced.at,
            ..self.side(
                &party,
                ChangeKind::Modify,
                announced.lines.into_iter().collect(),
            )
        }
    }

    /// Adds what is announced and not yet done; drops announcements that came true or grew old.
    fn pending(
        &mut self,
        pairs: &[(WorktreeId, WorktreeId, Option<Id>)],
        now: u64,
        verdicts: &mut Vec<Verdict>,
    ) {
        let (worktrees, age) = (&self.worktrees, self.announce_age);
        self.announced.retain(|announced| {
            let tree = worktrees.get(&announced.worktree);
            let done = tree
                .and_then(|tree| tree.seen.get(&announced.path))
                .is_some_and(|(_, since)| *since >= announced.at);
            tree.is_some() && !done && now.saturating_sub(announced.at) <= age
        });
        let told: HashSet<_> = verdicts.iter().map(Verdict::key).collect();
        for announced in self.announced.clone() {
            for (left, right, base) in pairs {
                let (Some(base), true) = (base, [left, right].contains(&&announced.worktree))
                else {
                    continue;
                };
                let key = VerdictKey {
                    path: announced.path.clone(),
                    left: left.clone(),
                    right: right.clone(),
                };
                if told.contains(&key) {
                    continue;
                }
                let other = if *left == announced.worktree {
                    right
                } else {
                    left
                };
                let effect = self.worktrees.get(other).and_then(|tree| {
                    tree.changes
                        .get(base)?
                        .effects
                        .get(&announced.path)
                        .cloned()
                });
                let other_announced = self
                    .announced
                    .iter()
                    .find(|entry| entry.worktree == *other && entry.path == announced.path);
                let theirs = match (effect, other_announced) {
                    (Some(effect), _) => {
                        let party = Party {
                            worktree: other.clone(),
                            path: effect.path.clone(),
                            state: effect.now,
                        };
                        let ranges = self.ranges(effect.base, &party);
                        self.side(&party, kind(&effect, &announced.path), ranges)
                    }
                    (None, Some(entry)) if announced.worktree < *other => {
                        self.announced_side(entry)
                    }
                    _ => continue,
                };
                let mine = self.announced_side(&announced);
                let hunks: Vec<_> = theirs
                    .ranges
                    .iter()
                    .map(|range| compare::Hunk {
                        old: range.start..range.end,
                        new: 0..0,
                    })
                    .collect();
                let near = mine
                    .ranges
                    .iter()
                    .filter_map(|range| compare::nearness(&(range.start..range.end), &hunks));
                let severity = near.max().unwrap_or(Severity::DifferentArea);
                let (left, right) = if mine.worktree < theirs.worktree {
                    (mine, theirs)
                } else {
                    (theirs, mine)
                };
                verdicts.push(Verdict {
                    path: announced.path.clone(),
                    left,
                    right,
                    severity,
                    would_conflict: false,
                    overlaps: Vec::new(),
                    base: base.to_string(),
                    note: Some("announced, not on disk yet".to_owned()),
                    since: 0,
                    quiet: false,
                });
            }
        }
    }

    fn register(&mut self, shared: &HashMap<(WorktreeId, RepoPath), (Vec<LineRange>, bool)>) {
        let gone: HashSet<_> = self
            .index
            .snapshot()
            .into_iter()
            .map(|entry| entry.worktree)
            .filter(|id| !self.worktrees.contains_key(id))
            .collect();
        for id in gone {
            self.index.remove(&id);
        }
        for (id, tree) in &self.worktrees {
            let mut entries = Vec::new();
            for announced in self
                .announced
                .iter()
                .filter(|announced| announced.worktree == *id)
            {
                entries.push(Entry {
                    path: announced.path.clone(),
                    worktree: id.clone(),
                    agent: announced.agent.clone(),
                    base: tree
                        .head
                        .commit
                        .map(|head| head.to_string())
                        .unwrap_or_default(),
                    change: ChangeKind::Modify,
                    ranges: announced.lines.into_iter().collect(),
                    status: Status::Pending,
                    since: announced.at,
                });
            }
            if let Some((base, changes)) = nearest(tree) {
                for (key, effect) in &changes.effects {
                    let shared = shared.get(&(id.clone(), key.clone()));
                    entries.push(Entry {
                        path: key.clone(),
                        worktree: id.clone(),
                        agent: self.agents.get(id).cloned(),
                        base: base.to_string(),
                        change: match kind(effect, key) {
                            ChangeKind::Modify if shared.is_some_and(|(_, binary)| *binary) => {
                                ChangeKind::Binary
                            }
                            kind => kind,
                        },
                        ranges: shared.map(|(ranges, _)| ranges.clone()).unwrap_or_default(),
                        status: Status::Applied,
                        since: tree.seen.get(&effect.path).map_or(0, |(_, since)| *since),
                    });
                }
            }
            self.index.replace(id, entries);
        }
    }
}

/// Looks at one path, and keeps what was known of it when it can't be read.
fn look(
    checkout: &mut Checkout,
    path: &RepoPath,
    kept: Option<Option<FileState>>,
    dirty: &mut BTreeMap<RepoPath, Option<FileState>>,
    problems: &mut Vec<String>,
) {
    match checkout.look(path) {
        Ok(Found::AsIndexed) => {}
        Ok(Found::Other(state)) => {
            dirty.insert(path.clone(), state);
        }
        Err(error) => {
            let problem = format!("could not read `{path}`: {error}");
            if !problems.contains(&problem) {
                problems.push(problem);
            }
            if let Some(kept) = kept {
                dirty.insert(path.clone(), kept);
            }
        }
    }
}

/// The merge base that a worktree is nearest to, of those it is compared at.
fn nearest(tree: &Worktree) -> Option<(&Id, &Changes)> {
    tree.changes
        .iter()
        .min_by_key(|(base, changes)| (changes.raw.len(), **base))
}

fn kind(effect: &Effect, key: &RepoPath) -> ChangeKind {
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

/// The last part of a worktree's path.
pub(crate) fn name(id: &WorktreeId) -> String {
    let last = Path::new(&id.0).file_name();
    last.map_or_else(|| id.0.clone(), |name| name.to_string_lossy().into_owned())
}

/// The path of a file inside a root; the file itself need not exist.
pub(crate) fn path_in(root: &Path, file: &Path) -> Option<RepoPath> {
    if file.is_relative() {
        return RepoPath::from_path(file);
    }
    // The directory's links are resolved, the file's own are not: a link is a file of the repository.
    let dir = file
        .parent()?
        .canonicalize()
        .unwrap_or_else(|_| file.parent().map(Path::to_owned).unwrap_or_default());
    let file = dir.join(file.file_name()?);
    RepoPath::from_path(file.strip_prefix(root).ok()?)
}

/// The worst first.
pub(crate) fn rank(verdicts: &mut [Verdict]) {
    verdicts.sort_by(|a, b| {
        let worth = |verdict: &Verdict| (!verdict.quiet, verdict.would_conflict, verdict.severity);
        worth(b).cmp(&worth(a)).then_with(|| a.key().cmp(&b.key()))
    });
}
