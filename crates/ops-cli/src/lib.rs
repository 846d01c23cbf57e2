//! What every binary shares: arguments, configuration, output, progress, exit codes.
//!
//! Invariant: the only crate that reads environment variables and knows the terminal.

mod exit;

pub use exit::Exit;
