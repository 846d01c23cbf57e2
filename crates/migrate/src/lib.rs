//! Moves an app between regions of Fly.io: inventory, plan, apply, resume, undo, clean up.
//!
//! Purpose: everything that decides *what* has to happen so that an app leaves a region without losing a byte. How plans are
//! carried out, journalled and taken back is `runbook`; how Fly.io is asked is `fly-api`. It must not know: the terminal,
//! environment variables.

pub mod cli;
mod errors;
pub mod guards;
pub mod inventory;
mod leases;
pub mod platform;
pub mod prices;
pub mod region;
pub mod regions;
pub mod steps;
pub mod template;
pub mod v2;
pub mod volume;
