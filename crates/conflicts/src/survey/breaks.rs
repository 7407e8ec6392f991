//! Where one worktree's change takes away what another one's change uses: asked for, and else not looked at.
//!
//! What has to be read is handed out as work, and kept by the content that it was read of; until it is there, what was
//! said holds.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::Arc;

use super::changes::{Pair, kind};
use super::judge::Party;
use super::{Effect, Note, Survey, name};
use crate::breaks::{Changed, File, User, changed};
use crate::git::{FileState, Id};
use crate::outline::{LONGEST, Language, Outline, is_among};
use crate::types::{
    Break, LineRange, ProposedChange, Severity, Touch, Verdict, VerdictKey, WorktreeId,
};
use ::git::RepoPath;

/// Changed files of one worktree that are read at most.
const FILES: usize = 400;

/// Breaks that are told of one file and pair at most.
const TOLD: usize = 20;

/// Contents of which the outline is kept.
const KEPT: usize = 4_000;

/// A content, as the language that it is read as.
type ReadAs = (Id, Language);

/// What is known of the meaning of contents.
#[derive(Default)]
pub(super) struct Meaning {
    /// None: it can't be read.
    outlines: HashMap<ReadAs, Option<Arc<Outline>>>,
    wanted: HashMap<ReadAs, Arc<[u8]>>,
    /// By what the files of a side were and are.
    changed: HashMap<u64, Arc<Vec<Changed>>>,
    /// By both sides: the one that changed definitions, and the one that uses them.
    found: HashMap<(u64, u64), Arc<Vec<Found>>>,
}

/// Texts that are to be read.
pub(super) type Unread = Vec<(ReadAs, Arc<[u8]>)>;

/// What came of it.
pub(super) type Outlines = Vec<(ReadAs, Option<Arc<Outline>>)>;

/// Reads some texts: slow, and needs nothing of the survey.
pub(super) fn read(texts: Unread) -> Outlines {
    let read = |((id, language), text): (ReadAs, Arc<[u8]>)| {
        let outline = Outline::read(language, &text);
        ((id, language), outline.map(Arc::new))
    };
    texts.into_iter().map(read).collect()
}

/// One break, and the files of both sides.
struct Found {
    /// The file that uses it, by its path at the merge base.
    path: RepoPath,
    broken: Break,
}

/// One file that a worktree changed, read.
struct ReadFile {
    key: RepoPath,
    effect: Effect,
    language: Language,
    base: Option<Arc<Outline>>,
    now: Option<Arc<Outline>>,
}

/// All that a worktree changed since a merge base, as far as its language is known.
struct Side {
    /// The same for the same files.
    print: u64,
    files: Vec<ReadFile>,
    /// Something is still to be read.
    waits: bool,
    /// How many files are not looked at.
    left_out: usize,
}

impl Meaning {
    /// Takes out what is to be read; none when nothing is.
    pub(super) fn work(&mut self) -> Option<Unread> {
        let wanted = std::mem::take(&mut self.wanted);
        (!wanted.is_empty()).then(|| wanted.into_iter().collect())
    }

    pub(super) fn learn(&mut self, outlines: Outlines) {
        if self.outlines.len() + outlines.len() > KEPT {
            self.outlines.clear();
        }
        self.outlines.extend(outlines);
    }

    fn changed(&mut self, side: &Side) -> Arc<Vec<Changed>> {
        let find = || {
            let files: Vec<_> = side
                .files
                .iter()
                .map(|file| File {
                    path: &file.key,
                    language: file.language,
                    base: file.base.as_deref(),
                    now: file.now.as_deref(),
                })
                .collect();
            Arc::new(changed(&files))
        };
        self.changed.entry(side.print).or_insert_with(find).clone()
    }
}

impl Survey {
    /// Looks for breaks from now on, or no more.
    pub(crate) fn set_breaks(&mut self, on: bool) {
        match on {
            true => drop(self.meaning.get_or_insert_default()),
            false => self.meaning = None,
        }
        for survey in self.submodules.surveys.values_mut() {
            survey.set_breaks(on);
        }
    }

    pub(crate) fn looks_for_breaks(&self) -> bool {
        self.meaning.is_some()
    }

    /// Adds to the verdicts what one side of a pair changed or removed, and a change of the other side uses.
    pub(super) fn add_breaks(&mut self, pairs: &[Pair], verdicts: &mut Vec<Verdict>) {
        let Some(mut meaning) = self.meaning.take() else {
            return;
        };
        meaning.wanted.clear();
        let mut at: HashMap<_, _> = verdicts.iter().map(Verdict::key).zip(0..).collect();
        let mut sides = HashMap::<(WorktreeId, Id), Arc<Side>>::new();
        let (mut used, mut told) = (HashSet::new(), HashSet::new());
        for (left, right, bases) in pairs {
            let Some(base) = bases.first() else { continue };
            let both = [left, right].map(|id| {
                let side = sides.entry((id.clone(), *base));
                let read = || Arc::new(self.read_side(&mut meaning, id, base));
                side.or_insert_with(read).clone()
            });
            for (id, side) in [left, right].into_iter().zip(&both) {
                if side.left_out > 0 && told.insert(id) {
                    self.notes.push(Note {
                        text: format!(
                            "`{}`: what {} of its changed files define and use is not looked at: too large, or too many",
                            name(id),
                            side.left_out
                        ),
                        gap: false,
                        about: Some([left.clone(), right.clone()]),
                    });
                }
            }
            let [one, two] = &both;
            if one.waits || two.waits {
                let held = self.index.verdicts().filter(|verdict| {
                    (&verdict.left.worktree, &verdict.right.worktree) == (left, right)
                });
                for held in held.filter(|verdict| !verdict.breaks.is_empty()) {
                    match at.get(&held.key()) {
                        Some(at) => take_over(&mut verdicts[*at], held.breaks.clone()),
                        None => verdicts.push(held.clone()),
                    }
                }
                continue;
            }
            for (by, user) in [((left, one), (right, two)), ((right, two), (left, one))] {
                let prints = (by.1.print, user.1.print);
                used.insert(prints);
                let found = match meaning.found.get(&prints) {
                    Some(found) => found.clone(),
                    None => {
                        let changed = meaning.changed(by.1);
                        let found = Arc::new(self.find_breaks(by.0, &changed, user));
                        meaning.found.insert(prints, found.clone());
                        found
                    }
                };
                for found in found.iter() {
                    let key = VerdictKey {
                        path: found.path.clone(),
                        left: left.clone(),
                        right: right.clone(),
                    };
                    let known = *at.entry(key).or_insert_with_key(|key| {
                        verdicts.push(self.broken(key, by, user, found, base));
                        verdicts.len() - 1
                    });
                    take_over(&mut verdicts[known], vec![found.broken.clone()]);
                }
            }
        }
        meaning.found.retain(|prints, _| used.contains(prints));
        let prints: HashSet<_> = used.into_iter().flat_map(|(one, two)| [one, two]).collect();
        meaning.changed.retain(|print, _| prints.contains(print));
        self.meaning = Some(meaning);
    }

    /// Reads the files that a worktree changed since a merge base, as far as they were read before; wants the others.
    fn read_side(&mut self, meaning: &mut Meaning, id: &WorktreeId, base: &Id) -> Side {
        let effects = self
            .worktrees
            .get(id)
            .and_then(|tree| tree.changes.get(base))
            .map(|changes| changes.effects.clone())
            .unwrap_or_default();
        let known = effects
            .into_iter()
            .filter_map(|(key, effect)| Some((Language::of(&effect.path)?, key, effect)));
        let known: Vec<_> = known.collect();
        let mut hasher = DefaultHasher::new();
        base.hash(&mut hasher);
        let mut side = Side {
            print: 0,
            files: Vec::new(),
            waits: false,
            left_out: known.len().saturating_sub(FILES),
        };
        for (language, key, effect) in known.into_iter().take(FILES) {
            (&key, &effect.path, effect.base, effect.now).hash(&mut hasher);
            let party = Party {
                worktree: id.clone(),
                path: effect.path.clone(),
                state: effect.now,
            };
            let outlines = [(effect.base, None), (effect.now, Some(&party))]
                .map(|(state, party)| self.outline(meaning, state, party, language));
            side.waits |= outlines
                .iter()
                .any(|outline| matches!(outline, Reading::Waits));
            let [base, now] = outlines;
            if matches!(base, Reading::LeftOut) || matches!(now, Reading::LeftOut) {
                side.left_out += 1;
                continue;
            }
            side.files.push(ReadFile {
                key,
                effect,
                language,
                base: base.known(),
                now: now.known(),
            });
        }
        side.print = hasher.finish();
        side
    }

    fn outline(
        &mut self,
        meaning: &mut Meaning,
        state: Option<FileState>,
        party: Option<&Party>,
        language: Language,
    ) -> Reading {
        let Some(state) = state.filter(|state| state.mode.is_file()) else {
            return Reading::Nothing;
        };
        let read_as = (state.id, language);
        match meaning.outlines.get(&read_as) {
            Some(Some(outline)) => return Reading::Known(outline.clone()),
            Some(None) => return Reading::LeftOut,
            None => {}
        }
        match self.text_of(Some(state), party) {
            Some(text) if text.len() <= LONGEST => {
                meaning.wanted.insert(read_as, text);
                Reading::Waits
            }
            _ => {
                meaning.outlines.insert(read_as, None);
                Reading::LeftOut
            }
        }
    }

    /// Finds what one worktree's changed definitions break in the lines that another one changed.
    fn find_breaks(
        &mut self,
        by: &WorktreeId,
        changed: &[Changed],
        (user, side): (&WorktreeId, &Arc<Side>),
    ) -> Vec<Found> {
        let mut found = Vec::new();
        let by_name = by_name(changed, side);
        if by_name.is_empty() {
            return found;
        }
        for file in &side.files {
            let Some(outline) = &file.now else { continue };
            let party = Party {
                worktree: user.clone(),
                path: file.effect.path.clone(),
                state: file.effect.now,
            };
            let Some(hunks) = self.hunks_of(file.effect.base, &party) else {
                continue;
            };
            let lines: Vec<_> = hunks.iter().map(|hunk| hunk.new.clone()).collect();
            let reader = User {
                path: &file.effect.path,
                language: file.language,
                outline,
            };
            let broken = broken_by(&reader, &by_name, by, |line| is_among(line, &lines));
            found.extend(broken.into_iter().take(TOLD).map(|broken| Found {
                path: file.key.clone(),
                broken,
            }));
        }
        found
    }

    /// What is said of a file that is in no other verdict of its pair.
    fn broken(
        &mut self,
        key: &VerdictKey,
        (by, defines): (&WorktreeId, &Arc<Side>),
        (user, uses): (&WorktreeId, &Arc<Side>),
        found: &Found,
        base: &Id,
    ) -> Verdict {
        let mut side = |id: &WorktreeId, side: &Side, path: &RepoPath| {
            let file = side.files.iter().find(|file| file.key == *path);
            let party = Party {
                worktree: id.clone(),
                path: file.map_or_else(|| path.clone(), |file| file.effect.path.clone()),
                state: file.and_then(|file| file.effect.now),
            };
            let base = file.and_then(|file| file.effect.base);
            let change = file.map_or(crate::types::ChangeKind::Modify, |file| {
                kind(&file.effect, &file.key)
            });
            let ranges = self.ranges(base, &party);
            self.side(&party, change, ranges)
        };
        let (one, two) = (
            side(by, defines, &found.broken.path),
            side(user, uses, &found.path),
        );
        let (left, right) = if *by == key.left {
            (one, two)
        } else {
            (two, one)
        };
        Verdict {
            path: key.path.clone(),
            left,
            right,
            severity: Severity::Breaks,
            would_conflict: false,
            overlaps: Vec::new(),
            base: base.to_string(),
            note: Some(found.broken.in_words(&name(by), &name(user))),
            breaks: Vec::new(),
            since: 0,
            quiet: false,
        }
    }

    /// What others changed or removed that a proposed change uses: in the lines that it is about, or in its new text.
    pub(super) fn breaking_touches(
        &mut self,
        worktree: &WorktreeId,
        path: &RepoPath,
        change: &ProposedChange,
        pairs: &[Pair],
    ) -> Vec<Touch> {
        let Some(language) = Language::of(path) else {
            return Vec::new();
        };
        let Some(mut meaning) = self.meaning.take() else {
            return Vec::new();
        };
        let touches = self.breaking(&mut meaning, worktree, (path, language), change, pairs);
        self.meaning = Some(meaning);
        touches
    }

    fn breaking(
        &mut self,
        meaning: &mut Meaning,
        worktree: &WorktreeId,
        (path, language): (&RepoPath, Language),
        change: &ProposedChange,
        pairs: &[Pair],
    ) -> Vec<Touch> {
        let file = std::path::Path::new(&worktree.0).join(path.to_path());
        let text = std::fs::read(file).unwrap_or_default();
        let short = |text: &[u8]| text.len() <= LONGEST;
        let read = |text: &[u8]| short(text).then(|| Outline::read(language, text)).flatten();
        let Some(outline) = read(&text) else {
            return Vec::new();
        };
        let new_text = change.new_text.as_deref();
        let new_text = new_text.and_then(|text| read(text.as_bytes()));
        // Which names it can see is said where the file imports them.
        let new_text = new_text.map(|new| new.in_place_of_a_part(&outline));
        let lines: Vec<_> = change
            .lines
            .iter()
            .map(|lines| lines.start - 1..lines.end - 1)
            .collect();
        let mut touches = Vec::new();
        for (left, right, bases) in pairs {
            let other = match (left == worktree, right == worktree) {
                (true, _) => right,
                (_, true) => left,
                (false, false) => continue,
            };
            let Some(base) = bases.first() else { continue };
            let side = self.read_side(meaning, other, base);
            let mine = self.read_side(meaning, worktree, base);
            if side.waits || mine.waits {
                continue;
            }
            let changed = meaning.changed(&side);
            let by_name = by_name(&changed, &mine);
            let reader = User {
                path,
                language,
                outline: &outline,
            };
            let mut broken = match lines.is_empty() && new_text.is_some() {
                // The whole file gets a new text.
                true => Vec::new(),
                false => broken_by(&reader, &by_name, other, |line| {
                    lines.is_empty() || is_in(line, &lines)
                }),
            };
            if let Some(new) = &new_text {
                let reader = User {
                    path,
                    language,
                    outline: new,
                };
                let new = broken_by(&reader, &by_name, other, |_| true);
                // Lines of a text that is in no file yet.
                broken.extend(new.into_iter().map(|one| Break {
                    lines: Vec::new(),
                    ..one
                }));
            }
            let mut seen = HashSet::new();
            broken.retain(|one| seen.insert((one.path.clone(), one.name.clone())));
            for broken in broken.into_iter().take(TOLD) {
                touches.extend(self.touch_of(&side, other, broken));
            }
        }
        touches
    }

    fn touch_of(&mut self, side: &Side, other: &WorktreeId, broken: Break) -> Option<Touch> {
        let file = side.files.iter().find(|file| file.key == broken.path)?;
        let party = Party {
            worktree: other.clone(),
            path: file.effect.path.clone(),
            state: file.effect.now,
        };
        let hunks = self.hunks_of(file.effect.base, &party).unwrap_or_default();
        let line = broken.line.saturating_sub(1);
        let hunks = self.shown(
            &file.effect,
            &party,
            &hunks,
            Some(std::slice::from_ref(&(line..line + 1))),
        );
        let ranges = vec![LineRange {
            start: broken.line,
            end: broken.line + 1,
        }];
        Some(Touch {
            side: self.side(&party, kind(&file.effect, &file.key), ranges),
            lines: Vec::new(),
            severity: Severity::Breaks,
            hunks,
            breaks: vec![broken],
        })
    }
}

/// What is known of a content.
enum Reading {
    /// There is no file.
    Nothing,
    Waits,
    LeftOut,
    Known(Arc<Outline>),
}

impl Reading {
    fn known(self) -> Option<Arc<Outline>> {
        match self {
            Self::Known(outline) => Some(outline),
            Self::Nothing | Self::Waits | Self::LeftOut => None,
        }
    }
}

/// The changed definitions by their names; those left out that the side which may use them changed in the same way.
fn by_name<'a>(changed: &'a [Changed], side: &Side) -> HashMap<&'a str, Vec<&'a Changed>> {
    let mut found = HashMap::<_, Vec<_>>::new();
    for one in changed {
        let same = side.files.iter().any(|file| {
            let definitions = file.now.iter().flat_map(|now| &now.definitions);
            let mut now = definitions
                .filter(|now| (&now.name, &now.owner) == (&one.was.name, &one.was.owner))
                .map(|now| (&now.parameters, &now.result));
            let theirs = one.now.iter().map(|now| (&now.parameters, &now.result));
            file.key == one.path && now.by_ref().eq(theirs)
        });
        if !same {
            found.entry(one.was.name.as_str()).or_default().push(one);
        }
    }
    found
}

/// Says what breaks in the lines of a file that are wanted, from 0.
fn broken_by(
    reader: &User<'_>,
    by_name: &HashMap<&str, Vec<&Changed>>,
    by: &WorktreeId,
    wanted: impl Fn(u32) -> bool,
) -> Vec<Break> {
    let mut found: Vec<Break> = Vec::new();
    let mut known = HashMap::new();
    for used in reader.outline.uses.iter().filter(|used| wanted(used.line)) {
        let candidates = by_name.get(used.name.as_str());
        for changed in candidates.into_iter().flatten() {
            if !reader.means(used, changed) {
                continue;
            }
            let was = &changed.was;
            let at = *known
                .entry((&changed.path, &was.owner, &was.name))
                .or_insert_with(|| {
                    found.push(Break {
                        name: match &was.owner {
                            Some(owner) => format!("{owner}.{}", was.name),
                            None => was.name.clone(),
                        },
                        change: changed.change.clone(),
                        by: by.clone(),
                        path: changed.path.clone(),
                        line: was.line + 1,
                        lines: Vec::new(),
                    });
                    found.len() - 1
                });
            let lines = &mut found[at].lines;
            if lines.last() != Some(&(used.line + 1)) {
                lines.push(used.line + 1);
            }
        }
    }
    found
}

/// Says whether a line is in any of some ranges, in no order.
fn is_in(line: u32, lines: &[Range<u32>]) -> bool {
    lines.iter().any(|range| range.contains(&line))
}

/// Puts what breaks to what else is said of the file.
fn take_over(verdict: &mut Verdict, breaks: Vec<Break>) {
    let new = breaks
        .into_iter()
        .filter(|new| !verdict.breaks.contains(new));
    let new: Vec<_> = new.collect();
    verdict.breaks.extend(new);
    verdict.breaks.truncate(TOLD);
    if !verdict.breaks.is_empty() {
        verdict.severity = verdict.severity.max(Severity::Breaks);
        // Where lines meet, they say more.
        if verdict.severity == Severity::Breaks && verdict.note.is_none() {
            let name = |id: &WorktreeId| super::name(id);
            let (left, right) = (&verdict.left.worktree, &verdict.right.worktree);
            verdict.note = verdict.breaks.first().map(|first| {
                let user = if first.by == *left { right } else { left };
                first.in_words(&name(&first.by), &name(user))
            });
        }
    }
}
