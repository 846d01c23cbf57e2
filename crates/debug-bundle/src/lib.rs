//! One command turns a sick Fly.io app into a redacted, verified support bundle.
//!
//! `cli` reads the arguments; `bundle` makes one bundle: `schedule` runs the collectors of `collect` into `staging`, `analyze`
//! judges what they brought, `report` writes about it, `archive` packs, verifies and names the result. Invariant: at the final
//! path there is a complete, verified archive or nothing.

pub mod analyze;
pub mod archive;
pub mod bundle;
mod cli;
pub mod collect;
pub mod facts;
pub mod fault;
pub mod job;
pub mod leak;
pub mod manifest;
pub mod output;
pub mod plan;
mod random;
pub mod repack;
pub mod report;
pub mod sample;
pub mod schedule;
pub mod staging;
pub mod surroundings;
pub mod traffic;

pub use cli::{Args, run};

/// Name of the program.
const TOOL: &str = "fly-debug-bundle";
/// Requests in flight per API host.
const PER_API_HOST: u32 = 16;
/// Requests in flight per probed host.
const PER_PROBED_HOST: u32 = 6;
