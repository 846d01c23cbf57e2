//! `fly-toml diff`, `overlay` and `migrate`: two files, or one file before and after.

use std::path::{Path, PathBuf};

use fly_toml::convert::{self, Inputs};
use fly_toml::diff::{self, Difference};
use fly_toml::migrate::{MigrateOptions, migrate as convert_v1};
use fly_toml::overlay;
use ops_cli::{CliError, Context, Exit};
use serde_json::json;

use crate::args::{DiffArgs, MigrateArgs, OverlayArgs};
use crate::{convert as machines, input, one, print};

/// Differences in meaning between two files, or between a file and running Machines.
pub(crate) fn diff(args: &DiffArgs, context: &Context) -> Result<Exit, CliError> {
    let mut found = Vec::new();
    if let Some(path) = &args.machines {
        let file = one::load(Some(&args.before), context)?;
        let config = file.config()?;
        let source = input::data(path, &context.directory);
        let deployed = machines::deployed(&input::text(&source)?, source.name())?;
        for group in config.groups() {
            let Some(current) = deployed.get(group) else {
                context.ui.warn(&format!("no Machine of group {group} runs: a deploy makes them"));
                continue;
            };
            let inputs = Inputs { current: Some(current.clone()), ..Inputs::default() };
            let converted = convert::machine_config(&config, group, &inputs).map_err(|_| {
                CliError::usage(format!("{} cannot be converted", file.source.name()))
                    .hint(format!("`fly-toml check {}` shows what to mend", file.source.name()))
            })?;
            found.extend(diff::diff_deployed(current, &converted.config).into_iter().map(
                |mut difference| {
                    difference.path = format!("{group}: {}", difference.path);
                    difference
                },
            ));
        }
        for group in deployed.keys().filter(|group| !config.groups().contains(&group.as_str())) {
            if !group.starts_with("fly_app_") {
                context.ui.warn(&format!(
                    "group {group} runs and is not in the file: a deploy removes it"
                ));
            }
        }
    } else {
        let Some(after) = &args.after else {
            return Err(CliError::usage("diff needs a second file, or --machines").hint(
                "`fly machine list --json -a APP > machines.json` makes the file for --machines",
            ));
        };
        let before = one::load(Some(&args.before), context)?.config()?;
        let after = one::load(Some(after), context)?.config()?;
        found = diff::diff(&before, &after);
    }
    show(&found, context)?;
    Ok(if found.is_empty() { Exit::Ok } else { Exit::Findings })
}

fn show(found: &[Difference], context: &Context) -> Result<(), CliError> {
    if context.ui.is_json() {
        return context.ui.json(found);
    }
    if found.is_empty() {
        context.ui.note("no difference in meaning");
        return Ok(());
    }
    context.ui.out(&print::differences(found))
}

/// Lays a small file over a complete one.
pub(crate) fn overlay(args: &OverlayArgs, context: &Context) -> Result<Exit, CliError> {
    let base = one::load(Some(&args.base), context)?;
    let over = one::load(Some(&args.overlay), context)?;
    let refused = |error: overlay::OverlayError| {
        CliError::usage(format!("cannot lay {} over {}", over.source.name(), base.source.name()))
            .caused_by(error)
            .hint("an overlay names an app of its own and holds only what differs")
    };
    if args.minimise {
        let (text, rest) = overlay::minimise(&base.document, &over.document).map_err(refused)?;
        if !rest.is_empty() {
            context.ui.warn("an overlay cannot remove; these keys of the base stay:");
            context.ui.note(&print::differences(&rest));
        }
        context.ui.bytes(text.as_bytes())?;
        return Ok(Exit::Ok);
    }
    let merged = overlay::overlay(&base.document, &over.document).map_err(refused)?;
    let report = fly_toml::check(&merged.text);
    if !report.accepted() && fly_toml::check(base.document.text()).accepted() {
        return Err(CliError::usage("flyctl would refuse the merged file")
            .hint(format!("see `fly-toml check {}`", over.source.name())));
    }
    context.ui.note(print::differences(&merged.differences).trim_end());
    let Some(output) = &args.output else {
        context.ui.bytes(merged.text.as_bytes())?;
        return Ok(Exit::Ok);
    };
    beside(&args.base, output, context)?;
    one::create(output, &merged.text, args.force, context)?;
    context.ui.note(&format!("deploy it with `fly deploy -c {}`", output.display()));
    Ok(Exit::Ok)
}

/// Relative paths in the file start from its folder, so the result has to stay beside the base.
fn beside(base: &Path, output: &Path, context: &Context) -> Result<(), CliError> {
    let folder = |path: &Path| -> PathBuf {
        let full = context.directory.join(path);
        let folder = full.parent().unwrap_or(&context.directory).to_owned();
        folder.canonicalize().unwrap_or(folder)
    };
    let base_folder = if context.directory.join(base).is_dir() {
        folder(&base.join("fly.toml"))
    } else {
        folder(base)
    };
    if folder(output) == base_folder {
        return Ok(());
    }
    Err(CliError::usage(format!("{} is not beside the base", output.display())).hint(
        "paths in the file are relative to its folder, so write it into the folder of the base",
    ))
}

/// Apps v1 to v2.
pub(crate) fn migrate(args: &MigrateArgs, context: &Context) -> Result<Exit, CliError> {
    let loaded = one::load(args.file.as_deref(), context)?;
    let options = MigrateOptions { fold_http_service: args.fold_http_service };
    let migration = convert_v1(&loaded.document, options).map_err(|error| {
        let name = loaded.source.name();
        CliError::usage(format!("cannot convert {name}"))
            .caused_by(error)
            .hint(format!("`fly-toml check {name}` shows where"))
    })?;
    if context.ui.is_json() {
        return context
            .ui
            .json(&json!({
                "text": migration.text,
                "changes": migration.changes,
                "open": migration.open,
                "differences": migration.differences,
            }))
            .map(|()| Exit::Ok);
    }
    for change in &migration.changes {
        let gone = if change.has_counterpart { "" } else { " (nothing in v2 does this)" };
        context.ui.note(&format!("{}: {}{gone}\n  {}", change.path, change.title, change.why));
    }
    for open in &migration.open {
        context.ui.warn(&format!("{}: {}", open.path, open.question));
    }
    if !migration.differences.is_empty() {
        context.ui.note("flyctl reads these differently now:");
        context.ui.note(print::differences(&migration.differences).trim_end());
    }
    loaded.replace(&migration.text, !args.write, context)?;
    Ok(Exit::Ok)
}
