//! The pieces that are searched, in the order of their matches, and which of those are behind the cursor.

use std::sync::Arc;

use super::contract::SearchCursor;
use super::query::{Position, Query};
use super::scan::After;
use crate::block::Block;
use crate::history::{Chunk, Filter, Key, Kind};
use crate::lines::PaneText;
use crate::types::Source;

/// So much of a ring is searched in one go by one thread.
const UNIT_BYTES: usize = 1024 * 1024;

/// A piece of work for one thread.
pub(super) struct Unit {
    /// Its index.
    pub(super) pane: usize,
    /// Which comes first of what is in memory and what is on disk.
    pub(super) tier: u8,
    pub(super) what: What,
    pub(super) filter: Filter,
    pub(super) after: After,
}

pub(super) enum What {
    Memory(Vec<Arc<Block>>, Source),
    History(Chunk),
}

/// What is to be searched of some panes.
pub(super) struct Plan<'a> {
    pub(super) query: &'a Query,
    /// In the order in which they are searched.
    pub(super) panes: &'a [PaneText],
    /// The lines of each that came when they should have.
    pub(super) came: &'a [Filter],
}

impl Plan<'_> {
    /// Where a pane's memory began and its lines ended when the search, or its first page, began.
    fn bounds(&self, pane: &PaneText) -> Option<(u64, u64, u64)> {
        match &self.query.position {
            Some(position) => position.bounds.get(&pane.pane.0).copied(),
            None => Some((
                pane.memory_from(),
                pane.end(),
                pane.history
                    .as_ref()
                    .map_or(0, |history| history.next_full_screen()),
            )),
        }
    }

    /// The units over what is in memory, in order.
    pub(super) fn memory(&self) -> Vec<Unit> {
        let mut units = Vec::new();
        let tier = self.tiers().0;
        for (index, pane) in self.panes.iter().enumerate() {
            let Some((_, end, _)) = self.bounds(pane) else {
                continue;
            };
            let range = self.printed(index, pane.memory_from(), end);
            if range.is_empty() {
                continue;
            }
            let filter = Filter {
                printed: range,
                full_screen: 0..0,
            };
            let mut add = |blocks: Vec<Arc<Block>>, source| {
                units.push(Unit {
                    pane: index,
                    tier,
                    what: What::Memory(blocks, source),
                    filter: filter.clone(),
                    after: self.after(index, tier),
                });
            };
            let screen = (!pane.screen.is_empty()).then(|| {
                let mut block = Block::new(pane.ring.next_id().0);
                for line in &pane.screen {
                    block.push_text(&line.text, line.continues);
                }
                Arc::new(block)
            });
            if self.query.newest_first()
                && let Some(screen) = &screen
            {
                add(vec![Arc::clone(screen)], Source::Screen);
            }
            let mut group = Vec::new();
            let mut bytes = 0;
            let blocks = pane.ring.blocks();
            for at in 0..blocks.len() {
                let block = if self.query.newest_first() {
                    &blocks[blocks.len() - 1 - at]
                } else {
                    &blocks[at]
                };
                bytes += block.text().len();
                group.push(Arc::clone(block));
                if bytes >= UNIT_BYTES {
                    add(std::mem::take(&mut group), Source::Ring);
                    bytes = 0;
                }
            }
            if !group.is_empty() {
                add(group, Source::Ring);
            }
            if !self.query.newest_first()
                && let Some(screen) = screen
            {
                add(vec![screen], Source::Screen);
            }
        }
        units
    }

    /// The units over what is on disk, in order.
    pub(super) fn history(&self) -> Vec<Unit> {
        let (memory, disk) = self.tiers();
        let mut memory_then = Vec::new();
        let mut units = Vec::new();
        for (index, pane) in self.panes.iter().enumerate() {
            let (Some(history), Some((memory_from, end, sampled))) =
                (&pane.history, self.bounds(pane))
            else {
                continue;
            };
            let now_from = pane.memory_from();
            let sampled = if self.query.request.lines.is_some() {
                0..0
            } else {
                let came = &self.came[index].full_screen;
                came.start..sampled.min(came.end)
            };
            let add = |tier, printed: std::ops::Range<u64>, full_screen, to: &mut Vec<Unit>| {
                let wanted = Filter {
                    printed,
                    full_screen,
                };
                let mut chunks = history.chunks(&wanted);
                if self.query.newest_first() {
                    chunks.reverse();
                }
                for (chunk, filter) in chunks {
                    to.push(Unit {
                        pane: index,
                        tier,
                        what: What::History(chunk),
                        filter,
                        after: self.after(index, tier),
                    });
                }
            };
            // What was in memory on the first page belongs there still, wherever it is now.
            let left = self.printed(index, memory_from, now_from.min(end));
            if !left.is_empty() {
                add(memory, left, 0..0, &mut memory_then);
            }
            let older = self.printed(index, 0, memory_from.min(now_from).min(end));
            add(disk, older, sampled, &mut units);
        }
        memory_then.append(&mut units);
        memory_then
    }

    /// Which come first, what is in memory or what is on disk.
    fn tiers(&self) -> (u8, u8) {
        if self.query.newest_first() {
            (0, 1)
        } else {
            (1, 0)
        }
    }

    fn printed(&self, pane: usize, from: u64, to: u64) -> std::ops::Range<u64> {
        let came = &self.came[pane].printed;
        let (from, to) = (from.max(came.start), to.min(came.end));
        match self.query.request.lines {
            None => from..to,
            Some(lines) => from.max(lines.from.0)..to.min(lines.to.0),
        }
    }

    /// Which matches of a pane and tier are behind the cursor.
    fn after(&self, pane: usize, tier: u8) -> After {
        let Some(position) = &self.query.position else {
            return After::All;
        };
        let (pane, then) = (self.panes[pane].pane.0, position.pane);
        let order = if self.query.newest_first() {
            (tier, !pane).cmp(&(position.tier, !then))
        } else {
            (pane, tier).cmp(&(then, position.tier))
        };
        match order {
            std::cmp::Ordering::Less => After::None,
            std::cmp::Ordering::Greater => After::All,
            std::cmp::Ordering::Equal => {
                let (anchor, printed, number) = position.key;
                let kind = if printed {
                    Kind::Printed
                } else {
                    Kind::FullScreen
                };
                After::Key(Key {
                    anchor,
                    kind,
                    number,
                })
            }
        }
    }

    /// Goes on behind the line `key` of a pane, in a tier.
    pub(super) fn cursor(&self, (pane, tier, key): (usize, u8, Key)) -> Option<SearchCursor> {
        let position = Position {
            order: self.query.request.order,
            pane: self.panes[pane].pane.0,
            tier,
            key: (key.anchor, key.kind == Kind::Printed, key.number),
            bounds: self
                .panes
                .iter()
                .filter_map(|pane| Some((pane.pane.0, self.bounds(pane)?)))
                .collect(),
        };
        serde_json::to_string(&position).ok().map(SearchCursor)
    }
}
