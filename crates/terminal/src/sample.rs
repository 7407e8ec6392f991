//! What full-screen programs showed: lines that newly appeared on the alternate screen, each once.
//!
//! Such a program redraws: the same line comes again, elsewhere, whole or letter by letter. So the screen is not
//! looked at after each byte but when it has stood still for a moment, and at times while it does not; and what
//! was seen lately is not taken again.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::styled::StyledLine;

/// A picture that stood so long was shown to be read.
const STILL: Duration = Duration::from_millis(60);
/// A screen that is never still is looked at this often.
const RESTLESS: Duration = Duration::from_millis(500);
/// How many lines are remembered as seen.
const SEEN: usize = 4_096;

/// Remembers what a pane's full-screen programs showed lately.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    hasher: RandomState,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
    /// When the program wrote last, and when it was looked at last; none: nothing has changed since.
    wrote: Option<Instant>,
    looked: Option<Instant>,
}

impl Sampler {
    /// Whether the screen is to be looked at before the program's next bytes change it.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let Some(wrote) = self.wrote else {
            return false;
        };
        let since_looked = self.looked.map(|looked| now.duration_since(looked));
        now.duration_since(wrote) >= STILL || since_looked.is_none_or(|since| since >= RESTLESS)
    }

    /// The program has written to its screen.
    pub(crate) fn wrote(&mut self, now: Instant) {
        self.wrote = Some(now);
        self.looked.get_or_insert(now);
    }

    /// Whether something was written that has not been looked at.
    pub(crate) fn has_unseen(&self) -> bool {
        self.wrote.is_some()
    }

    /// Looks at the rows of a screen, and returns those that were not seen lately.
    pub(crate) fn look(
        &mut self,
        now: Instant,
        rows: impl IntoIterator<Item = String>,
    ) -> Vec<StyledLine> {
        self.wrote = None;
        self.looked = Some(now);
        let mut new = Vec::new();
        for row in rows {
            let text = row.trim_end();
            // Frames and rulers say nothing.
            if !text.chars().any(char::is_alphanumeric) {
                continue;
            }
            // The same words elsewhere on the screen are the same words.
            let hash = self.hasher.hash_one(text.trim_start());
            if !self.seen.insert(hash) {
                continue;
            }
            self.order.push_back(hash);
            if self.order.len() > SEEN
                && let Some(oldest) = self.order.pop_front()
            {
                self.seen.remove(&oldest);
            }
            new.push(StyledLine {
                text: text.to_owned(),
                full_screen: true,
                ..StyledLine::default()
            });
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(sampler: &mut Sampler, now: Instant, rows: &[&str]) -> Vec<String> {
        sampler
            .look(now, rows.iter().map(|row| (*row).to_owned()))
            .into_iter()
            .map(|line| line.text)
            .collect()
    }

    #[test]
    fn a_redraw_and_a_scroll_give_only_what_is_new() {
        let mut sampler = Sampler::default();
        let now = Instant::now();
        assert_eq!(
            look(&mut sampler, now, &["one", "two", "─────", ""]),
            ["one", "two"]
        );
        assert_eq!(
            look(&mut sampler, now, &["one", "two", "─────", ""]),
            [""; 0]
        );
        assert_eq!(look(&mut sampler, now, &["two", "  three  "]), ["  three"]);
    }

    #[test]
    fn what_was_seen_long_ago_is_new_again_and_memory_is_bounded() {
        let mut sampler = Sampler::default();
        let now = Instant::now();
        look(&mut sampler, now, &["first"]);
        for n in 0..SEEN {
            look(&mut sampler, now, &[&format!("line {n}")]);
        }
        assert_eq!(look(&mut sampler, now, &["first"]), ["first"]);
        assert!(sampler.seen.len() <= SEEN && sampler.order.len() <= SEEN);
    }

    #[test]
    fn a_still_picture_is_looked_at_before_it_changes_and_a_restless_one_at_times() {
        let mut sampler = Sampler::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!sampler.is_due(start));
        sampler.wrote(start);
        assert!(!sampler.is_due(at(10)));
        assert!(sampler.is_due(at(100)));
        let mut looks = 0;
        for ms in (0..2000).step_by(10) {
            sampler.wrote(at(ms));
            if sampler.is_due(at(ms + 5)) {
                looks += 1;
                look(&mut sampler, at(ms + 5), &["x"]);
            }
        }
        assert_eq!(looks, 3);
    }
}
