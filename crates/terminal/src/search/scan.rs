//! One block: where the pattern occurs in it, and in which lines.

use std::collections::VecDeque;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};
use regex_automata::meta::Cache;
use unicode_width::UnicodeWidthChar;

use super::contract::{self, Match};
use crate::block::line_starts;
use crate::history::{Filter, Key, Kind, Scratch, Text};
use crate::types::{Line, PaneId, Source};
use pattern::{Excerpt, Pattern};

/// So many occurrences in a line.
const MAX_RANGES: usize = 200;
/// A match from one block into the next is found when it has so many bytes at most in each.
const ACROSS: usize = 64 * 1024;

/// Which matches are behind the cursor.
#[derive(Debug, Clone, Copy)]
pub(super) enum After {
    All,
    None,
    /// Those behind this one, in the search's order.
    Key(Key),
}

/// A matching line, cut out.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) key: Key,
    content: String,
    ranges: Vec<contract::Range>,
    source: Source,
}

impl Hit {
    pub(super) fn into_match(self, pane: PaneId) -> Match {
        Match {
            pane,
            line: self.key.id(),
            line_number: self.key.anchor + 1,
            content: self.content,
            ranges: self.ranges,
            context_before: Vec::new(),
            context_after: Vec::new(),
            source: self.source,
            full_screen: self.key.kind == Kind::FullScreen,
        }
    }
}

/// What is looked for in a block.
pub(super) struct Looking<'a> {
    pub(super) filter: &'a Filter,
    pub(super) after: &'a After,
    pub(super) source: Source,
    /// How many lines are cut out at most.
    pub(super) want: usize,
    pub(super) newest_first: bool,
}

/// What was found in one block.
#[derive(Default)]
pub(super) struct Found {
    pub(super) count: u64,
    pub(super) behind: u64,
    pub(super) hits: Vec<Hit>,
}

/// What one thread needs to search block after block.
pub(super) struct Scanner<'a> {
    pattern: &'a Pattern,
    cache: Cache,
    scratch: Scratch,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(pattern: &'a Pattern) -> Self {
        Self {
            pattern,
            cache: pattern.cache(),
            scratch: Scratch::default(),
        }
    }

    pub(super) fn take_scratch(&mut self) -> Scratch {
        std::mem::take(&mut self.scratch)
    }

    pub(super) fn put_scratch(&mut self, scratch: Scratch) {
        self.scratch = scratch;
    }

    /// Counts the matching lines of a block, and cuts out those that are wanted: the first in the search's order, of
    /// those behind the cursor.
    ///
    /// `next` tells the line behind the block, in which its last one goes on; it is asked when there is such a line.
    pub(super) fn scan(
        &mut self,
        block: &Text<'_>,
        looking: &Looking<'_>,
        next: impl FnOnce() -> Option<Line>,
    ) -> Found {
        let mut found = Found::default();
        let text = block.text;
        let wanted = looking.filter.indices(block.kind, block.first, block.next);
        if wanted.is_empty() {
            return found;
        }
        let all = wanted.len() as u64 == block.next - block.first;
        let (from, to, first) = if all {
            (0, text.len(), 0)
        } else {
            let starts = line_starts(text, block.joins);
            let start = |index: usize| starts.get(index).map_or(text.len(), |at| *at as usize);
            (start(wanted.start), start(wanted.end), wanted.start)
        };
        let numbered = looking.want > 0 || matches!(looking.after, After::Key(_));
        let cheap = !numbered && self.pattern.never_empty() && block.joins.is_empty();
        let mut picked = Picked {
            looking,
            behind: 0,
            lines: VecDeque::new(),
        };
        let mut at = from;
        // Newlines are counted up to here; `line` is the line that begins there.
        let (mut counted, mut line) = (from, first);
        // A place in the last line that matched.
        let mut last = None;
        while at < to {
            if cheap {
                let Some(end) = self.pattern.find_end(&mut self.cache, text, at, to) else {
                    break;
                };
                found.count += 1;
                last = Some(end - 1);
                // A match is never empty, so its last byte is in its line.
                at = memchr(b'\n', &text[end - 1..to]).map_or(to, |next| end + next);
                continue;
            }
            let Some(hit) = self.pattern.find(&mut self.cache, text, at, to) else {
                break;
            };
            let (start, end) = line_around(text, block.joins, hit.start());
            let end = end.min(to);
            found.count += 1;
            last = Some(hit.start());
            if numbered {
                line += memchr_iter(b'\n', &text[counted..start]).count();
                line += joins_within(block.joins, counted, start);
                counted = start;
                picked.add(block.key(line), start, hit.range());
            }
            at = if text.get(end) == Some(&b'\n') {
                end + 1
            } else {
                end
            };
        }
        if to > from
            && text[to - 1] != b'\n'
            && let (start, _) = line_around(text, block.joins, to - 1)
            && last.is_none_or(|last| last < start)
        {
            // It goes on in a line that is not wanted here, or in another block.
            let behind = if to < text.len() {
                Some(text[to..line_around(text, block.joins, to).1].to_vec())
            } else {
                next().map(|line| line.text.into_bytes())
            };
            if let Some(behind) = behind
                && let Some(begins) = self.find_across(&text[..to], start, &behind)
            {
                found.count += 1;
                if numbered {
                    picked.add(block.key(wanted.end - 1), start, begins..to);
                }
            }
        }
        found.behind = match looking.after {
            After::None => 0,
            _ if numbered => picked.behind,
            _ => found.count,
        };
        if looking.newest_first {
            picked.lines.make_contiguous().reverse();
        }
        found.hits = picked
            .lines
            .into_iter()
            .map(|(key, start, place)| self.cut(block, key, looking.source, start, place))
            .collect();
        found
    }

    /// Where a match begins that goes on from the last line of `text`, which begins at `start`, into `next`.
    fn find_across(&mut self, text: &[u8], start: usize, next: &[u8]) -> Option<usize> {
        let from = character_start(text, start.max(text.len().saturating_sub(ACROSS)));
        let to = character_start(next, next.len().min(ACROSS));
        // What a pattern asks of the characters around a match is there as well.
        let lead = character_start(text, from.saturating_sub(4));
        let trail = (to + 4).min(next.len());
        let mut seam = text[lead..].to_vec();
        let border = seam.len();
        seam.extend_from_slice(&next[..trail]);
        let mut at = from - lead;
        while at < border
            && let Some(hit) = self.pattern.find(&mut self.cache, &seam, at, border + to)
            && hit.start() < border
        {
            if hit.end() > border {
                return Some(lead + hit.start());
            }
            // Seen alone, the line seemed to go on otherwise.
            at = hit.end();
        }
        None
    }

    /// Cuts a line out, with the places where the pattern occurs; the first is known.
    fn cut(
        &mut self,
        block: &Text<'_>,
        key: Key,
        source: Source,
        start: usize,
        first: Range<usize>,
    ) -> Hit {
        let text = block.text;
        let (_, end) = line_around(text, block.joins, start);
        let mut places = vec![(first.start - start, first.end.min(end) - start)];
        let mut at = first.end;
        // What is found may go on in the next piece of a line that was kept in pieces.
        while at < end
            && places.len() < MAX_RANGES
            && let Some(found) = self.pattern.find(&mut self.cache, text, at, text.len())
            && found.start() < end
        {
            places.push((found.start() - start, found.end().min(end) - start));
            at = found.end();
        }
        let line = String::from_utf8_lossy(&text[start..end]);
        let excerpt = Excerpt::new(&line, &places);
        Hit {
            key,
            ranges: ranges(&line, &places, &excerpt),
            content: excerpt.content,
            source,
        }
    }
}

/// The matching lines that are to be cut out of a block.
struct Picked<'a> {
    looking: &'a Looking<'a>,
    behind: u64,
    /// Which line, where it begins in the text, and where the first match in it is.
    lines: VecDeque<(Key, usize, Range<usize>)>,
}

impl Picked<'_> {
    fn add(&mut self, key: Key, start: usize, place: Range<usize>) {
        let newest_first = self.looking.newest_first;
        let behind = match self.looking.after {
            After::All => true,
            After::None => false,
            After::Key(cursor) if newest_first => key < *cursor,
            After::Key(cursor) => key > *cursor,
        };
        if !behind {
            return;
        }
        self.behind += 1;
        if newest_first {
            self.lines.push_back((key, start, place));
            if self.lines.len() > self.looking.want {
                self.lines.pop_front();
            }
        } else if self.lines.len() < self.looking.want {
            self.lines.push_back((key, start, place));
        }
    }
}

/// The first byte of the character that has the byte at `at`.
fn character_start(text: &[u8], mut at: usize) -> usize {
    while at > 0 && text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) {
        at -= 1;
    }
    at
}

/// The line that holds the byte at `at`, without its newline.
fn line_around(text: &[u8], joins: &[u32], at: usize) -> (usize, usize) {
    let mut start = memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let mut end = memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline);
    if !joins.is_empty() {
        let next = joins.partition_point(|join| *join as usize <= at);
        if let Some(join) = next.checked_sub(1) {
            start = start.max(joins[join] as usize);
        }
        if let Some(join) = joins.get(next) {
            end = end.min(*join as usize);
        }
    }
    (start, end)
}

/// How many lines without a newline before them begin behind `from` and up to `to`.
fn joins_within(joins: &[u32], from: usize, to: usize) -> usize {
    if joins.is_empty() {
        return 0;
    }
    let before = joins.partition_point(|join| *join as usize <= from);
    let through = joins.partition_point(|join| *join as usize <= to);
    through.saturating_sub(before)
}

/// Where in a line something was found: as the page counts, from its excerpt, and in columns, as the screen counts.
fn ranges(line: &str, places: &[(usize, usize)], excerpt: &Excerpt) -> Vec<contract::Range> {
    let (mut at, mut col) = (0, 0);
    let mut advance = |until: usize| {
        let text = &line[at..until];
        col += text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() as u32;
        at = until;
        col
    };
    let found = excerpt.ranges.iter().zip(places);
    found
        .map(|(&(start, end), place)| contract::Range {
            start,
            end,
            start_col: advance(place.0),
            end_col: advance(place.1),
        })
        .collect()
}
