//! Helper Machines: small, unmanaged, without services, each with one volume at [`MOUNT`]. They exist only inside one step.
//!
//! A Machine mounts at most one volume, and only the Machine that mounts a volume sees its files.

use std::time::Duration;

use fly_api::{Command, MachineFilter, Marker, NewMachine, Writer};
use fly_types::state::MachineState;
use fly_types::wire::{Machine, MachineConfig};
use fly_types::{MachineId, RegionCode, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use serde_json::json;

use super::script::{self, SCRATCH};
use crate::errors::{read_error, write_error};
use crate::inventory::facts::{PLAN, STEP};
use crate::platform::{LIST_LAG, Platform};

/// Where a helper mounts its volume.
pub(crate) const MOUNT: &str = "/flyops";
/// Room for sorting the names of a million files.
pub(crate) const MEMORY_MB: i64 = 1024;
/// The platform answers 408 to commands that take longer, although they go on.
const EXEC_LIMIT: Duration = Duration::from_secs(30);

/// One helper of one step.
pub(crate) struct Helper<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) mark: &'a str,
    /// Step and role.
    pub(crate) name: String,
}

/// The size of a helper.
pub(crate) fn guest() -> serde_json::Value {
    json!({"cpu_kind": "shared", "cpus": 1, "memory_mb": MEMORY_MB})
}

/// Something that may take longer than `exec` waits.
pub(crate) struct Job<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) machine: &'a MachineId,
    /// Once per Machine.
    pub(crate) name: String,
    pub(crate) script: &'a str,
}

impl Job<'_> {
    /// Puts it into the background. Without an answer nobody knows whether it runs: that is an error.
    pub(crate) async fn start(&self, permit: &Permit) -> Result<(), StepError> {
        let line = script::job(&self.name, self.script, SCRATCH);
        self.ask(permit, &line).await.and_then(|said| match said.code {
            0 => Ok(()),
            code => Err(StepError::failed(format!(
                "a command could not be started in helper Machine {} of app {}: {code}: {}",
                self.machine,
                self.platform.app,
                said.err.trim()
            ))
            .hint("the image of helpers needs a shell: see --helper-image")),
        })
    }

    /// How it ended, if it did.
    pub(crate) async fn ended(&self, permit: &Permit) -> Result<Option<Said>, StepError> {
        let end = self.ask(permit, &script::end(&self.name, SCRATCH)).await?;
        let Ok(code) = end.out.trim().parse() else { return Ok(None) };
        let out = self.ask(permit, &script::out(&self.name, SCRATCH)).await?.out;
        let err = self.ask(permit, &script::err(&self.name, SCRATCH)).await?.out;
        Ok(Some(Said { code, out, err }))
    }

    async fn ask(&self, permit: &Permit, line: &str) -> Result<Said, StepError> {
        let writer = self.platform.writer(permit);
        exec(self.platform, &writer, self.machine, line).await?.ok_or_else(|| {
            StepError::failed(format!(
                "helper Machine {} of app {} did not answer in time",
                self.machine, self.platform.app
            ))
            .hint("resume to begin this step again")
        })
    }
}

/// What a command in a Machine answered.
pub(crate) struct Said {
    pub(crate) code: i64,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command line in a Machine. None: it goes on, but longer than the platform waits for it.
pub(crate) async fn exec(
    platform: &Platform,
    writer: &Writer,
    machine: &MachineId,
    line: &str,
) -> Result<Option<Said>, StepError> {
    let command = Command { timeout: Some(EXEC_LIMIT), ..Command::new(["sh", "-c", line]) };
    match writer.machine(&platform.app, machine).exec(&command).await {
        Ok(answer) => Ok(Some(Said {
            code: answer.value.exit_code.copied().unwrap_or(-1),
            out: answer.value.stdout.get().map(|text| text.expose().clone()).unwrap_or_default(),
            err: answer.value.stderr.get().map(|text| text.expose().clone()).unwrap_or_default(),
        })),
        Err(error) if error.source.as_ref().is_some_and(|source| source.status() == Some(408)) => {
            Ok(None)
        }
        Err(error) => Err(write_error(&error)),
    }
}

/// Size, used and available kilobytes of what is mounted at a path, as `df -Pk` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) used_kb: i64,
    pub(crate) available_kb: i64,
    pub(crate) mounted_on: String,
}

/// Reads the answer of `df -Pk PATH`.
pub(crate) fn space(text: &str) -> Option<Space> {
    let words: Vec<&str> = text.lines().nth(1)?.split_whitespace().collect();
    let [_, _, used, available, _, on] = words[..] else { return None };
    Some(Space {
        used_kb: used.parse().ok()?,
        available_kb: available.parse().ok()?,
        mounted_on: on.to_owned(),
    })
}

/// Looks whether a path of a Machine is a mount of its own.
pub(crate) async fn mounted(
    platform: &Platform,
    writer: &Writer,
    machine: &MachineId,
    path: &str,
) -> Result<Space, StepError> {
    let said = exec(platform, writer, machine, &format!("df -Pk {}", quoted(path))).await?;
    let said = said.ok_or_else(|| {
        StepError::failed(format!(
            "Machine {machine} of app {} did not answer `df` in time",
            platform.app
        ))
        .hint("resume to ask again")
    })?;
    let path = path.trim_end_matches('/');
    match space(&said.out) {
        Some(space) if said.code == 0 && space.mounted_on == path => Ok(space),
        Some(space) if said.code == 0 => Err(StepError::unsafe_state(format!(
            "in Machine {machine} of app {} nothing is mounted at {path}: it is part of {}",
            platform.app, space.mounted_on
        ))
        .hint("what is written there is lost with the Machine; look at its mounts: `fly machine status ID -d`")),
        _ => Err(StepError::failed(format!(
            "`df -Pk {path}` in Machine {machine} of app {} ended with {}: {}",
            platform.app,
            said.code,
            said.err.trim()
        ))
        .hint("an image without a shell and `df` cannot be asked from inside")),
    }
}

/// A path as one word of a shell.
pub(crate) fn quoted(path: &str) -> String {
    if path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

impl Helper<'_> {
    fn marker(&self) -> Marker {
        Marker::new([(PLAN, self.mark), (STEP, self.name.as_str())])
    }

    /// It, if it is there.
    pub(crate) async fn find(&self) -> Result<Option<Machine>, StepError> {
        let filter = MachineFilter {
            metadata: vec![
                (PLAN.to_owned(), self.mark.to_owned()),
                (STEP.to_owned(), self.name.clone()),
            ],
            ..MachineFilter::default()
        };
        let found = self.platform.client.machines(&self.platform.app, &filter).await;
        let marker = self.marker();
        Ok(found.map_err(|error| read_error(&error))?.value.into_iter().find(|machine| {
            marker.is_on(machine) && machine.state.get().is_none_or(MachineState::is_active)
        }))
    }

    /// Makes it, or finds it, and waits until it runs.
    pub(crate) async fn start(
        &self,
        permit: &Permit,
        image: &str,
        region: &RegionCode,
        volume: &VolumeId,
        script: &str,
    ) -> Result<Machine, StepError> {
        let config = json!({
            "image": image,
            "init": {"exec": ["sh", "-c", script]},
            "guest": guest(),
            "restart": {"policy": "no"},
            "mounts": [{"volume": volume, "path": MOUNT}],
        });
        let config: MachineConfig = serde_json::from_value(config)
            .map_err(|error| StepError::failed(format!("configuration of a helper: {error}")))?;
        let new = NewMachine {
            regions: vec![region.clone()],
            config,
            skip_secrets: true,
            marker: Some(self.marker()),
            ..NewMachine::default()
        };
        let made = self.platform.writer(permit).create_machine(&self.platform.app, &new).await;
        let id = made.map_err(|error| write_error(&error))?.machine.id;
        self.platform.wait(&id, &[MachineState::Started], Duration::from_mins(5)).await?;
        let gone = || {
            StepError::stale(format!("helper Machine {id} of app {} is gone", self.platform.app))
        };
        self.platform.machine(&id).await?.ok_or_else(gone)
    }

    /// Destroys it and waits until its volume is free. Nothing there is success.
    pub(crate) async fn remove(&self, permit: &Permit) -> Result<(), StepError> {
        let Some(machine) = self.find().await? else { return Ok(()) };
        let writer = self.platform.writer(permit);
        let target = writer.machine(&self.platform.app, &machine.id);
        target.destroy(true).await.map_err(|error| write_error(&error))?;
        self.platform.wait(&machine.id, &[MachineState::Destroyed], Duration::from_mins(2)).await?;
        while self.find().await?.is_some() || self.holds(&machine.id).await? {
            self.platform.pause(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// The same for one that an earlier process may have made a moment ago: lists may not show it yet.
    pub(crate) async fn remove_later(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
    ) -> Result<(), StepError> {
        loop {
            self.remove(permit).await?;
            let young = cx.began_at().is_some_and(|began| {
                let lag = jiff::SignedDuration::try_from(LIST_LAG).unwrap_or_default();
                cx.now().duration_since(began) < lag
            });
            if !young {
                return Ok(());
            }
            self.platform.pause(Duration::from_secs(1)).await;
        }
    }

    async fn holds(&self, machine: &MachineId) -> Result<bool, StepError> {
        let volumes = self.platform.client.volumes(&self.platform.app).await;
        let volumes = volumes.map_err(|error| read_error(&error))?.value;
        Ok(volumes.iter().any(|volume| volume.attached_machine_id.get() == Some(machine)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_df() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vdc 1011672 72 943184 0% /data\n";
        let read = space(text).unwrap();
        assert_eq!(
            (read.used_kb, read.available_kb, read.mounted_on.as_str()),
            (72, 943_184, "/data")
        );
        assert_eq!(space("df: /data: No such file or directory\n"), None);
        assert_eq!(quoted("/a b'c"), "'/a b'\\''c'");
    }
}
