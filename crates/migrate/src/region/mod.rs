//! `fly-migrate region`: the commands around a plan.

pub mod cli;
pub(crate) mod eyes;
pub mod patch;
mod runs;
pub mod script;
