//! Black-box tests of the runbook engine over a toy world.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod journals;
mod kills;
mod matrix;
mod plans;
mod sharing;
mod stops;
mod toy;
