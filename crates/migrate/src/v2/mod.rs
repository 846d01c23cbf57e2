//! `fly-migrate v2`: is this app still on Apps v1, what does its fly.toml become, and what is left to do by hand.
//!
//! The platform's own migrator is gone: `fly migrate-to-v2` was removed in February 2024 (superfly/flyctl pull request 3250), and
//! `fly status` has no line that says `Platform:` any more. What can be read today: `fly status --json` and GraphQL. It never writes to
//! the platform, and never claims to have migrated an app.

mod report;

use std::path::PathBuf;

use fly_toml::migrate::{MigrateOptions, migrate};
use ops_cli::{CliError, Context, Exit, LeastToken, Typed, write_atomic};

pub use report::{Converted, Platform, V2Report, judge};

use crate::cli::Args;

/// Options of `v2`.
#[derive(Debug, clap::Args)]
pub struct V2Args {
    /// Write the converted file here; without it, nothing is written
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Turn [[services]] on ports 80 and 443 into [http_service] where that changes nothing
    #[arg(long)]
    fold_http_service: bool,
    /// Do not ask the platform; look at fly.toml only
    #[arg(long)]
    offline: bool,
}

/// The whole command. Exit 0: nothing to do. 1: something is left to do. 3: the platform could not be asked.
///
/// # Errors
/// What went wrong, with the exit code.
pub async fn run(args: &Args, options: &V2Args, context: &Context) -> Result<Exit, CliError> {
    let path = ops_cli::config_file(args.app.config.as_deref(), &context.directory)?;
    let converted = match &path {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                CliError::usage(format!("cannot read {}", path.display())).caused_by(error)
            })?;
            Some(convert(&text, options.fold_http_service).map_err(|error| {
                CliError::usage(format!("{} cannot be converted: {error}", path.display()))
                    .hint("mend it first: fly-toml check")
            })?)
        }
    };
    let (app, platform) = asked(args, options, context).await?;
    if converted.is_none() && matches!(platform, Platform::NotAsked) {
        return Err(CliError::usage("there is neither a fly.toml nor an app to look at")
            .hint("name one with --config or -a"));
    }
    let report = judge(app.as_deref(), &platform, converted.as_ref());
    if context.ui.is_json() {
        context.ui.json(&report)?;
    } else {
        context.ui.out(&report.text())?;
    }
    if let (Some(out), Some(converted)) = (&options.out, &converted) {
        let out = context.directory.join(out);
        if path.as_ref() == Some(&out) {
            return Err(CliError::usage(format!(
                "{} is the file that is converted; it is not overwritten",
                out.display()
            ))
            .hint("choose another file, compare, then replace it yourself"));
        }
        write_atomic(&out, converted.text.as_bytes())?;
        context.ui.note(&format!(
            "written to {}; next: fly config validate --strict -c {0}",
            out.display()
        ));
    }
    Ok(match (report.is_done(), &platform) {
        (false, _) => Exit::Findings,
        (true, Platform::Unknown { .. }) => Exit::Incomplete,
        (true, _) => Exit::Ok,
    })
}

/// Converts a file of Apps v1.
///
/// # Errors
/// The text is no TOML and cannot be mended.
pub fn convert(
    text: &str,
    fold_http_service: bool,
) -> Result<Converted, fly_toml::edit::EditError> {
    let document = fly_toml::Document::parse(text);
    let migration = migrate(&document, MigrateOptions { fold_http_service })?;
    Ok(Converted {
        changed: migration.text != text,
        text: migration.text,
        changes: migration.changes,
        open: migration.open,
    })
}

/// What the platform says about the app, if there is one to ask about.
async fn asked(
    args: &Args,
    options: &V2Args,
    context: &Context,
) -> Result<(Option<String>, Platform), CliError> {
    let config =
        context.resolve(Typed { access: Some(&args.access), app: Some(&args.app), org: None })?;
    let app = match config.app() {
        Ok(app) => app.clone(),
        Err(_) => return Ok((None, Platform::NotAsked)),
    };
    if options.offline {
        return Ok((Some(app.to_string()), Platform::NotAsked));
    }
    config.token(LeastToken::ReadOnly)?;
    let client = context.client(&config)?;
    let filter = fly_api::MachineFilter::default();
    let (node, machines) = tokio::join!(client.graphql_app(&app), client.machines(&app, &filter));
    let name = Some(app.to_string());
    let count = match machines {
        Ok(list) => Some(list.value.len()),
        Err(error) if error.is_not_found() => {
            return Err(CliError::from(error)
                .context(format!("app {app} does not exist, or this token may not see it"))
                .hint("an app of Apps v1 that was never moved may be gone: `fly apps list`"));
        }
        Err(error) => {
            context.ui.warn(&format!("the Machines of app {app} could not be read: {error}"));
            None
        }
    };
    Ok((
        name,
        match node {
            Ok(node) => match node.value.platform_version.text() {
                Some(word) => Platform::Says { word: word.to_owned(), machines: count },
                None => Platform::Unknown {
                    why: "the answer has no platformVersion".to_owned(),
                    machines: count,
                },
            },
            Err(error) => Platform::Unknown { why: error.to_string(), machines: count },
        },
    ))
}
