//! What two changes of one file make of each other, and the contents that tell.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Survey, name};
use crate::compare::{self, Changed, Text};
use crate::diff::diff;
use crate::git::{self, Content, FileMode, FileState, Id, MergeRule};
use crate::types::{
    ChangeKind, LineRange, Severity, Side, Status, Verdict, VerdictKey, WorktreeId,
};
use ::git::RepoPath;

/// How many bytes of file contents are kept at hand.
const TEXTS: usize = 32 * 1024 * 1024;

/// What is said of two changes of one file, whoever made them.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) severity: Severity,
    pub(super) would_conflict: bool,
    pub(super) overlaps: Vec<LineRange>,
    pub(super) left: Vec<LineRange>,
    pub(super) right: Vec<LineRange>,
    pub(super) binary: bool,
    /// Git was not let, or not able, to say it: what is said here counts.
    pub(super) by_us: bool,
    pub(super) note: Option<&'static str>,
}

impl Judged {
    pub(super) fn whole(would_conflict: bool, note: Option<&'static str>) -> Self {
        Self {
            severity: Severity::SameLine,
            would_conflict,
            overlaps: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            binary: false,
            by_us: false,
            note,
        }
    }

    pub(super) fn apart() -> Self {
        Self {
            severity: Severity::DifferentArea,
            ..Self::whole(false, None)
        }
    }
}

/// One side of a comparison.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) worktree: WorktreeId,
    pub(super) path: RepoPath,
    pub(super) state: Option<FileState>,
}

/// Two changes to be judged.
pub(super) struct Case {
    pub(super) path: RepoPath,
    pub(super) base_commit: Id,
    pub(super) base: Option<FileState>,
    pub(super) left: Party,
    pub(super) right: Party,
    pub(super) kinds: [ChangeKind; 2],
    /// The outcome, where it does not depend on contents.
    pub(super) known: Option<Judged>,
}

impl Case {
    pub(super) fn key(&self) -> VerdictKey {
        VerdictKey {
            path: self.path.clone(),
            left: self.left.worktree.clone(),
            right: self.right.worktree.clone(),
        }
    }
}

pub(super) type JudgedKey = (
    Option<FileState>,
    Option<FileState>,
    Option<FileState>,
    MergeRule,
);

/// Contents and comparisons that were needed lately.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) texts: HashMap<Id, Content>,
    pub(super) text_bytes: usize,
    pub(super) hunks: HashMap<(Option<Id>, Id), Arc<Vec<compare::Hunk>>>,
    pub(super) judged: HashMap<JudgedKey, Judged>,
    /// Those asked for since the last settling; the others are dropped then.
    pub(super) used: HashSet<JudgedKey>,
    pub(super) alike: HashMap<(Id, Id), f64>,
}

impl Survey {
    /// Says what two changes make of each other; nothing when a content that would tell is missing.
    pub(super) fn judge(&mut self, case: &Case) -> Option<Judged> {
        if let Some(known) = &case.known {
            return Some(known.clone());
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
            return Some(judged.clone());
        }
        match self.judge_contents(case, rule) {
            Some(judged) => {
                // A submodule says more as soon as more of it is fetched.
                let modes = [case.left.state, case.right.state].map(|state| Some(state?.mode));
                if !modes.contains(&Some(FileMode::Submodule)) {
                    self.memory.judged.insert(key, judged.clone());
                }
                Some(judged)
            }
            None if self.tell_what_is_missing(case.base, [&case.left, &case.right]) => None,
            // A content that is being replaced right now: its event is on the way.
            None => Some(Judged::whole(true, Some("could not be read to the end"))),
        }
    }

    /// Takes note when a content is not in the repository (not fetched yet, or lost); says whether one is.
    pub(super) fn tell_what_is_missing<'a>(
        &mut self,
        base: Option<FileState>,
        parties: impl IntoIterator<Item = &'a Party>,
    ) -> bool {
        let missing = |state: Option<FileState>| {
            let state = state.filter(|state| state.mode.is_file())?;
            let made = self.asked.scratch.as_ref();
            let here = self.git.has(state.id) || made.is_some_and(|made| made.has(state.id));
            (!here).then_some(state.id)
        };
        let mut parties: Vec<_> = parties.into_iter().collect();
        let lost = missing(base).or_else(|| {
            parties.iter().find_map(|party| {
                let tree = self.worktrees.get(&party.worktree)?;
                // What is on disk only is in no repository.
                let on_disk = tree.dirty.get(&party.path) == Some(&party.state);
                missing(party.state.filter(|_| !on_disk))
            })
        });
        let Some(lost) = lost else { return false };
        parties.sort_by(|a, b| a.worktree.cmp(&b.worktree));
        let names: Vec<_> = parties
            .iter()
            .map(|party| format!("`{}` of `{}`", party.path, name(&party.worktree)))
            .collect();
        self.gap(format!(
            "{} can't be compared: the repository lacks object `{lost}`",
            names.join(" and ")
        ));
        true
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
                    let contained = base.is_some_and(|base| {
                        self.submodule_goes_on(&case.left.path, [base.id, ours.id, theirs.id])
                    });
                    let note = match contained {
                        true => "one commit of the submodule contains the other",
                        false => "two commits of a submodule",
                    };
                    Judged {
                        by_us: true,
                        ..Judged::whole(!contained, Some(note))
                    }
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
                let judged = self.judge_texts(case, rule)?;
                match rule {
                    MergeRule::Driver => Judged {
                        by_us: true,
                        note: Some("its merge driver decides, and is not asked"),
                        ..judged
                    },
                    _ => judged,
                }
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

    /// Says whether of two commits of a submodule one contains the other, and both what they come from.
    ///
    /// Each worktree has a checkout of its own of it: any that has all three can tell.
    fn submodule_goes_on(&self, path: &RepoPath, commits: [Id; 3]) -> bool {
        let roots = self.worktrees.values().map(|tree| &tree.place.root);
        let mut told = roots.filter_map(|root| git::goes_on(&root.join(path.to_path()), commits));
        told.next().unwrap_or(false)
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
            by_us: false,
            note: no_base.is_none().then_some("new on both sides"),
        })
    }

    /// The lines of the merge base that one side replaces; none when there is no text to tell by.
    pub(super) fn ranges(&mut self, base: Option<FileState>, party: &Party) -> Vec<LineRange> {
        let hunks = self.hunks_of(base, party);
        hunks
            .iter()
            .flat_map(|hunks| hunks.iter().map(compare::Hunk::range))
            .collect()
    }

    pub(super) fn hunks_of(
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
    pub(super) fn text_of(
        &mut self,
        state: Option<FileState>,
        party: Option<&Party>,
    ) -> Option<Arc<[u8]>> {
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
        let content = content.or_else(|| self.git.content(id)).or_else(|| {
            let made = self.asked.scratch.as_ref()?;
            made.content(id, self.max_text)
        })?;
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

    pub(super) fn verdict(&self, case: Case, judged: Judged) -> Verdict {
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
            breaks: Vec::new(),
            since: 0,
            quiet: false,
        }
    }

    pub(super) fn side(&self, party: &Party, change: ChangeKind, ranges: Vec<LineRange>) -> Side {
        let tree = self.worktrees.get(&party.worktree);
        Side {
            name: name(&party.worktree),
            branch: tree.and_then(|tree| tree.head.branch.clone()),
            agent: self.agents.get(&party.worktree).cloned(),
            since: tree
                .and_then(|tree| tree.seen.get(&party.path))
                .map_or_else(|| self.clock.now_ms(), |(_, since)| *since),
            worktree: party.worktree.clone(),
            path: party.path.clone(),
            change,
            ranges,
            status: Status::Applied,
        }
    }
}
