//! `create_machine`: a copy of a Machine in the target region. Known by its marks, so that it is made once, whatever is lost or killed.
//!
//! The configuration is read from the original when the copy is made: a plan holds no values of environment variables. The
//! original must still be what the plan saw.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::{MachineFilter, Marker, NewMachine, Reason, WriteError};
use fly_types::state::MachineState;
use fly_types::wire::{Field, Init, Machine, MachineConfig, Sensitive};
use fly_types::{MachineId, RegionCode, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::errors::{read_error, write_error};
use crate::inventory::facts::{PLAN, STEP};
use crate::inventory::{complete, digest};
use crate::platform::{LIST_LAG, Platform};

/// Name of the kind.
pub(crate) const CREATE: &str = "create_machine";

/// Makes copies. What it remembers only saves calls: a new process finds the same by looking.
pub(crate) struct Create {
    platform: Arc<Platform>,
    known: Mutex<BTreeMap<String, MachineId>>,
}

/// What a step of this kind is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Params {
    /// The original.
    pub(crate) source: MachineId,
    /// Digest of its configuration when the plan was made.
    pub(crate) config: String,
    /// Image by digest, as the original runs it.
    pub(crate) image: String,
    /// Where to.
    pub(crate) region: RegionCode,
    /// The mark of the plan.
    pub(crate) mark: String,
    /// Out of the proxy's pool at first.
    pub(crate) cordoned: bool,
    /// Boot it.
    pub(crate) launch: bool,
    /// Value of `PRIMARY_REGION`, where the original has one.
    #[serde(default)]
    pub(crate) primary_region: Option<String>,
    /// Volume for each mount path.
    #[serde(default)]
    pub(crate) volumes: BTreeMap<String, VolumeId>,
    /// Machines for which it stands by.
    #[serde(default)]
    pub(crate) standbys: Vec<MachineId>,
    /// Without its schedule: a step of its own gives it that, once the original has none any more.
    #[serde(default)]
    pub(crate) without_schedule: bool,
    /// Only hold the volumes: sleep instead of the app, no service, no check.
    #[serde(default)]
    pub(crate) hold_only: bool,
    /// Regions that have room, the nearest first, should the target have none.
    #[serde(default)]
    pub(crate) fallback: Vec<String>,
}

/// What a Machine does that only holds its volumes.
const SLEEP: [&str; 2] = ["sleep", "inf"];

impl Create {
    pub(crate) fn new(platform: Arc<Platform>) -> Self {
        Self { platform, known: Mutex::default() }
    }

    fn marker(params: &Params, step: &str) -> Marker {
        Marker::new([(PLAN, params.mark.as_str()), (STEP, step)])
    }

    /// The copy, if it exists.
    async fn find(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
    ) -> Result<Option<Machine>, StepError> {
        let step = cx.step.id.to_string();
        let key = format!("{} {step}", params.mark);
        if let Some(id) = self.known.lock().await.get(&key).cloned()
            && let Some(machine) = self.platform.machine(&id).await?
        {
            return Ok(Some(machine));
        }
        let filter = MachineFilter {
            metadata: vec![(PLAN.to_owned(), params.mark.clone()), (STEP.to_owned(), step.clone())],
            ..MachineFilter::default()
        };
        let found = self.platform.client.machines(&self.platform.app, &filter).await;
        let marker = Self::marker(params, &step);
        let found = found.map_err(|error| read_error(&error))?.value.into_iter().find(|machine| {
            marker.is_on(machine) && machine.state.get().is_none_or(MachineState::is_active)
        });
        if let Some(machine) = &found {
            self.known.lock().await.insert(key, machine.id.clone());
        }
        Ok(found)
    }

    /// The configuration of the copy.
    pub(crate) async fn config(
        &self,
        params: &Params,
    ) -> Result<(MachineConfig, String), StepError> {
        let app = &self.platform.app;
        let mut original = self.platform.machine(&params.source).await?.ok_or_else(|| {
            StepError::stale(format!(
                "Machine {} of app {app}, which is to be copied, does not exist any more",
                params.source
            ))
            .hint("undo, then plan again")
        })?;
        complete(&self.platform.client, app, &mut original)
            .await
            .map_err(|error| read_error(&error))?;
        let name = original.name.text().unwrap_or("machine").to_owned();
        let Some((config, true)) = original.effective_config() else {
            return Err(StepError::failed(format!(
                "the host of Machine {} of app {app} cannot be reached, so only part of its configuration is known",
                params.source
            ))
            .hint("wait for the host, or deploy the app with the new primary region"));
        };
        if digest::config(config) != params.config {
            return Err(StepError::stale(format!(
                "Machine {} of app {app} has another configuration than when the plan was made: somebody deployed",
                params.source
            ))
            .hint("undo, then plan again"));
        }
        let mut config = config.clone();
        config.image = params.image.clone().into();
        if let (Some(region), Some(env)) = (&params.primary_region, config.env.get_mut()) {
            env.expose_mut().insert("PRIMARY_REGION".to_owned(), region.clone());
        }
        for mount in config.mounts.get_mut().into_iter().flatten() {
            let path = mount.path.text().unwrap_or_default();
            let volume = params.volumes.get(path).ok_or_else(|| {
                StepError::failed(format!(
                    "the plan names no volume for {path} of the copy of Machine {}",
                    params.source
                ))
            })?;
            mount.volume = volume.clone().into();
        }
        config.standbys =
            if params.standbys.is_empty() { Field::Absent } else { params.standbys.clone().into() };
        if params.without_schedule {
            config.schedule = Field::Absent;
        }
        if params.hold_only {
            hold(&mut config);
        }
        Ok((config, name))
    }
}

/// Nothing can be made in the target, for lack of room or because it was withdrawn: regions that may do are named.
pub(crate) fn no_room(error: &WriteError, fallback: &[String]) -> StepError {
    let withdrawn = matches!(&error.reason, Reason::Invalid(why) if why.contains("deprecated"));
    let plain = write_error(error);
    if !withdrawn && !matches!(error.reason, Reason::NoCapacity(_)) {
        return plain;
    }
    match fallback.first() {
        Some(first) => plain.hint(format!(
            "undo, then plan again to a region with room (nearest first: {}): fly-migrate region plan --to {first}",
            fallback.join(" ")
        )),
        None => plain.hint("resume later, or undo"),
    }
}

/// Whether a Machine only holds its volumes.
pub(crate) fn is_hold(config: &MachineConfig) -> bool {
    let exec = config.init.get().map(|init| init.exec.items());
    exec.is_some_and(|words| words == SLEEP)
}

/// Leaves nothing of the app but its image, its size and its mounts.
fn hold(config: &mut MachineConfig) {
    let words: Vec<String> = SLEEP.map(str::to_owned).to_vec();
    config.init = Init { exec: words.into(), ..Init::default() }.into();
    config.services = Field::Absent;
    config.checks = Field::Absent;
    config.schedule = Field::Absent;
    config.standbys = Field::Absent;
    config.processes = Field::Absent;
    config.env = Sensitive::new(BTreeMap::new()).into();
}

#[async_trait]
impl StepKind for Create {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        match self.find(cx, &params).await? {
            Some(_) => Ok(Observed::Underway),
            None => Ok(Observed::pending()),
        }
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let (config, name) = self.config(&params).await?;
        let step = cx.step.id.to_string();
        let new = NewMachine {
            name: Some(copy_name(&name, &params)),
            regions: vec![params.region.clone()],
            config,
            skip_launch: !params.launch,
            cordoned: params.cordoned,
            marker: Some(Self::marker(&params, &step)),
            ..NewMachine::default()
        };
        let made = self.platform.writer(permit).create_machine(&self.platform.app, &new).await;
        let made = made.map_err(|error| no_room(&error, &params.fallback))?;
        let key = format!("{} {step}", params.mark);
        self.known.lock().await.insert(key, made.machine.id);
        Ok(())
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let machine = self.settled(cx, &params).await?;
        let states: &[MachineState] = if params.launch {
            // The proxy may have put it to sleep already.
            &[MachineState::Started, MachineState::Stopped, MachineState::Suspended]
        } else {
            &[MachineState::Stopped, MachineState::Created, MachineState::Suspended]
        };
        self.platform.wait(&machine.id, states, Duration::from_mins(5)).await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let machine = self.settled(cx, &params).await?;
        if machine.region.get() != Some(&params.region) {
            return Err(StepError::unsafe_state(format!(
                "Machine {} of app {} is not in {}",
                machine.id, self.platform.app, params.region
            )));
        }
        Ok(Outputs::none()
            .with("machine", machine.id.to_string())
            .with("name", machine.name.text().unwrap_or_default()))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let Some(machine) = self.find_for_long(cx, &params).await? else { return Ok(()) };
        if is_in_use(&machine, &params) {
            return Err(StepError::unsafe_state(format!(
                "Machine {} of app {}, which this run made, is in use, and not by this run",
                machine.id, self.platform.app
            ))
            .hint("somebody went on with the same plan on another computer: look there before anything is taken back"));
        }
        let writer = self.platform.writer(permit);
        let target = writer.machine(&self.platform.app, &machine.id);
        target.destroy(true).await.map_err(|error| write_error(&error))?;
        self.platform.wait(&machine.id, &[MachineState::Destroyed], Duration::from_mins(2)).await?;
        // What it had is only free once the list does not show it any more.
        while self.find(cx, &params).await?.is_some() {
            self.platform.pause(Duration::from_secs(1)).await;
        }
        Ok(())
    }
}

impl Create {
    async fn settled(&self, cx: &StepContext<'_>, params: &Params) -> Result<Machine, StepError> {
        self.find_for_long(cx, params).await?.ok_or_else(|| {
            StepError::stale(format!(
                "the copy of Machine {} of app {} in {} does not exist any more",
                params.source, self.platform.app, params.region
            ))
        })
    }

    /// The same as `find`, but what was just made is looked for until lists must show it.
    async fn find_for_long(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
    ) -> Result<Option<Machine>, StepError> {
        let began = cx.began_at();
        loop {
            if let Some(machine) = self.find(cx, params).await? {
                return Ok(Some(machine));
            }
            let young = began.is_some_and(|began| {
                cx.now().duration_since(began)
                    < jiff::SignedDuration::try_from(LIST_LAG).unwrap_or_default()
            });
            if !young {
                return Ok(None);
            }
            self.platform.pause(Duration::from_secs(1)).await;
        }
    }
}

/// Whether a copy serves, though every later step of this run is undone: then the copy is as it was made.
fn is_in_use(machine: &Machine, params: &Params) -> bool {
    let started = machine.state.get() == Some(&MachineState::Started);
    let opened = params.cordoned && machine.cordoned.copied() == Some(false);
    let released = params.hold_only
        && machine.effective_config().is_some_and(|(config, whole)| whole && !is_hold(config));
    opened || released || (started && !params.launch)
}

/// The name of a copy: that of the original, the region, and the start of the mark, so that a second move finds it free.
fn copy_name(name: &str, params: &Params) -> String {
    let stem: String = name.chars().take(30).collect();
    let mark: String =
        params.mark.chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
    let source: String = params.source.as_str().chars().rev().take(4).collect();
    let hold = if params.hold_only { "-hold" } else { "" };
    format!("{stem}-{}-{mark}{source}{hold}", params.region)
}
