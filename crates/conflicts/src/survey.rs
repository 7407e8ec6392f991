//! All worktrees of one repository as they are: what each changed, and what that makes of every pair.
//!
//! The survey is told where to look again and answers with the picture that a fresh start would give;
//! who tells it is not its business.

mod announced;
mod ask;
mod asked;
mod breaks;
mod changes;
mod judge;
mod looking;
mod refused;
mod submodules;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use announced::Announced;
pub(crate) use ask::path_in;
use asked::{Asked, Known};
use breaks::Meaning;
use changes::{Changes, Effect, kind, nearest};
use clock::Clock;
use judge::Memory;
pub use refused::AskError;
use submodules::{Submodules, told};

use crate::git::{Checkout, FileMode, FileState, Git, Head, Id, OpenError, Place, Program};
use crate::groups::grouped;
use crate::index::Index;
use crate::quiet::Quiets;
use crate::types::{
    ChangeKind, ConflictEvent, Entry, Health, LineRange, Picture, Status, Verdict, VerdictKey,
    WorktreeId, WorktreeInfo,
};
use ::git::RepoPath;

struct Worktree {
    place: Place,
    checkout: Option<Checkout>,
    head: Head,
    dirty: BTreeMap<RepoPath, Option<FileState>>,
    /// Files that a program is still to convert; `dirty` has what was known of them before.
    filtered: BTreeMap<RepoPath, FileMode>,
    changes: HashMap<Id, Changes>,
    seen: HashMap<RepoPath, (Option<FileState>, u64)>,
    problems: Vec<String>,
    /// All of it is looked at, also when only some paths of the others are.
    whole: bool,
}

impl Worktree {
    /// Says whether `path` is a directory here with files that git may see.
    fn holds_files_below(&self, path: &RepoPath) -> bool {
        let directory = self.place.root.join(path.to_path());
        let tracked = |checkout: &Checkout| checkout.tracks(path);
        directory.is_dir()
            && !directory.is_symlink()
            && !self.checkout.as_ref().is_some_and(tracked)
    }
}

/// What a person should know of the picture.
struct Note {
    text: String,
    /// Something that should have been compared was not.
    gap: bool,
    /// The pair of worktrees it is about; none: everybody.
    about: Option<[WorktreeId; 2]>,
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
    submodules: Submodules,
    /// None: nobody asked for what breaks.
    meaning: Option<Meaning>,
    program: Program,
    asked: Asked,
    notes: Vec<Note>,
    scanned_at: u64,
    /// When set, only these paths are looked at.
    only: Option<Vec<RepoPath>>,
    pub(crate) quiets: Quiets,
}

impl Survey {
    pub(crate) fn open(
        path: &Path,
        clock: Clock,
        max_text: u64,
        announce_age: u64,
        program: Program,
    ) -> Result<Self, OpenError> {
        let git = Git::open(path, max_text)?;
        Ok(Self::of(git, clock, max_text, announce_age, program))
    }

    fn of(git: Git, clock: Clock, max_text: u64, announce_age: u64, program: Program) -> Self {
        Self {
            git,
            clock,
            max_text,
            announce_age,
            worktrees: BTreeMap::new(),
            agents: BTreeMap::new(),
            announced: Vec::new(),
            index: Index::default(),
            contents: HashMap::new(),
            memory: Memory::default(),
            submodules: Submodules::default(),
            meaning: None,
            program,
            asked: Asked::default(),
            notes: Vec::new(),
            scanned_at: 0,
            only: None,
            quiets: Quiets::default(),
        }
    }

    pub(crate) fn common_dir(&self) -> &Path {
        self.git.common_dir()
    }

    /// Drops everything that is known: the repository is gone.
    pub(crate) fn clear(&mut self) {
        self.worktrees.clear();
        self.submodules = Submodules::default();
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

    /// The worktrees with submodules, and the directories of their HEADs and indexes.
    pub(crate) fn submodule_places(&self) -> Vec<(WorktreeId, PathBuf)> {
        let places = self.submodules.places().into_iter();
        places
            .map(|place| (place.worktree, place.git_dir))
            .collect()
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
        let own = self.worktrees.values();
        let own = own.flat_map(|tree| tree.problems.iter().cloned());
        own.chain(self.submodules.unread.iter().cloned()).collect()
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

    /// Brings entries and verdicts up to date, and says what changed.
    pub(crate) fn settle(&mut self) -> Vec<ConflictEvent> {
        let now = self.clock.now_ms();
        self.notes.clear();
        self.want_nothing();
        let pairs = self.pairs(None);
        self.refresh_changes(&pairs, now);
        let mut verdicts = Vec::new();
        let mut shared = HashMap::<(WorktreeId, RepoPath), (Vec<LineRange>, bool)>::new();
        let mut contents = HashMap::new();
        for (left, right, bases) in &pairs {
            let judged = match self.known(left, right, bases) {
                Known::Plain => self.judged(left, right, bases),
                Known::Told(merged) => {
                    if let Some(warning) = &merged.warning {
                        self.note_of_git(left, right, &format!("git says: {warning}"), false);
                    }
                    self.judged_by_git(left, right, bases, &merged)
                }
                Known::Failed(why) => {
                    let text = format!(
                        "what git would make of their renames or merge bases is not known: {why}"
                    );
                    self.note_of_git(left, right, &text, true);
                    self.judged(left, right, bases)
                }
                Known::Waiting => {
                    // Until git answers, what was said holds.
                    let held = self.index.verdicts();
                    let held = held.filter(|held| {
                        (&held.left.worktree, &held.right.worktree) == (left, right)
                    });
                    for verdict in held.cloned().collect::<Vec<_>>() {
                        let key = verdict.key();
                        if let Some(states) = self.contents.get(&key) {
                            contents.insert(key, *states);
                        }
                        for side in [&verdict.left, &verdict.right] {
                            let binary = side.change == ChangeKind::Binary;
                            shared.insert(
                                (side.worktree.clone(), verdict.path.clone()),
                                (side.ranges.clone(), binary),
                            );
                        }
                        verdicts.push(verdict);
                    }
                    continue;
                }
            };
            for (case, judged) in judged {
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
        }
        self.add_breaks(&pairs, &mut verdicts);
        self.pending(&pairs, now, &mut verdicts);
        let (inside, changed_inside) = self.settle_submodules();
        verdicts.extend(inside);
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
        let changed = self
            .contents
            .iter()
            .filter(|(key, states)| before.get(*key).is_some_and(|before| before != *states));
        let changed = changed.map(|(key, _)| key.clone());
        for key in changed.chain(changed_inside) {
            let told = |event: &ConflictEvent| matches!(event, ConflictEvent::Verdict { verdict } if verdict.key() == key);
            if !events.iter().any(told) {
                events.push(ConflictEvent::Contents { key });
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
        let (notes, incomplete) = self.notes_of(None);
        Picture {
            repository: self.common_dir().to_string_lossy().into_owned(),
            worktrees: self.worktrees(),
            entries: self.index.snapshot(),
            groups: grouped(&verdicts),
            verdicts,
            notes,
            incomplete,
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
        self.notes_of(None).0
    }

    /// Tells what one should know of the picture, or of one worktree's part in it; and whether anything is missing.
    fn notes_of(&self, of: Option<&WorktreeId>) -> (Vec<String>, bool) {
        let concerns = |note: &&Note| {
            let pair = note.about.as_ref();
            pair.is_none_or(|pair| of.is_none_or(|of| pair.contains(of)))
        };
        let notes: Vec<_> = self.notes.iter().filter(concerns).collect();
        let problems = self.problems();
        let mut incomplete = !problems.is_empty() || notes.iter().any(|note| note.gap);
        let absent = self.worktrees.iter().filter(|(_, tree)| {
            // Nothing is there that could be compared.
            tree.checkout.is_none() && tree.problems.is_empty()
        });
        let mut texts: Vec<_> = notes.into_iter().map(|note| note.text.clone()).collect();
        texts.extend(absent.map(|(id, _)| format!("worktree `{id}` is not there")));
        let changes = |(id, tree): (_, &Worktree)| {
            let counts = tree
                .changes
                .values()
                .filter_map(|changes| changes.unsearched);
            Some((name(id), counts.max()?))
        };
        for (at, survey) in &self.submodules.surveys {
            let (inside, gap) = survey.notes_of(of);
            incomplete |= gap;
            texts.extend(inside.iter().map(|note| told(at, note)));
        }
        texts.extend(self.worktrees.iter().filter_map(changes).map(|(name, (gone, new))| {
            format!("`{name}`: renames with changes are not looked for among {gone} deleted and {new} new files")
        }));
        texts.extend(problems);
        (texts, incomplete)
    }

    /// Takes note of something that could not be compared.
    fn gap(&mut self, text: String) {
        if self.notes.iter().all(|note| note.text != text) {
            self.notes.push(Note {
                text,
                gap: true,
                about: None,
            });
        }
    }

    fn info(&self, id: &WorktreeId) -> Option<WorktreeInfo> {
        let tree = self.worktrees.get(id)?;
        let changed = nearest(tree).map_or(0, |(_, changes)| changes.effects.len())
            + self.submodules.entries(id).len();
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
                    ranges: announced.lines.clone(),
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
            entries.extend(self.submodules.entries(id));
            self.index.replace(id, entries);
        }
    }
}

/// The last part of a worktree's path.
pub(crate) fn name(id: &WorktreeId) -> String {
    let last = Path::new(&id.0).file_name();
    last.map_or_else(|| id.0.clone(), |name| name.to_string_lossy().into_owned())
}

/// The worst first.
pub(crate) fn rank(verdicts: &mut [Verdict]) {
    verdicts.sort_by(|a, b| {
        let worth = |verdict: &Verdict| (!verdict.quiet, verdict.would_conflict, verdict.severity);
        worth(b).cmp(&worth(a)).then_with(|| a.key().cmp(&b.key()))
    });
}
