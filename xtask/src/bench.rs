//! `cargo xtask bench`: every claim of speed, as a ratio against what a person would use instead, in one run.

use anyhow::{Result, bail};

use crate::process;

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this benchmark (see the list printed without it)
    name: Option<String>,
}

/// Name, package, bench target.
const BENCHES: [(&str, &str, &str); 5] = [
    ("migrate", "migrate", "plan"),
    ("pack", "debug-bundle", "pack"),
    ("fly-toml", "toml-cli", "check"),
    ("redact", "redact", "throughput"),
    ("sim", "fly-sim", "load"),
];

/// Runs one benchmark or all of them; figures go to standard output, nothing is judged.
pub(crate) fn run(args: &Args) -> Result<()> {
    let chosen: Vec<_> = BENCHES
        .iter()
        .filter(|(name, ..)| args.name.as_deref().is_none_or(|wanted| wanted == *name))
        .collect();
    if chosen.is_empty() {
        bail!("no such benchmark; there are: {}", BENCHES.map(|(name, ..)| name).join(", "));
    }
    for (name, package, bench) in chosen {
        println!("== {name}");
        process::run("cargo", &["bench", "--quiet", "--package", package, "--bench", bench])?;
    }
    Ok(())
}
