//! The flow of `fly-migrate volume`.

use fly_api::Client;
use fly_types::wire::WireTime;
use fly_types::{AppName, VolumeId};
use ops_cli::{CliError, Context, Exit, LeastToken, Typed, write_atomic};
use runbook::approval::{Approval, ApprovalFile, phrase};
use runbook::executor::Executor as _;
use runbook::sealed::SealedPlan;
use runbook::state::RunStatus;
use runbook::store::{RunId, Store as _};

pub use super::args::{Command, RunArgs, YesArgs};
use super::cleanup::cleanup;
use super::judge;
use super::plan::{Job, JobError, Request, SnapshotInfo, plan};
use crate::cli::Args;
use crate::inventory::{Inventory, observe};
use crate::region::act::{at, load, no_run};
use crate::region::cli::AnswerArgs;
use crate::region::runs::{ended, refused, store};
use crate::regions::Regions;

/// Runs one command.
///
/// # Errors
/// What went wrong, with the exit code.
pub async fn run(args: &Args, command: &Command, context: &Context) -> Result<Exit, CliError> {
    let (job, options) = match command {
        Command::Check { volume, inside, fail_on } => {
            return judge::judge(args, context, volume.as_deref(), *inside, *fail_on).await;
        }
        Command::Apply { plan, yes } => {
            let plan = load(context, plan)?;
            return approved(args, context, &plan, yes).await;
        }
        Command::Cleanup { run, dry_run, yes } => {
            return clean_up(args, context, run, *dry_run, yes).await;
        }
        Command::Add { name, size, region, machine, run } => (
            Job::Add {
                name: name.clone(),
                region: region.clone(),
                size_gb: *size,
                machine: machine.clone(),
            },
            run,
        ),
        Command::Fork { volume, region, name, size, no_sync, run } => (
            Job::Fork {
                volume: volume.clone(),
                region: region.clone(),
                name: name.clone(),
                size_gb: *size,
                sync: !no_sync,
            },
            run,
        ),
        Command::Restore { volume, snapshot, region, name, size, max_age, run } => (
            Job::Restore {
                volume: volume.clone(),
                snapshot: snapshot.clone(),
                region: region.clone(),
                name: name.clone(),
                size_gb: *size,
                max_age_hours: *max_age,
            },
            run,
        ),
        Command::Shrink { volume, size, run } => {
            (Job::Shrink { volume: volume.clone(), size_gb: *size }, run)
        }
    };
    let (client, app, regions, inventory) = look(args, context).await?;
    let snapshots = match &job {
        Job::Restore { volume, .. } => snapshots(&client, &app, volume).await?,
        _ => Vec::new(),
    };
    let request = Request {
        job,
        inventory: &inventory,
        regions: &regions,
        snapshots: &snapshots,
        now: context.now(),
        image: options.helper_image.clone(),
    };
    let sealed = plan(&request).map_err(|error| unplanned(&error))?;
    if context.ui.is_json() {
        if options.out.is_some() {
            context.ui.out(&sealed.to_text())?;
        }
    } else {
        context.ui.out(&runbook::render::plan_text(&sealed))?;
    }
    if let Some(out) = &options.out {
        let path = context.directory.join(out);
        write_atomic(&path, sealed.to_text().as_bytes())?;
        context
            .ui
            .note(&format!("written to {0}; next: fly-migrate volume apply {0}", out.display()));
        return Ok(Exit::Ok);
    }
    approved(args, context, &sealed, &options.yes).await
}

fn unplanned(error: &JobError) -> CliError {
    let exit = match error {
        JobError::Input { .. } | JobError::Region(_) => Exit::Usage,
        _ => Exit::NothingDone,
    };
    CliError::new(exit, error.to_string()).hint(error.hint())
}

pub(super) async fn look(
    args: &Args,
    context: &Context,
) -> Result<(Client, AppName, Regions, Inventory), CliError> {
    let config =
        context.resolve(Typed { access: Some(&args.access), app: Some(&args.app), org: None })?;
    config.token(LeastToken::ReadOnly)?;
    let app = config.app()?.clone();
    let client = context.client(&config)?;
    let regions = Regions::read(&client).await?;
    let inventory = observe(&client, &app, context.now()).await.map_err(|error| {
        CliError::from(error.source).context(format!("cannot read {} of app {app}", error.what))
    })?;
    for unknown in &inventory.unknown {
        context.ui.warn(&format!("could not be read: {unknown}"));
    }
    Ok((client, app, regions, inventory))
}

/// Snapshots of a volume, also of one that was deleted. Age and state as the platform says.
pub async fn snapshots(
    client: &Client,
    app: &AppName,
    volume: &VolumeId,
) -> Result<Vec<SnapshotInfo>, CliError> {
    let list = match client.snapshots(app, volume).await {
        Ok(list) => list.value,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => {
            return Err(CliError::from(error)
                .context(format!("cannot read the snapshots of volume {volume} of app {app}")));
        }
    };
    Ok(list
        .iter()
        .filter_map(|one| {
            Some(SnapshotInfo {
                id: one.id.text()?.to_owned(),
                finished: one.status.text().is_none_or(|word| word == "created"),
                at: one.created_at.get().and_then(WireTime::at),
                size_gb: one.volume_size.copied().map(|bytes| bytes >> 30),
            })
        })
        .collect())
}

async fn approved(
    args: &Args,
    context: &Context,
    plan: &SealedPlan,
    yes: &YesArgs,
) -> Result<Exit, CliError> {
    let name = plan.plan().target.name.clone();
    let approval = if let Some(path) = &yes.approval {
        let text = std::fs::read_to_string(context.directory.join(path)).map_err(|error| {
            CliError::usage(format!("cannot read approval {}", path.display())).caused_by(error)
        })?;
        let file: ApprovalFile = serde_json::from_str(&text).map_err(|error| {
            CliError::usage(format!("{} is no approval", path.display()))
                .caused_by(error)
                .hint("it is JSON with digest, approver, at, expires and, where a name must be typed, typed: see docs/fly-migrate.md")
        })?;
        Approval::from_file(plan, &file, context.now()).map_err(|error| refused(&error))?
    } else if yes.yes || yes.confirm.is_some() {
        Approval::from_flag(plan, yes.yes, yes.confirm.as_deref()).map_err(|error| {
            refused(&error).hint(format!("read the plan, then give --confirm {name}"))
        })?
    } else {
        let question = plan.plan().summary.clone();
        let answer = if let Some(name) = phrase(plan) {
            context.ui.confirm_typed(&question, name, &format!("--confirm {name}"))?;
            name
        } else {
            context.ui.confirm(&question, "--yes")?;
            "yes"
        };
        Approval::from_prompt(plan, answer).map_err(|error| refused(&error))?
    };
    let executor = at(args, context, &name, &AnswerArgs::default()).await?;
    context.mutating();
    let report = executor.apply(plan, &approval).await.map_err(|error| refused(&error))?;
    ended(context, &report)
}

async fn clean_up(
    args: &Args,
    context: &Context,
    run: &str,
    dry_run: bool,
    yes: &YesArgs,
) -> Result<Exit, CliError> {
    let config = context.resolve(Typed { access: Some(&args.access), app: None, org: None })?;
    let kept = store(&config.dirs.state()?)?;
    let run = RunId::parse(run).map_err(CliError::usage)?;
    kept.plan(&run).await.map_err(|why| no_run(&run, why))?;
    let loaded = runbook::executor::load(&kept, &run).await.map_err(|error| refused(&error))?;
    if loaded.state.status != RunStatus::Done {
        return Err(CliError::nothing_done(format!(
            "run {run} is not finished: the old volume is still needed"
        ))
        .hint("resume it, or roll it back"));
    }
    let app: AppName = loaded.plan.plan().target.name.parse()?;
    let client = context.client(&config)?;
    let inventory = observe(&client, &app, context.now()).await.map_err(|error| {
        CliError::from(error.source).context(format!("cannot read {} of app {app}", error.what))
    })?;
    let made = loaded.state.step(&"new-volume".into()).map(|step| step.outputs.clone());
    let made = made.unwrap_or_default();
    let sealed = cleanup(loaded.plan.plan(), &made, &inventory, context.now())
        .map_err(|error| unplanned(&error))?;
    if !context.ui.is_json() {
        context.ui.out(&runbook::render::plan_text(&sealed))?;
    } else if dry_run {
        context.ui.out(&sealed.to_text())?;
    }
    if dry_run {
        return Ok(Exit::Ok);
    }
    approved(args, context, &sealed, yes).await
}
