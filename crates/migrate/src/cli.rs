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
    }
}
