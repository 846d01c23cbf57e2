//! The flow of `fly-migrate volume check`: reads what the rules need, and prints what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use findings::{Format, Severity};
use fly_api::{Client, OrgQuery};
use fly_types::wire::Volume;
use fly_types::{AppName, VolumeId};
use ops_cli::{CliError, Context, Exit};
use runbook::error::Failure;

use super::check::{Inside, Search, Subject, Wishes, catalogue, check, wishes};
use super::cli::look;
use super::helper::mounted;
use crate::cli::Args;
use crate::inventory::Inventory;
use crate::platform::Platform;

pub(super) async fn judge(
    args: &Args,
    context: &Context,
    volume: Option<&str>,
    inside: bool,
    fail_on: Severity,
) -> Result<Exit, CliError> {
    let wanted = wanted(args, context)?;
    let (client, app, regions, inventory) = look(args, context).await?;
    let volumes = client.volumes(&app).await.map_err(|error| {
        CliError::from(error).context(format!("cannot read the volumes of app {app}"))
    })?;
    let zones: BTreeMap<VolumeId, String> = volumes
        .value
        .iter()
        .filter_map(|volume| Some((volume.id.clone(), volume.zone.text()?.to_owned())))
        .collect();
    let asked = if inside { Some(ask(&client, &app, &inventory).await) } else { None };
    let all = match volume {
        Some(_) => elsewhere(&client, &inventory).await,
        None => Ok(Vec::new()),
    };
    let search = volume.map(|wanted| Search {
        wanted,
        app: &volumes.value,
        organization: all.as_deref().map_err(String::as_str),
    });
    // A file of another app says nothing about this one.
    let wanted =
        wanted.filter(|wanted| wanted.app.as_ref().is_none_or(|name| name == app.as_str()));
    let subject = Subject {
        inventory: &inventory,
        zones: &zones,
        regions: &regions,
        wishes: wanted.as_ref(),
        inside: asked.as_deref(),
        search,
        now: context.now(),
    };
    let report = check(&subject);
    let format = if context.ui.is_json() { Format::Json } else { Format::Table };
    context.ui.out(&format.render(&report, &catalogue(), fail_on, Some(context.ui.width())))?;
    Ok(if report.reaches(fail_on) { Exit::Findings } else { Exit::Ok })
}

/// What the app's fly.toml wants, if there is one.
fn wanted(args: &Args, context: &Context) -> Result<Option<Wishes>, CliError> {
    let Some(path) = ops_cli::config_file(args.app.config.as_deref(), &context.directory)? else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        CliError::usage(format!("cannot read {}", path.display())).caused_by(error)
    })?;
    Ok(Some(wishes(&text)))
}

/// The volumes of all apps of the organization. A token for one app may not list them.
async fn elsewhere(client: &Client, inventory: &Inventory) -> Result<Vec<Volume>, String> {
    let org = inventory.org.as_ref().ok_or("the app does not say whose it is")?;
    match client.org_volumes_all(org, &OrgQuery::default()).await {
        Ok(found) => Ok(found.value.rows),
        Err(error) => Err(error.to_string()),
    }
}

/// Asks each running Machine, from inside, for its mounts. The command only reads.
async fn ask(client: &Client, app: &AppName, inventory: &Inventory) -> Vec<(String, Inside)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "`df` in a Machine changes nothing; exec has no reading form"
    )]
    let writer =
        client.writer(fly_api::WriteAccess::approved("volume check --inside, which runs df"));
    let platform = Arc::new(Platform::new(client.clone(), app.clone()));
    let mut answers = Vec::new();
    for machine in inventory.machines.iter().filter(|machine| machine.state == "started") {
        for mount in &machine.mounts {
            let answer = match mounted(&platform, &writer, &machine.id, &mount.path).await {
                Ok(_) => Inside::Mounted,
                Err(error) if error.failure == Failure::Unsafe => Inside::Missing(error.message),
                Err(error) => Inside::Unknown(error.message),
            };
            answers.push((format!("{}:{}", machine.id, mount.path), answer));
        }
    }
    answers
}
