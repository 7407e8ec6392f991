//! A stretch of consecutive lines as one contiguous text: what the ring is made of and what a search runs over.
//!
//! Every line is followed by a newline, except one that goes on in the next: so a match may cover the pieces
//! of a line that was too long to be kept in one piece, and never two lines.

mod packed;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::styled::{Link, LinkRun, Style, StyleRun, StyledLine};

/// A block keeps no more bytes of links than this: text is what it is for.
const MAX_LINKS: usize = 64 * 1024;

/// Consecutive lines, their text contiguous, their styles beside it and only where there are any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    first: u64,
    text: String,
    /// Where each line starts in `text`.
    starts: Vec<u32>,
    /// Where styles start in `text`, ascending; a line begins with the default style.
    run_starts: Vec<u32>,
    /// For each of `run_starts`, its style as an index into `palette`.
    run_styles: Vec<u16>,
    palette: Vec<Style>,
    /// Where each style is in `palette`, while the block grows.
    known: HashMap<Style, u16>,
    /// Few blocks have any.
    links: Option<Box<Links>>,
}

/// The links of a block.
#[derive(Debug, Clone, Default)]
struct Links {
    /// Where they are in the text, ascending; the index is one into `targets`.
    runs: Vec<(u32, u32, u16)>,
    targets: Vec<Arc<Link>>,
    /// The bytes of `targets`.
    bytes: usize,
}

impl Links {
    fn push(&mut self, start: u32, end: u32, link: &Arc<Link>) {
        // The newest is the likeliest: a line's links follow one another.
        let known = self
            .targets
            .iter()
            .rev()
            .take(16)
            .position(|known| known == link);
        let index = match known {
            Some(back) => self.targets.len() - 1 - back,
            None => {
                let bytes = size_of::<Link>() + link.id.len() + link.target.len();
                if self.bytes + bytes > MAX_LINKS || self.targets.len() > usize::from(u16::MAX) {
                    return;
                }
                self.bytes += bytes;
                self.targets.push(Arc::clone(link));
                self.targets.len() - 1
            }
        };
        self.runs.push((start, end, index as u16));
    }

    fn within(&self, range: &Range<usize>) -> Vec<LinkRun> {
        let (from, to) = (range.start as u32, range.end as u32);
        let first = self.runs.partition_point(|(start, ..)| *start < from);
        self.runs[first..]
            .iter()
            .take_while(|(start, ..)| *start < to)
            .map(|(start, end, index)| LinkRun {
                start: start - from,
                end: end - from,
                link: Arc::clone(&self.targets[usize::from(*index)]),
            })
            .collect()
    }

    fn memory(&self) -> usize {
        size_of::<Self>()
            + self.bytes
            + self.runs.capacity() * size_of::<(u32, u32, u16)>()
            + self.targets.capacity() * size_of::<Arc<Link>>()
    }
}

impl Block {
    /// An empty block whose first line will have the number `first`.
    pub(crate) fn new(first: u64) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    /// Appends a line with its styles and its links.
    pub(crate) fn push(&mut self, line: &StyledLine) {
        let start = self.push_unlinked(line);
        if !line.links.is_empty() {
            let links = self.links.get_or_insert_default();
            for run in &line.links {
                links.push(start + run.start, start + run.end, &run.link);
            }
        }
    }

    /// Appends a line with its styles.
    pub(crate) fn push_unlinked(&mut self, line: &StyledLine) -> u32 {
        let start = self.push_text(&line.text, line.continues);
        for run in &line.runs {
            if (run.start as usize) < line.text.len() {
                let style = self.style_index(run.style);
                self.run_starts.push(start + run.start);
                self.run_styles.push(style);
            }
        }
        start
    }

    /// Appends a plain line.
    pub(crate) fn push_text(&mut self, text: &str, continues: bool) -> u32 {
        let start = self.text.len() as u32;
        self.starts.push(start);
        if memchr::memchr(b'\n', text.as_bytes()).is_some() {
            // A newline ends a line, so no line holds one; should one arrive, the block must stay in step.
            self.text.push_str(&text.replace('\n', " "));
        } else {
            self.text.push_str(text);
        }
        if !continues {
            self.text.push('\n');
        }
        start
    }

    fn style_index(&mut self, style: Style) -> u16 {
        if let Some(index) = self.known.get(&style) {
            return *index;
        }
        if self.palette.len() > usize::from(u16::MAX) {
            return 0;
        }
        let index = self.palette.len() as u16;
        self.palette.push(style);
        self.known.insert(style, index);
        index
    }

    /// Gives back the memory that was kept for lines to come.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.starts.shrink_to_fit();
        self.run_starts.shrink_to_fit();
        self.run_styles.shrink_to_fit();
        self.palette.shrink_to_fit();
        self.known = HashMap::new();
        if let Some(links) = &mut self.links {
            links.runs.shrink_to_fit();
            links.targets.shrink_to_fit();
        }
    }

    /// The number of the first line.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number of the line after the last.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.starts.len() as u64
    }

    pub(crate) fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// All lines, each followed by a newline unless it continues.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where the line at `index` starts, or the text ends.
    pub(crate) fn start_of(&self, index: usize) -> usize {
        self.starts
            .get(index)
            .map_or(self.text.len(), |start| *start as usize)
    }

    /// Where the text of the line at `index` is, without its newline.
    pub(crate) fn range(&self, index: usize) -> Range<usize> {
        let start = self.start_of(index);
        let end = self.start_of(index + 1);
        if end > start && self.text.as_bytes()[end - 1] == b'\n' {
            start..end - 1
        } else {
            start..end
        }
    }

    /// Whether the line at `index` goes on in the next.
    pub(crate) fn continues(&self, index: usize) -> bool {
        self.range(index).end == self.start_of(index + 1)
    }

    /// The text of the line at `index`.
    pub(crate) fn line(&self, index: usize) -> &str {
        &self.text[self.range(index)]
    }

    /// The line at `index` with its styles.
    pub(crate) fn styled(&self, index: usize) -> StyledLine {
        let range = self.range(index);
        let from = self
            .run_starts
            .partition_point(|start| (*start as usize) < range.start);
        let to = self
            .run_starts
            .partition_point(|start| (*start as usize) < range.end);
        StyledLine {
            text: self.text[range.clone()].to_owned(),
            runs: (from..to)
                .map(|run| StyleRun {
                    start: self.run_starts[run] - range.start as u32,
                    style: self.palette[usize::from(self.run_styles[run])],
                })
                .collect(),
            links: self
                .links
                .as_ref()
                .map_or_else(Vec::new, |links| links.within(&range)),
            full_screen: false,
            continues: self.continues(index),
        }
    }

    /// The bytes that the block occupies.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>()
            + self.text.capacity()
            + self.starts.capacity() * size_of::<u32>()
            + self.run_starts.capacity() * size_of::<u32>()
            + self.run_styles.capacity() * size_of::<u16>()
            + self.palette.capacity() * size_of::<Style>()
            + self.known.capacity() * size_of::<(Style, u16)>()
            + self.links.as_ref().map_or(0, |links| links.memory())
    }

    /// Makes a block of text that was written down: `joins` are the starts of lines that no newline precedes.
    pub(crate) fn from_text(first: u64, text: Cow<'_, str>, joins: &[u32]) -> Self {
        let text = text.into_owned();
        let starts = line_starts(text.as_bytes(), joins);
        Self {
            first,
            text,
            starts,
            ..Self::default()
        }
    }

    /// The starts of the lines that no newline precedes, as [`Block::from_text`] takes them.
    pub(crate) fn joins(&self) -> Vec<u32> {
        (1..self.line_count())
            .filter(|index| self.continues(index - 1))
            .map(|index| self.starts[index])
            .collect()
    }
}

/// Where the lines of a block's text start; `joins` are the starts of lines that no newline precedes.
pub(crate) fn line_starts(text: &[u8], joins: &[u32]) -> Vec<u32> {
    let mut starts = Vec::with_capacity(text.len() / 32);
    let mut joins = joins.iter().copied().peekable();
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', text) {
        starts.push(start);
        while let Some(join) = joins.next_if(|join| (*join as usize) <= newline) {
            starts.push(join);
        }
        start = newline as u32 + 1;
    }
    if (start as usize) < text.len() || joins.peek().is_some() {
        starts.push(start);
        starts.extend(joins.filter(|join| (*join as usize) <= text.len()));
    }
    starts
}
