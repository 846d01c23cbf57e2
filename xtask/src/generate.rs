//! `cargo xtask gen`: files that are made from code, committed, and compared in CI.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::root;

/// Arguments of `cargo xtask gen`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail when a committed file differs
    #[arg(long)]
    check: bool,
}

/// Every generated file, relative to the root, with its content.
fn outputs() -> Vec<(PathBuf, String)> {
    let mut outputs = vec![
        (PathBuf::from("docs/reference/environment.md"), ops_cli::env::reference_page()),
        (PathBuf::from("docs/reference/exit-codes.md"), ops_cli::Exit::reference_page()),
        (PathBuf::from("docs/reference/flyctl-exit-status.md"), exec::flyctl::reference_page()),
        (PathBuf::from("schemas/deploy-request.schema.json"), fly_types::DeployRequest::schema()),
        (PathBuf::from("schemas/findings.schema.json"), findings::json_schema()),
        (PathBuf::from("schemas/fly-toml.schema.json"), fly_toml::schema::json_schema()),
        (PathBuf::from("docs/reference/fly-toml/README.md"), fly_toml::diag::index_page()),
    ];
    outputs.extend(fly_toml::diag::all().into_iter().map(|code| {
        (PathBuf::from(format!("docs/reference/fly-toml/{}.md", code.id)), code.page())
    }));
    outputs
}

/// Writes or compares all generated files.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut stale = Vec::new();
    let outputs = outputs();
    for (path, content) in &outputs {
        let full = root::root().join(path);
        if fs::read_to_string(&full).is_ok_and(|old| old == *content) {
            continue;
        }
        if args.check {
            stale.push(path.display().to_string());
        } else {
            if let Some(folder) = full.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&full, content).with_context(|| path.display().to_string())?;
            println!("wrote {}", path.display());
        }
    }
    if !stale.is_empty() {
        bail!("out of date: {}; run `cargo xtask gen` and commit the result", stale.join(", "));
    }
    println!("gen: {} files up to date", outputs.len());
    Ok(())
}
