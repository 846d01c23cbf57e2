//! Black-box tests of the vocabulary.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod recorded;
mod unknown_keys;
