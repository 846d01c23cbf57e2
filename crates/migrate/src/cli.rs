//! Arguments of `fly-migrate`. Each family of subcommands has its own module; adding one is a line here and in `run`.

use ops_cli::args::{AccessArgs, AppArgs, OrgArgs, OutputArgs};
use ops_cli::{Arguments, CliError, Context, Exit};

/// Move apps, volumes and Machines between regions of Fly.io
#[derive(Debug, clap::Parser)]
#[command(name = "fly-migrate", version)]
pub struct Args {
    #[command(flatten)]
    output: OutputArgs,
    /// How to reach Fly.io.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Which app.
    #[command(flatten)]
    pub app: AppArgs,
    /// Which organization.
    #[command(flatten)]
    pub org: OrgArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Move an app out of a region: plan, apply, resume, roll back, clean up
    #[command(subcommand)]
    Region(crate::region::cli::Command),
    /// Add, check, fork, restore and shrink volumes
    #[command(subcommand)]
    Volume(crate::volume::cli::Command),
    /// What is left to do for an app or a fly.toml of Apps v1
    V2(crate::v2::V2Args),
}

impl Arguments for Args {
    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// The whole command.
///
/// # Errors
/// What went wrong, with the exit code.
pub async fn run(args: Args, context: Context) -> Result<Exit, CliError> {
    match &args.command {
        Command::Region(command) => crate::region::cli::run(&args, command, &context).await,
        Command::Volume(command) => crate::volume::cli::run(&args, command, &context).await,
        Command::V2(options) => crate::v2::run(&args, options, &context).await,
    }
}
