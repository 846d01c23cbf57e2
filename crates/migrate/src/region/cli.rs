//! Arguments of `fly-migrate region`, and which module does what.

use std::path::PathBuf;

use ops_cli::{CliError, Context, Exit};

use super::{act, make, org, show, status};
use crate::cli::Args;

/// What can be done with a move.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Look at the app and write a plan; changes nothing
    Plan(PlanArgs),
    /// Print a plan file
    Show {
        /// Plan file
        plan: PathBuf,
        /// As Markdown, with reasons and commands
        #[arg(long)]
        markdown: bool,
        /// As a commented shell script, for doing it by hand
        #[arg(long, conflicts_with = "markdown")]
        script: bool,
    },
    /// Carry a plan out
    Apply {
        /// Plan file
        plan: PathBuf,
        /// What the operator knows.
        #[command(flatten)]
        answers: AnswerArgs,
        /// Do not ask; not enough for a plan that passes a point of no return
        #[arg(long)]
        yes: bool,
        /// The app's name, for a plan that passes a point of no return
        #[arg(long, value_name = "APP")]
        confirm: Option<String>,
    },
    /// List runs, or show one
    Status {
        /// Run
        run: Option<String>,
    },
    /// Go on with a run that stopped or was killed
    Resume {
        /// Run; not needed if only one is unfinished
        run: Option<String>,
        /// What the operator knows.
        #[command(flatten)]
        answers: AnswerArgs,
    },
    /// Take a run back
    Rollback {
        /// Run; not needed if only one is unfinished
        run: Option<String>,
        /// Keep everything up to and including this step
        #[arg(long, value_name = "STEP")]
        to: Option<String>,
    },
    /// Destroy what a finished move left in the old region
    Cleanup {
        /// Run of the move
        run: String,
        /// The app's name: what is destroyed is gone
        #[arg(long, value_name = "APP")]
        confirm: Option<String>,
        /// Only print what would be destroyed
        #[arg(long)]
        dry_run: bool,
    },
    /// Check again what a run promised
    Verify {
        /// Run
        run: String,
    },
}

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// Region to leave
    #[arg(long, value_name = "REGION")]
    pub(super) from: String,
    /// Region to go to; the nearest that is not deprecated when absent
    #[arg(long, value_name = "REGION")]
    pub(super) to: Option<String>,
    /// Plan file to write (plan.json), or with --org the directory for all of them (plans)
    #[arg(long, value_name = "PATH")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) answers: AnswerArgs,
    /// Oldest snapshot of a volume that counts as a backup, in hours
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(super) backup_hours: i64,
    /// Go without young backups, and why
    #[arg(long, value_name = "REASON")]
    pub(super) waive_backup: Option<String>,
    /// Go with certificates that are not in order, and why
    #[arg(long, value_name = "REASON")]
    pub(super) waive_names: Option<String>,
    /// The app's fly.toml, for the patch beside the plan; the one of --config or of this directory when absent
    #[arg(long, value_name = "FILE")]
    pub(super) fly_toml: Option<PathBuf>,
    /// Destroy the old side in the same run; `apply` then wants the app's name typed
    #[arg(long)]
    pub(super) no_soak: bool,
    /// Seconds for requests that are under way
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(super) drain: u64,
    /// Seconds to watch the new Machines after the cutover
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(super) watch: u64,
    /// Regions into which this app may move (data residency), comma separated
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub(super) allowed: Vec<String>,
    /// Exit with 20 when the plan has changes
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Print the plan as a commented shell script
    #[arg(long)]
    pub(super) script: bool,
}

/// What the operator knows.
#[derive(Debug, Default, clap::Args)]
pub struct AnswerArgs {
    /// Where the rehearsal in staging is recorded, or `waived: REASON`
    #[arg(long, value_name = "TEXT")]
    pub(super) rehearsed: Option<String>,
    /// Who looked at names of the old region that are written into variables and fly.toml, and what came of it
    #[arg(long, value_name = "TEXT")]
    pub(super) regions_checked: Option<String>,
    /// An answer to a question that a run asked, such as `allow-listed=WHERE` or `data-loss=accepted`
    #[arg(long = "answer", value_name = "QUESTION=TEXT", value_parser = question)]
    pub(super) given: Vec<(String, String)>,
}

fn question(text: &str) -> Result<(String, String), String> {
    let parts =
        text.split_once('=').filter(|(name, answer)| !name.is_empty() && !answer.trim().is_empty());
    let (name, answer) = parts.ok_or("write it as QUESTION=TEXT")?;
    Ok((name.to_owned(), answer.to_owned()))
}

/// Runs one command.
///
/// # Errors
/// What went wrong, with the exit code.
pub async fn run(args: &Args, command: &Command, context: &Context) -> Result<Exit, CliError> {
    match command {
        Command::Plan(options) if org::is_meant(args) => org::plans(args, options, context).await,
        Command::Plan(options) => make::one(args, options, context).await,
        Command::Show { plan, markdown, script } => {
            let plan = act::load(context, plan)?;
            show::plan(context, &plan, show::Form::of(*markdown, *script))?;
            Ok(Exit::Ok)
        }
        Command::Apply { plan, answers, yes, confirm } => {
            let plan = act::load(context, plan)?;
            act::apply(args, context, &plan, answers, *yes, confirm.as_deref()).await
        }
        Command::Status { run } => status::status(args, context, run.as_deref()).await,
        Command::Resume { run, answers } => {
            act::resume(args, context, run.as_deref(), answers).await
        }
        Command::Rollback { run, to } => {
            act::rollback(args, context, run.as_deref(), to.as_deref()).await
        }
        Command::Cleanup { run, confirm, dry_run } => {
            act::clean_up(args, context, run, confirm.as_deref(), *dry_run).await
        }
        Command::Verify { run } => status::verify(args, context, run).await,
    }
}
