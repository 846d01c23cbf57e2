//! The binary from outside: files, streams, exit codes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod check;
mod commands;
mod corpus;
mod human;
mod support;
