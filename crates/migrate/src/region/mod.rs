//! `fly-migrate region`: the commands around a plan.

pub(crate) mod act;
pub mod cli;
pub(crate) mod eyes;
mod make;
pub mod order;
mod org;
pub mod patch;
pub(crate) mod runs;
pub mod script;
pub mod show;
mod status;
