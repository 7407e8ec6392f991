//! The ring: the newest lines that left a pane's screen, kept in memory, bounded in lines and bytes.
//!
//! Lines are kept in blocks of contiguous text (see [`Block`]). A block is immutable once it is full, so a
//! search takes a [`RingSnapshot`] — a few pointers — and then holds no lock at all.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::block::Block;
use crate::styled::StyledLine;
use crate::types::LineId;

/// A full block has this much text, or [`BLOCK_LINES`]. The oldest block goes only when all of its lines
/// have gone, so this is also what a ring may hold beyond its bounds.
const BLOCK_BYTES: usize = 16 * 1024;
const BLOCK_LINES: usize = 1024;
/// A line that continues is kept in one block with its next piece, so that a match may cover both, up to here.
const JOINED_BYTES: usize = 4 * 1024 * 1024;

/// How much a ring keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrollbackLimits {
    /// At most so many lines.
    pub lines: u32,
    /// At most so many bytes of text; the newest line stays, however long it is.
    pub bytes: u32,
}

impl Default for ScrollbackLimits {
    fn default() -> Self {
        Self {
            lines: 5_000,
            bytes: 16 * 1024 * 1024,
        }
    }
}

/// The newest lines that left a pane's screen. Ids grow for ever; a dropped line's id is never used again.
#[derive(Debug)]
pub struct Scrollback {
    limits: ScrollbackLimits,
    full: VecDeque<Arc<Block>>,
    /// The block that grows. A snapshot that is still alive when a line arrives makes it be copied, once.
    tail: Arc<Block>,
    /// The number of the oldest line that is kept: it may be in the middle of the oldest block.
    first: u64,
    /// The text of the lines that are kept, with their newlines.
    bytes: usize,
    /// What the full blocks occupy.
    full_memory: usize,
}

/// One line of a ring, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct LineRef<'a> {
    block: &'a Block,
    index: usize,
}

impl<'a> LineRef<'a> {
    /// Which line.
    pub fn id(&self) -> LineId {
        LineId(self.block.first() + self.index as u64)
    }

    /// Its text, without the newline.
    pub fn text(&self) -> &'a str {
        self.block.line(self.index)
    }

    /// Whether it goes on in the next line.
    pub fn continues(&self) -> bool {
        self.block.continues(self.index)
    }

    /// A copy with its styles.
    pub fn styled(&self) -> StyledLine {
        self.block.styled(self.index)
    }
}

impl Scrollback {
    /// An empty ring; its first line will have the id 0.
    pub fn new(limits: ScrollbackLimits) -> Self {
        Self {
            limits,
            full: VecDeque::new(),
            tail: Arc::new(Block::new(0)),
            first: 0,
            bytes: 0,
            full_memory: 0,
        }
    }

    /// Appends a line, drops the oldest ones beyond the limits, and says which id the new line has.
    pub fn push(&mut self, line: &StyledLine) -> LineId {
        let id = self.tail.next();
        let tail = Arc::make_mut(&mut self.tail);
        let before = tail.text().len();
        tail.push(line);
        self.bytes += tail.text().len() - before;
        let joined = line.continues && tail.text().len() < JOINED_BYTES;
        if (tail.text().len() >= BLOCK_BYTES || tail.line_count() >= BLOCK_LINES) && !joined {
            self.seal();
        }
        self.evict();
        LineId(id)
    }

    fn seal(&mut self) {
        let next = self.tail.next();
        let mut full = std::mem::replace(&mut self.tail, Arc::new(Block::new(next)));
        Arc::make_mut(&mut full).shrink();
        self.full_memory += full.memory();
        self.full.push_back(full);
    }

    fn evict(&mut self) {
        let next = self.tail.next();
        while next - self.first > 1
            && (next - self.first > u64::from(self.limits.lines.max(1))
                || self.bytes > self.limits.bytes as usize)
        {
            let block = self.full.front().unwrap_or(&self.tail);
            let index = (self.first - block.first()) as usize;
            self.bytes -= block.start_of(index + 1) - block.start_of(index);
            self.first += 1;
            self.drop_gone();
        }
    }

    /// Drops the blocks whose lines are all gone.
    fn drop_gone(&mut self) {
        while let Some(block) = self.full.front()
            && block.next() <= self.first
        {
            self.full_memory -= block.memory();
            self.full.pop_front();
        }
    }

    /// Drops all lines; ids go on where they were.
    pub fn clear(&mut self) {
        self.full.clear();
        self.full_memory = 0;
        self.bytes = 0;
        self.first = self.tail.next();
        self.tail = Arc::new(Block::new(self.first));
    }

    /// The id of the oldest line that is kept; [`Scrollback::next_id`] when there is none.
    pub fn first_id(&self) -> LineId {
        LineId(self.first)
    }

    /// The id that the next line will have.
    pub fn next_id(&self) -> LineId {
        LineId(self.tail.next())
    }

    /// How many lines are kept.
    pub fn len(&self) -> usize {
        (self.tail.next() - self.first) as usize
    }

    /// Whether no line is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The line `id`; nothing when it is gone or yet to come.
    pub fn get(&self, id: LineId) -> Option<LineRef<'_>> {
        find_line(self.first, self.tail.next(), id, |block| {
            self.full
                .get(block)
                .or((block == self.full.len()).then_some(&self.tail))
        })
    }

    /// The newest `count` lines with their styles, oldest first.
    pub fn styled_tail(&self, count: usize) -> impl Iterator<Item = StyledLine> + '_ {
        let next = self.tail.next();
        let from = next.saturating_sub(count as u64).max(self.first);
        let skip = self.full.partition_point(|block| block.next() <= from);
        self.full
            .iter()
            .skip(skip)
            .chain(std::iter::once(&self.tail))
            .flat_map(move |block| {
                let start = from.saturating_sub(block.first()) as usize;
                (start..block.line_count()).map(move |index| block.styled(index))
            })
    }

    /// The bytes that the ring occupies.
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + self.full.capacity() * size_of::<Arc<Block>>()
            + self.full_memory
            + self.tail.memory()
    }

    /// All lines as they are now, without copying them: for a search.
    pub fn snapshot(&self) -> RingSnapshot {
        RingSnapshot {
            first: self.first,
            next: self.tail.next(),
            blocks: self
                .full
                .iter()
                .chain(std::iter::once(&self.tail))
                .filter(|block| block.line_count() > 0)
                .cloned()
                .collect(),
        }
    }
}

fn find_line<'a>(
    first: u64,
    next: u64,
    id: LineId,
    block: impl Fn(usize) -> Option<&'a Arc<Block>>,
) -> Option<LineRef<'a>> {
    if id.0 < first || id.0 >= next {
        return None;
    }
    let mut low = 0;
    let mut step = 1;
    // Blocks hold different numbers of lines: gallop, then halve.
    while block(low + step).is_some_and(|block| block.first() <= id.0) {
        low += step;
        step *= 2;
    }
    while step > 0 {
        while block(low + step).is_some_and(|block| block.first() <= id.0) {
            low += step;
        }
        step /= 2;
    }
    let block = block(low)?;
    let index = usize::try_from(id.0.checked_sub(block.first())?).ok()?;
    (index < block.line_count()).then_some(LineRef { block, index })
}

/// A ring's lines at one moment. It shares their text with the ring, which goes on without it.
#[derive(Debug, Clone, Default)]
pub struct RingSnapshot {
    first: u64,
    next: u64,
    blocks: Vec<Arc<Block>>,
}

impl RingSnapshot {
    /// The id of the oldest line.
    pub fn first_id(&self) -> LineId {
        LineId(self.first)
    }

    /// The id after that of the newest line.
    pub fn next_id(&self) -> LineId {
        LineId(self.next)
    }

    /// The line `id`; nothing when the snapshot does not hold it.
    pub fn get(&self, id: LineId) -> Option<LineRef<'_>> {
        find_line(self.first, self.next, id, |block| self.blocks.get(block))
    }

    /// The same without the lines before `first`.
    pub(crate) fn without_before(mut self, first: LineId) -> Self {
        self.first = self.first.max(first.0);
        self.next = self.next.max(self.first);
        self.blocks.retain(|block| block.next() > self.first);
        self
    }

    /// The blocks, oldest first. The oldest may begin with lines that are gone, see [`RingSnapshot::first_id`].
    pub(crate) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::styled::{Color, Style, StyleRun};

    fn plain(text: &str) -> StyledLine {
        StyledLine {
            text: text.to_owned(),
            ..StyledLine::default()
        }
    }

    fn ring(lines: u32, bytes: u32) -> Scrollback {
        Scrollback::new(ScrollbackLimits { lines, bytes })
    }

    #[test]
    fn a_line_keeps_its_id_while_output_arrives_and_a_dropped_id_resolves_to_nothing() {
        let mut ring = ring(3, 1000);
        for text in ["a", "b", "c", "d", "e"] {
            ring.push(&plain(text));
        }
        assert_eq!(ring.first_id(), LineId(2));
        assert_eq!(ring.next_id(), LineId(5));
        assert!(ring.get(LineId(1)).is_none());
        assert_eq!(ring.get(LineId(2)).map(|line| line.text()), Some("c"));
        assert_eq!(ring.get(LineId(4)).map(|line| line.text()), Some("e"));
        assert!(ring.get(LineId(5)).is_none());
    }

    #[test]
    fn a_line_longer_than_the_ring_is_kept_alone() {
        let mut ring = ring(10, 20);
        ring.push(&plain("short"));
        ring.push(&plain(&"long ".repeat(100)));
        assert_eq!(ring.len(), 1);
        ring.push(&plain("after"));
        assert_eq!(ring.len(), 1);
        assert_eq!(ring.get(LineId(2)).map(|line| line.text()), Some("after"));
    }

    #[test]
    fn a_snapshot_may_begin_anywhere() {
        let mut ring = ring(5_000, 1_000_000);
        for number in 0..3_000 {
            ring.push(&plain(&number.to_string()));
        }
        let from = |first| ring.snapshot().without_before(LineId(first));
        let late = from(2_500);
        assert_eq!(
            (late.first_id(), late.next_id()),
            (LineId(2_500), LineId(3_000))
        );
        assert!(late.get(LineId(2_499)).is_none());
        assert_eq!(
            late.get(LineId(2_500)).map(|line| line.text()),
            Some("2500")
        );
        assert_eq!(late.blocks().len(), 1);
        let none = from(3_007);
        assert_eq!(
            (none.first_id(), none.next_id()),
            (LineId(3_007), LineId(3_007))
        );
        assert!(none.blocks().is_empty());
        assert_eq!(from(0).blocks().len(), ring.snapshot().blocks().len());
    }

    #[test]
    fn clearing_drops_the_lines_and_goes_on_counting() {
        let mut ring = ring(10, 1000);
        ring.push(&plain("a"));
        ring.clear();
        assert!(ring.is_empty());
        assert!(ring.get(LineId(0)).is_none());
        assert_eq!(ring.push(&plain("b")), LineId(1));
        assert_eq!(ring.styled_tail(10).count(), 1);
    }

    #[test]
    fn plain_text_costs_less_than_1_3_bytes_a_byte() {
        let mut ring = ring(50_000, 64 << 20);
        let mut text = 0;
        for n in 0..50_000 {
            let line = format!("{n:>6} a line of a log as they are, of middling length");
            text += line.len();
            ring.push(&plain(&line));
        }
        let ratio = ring.memory() as f64 / text as f64;
        assert!(ratio < 1.3, "{ratio}");
    }

    #[test]
    fn a_snapshot_stays_as_it_was_while_the_ring_goes_on() {
        let mut ring = ring(4, 1000);
        for text in ["a", "b"] {
            ring.push(&plain(text));
        }
        let snapshot = ring.snapshot();
        for n in 0..5000 {
            ring.push(&plain(&format!("line {n}")));
        }
        assert_eq!(snapshot.next_id(), LineId(2));
        assert_eq!(snapshot.get(LineId(0)).map(|line| line.text()), Some("a"));
        assert_eq!(snapshot.get(LineId(1)).map(|line| line.text()), Some("b"));
        assert!(snapshot.get(LineId(2)).is_none());
    }

    #[test]
    fn a_newline_inside_a_line_does_not_make_it_two() {
        let mut ring = ring(4, 1000);
        ring.push(&plain("a\nb"));
        ring.push(&plain("c"));
        assert_eq!(ring.get(LineId(0)).map(|line| line.text()), Some("a b"));
        assert_eq!(ring.get(LineId(1)).map(|line| line.text()), Some("c"));
    }

    fn style() -> impl Strategy<Value = Style> {
        (0u8..3, 0u16..3).prop_map(|(color, flags)| Style {
            fg: Color::Indexed(color),
            flags,
            ..Style::default()
        })
    }

    fn styled_line() -> impl Strategy<Value = StyledLine> {
        (
            "[a-zé漢 ]{0,60}",
            prop::collection::btree_map(0usize..60, style(), 0..4),
            prop::bool::weighted(0.1),
        )
            .prop_map(|(text, runs, continues)| StyledLine {
                runs: runs
                    .into_iter()
                    .filter(|(start, _)| *start < text.len() && text.is_char_boundary(*start))
                    .map(|(start, style)| StyleRun {
                        start: start as u32,
                        style,
                    })
                    .collect(),
                text,
                links: Vec::new(),
                full_screen: false,
                continues,
            })
    }

    proptest! {
        /// The ring against a plain list of lines.
        #[test]
        fn the_ring_holds_the_newest_lines_as_they_were(
            lines in prop::collection::vec(styled_line(), 0..200),
            repeat in 1usize..20,
            limit in 1u32..2500,
            bytes in 1u32..60_000,
            tail in 0usize..100,
        ) {
            let mut ring = ring(limit, bytes);
            let all: Vec<_> = lines.iter().cycle().take(lines.len() * repeat).cloned().collect();
            for (index, line) in all.iter().enumerate() {
                prop_assert_eq!(ring.push(line), LineId(index as u64));
            }
            let mut kept = 0;
            let mut size = 0;
            for line in all.iter().rev() {
                size += line.text.len() + usize::from(!line.continues);
                if kept == limit as usize || (size > bytes as usize && kept > 0) {
                    break;
                }
                kept += 1;
            }
            prop_assert_eq!(ring.len(), kept);
            let first = all.len() - kept;
            prop_assert_eq!(ring.first_id(), LineId(first as u64));
            let snapshot = ring.snapshot();
            for (index, line) in all.iter().enumerate() {
                let id = LineId(index as u64);
                let held = ring.get(id).map(|line| line.styled());
                prop_assert_eq!(held.as_ref(), (index >= first).then_some(line));
                prop_assert_eq!(snapshot.get(id).map(|line| line.styled()), held);
            }
            let newest: Vec<_> = ring.styled_tail(tail).collect();
            prop_assert_eq!(&newest[..], &all[all.len() - kept.min(tail)..]);
        }
    }
}
