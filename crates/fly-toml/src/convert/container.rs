//! `machine_config`: JSON laid over the present config before everything that fly.toml manages is set.

use fly_types::wire::{self, Field};
use serde_json::Value;

use super::{Inputs, codes};
use crate::diag::Diagnostic;
use crate::schema::{Config, Located};

/// What the built image is called until it is built.
const BUILT_IMAGE: &str = ".";

/// Lays the JSON over a config. Adds to `missing` a file that was not handed in.
pub(super) fn lay_over(
    config: &Config,
    inputs: &Inputs,
    base: wire::MachineConfig,
    missing: &mut Vec<String>,
    out: &mut Vec<Diagnostic>,
) -> wire::MachineConfig {
    let set = |value: &'_ Located<String>| !value.is_empty();
    let experimental = config
        .experimental
        .as_ref()
        .and_then(|section| section.machine_config.as_ref())
        .filter(|value| set(value));
    let Some(source) = experimental.or(config.machine_config.as_ref().filter(|value| set(value)))
    else {
        return base;
    };
    let inline;
    let bytes: &[u8] = if source.starts_with('{') {
        inline = source.value.clone();
        inline.as_bytes()
    } else if source.ends_with(".json") {
        let Some(bytes) = inputs.files.get(&source.value) else {
            missing.push(source.value.clone());
            return base;
        };
        bytes
    } else {
        out.push(
            Diagnostic::new(
                &codes::MACHINE_CONFIG,
                "machine_config is neither JSON nor a path to it",
            )
            .at(source.span, "begins with no { and ends not in .json"),
        );
        return base;
    };
    let merged = serde_json::from_slice::<Value>(bytes).and_then(|over| {
        let mut merged = serde_json::to_value(&base)?;
        merge(&mut merged, over);
        serde_json::from_value::<wire::MachineConfig>(merged)
    });
    match merged {
        Ok(mut merged) => {
            choose(config, source, &mut merged, out);
            merged
        }
        Err(error) => {
            let message = format!("machine_config is no JSON object: {error}");
            out.push(Diagnostic::new(&codes::MACHINE_CONFIG, message).at(source.span, ""));
            base
        }
    }
}

/// Objects merge key by key, anything else is replaced.
fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// Gives the built image to the chosen container and checks that the others have one.
fn choose(
    config: &Config,
    source: &Located<String>,
    merged: &mut wire::MachineConfig,
    out: &mut Vec<Diagnostic>,
) {
    let Some(containers) = merged.containers.get_mut() else { return };
    let wanted = config.container.as_ref().filter(|name| !name.is_empty());
    let name = wanted.map_or("app", |name| name.as_str());
    let chosen = containers.iter().position(|container| container.name.text() == Some(name));
    let chosen = match (chosen, wanted) {
        (Some(at), _) => at,
        (None, None) => 0,
        (None, Some(wanted)) => {
            out.push(
                Diagnostic::new(&codes::CONTAINER, format!("there is no container `{name}`"))
                    .at(wanted.span, "not among the containers of machine_config"),
            );
            return;
        }
    };
    for (at, container) in containers.iter_mut().enumerate() {
        if at == chosen {
            container.image = Field::Value(BUILT_IMAGE.to_owned());
        } else if container.image.text().is_none() {
            let name = container.name.text().unwrap_or("without a name").to_owned();
            out.push(
                Diagnostic::new(&codes::CONTAINER, format!("container `{name}` has no image"))
                    .at(source.span, "only the container with the built image may leave it out"),
            );
        }
    }
}
