//! The hazards of a move between regions, H01 to H24, and what guards against each.
//!
//! One table, from which plans say what protects them, the documentation page is made, and tests know which guard to take away: every
//! guard but that of H21 can be switched off, and then a named test must fail. No flag of the command does that.

use std::fmt::{self, Write as _};

use runbook::facts::{DriftClass, Facts};
use runbook::plan::{Group, Id, SessionSpec, Step};

use serde_json::{Value, json};

use crate::leases::LEASES;
use crate::steps;

/// What can go wrong in a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hazard(u8);

impl Hazard {
    /// By its number, 1 to 24.
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= COUNT { Some(Self(number)) } else { None }
    }

    /// From `H07`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix('H').and_then(|digits| digits.parse().ok()).and_then(Self::new)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=COUNT).map(Self)
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H{:02}", self.0)
    }
}

const COUNT: u8 = 24;

/// Where a guard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Planning refuses, and the refusal names the hazard.
    Refusal,
    /// The plan warns, and the warning begins with the hazard.
    Warning,
    /// Steps of this kind.
    Kind(&'static str),
    /// Steps with this id, or whose id begins with it and a dash.
    Step(&'static str),
    /// A session that the steps name.
    Session(&'static str),
    /// What the change of a fact means.
    Facts,
    /// In code that asks [`Guards::on`]: which file.
    Code(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refusal => f.write_str("planning refuses"),
            Self::Warning => f.write_str("the plan warns"),
            Self::Kind(kind) => write!(f, "steps of kind `{kind}`"),
            Self::Step(id) => write!(f, "step `{id}`"),
            Self::Session(id) => write!(f, "session `{id}`"),
            Self::Facts => f.write_str("facts of the plan"),
            Self::Code(file) => write!(f, "`{file}`"),
        }
    }
}

/// A hazard with its guard.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// Which.
    pub hazard: Hazard,
    /// What goes wrong.
    pub what: &'static str,
    /// What is done against it.
    pub how: &'static str,
    /// Where that is.
    pub places: &'static [Place],
}

const fn guard(
    number: u8,
    what: &'static str,
    how: &'static str,
    places: &'static [Place],
) -> Guard {
    Guard { hazard: Hazard(number), what, how, places }
}

/// Every hazard, in order.
pub const GUARDS: [Guard; COUNT as usize] = [
    guard(
        1,
        "writes go on after the copy was taken and are lost",
        "Machines with volumes leave the pool and stop before the snapshot and the copies, and stay so until the new side writes",
        &[Place::Step("fence"), Place::Step("freeze")],
    ),
    guard(
        2,
        "a copy of a file system that was not synced lacks the newest files",
        "copies are taken of volumes whose Machine has stopped",
        &[Place::Step("freeze")],
    ),
    guard(
        3,
        "a free volume of the same name in the target is mounted with its stale data",
        "such volumes are named and have to go first; a stale one that appears later makes the plan stale",
        &[Place::Refusal, Place::Facts],
    ),
    guard(
        4,
        "a Machine with an empty volume passes its health checks",
        "the sums of all files are compared before anything can write on a copy",
        &[Place::Kind(steps::DATA)],
    ),
    guard(
        5,
        "PRIMARY_REGION names a region without Machines, or far from the data",
        "it is changed in the copies, and in Machines of other regions only after the new side serves",
        &[Place::Code("src/template/primary.rs")],
    ),
    guard(
        6,
        "min_machines_running counts in the primary region only, so the proxy stops new Machines before the switch and old ones after it",
        "a Machine that the proxy put to sleep counts as well; the plan says where the minimum counts",
        &[Place::Warning, Place::Code("src/steps/health.rs")],
    ),
    guard(
        7,
        "the proxy sends users to the nearest Machine, so new Machines alone move nobody",
        "the cutover is a cordon of the old Machines, made once a new one takes traffic",
        &[Place::Step("close")],
    ),
    guard(
        8,
        "stopping kills the requests that are under way",
        "after the cordon the run waits until no request is under way, or the time for it is over",
        &[Place::Kind(steps::DRAIN)],
    ),
    guard(
        9,
        "what was destroyed is gone, and what was forgotten goes on costing money",
        "old Machines and volumes are kept until `cleanup`, which takes only what the move knew and what rests",
        &[Place::Step("accounted"), Place::Code("src/template/cleanup.rs")],
    ),
    guard(
        10,
        "snapshots end before the soak does",
        "the plan says until when the snapshots of each volume are kept",
        &[Place::Warning],
    ),
    guard(
        11,
        "the target is full",
        "a placement dry run before the plan and before the first change; regions with room are named",
        &[Place::Refusal, Place::Kind(steps::ROOM)],
    ),
    guard(
        12,
        "a volume on a host that is full or dead cannot be copied",
        "the newest snapshot is restored in the place of the volume, which is never used again; its age, and that what was written since is lost, is said and has to be accepted; without a snapshot planning refuses",
        &[Place::Refusal, Place::Step("data-loss")],
    ),
    guard(
        13,
        "the platform moved a Machine to another host: volume id and 6PN address are new",
        "volumes are looked up by Machine and mount path; new ids are harmless changes",
        &[Place::Facts],
    ),
    guard(
        14,
        "somebody deploys in the middle",
        "Machine leases, a last look before the cutover, and copies only of what the plan saw",
        &[
            Place::Facts,
            Place::Session(LEASES),
            Place::Kind(steps::UNCHANGED),
            Place::Code("src/steps/create.rs"),
        ],
    ),
    guard(
        15,
        "the next deploy brings the old layout back",
        "the change of fly.toml is written as a patch",
        &[Place::Kind(steps::PATCH)],
    ),
    guard(
        16,
        "region names are written into variables, fly.toml or fly-replay headers",
        "such names are listed, and somebody has to say that they were looked at",
        &[Place::Warning, Place::Step("hard-coded")],
    ),
    guard(
        17,
        "new egress addresses are not allow-listed",
        "addresses in the target come first, time passes until they are in effect, and somebody says that they are allow-listed; the old ones go with the cleanup; addresses of single Machines have to be promoted first",
        &[Place::Refusal, Place::Step("egress")],
    ),
    guard(
        18,
        "app and database are in two regions",
        "the plan names the databases outside the target and what is known of the way there",
        &[Place::Warning],
    ),
    guard(
        19,
        "an app that passes through zero Machines loses its size and its place",
        "copies are made before anything is stopped, old Machines are kept, and the cleanup keeps one Machine of each process group",
        &[Place::Code("src/template/stateless.rs"), Place::Code("src/template/cleanup.rs")],
    ),
    guard(
        20,
        "a cluster loses its quorum",
        "nodes are added before any is taken away, the primary moves when all have the same, and before each node that stops the rest is asked; clusters that cannot be asked are refused",
        &[Place::Refusal, Place::Kind(steps::IN_SYNC)],
    ),
    guard(
        21,
        "a lease that a dead client left blocks everything",
        "its holder is named and its end is waited for; it is never cleared by itself",
        &[Place::Code("src/leases.rs")],
    ),
    guard(
        22,
        "a suspended Machine loses its memory",
        "suspended counts as stopped: the copy boots anew",
        &[Place::Code("src/template/stateless.rs")],
    ),
    guard(
        23,
        "the organization may not create so many Machines",
        "its standing is read before the fleet is doubled; an unknown one is said",
        &[Place::Refusal, Place::Warning],
    ),
    guard(
        24,
        "data leaves the regions in which it may be",
        "the target has to be in the list that the operator gives",
        &[Place::Refusal],
    ),
];

/// Which guards are on. All of them, except in tests of the guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards(u32);

impl Guards {
    /// Every guard.
    pub const ALL: Self = Self(u32::MAX);

    /// All of these but one. For tests: without its guard, the test of a hazard must fail.
    #[must_use]
    pub fn without(self, hazard: Hazard) -> Self {
        Self(self.0 & !(1 << hazard.0))
    }

    /// Whether a guard is on.
    pub fn on(self, hazard: Hazard) -> bool {
        self.0 & (1 << hazard.0) != 0
    }

    /// The same by its name; a name that does not exist is on.
    pub(crate) fn has(self, name: &str) -> bool {
        Hazard::parse(name).is_none_or(|hazard| self.on(hazard))
    }

    fn off(self) -> impl Iterator<Item = &'static Guard> {
        GUARDS.iter().filter(move |guard| !self.on(guard.hazard))
    }

    /// Takes the steps and sessions of guards that are off out of a draft, and what names them.
    pub(crate) fn strip(self, groups: &mut Vec<Group>, sessions: &mut Vec<SessionSpec>) {
        for place in self.off().flat_map(|guard| guard.places) {
            if let Place::Session(name) = place {
                sessions.retain(|session| session.id != Id::from(*name));
                for step in groups.iter_mut().flat_map(|group| &mut group.steps) {
                    step.sessions.retain(|id| id.as_str() != *name);
                }
            }
            let gone = |step: &Step| guards_step(*place, step);
            let ids: Vec<Id> = groups
                .iter()
                .flat_map(|group| &group.steps)
                .filter(|step| gone(step))
                .map(|step| step.id.clone())
                .collect();
            for group in groups.iter_mut() {
                group.steps.retain(|step| !ids.contains(&step.id));
                for step in &mut group.steps {
                    step.under.retain(|id| !ids.contains(id));
                }
            }
        }
        groups.retain(|group| !group.steps.is_empty());
    }

    /// Takes away what the facts of a plan guard.
    pub(crate) fn weaken(self, facts: &Facts) -> Facts {
        let mut weak = Facts::new();
        for (name, fact) in facts.iter() {
            let stale = match fact.on_change {
                DriftClass::Stale => {
                    let guard = if name.starts_with("target-volume/") { "H03" } else { "H14" };
                    self.has(guard)
                }
                DriftClass::Benign => !self.has("H13") && !name.ends_with("/state"),
            };
            if stale {
                weak.stale_if_changed(name, fact.value.clone());
            } else {
                weak.benign(name, fact.value.clone());
            }
        }
        weak
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self::ALL
    }
}

/// Whether a step is what a place names.
pub(crate) fn guards_step(place: Place, step: &Step) -> bool {
    match place {
        Place::Kind(kind) => step.kind == kind,
        Place::Step(name) => step
            .id
            .as_str()
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
        _ => false,
    }
}

/// What a plan holds against each hazard: its steps that guard, and whether it warns. A hazard with neither was looked for, and is
/// guarded by a refusal, by the order, or by the code of steps.
pub(crate) fn held(groups: &[Group], warnings: &[String]) -> Value {
    let row = |guard: &Guard| {
        let name = guard.hazard.to_string();
        let steps: Vec<&str> = groups
            .iter()
            .flat_map(|group| &group.steps)
            .filter(|step| guard.places.iter().any(|place| guards_step(*place, step)))
            .map(|step| step.id.as_str())
            .collect();
        let warned = warnings.iter().any(|text| text.starts_with(&format!("{name}:")));
        json!({"hazard": name, "what": guard.what, "guard": guard.how, "steps": steps, "warned": warned})
    };
    GUARDS.iter().map(row).collect()
}

/// The page of the documentation: a row per hazard.
pub fn table() -> String {
    let mut out = String::from(
        "| Hazard | What goes wrong | What is done | Where |\n| --- | --- | --- | --- |\n",
    );
    for guard in &GUARDS {
        let places: Vec<String> = guard.places.iter().map(ToString::to_string).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            guard.hazard,
            guard.what,
            guard.how,
            places.join("; ")
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hazard_has_its_row_in_order_and_can_be_switched_off() {
        let numbers: Vec<Hazard> = GUARDS.iter().map(|guard| guard.hazard).collect();
        assert_eq!(numbers, Hazard::all().collect::<Vec<_>>());
        for guard in &GUARDS {
            assert!(!guard.places.is_empty(), "{}", guard.hazard);
            assert_eq!(Hazard::parse(&guard.hazard.to_string()), Some(guard.hazard));
            let weak = Guards::ALL.without(guard.hazard);
            assert!(!weak.on(guard.hazard) && Guards::ALL.on(guard.hazard));
            assert_eq!(weak.off().count(), 1);
        }
        assert_eq!(Hazard::parse("H25"), None);
    }

    #[test]
    fn the_page_is_the_table() {
        let page = include_str!("../../../docs/reference/region-hazards.md");
        assert!(page.ends_with(&table()), "the page must end with:\n{}", table());
    }
}
