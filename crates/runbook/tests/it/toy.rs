//! A toy world: named cells that are written in two halves, a fence, a lease, a snapshot, and a runbook that moves `old` to `new`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::facts::Facts;
use runbook::kind::{GuardKind, Observed, Observer, Registry, StepKind, Wanted};
use runbook::outputs::{self, Outputs};
use runbook::plan::{Group, GuardSpec, NoReturn, OnLoss, Plan, Risk, SessionSpec, Step, Target};
use runbook::sealed::SealedPlan;
use runbook::session::{Opened, Session, SessionContext, SessionKind};
use runbook::testing::Scenario;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What there is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// See [`Toy::flaw`].
    pub(crate) flaw: Option<String>,
    pub(crate) cells: BTreeMap<String, Value>,
    pub(crate) lease: Option<String>,
    pub(crate) leases: u64,
    pub(crate) snapshots: BTreeSet<u64>,
    pub(crate) opened: u64,
    pub(crate) guard_until: Option<String>,
    pub(crate) release: u64,
    /// A step that waits for an hour: its id, or `act ` and its id for the act.
    pub(crate) slow: Option<String>,
    /// A step in whose verification somebody deploys.
    pub(crate) deploy_during: Option<String>,
    pub(crate) refreshes: u64,
    pub(crate) arms: u64,
    pub(crate) at_once: u64,
    pub(crate) most_at_once: u64,
    /// Refreshes fail when this is set.
    pub(crate) lose_snapshot: bool,
    /// Calls of acts and undos, in order.
    pub(crate) calls: Vec<String>,
}

/// Shared by all processes: in memory, or in a file for processes that are really killed.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    file: Option<PathBuf>,
}

impl World {
    /// The world in a file, or a fresh one that will be.
    pub(crate) fn in_file(file: PathBuf) -> Self {
        let state = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Err(_) => fresh(),
        };
        Self { state: Arc::new(Mutex::new(state)), file: Some(file) }
    }

    /// The state; what is changed is in the file when the guard is dropped, whole or not at all.
    pub(crate) fn lock(&self) -> Guard<'_> {
        Guard { state: self.state.lock().unwrap(), file: self.file.as_deref() }
    }
}

pub(crate) struct Guard<'a> {
    state: MutexGuard<'a, State>,
    file: Option<&'a Path>,
}

impl Deref for Guard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.file {
            let draft = file.with_extension("new");
            std::fs::write(&draft, serde_json::to_vec(&*self.state).unwrap()).unwrap();
            std::fs::rename(&draft, file).unwrap();
        }
    }
}

/// Variants of the toy.
#[derive(Debug, Default)]
pub(crate) struct Toy {
    /// Cells copied in parallel.
    pub(crate) copies: usize,
    /// Deadline of the first step.
    pub(crate) deadline: Option<u64>,
    /// Something that is wrong with the kinds: `lazy undo`, `counts`, `leaks`.
    pub(crate) flaw: Option<&'static str>,
    /// Without its point of no return and what comes from there on.
    pub(crate) reversible: bool,
}

/// Writes a cell, in two halves with an await between.
struct Set(World);

#[async_trait]
impl StepKind for Set {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let state = self.0.lock();
        let name = cx.params["cell"].as_str().unwrap();
        let now = state.cells.get(name).cloned().unwrap_or(Value::Null);
        if now == cx.params["value"] {
            return Ok(Observed::Done);
        }
        if now == "half" {
            return Ok(Observed::Partial);
        }
        Ok(Observed::Pending {
            before: Outputs::none().with("value", runbook::outputs::Public::json(now)),
        })
    }

    async fn act(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        let name = cx.params["cell"].as_str().unwrap().to_owned();
        {
            let mut state = self.0.lock();
            state.calls.push(format!("act {}", cx.step.id));
            state.cells.insert(name.clone(), json!("half"));
        }
        slow(&self.0, &format!("act {}", cx.step.id)).await;
        let mut state = self.0.lock();
        if state.flaw.as_deref() == Some("counts") {
            let count = state.cells.get("count").and_then(Value::as_u64).unwrap_or(0);
            state.cells.insert("count".to_owned(), json!(count + 1));
        }
        state.cells.insert(name, cx.params["value"].clone());
        Ok(())
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        slow(&self.0, cx.step.id.as_str()).await;
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let mut state = self.0.lock();
        if state.deploy_during.as_deref() == Some(cx.step.id.as_str()) {
            state.release += 1;
        }
        let name = cx.params["cell"].as_str().unwrap();
        if state.cells.get(name) != Some(&cx.params["value"]) {
            return Err(StepError::failed(format!("cell `{name}` does not hold its value")));
        }
        Ok(Outputs::none().with("cell", name))
    }

    async fn undo(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        let name = cx.params["cell"].as_str().unwrap().to_owned();
        self.0.lock().calls.push(format!("undo {}", cx.step.id));
        tokio::task::yield_now().await;
        let mut state = self.0.lock();
        if state.flaw.as_deref() == Some("lazy undo") {
            return Ok(());
        }
        match cx.before().get("value") {
            None | Some(Value::Null) => state.cells.remove(&name),
            Some(value) => state.cells.insert(name, value.clone()),
        };
        Ok(())
    }
}

/// Waits a moment, or an hour if the world says so.
async fn slow(world: &World, what: &str) {
    let hour = world.lock().slow.as_deref() == Some(what);
    if hour {
        tokio::time::sleep(Duration::from_hours(1)).await; // sleep: virtual time
    } else {
        tokio::task::yield_now().await;
    }
}

/// Copies under a snapshot: the copy is only good while that snapshot is held.
struct Copy(World);

#[async_trait]
impl StepKind for Copy {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let snapshot = cx.session::<Snapshot>(&"snapshot".into())?.number;
        let name = cx.params["to"].as_str().unwrap();
        match self.0.lock().cells.get(name) {
            Some(value) if value["snapshot"] == snapshot && value["whole"] == true => {
                Ok(Observed::Done)
            }
            Some(value) if value["snapshot"] != snapshot => {
                Err(StepError::failed(format!("`{name}` was copied under another snapshot")))
            }
            _ => Ok(Observed::pending()),
        }
    }

    async fn act(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        let snapshot = cx.session::<Snapshot>(&"snapshot".into())?.number;
        let name = cx.params["to"].as_str().unwrap().to_owned();
        if self.0.lock().cells.get("fence") != Some(&json!(true)) {
            return Err(StepError::unsafe_state("copying without a fence"));
        }
        {
            let mut state = self.0.lock();
            state.calls.push(format!("act {}", cx.step.id));
            state.at_once += 1;
            state.most_at_once = state.most_at_once.max(state.at_once);
        }
        self.0.lock().cells.insert(name.clone(), json!({"snapshot": snapshot, "whole": false}));
        tokio::task::yield_now().await;
        self.0.lock().cells.insert(name, json!({"snapshot": snapshot, "whole": true}));
        self.0.lock().at_once -= 1;
        Ok(())
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        slow(&self.0, cx.step.id.as_str()).await;
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        Ok(Outputs::none().with("name", cx.params["to"].as_str().unwrap()))
    }

    async fn undo(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        tokio::task::yield_now().await;
        let mut state = self.0.lock();
        state.calls.push(format!("undo {}", cx.step.id));
        state.cells.remove(cx.params["to"].as_str().unwrap());
        Ok(())
    }
}

/// An exported snapshot: gone with the process.
struct Snapshot {
    world: World,
    number: u64,
}

#[async_trait]
impl Session for Snapshot {
    fn public(&self) -> Outputs {
        Outputs::none().with("number", self.number)
    }

    async fn refresh(&self) -> Result<(), StepError> {
        self.world.lock().refreshes += 1;
        if self.world.lock().lose_snapshot {
            return Err(StepError::failed("connection lost"));
        }
        Ok(())
    }

    async fn close(&self) -> Result<(), StepError> {
        tokio::task::yield_now().await;
        self.world.lock().snapshots.remove(&self.number);
        Ok(())
    }
}

struct Snapshots(World);

#[async_trait]
impl SessionKind for Snapshots {
    async fn open(
        &self,
        _: &SessionContext<'_>,
        _: Option<&Outputs>,
        _: &Permit,
    ) -> Result<Opened, StepError> {
        let number = {
            let mut state = self.0.lock();
            state.opened += 1;
            let number = state.opened;
            // A dead process's snapshot ended with its connection.
            state.snapshots.clear();
            state.snapshots.insert(number);
            number
        };
        tokio::task::yield_now().await;
        let session = Arc::new(Snapshot { world: self.0.clone(), number });
        Ok(Opened { session, continues: false })
    }
}

/// A lease that outlives the process and is known by its description.
struct Lease {
    world: World,
    description: String,
}

#[async_trait]
impl Session for Lease {
    fn public(&self) -> Outputs {
        Outputs::none().with("description", self.description.clone())
    }

    async fn refresh(&self) -> Result<(), StepError> {
        self.world.lock().refreshes += 1;
        Ok(())
    }

    async fn close(&self) -> Result<(), StepError> {
        let mut state = self.world.lock();
        if state.flaw.as_deref() != Some("leaks") && state.lease.as_ref() == Some(&self.description)
        {
            state.lease = None;
        }
        Ok(())
    }
}

struct Leases(World);

#[async_trait]
impl SessionKind for Leases {
    async fn open(
        &self,
        cx: &SessionContext<'_>,
        earlier: Option<&Outputs>,
        _: &Permit,
    ) -> Result<Opened, StepError> {
        let description = cx.run.to_string();
        {
            let mut state = self.0.lock();
            if let Some(holder) = state.lease.as_ref().filter(|holder| **holder != description) {
                return Err(StepError::held(format!("the lease is held by {holder}")));
            }
            state.lease = Some(description.clone());
            state.leases += 1;
        }
        tokio::task::yield_now().await;
        let continues = earlier.is_some_and(|earlier| earlier.text("description").is_some());
        Ok(Opened { session: Arc::new(Lease { world: self.0.clone(), description }), continues })
    }
}

struct Unfence(World);

#[async_trait]
impl GuardKind for Unfence {
    async fn arm(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        let mut state = self.0.lock();
        state.guard_until = Some(cx.step.id.to_string());
        state.arms += 1;
        Ok(())
    }

    async fn disarm(&self, _: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        self.0.lock().guard_until = None;
        Ok(())
    }
}

pub(crate) struct Eyes(pub(crate) World);

pub(crate) fn facts(world: &World) -> Facts {
    let state = world.lock();
    let mut facts = Facts::new();
    facts.stale_if_changed("release", state.release);
    facts.benign("leases", state.leases);
    facts.stale_if_changed("old", state.cells.get("old").cloned().unwrap_or(Value::Null));
    facts
}

#[async_trait]
impl Observer for Eyes {
    fn accepts(&self, plan: &Plan) -> Result<(), String> {
        if plan.target.owner == "toys" {
            Ok(())
        } else {
            Err("this token is for `toys`".to_owned())
        }
    }

    async fn facts(&self, _: &Plan, _: Wanted<'_>) -> Result<Facts, StepError> {
        Ok(facts(&self.0))
    }
}

pub(crate) fn registry(world: &World) -> Registry {
    Registry::new(Arc::new(Eyes(world.clone())))
        .step("set", Set(world.clone()))
        .step("copy", Copy(world.clone()))
        .session("snapshot", Snapshots(world.clone()))
        .session("lease", Leases(world.clone()))
        .guard("unfence", Unfence(world.clone()))
}

pub(crate) fn set(id: &str, cell: impl Into<Value>, value: impl Into<Value>) -> Step {
    Step::new(id, "set", format!("set {id}"))
        .params(json!({"cell": cell.into(), "value": value.into()}))
        .ensures("the cell holds the value")
        .undo("put the old value back", ["toy set"])
        .risk(Risk::Availability)
}

fn fresh() -> State {
    let mut state = State::default();
    state.cells.insert("old".to_owned(), json!("data"));
    state.cells.insert("traffic".to_owned(), json!("old"));
    state
}

pub(crate) fn world() -> World {
    World { state: Arc::new(Mutex::new(fresh())), file: None }
}

impl Toy {
    pub(crate) fn draft(&self, world: &World) -> Plan {
        let copies = (0..self.copies.max(3)).map(|number| {
            Step::new(format!("copy-{number}"), "copy", "copy a piece")
                .params(json!({"to": format!("new-{number}")}))
                .ensures("the piece is whole")
                .undo("drop the piece", ["toy drop"])
                .under("fence")
                .session("snapshot")
        });
        let mut plan = Plan {
            runbook: "toy".to_owned(),
            tool: "toy 1".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            target: Target {
                kind: "toy".to_owned(),
                owner: "toys".to_owned(),
                name: "duck".to_owned(),
            },
            summary: "move old to new".to_owned(),
            inputs: BTreeMap::new(),
            facts: facts(world),
            sessions: vec![
                SessionSpec {
                    id: "lease".into(),
                    kind: "lease".to_owned(),
                    params: Value::Null,
                    ttl_seconds: 30,
                    on_loss: OnLoss::Reobserve,
                },
                SessionSpec {
                    id: "snapshot".into(),
                    kind: "snapshot".to_owned(),
                    params: Value::Null,
                    ttl_seconds: 30,
                    on_loss: OnLoss::Rebuild,
                },
            ],
            groups: vec![
                Group::serial(
                    "prepare",
                    "prepare",
                    vec![
                        set("mark", "mark", "moving").session("lease").requires(
                            "release",
                            0,
                            "a deploy would undo it",
                        ),
                        set("found", "old", "data"),
                        set("fence", "fence", true).session("lease").hold(
                            "switch",
                            Some(GuardSpec {
                                kind: "unfence".to_owned(),
                                params: Value::Null,
                                ttl_seconds: 60,
                            }),
                        ),
                    ],
                ),
                Group::parallel("copies", "copy all pieces", 2, copies.collect()),
                Group::serial(
                    "cutover",
                    "move the traffic",
                    vec![
                        set(
                            "index",
                            "index",
                            json!({"of": outputs::reference(&"copy-1".into(), "name")}),
                        ),
                        set("switch", "traffic", "new").session("lease").requires(
                            "release",
                            0,
                            "a deploy would undo it",
                        ),
                        set("open", "fence", false),
                    ],
                ),
                Group::serial(
                    "destroy",
                    "remove the old",
                    vec![
                        set("destroy", "old", Value::Null)
                            .irreversible("it is gone")
                            .risk(Risk::DataLoss)
                            .changes("old"),
                        set("note", "mark", "moved"),
                    ],
                ),
            ],
            point_of_no_return: Some(NoReturn {
                step: "destroy".into(),
                way_forward: "finish the move".to_owned(),
            }),
            warnings: Vec::new(),
        };
        plan.groups[0].steps[0].deadline_seconds = self.deadline;
        if self.reversible {
            plan.groups.truncate(3);
            plan.point_of_no_return = None;
        }
        plan
    }
}

#[async_trait]
impl Scenario for Toy {
    type World = World;

    async fn world(&self) -> World {
        let world = world();
        world.lock().flaw = self.flaw.map(str::to_owned);
        world
    }

    async fn plan(&self, world: &World) -> SealedPlan {
        SealedPlan::seal(self.draft(world)).unwrap()
    }

    async fn registry(&self, world: &World) -> Registry {
        registry(world)
    }

    async fn digest(&self, world: &World) -> String {
        let state = world.lock();
        let mut lines: Vec<String> = Vec::new();
        for (name, value) in &state.cells {
            // The number of the snapshot differs from run to run; that all pieces have one and the same does not.
            let mut value = value.clone();
            if value.get("snapshot").is_some() {
                value = json!({"whole": value["whole"], "same": value["snapshot"] == state.cells["new-0"]["snapshot"]});
            }
            lines.push(format!("{name} = {value}"));
        }
        lines.join("\n")
    }

    async fn leftovers(&self, world: &World) -> Vec<String> {
        let state = world.lock();
        let mut left = Vec::new();
        left.extend(state.lease.iter().map(|lease| format!("lease {lease}")));
        left.extend(state.guard_until.iter().map(|guard| format!("guard {guard}")));
        left.extend(state.snapshots.iter().map(|number| format!("snapshot {number}")));
        left
    }
}
