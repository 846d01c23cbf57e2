//! Changing the configuration of a Machine: read, change, write back with everything that was not touched.

use std::time::Duration;

use fly_types::wire::{Machine, MachineConfig, UpdateMachine};
use serde_json::Value;

use super::create::{CREATE_TIMEOUT, flag, seconds, size_text, some};
use super::error::{Context, Effect, Reason, WriteError};
use super::{MachineWriter, once};
use crate::call::CallRecord;
use crate::request::{Action, Class, Request};

/// How often a change is made anew after somebody else changed the Machine.
const ROUNDS: u32 = 3;

/// How an update is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateOptions {
    /// Only from this version; otherwise from the one that is read, and again when somebody is faster.
    pub expect_version: Option<String>,
    /// Leave a stopped Machine stopped.
    pub skip_launch: bool,
    /// Cordon it with the new version.
    pub cordoned: bool,
    /// Do not give it the app's secrets.
    pub skip_secrets: bool,
    /// Refuse when the app's secrets are older than this version.
    pub min_secrets_version: Option<i64>,
    /// Take a lease for so long with the update.
    pub lease_ttl: Option<Duration>,
}

/// A Machine whose configuration is as wanted now.
#[derive(Debug, Clone)]
pub struct Updated {
    /// The Machine as last read or answered.
    pub machine: Machine,
    /// The version that it had before.
    pub from_version: Option<String>,
    /// The change left everything as it was, so nothing was sent.
    pub unchanged: bool,
    /// The calls it took.
    pub calls: Vec<CallRecord>,
}

impl MachineWriter<'_> {
    /// Changes the configuration: `POST …/machines/{id}`, from what is read just before, unknown fields kept, with the
    /// version that was read as a condition.
    ///
    /// When somebody else changed it in between, the change is made anew from what is there then, three times at most;
    /// with [`UpdateOptions::expect_version`] it is refused instead ([`Reason::VersionConflict`]). A lost answer is looked
    /// up. Refused without a call when only an incomplete configuration is known ([`Reason::IncompleteConfig`]).
    pub async fn update(
        &self,
        options: &UpdateOptions,
        change: impl FnMut(&mut MachineConfig),
    ) -> Result<Updated, WriteError> {
        // Machines are large, and so is a future that holds several: it goes to the heap once.
        Box::pin(self.read_change_write(options, change)).await
    }

    async fn read_change_write(
        &self,
        options: &UpdateOptions,
        mut change: impl FnMut(&mut MachineConfig),
    ) -> Result<Updated, WriteError> {
        let mut calls = Vec::new();
        let mut round = 0;
        loop {
            round += 1;
            let context = self.context("update");
            let read = self.writer.client().machine(self.app, self.id).await;
            let read = read.map_err(|error| WriteError::new(context.clone(), error))?;
            calls.extend(read.calls);
            let machine = read.value;
            let version = machine.version().map(str::to_owned);
            if let Some(expected) = &options.expect_version
                && version.as_ref() != Some(expected)
            {
                let reason =
                    Reason::VersionConflict { expected: Some(expected.clone()), found: version };
                return Err(WriteError::because(context, reason));
            }
            let Some((config, true)) = machine.effective_config() else {
                return Err(WriteError::because(context, Reason::IncompleteConfig));
            };
            let mut wanted = config.clone();
            change(&mut wanted);
            if wanted == *config {
                return Ok(Updated { machine, from_version: version, unchanged: true, calls });
            }
            let context = Context {
                region: machine.region.get().map(ToString::to_string),
                size: wanted.guest.get().and_then(size_text),
                version: version.clone(),
                ..context
            };
            match self.replace(options, context, wanted, version.clone(), &mut calls).await {
                Err(WriteError { reason: Reason::VersionConflict { .. }, .. })
                    if options.expect_version.is_none() && round < ROUNDS => {}
                Err(error) => return Err(error),
                Ok(machine) => {
                    return Ok(Updated { machine, from_version: version, unchanged: false, calls });
                }
            }
        }
    }

    fn update_request(
        &self,
        options: &UpdateOptions,
        config: &MachineConfig,
        version: Option<String>,
    ) -> Request {
        // The version in the body makes repeating safe; without one nothing does.
        let class = if version.is_some() { Class::Conditional } else { Class::Unsafe };
        let body = UpdateMachine {
            config: config.clone().into(),
            skip_launch: flag(options.skip_launch),
            skip_service_registration: flag(options.cordoned),
            skip_secrets: flag(options.skip_secrets),
            min_secrets_version: some(options.min_secrets_version),
            lease_ttl: some(options.lease_ttl.map(seconds)),
            current_version: some(version),
            ..UpdateMachine::default()
        };
        self.post("/v1/apps/{app}/machines/{id}", class, Action::MachineUpdate)
            .json(&body)
            .timeout(CREATE_TIMEOUT)
    }

    /// One write. After a lost answer the Machine tells whether it happened.
    async fn replace(
        &self,
        options: &UpdateOptions,
        context: Context,
        config: MachineConfig,
        version: Option<String>,
        calls: &mut Vec<CallRecord>,
    ) -> Result<Machine, WriteError> {
        let request = self.update_request(options, &config, version.clone());
        let first = match self.act_in::<Machine>(context.clone(), request.clone()).await {
            Ok(answer) => {
                calls.extend(answer.calls);
                return Ok(answer.value);
            }
            Err(error) if once::effect(&error) == Effect::NotDone => return Err(error),
            Err(error) => error,
        };
        if let Some(source) = &first.source {
            calls.push((*source.call).clone());
        }
        let Ok(now) = self.writer.client().machine(self.app, self.id).await else {
            return Err(first.unknown());
        };
        calls.extend(now.calls);
        if now.value.version() != version.as_deref() {
            return settled(context, &config, now.value, version);
        }
        if version.is_none() {
            return Err(first.unknown());
        }
        // Not seen yet: asked again under the condition that nothing has happened.
        match self.act_in::<Machine>(context.clone(), request).await {
            Ok(answer) => {
                calls.extend(answer.calls);
                Ok(answer.value)
            }
            Err(error) if matches!(error.reason, Reason::VersionConflict { .. }) => {
                match self.writer.client().machine(self.app, self.id).await {
                    Ok(now) => settled(context, &config, now.value, version),
                    Err(_) => Err(error.unknown()),
                }
            }
            Err(error) => Err(error),
        }
    }
}

/// The version has changed: by us, when it has what we sent; by somebody else otherwise.
fn settled(
    context: Context,
    sent: &MachineConfig,
    machine: Machine,
    version: Option<String>,
) -> Result<Machine, WriteError> {
    let value = |config: &MachineConfig| serde_json::to_value(config).unwrap_or_default();
    let ours = machine
        .config
        .get()
        .is_some_and(|now| contains(&value(now), &value(sent), &["image", "autostop"]));
    if ours {
        return Ok(machine);
    }
    let found = machine.version().map(str::to_owned);
    Err(WriteError::because(context, Reason::VersionConflict { expected: version, found }))
}

/// Whether everything in `part` is in `whole`, apart from keys that the platform rewrites (the image is normalised,
/// autostop changes its form) and from what it fills in.
fn contains(whole: &Value, part: &Value, rewritten: &[&str]) -> bool {
    match (whole, part) {
        (_, Value::Null) => true,
        (Value::Object(whole), Value::Object(part)) => part.iter().all(|(key, value)| {
            rewritten.contains(&key.as_str())
                || contains(whole.get(key).unwrap_or(&Value::Null), value, rewritten)
        }),
        (Value::Null, Value::Object(part)) => part.values().all(Value::is_null),
        (Value::Null, Value::Array(part)) => part.is_empty(),
        // Answers leave out what is empty.
        (Value::Null, Value::Bool(part)) => !part,
        (Value::Null, Value::String(part)) => part.is_empty(),
        (Value::Null, Value::Number(part)) => part.as_i64() == Some(0),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len()
                && whole.iter().zip(part).all(|(whole, part)| contains(whole, part, rewritten))
        }
        _ => whole == part,
    }
}
