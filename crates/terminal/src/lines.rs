//! Everything that a pane showed, in the order in which it showed it: history, ring and screen as one list.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::block::Block;
use crate::history::{Filter, HistoryReader, Key, Kind, Placed};
use crate::scrollback::RingSnapshot;
use crate::styled::StyledLine;
use crate::types::{CommandMark, CommandOutput, Line, LineId, PaneId, ReadLines, Source};

/// At most so many lines are read at once, whatever is asked for.
const MAX_READ: u32 = 100_000;
/// More of a command's output than this is not told.
const MAX_OUTPUT: usize = 8 * 1024 * 1024;
/// How many blocks stay unpacked for the next line.
const CACHED: usize = 4;

/// What one pane holds at one moment: what a search and a reader of lines are given.
#[derive(Debug)]
pub struct PaneText {
    /// Which pane.
    pub pane: PaneId,
    /// What left its screen and is in memory.
    pub ring: RingSnapshot,
    /// What is on its screen, and belongs to the lines after the ring's.
    pub screen: Vec<StyledLine>,
    /// What is on disk; none: nothing is kept there.
    pub history: Option<HistoryReader>,
}

impl PaneText {
    /// The text of a pane that only lives in history.
    pub fn closed(history: HistoryReader) -> Self {
        Self {
            pane: history.pane(),
            ring: RingSnapshot::default(),
            screen: Vec::new(),
            history: Some(history),
        }
    }

    /// Where lines are in memory: from the ring's oldest on. A closed pane has none.
    pub(crate) fn memory_from(&self) -> u64 {
        if self.ring.next_id() == LineId(0) && self.screen.is_empty() {
            u64::MAX
        } else {
            self.ring.first_id().0
        }
    }

    /// The number after that of the newest line.
    pub(crate) fn end(&self) -> u64 {
        if self.memory_from() == u64::MAX {
            u64::MAX
        } else {
            self.ring.next_id().0 + self.screen.len() as u64
        }
    }

    /// Reads lines, oldest first. A line that is gone is left out; a start that is gone stands for where it was.
    pub fn read(&self, lines: ReadLines) -> Vec<Line> {
        let mut all = Lines::new(self);
        let (from, to) = match lines {
            ReadLines::Newest { count } => {
                let end = all.len();
                (end.saturating_sub(u64::from(count.min(MAX_READ))), end)
            }
            ReadLines::Before { line, count } => {
                let Some(at) = all.find_id(line) else {
                    return Vec::new();
                };
                (at.saturating_sub(u64::from(count.min(MAX_READ))), at)
            }
            ReadLines::After { line, count } => {
                let Some(at) = all.find_id(line) else {
                    return Vec::new();
                };
                (at, at + u64::from(count.min(MAX_READ)))
            }
        };
        (from..to.min(all.len()))
            .filter_map(|at| all.line(at))
            .collect()
    }

    /// What a command has printed.
    pub(crate) fn output_of(&self, mark: CommandMark) -> CommandOutput {
        let mut output = CommandOutput {
            mark,
            text: String::new(),
            cut: false,
        };
        let Some(from) = output.mark.output_from else {
            return output;
        };
        let to = output.mark.output_to.map_or(u64::MAX, |to| to.0);
        let rest = output.mark.output_rest as usize;
        let mut all = Lines::new(self);
        let mut next = from.0;
        for at in all.find(Key::printed(from.0))..all.len() {
            let Some((id, line, _)) = all.styled(at) else {
                continue;
            };
            if id.is_full_screen() || id < from {
                continue;
            }
            if id.0 > to || (id.0 == to && rest == 0) {
                break;
            }
            output.cut |= id.0 != next;
            next = id.0 + 1;
            let piece = if id.0 == to {
                let end = line.text.char_indices().nth(rest);
                &line.text[..end.map_or(line.text.len(), |(end, _)| end)]
            } else {
                &line.text
            };
            if output.text.len() + piece.len() > MAX_OUTPUT {
                output.cut = true;
                return output;
            }
            output.text.push_str(piece);
            if id.0 < to && !line.continues {
                output.text.push('\n');
            }
        }
        output.cut |= to != u64::MAX && next < to;
        output
    }

    /// The newest lines that were printed, at most `count` of them with at most so many `bytes`, oldest first, without
    /// blank ones at the end; and the number after that of the last.
    pub(crate) fn newest(&self, count: usize, mut bytes: usize) -> (Vec<StyledLine>, u64) {
        let mut all = Lines::new(self);
        let end = all.len();
        let mut newest = VecDeque::new();
        let mut next = 0;
        for at in (end.saturating_sub(u64::from(MAX_READ))..end).rev() {
            if newest.len() == count {
                break;
            }
            if let Some((id, line, _)) = all.styled(at)
                && !id.is_full_screen()
                && !(newest.is_empty() && line.text.is_empty())
            {
                let Some(left) = bytes.checked_sub(line.text.len()) else {
                    break;
                };
                bytes = left;
                if newest.is_empty() {
                    next = id.0 + 1;
                }
                newest.push_front(line);
            }
        }
        (newest.into(), next)
    }
}

/// All lines of a pane as one list; a position in it means nothing once the list is gone.
pub(crate) struct Lines<'a> {
    text: &'a PaneText,
    runs: Vec<Run>,
    /// The position of the first line of each run; and behind the last, the length of the list.
    starts: Vec<u64>,
    cache: VecDeque<(usize, Option<Arc<Block>>)>,
}

struct Run {
    key: Key,
    count: u64,
    place: Place,
}

enum Place {
    Memory,
    History(Placed),
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a PaneText) -> Self {
        let memory_from = text.memory_from();
        let mut runs = Vec::new();
        if let Some(history) = &text.history {
            let wanted = Filter {
                printed: 0..memory_from,
                full_screen: 0..u64::MAX,
            };
            runs.extend(history.places(&wanted).into_iter().map(|placed| Run {
                key: placed.key(0),
                count: placed.count,
                place: Place::History(placed),
            }));
        }
        if memory_from < text.end() {
            // What was sampled while these lines were printed stands between them.
            let mut cuts: Vec<u64> = runs
                .iter()
                .filter(|run| run.key.kind == Kind::FullScreen)
                .map(|run| run.key.anchor)
                .filter(|anchor| (memory_from + 1..text.end()).contains(anchor))
                .collect();
            cuts.push(text.end());
            cuts.sort_unstable();
            cuts.dedup();
            let mut from = memory_from;
            for cut in cuts {
                runs.push(Run {
                    key: Key::printed(from),
                    count: cut - from,
                    place: Place::Memory,
                });
                from = cut;
            }
        }
        runs.sort_by_key(|run| run.key);
        let mut at = 0;
        let mut starts = vec![0];
        for run in &runs {
            at += run.count;
            starts.push(at);
        }
        Self {
            text,
            runs,
            starts,
            cache: VecDeque::new(),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        *self.starts.last().unwrap_or(&0)
    }

    /// The position of the line `key`, or of the next that is there.
    pub(crate) fn find(&self, key: Key) -> u64 {
        let run = self.runs.partition_point(|run| run.key <= key);
        let Some(index) = run.checked_sub(1) else {
            return 0;
        };
        let run = &self.runs[index];
        let within = if run.key.kind == key.kind {
            (key.number - run.key.number).min(run.count)
        } else {
            run.count
        };
        self.starts[index] + within
    }

    pub(crate) fn find_id(&self, id: LineId) -> Option<u64> {
        if !id.is_full_screen() {
            return Some(self.find(Key::printed(id.0)));
        }
        let number = id.0 - LineId::FULL_SCREEN;
        let index = self.runs.iter().position(|run| {
            run.key.kind == Kind::FullScreen
                && (run.key.number..run.key.number + run.count).contains(&number)
        })?;
        Some(self.starts[index] + number - self.runs[index].key.number)
    }

    /// The line at a position; nothing when its block was removed or damaged.
    pub(crate) fn line(&mut self, at: u64) -> Option<Line> {
        let (id, line, source) = self.styled(at)?;
        Some(Line::of(id, line, source))
    }

    /// As [`Lines::line`], as it was printed.
    fn styled(&mut self, at: u64) -> Option<(LineId, StyledLine, Source)> {
        let index = self
            .starts
            .partition_point(|start| *start <= at)
            .checked_sub(1)?;
        let run = self.runs.get(index)?;
        let within = at - self.starts[index];
        match &run.place {
            Place::Memory => {
                let id = LineId(run.key.number + within);
                Some(match self.text.ring.get(id) {
                    Some(line) => (id, line.styled(), Source::Ring),
                    None => {
                        let row = id.0.checked_sub(self.text.ring.next_id().0)?;
                        let line = self.text.screen.get(row as usize)?.clone();
                        (id, line, Source::Screen)
                    }
                })
            }
            Place::History(placed) => {
                let key = placed.key(within);
                let block = self.load(index)?;
                let line = (key.number.checked_sub(block.first())?) as usize;
                (line < block.line_count()).then(|| (key.id(), block.styled(line), Source::History))
            }
        }
    }

    fn load(&mut self, index: usize) -> Option<Arc<Block>> {
        if let Some((_, block)) = self.cache.iter().find(|(cached, _)| *cached == index) {
            return block.clone();
        }
        let Place::History(placed) = &self.runs[index].place else {
            return None;
        };
        let block = placed.load().map(Arc::new);
        self.cache.push_back((index, block.clone()));
        if self.cache.len() > CACHED {
            self.cache.pop_front();
        }
        block
    }
}
