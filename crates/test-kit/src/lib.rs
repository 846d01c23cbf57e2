//! What tests of several crates share: a sandbox for a program, worlds of the simulator, the workspace's own executables,
//! and a search for canaries.
//!
//! It must not know: what any tool does. It is a dev-dependency only.

mod binary;
mod canary;
mod sandbox;
mod world;

pub use binary::binary;
pub use canary::{Hit, scan};
pub use sandbox::{Outcome, Sandbox};
pub use world::{SimProcess, sim};
