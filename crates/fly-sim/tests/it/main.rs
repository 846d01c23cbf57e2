//! Black-box tests of the simulator: over HTTP, through its executables, and through a real flyctl where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod client;
mod clients;
mod conformance;
mod contract;
mod differential;
mod edge;
mod fake;
mod faults;
mod graphql;
mod hostile;
mod lifecycle;
mod metrics;
mod negatives;
mod places;
mod platform;
mod programs;
mod reads;
mod variants;
mod worlds;
