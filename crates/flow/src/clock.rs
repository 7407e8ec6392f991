//! Time and ids, handed in so that a run can be replayed.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970, as people count.
    fn now(&self) -> u64;
    /// Milliseconds that the machine was awake since some moment of its boot; stands still while it sleeps.
    fn awake(&self) -> u64;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes"
    )]
    fn now(&self) -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            })
    }

    fn awake(&self) -> u64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000
            + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
    }
}

/// A new id for a run: eight letters and digits that are easy to say and to type.
pub(crate) fn run_id() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut random = RandomState::new().build_hasher().finish();
    (0..8)
        .map(|_| {
            let letter = LETTERS[usize::try_from(random % LETTERS.len() as u64).unwrap_or(0)];
            random /= LETTERS.len() as u64;
            char::from(letter)
        })
        .collect()
}

/// A number that depends on `text` alone, between 0 and 1.
pub(crate) fn jitter(text: &str) -> f64 {
    // FNV-1a: the same in every process, unlike the standard hasher.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}
