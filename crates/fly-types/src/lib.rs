//! Vocabulary of Fly.io: ids, regions, sizes, states and the wire bodies of the Machines API.
//!
//! Purpose: one definition of each word, parsed once at the edge, for the client, the fly.toml tools and (ids and
//! regions only) the simulator. It must not know: I/O, clocks, HTTP, configuration.

pub mod deploy;
pub mod duration;
mod id;
pub mod image;
pub mod region;
pub mod size;
pub mod state;
pub mod wire;

pub use deploy::DeployRequest;
pub use id::{AppName, IdError, MachineId, OrgSlug, RegionCode, VolumeId};
