//! `fly-migrate region`: the commands around a plan.

pub mod cli;
pub(crate) mod eyes;
pub mod patch;
pub(crate) mod runs;
pub mod script;
