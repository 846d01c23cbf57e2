//! The tool `fly-toml`: check, lint, explain, edit, convert and overlay fly.toml.
//!
//! Purpose: files, directories and standard streams around the library `fly-toml`, which sees text only. Must not know:
//! what a key means.

pub mod args;
mod check;
mod explain;
mod human;
mod input;

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
    }
}
