//! Ids that no other run has, and waits that do not fall together.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

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
