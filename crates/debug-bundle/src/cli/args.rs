//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use findings::Severity;
use ops_cli::Arguments;
use ops_cli::args::{AccessArgs, AppArgs, OutputArgs, WindowArgs};

const AFTER: &str = "\
Examples:
  fly-debug-bundle my-app                       one archive in this directory
  fly-debug-bundle my-app --since 6h            logs of the last six hours
  fly-debug-bundle my-app --plan                every call, file and permission; runs nothing
  fly-debug-bundle my-app --output - | ssh …    stream it, after it has been verified
  kubectl logs … | fly-debug-bundle redact      secrets out of any stream

Collectors, for --only and --skip: app releases ips hostissues machines events ps lease volumes snapshots certs secrets logs
incidents status regions token host flyctl probe clock.

Token: reading is enough. `fly tokens create readonly --org ORG --expiry 24h` makes one. Without a token, flyctl or network the
bundle holds what can be had without them, and says what is missing.

Exit codes: 0 done · 1 findings at or above --fail-on · 2 usage · 3 done, but some data could not be had · 4 nothing was collected
or no archive could be written · 5 the archive failed its own check and was removed · 130 interrupted, 143 terminated: the archive
is complete and marked partial. When several apply: signal, then 4, then 1, then 3.";

/// One redacted, verified archive with everything that a support ticket needs, and a verdict.
#[derive(Debug, clap::Parser)]
#[command(name = "fly-debug-bundle", version, after_help = AFTER, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// App; without it, FLY_APP or the app of fly.toml in this directory
    #[arg(value_name = "APP")]
    pub(super) name: Option<String>,

    #[command(subcommand)]
    pub(super) command: Option<Command>,

    #[command(flatten)]
    pub(super) window: WindowArgs,

    /// Print every call, file, estimate and permission; run nothing
    #[arg(long)]
    pub(super) plan: bool,

    /// Directory or new file for the archive; `-` streams it to standard output after verification
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,

    /// Do not read logs
    #[arg(long)]
    pub(super) no_logs: bool,

    /// Only these collectors, and those that they require
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) only: Vec<String>,

    /// Without these collectors
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) skip: Vec<String>,

    /// Time for everything, packing included (45s, 2m); from 2s to 1h
    #[arg(long, value_name = "DURATION", default_value = "45s", value_parser = duration)]
    pub(super) deadline: Duration,

    /// Largest archive (500k, 50M, 1G); the least valuable files are left out first
    #[arg(long, value_name = "SIZE", default_value = "50M", value_parser = size)]
    pub(super) max_size: u64,

    /// Same collected files, same archive bytes: fixed times in the archive
    #[arg(long)]
    pub(super) reproducible: bool,

    /// File with the key of the pseudonyms, to compare this bundle with others; at least 16 bytes
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) pseudonym_key: Option<PathBuf>,

    /// End with exit code 1 when something at least this bad was found: info, warning, error, critical
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(super) fail_on: Option<Severity>,

    /// Threads that compress; the archive does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) threads: Option<u16>,

    #[command(flatten)]
    pub(super) app: AppArgs,

    #[command(flatten)]
    pub(super) access: AccessArgs,

    #[command(flatten)]
    pub(super) talk: OutputArgs,
}

/// What else it can do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Take secrets out of standard input
    Redact(RedactArgs),
    /// Pack an unpacked bundle again; refuses one that is not what its manifest says
    Pack(PackArgs),
}

/// Options of `pack`.
#[derive(Debug, clap::Args)]
pub(super) struct PackArgs {
    /// Directory that holds manifest.json
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,

    /// Directory or new file for the archive; `-` streams it to standard output after verification
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,

    /// Fixed times in the archive: same files, same bytes
    #[arg(long)]
    pub(super) reproducible: bool,

    /// Threads that compress; the archive does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) threads: Option<u16>,
}

/// Options of `redact`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Standard input is read as a stream of any length; memory stays below 64 MiB. When it cannot be redacted, the exit \
    code is 5 and what was printed before is clean."
)]
pub(super) struct RedactArgs {
    /// Fields of JSON records to replace whole, whatever they hold: `user.email,token`; `*` stands for any key
    #[arg(long, value_name = "PATHS", value_delimiter = ',')]
    pub(super) fields: Vec<String>,

    /// What the input is
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Shape,

    /// Write what was replaced, by rule, as JSON to this file; `-` for standard error
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
}

/// Formats of the input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Shape {
    /// Found out from the first bytes
    #[default]
    Auto,
    /// One JSON document
    Json,
    /// One JSON record per line
    Ndjson,
    /// TOML
    Toml,
    /// YAML
    Yaml,
    /// INI and the like
    Ini,
    /// KEY=value lines
    Env,
    /// HTTP headers
    Headers,
    /// Plain text
    Text,
}

impl Arguments for Args {
    fn output(&self) -> &OutputArgs {
        &self.talk
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    text.parse().map_err(|error: findings::UnknownWord| error.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    const RULE: &str = "it must be a number with s, m or h, from 2s to 1h";
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    let scale = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "ms" => 0.001,
        _ => return Err(RULE.to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| RULE.to_owned())?;
    let duration = Duration::try_from_secs_f64(number * scale).map_err(|_| RULE.to_owned())?;
    if duration < Duration::from_secs(2) || duration > Duration::from_hours(1) {
        return Err(RULE.to_owned());
    }
    Ok(duration)
}

fn size(text: &str) -> Result<u64, String> {
    const RULE: &str =
        "it must be a number of bytes, or one with k, M or G (1024-based), of at least 16k";
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let scale: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(RULE.to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| RULE.to_owned())?;
    number.checked_mul(scale).filter(|bytes| *bytes >= 16 << 10).ok_or_else(|| RULE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_collector() {
        let listed =
            AFTER.split("--skip: ").nth(1).and_then(|rest| rest.split('.').next()).unwrap();
        let listed: Vec<&str> = listed.split_whitespace().collect();
        let known: Vec<&str> = crate::collect::all().iter().map(|it| it.spec().id).collect();
        assert_eq!(listed, known);
    }

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("45s"), Ok(Duration::from_secs(45)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        for wrong in ["", "45", "1s", "2d", "-5s", "9h", "NaNs"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(size("50M"), Ok(50 << 20));
        for wrong in ["", "5x", "100", "-1M", "99999999999999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
