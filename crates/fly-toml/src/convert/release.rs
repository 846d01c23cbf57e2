//! The throw-away Machine that runs the release command.

use fly_types::wire::{self, Field};

use super::machine::{env, files, split, stop_config, swap, texts};
use super::{Converted, Inputs, Result, guest};
use crate::schema::Config;

/// Name of its process group.
const GROUP: &str = "fly_app_release_command";

/// The config of the release Machine; `None` when the file has no release command. Without `release_command_vm` the
/// guest is left out: flyctl takes the largest Machine of the default group, or `shared-cpu-2x`.
pub fn release_config(config: &Config, inputs: &Inputs) -> Option<Result<Converted>> {
    let deploy = config.deploy.as_ref()?;
    let command = deploy.release_command.as_ref().filter(|command| !command.is_empty())?;
    let mut out = Vec::new();
    let mut missing = Vec::new();
    let entrypoint =
        texts(config.experimental.as_ref().and_then(|section| section.entrypoint.as_ref()));
    let list = |items: Vec<String>| {
        if items.is_empty() { Field::Absent } else { Field::Value(items) }
    };
    let init = wire::Init {
        cmd: list(split(command, &mut out)),
        entrypoint: list(entrypoint),
        swap_size_mb: swap(config),
        ..wire::Init::default()
    };
    let mut variables = env(config, GROUP);
    if let Some(variables) = variables.get_mut() {
        variables.expose_mut().insert("RELEASE_COMMAND".to_owned(), "1".to_owned());
    }
    let metadata = [("fly_platform_version", "v2"), ("fly_process_group", GROUP)];
    let mut machine = wire::MachineConfig {
        init: init.into(),
        env: variables,
        restart: wire::Restart {
            policy: wire::RestartPolicy::No.into(),
            ..wire::Restart::default()
        }
        .into(),
        auto_destroy: true.into(),
        dns: wire::DnsConfig { skip_registration: true.into(), ..wire::DnsConfig::default() }
            .into(),
        metadata: metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect::<std::collections::BTreeMap<_, _>>()
            .into(),
        stop_config: stop_config(config),
        ..wire::MachineConfig::default()
    };
    machine.files = files(config, inputs, &mut missing);
    if let Some(vm) = &deploy.release_command_vm
        && let Some(guest) = guest::guest(config, vm, &mut out)
    {
        machine.guest = guest.into();
    }
    if !out.is_empty() {
        return Some(Err(out));
    }
    Some(Ok(Converted { config: machine, missing_files: missing, compose: false }))
}
