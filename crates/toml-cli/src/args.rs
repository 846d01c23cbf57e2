//! The command line, exactly as typed.

use std::path::PathBuf;

use findings::{Format, Selection, Severity};
use fly_toml::template::{Scripts, Template};
use ops_cli::Arguments;
use ops_cli::args::OutputArgs;

/// Check, explain, edit and convert fly.toml
///
/// Works on files alone: no account, no token, no network.
#[derive(Debug, clap::Parser)]
#[command(name = "fly-toml", version)]
pub struct Args {
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments for Args {
    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say what flyctl refuses, what it silently ignores, and what will hurt
    Check(Box<CheckArgs>),
    /// Explain a code, or list all codes
    Explain(ExplainArgs),
    /// Format files without changing their meaning
    Fmt(FmtArgs),
    /// Print one value
    Get(GetArgs),
    /// Set values and leave the rest of the file as it is
    Set(SetArgs),
    /// Remove values and leave the rest of the file as it is
    Unset(UnsetArgs),
    /// Show what differs in meaning: two files, or a file and running Machines; exit with 1 if anything does
    Diff(DiffArgs),
    /// Lay a small file over a complete one, e.g. for a development app
    Overlay(OverlayArgs),
    /// Print the Machines API config that a deploy would send for each process group
    MachineConfig(MachineConfigArgs),
    /// Make a fly.toml from running Machines
    FromMachines(FromMachinesArgs),
    /// Convert an Apps v1 file to v2 and explain each change
    Migrate(MigrateArgs),
    /// Start an app from a template: fly.toml, a development file, scripts, setup commands
    New(NewArgs),
    /// Print the line that runs the image locally as a Machine would
    DockerRun(DockerRunArgs),
}

/// `fly-toml check`.
#[derive(Debug, Default, clap::Args)]
pub struct CheckArgs {
    /// Files, directories (searched for fly.toml and fly.NAME.toml) or `-` for standard input; fly.toml here, when missing
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How to print the findings
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "json")]
    pub format: Option<FormatArg>,
    /// Exit with 1 when something at least this bad is found
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Apply the fixes that are safe; with `-` print the fixed text, findings go to standard error
    #[arg(long)]
    pub fix: bool,
    /// Judge these codes only: ids and `tag:WORD`, separated by commas, `-` in front leaves out
    #[arg(long, value_name = "CODES", allow_hyphen_values = true)]
    pub select: Option<Selection>,
    /// Leave out the lints: only what flyctl decides on, old spellings and ignored keys
    #[arg(long)]
    pub no_lints: bool,
    /// Unknown top-level keys that are there on purpose
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    pub allow_key: Vec<String>,
    /// Dockerfile that the app is built from, instead of the one that the file names or the one beside it
    #[arg(long, value_name = "FILE", conflicts_with = "no_dockerfile")]
    pub dockerfile: Option<PathBuf>,
    /// Look at no Dockerfile
    #[arg(long)]
    pub no_dockerfile: bool,
    /// Machines that run, as `fly machine list --json` prints them: what the file says is judged against their regions,
    /// groups and volumes
    #[arg(long, value_name = "FILE")]
    pub machines: Option<PathBuf>,
    /// The app has private addresses only and is reached over Flycast
    #[arg(long)]
    pub private: bool,
    /// Findings that were accepted earlier and do not count
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Accept everything that is found now: write it as a baseline and exit with 0
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub write_baseline: Option<PathBuf>,
    /// File with `[[ignore]]` entries: rule, subject, until, reason
    #[arg(long, value_name = "FILE")]
    pub ignore_file: Option<PathBuf>,
}

/// `fly-toml explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The code, as `check` prints it in brackets
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// Forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FormatArg {
    /// Each finding with its lines, as a compiler shows it
    Human,
    /// The report in the published schema (schemas/findings.schema.json)
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// JUnit XML
    Junit,
    /// Markdown
    Markdown,
    /// A table
    Table,
}

impl FormatArg {
    /// The shared form; `None` for the one that needs the texts.
    pub fn shared(self) -> Option<Format> {
        match self {
            Self::Human => None,
            Self::Json => Some(Format::Json),
            Self::Sarif => Some(Format::Sarif),
            Self::Github => Some(Format::Github),
            Self::Junit => Some(Format::Junit),
            Self::Markdown => Some(Format::Markdown),
            Self::Table => Some(Format::Table),
        }
    }
}

/// From which severity on a finding fails the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FailOn {
    /// Anything
    Info,
    /// What will hurt under likely conditions
    Warning,
    /// What does not work
    #[default]
    Error,
    /// What endangers data or users now
    Critical,
    /// Nothing
    Never,
}

impl FailOn {
    /// The threshold; `None` when nothing fails.
    pub fn threshold(self) -> Option<Severity> {
        match self {
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
            Self::Critical => Some(Severity::Critical),
            Self::Never => None,
        }
    }
}

/// `fly-toml fmt`.
#[derive(Debug, clap::Args)]
pub struct FmtArgs {
    /// Files, directories or `-`; fly.toml here, when missing
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write nothing; print the files that would change and exit with 1 if there are any
    #[arg(long)]
    pub check: bool,
}

/// `fly-toml get`.
#[derive(Debug, clap::Args)]
pub struct GetArgs {
    /// Where the value is, e.g. http_service.checks[0].interval
    #[arg(value_name = "KEY")]
    pub path: String,
    /// The file, its directory, or `-`; fly.toml here, when missing
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `fly-toml set`.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// Keys and values in turn; a value that is no TOML is taken as a text
    #[arg(value_name = "KEY VALUE", required = true, num_args = 2.., allow_hyphen_values = true)]
    pub values: Vec<String>,
    /// The file, its directory, or `-`; fly.toml here, when missing
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Take every value as a text
    #[arg(long)]
    pub text: bool,
    /// Print the result instead of writing the file
    #[arg(long)]
    pub print: bool,
}

/// `fly-toml unset`.
#[derive(Debug, clap::Args)]
pub struct UnsetArgs {
    /// What to remove
    #[arg(value_name = "KEY", required = true)]
    pub paths: Vec<String>,
    /// The file, its directory, or `-`; fly.toml here, when missing
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print the result instead of writing the file
    #[arg(long)]
    pub print: bool,
}

/// `fly-toml machine-config`.
#[derive(Debug, clap::Args)]
pub struct MachineConfigArgs {
    /// The file, its directory, or `-`; fly.toml here, when missing
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only this process group, without the outer object
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Also the Machine that runs the release command
    #[arg(long)]
    pub release: bool,
    /// JSON of a running Machine (or its config): what fly.toml does not manage is kept from it
    #[arg(long, value_name = "FILE.json", value_parser = clap::value_parser!(PathBuf))]
    pub current: Option<PathBuf>,
}

/// `fly-toml from-machines`.
#[derive(Debug, clap::Args)]
pub struct FromMachinesArgs {
    /// What `fly machine list --json` printed, or `-`
    #[arg(value_name = "MACHINES.json")]
    pub machines: PathBuf,
    /// Name of the app
    #[arg(long = "app", value_name = "NAME")]
    pub app_name: String,
    /// Write this file instead of printing
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file
    #[arg(long)]
    pub force: bool,
}

/// `fly-toml migrate`.
#[derive(Debug, clap::Args)]
pub struct MigrateArgs {
    /// The file, its directory, or `-`; fly.toml here, when missing
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Write the file instead of printing the result
    #[arg(long)]
    pub write: bool,
    /// Turn a service on ports 80 and 443 into [http_service] where that changes nothing
    #[arg(long)]
    pub fold_http_service: bool,
}

/// `fly-toml overlay`.
#[derive(Debug, clap::Args)]
pub struct OverlayArgs {
    /// The complete file
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// The file that holds what differs, another `app` among it
    #[arg(value_name = "OVERLAY")]
    pub overlay: PathBuf,
    /// Write the merged file beside the base instead of printing it
    #[arg(short, long, value_name = "FILE", conflicts_with = "minimise")]
    pub output: Option<PathBuf>,
    /// Replace the file
    #[arg(long)]
    pub force: bool,
    /// OVERLAY is a complete sibling of BASE: print the smallest overlay that makes it
    #[arg(long)]
    pub minimise: bool,
}

/// `fly-toml diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The first file
    #[arg(value_name = "FILE")]
    pub before: PathBuf,
    /// The second file
    #[arg(value_name = "OTHER", conflicts_with = "machines")]
    pub after: Option<PathBuf>,
    /// Compare with running Machines: what `fly machine list --json` printed, or `-`
    #[arg(long, value_name = "MACHINES.json")]
    pub machines: Option<PathBuf>,
}

/// `fly-toml new`.
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// What kind of app
    #[arg(value_enum, value_name = "TEMPLATE")]
    pub template: TemplateArg,
    /// Name of the app
    #[arg(long = "app", value_name = "NAME")]
    pub app_name: String,
    /// Region of the first Machines
    #[arg(long, default_value = "iad", value_name = "CODE")]
    pub region: String,
    /// Further regions of a multi-region app
    #[arg(long, value_delimiter = ',', value_name = "CODES", default_values = ["lhr", "nrt"])]
    pub more_regions: Vec<String>,
    /// Port on which the app listens
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Command of the worker, or of the migrations
    #[arg(long, value_name = "COMMAND")]
    pub run: Option<String>,
    /// How to write down the development commands
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub scripts: ScriptsArg,
    /// Where to write
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Print the files instead of writing them
    #[arg(long)]
    pub print: bool,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
}

/// `fly-toml docker-run`.
#[derive(Debug, clap::Args)]
pub struct DockerRunArgs {
    /// The file, its directory, or `-`; fly.toml here, when missing
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Process group; the default group, when missing
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// File with variables for docker; .env.local or .env beside the file, when there is one
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<String>,
}

/// Templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TemplateArg {
    /// A web app in one region
    Web,
    /// A background worker without a service
    Worker,
    /// A web app in several regions
    MultiRegionWeb,
    /// A web app with a Postgres database and migrations
    PostgresWeb,
    /// A static site
    Static,
}

impl From<TemplateArg> for Template {
    fn from(word: TemplateArg) -> Self {
        match word {
            TemplateArg::Web => Self::Web,
            TemplateArg::Worker => Self::Worker,
            TemplateArg::MultiRegionWeb => Self::MultiRegionWeb,
            TemplateArg::PostgresWeb => Self::PostgresWeb,
            TemplateArg::Static => Self::Static,
        }
    }
}

/// Forms of the development commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ScriptsArg {
    /// package.json
    #[default]
    Npm,
    /// Makefile
    Make,
    /// justfile
    Just,
}

impl From<ScriptsArg> for Scripts {
    fn from(word: ScriptsArg) -> Self {
        match word {
            ScriptsArg::Npm => Self::Npm,
            ScriptsArg::Make => Self::Make,
            ScriptsArg::Just => Self::Just,
        }
    }
}
