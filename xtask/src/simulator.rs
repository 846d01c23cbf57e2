//! A simulator in a process of its own, stopped however its user ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context, Result};

use crate::{process, root};

/// A running `fly-sim` and the environment that it printed.
pub(crate) struct Simulator {
    child: Child,
    environment: Vec<(String, String)>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // A simulator that is already gone is what we want.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Simulator {
    /// Builds `fly-sim` and serves a world on loopback.
    pub(crate) fn start(world: &str) -> Result<Self> {
        process::run("cargo", &["build", "--quiet", "--package", "fly-sim", "--bin", "fly-sim"])?;
        let mut child = process::command(root::root().join("target/debug/fly-sim"))
            .args(["run", world, "--print-env"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start fly-sim")?;
        let stdout = child.stdout.take().context("fly-sim has no standard output")?;
        let mut environment = Vec::new();
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            let Some((name, value)) = line.split_once('=') else { break };
            environment.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self { child, environment })
    }

    /// Base address of everything it serves.
    pub(crate) fn url(&self) -> Result<&str> {
        let found = self.environment.iter().find(|(name, _)| name == "FLY_FLAPS_BASE_URL");
        found.map(|(_, url)| url.as_str()).context("fly-sim did not start")
    }
}
