//! Arguments and flow of `fly-migrate region`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fly_types::{AppName, OrgSlug, RegionCode};
use ops_cli::{CliError, Config, Context, Exit, LeastToken, Typed, write_atomic};
use runbook::approval::{Approval, phrase};
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::sealed::SealedPlan;
use runbook::status::RunSummary;
use runbook::store::{RunId, Store as _};

use super::runs::{ended, executor, refused, store};
use crate::cli::Args;
use crate::inventory::observe;
use crate::regions::Regions;
use crate::template::{Options, PlanError, Request, plan};

/// What can be done with a move.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Look at the app and write a plan; changes nothing
    Plan(PlanArgs),
    /// Print a plan file
    Show {
        /// Plan file
        plan: PathBuf,
        /// As Markdown, with reasons and commands
        #[arg(long)]
        markdown: bool,
        /// As a commented shell script, for doing it by hand
        #[arg(long, conflicts_with = "markdown")]
        script: bool,
    },
    /// Carry a plan out
    Apply {
        /// Plan file
        plan: PathBuf,
        /// What the operator knows.
        #[command(flatten)]
        answers: AnswerArgs,
        /// Do not ask; not enough for a plan that passes a point of no return
        #[arg(long)]
        yes: bool,
        /// The app's name, for a plan that passes a point of no return
        #[arg(long, value_name = "APP")]
        confirm: Option<String>,
    },
    /// List runs, or show one
    Status {
        /// Run
        run: Option<String>,
    },
    /// Go on with a run that stopped or was killed
    Resume {
        /// Run; not needed if only one is unfinished
        run: Option<String>,
        /// What the operator knows.
        #[command(flatten)]
        answers: AnswerArgs,
    },
    /// Take a run back
    Rollback {
        /// Run; not needed if only one is unfinished
        run: Option<String>,
        /// Keep everything up to and including this step
        #[arg(long, value_name = "STEP")]
        to: Option<String>,
    },
    /// Destroy what a finished move left in the old region
    Cleanup {
        /// Run of the move
        run: String,
        /// The app's name: what is destroyed is gone
        #[arg(long, value_name = "APP")]
        confirm: Option<String>,
        /// Only print what would be destroyed
        #[arg(long)]
        dry_run: bool,
    },
    /// Check again what a run promised
    Verify {
        /// Run
        run: String,
    },
}

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// Region to leave
    #[arg(long, value_name = "REGION")]
    from: String,
    /// Region to go to; the nearest that is not deprecated when absent
    #[arg(long, value_name = "REGION")]
    to: Option<String>,
    /// Plan file to write
    #[arg(long, value_name = "FILE", default_value = "plan.json")]
    out: PathBuf,
    #[command(flatten)]
    answers: AnswerArgs,
    /// Oldest snapshot of a volume that counts as a backup, in hours
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    backup_hours: i64,
    /// Go without young backups, and why
    #[arg(long, value_name = "REASON")]
    waive_backup: Option<String>,
    /// Go with certificates that are not in order, and why
    #[arg(long, value_name = "REASON")]
    waive_names: Option<String>,
    /// Seconds for requests that are under way
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u64,
    /// Seconds to watch the new Machines after the cutover
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    watch: u64,
    /// Regions into which this app may move (data residency), comma separated
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    allowed: Vec<String>,
    /// Exit with 20 when the plan has changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Print the plan as a commented shell script
    #[arg(long)]
    script: bool,
}

/// What the operator knows.
#[derive(Debug, Default, clap::Args)]
pub struct AnswerArgs {
    /// Where the rehearsal in staging is recorded, or `waived: REASON`
    #[arg(long, value_name = "TEXT")]
    rehearsed: Option<String>,
    /// An answer to a question that a run asked, such as `allow-listed=WHERE` or `data-loss=accepted`
    #[arg(long = "answer", value_name = "QUESTION=TEXT", value_parser = question)]
    given: Vec<(String, String)>,
}

fn question(text: &str) -> Result<(String, String), String> {
    let parts =
        text.split_once('=').filter(|(name, answer)| !name.is_empty() && !answer.trim().is_empty());
    let (name, answer) = parts.ok_or("write it as QUESTION=TEXT")?;
    Ok((name.to_owned(), answer.to_owned()))
}

/// Runs one command.
///
/// # Errors
/// What went wrong, with the exit code.
pub async fn run(args: &Args, command: &Command, context: &Context) -> Result<Exit, CliError> {
    match command {
        Command::Plan(options) => make_plan(args, options, context).await,
        Command::Show { plan, markdown, script } => {
            let plan = load(context, plan)?;
            if context.ui.is_json() {
                context.ui.out(&plan.to_text())?;
            } else if *script {
                context.ui.out(&super::script::script(plan.plan()))?;
            } else if *markdown {
                context.ui.out(&runbook::render::plan_markdown(&plan))?;
            } else {
                context.ui.out(&runbook::render::plan_text(&plan))?;
            }
            Ok(Exit::Ok)
        }
        Command::Apply { plan, answers, yes, confirm } => {
            let plan = load(context, plan)?;
            apply(args, context, &plan, answers, *yes, confirm.as_deref()).await
        }
        Command::Status { run } => status(args, context, run.as_deref()).await,
        Command::Resume { run, answers } => {
            let (executor, run) = Box::pin(known(args, context, run.as_deref(), answers)).await?;
            let loaded = executor.load(&run).await.map_err(|error| refused(&error))?;
            let approval =
                Approval::of_run(&loaded.plan, &loaded.state).map_err(|error| refused(&error))?;
            context.mutating();
            ended(
                context,
                &executor.resume(&run, &approval).await.map_err(|error| refused(&error))?,
            )
        }
        Command::Rollback { run, to } => {
            let none = AnswerArgs::default();
            let (executor, run) = Box::pin(known(args, context, run.as_deref(), &none)).await?;
            let loaded = executor.load(&run).await.map_err(|error| refused(&error))?;
            let approval =
                Approval::of_run(&loaded.plan, &loaded.state).map_err(|error| refused(&error))?;
            let to = to.as_deref().map(runbook::plan::Id::from);
            context.mutating();
            ended(
                context,
                &executor
                    .undo(&run, to.as_ref(), &approval)
                    .await
                    .map_err(|error| refused(&error))?,
            )
        }
        Command::Cleanup { run, confirm, dry_run } => {
            clean_up(args, context, run, confirm.as_deref(), *dry_run).await
        }
        Command::Verify { run } => verify(args, context, run).await,
    }
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

fn region(text: &str, flag: &str) -> Result<RegionCode, CliError> {
    text.parse().map_err(|error: fly_types::IdError| {
        CliError::from(error)
            .context(format!("{flag} '{text}'"))
            .hint("`fly platform regions` lists the codes, such as ams")
    })
}

fn app_typed(args: &Args) -> Typed<'_> {
    Typed { access: Some(&args.access), app: Some(&args.app), org: None }
}

fn access_only(args: &Args) -> Typed<'_> {
    Typed { access: Some(&args.access), app: None, org: None }
}

async fn make_plan(args: &Args, options: &PlanArgs, context: &Context) -> Result<Exit, CliError> {
    let source = region(&options.from, "--from")?;
    let target = options.to.as_deref().map(|text| region(text, "--to")).transpose()?;
    let allowed = options
        .allowed
        .iter()
        .map(|text| region(text, "--allowed"))
        .collect::<Result<Vec<_>, _>>()?;
    let config = context.resolve(app_typed(args))?;
    config.token(LeastToken::ReadOnly)?;
    let app = config.app()?.clone();
    let client = context.client(&config)?;
    let regions = Regions::read(&client).await?;
    let target = match target {
        Some(target) => target,
        None => nearest(&regions, &source, &allowed)?,
    };
    let inventory = observe(&client, &app, context.now()).await.map_err(|error| {
        CliError::from(error.source).context(format!("cannot read {} of app {app}", error.what))
    })?;
    for unknown in &inventory.unknown {
        context.ui.warn(&format!("could not be read: {unknown}"));
    }
    let request = Request {
        source,
        target,
        now: context.now(),
        options: Options {
            backup_hours: options.backup_hours,
            waive_backup: options.waive_backup.clone(),
            rehearsed: options.answers.rehearsed.clone(),
            waive_names: options.waive_names.clone(),
            drain_seconds: options.drain,
            watch_seconds: options.watch,
            fly_toml: fly_toml(args, context),
            allowed,
            ..Options::default()
        },
    };
    let sealed = plan(&inventory, &regions, &request).map_err(|error| unplanned(&error))?;
    let out = context.directory.join(&options.out);
    write_atomic(&out, sealed.to_text().as_bytes())?;
    if context.ui.is_json() {
        context.ui.out(&sealed.to_text())?;
    } else if options.script {
        context.ui.out(&super::script::script(sealed.plan()))?;
    } else {
        context.ui.out(&runbook::render::plan_text(&sealed))?;
    }
    context.ui.note(&format!(
        "written to {}; next: fly-migrate region apply {}",
        options.out.display(),
        options.out.display()
    ));
    Ok(if options.detailed_exitcode { Exit::PlanHasChanges } else { Exit::Ok })
}

fn nearest(
    regions: &Regions,
    source: &RegionCode,
    allowed: &[RegionCode],
) -> Result<RegionCode, CliError> {
    regions
        .near(source, &[])
        .into_iter()
        .find(|code| allowed.is_empty() || allowed.contains(code))
        .ok_or_else(|| CliError::usage("no region is left to go to").hint("name one with --to"))
}

/// The text of fly.toml, if there is one for this app.
fn fly_toml(args: &Args, context: &Context) -> Option<String> {
    let path = ops_cli::config_file(args.app.config.as_deref(), &context.directory).ok()??;
    std::fs::read_to_string(path).ok()
}

fn unplanned(error: &PlanError) -> CliError {
    let exit = match error {
        PlanError::SameRegion(_) | PlanError::Region(_) | PlanError::Nothing { .. } => Exit::Usage,
        _ => Exit::NothingDone,
    };
    error.hints().into_iter().fold(CliError::new(exit, error.to_string()), CliError::hint)
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
    if let Some(text) = &answers.rehearsed {
        given.insert("rehearsal".to_owned(), text.clone());
    }
    let made = executor(context, store(&config.dirs.state()?)?, client, app, org.as_ref())?;
    Ok(made.answers(given))
}

async fn apply(
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
        let question = format!("{}\n{}", runbook::render::plan_text(plan), plan.plan().summary);
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

async fn clean_up(
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
        context.ui.out(&runbook::render::plan_text(&sealed))?;
        return Ok(Exit::Ok);
    }
    let none = AnswerArgs::default();
    apply(args, context, &sealed, &none, false, confirm).await
}

/// The run that was named, or the only unfinished one, and an executor for its app.
async fn known(
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

type Summaries = Vec<(RunId, Result<RunSummary, runbook::error::Refusal>)>;

async fn summaries(
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

async fn status(args: &Args, context: &Context, run: Option<&str>) -> Result<Exit, CliError> {
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

async fn verify(args: &Args, context: &Context, run: &str) -> Result<Exit, CliError> {
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
