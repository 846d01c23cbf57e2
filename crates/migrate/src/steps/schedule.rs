//! `move_schedule`: schedules go from Machines to their copies. First the old one is taken away, then the new one is given, so that at
//! no moment both have it. A run of the job that is under way is waited for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::UpdateOptions;
use fly_types::MachineId;
use fly_types::state::MachineState;
use fly_types::wire::{Field, Machine};
use jiff::{SignedDuration, Timestamp};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::traffic::present;
use crate::errors::write_error;
use crate::leases::{self, Held};
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const SCHEDULE: &str = "move_schedule";
/// How long a run that is under way is waited for.
const PATIENCE: Duration = Duration::from_mins(30);
const PAUSE: Duration = Duration::from_secs(5);

pub(crate) struct Schedule(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machines: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    source: MachineId,
    copy: MachineId,
    schedule: String,
    /// When it was last started, as far as the plan knew.
    #[serde(default)]
    last: Option<Timestamp>,
}

/// Time between two runs; the platform says that its times are approximate.
pub(crate) fn period(schedule: &str) -> Option<SignedDuration> {
    let hours = match schedule {
        "hourly" => 1,
        "daily" => 24,
        "weekly" => 7 * 24,
        "monthly" => 30 * 24,
        _ => return None,
    };
    Some(SignedDuration::from_hours(hours))
}

fn has(machine: &Machine) -> bool {
    let config = machine.effective_config().map(|(config, _)| config);
    config.is_some_and(|config| config.schedule.text().is_some_and(|word| !word.is_empty()))
}

fn runs(machine: &Machine) -> bool {
    machine.state.get().is_some_and(|state| {
        matches!(state, MachineState::Started | MachineState::Starting | MachineState::Stopping)
    })
}

impl Schedule {
    /// Gives a Machine a schedule, or takes it away, without starting it.
    async fn set(
        &self,
        permit: &Permit,
        held: Option<&Held>,
        id: &MachineId,
        schedule: Option<&str>,
    ) -> Result<(), StepError> {
        let mut waited = Duration::ZERO;
        loop {
            let found = self.0.look(std::slice::from_ref(id)).await?;
            if found.first().is_some_and(|machine| has(machine) == schedule.is_some()) {
                return Ok(());
            }
            // An update would end its run.
            if !found.first().is_some_and(runs) {
                break;
            }
            if waited >= PATIENCE {
                return Err(StepError::failed(format!(
                    "Machine {id} of app {} still does its scheduled work",
                    self.0.app
                ))
                .hint("resume when its run is over"));
            }
            self.0.pause(PAUSE).await;
            waited += PAUSE;
        }
        let writer = self.0.writer(permit);
        let options = UpdateOptions { skip_launch: true, ..UpdateOptions::default() };
        let change = |config: &mut fly_types::wire::MachineConfig| {
            config.schedule = match schedule {
                Some(word) => fly_types::wire::Schedule::from(word).into(),
                None => Field::Absent,
            };
        };
        let updated = match held {
            Some(held) => {
                held.change(&writer, id, async |machine| machine.update(&options, change).await)
                    .await
            }
            None => writer.machine(&self.0.app, id).update(&options, change).await,
        };
        updated.map_err(|error| write_error(&error))?;
        self.rests(id).await
    }

    async fn rests(&self, id: &MachineId) -> Result<(), StepError> {
        let states = [MachineState::Stopped, MachineState::Created, MachineState::Suspended];
        self.0.wait(id, &states, Duration::from_mins(5)).await
    }

    /// (The old one has it, the new one has it).
    async fn pair(&self, one: &One) -> Result<(bool, bool), StepError> {
        let found = self.0.look(&[one.source.clone(), one.copy.clone()]).await?;
        Ok((found.first().is_some_and(has), found.get(1).is_some_and(has)))
    }
}

#[async_trait]
impl StepKind for Schedule {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let (mut before, mut after) = (0, 0);
        for one in &params.machines {
            match self.pair(one).await? {
                (true, false) => before += 1,
                (false, true) => after += 1,
                _ => {}
            }
        }
        Ok(if after == params.machines.len() {
            Observed::Underway
        } else if before == params.machines.len() {
            Observed::pending()
        } else {
            Observed::Partial
        })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let held = leases::of(cx)?;
        for one in &params.machines {
            self.set(permit, held, &one.source, None).await?;
            self.set(permit, None, &one.copy, Some(&one.schedule)).await?;
        }
        Ok(())
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        for one in &params.machines {
            // The new one may do its first run already.
            self.rests(&one.source).await?;
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let mut words = Vec::new();
        for one in &params.machines {
            let word = match self.pair(one).await? {
                (false, true) => gap(one, cx.began_at()),
                (true, true) => {
                    return Err(StepError::unsafe_state(format!(
                        "Machines {} and {} of app {} both have the schedule {}",
                        one.source, one.copy, self.0.app, one.schedule
                    ))
                    .hint("resume takes it from the old one"));
                }
                _ => {
                    return Err(StepError::failed(format!(
                        "Machine {} of app {} does not have the schedule {}",
                        one.copy, self.0.app, one.schedule
                    )));
                }
            };
            words.push(word);
        }
        Ok(Outputs::none().with("schedules", words))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let held = leases::of(cx)?;
        for one in &params.machines {
            if let Some(copy) = present(&self.0, std::slice::from_ref(&one.copy)).await?.first() {
                self.set(permit, None, copy, None).await?;
            }
            self.set(permit, held, &one.source, Some(&one.schedule)).await?;
        }
        Ok(())
    }
}

/// What the journal says about a schedule that moved: whether a run fell into the gap.
fn gap(one: &One, moved_at: Option<Timestamp>) -> String {
    let One { source, copy, schedule, last } = one;
    let due = last.zip(period(schedule)).and_then(|(last, period)| last.checked_add(period).ok());
    match due {
        Some(due) if moved_at.is_some_and(|at| due <= at) => format!(
            "{schedule} went from {source} to {copy}; its run due about {due} was missed: start {copy} by hand if it is needed"
        ),
        Some(due) => {
            format!("{schedule} went from {source} to {copy}; the next run was due about {due}")
        }
        None => format!("{schedule} went from {source} to {copy}; when it last ran is not known"),
    }
}
