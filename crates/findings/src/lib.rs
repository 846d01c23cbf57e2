//! One model for everything that judges: bundle analyzers, fly.toml lints, audit checks.
//!
//! Purpose: what a finding is, how findings are selected, accepted, ranked, and printed. It must not know: what is judged,
//! where the facts come from, files, terminals, the time of day.

mod baseline;
mod catalogue;
mod format;
mod ignore;
mod model;
mod report;
mod select;

pub use baseline::{Accepted, Baseline, BaselineError};
pub use catalogue::Catalogue;
pub use format::{
    Format, Paint, SCHEMA_VERSION, github, json, json_schema, junit, markdown, sarif, table,
};
pub use ignore::{Ignore, IgnoreError, Ignores};
pub use model::{
    Confidence, Evidence, Finding, Location, NotJudged, Remedy, Rule, Severity, UnknownWord, rank,
};
pub use report::{Report, ReportError, Suppressed, Suppression, Tool};
pub use select::{Selection, SelectionError};
