//! The config of a Machine of one process group.

use std::collections::BTreeMap;

use fly_types::duration::GoDuration;
use fly_types::wire::{self, Field, Sensitive};

use super::{Converted, Inputs, Result, codes, container, guest, service};
use crate::diag::Diagnostic;
use crate::schema::{Config, File, Located, Mount, VolumeSize, go};
use crate::verdict;

/// The texts of a list.
pub(super) fn texts(list: Option<&Located<Vec<Located<String>>>>) -> Vec<String> {
    list.iter().flat_map(|list| list.value.iter()).map(|text| text.value.clone()).collect()
}

/// What a deploy sends for a Machine of the process group. Everything that fly.toml manages is set or cleared, the rest
/// survives from [`Inputs::current`]. Metadata holds the two keys that flyctl always sets; it adds its own version and
/// the release.
pub fn machine_config(config: &Config, group: &str, inputs: &Inputs) -> Result<Converted> {
    let mut out = Vec::new();
    let mut missing = Vec::new();
    let base = inputs.current.clone().unwrap_or_default();
    let mut machine = container::lay_over(config, inputs, base, &mut missing, &mut out);

    let mut metrics = config.metrics.iter().flat_map(|list| list.iter());
    let metrics = metrics.find(|entry| config.applies(group, entry.processes.as_ref()));
    // An entry that says nothing but its groups is no metrics at all.
    let metrics = metrics
        .filter(|entry| entry.port.is_some() || entry.path.is_some() || entry.https.is_some());
    machine.metrics = metrics.map_or(Field::Absent, |metrics| {
        Field::Value(wire::Metrics {
            port: nonzero(metrics.port.as_ref()),
            path: filled(metrics.path.as_ref()),
            https: metrics
                .https
                .as_ref()
                .filter(|https| https.value)
                .map_or(Field::Absent, |_| true.into()),
            ..wire::Metrics::default()
        })
    });
    machine.init = init(config, group, &machine, &mut out).into();
    let mut metadata = machine.metadata.into_value().unwrap_or_default();
    metadata.insert("fly_platform_version".to_owned(), "v2".to_owned());
    metadata.insert("fly_process_group".to_owned(), group.to_owned());
    machine.metadata = metadata.into();

    let services = config.all_services();
    let services =
        services.into_iter().filter(|service| config.applies(group, service.processes()));
    machine.services = list(services.map(service::service).collect());
    machine.checks = checks(config, group, &mut out);
    machine.env = env(config, group);
    let statics = config.statics.iter().flat_map(|list| list.value.iter());
    machine.statics = list(
        statics
            .map(|entry| wire::Static {
                guest_path: service::always(entry.guest_path.as_ref()),
                url_prefix: service::always(entry.url_prefix.as_ref()),
                tigris_bucket: service::always(entry.tigris_bucket.as_ref()),
                index_document: service::always(entry.index_document.as_ref()),
                ..wire::Static::default()
            })
            .collect(),
    );
    let mounts = config.mounts.iter().flat_map(|list| list.iter());
    let mounts = mounts.filter(|mount| config.applies(group, mount.processes.as_ref()));
    machine.mounts = list(mounts.map(|entry| mount(entry)).collect());
    machine.stop_config = stop_config(config);
    machine.files = files(config, inputs, &mut missing);
    if let Some(vm) = config.vm_of(group)
        && let Some(guest) = guest::guest(config, vm, &mut out)
    {
        machine.guest = guest.into();
    }
    machine.restart = restart(config, group, &mut out);
    if !out.is_empty() {
        return Err(out);
    }
    let compose = config.build.as_ref().is_some_and(|build| build.compose.is_some());
    Ok(Converted { config: machine, missing_files: missing, compose })
}

fn list<T>(items: Vec<T>) -> Field<Vec<T>> {
    if items.is_empty() { Field::Absent } else { Field::Value(items) }
}

fn filled(value: Option<&Located<String>>) -> Field<String> {
    value.filter(|text| !text.is_empty()).map_or(Field::Absent, |text| text.value.clone().into())
}

fn nonzero(value: Option<&Located<i64>>) -> Field<i64> {
    value.filter(|number| number.value != 0).map_or(Field::Absent, |number| number.value.into())
}

/// Splits a command; a command that cannot be split is one reason more why there is no config.
pub(super) fn split(text: &Located<String>, out: &mut Vec<Diagnostic>) -> Vec<String> {
    go::shell_split(text).unwrap_or_else(|error| {
        out.push(
            Diagnostic::new(&verdict::codes::COMMAND, "a command cannot be split into words")
                .at(text.span, error.describe()),
        );
        Vec::new()
    })
}

fn init(
    config: &Config,
    group: &str,
    machine: &wire::MachineConfig,
    out: &mut Vec<Diagnostic>,
) -> wire::Init {
    let mut init = machine.init.get().cloned().unwrap_or_default();
    let command = config.processes.as_ref().and_then(|processes| processes.get(group));
    let command = command.filter(|text| !text.is_empty()).map(|text| split(text, out));
    let experimental = config.experimental.as_ref();
    let words = |list: Option<&Located<Vec<Located<String>>>>| texts(list);
    let fallback = || words(experimental.and_then(|section| section.cmd.as_ref()));
    init.cmd = list(command.unwrap_or_else(fallback));
    init.entrypoint = list(words(experimental.and_then(|section| section.entrypoint.as_ref())));
    init.exec = list(words(experimental.and_then(|section| section.exec.as_ref())));
    init.swap_size_mb = swap(config);
    init
}

/// Swap is sent whenever the key is there.
pub(super) fn swap(config: &Config) -> Field<i64> {
    config.swap_size_mb.as_ref().map_or(Field::Absent, |size| size.value.into())
}

/// Top-level checks of a group.
pub(super) fn checks(
    config: &Config,
    group: &str,
    out: &mut Vec<Diagnostic>,
) -> Field<BTreeMap<String, wire::Check>> {
    let mut map = BTreeMap::new();
    let http_service = config
        .http_service
        .as_ref()
        .filter(|service| config.applies(group, service.processes.as_ref()));
    for (name, entry) in config.checks.iter().flat_map(|checks| checks.value.iter()) {
        if !config.applies(group, entry.processes.as_ref()) {
            continue;
        }
        if !entry.kind.as_ref().is_some_and(|kind| ["http", "tcp"].contains(&kind.as_str())) {
            let message = format!("check `{name}` has no type that exists");
            out.push(Diagnostic::new(&verdict::codes::CHECK_TYPE, message).at(entry.span, ""));
            continue;
        }
        let mut check = service::check(entry);
        if check.port.is_absent() {
            let Some(service) = http_service else {
                out.push(
                    Diagnostic::new(&codes::CHECK_PORT, format!("check `{name}` has no port"))
                        .at(entry.span, format!("the group `{group}` has no http_service")),
                );
                continue;
            };
            check.port = service.internal_port.as_ref().map_or(0, |port| port.value).into();
        }
        map.insert(name.clone(), check);
    }
    if map.is_empty() { Field::Absent } else { map.into() }
}

/// Variables of the file with those that flyctl adds.
pub(super) fn env(config: &Config, group: &str) -> Field<Sensitive<BTreeMap<String, String>>> {
    let env = config.env.iter().flat_map(|env| env.value.iter());
    let mut env: BTreeMap<String, String> =
        env.map(|(name, value)| (name.clone(), value.value.clone())).collect();
    env.insert("FLY_PROCESS_GROUP".to_owned(), group.to_owned());
    if let Some(region) = config.primary_region.as_ref().filter(|region| !region.is_empty()) {
        env.insert("PRIMARY_REGION".to_owned(), region.value.clone());
    }
    Sensitive::new(env).into()
}

fn mount(mount: &Mount) -> wire::Mount {
    let gb = |size: Option<&Located<VolumeSize>>| {
        let gb = size.filter(|size| !size.0.is_empty()).and_then(|size| size.gb()).unwrap_or(0);
        if gb == 0 { Field::Absent } else { gb.into() }
    };
    wire::Mount {
        name: filled(mount.source.as_ref()),
        path: filled(mount.destination.as_ref()),
        extend_threshold_percent: nonzero(mount.auto_extend_size_threshold.as_ref()),
        add_size_gb: gb(mount.auto_extend_size_increment.as_ref()),
        size_gb_limit: gb(mount.auto_extend_size_limit.as_ref()),
        ..wire::Mount::default()
    }
}

/// How Machines are stopped; nothing when the file says nothing.
pub(super) fn stop_config(config: &Config) -> Field<wire::StopConfig> {
    if config.kill_signal.is_none() && config.kill_timeout.is_none() {
        return Field::Absent;
    }
    Field::Value(wire::StopConfig {
        signal: config
            .kill_signal
            .as_ref()
            .map_or(Field::Absent, |signal| signal.value.clone().into()),
        timeout: config
            .kill_timeout
            .as_ref()
            .map_or(Field::Absent, |time| GoDuration::from_nanos(time.nanos).into()),
        ..wire::StopConfig::default()
    })
}

/// Files reach every group, whatever their `processes` say.
pub(super) fn files(
    config: &Config,
    inputs: &Inputs,
    missing: &mut Vec<String>,
) -> Field<Vec<wire::File>> {
    let entries = config.files.iter().flat_map(|files| files.value.iter());
    list(entries.filter_map(|entry| file(entry, inputs, missing)).collect())
}

fn file(entry: &File, inputs: &Inputs, missing: &mut Vec<String>) -> Option<wire::File> {
    let set = |value: &Option<Located<String>>| {
        value.as_ref().map(|text| text.value.clone()).filter(|text| !text.is_empty())
    };
    let mut file =
        wire::File { guest_path: filled(entry.guest_path.as_ref()), ..wire::File::default() };
    if let Some(path) = set(&entry.local_path) {
        let Some(content) = inputs.files.get(&path) else {
            missing.push(path);
            return None;
        };
        file.raw_value = Sensitive::new(crate::convert::base64(content)).into();
    } else if let Some(secret) = set(&entry.secret_name) {
        file.secret_name = secret.into();
    } else if let Some(text) = set(&entry.raw_value) {
        file.raw_value = Sensitive::new(crate::convert::base64(text.as_bytes())).into();
    }
    Some(file)
}

/// All entries that apply are taken in order, so the last one stays; each needs a policy that exists.
fn restart(config: &Config, group: &str, out: &mut Vec<Diagnostic>) -> Field<wire::Restart> {
    let mut found = Field::Absent;
    let entries = config.restart.iter().flat_map(|list| list.value.iter());
    for entry in entries.filter(|entry| config.applies(group, entry.processes.as_ref())) {
        let policy = match entry.policy.as_ref().map(|policy| policy.as_str()) {
            Some("always") => wire::RestartPolicy::Always,
            Some("on-failure") => wire::RestartPolicy::OnFailure,
            Some("never") => wire::RestartPolicy::No,
            _ => {
                let message = "a restart entry has no policy that exists";
                out.push(
                    Diagnostic::new(&verdict::codes::RESTART_POLICY, message).at(entry.span, ""),
                );
                continue;
            }
        };
        found = Field::Value(wire::Restart {
            policy: policy.into(),
            max_retries: nonzero(entry.retries.as_ref()),
            ..wire::Restart::default()
        });
    }
    found
}
