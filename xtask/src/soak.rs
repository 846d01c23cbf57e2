//! `cargo xtask soak SUITE`: the full counts of which CI runs a seeded sample.
//!
//! The result belongs into `docs/reference/reliability.md` with the seed and the commit, which this prints.

use anyhow::{Context, Result};

use crate::process;

/// Arguments of `cargo xtask soak`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Suite to run
    suite: Suite,
    /// Number of cases; the suite's full count when absent
    #[arg(long)]
    cases: Option<u64>,
    /// Seed; drawn from the clock when absent, always printed
    #[arg(long)]
    seed: Option<u64>,
}

/// What can be soaked.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Suite {
    /// Canary secrets through the whole bundle
    Canary,
    /// Moves between regions, killed and failing at every point
    Migrate,
    /// The client against every documented shape of answers
    Shapes,
}

/// Tests of moves of which CI runs a part: matrices in process, real kills, faults at each call, other shapes of answers, load.
const MIGRATE: [&str; 6] =
    ["saga::", "template_matrix::", "kills::", "sweep::", "shapes::", "load::"];

/// Runs one suite at full size.
pub(crate) fn run(args: &Args) -> Result<()> {
    let (name, package, filters, full): (_, _, &[&str], _) = match args.suite {
        Suite::Canary => ("canary", "suite", &["canary"], 100_000),
        // Everything that there is: the number is not used.
        Suite::Migrate => ("migrate", "migrate", &MIGRATE, 1),
        // Ten knobs: every combination of them.
        Suite::Shapes => ("shapes", "fly-api", &["in_other_shapes"], 1024),
    };
    let seed = match args.seed {
        Some(seed) => seed,
        None => draw_seed()?,
    };
    let cases = args.cases.unwrap_or(full);
    let commit = process::output("git", &["rev-parse", "--short", "HEAD"])?;
    println!("soak {name}: {cases} cases, seed {seed}, commit {}", commit.trim());
    // The suites start the workspace's executables and take them as they find them.
    process::run("cargo", &["build", "--workspace", "--bins", "--quiet"])?;
    let status = process::command("cargo")
        .args(["test", "--package", package, "--test", "it", "--"])
        .args(filters)
        .arg("--nocapture")
        .env("FLY_OPS_TEST_CASES", cases.to_string())
        .env("FLY_OPS_TEST_SEED", seed.to_string())
        .status()
        .context("cannot start cargo")?;
    anyhow::ensure!(
        status.success(),
        "soak {name} failed: repeat with --seed {seed} --cases {cases}"
    );
    println!("soak {name}: passed, {cases} cases, seed {seed}, commit {}", commit.trim());
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fresh seed for each soak is the point; it is printed"
)]
fn draw_seed() -> Result<u64> {
    Ok(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())
}
