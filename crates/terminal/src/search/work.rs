//! One thread's part of a search: unit after unit, as long as there is time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::Cancel;
use super::plan::{Unit, What};
use super::scan::{Hit, Looking, Scanner};
use crate::history::{Damage, Kind, Text, Wanted};
use crate::imprint::Needs;
use crate::lines::{Lines, PaneText};
use crate::types::{LineId, Source};
use pattern::Pattern;

/// What came of a unit.
#[derive(Default)]
pub(super) struct Done {
    /// All matches, and those behind the cursor.
    pub(super) count: u64,
    pub(super) behind: u64,
    pub(super) hits: Vec<Hit>,
    pub(super) damage: Option<Damage>,
    pub(super) cut: bool,
}

/// What the threads of a search share.
pub(super) struct Worker<'a> {
    pub(super) panes: &'a [PaneText],
    pub(super) units: &'a [Unit],
    pub(super) numbers: &'a [usize],
    pub(super) next: AtomicUsize,
    pub(super) collect_to: AtomicUsize,
    pub(super) pattern: &'a Pattern,
    pub(super) needs: &'a Needs,
    pub(super) newest_first: bool,
    pub(super) limit: usize,
    pub(super) cancel: &'a Cancel,
    pub(super) deadline: Option<Instant>,
}

impl Worker<'_> {
    fn over(&self) -> bool {
        self.cancel.is_cancelled() || self.deadline.is_some_and(|at| Instant::now() >= at)
    }

    /// Searches the next unit; nothing when there is none.
    pub(super) fn step(&self, scanner: &mut Scanner<'_>) -> Option<(usize, Done)> {
        let number = *self
            .numbers
            .get(self.next.fetch_add(1, Ordering::Relaxed))?;
        let unit = &self.units[number];
        let mut done = Done::default();
        if self.over() {
            done.cut = true;
            return Some((number, done));
        }
        let mut lines = None;
        let mut see = |scanner: &mut Scanner<'_>, text: &Text<'_>, source| {
            if self.over() {
                done.cut = true;
                return false;
            }
            let collecting = number < self.collect_to.load(Ordering::Relaxed);
            let want = if collecting {
                self.limit - done.hits.len().min(self.limit)
            } else {
                0
            };
            let wanted = Looking {
                filter: &unit.filter,
                after: &unit.after,
                source,
                want,
                newest_first: self.newest_first,
            };
            let found = scanner.scan(text, &wanted, || {
                let next = match text.kind {
                    Kind::Printed => LineId(text.next),
                    Kind::FullScreen => return None,
                };
                let lines = match &mut lines {
                    Some(lines) => lines,
                    none => none.insert(Lines::new(&self.panes[unit.pane])),
                };
                let at = lines.find_id(next)?;
                lines.line(at).filter(|line| line.id == next)
            });
            done.count += found.count;
            done.behind += found.behind;
            done.hits.extend(found.hits);
            true
        };
        match &unit.what {
            What::Memory(blocks, source) => {
                for block in blocks {
                    let text = Text {
                        kind: Kind::Printed,
                        anchor: 0,
                        first: block.first(),
                        next: block.next(),
                        text: block.text().as_bytes(),
                        joins: &block.joins(),
                    };
                    if !see(scanner, &text, *source) {
                        break;
                    }
                }
            }
            What::History(chunk) => {
                let mut scratch = scanner.take_scratch();
                let wanted = Wanted {
                    lines: &unit.filter,
                    needs: self.needs,
                    newest_first: self.newest_first,
                };
                let read = chunk.read(&wanted, &mut scratch, |text| {
                    see(scanner, &text, Source::History)
                });
                done.damage = read.err();
                scanner.put_scratch(scratch);
            }
        }
        Some((number, done))
    }
}
