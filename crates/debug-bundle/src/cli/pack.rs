//! `fly-debug-bundle pack`: an unpacked bundle to an archive again.

use ops_cli::{CliError, Context, Exit, Typed};
use serde_json::json;

use super::args::{Args, PackArgs};
use crate::leak;
use crate::output::Output;
use crate::repack::{Repack, repack};

pub(super) async fn run(
    args: &Args,
    typed: &PackArgs,
    context: &Context,
) -> Result<Exit, CliError> {
    let config = context.resolve(Typed { access: Some(&args.access), ..Typed::default() })?;
    let secrets: Vec<_> =
        config.token.iter().flat_map(|token| token.value.secrets().cloned()).collect();
    let places = super::prepare::places(&config);
    let output = Output::resolve(
        typed.output.as_deref(),
        &context.directory,
        &places,
        &context.ui,
        &context.leftovers,
    )?;
    let to_stdout = output.is_stdout();
    let work = Repack {
        directory: context.directory.join(&typed.directory),
        output,
        reproducible: typed.reproducible,
        threads: super::prepare::threads(typed.threads),
    };
    let leftovers = context.leftovers.clone();
    let done = tokio::task::spawn_blocking(move || {
        repack(&work, &leak::Scanner::new(&secrets), &leftovers)
    })
    .await
    .map_err(|_| CliError::nothing_done("packing crashed; no archive was kept"))??;
    if to_stdout {
        return Ok(Exit::Ok);
    }
    let path = done.path.map(|path| path.display().to_string());
    if context.ui.is_json() {
        context.ui.json(&json!({ "archive": path, "bytes": done.bytes, "sha256": done.sha256 }))?;
    } else {
        context.ui.out(path.as_deref().unwrap_or_default())?;
        context.ui.note(&format!("{} bytes, sha256 {}, verified", done.bytes, done.sha256));
    }
    Ok(Exit::Ok)
}
