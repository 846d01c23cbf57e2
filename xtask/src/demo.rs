//! `cargo xtask demo`: the headline job against a simulated sick app, on loopback only.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::{process, root};

/// Arguments of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// World to simulate: a name under crates/fly-sim/worlds, or a path
    #[arg(long, default_value = "oom")]
    world: String,
}

/// Stops the simulator however the demo ends.
struct Simulator(Child);

impl Drop for Simulator {
    fn drop(&mut self) {
        // The demo is over either way; a simulator that is already gone is what we want.
        let _gone = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Builds the two binaries, starts the simulator, runs the bundle tool as a person would.
pub(crate) fn run(args: &Args) -> Result<()> {
    process::run(
        "cargo",
        &["build", "--quiet", "--package", "fly-sim", "--package", "debug-bundle"],
    )?;
    let bin = root::root().join("target/debug");
    let world = if args.world.contains('/') {
        args.world.clone()
    } else {
        format!("crates/fly-sim/worlds/{}.toml", args.world)
    };
    let mut child = process::command(bin.join("fly-sim"))
        .args(["run", &world, "--print-env"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start fly-sim")?;
    let stdout = child.stdout.take().context("fly-sim has no standard output")?;
    let simulator = Simulator(child);
    let (app, variables) = read_environment(stdout)?;
    for (name, value) in &variables {
        if name.ends_with("_URL") && !is_loopback(value) {
            bail!("{name}={value} is not on loopback; the demo must not leave this machine");
        }
    }
    let folder = root::root().join("target/demo");
    // The archive of the last demo is in nobody's interest, and this one is to be found.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    println!("\n$ fly-debug-bundle {app}    # against the simulated world {world}");
    let status = process::command(bin.join("fly-debug-bundle"))
        .arg(&app)
        .arg("--output")
        .arg(&folder)
        .envs(variables)
        // Refuses any address that is not on loopback, whatever the configuration says.
        .env("FLY_OPS_LOOPBACK_ONLY", "1")
        .status()
        .context("cannot start fly-debug-bundle")?;
    drop(simulator);
    if !status.success() {
        bail!("fly-debug-bundle ended with {status}");
    }
    list(&folder)
}

/// Shows what is in the archive, as the system's own tar sees it.
fn list(folder: &std::path::Path) -> Result<()> {
    let archive = fs::read_dir(folder)?.next().context("no archive was written")??.path();
    let listed =
        process::command("tar").arg("-tzf").arg(&archive).output().context("cannot start tar")?;
    if !listed.status.success() {
        bail!("tar cannot list {}: {}", archive.display(), String::from_utf8_lossy(&listed.stderr));
    }
    println!("\n$ tar -tzf {}", archive.display());
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        // The top-level directory's name is long and the same on every line.
        match line.split_once('/').map(|(_, rest)| rest) {
            Some(path) if !path.is_empty() && !path.ends_with('/') => println!("  {path}"),
            _ => {}
        }
    }
    Ok(())
}

/// Reads `NAME=value` lines up to an empty line; the app's name is among them as `FLY_APP`.
fn read_environment(stdout: impl std::io::Read) -> Result<(String, Vec<(String, String)>)> {
    let mut variables = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        let Some((name, value)) = line.split_once('=') else { break };
        variables.push((
            name.trim_start_matches("export ").to_owned(),
            value.trim_matches('\'').to_owned(),
        ));
    }
    let app = variables.iter().find(|(name, _)| name == "FLY_APP").map(|(_, value)| value.clone());
    Ok((app.context("fly-sim named no app; did the world file parse?")?, variables))
}

fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.starts_with("127.") || rest.starts_with("localhost") || rest.starts_with("[::1]")
}
