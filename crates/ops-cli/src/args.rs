//! Groups of options that the binaries share: exactly what was typed, resolved by nobody yet.
//!
//! A binary flattens the groups it needs at its top level; all options are global, so that they may stand before or
//! after a subcommand. It must not know: environment, files, terminal.

use std::path::PathBuf;

/// How to talk to the person or script that started the command.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Print data as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on standard error; twice for each call, three times for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use color
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: When,
    /// Show no progress, neither bars nor lines
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// `auto`, `always` or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum When {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Also in pipes and files
    Always,
    /// Nowhere
    Never,
}

/// How to reach Fly.io. Base addresses come from the environment only, as with flyctl.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Access")]
pub struct AccessArgs {
    /// File with an access token, instead of FLY_ACCESS_TOKEN, FLY_API_TOKEN or flyctl's login; `-` for standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// PEM file with certificate authorities to trust besides the usual ones
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// Which app a command is about.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Target")]
pub struct AppArgs {
    /// App, instead of FLY_APP or the app of fly.toml
    #[arg(short, long, global = true, value_name = "NAME")]
    pub app: Option<String>,
    /// App configuration file (or its directory), instead of fly.toml here
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Which organization a command is about.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Target")]
pub struct OrgArgs {
    /// Organization slug, instead of FLY_ORG
    #[arg(short, long, global = true, value_name = "SLUG")]
    pub org: Option<String>,
}

/// From when to when.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct WindowArgs {
    /// Start: an age (30m, 2h, 1d), a date (2026-11-25, UTC) or a time (2026-11-25T08:00:00Z)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// End, in the same forms; now, when it is missing
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
}
