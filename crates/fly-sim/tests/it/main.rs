//! Black-box tests of the simulator: over HTTP, through its executables, and through a real flyctl where there is one.

mod client;
mod conformance;
mod fake;
mod faults;
mod graphql;
mod reads;
mod worlds;
