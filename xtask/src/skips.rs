//! What CI does not run: `tests/ci-skips.toml`, printed so that nobody takes silence for a pass.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    skip: Vec<Skip>,
}

/// One thing that CI leaves out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Skip {
    /// Test or suite.
    pub(crate) what: String,
    /// Why CI cannot or need not run it.
    pub(crate) reason: String,
    /// The command that does run it.
    pub(crate) run: String,
}

/// The committed list.
pub(crate) fn read() -> Result<Vec<Skip>> {
    let path = crate::root::root().join("tests/ci-skips.toml");
    let text = fs::read_to_string(&path).context("tests/ci-skips.toml")?;
    Ok(toml::from_str::<File>(&text).context("tests/ci-skips.toml")?.skip)
}

/// Prints the list.
pub(crate) fn print() -> Result<()> {
    for skip in read()? {
        println!("skipped: {}\n  reason: {}\n  run it: {}", skip.what, skip.reason, skip.run);
    }
    Ok(())
}
