//! Running other programs from the root of the workspace.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A command that starts in the root of the workspace.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask starts cargo and the workspace's own binaries"
)]
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::root::root());
    command
}

/// Runs to the end, output straight to the terminal; fails unless the exit status is 0.
pub(crate) fn run(program: &str, args: &[&str]) -> Result<()> {
    let status =
        command(program).args(args).status().with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} {} failed ({status})", args.join(" "));
    }
    Ok(())
}

/// Standard output of a command that must succeed.
pub(crate) fn output(program: &str, args: &[&str]) -> Result<String> {
    let output = command(program)
        .args(args)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} {} failed ({})", args.join(" "), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{program} printed no UTF-8"))
}

/// True when the program can be started with `--version`.
pub(crate) fn present(program: &str) -> bool {
    command(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
