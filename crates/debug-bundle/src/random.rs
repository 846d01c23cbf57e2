//! Randomness for names and ids, from the system.

use std::fs::File;
use std::io::{self, Read};

/// Fills `bytes`.
pub(crate) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact(bytes)
}
