//! Fly.io on loopback, for demos, tests and other people's clients.
//!
//! A [`World`] (TOML) is started as a [`Sim`]: one server that answers the Machines API, GraphQL, the web REST routes,
//! logs, incidents and the status page. It shares only ids and regions with `fly-types`: its bodies, transitions and
//! limits are its own, written from the documents, so that client and simulator can catch each other's mistakes.

mod clock;
mod edge;
pub mod fake;
mod gql;
mod mapi;
mod prom;
mod server;
mod state;
mod variants;
mod web;
mod world;

pub use clock::ClockMode;
pub use server::{
    Operation, Options, Recorded, Sim, StartError, environment_lines, operations, shell_lines,
};
pub use variants::Variants;
pub use world::{Expect, HandedIn, WORLD_NAMES, World, WorldError};
