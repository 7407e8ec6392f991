//! Synchronized updates (mode 2026): a program asks that its picture be shown once it is whole.

use std::time::{Duration, Instant};

/// A program that has begun an update has this long for it: then its half picture is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// The update that a program is within, if it is within one.
#[derive(Debug, Default)]
pub(super) struct Update(Option<(u64, Instant)>);

impl Update {
    /// Notes which update the program is within now; each has a number of its own.
    pub(super) fn follow(&mut self, number: Option<u64>, now: Instant) {
        self.0 = number.map(|number| match self.0 {
            Some((known, since)) if known == number => (known, since),
            _ => (number, now),
        });
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_none()
    }

    /// How long the picture may stay half for its sake; nothing when it is whole, or that was too long.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let (_, since) = self.0?;
        PATIENCE
            .checked_sub(now.saturating_duration_since(since))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_is_waited_for_until_it_is_over_or_too_long() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut update = Update::default();
        assert_eq!(update.left(start), None);
        update.follow(Some(1), start);
        update.follow(Some(1), at(900));
        assert_eq!(update.left(at(900)), Some(Duration::from_millis(100)));
        assert_eq!(update.left(at(1000)), None);
        update.follow(Some(2), at(1000));
        assert_eq!(update.left(at(1000)), Some(PATIENCE));
        update.follow(None, at(1200));
        assert!(update.is_over());
    }
}
