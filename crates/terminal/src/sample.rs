//! What full-screen programs showed: text that stood on the alternate screen long enough to be read, each once.
//!
//! Such a program redraws: the same words come again, elsewhere, whole or letter by letter, amid pictures that are
//! half drawn. So the rows are looked at many times a second while the program writes, before its next bytes change
//! them, and when it is about to take all of them away. A row is kept once it has gone, if it stood; unless it only
//! went on, as a line that is being typed does: then the longer one stands for both.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::time::{Duration, Instant};

use crate::styled::StyledLine;

/// The screen is looked at this often while the program writes.
const LOOK: Duration = Duration::from_millis(25);
/// What stood for less was on its way to something else. With what can pass unseen before the first look and after
/// the last, whatever stood for 100 ms is kept.
const STOOD: Duration = Duration::from_millis(50);
/// What has stood so long is kept while it stands: the pane may be gone before it goes.
const LASTING: Duration = Duration::from_secs(1);
/// How many kept rows are remembered, that they are not kept again.
const SEEN: usize = 4_096;
/// A program that shows so many bytes of new text, and then more than is earned in a second, is looked at less often.
const ALLOWANCE: i64 = 1024 * 1024;
const EARNED: i64 = 8 * 1024;
/// What it can owe at most.
const DEBT: i64 = -8 * EARNED;
/// How often that is: what stands for a second or two is still kept.
const SPARING_LOOK: Duration = Duration::from_secs(1);

/// Tells what a pane's full-screen programs show that is worth keeping.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    hasher: RandomState,
    seen: Seen,
    /// What the last look saw, from the top.
    standing: Vec<Row>,
    allowance: Allowance,
    /// When the program wrote last.
    wrote: Option<Instant>,
    /// How many pictures went away amid what it wrote last.
    wiped: u32,
    /// Something was written that has not been looked at.
    unseen: bool,
    looked: Option<Instant>,
}

/// A row of the screen that says something.
#[derive(Debug)]
struct Row {
    hash: u64,
    text: String,
    /// Since when it has stood; when it only went on, since when what it began with has.
    since: Instant,
    /// Since when it has stood as it is.
    unchanged: Instant,
    /// When it was seen last.
    until: Instant,
    kept: bool,
}

impl Sampler {
    /// Whether the screen is to be looked at before the program's next bytes change it.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.unseen && self.rested(now)
    }

    fn rested(&self, now: Instant) -> bool {
        let interval = if self.allowance.is_spent(now) {
            SPARING_LOOK
        } else {
            LOOK
        };
        self.looked
            .is_none_or(|looked| now.duration_since(looked) >= interval)
    }

    /// Whether the screen is to be looked at because the program, amid what it writes, is about to take the whole
    /// picture away.
    ///
    /// What comes in at once may have been written over as long as nothing had come in: by a program that showed
    /// something for a while, on a machine that was busy. So many pictures are looked at as can have stood then.
    pub(crate) fn is_due_amid(&mut self, now: Instant) -> bool {
        let quiet = self.wrote.map_or(LOOK, |wrote| now.duration_since(wrote));
        let most = (quiet.as_millis() / STOOD.as_millis()).min(8) as u32;
        let due = self.wiped < most || self.rested(now);
        self.wiped += u32::from(due);
        due
    }

    /// The program has written to its screen.
    pub(crate) fn wrote(&mut self, now: Instant) {
        self.wrote = Some(now);
        self.wiped = 0;
        self.unseen = true;
    }

    /// Whether something was written that has not been looked at.
    pub(crate) fn has_unseen(&self) -> bool {
        self.unseen
    }

    /// Looks at the rows of the screen, and returns what is worth keeping by now.
    pub(crate) fn look(&mut self, now: Instant, rows: Vec<String>) -> Vec<StyledLine> {
        let mut keep = self.compare(now, rows);
        for row in &mut self.standing {
            if !row.kept && now.duration_since(row.unchanged) >= LASTING {
                row.kept = true;
                keep.extend(self.seen.add(row));
            }
        }
        self.allowance.spend(now, &keep);
        keep
    }

    /// Looks at the rows of the screen, and returns all that has not been kept, whether it has stood or not: somebody
    /// asks for it, or it is the last picture.
    pub(crate) fn look_for_all(&mut self, now: Instant, rows: Vec<String>) -> Vec<StyledLine> {
        let mut keep = self.compare(now, rows);
        for row in self.standing.iter_mut().filter(|row| !row.kept) {
            row.kept = true;
            keep.extend(self.seen.add(row));
        }
        self.allowance.spend(now, &keep);
        keep
    }

    /// The screen is another program's now.
    pub(crate) fn end(&mut self) {
        self.standing = Vec::new();
        self.unseen = false;
    }

    /// Takes in what stands now, and returns what stood and has gone.
    fn compare(&mut self, now: Instant, rows: Vec<String>) -> Vec<StyledLine> {
        let since = self.wrote.unwrap_or(now);
        self.unseen = false;
        self.looked = Some(now);
        let mut before: HashMap<u64, Row> = HashMap::with_capacity(self.standing.len());
        let mut order = Vec::with_capacity(self.standing.len());
        for row in mem::take(&mut self.standing) {
            order.push(row.hash);
            before.insert(row.hash, row);
        }
        let mut here = HashSet::with_capacity(rows.len());
        // What is new, by its words: what went on is found by what it begins with.
        let mut fresh: Vec<(String, usize)> = Vec::new();
        for text in rows {
            let Some(words) = words(&text) else { continue };
            // The same words elsewhere on the screen are the same words.
            let hash = self.hasher.hash_one(words);
            if !here.insert(hash) {
                continue;
            }
            let row = match before.remove(&hash) {
                Some(row) => Row { until: now, ..row },
                None => {
                    fresh.push((words.to_owned(), self.standing.len()));
                    Row {
                        hash,
                        text: text.trim_end().to_owned(),
                        since,
                        unchanged: since,
                        until: now,
                        kept: self.seen.has(hash),
                    }
                }
            };
            self.standing.push(row);
        }
        fresh.sort_unstable();
        let mut keep = Vec::new();
        for gone in order.iter().filter_map(|hash| before.remove(hash)) {
            if gone.kept {
                continue;
            }
            let begun = words(&gone.text).unwrap_or_default();
            let next = fresh.partition_point(|(words, _)| words.as_str() < begun);
            if let Some((longer, at)) = fresh.get(next)
                && longer.starts_with(begun)
            {
                let longer = &mut self.standing[*at];
                longer.since = longer.since.min(gone.since);
            } else if gone.until.duration_since(gone.since) >= STOOD {
                keep.extend(self.seen.add(&gone));
            }
        }
        keep
    }
}

/// What a row says: without frames, bars and spinners on both sides of it. Nothing when there is no word in it.
fn words(row: &str) -> Option<&str> {
    let words = row.trim_matches(|c: char| c.is_whitespace() || is_drawing(c));
    words.chars().any(char::is_alphanumeric).then_some(words)
}

/// Whether a character is drawn with, and turned and moved while it says nothing: boxes, blocks, the circles and
/// Braille patterns of spinners, the stars that twinkle.
fn is_drawing(c: char) -> bool {
    matches!(c, '\u{b7}' | '\u{2500}'..='\u{259f}' | '\u{25d0}'..='\u{25d7}' | '\u{25dc}'..='\u{25e1}'
        | '\u{25f4}'..='\u{25f7}' | '\u{2722}'..='\u{274b}' | '\u{2800}'..='\u{28ff}')
}

/// What was kept lately.
#[derive(Debug, Default)]
struct Seen {
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Seen {
    fn has(&self, hash: u64) -> bool {
        self.hashes.contains(&hash)
    }

    /// The row as a line to keep; nothing when it was kept lately.
    fn add(&mut self, row: &Row) -> Option<StyledLine> {
        if !self.hashes.insert(row.hash) {
            return None;
        }
        self.order.push_back(row.hash);
        if self.order.len() > SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        Some(StyledLine {
            text: row.text.clone(),
            full_screen: true,
            ..StyledLine::default()
        })
    }
}

/// How much new text is kept without thrift, in bytes; what is below nothing is earned back first.
#[derive(Debug)]
struct Allowance {
    left: i64,
    at: Option<Instant>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            left: ALLOWANCE,
            at: None,
        }
    }
}

impl Allowance {
    fn is_spent(&self, now: Instant) -> bool {
        self.left_at(now) <= 0
    }

    fn left_at(&self, now: Instant) -> i64 {
        let since = self.at.map_or(Duration::ZERO, |at| now.duration_since(at));
        let earned = (since.as_millis() as i64).saturating_mul(EARNED) / 1000;
        self.left.saturating_add(earned).min(ALLOWANCE)
    }

    fn spend(&mut self, now: Instant, lines: &[StyledLine]) {
        if lines.is_empty() {
            return;
        }
        let spent: usize = lines.iter().map(|line| line.text.len()).sum();
        self.left = (self.left_at(now) - spent as i64).max(DEBT);
        self.at = Some(now);
    }
}

#[cfg(test)]
mod tests;
