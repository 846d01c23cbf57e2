//! A toy world: named cells that are written in two halves, a fence, a lease, a snapshot, and a runbook that moves `old` to `new`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

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
use serde_json::{Value, json};

/// What there is.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) cells: BTreeMap<String, Value>,
    pub(crate) lease: Option<String>,
    pub(crate) leases: u64,
    pub(crate) snapshots: BTreeSet<u64>,
    pub(crate) opened: u64,
    pub(crate) guard_until: Option<String>,
    pub(crate) release: u64,
    /// Refreshes fail when this is set.
    pub(crate) lose_snapshot: bool,
    /// Calls of acts and undos, in order.
    pub(crate) calls: Vec<String>,
}

/// Shared by all processes.
pub(crate) type World = Arc<Mutex<State>>;

/// Variants of the toy.
#[derive(Debug, Default)]
pub(crate) struct Toy {
    /// Cells copied in parallel.
    pub(crate) copies: usize,
}

/// Writes a cell, in two halves with an await between.
struct Set(World);

#[async_trait]
impl StepKind for Set {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let state = self.0.lock().unwrap();
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
            let mut state = self.0.lock().unwrap();
            state.calls.push(format!("act {}", cx.step.id));
            state.cells.insert(name.clone(), json!("half"));
        }
        tokio::task::yield_now().await;
        self.0.lock().unwrap().cells.insert(name, cx.params["value"].clone());
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let state = self.0.lock().unwrap();
        let name = cx.params["cell"].as_str().unwrap();
        if state.cells.get(name) != Some(&cx.params["value"]) {
            return Err(StepError::failed(format!("cell `{name}` does not hold its value")));
        }
        Ok(Outputs::none().with("cell", name))
    }

    async fn undo(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        let name = cx.params["cell"].as_str().unwrap().to_owned();
        self.0.lock().unwrap().calls.push(format!("undo {}", cx.step.id));
        tokio::task::yield_now().await;
        let mut state = self.0.lock().unwrap();
        match cx.before().get("value") {
            None | Some(Value::Null) => state.cells.remove(&name),
            Some(value) => state.cells.insert(name, value.clone()),
        };
        Ok(())
    }
}

/// Copies under a snapshot: the copy is only good while that snapshot is held.
struct Copy(World);

#[async_trait]
impl StepKind for Copy {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let snapshot = cx.session::<Snapshot>(&"snapshot".into())?.number;
        let name = cx.params["to"].as_str().unwrap();
        match self.0.lock().unwrap().cells.get(name) {
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
        if self.0.lock().unwrap().cells.get("fence") != Some(&json!(true)) {
            return Err(StepError::unsafe_state("copying without a fence"));
        }
        self.0.lock().unwrap().calls.push(format!("act {}", cx.step.id));
        self.0
            .lock()
            .unwrap()
            .cells
            .insert(name.clone(), json!({"snapshot": snapshot, "whole": false}));
        tokio::task::yield_now().await;
        self.0.lock().unwrap().cells.insert(name, json!({"snapshot": snapshot, "whole": true}));
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        Ok(Outputs::none().with("name", cx.params["to"].as_str().unwrap()))
    }

    async fn undo(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        tokio::task::yield_now().await;
        let mut state = self.0.lock().unwrap();
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
        if self.world.lock().unwrap().lose_snapshot {
            return Err(StepError::failed("connection lost"));
        }
        Ok(())
    }

    async fn close(&self) -> Result<(), StepError> {
        tokio::task::yield_now().await;
        self.world.lock().unwrap().snapshots.remove(&self.number);
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
            let mut state = self.0.lock().unwrap();
            state.opened += 1;
            let number = state.opened;
            // A dead process's snapshot ended with its connection.
            state.snapshots.clear();
            state.snapshots.insert(number);
            number
        };
        tokio::task::yield_now().await;
        let session = Arc::new(Snapshot { world: Arc::clone(&self.0), number });
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
        Ok(())
    }

    async fn close(&self) -> Result<(), StepError> {
        let mut state = self.world.lock().unwrap();
        if state.lease.as_ref() == Some(&self.description) {
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
            let mut state = self.0.lock().unwrap();
            if let Some(holder) = state.lease.as_ref().filter(|holder| **holder != description) {
                return Err(StepError::held(format!("the lease is held by {holder}")));
            }
            state.lease = Some(description.clone());
            state.leases += 1;
        }
        tokio::task::yield_now().await;
        let continues = earlier.is_some_and(|earlier| earlier.text("description").is_some());
        Ok(Opened {
            session: Arc::new(Lease { world: Arc::clone(&self.0), description }),
            continues,
        })
    }
}

struct Unfence(World);

#[async_trait]
impl GuardKind for Unfence {
    async fn arm(&self, cx: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        self.0.lock().unwrap().guard_until = Some(cx.step.id.to_string());
        Ok(())
    }

    async fn disarm(&self, _: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        self.0.lock().unwrap().guard_until = None;
        Ok(())
    }
}

pub(crate) struct Eyes(pub(crate) World);

pub(crate) fn facts(world: &World) -> Facts {
    let state = world.lock().unwrap();
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
    Registry::new(Arc::new(Eyes(Arc::clone(world))))
        .step("set", Set(Arc::clone(world)))
        .step("copy", Copy(Arc::clone(world)))
        .session("snapshot", Snapshots(Arc::clone(world)))
        .session("lease", Leases(Arc::clone(world)))
        .guard("unfence", Unfence(Arc::clone(world)))
}

pub(crate) fn set(id: &str, cell: impl Into<Value>, value: impl Into<Value>) -> Step {
    Step::new(id, "set", format!("set {id}"))
        .params(json!({"cell": cell.into(), "value": value.into()}))
        .ensures("the cell holds the value")
        .undo("put the old value back", ["toy set"])
        .risk(Risk::Availability)
}

pub(crate) fn world() -> World {
    let mut state = State::default();
    state.cells.insert("old".to_owned(), json!("data"));
    state.cells.insert("traffic".to_owned(), json!("old"));
    Arc::new(Mutex::new(state))
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
        Plan {
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
                        set("switch", "traffic", "new").session("lease"),
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
        }
    }
}

#[async_trait]
impl Scenario for Toy {
    type World = World;

    async fn world(&self) -> World {
        world()
    }

    async fn plan(&self, world: &World) -> SealedPlan {
        SealedPlan::seal(self.draft(world)).unwrap()
    }

    async fn registry(&self, world: &World) -> Registry {
        registry(world)
    }

    async fn digest(&self, world: &World) -> String {
        let state = world.lock().unwrap();
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
        let state = world.lock().unwrap();
        let mut left = Vec::new();
        left.extend(state.lease.iter().map(|lease| format!("lease {lease}")));
        left.extend(state.guard_until.iter().map(|guard| format!("guard {guard}")));
        left.extend(state.snapshots.iter().map(|number| format!("snapshot {number}")));
        left
    }
}
