//! Pure: which lines of a text another one replaces.
//!
//! A verdict promises what git's own merge would say, and where two changes meet depends on how each
//! was cut into hunks. So this is the same histogram search with the same ties as git's merge, over
//! whole files (the usual shortcut of first setting equal ends aside finds other hunks when lines
//! repeat), and the same rule for hunks that could lie higher or lower.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput, Token};

use crate::compare::{Hunk, Text};

/// Lines that occur more often than this do not anchor a match.
const RARE: u32 = 64;

/// Finds what turns `old` into `new`, by lines, in order; two hunks have an unchanged line between them.
pub(crate) fn diff(old: &Text<'_>, new: &Text<'_>) -> Vec<Hunk> {
    let input = InternedInput::new(old, new);
    let mut marks = Marks {
        old: vec![false; input.before.len()],
        new: vec![false; input.after.len()],
    };
    let mut search = Search {
        old: &input.before,
        new: &input.after,
        first: vec![NONE; input.interner.num_tokens() as usize],
        count: vec![0; input.interner.num_tokens() as usize],
        next: vec![NONE; input.before.len()],
        tokens: input.interner.num_tokens(),
    };
    search.run(&mut marks);
    settle(&input.before, &mut marks.old, &marks.new);
    settle(&input.after, &mut marks.new, &marks.old);
    marks.hunks()
}

const NONE: u32 = u32::MAX;

/// Which lines are not in the other text.
struct Marks {
    old: Vec<bool>,
    new: Vec<bool>,
}

impl Marks {
    fn hunks(&self) -> Vec<Hunk> {
        let mut hunks = Vec::new();
        let (mut o, mut n) = (0, 0);
        let run = |marks: &[bool], from: usize| {
            from + marks[from..].iter().take_while(|marked| **marked).count()
        };
        loop {
            let (old_end, new_end) = (run(&self.old, o), run(&self.new, n));
            if old_end > o || new_end > n {
                hunks.push(Hunk {
                    old: o as u32..old_end as u32,
                    new: n as u32..new_end as u32,
                });
            }
            if old_end == self.old.len() || new_end == self.new.len() {
                return hunks;
            }
            (o, n) = (old_end + 1, new_end + 1);
        }
    }
}

/// A run of equal lines: where it starts in both texts, and how long it is.
#[derive(Clone, Copy)]
struct Run {
    old: u32,
    new: u32,
    len: u32,
}

enum Anchor {
    /// The best run of equal lines.
    At(Run),
    /// No line occurs in both.
    Nothing,
    /// All lines in common are too frequent to anchor anything.
    Frequent,
}

struct Search<'a> {
    old: &'a [Token],
    new: &'a [Token],
    /// Per token: its first place in the piece of the old text at hand.
    first: Vec<u32>,
    /// Per token: how often it occurs there.
    count: Vec<u32>,
    /// Per line of the old text: the next place of the same token.
    next: Vec<u32>,
    tokens: u32,
}

impl Search<'_> {
    fn run(&mut self, marks: &mut Marks) {
        // An own stack: a text with thousands of hunks would recurse as deep.
        let mut work = vec![(0..self.old.len() as u32, 0..self.new.len() as u32)];
        while let Some((old, new)) = work.pop() {
            if old.is_empty() || new.is_empty() {
                mark(&mut marks.old, &old);
                mark(&mut marks.new, &new);
                continue;
            }
            match self.anchor(&old, &new) {
                Anchor::Nothing => {
                    mark(&mut marks.old, &old);
                    mark(&mut marks.new, &new);
                }
                Anchor::At(run) => {
                    work.push((run.old + run.len..old.end, run.new + run.len..new.end));
                    work.push((old.start..run.old, new.start..run.new));
                }
                Anchor::Frequent => {
                    let before = &self.old[old.start as usize..old.end as usize];
                    let after = &self.new[new.start as usize..new.end as usize];
                    let mut diff = Diff::default();
                    diff.compute_with(Algorithm::Myers, before, after, self.tokens);
                    for line in 0..before.len() {
                        marks.old[old.start as usize + line] = diff.is_removed(line as u32);
                    }
                    for line in 0..after.len() {
                        marks.new[new.start as usize + line] = diff.is_added(line as u32);
                    }
                }
            }
        }
    }

    fn anchor(&mut self, old: &Range<u32>, new: &Range<u32>) -> Anchor {
        for line in old.clone().rev() {
            let token = self.old[line as usize].0 as usize;
            self.next[line as usize] = self.first[token];
            self.first[token] = line;
            self.count[token] += 1;
        }
        let found = self.best(old, new);
        for line in old.clone() {
            let token = self.old[line as usize].0 as usize;
            self.first[token] = NONE;
            self.count[token] = 0;
        }
        found
    }

    /// Prefers the run whose rarest line is rarest, then the longest, then the first.
    fn best(&self, old: &Range<u32>, new: &Range<u32>) -> Anchor {
        let mut best: Option<Run> = None;
        let mut rarest = RARE + 1;
        let mut common = false;
        let mut at = new.start;
        while at < new.end {
            let token = self.new[at as usize].0 as usize;
            let mut go_on = at + 1;
            let mut place = self.first[token];
            common |= place != NONE;
            if self.count[token] > rarest {
                place = NONE;
            }
            while place != NONE {
                let (mut o, mut n) = (place, at);
                let mut rare = self.count[token];
                let weigh =
                    |rare: u32, line: u32| rare.min(self.count[self.old[line as usize].0 as usize]);
                while o > old.start && n > new.start && self.equal(o - 1, n - 1) {
                    (o, n) = (o - 1, n - 1);
                    rare = weigh(rare, o);
                }
                let (mut old_end, mut new_end) = (place + 1, at + 1);
                while old_end < old.end && new_end < new.end && self.equal(old_end, new_end) {
                    rare = weigh(rare, old_end);
                    (old_end, new_end) = (old_end + 1, new_end + 1);
                }
                go_on = go_on.max(new_end);
                let len = old_end - o;
                if len > best.map_or(1, |best| best.len) || rare < rarest {
                    best = Some(Run {
                        old: o,
                        new: n,
                        len,
                    });
                    rarest = rare;
                }
                while place != NONE && place < old_end {
                    place = self.next[place as usize];
                }
            }
            at = go_on;
        }
        match best {
            _ if common && rarest > RARE => Anchor::Frequent,
            Some(run) => Anchor::At(run),
            None => Anchor::Nothing,
        }
    }

    fn equal(&self, old: u32, new: u32) -> bool {
        self.old[old as usize] == self.new[new as usize]
    }
}

fn mark(marks: &mut [bool], lines: &Range<u32>) {
    marks[lines.start as usize..lines.end as usize].fill(true);
}

/// Lines that are marked between two that are not; may be empty.
#[derive(Clone)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn first(marks: &[bool]) -> Self {
        let end = marks.iter().take_while(|marked| **marked).count();
        Self { start: 0, end }
    }

    fn next(&mut self, marks: &[bool]) -> bool {
        if self.end >= marks.len() {
            return false;
        }
        self.start = self.end + 1;
        self.end = self.start
            + marks[self.start..]
                .iter()
                .take_while(|marked| **marked)
                .count();
        true
    }

    fn previous(&mut self, marks: &[bool]) -> bool {
        if self.start == 0 {
            return false;
        }
        self.end = self.start - 1;
        self.start = self.end
            - marks[..self.end]
                .iter()
                .rev()
                .take_while(|marked| **marked)
                .count();
        true
    }

    fn slide_up(&mut self, tokens: &[Token], marks: &mut [bool]) -> bool {
        if self.start == 0 || tokens[self.start - 1] != tokens[self.end - 1] {
            return false;
        }
        self.start -= 1;
        self.end -= 1;
        marks[self.start] = true;
        marks[self.end] = false;
        self.start -= marks[..self.start]
            .iter()
            .rev()
            .take_while(|marked| **marked)
            .count();
        true
    }

    fn slide_down(&mut self, tokens: &[Token], marks: &mut [bool]) -> bool {
        if self.end >= tokens.len() || tokens[self.start] != tokens[self.end] {
            return false;
        }
        marks[self.start] = false;
        marks[self.end] = true;
        self.start += 1;
        self.end += 1;
        self.end += marks[self.end..]
            .iter()
            .take_while(|marked| **marked)
            .count();
        true
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// Moves each group that could lie higher or lower: beside a change of the other text if it can reach
/// one, else as far down as it goes; groups that come to touch become one.
fn settle(tokens: &[Token], marks: &mut [bool], other: &[bool]) {
    let mut group = Group::first(marks);
    let mut beside = Group::first(other);
    loop {
        if !group.is_empty() {
            let mut highest_end;
            let mut reaches;
            loop {
                let size = group.end - group.start;
                reaches = false;
                while group.slide_up(tokens, marks) {
                    beside.previous(other);
                }
                highest_end = group.end;
                reaches |= !beside.is_empty();
                while group.slide_down(tokens, marks) {
                    beside.next(other);
                    reaches |= !beside.is_empty();
                }
                if size == group.end - group.start {
                    break;
                }
            }
            if group.end != highest_end && reaches {
                while beside.is_empty() && group.slide_up(tokens, marks) {
                    beside.previous(other);
                }
            }
        }
        if !group.next(marks) {
            return;
        }
        beside.next(other);
    }
}
