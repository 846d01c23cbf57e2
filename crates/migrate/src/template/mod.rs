//! From an inventory to a plan: which steps a move needs, in which order, and what cannot be moved at all.
//!
//! Must not know: how a step is done (`steps`), the terminal.

mod around;
pub mod cleanup;
mod commands;
mod cost;
mod draft;
mod egress;
mod gates;
mod kinds;
mod no_soak;
mod primary;
mod replicated;
mod restore;
mod scheduled;
mod standby;
mod stateless;
mod volume;
mod warnings;

use std::collections::BTreeMap;

use fly_types::RegionCode;
use jiff::Timestamp;
use runbook::canonical::Digest;
use runbook::error::Refusal;
use runbook::plan::{Plan, Target};
use runbook::sealed::SealedPlan;
use serde_json::json;

use crate::guards::Guards;
use crate::inventory::Inventory;
use crate::inventory::around::Around;
use crate::inventory::facts::{Scope, facts};
use crate::prices::Prices;
use crate::regions::{RegionError, Regions};
use draft::Draft;
pub use kinds::{Blocked, Kind, kind};

/// Name of the runbook that moves.
pub const RUNBOOK: &str = "region-migration";

/// What the operator asked for, resolved.
#[derive(Debug, Clone)]
pub struct Request {
    /// From where.
    pub source: RegionCode,
    /// To where.
    pub target: RegionCode,
    /// When.
    pub now: Timestamp,
    /// Choices.
    pub options: Options,
}

/// Choices with defaults.
#[derive(Debug, Clone)]
pub struct Options {
    /// How old the newest snapshot of a volume may be.
    pub backup_hours: i64,
    /// Why no backup is needed.
    pub waive_backup: Option<String>,
    /// Where the rehearsal is recorded, or why there is none.
    pub rehearsed: Option<String>,
    /// Who looked at names of the old region that are written somewhere, and what came of it.
    pub regions_checked: Option<String>,
    /// Why certificates that are not in order do not matter.
    pub waive_names: Option<String>,
    /// How long requests that are under way get, in seconds.
    pub drain_seconds: u64,
    /// How long the new Machines are watched after the cutover, in seconds.
    pub watch_seconds: u64,
    /// Destroy the old side in the same run, without time to look whether the new side is right.
    pub no_soak: bool,
    /// Text of fly.toml, for the patch.
    pub fly_toml: Option<String>,
    /// Its name, as the patch names it.
    pub fly_toml_name: String,
    /// What is around the app; empty if nobody looked.
    pub around: Around,
    /// Regions into which data may be moved; empty: all (hazard H24).
    pub allowed: Vec<RegionCode>,
    /// Who plans: named where something is waived.
    pub operator: String,
    /// Which guards of hazards are on: all, except in tests of the guards.
    pub guards: Guards,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backup_hours: 24,
            waive_backup: None,
            rehearsed: None,
            regions_checked: None,
            waive_names: None,
            drain_seconds: 30,
            watch_seconds: 120,
            no_soak: false,
            fly_toml: None,
            fly_toml_name: "fly.toml".to_owned(),
            around: Around::default(),
            allowed: Vec::new(),
            operator: "unknown".to_owned(),
            guards: Guards::ALL,
        }
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Source and target are the same.
    #[error("source and target are both {0}: there is nothing to move")]
    SameRegion(RegionCode),
    /// The target cannot be used.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// Nothing is there.
    #[error("app {app} has no Machine in {region}")]
    Nothing {
        /// Which app.
        app: String,
        /// Where.
        region: RegionCode,
        /// Where it has some.
        elsewhere: String,
    },
    /// Some of it cannot be moved, or not now.
    #[error("app {app} cannot be moved as it is: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Blocked {
        /// Which app.
        app: String,
        /// Everything that is in the way.
        problems: Vec<Blocked>,
    },
    /// The plan broke a rule of the engine: a mistake of this tool.
    #[error("the plan is not sound")]
    Unsound(#[source] Refusal),
}

impl PlanError {
    /// What to do next.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::SameRegion(_) => vec!["name another region with --to".to_owned()],
            Self::Region(error) => vec![error.hint()],
            Self::Nothing { elsewhere, .. } => vec![format!("it has Machines in: {elsewhere}")],
            Self::Blocked { problems, .. } => problems.iter().map(|one| one.todo.clone()).collect(),
            Self::Unsound(_) => vec![
                "this is a mistake of fly-migrate; report it with `region plan --json`".to_owned(),
            ],
        }
    }
}

/// Makes the plan that moves what an app has in one region to another.
///
/// # Errors
/// A [`PlanError`]: nothing was changed, planning only reads.
pub fn plan(
    inventory: &Inventory,
    regions: &Regions,
    request: &Request,
) -> Result<SealedPlan, PlanError> {
    if request.source == request.target {
        return Err(PlanError::SameRegion(request.source.clone()));
    }
    regions.target(&request.target)?;
    if inventory.in_region(&request.source).next().is_none() {
        let elsewhere: std::collections::BTreeSet<&str> =
            inventory.machines.iter().map(|machine| machine.region.as_str()).collect();
        return Err(PlanError::Nothing {
            app: inventory.app.to_string(),
            region: request.source.clone(),
            elsewhere: elsewhere.into_iter().collect::<Vec<_>>().join(" "),
        });
    }
    let guards = request.options.guards;
    let mut problems = kinds::blocked(inventory, request);
    problems.extend(around::blocked(inventory, request));
    problems.retain(|problem| problem.hazard.is_none_or(|hazard| guards.has(hazard)));
    if !problems.is_empty() {
        return Err(PlanError::Blocked { app: inventory.app.to_string(), problems });
    }
    let mark = mark(inventory, request);
    let scope = Scope { source: request.source.clone(), target: request.target.clone(), mark };
    let mut draft = Draft::new(inventory, regions, request, &scope);
    stateless::build(&mut draft);
    draft.around_notes();
    if request.options.no_soak {
        no_soak::build(&mut draft);
    }
    let (mut groups, mut sessions, mut warnings, no_return) = draft.finish();
    guards.strip(&mut groups, &mut sessions);
    warnings.retain(|text| text.split_once(':').is_none_or(|(hazard, _)| guards.has(hazard)));
    let mut inputs = BTreeMap::new();
    inputs.insert("source".to_owned(), json!(request.source));
    inputs.insert("target".to_owned(), json!(request.target));
    inputs.insert("scope".to_owned(), json!(scope));
    inputs.insert("inventory".to_owned(), json!(inventory));
    inputs.insert("hazards".to_owned(), crate::guards::held(&groups, &warnings));
    inputs.insert("around".to_owned(), json!(request.options.around));
    if let Some(prices) = Prices::embedded() {
        inputs.insert("prices".to_owned(), json!({"as_of": prices.as_of, "source": prices.source}));
    }
    let plan = Plan {
        runbook: RUNBOOK.to_owned(),
        tool: concat!("fly-migrate ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at: request.now,
        target: Target {
            kind: "fly-app".to_owned(),
            owner: inventory.org.as_ref().map_or("unknown".to_owned(), ToString::to_string),
            name: inventory.app.to_string(),
        },
        summary: format!(
            "move app {} from {} to {}",
            inventory.app, request.source, request.target
        ),
        inputs,
        facts: guards.weaken(&facts(inventory, &scope)),
        sessions,
        groups,
        point_of_no_return: no_return,
        warnings,
    };
    SealedPlan::seal(plan).map_err(PlanError::Unsound)
}

/// A mark that no other plan has: what the run makes is known by it.
fn mark(inventory: &Inventory, request: &Request) -> String {
    let of = json!([inventory, request.source, request.target, request.now]);
    format!("p{}", Digest::of(&of).short())
}
