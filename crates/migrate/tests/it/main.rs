//! Moves against the simulator.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::print_stdout, reason = "sizes of matrices are printed")]
#![allow(clippy::disallowed_methods, reason = "a test is its own approval")]

mod bench;
mod cli;
mod dice;
mod failures;
mod faults;
mod hazards;
mod kills;
mod live;
mod load;
mod operators;
mod plan_cli;
mod plan_org;
mod plan_steps;
mod planning;
mod refusals;
mod saga;
mod shapes;
mod sweep;
mod template_matrix;
mod templates;
mod v2;
mod volume;
mod volume_check;
mod volume_cleanup;
mod volume_cli;
#[cfg(target_os = "linux")]
mod volume_scripts;
