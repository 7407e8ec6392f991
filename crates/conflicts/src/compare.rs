//! Pure: two changes of one text in, a severity, the lines where they meet, and the merge of both out.
//!
//! Positions are those of the merge base, so an insertion above shifts nothing. The merge follows the
//! rules of git's own: changes that overlap or touch conflict unless they come to the same text.

#[cfg(test)]
mod severity;

use std::ops::Range;

use imara_diff::TokenSource;

use crate::types::{HunkRow, HunkView, LineRange, RowChange, Severity};

/// Changes this far apart, in lines, are still neighbours.
const ADJACENT: u32 = 5;

/// Lines of context around a hunk that is shown.
const CONTEXT: u32 = 3;

/// One replaced piece: lines of the old text, lines of the new one; from 0, the end not included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// In the merge base.
    pub(crate) old: Range<u32>,
    /// In the changed text.
    pub(crate) new: Range<u32>,
}

impl Hunk {
    /// Stands for a change of which only the replaced lines are known.
    pub(crate) fn at(range: &LineRange) -> Self {
        Self {
            old: range.start - 1..range.end - 1,
            new: 0..0,
        }
    }

    /// Stands for some lines, from 0.
    pub(crate) fn over(lines: &Range<u32>) -> Self {
        Self {
            old: lines.clone(),
            new: 0..0,
        }
    }

    /// Gives the replaced lines of the merge base as people count them.
    pub(crate) fn range(&self) -> LineRange {
        LineRange {
            start: self.old.start + 1,
            end: self.old.end + 1,
        }
    }
}

/// A text, and where its lines start.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    bytes: &'a [u8],
    /// The start of each line, and the end of the text.
    starts: Vec<u32>,
}

impl<'a> Text<'a> {
    /// Finds the lines of `bytes`. A line keeps its line feed; the last one may lack it.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(
            bytes
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(at, _)| at as u32 + 1),
        );
        if *starts.last().unwrap_or(&0) as usize != bytes.len() {
            starts.push(bytes.len() as u32);
        }
        Self { bytes, starts }
    }

    /// Counts the lines.
    pub(crate) fn lines(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    /// Gives the bytes of some lines; what lies behind the end is left out.
    pub(crate) fn slice(&self, lines: &Range<u32>) -> &'a [u8] {
        let at = |line: u32| self.starts[line.min(self.lines()) as usize] as usize;
        &self.bytes[at(lines.start)..at(lines.end).max(at(lines.start))]
    }
}

impl<'a> TokenSource for &Text<'a> {
    type Token = &'a [u8];
    type Tokenizer = std::vec::IntoIter<&'a [u8]>;

    fn tokenize(&self) -> Self::Tokenizer {
        let lines: Vec<_> = (0..self.lines())
            .map(|line| self.slice(&(line..line + 1)))
            .collect();
        lines.into_iter()
    }

    fn estimate_tokens(&self) -> u32 {
        self.lines()
    }
}

/// Says whether git would treat this content as binary: a NUL within its first 8,000 bytes.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8000)].contains(&0)
}

/// A changed text: what it is now, and how it came from the merge base.
#[derive(Debug, Clone)]
pub(crate) struct Changed<'a> {
    /// The text as it is now.
    pub(crate) text: Text<'a>,
    /// The way there from the merge base.
    pub(crate) hunks: &'a [Hunk],
}

/// What comes of two changes of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// How near they are; the same change on both sides does not count.
    pub(crate) severity: Severity,
    /// Whether a merge stops.
    pub(crate) would_conflict: bool,
    /// Where they overlap or touch.
    pub(crate) overlaps: Vec<LineRange>,
}

/// A piece of a merge, in the order of the merge base.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    base: Range<u32>,
    left: Range<u32>,
    right: Range<u32>,
    of: PieceOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PieceOf {
    /// Only the left changed it.
    Left,
    /// Only the right changed it.
    Right,
    /// Both changed it in the same way.
    Shared,
    /// Both changed it, with different hunks that overlap or touch.
    Meeting,
}

/// Compares two changes of one text.
pub(crate) fn compare(left: &Changed<'_>, right: &Changed<'_>) -> Comparison {
    let pieces = pieces(left, right);
    let mut severity = Severity::Identical;
    let mut would_conflict = false;
    let mut overlaps = Vec::new();
    let mut last: Option<(PieceOf, u32)> = None;
    for piece in &pieces {
        match piece.of {
            PieceOf::Shared => continue,
            PieceOf::Meeting => {
                severity = Severity::SameLine;
                would_conflict |= left.text.slice(&piece.left) != right.text.slice(&piece.right);
                overlaps.push(LineRange {
                    start: piece.base.start + 1,
                    end: piece.base.end + 1,
                });
            }
            side => {
                let other = match side {
                    PieceOf::Left => PieceOf::Right,
                    _ => PieceOf::Left,
                };
                // The nearest change of the other side before this one is the last one met: pieces
                // are in order, and a piece of this side in between would be nearer to it.
                if let Some((of, end)) = last
                    && (of == other || of == PieceOf::Meeting)
                {
                    let near = piece.base.start - end <= ADJACENT;
                    severity = severity.max(if near {
                        Severity::AdjacentLine
                    } else {
                        Severity::DifferentArea
                    });
                } else {
                    severity = severity.max(Severity::DifferentArea);
                }
            }
        }
        last = Some((piece.of, piece.base.end));
    }
    Comparison {
        severity,
        would_conflict,
        overlaps,
    }
}

/// Says how near some lines of the merge base are to the hunks of another side.
pub(crate) fn nearness(lines: &Range<u32>, hunks: &[Hunk]) -> Option<Severity> {
    let gap = |hunk: &Hunk| {
        hunk.old
            .start
            .saturating_sub(lines.end)
            .max(lines.start.saturating_sub(hunk.old.end))
    };
    hunks.iter().map(gap).min().map(of_gap)
}

fn of_gap(gap: u32) -> Severity {
    match gap {
        0 => Severity::SameLine,
        1..=ADJACENT => Severity::AdjacentLine,
        _ => Severity::DifferentArea,
    }
}

/// Finds the lines of the merge base that some lines of the changed text come from.
///
/// Lines that a hunk wrote stand for all that the hunk replaced.
pub(crate) fn to_base(lines: &Range<u32>, hunks: &[Hunk]) -> Range<u32> {
    let mut shift: i64 = 0;
    let mut start = None;
    let mut end = None;
    for hunk in hunks {
        if start.is_none() && lines.start < hunk.new.end.max(hunk.new.start) {
            start = Some(if lines.start >= hunk.new.start {
                hunk.old.start
            } else {
                (i64::from(lines.start) + shift) as u32
            });
        }
        if end.is_none() && lines.end <= hunk.new.start {
            end = Some((i64::from(lines.end) + shift) as u32);
        } else if end.is_none() && lines.end <= hunk.new.end {
            end = Some(hunk.old.end);
        }
        shift = i64::from(hunk.old.end) - i64::from(hunk.new.end);
    }
    let start = start.unwrap_or((i64::from(lines.start) + shift).max(0) as u32);
    let end = end.unwrap_or((i64::from(lines.end) + shift).max(0) as u32);
    start..end.max(start)
}

/// Finds the lines of the changed text that some lines of the merge base became: [`to_base`] the other way round.
pub(crate) fn from_base(lines: &Range<u32>, hunks: &[Hunk]) -> Range<u32> {
    let back: Vec<_> = hunks
        .iter()
        .map(|hunk| Hunk {
            old: hunk.new.clone(),
            new: hunk.old.clone(),
        })
        .collect();
    to_base(lines, &back)
}

/// Merges two changes of one text, with the markers that git writes where it stops.
pub(crate) fn merge(
    base: &Text<'_>,
    left: &Changed<'_>,
    right: &Changed<'_>,
    names: [&str; 2],
) -> Vec<u8> {
    let mut merged = Vec::new();
    let mut at = 0;
    for piece in pieces(left, right) {
        merged.extend_from_slice(base.slice(&(at..piece.base.start)));
        at = piece.base.end;
        let (ours, theirs) = (left.text.slice(&piece.left), right.text.slice(&piece.right));
        match piece.of {
            PieceOf::Left | PieceOf::Shared => merged.extend_from_slice(ours),
            PieceOf::Right => merged.extend_from_slice(theirs),
            PieceOf::Meeting if ours == theirs => merged.extend_from_slice(ours),
            PieceOf::Meeting => {
                for (mark, part) in [
                    (format!("<<<<<<< {}\n", names[0]), ours),
                    ("=======\n".to_owned(), theirs),
                ] {
                    merged.extend_from_slice(mark.as_bytes());
                    merged.extend_from_slice(part);
                    if !part.is_empty() && !part.ends_with(b"\n") {
                        merged.push(b'\n');
                    }
                }
                merged.extend_from_slice(format!(">>>>>>> {}\n", names[1]).as_bytes());
            }
        }
    }
    merged.extend_from_slice(base.slice(&(at..base.lines())));
    merged
}

/// Walks both changes in the order of the merge base and joins what overlaps or touches.
fn pieces(left: &Changed<'_>, right: &Changed<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut l, mut r) = (0, 0);
    // How far each side's lines are from those of the merge base behind the hunks walked so far.
    let (mut left_shift, mut right_shift) = (0_i64, 0_i64);
    let shifted = |range: &Range<u32>, by: i64| {
        (i64::from(range.start) + by) as u32..(i64::from(range.end) + by) as u32
    };
    let shift_of = |hunk: &Hunk| i64::from(hunk.new.end) - i64::from(hunk.old.end);
    loop {
        let (a, b) = (left.hunks.get(l), right.hunks.get(r));
        let (a, b) = match (a, b) {
            (None, None) => return pieces,
            (Some(a), b) if b.is_none_or(|b| a.old.end < b.old.start) => {
                pieces.push(Piece {
                    base: a.old.clone(),
                    left: a.new.clone(),
                    right: shifted(&a.old, right_shift),
                    of: PieceOf::Left,
                });
                left_shift = shift_of(a);
                l += 1;
                continue;
            }
            (a, Some(b)) if a.is_none_or(|a| b.old.end < a.old.start) => {
                pieces.push(Piece {
                    base: b.old.clone(),
                    left: shifted(&b.old, left_shift),
                    right: b.new.clone(),
                    of: PieceOf::Right,
                });
                right_shift = shift_of(b);
                r += 1;
                continue;
            }
            (Some(a), Some(b)) => (a, b),
            (Some(_), None) | (None, Some(_)) => return pieces,
        };
        if a.old == b.old && left.text.slice(&a.new) == right.text.slice(&b.new) {
            pieces.push(Piece {
                base: a.old.clone(),
                left: a.new.clone(),
                right: b.new.clone(),
                of: PieceOf::Shared,
            });
            (left_shift, right_shift) = (shift_of(a), shift_of(b));
            (l, r) = (l + 1, r + 1);
            continue;
        }
        let (first_a, first_b) = (a, b);
        let (mut last_a, mut last_b) = (a, b);
        loop {
            // Whichever ends first is done; its successor may still meet the other one.
            let next_a = left.hunks.get(l + 1).filter(|next| {
                last_a.old.end <= last_b.old.end && next.old.start <= last_b.old.end
            });
            let next_b = right.hunks.get(r + 1).filter(|next| {
                last_b.old.end <= last_a.old.end && next.old.start <= last_a.old.end
            });
            match (next_a, next_b) {
                (Some(next), _) => {
                    last_a = next;
                    l += 1;
                }
                (None, Some(next)) => {
                    last_b = next;
                    r += 1;
                }
                (None, None) => break,
            }
        }
        let base = first_a.old.start.min(first_b.old.start)..last_a.old.end.max(last_b.old.end);
        let side = |first: &Hunk, last: &Hunk| {
            first.new.start - (first.old.start - base.start)
                ..last.new.end + (base.end - last.old.end)
        };
        pieces.push(Piece {
            left: side(first_a, last_a),
            right: side(first_b, last_b),
            base,
            of: PieceOf::Meeting,
        });
        (left_shift, right_shift) = (shift_of(last_a), shift_of(last_b));
        (l, r) = (l + 1, r + 1);
    }
}

/// Shows each hunk of one side with a few lines around it, and marks those that meet the other side's.
pub(crate) fn views(base: &Text<'_>, side: &Changed<'_>, other: &[Hunk]) -> Vec<HunkView> {
    let line = |text: &Text<'_>, at: u32| {
        let mut bytes = text.slice(&(at..at + 1));
        bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        String::from_utf8_lossy(bytes).into_owned()
    };
    let view = |(at, hunk): (usize, &Hunk)| {
        // Context stops at the neighbours: their lines are not the same on both sides.
        let floor = at
            .checked_sub(1)
            .map_or(0, |before| side.hunks[before].old.end);
        let ceiling = side
            .hunks
            .get(at + 1)
            .map_or(base.lines(), |next| next.old.start);
        let shift = i64::from(hunk.new.start) - i64::from(hunk.old.start);
        let same = |at: u32, shift: i64| HunkRow {
            change: RowChange::Same,
            base_line: Some(at + 1),
            line: Some((i64::from(at) + shift) as u32 + 1),
            text: line(base, at),
        };
        let mut rows: Vec<_> = (hunk.old.start.saturating_sub(CONTEXT).max(floor)..hunk.old.start)
            .map(|at| same(at, shift))
            .collect();
        rows.extend(hunk.old.clone().map(|at| HunkRow {
            change: RowChange::Removed,
            base_line: Some(at + 1),
            line: None,
            text: line(base, at),
        }));
        rows.extend(hunk.new.clone().map(|at| HunkRow {
            change: RowChange::Added,
            base_line: None,
            line: Some(at + 1),
            text: line(&side.text, at),
        }));
        let after = i64::from(hunk.new.end) - i64::from(hunk.old.end);
        rows.extend(
            (hunk.old.end..(hunk.old.end + CONTEXT).min(ceiling)).map(|at| same(at, after)),
        );
        HunkView {
            base: hunk.range(),
            meets: nearness(&hunk.old, other) == Some(Severity::SameLine),
            rows,
        }
    };
    side.hunks.iter().enumerate().map(view).collect()
}

/// Estimates how much of `old` lives on in `new`, from 0 to 1, as git does to tell a rename.
pub(crate) fn similarity(old: &[u8], new: &[u8]) -> f64 {
    fn weigh(bytes: &[u8]) -> std::collections::HashMap<&[u8], u64> {
        let mut weights = std::collections::HashMap::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in line.chunks(64) {
                *weights.entry(piece).or_insert(0) += piece.len() as u64;
            }
        }
        weights
    }
    let longer = old.len().max(new.len());
    if longer == 0 {
        return 1.0;
    }
    let new = weigh(new);
    let kept: u64 = weigh(old)
        .into_iter()
        .map(|(piece, weight)| weight.min(new.get(piece).copied().unwrap_or(0)))
        .sum();
    kept as f64 / longer as f64
}
