//! `fly-toml machine-config` and `from-machines`: fly.toml and what the Machines API holds.

use std::collections::BTreeMap;
use std::fs;

use fly_toml::convert::{self, Converted, Inputs, Observed};
use fly_types::wire;
use ops_cli::{CliError, Context, Exit};
use serde_json::{Value, json};

use crate::args::{FromMachinesArgs, MachineConfigArgs};
use crate::human::{self, Shown};
use crate::one::{self, Loaded};
use crate::{input, print};

/// Files named by fly.toml that are larger than this are not read: a Machine config holds them in base64.
const MAX_FILE: u64 = 1 << 20;

/// Prints the config of each group (or of one), as JSON by group.
pub(crate) fn machine_config(
    args: &MachineConfigArgs,
    context: &Context,
) -> Result<Exit, CliError> {
    let loaded = one::load(args.file.as_deref(), context)?;
    let config = loaded.config()?;
    let groups = config.groups();
    if let Some(group) = &args.group
        && !groups.contains(&group.as_str())
    {
        return Err(CliError::usage(format!("there is no process group '{group}'"))
            .hint(format!("groups: {}", groups.join(", "))));
    }
    let current = match &args.current {
        Some(path) => {
            let source = input::data(path, &context.directory);
            Some(parse_config(&input::text(&source)?, source.name())?)
        }
        None => None,
    };
    let mut inputs = Inputs { current, ..Inputs::default() };
    let wanted: Vec<&str> = match &args.group {
        Some(group) => vec![group],
        None => groups,
    };
    let mut out = serde_json::Map::new();
    let mut incomplete = false;
    for group in wanted {
        let converted = complete(&mut inputs, context, |inputs| {
            convert::machine_config(&config, group, inputs)
        });
        incomplete |= note(&converted, &loaded, context)?;
        if let Ok(converted) = converted {
            out.insert(group.to_owned(), encode(&converted.config)?);
        }
    }
    if args.release {
        inputs.current = None;
        let release = convert::release_config(&config, &inputs);
        let Some(converted) = release else {
            return Err(CliError::usage(format!(
                "{} has no [deploy] release_command",
                loaded.source.name()
            )));
        };
        incomplete |= note(&converted, &loaded, context)?;
        if let Ok(converted) = converted {
            out.insert("fly_app_release_command".to_owned(), encode(&converted.config)?);
        }
    }
    match (&args.group, args.release) {
        (Some(group), false) => context.ui.json(out.get(group).unwrap_or(&Value::Null))?,
        _ => context.ui.json(&Value::Object(out))?,
    }
    Ok(if incomplete { Exit::Incomplete } else { Exit::Ok })
}

/// Converts, reads the files that turn out to be needed, and converts again.
fn complete(
    inputs: &mut Inputs,
    context: &Context,
    convert: impl Fn(&Inputs) -> convert::Result<Converted>,
) -> convert::Result<Converted> {
    let first = convert(inputs)?;
    if first.missing_files.is_empty() {
        return Ok(first);
    }
    for name in first.missing_files {
        // As flyctl does: relative to the working directory, not to the file.
        let path = context.directory.join(&name);
        let is_small = fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= MAX_FILE);
        if let Some(bytes) = is_small.then(|| fs::read(&path).ok()).flatten() {
            inputs.files.insert(name, bytes);
        }
    }
    convert(inputs)
}

/// Says what a config lacks; a file that cannot be converted ends the command.
fn note(
    converted: &convert::Result<Converted>,
    loaded: &Loaded,
    context: &Context,
) -> Result<bool, CliError> {
    match converted {
        Ok(converted) => {
            for name in &converted.missing_files {
                context.ui.warn(&format!("{name} cannot be read, so its content is missing"));
            }
            if converted.compose {
                context.ui.warn("the compose file is not converted: its containers are missing");
            }
            Ok(!converted.missing_files.is_empty() || converted.compose)
        }
        Err(problems) => {
            let renderer = human::renderer(&context.ui);
            let shown = Shown { name: loaded.source.name(), text: loaded.document.text() };
            for problem in problems {
                context.ui.warn(&human::render(problem, shown, &renderer));
            }
            Err(CliError::usage(format!(
                "{} cannot be converted to a machine config",
                loaded.source.name()
            ))
            .hint(format!("`fly-toml check {}` shows what to mend", loaded.source.name())))
        }
    }
}

fn encode(config: &wire::MachineConfig) -> Result<Value, CliError> {
    serde_json::to_value(config).map_err(|error| {
        CliError::nothing_done("cannot encode the machine config").caused_by(error)
    })
}

/// A machine config, by itself or as the `config` of a Machine.
pub(crate) fn parse_config(text: &str, name: &str) -> Result<wire::MachineConfig, CliError> {
    let wrong = |error: serde_json::Error| {
        CliError::usage(format!("{name} holds no machine config"))
            .caused_by(error)
            .hint("give one entry of what `fly machine list --json` prints, or its config")
    };
    let value: Value = serde_json::from_str(text).map_err(wrong)?;
    let config = value.get("config").cloned().unwrap_or(value);
    serde_json::from_value(config).map_err(wrong)
}

/// Writes a fly.toml for what `fly machine list --json` printed.
pub(crate) fn from_machines(args: &FromMachinesArgs, context: &Context) -> Result<Exit, CliError> {
    let source = input::data(&args.machines, &context.directory);
    let name = source.name().to_owned();
    let value: Value = serde_json::from_str(&input::text(&source)?).map_err(|error| {
        CliError::usage(format!("{name} is not JSON"))
            .caused_by(error)
            .hint("make it with `fly machine list --json -a APP`")
    })?;
    let list = match value {
        Value::Array(list) => list,
        single => vec![single],
    };
    if list.is_empty() {
        return Err(CliError::usage(format!("{name} lists no Machines")));
    }
    let machines = list.iter().enumerate().map(|(at, machine)| observed(at, machine, &name));
    let machines = machines.collect::<Result<Vec<_>, _>>()?;
    let made = convert::from_machines(&args.app_name, &machines);
    for note in &made.notes {
        context.ui.warn(note);
    }
    let mut different = false;
    for (group, differences) in &made.differences {
        different = true;
        context
            .ui
            .warn(&format!("group {group}: a deploy of this file would change the Machines:"));
        context.ui.warn(&print::differences(differences));
    }
    match &args.output {
        Some(path) => one::create(path, &made.text, args.force, context)?,
        None if context.ui.is_json() => context.ui.json(&json!({
            "text": made.text, "notes": made.notes, "differences": made.differences,
        }))?,
        None => context.ui.bytes(made.text.as_bytes())?,
    }
    Ok(if different { Exit::Incomplete } else { Exit::Ok })
}

fn observed(at: usize, machine: &Value, name: &str) -> Result<Observed, CliError> {
    let text = |key: &str| machine.get(key).and_then(Value::as_str).map(str::to_owned);
    let (id, region) = (text("id"), text("region"));
    let config = machine.get("config").unwrap_or(machine).clone();
    let config = serde_json::from_value(config).map_err(|error| {
        CliError::usage(format!("entry {at} of {name} holds no machine config")).caused_by(error)
    })?;
    Ok(Observed {
        id: id.unwrap_or_else(|| format!("{at}")),
        region: region.unwrap_or_default(),
        config,
    })
}

/// The Machines that `fly machine list --json` printed.
pub(crate) fn listed(text: &str, name: &str) -> Result<Vec<Observed>, CliError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| CliError::usage(format!("{name} is not JSON")).caused_by(error))?;
    let list = match value {
        Value::Array(list) => list,
        single => vec![single],
    };
    list.iter().enumerate().map(|(at, machine)| observed(at, machine, name)).collect()
}

/// Configs by process group, of what `fly machine list --json` printed.
pub(crate) fn deployed(
    text: &str,
    name: &str,
) -> Result<BTreeMap<String, wire::MachineConfig>, CliError> {
    let mut groups = BTreeMap::new();
    for machine in listed(text, name)? {
        let config = machine.config;
        let group = config.metadata_value("fly_process_group").unwrap_or("app").to_owned();
        groups.entry(group).or_insert(config);
    }
    Ok(groups)
}
