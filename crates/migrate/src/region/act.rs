//! Carrying plans out: apply, go on, go back, clean up.

use std::collections::BTreeMap;
use std::path::Path;

use fly_types::{AppName, OrgSlug};
use ops_cli::{CliError, Config, Context, Exit, LeastToken, Typed};
use runbook::approval::{Approval, phrase};
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::sealed::SealedPlan;
use runbook::store::{RunId, Store as _};

use super::cli::AnswerArgs;
use super::make::unplanned;
use super::runs::{ended, executor, refused, store};
use super::status::summaries;
use crate::cli::Args;
use crate::inventory::observe;

pub(super) fn access_only(args: &Args) -> Typed<'_> {
    Typed { access: Some(&args.access), app: None, org: None }
}

pub(crate) fn load(context: &Context, path: &Path) -> Result<SealedPlan, CliError> {
    let full = context.directory.join(path);
    let text = std::fs::read_to_string(&full).map_err(|error| {
        CliError::usage(format!("cannot read plan file {}", path.display()))
            .caused_by(error)
            .hint("`fly-migrate region plan` writes one, to plan.json or what --out names")
    })?;
    SealedPlan::parse(&text)
        .map_err(|error| refused(&error).context(format!("plan file {}", path.display())))
}

/// An executor that talks to an app, and knows whose it is.
pub(crate) async fn at(
    args: &Args,
    context: &Context,
    name: &str,
    answers: &AnswerArgs,
) -> Result<LocalExecutor, CliError> {
    let config: Config = context.resolve(access_only(args))?;
    config.token(LeastToken::Deploy)?;
    let app: AppName = name.parse()?;
    let client = context.client(&config)?;
    let org: Option<OrgSlug> = client
        .app(&app)
        .await
        .map_err(|error| {
            CliError::from(error).context(format!("cannot read app {app}, which the plan is for"))
        })?
        .value
        .organization
        .into_value()
        .and_then(|org| org.slug.into_value());
    let mut given = BTreeMap::new();
    given.extend(answers.given.iter().cloned());
    let options =
        [("rehearsal", &answers.rehearsed), ("regions-checked", &answers.regions_checked)];
    for (question, answer) in options {
        if let Some(text) = answer {
            given.insert(question.to_owned(), text.clone());
        }
    }
    let made = executor(context, store(&config.dirs.state()?)?, client, app, org.as_ref())?;
    Ok(made.answers(given))
}

pub(super) async fn apply(
    args: &Args,
    context: &Context,
    plan: &SealedPlan,
    answers: &AnswerArgs,
    yes: bool,
    confirm: Option<&str>,
) -> Result<Exit, CliError> {
    let executor = at(args, context, &plan.plan().target.name, answers).await?;
    let approval = if yes || confirm.is_some() {
        Approval::from_flag(plan, yes, confirm).map_err(|error| {
            refused(&error)
                .hint(format!("read the plan, then give --confirm {}", plan.plan().target.name))
        })?
    } else {
        let question =
            format!("{}\n{}", super::show::text(plan, context.ui.width()), plan.plan().summary);
        let answer = phrase(plan).unwrap_or("yes");
        if phrase(plan).is_some() {
            context.ui.confirm_typed(&question, answer, &format!("--confirm {answer}"))?;
        } else {
            context.ui.confirm(&question, "--yes")?;
        }
        Approval::from_prompt(plan, answer).map_err(|error| refused(&error))?
    };
    context.mutating();
    let report = executor.apply(plan, &approval).await.map_err(|error| refused(&error))?;
    ended(context, &report)
}

pub(super) async fn clean_up(
    args: &Args,
    context: &Context,
    run: &str,
    confirm: Option<&str>,
    dry_run: bool,
) -> Result<Exit, CliError> {
    let config = context.resolve(access_only(args))?;
    let kept = store(&config.dirs.state()?)?;
    let run = RunId::parse(run).map_err(CliError::usage)?;
    kept.plan(&run).await.map_err(|why| no_run(&run, why))?;
    let loaded = runbook::executor::load(&kept, &run).await.map_err(|error| refused(&error))?;
    if loaded.state.status != runbook::state::RunStatus::Done {
        return Err(CliError::nothing_done(format!(
            "run {run} is not finished: its old side may still be needed"
        ))
        .hint("resume it, or roll it back"));
    }
    let app: AppName = loaded.plan.plan().target.name.parse()?;
    let client = context.client(&config)?;
    let inventory = observe(&client, &app, context.now()).await.map_err(|error| {
        CliError::from(error.source).context(format!("cannot read {} of app {app}", error.what))
    })?;
    let sealed = crate::template::cleanup::cleanup(loaded.plan.plan(), &inventory, context.now())
        .map_err(|error| unplanned(&error))?;
    if dry_run {
        context.ui.out(&super::show::text(&sealed, context.ui.width()))?;
        return Ok(Exit::Ok);
    }
    let none = AnswerArgs::default();
    apply(args, context, &sealed, &none, false, confirm).await
}

pub(super) async fn resume(
    args: &Args,
    context: &Context,
    run: Option<&str>,
    answers: &AnswerArgs,
) -> Result<Exit, CliError> {
    let (executor, run) = Box::pin(known(args, context, run, answers)).await?;
    let loaded = executor.load(&run).await.map_err(|error| refused(&error))?;
    let approval =
        Approval::of_run(&loaded.plan, &loaded.state).map_err(|error| refused(&error))?;
    context.mutating();
    let report = executor.resume(&run, &approval).await.map_err(|error| refused(&error))?;
    ended(context, &report)
}

pub(super) async fn rollback(
    args: &Args,
    context: &Context,
    run: Option<&str>,
    to: Option<&str>,
) -> Result<Exit, CliError> {
    let none = AnswerArgs::default();
    let (executor, run) = Box::pin(known(args, context, run, &none)).await?;
    let loaded = executor.load(&run).await.map_err(|error| refused(&error))?;
    let approval =
        Approval::of_run(&loaded.plan, &loaded.state).map_err(|error| refused(&error))?;
    let to = to.map(runbook::plan::Id::from);
    context.mutating();
    let report =
        executor.undo(&run, to.as_ref(), &approval).await.map_err(|error| refused(&error))?;
    ended(context, &report)
}

/// The run that was named, or the only unfinished one, and an executor for its app.
pub(super) async fn known(
    args: &Args,
    context: &Context,
    run: Option<&str>,
    answers: &AnswerArgs,
) -> Result<(LocalExecutor, RunId), CliError> {
    let config = context.resolve(access_only(args))?;
    let kept = store(&config.dirs.state()?)?;
    let run = match run {
        Some(text) => RunId::parse(text).map_err(CliError::usage)?,
        None => only_unfinished(&kept).await?,
    };
    let plan = kept.plan(&run).await.map_err(|why| no_run(&run, why))?;
    let plan = SealedPlan::parse(&plan).map_err(|error| refused(&error))?;
    Ok((at(args, context, &plan.plan().target.name, answers).await?, run))
}

pub(crate) fn no_run(run: &RunId, why: String) -> CliError {
    CliError::usage(format!("there is no run {run}"))
        .caused_by(std::io::Error::other(why))
        .hint("`fly-migrate region status` lists runs")
}

async fn only_unfinished(
    kept: &runbook::store::directory::DirectoryStore,
) -> Result<RunId, CliError> {
    let mut open: Vec<RunId> = Vec::new();
    for (run, summary) in summaries(kept).await? {
        if summary.is_ok_and(|summary| summary.is_unfinished()) {
            open.push(run);
        }
    }
    match open.as_slice() {
        [run] => Ok(run.clone()),
        [] => {
            Err(CliError::usage("no run is unfinished")
                .hint("`fly-migrate region status` lists runs"))
        }
        many => Err(CliError::usage(format!(
            "several runs are unfinished: {}",
            many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ))
        .hint("name one")),
    }
}
