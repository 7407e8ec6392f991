//! When the lines of a pane came: a list of moments beside its segments, each with how many lines there were by then.

use std::collections::VecDeque;
use std::ops::Range;

/// While lines keep coming, a moment is kept as often as this: a line's time is known to a few seconds.
const STEP_MS: u64 = 5_000;
/// The bytes of a moment in the file.
const RECORD: usize = 24;

/// How many lines a pane had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// The number of the line after the last that had been printed, also if it was still on screen.
    pub(crate) printed: u64,
    /// The number of the full-screen line after the last that had been shown.
    pub(crate) sampled: u64,
}

impl Moment {
    /// All lines had come.
    pub(super) fn of_all(at_ms: u64) -> Self {
        Self {
            at_ms,
            printed: u64::MAX,
            sampled: u64::MAX,
        }
    }

    fn encode(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        for (at, number) in [self.at_ms, self.printed, self.sampled].iter().enumerate() {
            bytes[at * 8..at * 8 + 8].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

/// The moments of a pane that lives, on their way to its file.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// The one that was noted last. It is kept once lines come a while later, or none any more.
    last: Option<Moment>,
    /// The last one that is kept.
    kept: Option<Moment>,
    waiting: VecDeque<Moment>,
}

impl Times {
    pub(super) fn note(&mut self, moment: Moment) {
        let Some(last) = self.last else {
            self.keep(moment);
            self.last = Some(moment);
            return;
        };
        if (last.printed, last.sampled) == (moment.printed, moment.sampled) {
            return;
        }
        let since = |earlier: Option<Moment>| {
            earlier.map_or(u64::MAX, |it| moment.at_ms.saturating_sub(it.at_ms))
        };
        if since(Some(last)) >= STEP_MS {
            self.end();
        }
        if since(self.kept) >= STEP_MS {
            self.keep(moment);
        }
        self.last = Some(moment);
    }

    /// Keeps what was noted last: nothing is likely to follow soon.
    pub(super) fn end(&mut self) {
        if let Some(last) = self.last.filter(|last| self.kept != Some(*last)) {
            self.keep(last);
        }
    }

    fn keep(&mut self, moment: Moment) {
        self.kept = Some(moment);
        self.waiting.push_back(moment);
    }

    /// The bytes of what is to be written, and how many moments they are.
    pub(super) fn unwritten(&self) -> (Vec<u8>, usize) {
        let bytes = self.waiting.iter().flat_map(|moment| moment.encode());
        (bytes.collect(), self.waiting.len())
    }

    /// The first `count` of what was to be written are.
    pub(super) fn written(&mut self, count: usize) {
        self.waiting.drain(..count.min(self.waiting.len()));
    }

    /// What is in no file.
    pub(super) fn in_memory(&self) -> Vec<Moment> {
        let last = self.last.filter(|last| self.kept != Some(*last));
        self.waiting.iter().copied().chain(last).collect()
    }
}

/// The moments that a file holds; what was not written whole is left out.
pub(super) fn decode(bytes: &[u8]) -> Vec<Moment> {
    let number = |record: &[u8], at: usize| {
        let bytes = record[at * 8..at * 8 + 8].try_into();
        bytes.map_or(0, u64::from_le_bytes)
    };
    let records = bytes.chunks_exact(RECORD);
    records
        .map(|record| Moment {
            at_ms: number(record, 0),
            printed: number(record, 1),
            sampled: number(record, 2),
        })
        .collect()
}

/// Moments in the order in which they were noted, without those that a later one takes back: a program that clears its
/// screen prints the same lines anew.
pub(super) fn in_order(noted: impl IntoIterator<Item = Moment>) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for mut moment in noted {
        while let Some(before) = moments
            .pop_if(|before| before.printed > moment.printed || before.sampled > moment.sampled)
        {
            moment.sampled = moment.sampled.max(before.sampled);
        }
        if let Some(before) = moments.last() {
            // A clock that was set back.
            moment.at_ms = moment.at_ms.max(before.at_ms);
        }
        moments.push(moment);
    }
    moments
}

/// The lines that came from `since` on and before `before`: those that were printed, and those of full-screen programs.
pub(super) fn came(
    moments: &[Moment],
    since: Option<u64>,
    before: Option<u64>,
) -> (Range<u64>, Range<u64>) {
    let by = |time: u64| {
        let count = moments.partition_point(|moment| moment.at_ms < time);
        count.checked_sub(1).map_or((0, 0), |last| {
            (moments[last].printed, moments[last].sampled)
        })
    };
    let from = since.map_or((0, 0), by);
    let to = before.map_or((u64::MAX, u64::MAX), by);
    (from.0..to.0, from.1..to.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_ms: u64, printed: u64) -> Moment {
        Moment {
            at_ms,
            printed,
            sampled: 0,
        }
    }

    fn noted(moments: &[(u64, u64)]) -> Times {
        let mut times = Times::default();
        for (at_ms, printed) in moments {
            times.note(at(*at_ms, *printed));
        }
        times
    }

    #[test]
    fn moments_are_kept_every_few_seconds_and_around_each_pause() {
        let busy: Vec<_> = (0..20).map(|n| (n * 600, n)).collect();
        let kept = |times: &Times| times.waiting.iter().map(|it| it.at_ms).collect::<Vec<_>>();
        assert_eq!(kept(&noted(&busy)), [0, 5_400, 10_800]);
        // Lines that came before a pause are not taken for those behind it.
        let paused = noted(&[(0, 1), (2_000, 2), (90_000, 3), (91_000, 4)]);
        assert_eq!(kept(&paused), [0, 2_000, 90_000]);
        assert_eq!(paused.in_memory().last(), Some(&at(91_000, 4)));
        // Nothing new is no moment.
        assert_eq!(kept(&noted(&[(0, 1), (9_000, 1)])), [0]);
    }

    #[test]
    fn what_is_written_is_read_and_what_was_torn_is_left_out() {
        let mut times = noted(&[(0, 1), (9_000, 2)]);
        let (bytes, count) = times.unwritten();
        assert_eq!(decode(&bytes[..bytes.len() - 1]), [at(0, 1)]);
        assert_eq!(decode(&bytes), [at(0, 1), at(9_000, 2)]);
        times.written(count);
        assert_eq!(times.in_memory(), []);
    }

    #[test]
    fn lines_are_told_by_the_moment_by_which_they_had_come() {
        let moments = in_order([at(1_000, 10), at(2_000, 20), at(3_000, 30)]);
        let printed = |since, before| came(&moments, since, before).0;
        assert_eq!(printed(None, None), 0..u64::MAX);
        assert_eq!(printed(Some(1_000), None), 0..u64::MAX);
        assert_eq!(printed(Some(1_001), None), 10..u64::MAX);
        assert_eq!(printed(Some(1_500), Some(2_500)), 10..20);
        assert_eq!(printed(None, Some(500)), 0..0);
        assert_eq!(printed(Some(9_000), None), 30..u64::MAX);
    }

    #[test]
    fn a_screen_that_was_cleared_has_its_lines_at_their_last_time_and_a_clock_may_go_back() {
        let moments = in_order([at(1_000, 10), at(2_000, 30), at(3_000, 12), at(2_500, 40)]);
        assert_eq!(moments, [at(1_000, 10), at(3_000, 12), at(3_000, 40)]);
    }
}
