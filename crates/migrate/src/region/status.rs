//! What runs there are, and whether what they promised still holds.

use ops_cli::{CliError, Context, Exit};
use runbook::status::RunSummary;
use runbook::store::{RunId, Store as _};

use super::act::{access_only, known};
use super::cli::AnswerArgs;
use super::runs::{refused, store};
use crate::cli::Args;

pub(super) type Summaries = Vec<(RunId, Result<RunSummary, runbook::error::Refusal>)>;

pub(super) async fn summaries(
    kept: &runbook::store::directory::DirectoryStore,
) -> Result<Summaries, CliError> {
    let mut all = Vec::new();
    for run in kept.runs().await.map_err(CliError::nothing_done)? {
        all.push((
            run.clone(),
            runbook::executor::load(kept, &run).await.map(|loaded| RunSummary::of(&loaded)),
        ));
    }
    Ok(all)
}

pub(super) async fn status(
    args: &Args,
    context: &Context,
    run: Option<&str>,
) -> Result<Exit, CliError> {
    let config = context.resolve(access_only(args))?;
    let kept = store(&config.dirs.state()?)?;
    let wanted = run.map(|text| RunId::parse(text).map_err(CliError::usage)).transpose()?;
    let all = summaries(&kept).await?;
    let shown: Vec<_> = all
        .into_iter()
        .filter(|(run, _)| wanted.as_ref().is_none_or(|wanted| wanted == run))
        .collect();
    if let (Some(wanted), true) = (&wanted, shown.is_empty()) {
        return Err(CliError::usage(format!("there is no run {wanted}"))
            .hint("`fly-migrate region status` lists runs"));
    }
    if context.ui.is_json() {
        let values: Vec<serde_json::Value> = shown
            .iter()
            .map(|(run, summary)| match summary {
                Ok(summary) => serde_json::to_value(summary).unwrap_or_default(),
                Err(error) => serde_json::json!({"run": run, "error": error.to_string()}),
            })
            .collect();
        context.ui.json(&values)?;
        return Ok(Exit::Ok);
    }
    let rows = shown.iter().map(|(run, summary)| match summary {
        Ok(summary) => {
            let (done, all) = summary.progress();
            let word = format!("{:?}", summary.status).to_lowercase();
            let why = summary.stopped.as_ref().map(ToString::to_string).unwrap_or_default();
            [
                run.to_string(),
                summary.target.name.clone(),
                word,
                format!("{done}/{all}"),
                summary.last.to_string(),
                why,
            ]
        }
        Err(error) => [
            run.to_string(),
            "-".to_owned(),
            "unreadable".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            error.to_string(),
        ],
    });
    context.ui.table(&["run", "app", "state", "steps", "last", "why"], rows)?;
    if let (Some(_), Some((_, Ok(summary)))) = (&wanted, shown.first()) {
        let rows = summary.steps.iter().map(|step| {
            let error = step.error.as_ref().map(ToString::to_string).unwrap_or_default();
            [
                step.id.to_string(),
                step.title.clone(),
                format!("{:?}", step.status).to_lowercase(),
                error,
            ]
        });
        context.ui.table(&["step", "what", "state", "error"], rows)?;
    }
    Ok(Exit::Ok)
}

pub(super) async fn verify(args: &Args, context: &Context, run: &str) -> Result<Exit, CliError> {
    let none = AnswerArgs::default();
    let (executor, run) = known(args, context, Some(run), &none).await?;
    let found = executor.verify(&run).await.map_err(|error| refused(&error))?;
    let bad = found.iter().filter(|one| one.problem.is_some()).count();
    if context.ui.is_json() {
        context.ui.json(&found)?;
    } else {
        let rows = found.iter().map(|one| {
            let word = one.problem.as_ref().map_or("holds".to_owned(), ToString::to_string);
            [one.step.to_string(), one.postcondition.clone(), word]
        });
        context.ui.table(&["step", "promise", "now"], rows)?;
    }
    Ok(if bad == 0 { Exit::Ok } else { Exit::VerificationFailed })
}
