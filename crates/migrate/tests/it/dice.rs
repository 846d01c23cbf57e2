//! Chosen cases: reproducible from a seed that is printed. `FLY_OPS_TEST_CASES` means everything.

use std::sync::atomic::{AtomicU64, Ordering};

/// Whether every case is wanted: `cargo xtask soak migrate`.
#[expect(clippy::disallowed_methods, reason = "how the soak tells the tests what it wants")]
pub(crate) fn everything() -> bool {
    std::env::var_os("FLY_OPS_TEST_CASES").is_some()
}

/// The seed of this run.
#[expect(clippy::disallowed_methods, reason = "how the soak tells the tests what it wants")]
pub(crate) fn seed() -> u64 {
    let given = std::env::var("FLY_OPS_TEST_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(20_260_826)
}

/// Numbers that depend on the seed only (SplitMix64).
pub(crate) struct Dice(AtomicU64);

impl Dice {
    /// Another series for each name.
    pub(crate) fn new(name: &str) -> Self {
        let start = name.bytes().fold(seed(), |sum, byte| {
            sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte))
        });
        Self(AtomicU64::new(start))
    }

    pub(crate) fn next(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True once in so many throws.
    pub(crate) fn one_in(&self, share: u64) -> bool {
        self.next().is_multiple_of(share)
    }

    /// So many of these; all of them when everything is wanted.
    pub(crate) fn some<T>(&self, mut of: Vec<T>, count: usize) -> Vec<T> {
        if everything() {
            return of;
        }
        while of.len() > count {
            let at = usize::try_from(self.next() % of.len() as u64).unwrap();
            of.swap_remove(at);
        }
        of
    }
}
