//! `plan --org`: a plan for each app of an organization that has something in a region, and the order in which they are carried out.
//!
//! The organization's lists are read once; then one app after the other is read, planned, written and forgotten, a few beside each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fly_api::OrgQuery;
use fly_types::{AppName, OrgSlug, RegionCode};
use futures_util::StreamExt as _;
use ops_cli::{CliError, Context, Exit, Typed, write_atomic};
use runbook::plan::Cost;
use runbook::sealed::SealedPlan;
use serde::Serialize;

use super::cli::PlanArgs;
use super::make::{Failed, Maker};
use super::order::{Node, order};
use super::show;
use crate::cli::Args;
use crate::inventory::around::{Neighbour, OrgAround, is_database, named};
use crate::prices::Prices;
use crate::template::PlanError;

/// Apps that are read beside each other; each takes a handful of requests, and the client keeps the limits.
const AT_ONCE: usize = 4;
/// Name of the index in the directory of plans.
const INDEX: &str = "index.json";

/// Whether a whole organization is meant: it is named, and no app is.
pub(super) fn is_meant(args: &Args) -> bool {
    args.org.org.is_some() && args.app.app.is_none()
}

/// What is written beside the plans.
#[derive(Debug, Serialize)]
struct Index {
    format: &'static str,
    version: u32,
    org: OrgSlug,
    source: RegionCode,
    target: RegionCode,
    made_at: jiff::Timestamp,
    /// Date of the prices.
    prices: Option<String>,
    /// In this order.
    plans: Vec<Entry>,
    /// Apps without a plan.
    blocked: Vec<Blocked>,
    /// Needs that the order does not keep.
    rings: Vec<Ring>,
    once_usd: f64,
    monthly_usd: f64,
    /// What could not be read.
    unknown: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Entry {
    app: String,
    file: String,
    digest: String,
    database: bool,
    /// Apps of this list that its variables name.
    needs: Vec<String>,
    steps: usize,
    expected_seconds: u64,
    point_of_no_return: Option<String>,
    once_usd: f64,
    monthly_usd: f64,
}

#[derive(Debug, Clone, Serialize)]
struct Blocked {
    app: String,
    database: bool,
    reasons: Vec<Reason>,
}

#[derive(Debug, Clone, Serialize)]
struct Reason {
    hazard: Option<String>,
    what: String,
    todo: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Ring {
    app: String,
    needs: String,
}

/// What came of one app.
struct Made {
    app: String,
    needs: BTreeSet<String>,
    outcome: Result<Entry, Vec<Reason>>,
}

/// `plan --org ORG --from REGION`.
pub(super) async fn plans(
    args: &Args,
    options: &PlanArgs,
    context: &Context,
) -> Result<Exit, CliError> {
    refuse_options_of_one_app(options)?;
    let config =
        context.resolve(Typed { access: Some(&args.access), app: None, org: Some(&args.org) })?;
    let org = config.org()?.clone();
    let maker = Maker::new(options, context, &config).await?;
    maker.check_regions()?;
    let found = Found::read(&maker, &org).await?;
    if found.here.is_empty() {
        let elsewhere: BTreeSet<&str> =
            found.apps.values().flat_map(|one| &one.regions).map(RegionCode::as_str).collect();
        let elsewhere = elsewhere.into_iter().collect::<Vec<_>>().join(" ");
        return Err(CliError::usage(format!("organization {org} has nothing in {}", maker.source))
            .hint(format!("it has Machines in: {elsewhere}")));
    }
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("plans"));
    let directory = context.directory.join(&out);
    std::fs::create_dir_all(&directory).map_err(|error| {
        CliError::nothing_done(format!("cannot make directory {}", out.display()))
            .caused_by(error)
            .hint("name another one with --out")
    })?;
    let around = OrgAround::read(&maker.client, &org).await;
    let made: Vec<Result<Made, CliError>> = futures_util::stream::iter(&found.here)
        .map(|app| make(&maker, &around, &found, &directory, app))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let made = made.into_iter().collect::<Result<Vec<Made>, CliError>>()?;
    let index = index(&maker, org, made, found, context.now());
    let text = serde_json::to_string_pretty(&index)
        .map_err(|error| CliError::nothing_done("the index cannot be written").caused_by(error))?;
    write_atomic(&directory.join(INDEX), format!("{text}\n").as_bytes())?;
    print(context, &index, &out)?;
    Ok(match (index.blocked.is_empty() && index.unknown.is_empty(), options.detailed_exitcode) {
        (false, _) => Exit::Incomplete,
        (true, true) => Exit::PlanHasChanges,
        (true, false) => Exit::Ok,
    })
}

fn refuse_options_of_one_app(options: &PlanArgs) -> Result<(), CliError> {
    let option = match (&options.fly_toml, options.script) {
        (Some(_), _) => "--fly-toml",
        (_, true) => "--script",
        _ => return Ok(()),
    };
    Err(CliError::usage(format!("{option} is about one app, and --org about all"))
        .hint("name one with --app; `region show PLAN --script` prints the script of any plan"))
}

/// What the lists of an organization say.
struct Found {
    /// Every app with Machines or volumes.
    apps: BTreeMap<String, Neighbour>,
    /// Apps with something in the region that is left.
    here: BTreeSet<String>,
    unknown: Vec<String>,
}

impl Found {
    async fn read(maker: &Maker<'_>, org: &OrgSlug) -> Result<Self, CliError> {
        let query = OrgQuery::default();
        let fail = |what: &'static str| {
            move |error: fly_api::ApiError| {
                CliError::from(error)
                    .context(format!("cannot list the {what} of organization {org}"))
            }
        };
        let machines =
            maker.client.org_machines_all(org, &query).await.map_err(fail("Machines"))?;
        let mut found = Self { apps: BTreeMap::new(), here: BTreeSet::new(), unknown: Vec::new() };
        let mut silent: BTreeSet<String> = machines.value.error_regions.into_iter().collect();
        for machine in machines.value.rows {
            let (Some(app), Some(region)) = (machine.app_name.get(), machine.region.get()) else {
                found.unknown.push(format!("app or region of Machine {}", machine.id));
                continue;
            };
            if !machine.state.get().is_none_or(fly_types::state::MachineState::is_active) {
                continue;
            }
            let image = machine.config.get().and_then(|config| config.image.text());
            let database = image.is_some_and(is_database);
            found.add(app, region, database, &maker.source);
        }
        let volumes = maker.client.org_volumes_all(org, &query).await.map_err(fail("volumes"))?;
        silent.extend(volumes.value.error_regions);
        for volume in volumes.value.rows {
            let live = volume.state.get().is_none_or(fly_types::state::VolumeState::is_live);
            if let (Some(app), Some(region), true) =
                (volume.app_name.get(), volume.region.get(), live)
            {
                found.add(app, region, false, &maker.source);
            }
        }
        if silent.contains(maker.source.as_str()) {
            found.unknown.push(format!(
                "region {} did not answer: apps that only have something there may be missing",
                maker.source
            ));
        }
        Ok(found)
    }

    fn add(&mut self, app: &AppName, region: &RegionCode, database: bool, source: &RegionCode) {
        let one = self.apps.entry(app.to_string()).or_insert_with(|| Neighbour {
            app: app.to_string(),
            regions: BTreeSet::new(),
            database: false,
        });
        one.regions.insert(region.clone());
        one.database |= database;
        if region == source {
            self.here.insert(app.to_string());
        }
    }
}

/// Plans one app and writes the plan.
async fn make(
    maker: &Maker<'_>,
    around: &OrgAround,
    found: &Found,
    directory: &Path,
    app: &str,
) -> Result<Made, CliError> {
    let name: AppName = app.parse()?;
    let database = found.apps.get(app).is_some_and(|one| one.database);
    let file = format!("{app}.json");
    let stale = directory.join(&file);
    Ok(match maker.plan(&name, Some(around), &found.apps).await {
        Ok((inventory, sealed)) => {
            write_atomic(&stale, sealed.to_text().as_bytes())?;
            let needs = named(&inventory);
            let entry = entry(app, file, database, &sealed);
            Made { app: app.to_owned(), needs, outcome: Ok(entry) }
        }
        Err(failed) => {
            // A plan of an earlier call would be taken for one of this.
            if stale.exists() {
                std::fs::remove_file(&stale).map_err(|error| {
                    CliError::nothing_done(format!(
                        "cannot remove the old plan {}",
                        stale.display()
                    ))
                    .caused_by(error)
                })?;
            }
            Made { app: app.to_owned(), needs: BTreeSet::new(), outcome: Err(reasons(&failed)) }
        }
    })
}

fn entry(app: &str, file: String, database: bool, sealed: &SealedPlan) -> Entry {
    let plan = sealed.plan();
    let cost = show::total_cost(plan);
    Entry {
        app: app.to_owned(),
        file,
        digest: sealed.digest().to_string(),
        database,
        needs: Vec::new(),
        steps: plan.steps().count(),
        expected_seconds: show::total_seconds(plan),
        point_of_no_return: plan.point_of_no_return.as_ref().map(|point| point.step.to_string()),
        once_usd: cost.once_usd,
        monthly_usd: cost.monthly_usd,
    }
}

fn reasons(failed: &Failed) -> Vec<Reason> {
    match failed {
        Failed::Unread(error) => vec![Reason {
            hazard: None,
            what: error.to_string(),
            todo: vec!["plan this app again on its own with --app".to_owned()],
        }],
        Failed::Unplanned(PlanError::Blocked { problems, .. }) => problems
            .iter()
            .map(|one| Reason {
                hazard: one.hazard.map(str::to_owned),
                what: one.what.clone(),
                todo: vec![one.todo.clone()],
            })
            .collect(),
        Failed::Unplanned(PlanError::Nothing { app, region, .. }) => vec![Reason {
            hazard: None,
            what: format!("app {app} has only volumes in {region} and no Machine that has them"),
            todo: vec![format!(
                "look what is on them: `fly volumes list -a {app}`; fork what is needed with `fly-migrate volume fork VOLUME --region …`, destroy the rest"
            )],
        }],
        Failed::Unplanned(error) => {
            vec![Reason { hazard: None, what: error.to_string(), todo: error.hints() }]
        }
    }
}

fn index(
    maker: &Maker<'_>,
    org: OrgSlug,
    made: Vec<Made>,
    found: Found,
    now: jiff::Timestamp,
) -> Index {
    let nodes: BTreeMap<String, Node> = made
        .iter()
        .map(|one| {
            let database = found.apps.get(&one.app).is_some_and(|known| known.database);
            (one.app.clone(), Node { database, needs: one.needs.clone() })
        })
        .collect();
    let order = order(&nodes);
    let mut by_name: BTreeMap<String, Made> =
        made.into_iter().map(|one| (one.app.clone(), one)).collect();
    let (mut plans, mut blocked, mut sum) = (Vec::new(), Vec::new(), Cost::default());
    for app in order.apps {
        let Some(one) = by_name.remove(&app) else { continue };
        match one.outcome {
            Ok(mut entry) => {
                let among = one.needs.into_iter().filter(|other| nodes.contains_key(other));
                entry.needs = among.collect();
                sum.once_usd += entry.once_usd;
                sum.monthly_usd += entry.monthly_usd;
                plans.push(entry);
            }
            Err(reasons) => {
                let database = nodes.get(&app).is_some_and(|node| node.database);
                blocked.push(Blocked { app, database, reasons });
            }
        }
    }
    Index {
        format: "fly-migrate-plans",
        version: 1,
        org,
        source: maker.source.clone(),
        target: maker.target.clone(),
        made_at: now,
        prices: Prices::embedded().map(|prices| prices.as_of.clone()),
        plans,
        blocked,
        rings: order.broken.into_iter().map(|(app, needs)| Ring { app, needs }).collect(),
        once_usd: sum.once_usd,
        monthly_usd: sum.monthly_usd,
        unknown: found.unknown,
    }
}

fn print(context: &Context, index: &Index, out: &Path) -> Result<(), CliError> {
    let ui = &context.ui;
    for unknown in &index.unknown {
        ui.warn(&format!("could not be read: {unknown}"));
    }
    if ui.is_json() {
        return ui.json(index);
    }
    let money = |once: f64, month: f64| show::cost(Cost { once_usd: once, monthly_usd: month });
    let rows = index.plans.iter().enumerate().map(|(number, one)| {
        [
            (number + 1).to_string(),
            one.app.clone(),
            if one.database { "database" } else { "app" }.to_owned(),
            if one.needs.is_empty() { "-".to_owned() } else { one.needs.join(" ") },
            one.steps.to_string(),
            show::seconds(one.expected_seconds),
            one.point_of_no_return
                .clone()
                .map_or("any time".to_owned(), |step| format!("until {step}")),
            money(one.once_usd, one.monthly_usd),
        ]
    });
    let mut text =
        format!("move organization {} from {} to {}\n\n", index.org, index.source, index.target);
    let headings = ["#", "app", "what", "after", "steps", "time", "undo", "cost"];
    text.push_str(&ops_cli::table(&headings, rows, ui.width()));
    let _ = writeln!(
        text,
        "\n\n{} plans, cost {} by list prices of {}, both regions until each cleanup",
        index.plans.len(),
        money(index.once_usd, index.monthly_usd),
        index.prices.as_deref().unwrap_or("an unknown date"),
    );
    let mut notes = Vec::new();
    for ring in &index.rings {
        notes.push(format!(
            "{} needs {} and the other way round: {} moves first, so for a while the two talk across regions",
            ring.app, ring.needs, ring.app
        ));
    }
    if index.plans.iter().any(|one| !one.needs.is_empty()) && !index.blocked.is_empty() {
        notes.push(
            "what an app without a plan needs, or is needed for, is not in this order".to_owned(),
        );
    }
    for one in &index.blocked {
        let word = if one.database { "database " } else { "" };
        notes.push(format!("no plan for {word}{}:", one.app));
        for reason in &one.reasons {
            let hazard = reason.hazard.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
            notes.push(format!("  - {}{hazard}", reason.what));
            notes.extend(reason.todo.iter().map(|todo| format!("    to do: {todo}")));
        }
    }
    for note in notes {
        text.push('\n');
        text.push_str(&show::wrapped(&note, ui.width()));
    }
    ui.out(&text)?;
    ui.note(&format!(
        "written to {}; next, in this order: fly-migrate region apply {}",
        out.join(INDEX).display(),
        index
            .plans
            .first()
            .map_or_else(|| "PLAN".to_owned(), |one| { out.join(&one.file).display().to_string() })
    ));
    Ok(())
}
