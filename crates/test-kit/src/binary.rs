//! Executables of the workspace, from any of its crates.
//!
//! cargo tells a test where the executables of *its own* crate are; for those of other crates this looks beside the test
//! itself, and has cargo build what is missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};

/// One build at a time, so that tests of one process do not queue for cargo's lock.
static BUILDING: Mutex<()> = Mutex::new(());

/// The path of an executable of the workspace, built with this test's profile if it is not there yet. An executable that is
/// there is taken as it is: `cargo test --workspace` has just built it.
pub fn binary(package: &str, name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("where this test is")?;
    // target/PROFILE/deps/TEST-HASH
    let folder =
        test.parent().and_then(Path::parent).context("a test outside a target directory")?;
    let path = folder.join(name);
    let _one_at_a_time = BUILDING.lock();
    if !path.is_file() {
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let target = folder.parent().context("a profile outside a target directory")?;
        #[expect(clippy::disallowed_methods, reason = "tests start the workspace's executables")]
        let output = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", package, "--bin", name, "--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .context("cannot start cargo")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cannot build {name} of {package}: {said}");
    }
    ensure!(path.is_file(), "cargo did not build {}", path.display());
    Ok(path)
}
