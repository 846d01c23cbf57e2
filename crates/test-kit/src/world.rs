//! Worlds of the simulator, in this process or in one of their own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use fly_sim::{Options, Sim, World};

use crate::binary::binary;

/// Serves an embedded world in this process, until the `Sim` is dropped. Must be called inside a tokio runtime.
pub async fn sim(world: &str) -> Result<Sim> {
    let world = World::named(world).with_context(|| format!("there is no world {world}"))?;
    Ok(Sim::start(world, Options::default()).await?)
}

/// A simulator in a process of its own, for tests that are not async or whose tool must not share a process with it. Ended
/// when dropped.
pub struct SimProcess {
    child: Child,
    variables: Vec<(String, String)>,
}

impl SimProcess {
    /// Starts `fly-sim run WORLD` and waits until it serves. `world` is a name or a path.
    pub fn start(world: &str) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests start the workspace's executables")]
        let mut child = Command::new(binary("fly-sim", "fly-sim")?)
            .args(["run", world, "--print-env"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start fly-sim")?;
        let out = child.stdout.take().context("no output")?;
        // From here on a failure ends the process.
        let mut process = Self { child, variables: Vec::new() };
        for line in BufReader::new(out).lines() {
            let line = line?;
            if line.is_empty() {
                ensure!(!process.variables.is_empty(), "fly-sim named no variables");
                return Ok(process);
            }
            let (name, value) = line.split_once('=').context("not NAME=value")?;
            process.variables.push((name.to_owned(), value.to_owned()));
        }
        anyhow::bail!("fly-sim run {world} ended before it served anything")
    }

    /// The environment that points flyctl and the tools at it.
    pub fn env(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// One variable of it.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl Drop for SimProcess {
    fn drop(&mut self) {
        // It may have ended by itself; either way nobody is left to tell.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
