//! One model for everything that judges: bundle analyzers, fly.toml lints, audit checks.
//!
//! Purpose: what a finding is, how findings rank, and how they print. It must not know: what is judged, where the
//! facts come from, files, terminals.

mod model;

pub use model::{Confidence, Evidence, Finding, Location, Remedy, Rule, Severity, rank};
