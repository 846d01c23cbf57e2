//! The tool `fly-toml`: check, lint, explain, edit, convert and overlay fly.toml.
//!
//! Purpose: files, directories and standard streams around the library `fly-toml`, which sees text only. Must not know:
//! what a key means.

pub mod args;
mod check;
mod compare;
mod convert;
mod edit;
mod explain;
mod human;
mod input;
mod new;
mod one;
mod print;

use ops_cli::{CliError, Context, Exit};

use crate::args::{Args, Command};

/// Runs one command.
///
/// # Errors
///
/// Arguments or files that cannot be used; findings are no error but [`Exit::Findings`].
#[expect(clippy::unused_async, reason = "the shape of a command's entry point")]
pub async fn run(args: Args, context: Context) -> Result<Exit, CliError> {
    match &args.command {
        Command::Check(options) => check::run(options, &context),
        Command::Explain(options) => explain::run(options, &context),
        Command::Fmt(options) => edit::fmt(options, &context),
        Command::Get(options) => edit::get(options, &context),
        Command::Set(options) => edit::set(options, &context),
        Command::Unset(options) => edit::unset(options, &context),
        Command::Diff(options) => compare::diff(options, &context),
        Command::Overlay(options) => compare::overlay(options, &context),
        Command::MachineConfig(options) => convert::machine_config(options, &context),
        Command::FromMachines(options) => convert::from_machines(options, &context),
        Command::Migrate(options) => compare::migrate(options, &context),
        Command::New(options) => new::new(options, &context),
        Command::DockerRun(options) => new::docker_run(options, &context),
    }
}
