//! One block: where the pattern occurs in it, and in which lines.

use std::collections::VecDeque;

use memchr::{memchr, memchr_iter, memrchr};
use regex_automata::meta::Cache;
use unicode_width::UnicodeWidthChar;

use super::contract::{Match, Range};
use super::pattern::Pattern;
use crate::block::line_starts;
use crate::history::{Filter, Key, Kind, Scratch, Text};
use crate::types::{PaneId, Source};

/// So many bytes of a line are returned at most.
pub(super) const MAX_CONTENT: usize = 4096;
/// So many occurrences in a line.
const MAX_RANGES: usize = 200;
/// What is returned of a long line begins so many bytes before the first occurrence.
const LEAD: usize = 256;

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
    ranges: Vec<Range>,
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

    /// Counts the matching lines of a block, and cuts out `want` of them at most: the first in the search's
    /// order, of those behind the cursor.
    pub(super) fn scan(
        &mut self,
        block: &Text<'_>,
        filter: &Filter,
        after: &After,
        source: Source,
        want: usize,
        newest_first: bool,
    ) -> Found {
        let mut found = Found::default();
        let text = block.text;
        let wanted = filter.indices(block.kind, block.first, block.next);
        if wanted.is_empty() {
            return found;
        }
        let all = wanted.len() as u64 == block.next - block.first;
        let (from, to, mut line) = if all {
            (0, text.len(), 0)
        } else {
            let starts = line_starts(text, block.joins);
            let start = |index: usize| starts.get(index).map_or(text.len(), |at| *at as usize);
            (start(wanted.start), start(wanted.end), wanted.start)
        };
        let numbered = want > 0 || matches!(after, After::Key(_));
        let cheap = want == 0 && !numbered && self.pattern.never_empty() && block.joins.is_empty();
        let mut picked: VecDeque<(Key, usize, usize)> = VecDeque::new();
        let mut at = from;
        // Newlines are counted up to here; `line` is the line that begins there.
        let mut counted = from;
        while at < to {
            if cheap {
                let Some(end) = self.pattern.find_end(&mut self.cache, text, at, to) else {
                    break;
                };
                found.count += 1;
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
            if numbered {
                line += memchr_iter(b'\n', &text[counted..start]).count();
                line += joins_within(block.joins, counted, start);
                counted = start;
                let number = block.first + line as u64;
                let key = match block.kind {
                    Kind::Printed => Key::printed(number),
                    Kind::FullScreen => Key::full_screen(block.anchor, number),
                };
                let behind = match after {
                    After::All => true,
                    After::None => false,
                    After::Key(cursor) if newest_first => key < *cursor,
                    After::Key(cursor) => key > *cursor,
                };
                if behind {
                    found.behind += 1;
                    if newest_first {
                        picked.push_back((key, start, hit.start()));
                        if picked.len() > want {
                            picked.pop_front();
                        }
                    } else if picked.len() < want {
                        picked.push_back((key, start, hit.start()));
                    }
                }
            }
            at = if text.get(end) == Some(&b'\n') {
                end + 1
            } else {
                end
            };
        }
        if !numbered {
            found.behind = match after {
                After::None => 0,
                _ => found.count,
            };
        }
        if newest_first {
            picked.make_contiguous().reverse();
        }
        found.hits = picked
            .into_iter()
            .map(|(key, start, first)| self.cut(block, key, source, start, first))
            .collect();
        found
    }

    /// Cuts a line out, with the places where the pattern occurs; the first is known.
    fn cut(
        &mut self,
        block: &Text<'_>,
        key: Key,
        source: Source,
        start: usize,
        first: usize,
    ) -> Hit {
        let text = block.text;
        let (_, end) = line_around(text, block.joins, start);
        let mut places = Vec::new();
        let mut at = first;
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
        let (content, ranges) = measure(&line, &places);
        Hit {
            key,
            content,
            ranges,
            source,
        }
    }
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

/// A line's text as it is returned, and the places in it, counted as the page and the screen count.
fn measure(line: &str, places: &[(usize, usize)]) -> (String, Vec<Range>) {
    let (from, to) = if line.len() <= MAX_CONTENT {
        (0, line.len())
    } else {
        let first = places.first().map_or(0, |place| place.0);
        let from = line.floor_char_boundary(first.saturating_sub(LEAD));
        (from, line.floor_char_boundary(from + MAX_CONTENT))
    };
    let mut content = String::with_capacity(to - from + 6);
    if from > 0 {
        content.push('…');
    }
    content.push_str(&line[from..to]);
    if to < line.len() {
        content.push('…');
    }
    let mut ranges = Vec::with_capacity(places.len());
    let (mut at, mut col) = (0, 0);
    let mut units = 0;
    let mut advance = |until: usize| {
        for c in line[at..until].chars() {
            if at >= from {
                units += c.len_utf16() as u32;
            }
            at += c.len_utf8();
            col += c.width().unwrap_or(0) as u32;
        }
        (units + u32::from(from > 0), col)
    };
    for (start, end) in places {
        if *start >= to {
            break;
        }
        let (start, start_col) = advance(*start);
        let (end, end_col) = advance((*end).min(to));
        ranges.push(Range {
            start,
            end,
            start_col,
            end_col,
        });
    }
    (content, ranges)
}
