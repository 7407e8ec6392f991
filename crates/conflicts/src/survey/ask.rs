//! What may be asked: who touches what one is about to change, and what a verdict looks like inside.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::announced::Announced;
use super::changes::{Effect, kind};
use super::judge::Party;
use super::refused::AskError;
use super::{Survey, name};
use crate::compare::{self, Changed, Text};
use crate::diff::diff;
use crate::git::Id;
use crate::types::{
    CheckAnswer, HunkView, LineRange, ProposedChange, Severity, Side, Touch, VerdictDetails,
    VerdictKey, WorktreeId,
};
use ::git::RepoPath;

/// Hunks of one other worktree that an answer shows at most.
const SHOWN: usize = 20;

impl Survey {
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
        let mut places = change.lines.iter();
        if let Some(lines) = places.find(|lines| lines.start == 0 || lines.end < lines.start) {
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
        if path.is_gits_own() {
            return Err(AskError::GitsOwn {
                file: change.file.clone(),
            });
        }
        Ok((worktree, path))
    }

    /// Says what the other worktrees do where a change is proposed.
    pub(crate) fn check(&mut self, change: &ProposedChange) -> Result<CheckAnswer, AskError> {
        let (worktree, mut path) = self.locate(change)?;
        let mut lines = change.lines.as_slice();
        if let Some((submodule, inside)) = self.in_submodule(&worktree, &path) {
            let answer = self.check_in_submodule(&worktree, (&submodule, &inside), change);
            if let Some(answer) = answer {
                return answer;
            }
            // No other worktree has it checked out: its commit is all that another one can change.
            path = submodule;
            lines = &[];
        }
        let tree = self.worktrees.get(&worktree);
        if tree.is_some_and(|tree| tree.holds_files_below(&path)) {
            return Err(AskError::Directory {
                file: change.file.clone(),
            });
        }
        if self.only.is_none() {
            self.touched_everywhere(&path);
        }
        self.notes.clear();
        // What is kept of other pairs is kept for the watcher; a single look needs none of it.
        let of = self.only.is_some().then_some(&worktree);
        let pairs = self.pairs(of);
        self.refresh_changes(&pairs, self.clock.now_ms());
        let mut touches = Vec::new();
        for (left, right, bases) in &pairs {
            let other = match (*left == worktree, *right == worktree) {
                (true, _) => right,
                (_, true) => left,
                (false, false) => continue,
            };
            // At the merge base where least meets: what both sides have taken over already is a change of neither.
            let mut least: Option<Vec<Touch>> = None;
            for base in bases {
                let here = self.touches(&worktree, &path, lines, other, base);
                let worth = |touches: &[Touch]| touches.iter().map(|touch| touch.severity).max();
                if least
                    .as_ref()
                    .is_none_or(|least| worth(&here) < worth(least))
                {
                    least = Some(here);
                }
            }
            touches.extend(least.into_iter().flatten());
        }
        touches.extend(self.breaking_touches(&worktree, &path, change, &pairs));
        touches.sort_by_key(|touch| std::cmp::Reverse(touch.severity));
        let (notes, incomplete) = self.notes_of(Some(&worktree));
        Ok(CheckAnswer {
            severity: touches.first().map(|touch| touch.severity),
            path,
            worktree,
            touches,
            notes,
            incomplete,
        })
    }

    /// Says what one other worktree does where a change is proposed, in the lines of one merge base.
    fn touches(
        &mut self,
        worktree: &WorktreeId,
        path: &RepoPath,
        proposed: &[LineRange],
        other: &WorktreeId,
        base: &Id,
    ) -> Vec<Touch> {
        let arrived_at = |survey: &Self, id: &WorktreeId| {
            let changes = survey.worktrees.get(id)?.changes.get(base)?;
            changes.arrivals.get(path).cloned()
        };
        let effect = |survey: &Self, id: &WorktreeId, key: &RepoPath| {
            let changes = survey.worktrees.get(id)?.changes.get(base)?;
            changes.effects.get(key).cloned()
        };
        // The file may have been renamed here, or there.
        let key = arrived_at(self, worktree).unwrap_or_else(|| path.clone());
        let theirs = effect(self, other, &key);
        // Another file may have come to this very path there.
        let arrived = arrived_at(self, other).filter(|origin| *origin != key);
        let arrived = arrived.and_then(|origin| Some((effect(self, other, &origin)?, origin)));
        let announced = self.announced_by(other, path);
        if theirs.is_none() && arrived.is_none() && announced.is_none() {
            return Vec::new();
        }
        let mine = effect(self, worktree, &key);
        let hunks = match &mine {
            Some(mine) => self.hunks_of(mine.base, &party(worktree, mine)),
            None => Some(Arc::default()),
        };
        let in_base = |hunks: &Arc<Vec<compare::Hunk>>| {
            let lines = proposed.iter();
            let lines = lines.map(|lines| lines.start - 1..lines.end - 1);
            lines.map(|lines| compare::to_base(&lines, hunks)).collect()
        };
        let told = !proposed.is_empty();
        let mine = Mine {
            new: mine.is_some_and(|mine| mine.base.is_none()),
            told,
            lines: hunks.as_ref().filter(|_| told).map(in_base),
            hunks,
        };
        let mut touches = Vec::new();
        if let Some((effect, origin)) = arrived {
            touches.push(Touch {
                side: self.side(&party(other, &effect), kind(&effect, &origin), Vec::new()),
                lines: Vec::new(),
                severity: match mine.told || mine.new {
                    true => Severity::SameLine,
                    false => Severity::DifferentArea,
                },
                hunks: Vec::new(),
                breaks: Vec::new(),
            });
        }
        touches.extend(theirs.map(|theirs| self.changed_there(&mine, other, &theirs, &key)));
        touches.extend(announced.map(|announced| self.announced_there(&mine, &announced, base)));
        touches
    }

    /// What another worktree changed of a file, beside a proposed change of it.
    fn changed_there(
        &mut self,
        mine: &Mine,
        other: &WorktreeId,
        theirs: &Effect,
        key: &RepoPath,
    ) -> Touch {
        let their_party = party(other, theirs);
        let their_hunks = self.hunks_of(theirs.base, &their_party);
        if their_hunks.is_none() {
            self.tell_what_is_missing(theirs.base, [&their_party]);
        }
        let severity = match (&mine.lines, &their_hunks, &mine.hunks) {
            (Some(lines), Some(theirs), _) => lines
                .iter()
                .filter_map(|lines| compare::nearness(lines, theirs))
                .max(),
            (None, Some(theirs), Some(hunks)) if !mine.told => hunks
                .iter()
                .filter_map(|hunk| compare::nearness(&hunk.old, theirs))
                .max(),
            _ => mine.told.then_some(Severity::SameLine),
        };
        let their_hunks = their_hunks.unwrap_or_default();
        let ranges: Vec<_> = their_hunks.iter().map(compare::Hunk::range).collect();
        Touch {
            lines: here(&ranges, mine.hunks.as_deref()),
            side: self.side(&their_party, kind(theirs, key), ranges),
            severity: severity.unwrap_or(Severity::DifferentArea),
            hunks: self.shown(theirs, &their_party, &their_hunks, mine.lines.as_deref()),
            breaks: Vec::new(),
        }
    }

    /// What another worktree is about to change of a file, beside a proposed change of it.
    fn announced_there(&mut self, mine: &Mine, announced: &Announced, base: &Id) -> Touch {
        let theirs = self.announced_lines(announced, base);
        let hunks: Vec<_> = theirs.iter().map(compare::Hunk::at).collect();
        let lines = mine.lines.iter().flatten();
        let severity = lines
            .filter_map(|lines| compare::nearness(lines, &hunks))
            .max();
        Touch {
            lines: here(&theirs, mine.hunks.as_deref()),
            side: self.announced_side(announced, theirs),
            severity: severity.unwrap_or(Severity::DifferentArea),
            hunks: Vec::new(),
            breaks: Vec::new(),
        }
    }

    /// The hunks of one side that lie near some lines, or all; none of a file that is new or gone.
    pub(super) fn shown(
        &mut self,
        effect: &Effect,
        party: &Party,
        hunks: &[compare::Hunk],
        lines: Option<&[Range<u32>]>,
    ) -> Vec<HunkView> {
        if effect.base.is_none() || effect.now.is_none() {
            return Vec::new();
        }
        let base = self.text_of(effect.base, None);
        let (Some(base), Some(text)) = (base, self.text_of(effect.now, Some(party))) else {
            return Vec::new();
        };
        let around: Vec<_> = lines
            .into_iter()
            .flatten()
            .map(compare::Hunk::over)
            .collect();
        let side = Changed {
            text: Text::new(&text),
            hunks,
        };
        let mut views = compare::views(&Text::new(&base), &side, &around);
        if lines.is_some() {
            let mut near = hunks
                .iter()
                .map(|hunk| compare::nearness(&hunk.old, &around) >= Some(Severity::AdjacentLine));
            views.retain(|_| near.next().unwrap_or(true));
        }
        views.truncate(SHOWN);
        views
    }

    /// Shows both sides of a verdict in their context.
    pub(crate) fn details(&mut self, key: &VerdictKey) -> Result<VerdictDetails, AskError> {
        let gone = || AskError::NoVerdict {
            path: key.path.clone(),
        };
        if let Some(inside) = self.details_in_submodule(key) {
            return inside;
        }
        let verdict = self.index.verdicts().find(|verdict| verdict.key() == *key);
        let verdict = verdict.cloned().ok_or_else(gone)?;
        let bare = VerdictDetails {
            left: Vec::new(),
            right: Vec::new(),
            merged: None,
            verdict: verdict.clone(),
        };
        let Some([base, left, right]) = self.contents.get(key).copied() else {
            return Ok(self.apart(bare));
        };
        let sides = [(&verdict.left, left), (&verdict.right, right)].map(|(side, state)| Party {
            worktree: side.worktree.clone(),
            path: side.path.clone(),
            state,
        });
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

    /// Shows two sides that changed two files: each in the lines of its own.
    fn apart(&mut self, bare: VerdictDetails) -> VerdictDetails {
        let mut views = |side: &Side| {
            let tree = self.worktrees.get(&side.worktree)?;
            let changes = tree.changes.iter();
            let mut changes = changes.filter(|(base, _)| base.to_string() == bare.verdict.base);
            let effects = &changes.next()?.1.effects;
            let effect = effects.values().find(|effect| effect.path == side.path);
            let effect = effect?.clone();
            let party = party(&side.worktree, &effect);
            let hunks = self.hunks_of(effect.base, &party)?;
            let base = self.text_of(effect.base, None)?;
            let now = self.text_of(effect.now, Some(&party))?;
            let changed = Changed {
                text: Text::new(&now),
                hunks: &hunks,
            };
            // What breaks, where it was defined or where it is used.
            let breaks = bare.verdict.breaks.iter();
            let used = |line: &u32| compare::to_base(&(line - 1..*line), &hunks);
            let mut lines = Vec::new();
            for broken in breaks {
                match broken.by == side.worktree {
                    true => lines.push(broken.line - 1..broken.line),
                    false => lines.extend(broken.lines.iter().map(used)),
                }
            }
            let around: Vec<_> = lines.iter().map(compare::Hunk::over).collect();
            Some(compare::views(&Text::new(&base), &changed, &around))
        };
        VerdictDetails {
            left: views(&bare.verdict.left).unwrap_or_default(),
            right: views(&bare.verdict.right).unwrap_or_default(),
            ..bare
        }
    }
}

/// A proposed change, in the lines of one merge base.
struct Mine {
    /// The file is new there.
    new: bool,
    /// Lines were proposed.
    told: bool,
    /// Those lines; none when they are not known.
    lines: Option<Vec<Range<u32>>>,
    /// What the worktree that asks changed already; none when it is not text.
    hunks: Option<Arc<Vec<compare::Hunk>>>,
}

fn party(worktree: &WorktreeId, effect: &Effect) -> Party {
    Party {
        worktree: worktree.clone(),
        path: effect.path.clone(),
        state: effect.now,
    }
}

/// Some lines of the merge base as a worktree counts them that changed the file by these hunks.
fn here(ranges: &[LineRange], mine: Option<&Vec<compare::Hunk>>) -> Vec<LineRange> {
    let Some(mine) = mine else {
        return Vec::new();
    };
    let here = |range: &LineRange| {
        let lines = compare::from_base(&(range.start - 1..range.end - 1), mine);
        LineRange {
            start: lines.start + 1,
            end: lines.end + 1,
        }
    };
    ranges.iter().map(here).collect()
}

/// The path of a file inside a root; the file itself need not exist.
pub(crate) fn path_in(root: &Path, file: &Path) -> Option<RepoPath> {
    if file.is_relative() {
        return RepoPath::from_path(file);
    }
    // The directory's links are resolved, the file's own are not: a link is a file of the repository. Directories
    // that the file would need are still to be made, perhaps.
    let dir = file.parent()?;
    let dir = dir
        .ancestors()
        .find_map(|there| {
            Some(
                there
                    .canonicalize()
                    .ok()?
                    .join(dir.strip_prefix(there).ok()?),
            )
        })
        .unwrap_or_else(|| dir.to_owned());
    let file = dir.join(file.file_name()?);
    RepoPath::from_path(file.strip_prefix(root).ok()?)
}
