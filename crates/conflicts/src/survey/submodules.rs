//! Submodules: the checkouts that the worktrees have of one are compared as worktrees of its own repository are.
//!
//! Each worktree keeps a repository of its own for each submodule. A survey of its own takes those of one submodule
//! for one repository; what it says is told in the paths of the repository around.

use std::collections::BTreeMap;

use super::{AskError, Survey};
use crate::git::{Arm, Checkout, Git, Place};
use crate::types::{
    Break, ChangeKind, CheckAnswer, ConflictEvent, Entry, ProposedChange, Side, Touch, Verdict,
    VerdictDetails, VerdictKey, WorktreeId,
};
use ::git::RepoPath;

/// The submodules of one repository.
#[derive(Default)]
pub(super) struct Submodules {
    /// Those that more than one worktree has checked out.
    pub(super) surveys: BTreeMap<RepoPath, Survey>,
    /// All checkouts, whether there is something to compare them with or not.
    checkouts: Vec<(RepoPath, Place)>,
    /// What can't be compared, and why.
    pub(super) unread: Vec<String>,
}

impl Submodules {
    /// Where the HEADs and indexes of all checkouts lie, each with the worktree around it.
    pub(super) fn places(&self) -> Vec<Place> {
        let inside = self.surveys.values();
        let inside = inside.flat_map(|survey| survey.submodules.places());
        let own = self.checkouts.iter().map(|(_, place)| place.clone());
        own.chain(inside).collect()
    }

    /// All checkouts, by the path of the submodule.
    pub(super) fn checkouts(&self) -> Vec<(RepoPath, Place)> {
        self.checkouts.clone()
    }

    /// What the worktree changed inside of its submodules, in the paths of the repository around.
    pub(super) fn entries(&self, of: &WorktreeId) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (at, survey) in &self.surveys {
            let inside = survey.index.snapshot();
            let inside = inside.into_iter().filter(|entry| entry.worktree == *of);
            entries.extend(inside.map(|entry| Entry {
                path: entry.path.within(at),
                change: change_within(at, entry.change),
                ..entry
            }));
        }
        entries
    }

    /// Looks at a verdict inside of a submodule; none when the path lies in none.
    pub(super) fn verdict_at(
        &mut self,
        key: &VerdictKey,
    ) -> Option<(&RepoPath, &mut Survey, VerdictKey)> {
        self.surveys.iter_mut().find_map(|(at, survey)| {
            let path = key.path.inside(at)?;
            let key = VerdictKey {
                path,
                ..key.clone()
            };
            Some((at, survey, key))
        })
    }
}

impl Survey {
    /// Finds out which submodules are checked out in several worktrees, and looks through those that are new; in a
    /// look at some paths, at `wanted` alone.
    pub(super) fn relist_submodules(&mut self, wanted: Option<&RepoPath>, arm: Arm<'_>) {
        if self.only.is_some() && wanted.is_none() {
            return;
        }
        let checkouts = self.worktrees.values();
        let checkouts = checkouts.flat_map(|tree| tree.checkout.iter());
        let mut checkouts: Vec<_> = checkouts.flat_map(Checkout::submodules).collect();
        checkouts.retain(|(path, _)| wanted.is_none_or(|wanted| wanted == path));
        let mut found = BTreeMap::<RepoPath, Vec<Place>>::new();
        for (path, place) in &checkouts {
            found.entry(path.clone()).or_default().push(place.clone());
        }
        found.retain(|_, places| places.len() > 1);
        let submodules = &mut self.submodules;
        submodules.checkouts = checkouts;
        submodules.unread.clear();
        submodules.surveys.retain(|path, survey| {
            found
                .get(path)
                .is_some_and(|places| survey.git.checkouts() == places)
        });
        for (path, places) in found {
            if submodules.surveys.contains_key(&path) {
                continue;
            }
            let opened = Git::of_checkouts(places, self.max_text).and_then(|git| {
                let mut survey = Self::of(
                    git,
                    self.clock.clone(),
                    self.max_text,
                    self.announce_age,
                    self.program.clone(),
                );
                let looked = match self.only {
                    Some(_) => survey.look_at_no_file(),
                    None => survey.rescan(&mut *arm),
                };
                looked.map_err(|error| error.to_string())?;
                survey.set_breaks(self.meaning.is_some());
                Ok(survey)
            });
            match opened {
                Ok(survey) => drop(submodules.surveys.insert(path, survey)),
                Err(error) => submodules
                    .unread
                    .push(told(&path, &format!("it can't be compared: {error}"))),
            }
        }
    }

    /// Says which submodule of a worktree a path lies in, and what it is called there.
    pub(super) fn in_submodule(
        &self,
        worktree: &WorktreeId,
        path: &RepoPath,
    ) -> Option<(RepoPath, RepoPath)> {
        let checkout = self.worktrees.get(worktree)?.checkout.as_ref()?;
        let submodule = checkout.submodule_around(path)?;
        let inside = path.inside(&submodule)?;
        Some((submodule, inside))
    }

    /// Brings the submodules up to date; gives all that is said of their files, and of which of them the text changed.
    pub(super) fn settle_submodules(&mut self) -> (Vec<Verdict>, Vec<VerdictKey>) {
        let (mut verdicts, mut changed) = (Vec::new(), Vec::new());
        let mut surveys = std::mem::take(&mut self.submodules.surveys);
        for (at, survey) in &mut surveys {
            for event in survey.settle() {
                if let ConflictEvent::Contents { key } = event {
                    changed.push(VerdictKey {
                        path: key.path.within(at),
                        ..key
                    });
                }
            }
            let inside = survey.index.verdicts().cloned();
            verdicts.extend(inside.map(|verdict| self.verdict_within(at, verdict)));
        }
        self.submodules.surveys = surveys;
        (verdicts, changed)
    }

    /// Says what the other worktrees do where a change inside of a submodule is proposed.
    pub(super) fn check_in_submodule(
        &mut self,
        worktree: &WorktreeId,
        (at, inside): (&RepoPath, &RepoPath),
        change: &ProposedChange,
    ) -> Option<Result<CheckAnswer, AskError>> {
        let survey = self.submodules.surveys.get_mut(at)?;
        let answer = survey.check(&ProposedChange {
            file: inside.to_string(),
            worktree: worktree.0.clone(),
            ..change.clone()
        });
        let within = |answer: CheckAnswer| {
            let touches = answer.touches.into_iter();
            let touches = touches.map(|touch| Touch {
                side: self.side_within(at, touch.side),
                breaks: touch
                    .breaks
                    .into_iter()
                    .map(|broken| broken.within(at))
                    .collect(),
                ..touch
            });
            CheckAnswer {
                path: answer.path.within(at),
                touches: touches.collect(),
                notes: answer.notes.iter().map(|note| told(at, note)).collect(),
                ..answer
            }
        };
        Some(answer.map(within))
    }

    /// Shows both sides of a verdict inside of a submodule; none when the path lies in none.
    pub(super) fn details_in_submodule(
        &mut self,
        key: &VerdictKey,
    ) -> Option<Result<VerdictDetails, AskError>> {
        let (at, survey, inside) = self.submodules.verdict_at(key)?;
        let at = at.clone();
        let details = survey.details(&inside);
        Some(details.map(|details| VerdictDetails {
            verdict: self.verdict_within(&at, details.verdict),
            ..details
        }))
    }

    fn verdict_within(&self, at: &RepoPath, verdict: Verdict) -> Verdict {
        let breaks = verdict.breaks.iter().cloned();
        Verdict {
            path: verdict.path.within(at),
            breaks: breaks.map(|broken| broken.within(at)).collect(),
            left: self.side_within(at, verdict.left),
            right: self.side_within(at, verdict.right),
            ..verdict
        }
    }

    /// A side as the repository around tells it: by the branch of the worktree, not the submodule's.
    fn side_within(&self, at: &RepoPath, side: Side) -> Side {
        let tree = self.worktrees.get(&side.worktree);
        let agent = || self.agents.get(&side.worktree).cloned();
        Side {
            branch: tree.and_then(|tree| tree.head.branch.clone()),
            agent: side.agent.clone().or_else(agent),
            path: side.path.within(at),
            change: change_within(at, side.change),
            ..side
        }
    }
}

impl Break {
    fn within(self, at: &RepoPath) -> Self {
        Self {
            path: self.path.within(at),
            ..self
        }
    }
}

fn change_within(at: &RepoPath, change: ChangeKind) -> ChangeKind {
    match change {
        ChangeKind::Rename { to } => ChangeKind::Rename {
            to: format!("{at}/{to}"),
        },
        change => change,
    }
}

/// What is told of a submodule, so that a person knows that it is of that.
pub(super) fn told(at: &RepoPath, note: &str) -> String {
    format!("submodule `{at}`: {note}")
}
