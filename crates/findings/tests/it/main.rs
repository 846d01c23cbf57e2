//! Findings from the outside: what is accepted, what is printed, and whether the formats are what they claim to be.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod accept;
mod formats;
mod hostile;
mod sample;
mod schema;
