//! Running real programs: well-behaved ones, and every kind of misbehaving one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod ends;
mod find;
mod flyctl;
mod output;
mod secrets;
mod support;
