//! `cargo xtask test`: what the tests need, the tests, what was left out, and what it cost.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process;

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only check that the tools are there and print what is missing
    #[arg(long)]
    setup_only: bool,
}

/// A program that some test or the demo starts, and the Debian package that has it.
const TOOLS: [(&str, &str); 4] =
    [("git", "git"), ("jq", "jq"), ("tar", "tar"), ("unshare", "util-linux")];

/// A stage and the time that it may take on two cores from a clean clone before the run fails.
const STAGES: [(&str, &[&str], Duration); 2] = [
    (
        "unit, integration and suite tests",
        // Not the benchmarks: unoptimised, on a shared machine, they say nothing.
        &["test", "--workspace", "--lib", "--bins", "--tests", "--examples"],
        Duration::from_mins(35),
    ),
    ("documentation tests", &["test", "--workspace", "--doc"], Duration::from_mins(10)),
];

/// Installs what is missing where that is possible, runs every stage, prints skips and costs.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup()?;
    if args.setup_only {
        return Ok(());
    }
    let mut costs = Vec::new();
    for (name, cargo_args, budget) in STAGES {
        println!("== {name}");
        let start = Instant::now();
        process::run("cargo", cargo_args)?;
        costs.push((name, start.elapsed(), budget));
    }
    crate::skips::print()?;
    let mut over = Vec::new();
    for (name, took, budget) in &costs {
        println!("budget: {name}: {} s of {} s", took.as_secs(), budget.as_secs());
        if took > budget {
            over.push(*name);
        }
    }
    if !over.is_empty() {
        bail!(
            "over budget: {}; make the tests cheaper or move cases to the soak tier",
            over.join(", ")
        );
    }
    Ok(())
}

fn setup() -> Result<()> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(tool, _)| !process::present(tool))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    let installed = process::run("apt-get", &["update", "--quiet"]).is_ok()
        && process::run("apt-get", &install).is_ok();
    if !installed {
        bail!(
            "missing: {}; install them with your package manager and run this again",
            missing.join(", ")
        );
    }
    Ok(())
}
