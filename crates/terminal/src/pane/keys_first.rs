//! Keys come first: while a person types in one pane, panes that flood stop reading for a moment at a time.
//!
//! A key's way to the screen is short, and on few processors it waits behind every thread that has work without end: the
//! readers of panes that flood, and their programs. A reader that stops has its program stop too, as soon as the terminal
//! between them is full.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::types::PaneId;

/// A key and what it makes are on screen by then, most often.
const PAUSE: Duration = Duration::from_millis(25);
/// So much within [`SPAN`] is a flood; and so much is read between two pauses, however fast somebody types.
const FLOOD: usize = 64 * 1024;
/// See [`FLOOD`].
const SPAN: Duration = Duration::from_millis(100);

/// Where something was typed last, and when; of all panes.
#[derive(Debug, Default)]
pub(crate) struct LastKey(Mutex<Option<(PaneId, Instant)>>);

impl LastKey {
    /// Something was typed into this pane.
    pub(super) fn typed(&self, pane: PaneId, now: Instant) {
        *self.0.lock() = Some((pane, now));
    }
}

/// How much a pane's reader has read of late.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    bytes: usize,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            bytes: 0,
        }
    }

    /// So many bytes of a pane were read: how long its reader is to stop for keys in other panes.
    pub(super) fn read(
        &mut self,
        pane: PaneId,
        bytes: usize,
        keys: &LastKey,
        now: Instant,
    ) -> Option<Duration> {
        if now.saturating_duration_since(self.since) > SPAN {
            *self = Self::new(now);
        }
        self.bytes += bytes;
        if self.bytes < FLOOD {
            return None;
        }
        let (typed_in, at) = (*keys.0.lock())?;
        let left = PAUSE.checked_sub(now.saturating_duration_since(at))?;
        if typed_in == pane || left.is_zero() {
            return None;
        }
        *self = Self::new(now + left);
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;
    const TYPED: PaneId = PaneId(1);
    const FLOODS: PaneId = PaneId(2);

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_flood_waits_for_a_key_and_goes_on() {
        let start = Instant::now();
        let keys = LastKey::default();
        let mut pace = Pace::new(start);
        let mut read = |kib, at| pace.read(FLOODS, kib * KIB, &keys, start + ms(at));
        assert_eq!(read(80, 1), None, "nobody has typed");
        keys.typed(TYPED, start + ms(2));
        assert_eq!(read(4, 5), Some(ms(22)), "a key is under way");
        assert_eq!(read(60, 27), None, "it has just waited");
        assert_eq!(read(4, 28), None, "the key is on screen");
        keys.typed(TYPED, start + ms(29));
        assert_eq!(read(4, 30), Some(ms(24)), "the next one is under way");
    }

    #[test]
    fn little_output_and_the_pane_that_is_typed_in_do_not_wait() {
        let start = Instant::now();
        let keys = LastKey::default();
        keys.typed(TYPED, start);
        let mut pace = Pace::new(start);
        assert_eq!(pace.read(FLOODS, 60 * KIB, &keys, start + ms(1)), None);
        // Long after the first: together they are no flood.
        keys.typed(TYPED, start + ms(150));
        assert_eq!(pace.read(FLOODS, 60 * KIB, &keys, start + ms(150)), None);
        let mut pace = Pace::new(start);
        keys.typed(TYPED, start);
        assert_eq!(pace.read(TYPED, 200 * KIB, &keys, start + ms(1)), None);
    }
}
