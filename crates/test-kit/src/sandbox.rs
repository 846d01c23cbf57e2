//! A home of its own for a program under test, and nothing of the developer's environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::binary::binary;

/// A temporary tree with a home, a directory for programs and one to work in. Removed when dropped.
pub struct Sandbox {
    root: TempDir,
    variables: BTreeMap<OsString, OsString>,
}

/// How a program ended and what it printed. It had no terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Exit status, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output; what is not UTF-8 becomes U+FFFD.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl Sandbox {
    /// An empty sandbox. Programs see only the system's own directories and [`Sandbox::bin`] on their PATH.
    pub fn new() -> Result<Self> {
        // The path stays short: flyctl puts a socket under its configuration directory.
        let root = tempfile::Builder::new().prefix("sb").tempdir().context("a sandbox")?;
        let mut sandbox = Self { root, variables: BTreeMap::new() };
        for folder in ["home", "bin", "work", "tmp", "config", "state", "cache", "run", "fly"] {
            fs::create_dir(sandbox.path(folder)).context("a sandbox")?;
        }
        for (name, folder) in [
            ("HOME", "home"),
            ("TMPDIR", "tmp"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
            ("FLY_CONFIG_DIR", "fly"),
        ] {
            sandbox.set(name, sandbox.path(folder));
        }
        let mut path = sandbox.bin().into_os_string();
        path.push(":/usr/bin:/bin");
        sandbox.set("PATH", path);
        Ok(sandbox)
    }

    /// Something in the sandbox.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// The first directory on PATH.
    pub fn bin(&self) -> PathBuf {
        self.path("bin")
    }

    /// Where programs start.
    pub fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// Sets a variable for every program that is started from now on.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Sets several, e.g. those of a simulator.
    pub fn set_all<N: Into<OsString>, V: Into<OsString>>(
        &mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) {
        for (name, value) in variables {
            self.set(name, value);
        }
    }

    /// The environment of programs in the sandbox.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Writes an executable shell script into [`Sandbox::bin`] (or, with a path in its name, elsewhere in the sandbox).
    ///
    /// Another process writes it: a file that this one has open for writing could not be executed while a parallel test is
    /// just starting a program (ETXTBSY).
    pub fn script(&self, name: &str, body: &str) -> Result<PathBuf> {
        let folder = if name.contains('/') { self.root.path().to_owned() } else { self.bin() };
        let path = folder.join(name);
        #[expect(clippy::disallowed_methods, reason = "see above")]
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()?;
        let text = format!("#!/bin/sh\n{body}\n");
        writer.stdin.take().context("no input")?.write_all(text.as_bytes())?;
        ensure!(writer.wait()?.success(), "cannot write {}", path.display());
        Ok(path)
    }

    /// Puts the fake `fly`, which prints recordings only, onto PATH.
    pub fn fake_fly(&self) -> Result<PathBuf> {
        let path = self.bin().join("fly");
        std::os::unix::fs::symlink(binary("fly-sim", "fake-fly")?, &path)?;
        Ok(path)
    }

    /// A command in the sandbox: its environment, its working directory, umask 022, no input.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        #[expect(clippy::disallowed_methods, reason = "tests start programs")]
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "umask 022 && exec \"$0\" \"$@\""])
            .arg(program)
            .env_clear()
            .envs(self.variables())
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// Runs a program in the sandbox to its end.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Outcome> {
        Outcome::of(self.command(program).args(args))
    }
}

impl Outcome {
    /// Runs a command to its end, its output captured.
    pub fn of(command: &mut Command) -> Result<Self> {
        let output = command.output().with_context(|| format!("{command:?}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }
}
