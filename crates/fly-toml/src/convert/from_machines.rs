//! A fly.toml from the configs of running Machines.
//!
//! What is written is read again and converted, and compared with the Machines: whatever does not come back is told.

use std::collections::{BTreeMap, BTreeSet};

use fly_types::wire::{self, Field};
use serde_json::Value;

use super::services_back::{self, Placed};
use super::toml::{Writer, literal};
use super::{Inputs, machine_config};
use crate::diff::{Difference, diff_deployed};
use crate::report::check;
use crate::schema::go;

/// A Machine as observed.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Its id, for messages.
    pub id: String,
    /// Its region.
    pub region: String,
    /// Its config.
    pub config: wire::MachineConfig,
}

/// The outcome.
#[derive(Debug, Clone)]
pub struct FromMachines {
    /// The file.
    pub text: String,
    /// What the file cannot say, or says for all although the Machines differ.
    pub notes: Vec<String>,
    /// Per process group, what a deploy of the file would change in the Machine that stands for the group.
    pub differences: BTreeMap<String, Vec<Difference>>,
}

/// Fields of a config that fly.toml has no key for.
const NOT_IN_FILE: &[&str] = &[
    "schedule",
    "auto_destroy",
    "dns",
    "processes",
    "standbys",
    "containers",
    "volumes",
    "rootfs",
    "cache_drive",
    "spot",
    "size",
    "disable_machine_autostart",
];

/// Groups of Machines that a deploy makes and removes by itself.
pub(crate) const EPHEMERAL: &str = "fly_app_";

/// Makes a file for an app from its Machines. The first Machine of each group stands for the group.
pub fn from_machines(app: &str, machines: &[Observed]) -> FromMachines {
    let mut notes = Vec::new();
    let mut groups: BTreeMap<String, Vec<&Observed>> = BTreeMap::new();
    for machine in machines {
        let group = machine.config.metadata_value("fly_process_group").unwrap_or("app").to_owned();
        if group.starts_with(EPHEMERAL) {
            notes.push(format!(
                "Machine {} belongs to a deploy ({group}) and is left out",
                machine.id
            ));
        } else {
            groups.entry(group).or_default().push(machine);
        }
    }
    let leaders: BTreeMap<&str, &wire::MachineConfig> =
        groups.iter().map(|(group, all)| (group.as_str(), &all[0].config)).collect();
    compare_within(&groups, &mut notes);
    for (group, config) in &leaders {
        not_in_file(group, config, &mut notes);
    }
    let text = write(app, &leaders, &mut notes);
    let config = check(&text).config;
    let mut differences = BTreeMap::new();
    for (group, deployed) in &leaders {
        let inputs = Inputs { current: Some((*deployed).clone()), ..Inputs::default() };
        if let Ok(converted) = machine_config(&config, group, &inputs) {
            let found = diff_deployed(deployed, &converted.config);
            if !found.is_empty() {
                differences.insert((*group).to_owned(), found);
            }
        }
    }
    FromMachines { text, notes, differences }
}

fn compare_within(groups: &BTreeMap<String, Vec<&Observed>>, notes: &mut Vec<String>) {
    for (group, machines) in groups {
        for other in &machines[1..] {
            let found = diff_deployed(&machines[0].config, &other.config);
            let paths: Vec<String> = found
                .into_iter()
                .map(|difference| difference.path)
                .filter(|path| !path.ends_with(".volume") && !path.starts_with("standbys"))
                .collect();
            if !paths.is_empty() {
                let first = &machines[0].id;
                notes.push(format!(
                    "Machine {} of group {group} differs from {first} in {}; the file follows {first}",
                    other.id,
                    paths.join(", ")
                ));
            }
        }
    }
}

fn not_in_file(group: &str, config: &wire::MachineConfig, notes: &mut Vec<String>) {
    let json = serde_json::to_value(config).unwrap_or(Value::Null);
    let set = |key: &&&str| {
        json.get(**key).is_some_and(|value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::String(text) => !text.is_empty(),
            _ => true,
        })
    };
    let names: Vec<&str> = NOT_IN_FILE.iter().filter(set).copied().collect();
    if !names.is_empty() {
        notes.push(format!(
            "group {group}: {} cannot be said in fly.toml; a deploy keeps them on existing Machines, new ones need machine_config",
            names.join(", ")
        ));
    }
}

/// The value that all groups agree on; a note when they do not.
fn common<T: PartialEq + Clone>(
    what: &str,
    values: &[(&str, Option<T>)],
    notes: &mut Vec<String>,
) -> Option<T> {
    let (_, first) = values.first()?;
    if values.iter().any(|(_, value)| value != first) {
        let groups: Vec<&str> = values.iter().map(|(group, _)| *group).collect();
        notes.push(format!(
            "{what} differs between the groups {}, but fly.toml has one for all; the file follows {}",
            groups.join(", "),
            groups[0]
        ));
    }
    first.clone()
}

type Leaders<'a> = BTreeMap<&'a str, &'a wire::MachineConfig>;

fn each<'a, T>(
    leaders: &Leaders<'a>,
    value: impl Fn(&'a wire::MachineConfig) -> Option<T>,
) -> Vec<(&'a str, Option<T>)> {
    leaders.iter().map(|(group, config)| (*group, value(config))).collect()
}

fn write(app: &str, leaders: &Leaders<'_>, notes: &mut Vec<String>) -> String {
    let mut out = Writer::default();
    out.text("app", Some(app));
    let env = |config: &wire::MachineConfig| {
        config.env.get().map(|env| env.expose().clone()).unwrap_or_default()
    };
    let region = common(
        "PRIMARY_REGION",
        &each(leaders, |config| env(config).get("PRIMARY_REGION").cloned()),
        notes,
    );
    out.text("primary_region", region.as_deref());
    let signal = common(
        "kill_signal",
        &each(leaders, |config| config.stop_config.get()?.signal.get().cloned()),
        notes,
    );
    out.text("kill_signal", signal.as_deref());
    let timeout = common(
        "kill_timeout",
        &each(leaders, |config| {
            config.stop_config.get()?.timeout.get().map(|time| go::duration(time.nanos()))
        }),
        notes,
    );
    out.text("kill_timeout", timeout.as_deref());
    let swap = common(
        "swap_size_mb",
        &each(leaders, |config| config.init.get()?.swap_size_mb.copied()),
        notes,
    );
    out.plain("swap_size_mb", swap);

    let words = |field: fn(&wire::Init) -> &Field<Vec<String>>| {
        each(leaders, move |config| field(config.init.get()?).get().cloned())
    };
    let entrypoint = common("the entrypoint", &words(|init| &init.entrypoint), notes);
    let exec = common("exec", &words(|init| &init.exec), notes);
    if entrypoint.is_some() || exec.is_some() {
        out.table(0, "experimental");
        out.list("entrypoint", &entrypoint.unwrap_or_default());
        out.list("exec", &exec.unwrap_or_default());
    }
    let images: BTreeSet<&str> =
        leaders.values().filter_map(|config| config.image.text()).collect();
    match images.iter().next() {
        Some(image) if images.len() == 1 && !image.contains("registry.fly.io/") => {
            out.table(0, "build");
            out.text("image", Some(image));
        }
        Some(image) => notes.push(format!("the image ({image}) is left to the next build")),
        None => {}
    }
    variables(leaders, region.as_deref(), notes, &mut out);
    let many = processes(leaders, &mut out);
    sections(leaders, many, notes, &mut out);
    out.finish()
}

/// `[env]` holds what all groups share; the rest cannot be said.
fn variables(
    leaders: &Leaders<'_>,
    region: Option<&str>,
    notes: &mut Vec<String>,
    out: &mut Writer,
) {
    let mut all: Vec<(&str, BTreeMap<String, String>)> = Vec::new();
    for (group, config) in leaders {
        let mut env = config.env.get().map(|env| env.expose().clone()).unwrap_or_default();
        env.remove("FLY_PROCESS_GROUP");
        if env.get("PRIMARY_REGION").map(String::as_str) == region {
            env.remove("PRIMARY_REGION");
        }
        all.push((group, env));
    }
    let Some((first, env)) = all.first().cloned() else { return };
    for (group, other) in &all[1..] {
        let names: BTreeSet<&String> = env.keys().chain(other.keys()).collect();
        let odd: Vec<&str> = names
            .into_iter()
            .filter(|name| env.get(*name) != other.get(*name))
            .map(String::as_str)
            .collect();
        if !odd.is_empty() {
            notes.push(format!(
                "the variables {} differ between the groups {first} and {group}, but [env] is the same for all; the file follows {first}",
                odd.join(", ")
            ));
        }
    }
    if !env.is_empty() {
        out.table(0, "env");
        for (name, value) in &env {
            out.text(name, Some(value));
        }
    }
}

/// `[processes]`, unless the only group is `app` with the command of the image. True when it is written.
fn processes(leaders: &Leaders<'_>, out: &mut Writer) -> bool {
    let command = |config: &wire::MachineConfig| {
        config.init.get().map(|init| init.cmd.items().to_vec()).unwrap_or_default()
    };
    let plain = leaders.len() == 1
        && leaders.iter().all(|(group, config)| *group == "app" && command(config).is_empty());
    if plain || leaders.is_empty() {
        return false;
    }
    out.table(0, "processes");
    for (group, config) in leaders {
        out.text(group, Some(&go::shell_join(&command(config))));
    }
    true
}

/// Everything that may be scoped to groups.
fn sections(leaders: &Leaders<'_>, many: bool, notes: &mut Vec<String>, out: &mut Writer) {
    let scope = |groups: &[&str]| -> Vec<String> {
        if many { groups.iter().map(|group| (*group).to_owned()).collect() } else { Vec::new() }
    };
    let placed = |items: Vec<(&str, Value)>| -> Vec<(Vec<String>, Value)> {
        let mut placed: Vec<(Vec<&str>, Value)> = Vec::new();
        for (group, item) in items {
            match placed
                .iter_mut()
                .find(|(groups, other)| *other == item && !groups.contains(&group))
            {
                Some((groups, _)) => groups.push(group),
                None => placed.push((vec![group], item)),
            }
        }
        placed.into_iter().map(|(groups, item)| (scope(&groups), item)).collect()
    };
    let gather = |field: &str| -> Vec<(&str, Value)> {
        let mut items = Vec::new();
        for (group, config) in leaders {
            let json = serde_json::to_value(config).unwrap_or(Value::Null);
            match json.get(field) {
                Some(Value::Array(list)) => {
                    items.extend(list.iter().map(|one| (*group, one.clone())));
                }
                Some(one @ Value::Object(_)) => items.push((*group, one.clone())),
                _ => {}
            }
        }
        items
    };
    for (groups, mount) in placed(gather("mounts")) {
        out.entry(0, "mounts");
        out.text("source", mount["name"].as_str());
        out.text("destination", mount["path"].as_str());
        out.plain("auto_extend_size_threshold", mount["extend_threshold_percent"].as_i64());
        for (from, to) in [
            ("add_size_gb", "auto_extend_size_increment"),
            ("size_gb_limit", "auto_extend_size_limit"),
        ] {
            out.text(to, mount[from].as_i64().map(|gb| format!("{gb}GB")).as_deref());
        }
        out.list("processes", &groups);
        if mount.get("name").is_none() {
            notes.push(format!(
                "the mount at {} names a volume by id; set its source to the volume's name",
                mount["path"]
            ));
        }
    }
    let services: Vec<Placed> = placed(gather("services"))
        .into_iter()
        .map(|(groups, service)| Placed { groups, service })
        .collect();
    services_back::write(&services, out, notes);
    let mut checks: Vec<(&str, Value)> = Vec::new();
    for (group, config) in leaders {
        for (name, check) in config.checks.get().into_iter().flatten() {
            let mut check = serde_json::to_value(check).unwrap_or(Value::Null);
            check["name"] = name.as_str().into();
            checks.push((group, check));
        }
    }
    services_back::checks(placed(checks), out, notes);
    let mut guests = placed(gather("guest"));
    // A size that all groups share needs no groups.
    if let [(groups, _)] = guests.as_mut_slice()
        && groups.len() == leaders.len()
    {
        groups.clear();
    }
    for (groups, guest) in guests {
        out.entry(0, "vm");
        for key in ["cpu_kind", "gpu_kind", "host_dedication_id", "persist_rootfs"] {
            out.text(key, guest[key].as_str());
        }
        for key in ["cpus", "memory_mb", "max_memory_mb", "gpus"] {
            out.plain(key, guest[key].as_i64());
        }
        if let Some(arguments) = guest.get("kernel_args").and_then(literal) {
            out.raw("kernel_args", &arguments);
        }
        out.list("processes", &groups);
    }
    for (groups, metrics) in placed(gather("metrics")) {
        out.entry(0, "metrics");
        out.plain("port", metrics["port"].as_i64());
        out.text("path", metrics["path"].as_str());
        out.plain("https", metrics["https"].as_bool());
        out.list("processes", &groups);
    }
    for (groups, restart) in placed(gather("restart")) {
        let policy = match restart["policy"].as_str() {
            Some("no") => Some("never"),
            Some("") | None => continue,
            other => other,
        };
        out.entry(0, "restart");
        out.text("policy", policy);
        out.plain("retries", restart["max_retries"].as_i64());
        out.list("processes", &groups);
    }
    for (_, entry) in placed(gather("statics")) {
        out.entry(0, "statics");
        for key in ["guest_path", "url_prefix", "tigris_bucket", "index_document"] {
            out.text(key, entry[key].as_str().filter(|text| !text.is_empty()));
        }
    }
    for (_, file) in placed(gather("files")) {
        out.entry(0, "files");
        out.text("guest_path", file["guest_path"].as_str());
        out.text("secret_name", file["secret_name"].as_str());
        if let Some(encoded) = file["raw_value"].as_str() {
            match super::from_base64(encoded).and_then(|bytes| String::from_utf8(bytes).ok()) {
                Some(text) => out.text("raw_value", Some(&text)),
                None => notes.push(format!(
                    "the file {} is not text; write it with local_path",
                    file["guest_path"]
                )),
            }
        }
    }
}
