//! The time, handed in: whoever is told a [`Clock`] can be tested at any hour, and replayed.

use std::fmt;
use std::sync::Arc;

/// What a clock says. A function is one whose two hands go together.
pub trait Time: Send + Sync + 'static {
    /// Milliseconds since 1970, as people count: may jump, backwards too.
    fn now_ms(&self) -> u64;

    /// Milliseconds that the machine was awake since some moment of its boot: never goes back, and stands still while
    /// it sleeps.
    fn awake_ms(&self) -> u64;
}

impl<F: Fn() -> u64 + Send + Sync + 'static> Time for F {
    fn now_ms(&self) -> u64 {
        self()
    }

    fn awake_ms(&self) -> u64 {
        self()
    }
}

/// Says what time it is; clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Time>);

impl Clock {
    /// The machine's own.
    #[must_use]
    pub fn system() -> Self {
        Self::new(System)
    }

    /// One that says what `time` says.
    pub fn new(time: impl Time) -> Self {
        Self(Arc::new(time))
    }

    /// Milliseconds since 1970, as people count: may jump, backwards too.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }

    /// Milliseconds that the machine was awake since some moment of its boot: never goes back, and stands still while
    /// it sleeps (`CLOCK_MONOTONIC` of `clock_gettime(2)`).
    #[must_use]
    pub fn awake_ms(&self) -> u64 {
        self.0.awake_ms()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The machine's clocks.
struct System;

impl Time for System {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes"
    )]
    fn now_ms(&self) -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            })
    }

    fn awake_ms(&self) -> u64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000
            + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn clones_are_one_clock_that_its_owner_turns() {
        let hand = Arc::new(AtomicU64::new(7));
        let seen = Arc::clone(&hand);
        let clock = Clock::new(move || seen.load(Ordering::SeqCst));
        let other = clock.clone();
        hand.store(9, Ordering::SeqCst);
        assert_eq!((clock.now_ms(), other.awake_ms()), (9, 9));
    }

    #[test]
    fn the_machines_clock_is_past_2020_and_its_second_hand_never_goes_back() {
        let clock = Clock::system();
        assert!(clock.now_ms() > 1_577_836_800_000);
        let readings: Vec<u64> = (0..1_000).map(|_| clock.awake_ms()).collect();
        assert!(readings.is_sorted());
    }
}
