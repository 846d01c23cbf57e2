//! Differences in meaning: two files, or what a file asks for and what is deployed.
//!
//! Spelling, order of keys, comments and old names make no difference. Entries of lists are matched by what identifies
//! them (`source` of a mount, ports of a service …), not by their position. Must not know: terminals.

use std::collections::{HashMap, VecDeque};

use fly_types::wire;
use serde_json::Value as Json;

use crate::schema::{Config, Read as _};

/// One difference.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Where, e.g. `http_service.min_machines_running` or `mounts[source=data].destination`.
    pub path: String,
    /// The value before; `None` when it is new.
    pub before: Option<Json>,
    /// The value after; `None` when it is gone.
    pub after: Option<Json>,
}

/// What the second file changes.
pub fn diff(before: &Config, after: &Config) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&before.canonical(), &after.canonical(), "", &mut found);
    sorted(found)
}

/// Keys that deploys change by themselves, or that fly.toml does not manage.
const NOT_MANAGED: &[&str] = &["image", "metadata"];

/// What a deploy of the file would change in a Machine: `wanted` as converted from the file with the deployed config as
/// its base, so that what the file does not manage is equal on both sides.
pub fn diff_deployed(
    deployed: &wire::MachineConfig,
    wanted: &wire::MachineConfig,
) -> Vec<Difference> {
    let json = |config: &wire::MachineConfig| {
        let mut json = serde_json::to_value(config).unwrap_or(Json::Null);
        if let Some(map) = json.as_object_mut() {
            for key in NOT_MANAGED {
                map.remove(*key);
            }
        }
        without_nothing(json)
    };
    let mut found = Vec::new();
    compare(&json(deployed), &json(wanted), "", &mut found);
    sorted(found)
}

fn sorted(mut found: Vec<Difference>) -> Vec<Difference> {
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Drops what the platform treats as missing: null, empty lists and tables, empty texts.
fn without_nothing(value: Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(
            map.into_iter()
                .map(|(key, value)| (key, without_nothing(value)))
                .filter(|(_, value)| !is_nothing(value))
                .collect(),
        ),
        Json::Array(items) => items.into_iter().map(without_nothing).collect(),
        other => other,
    }
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}

fn compare(before: &Json, after: &Json, path: &str, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Json::Object(old), Json::Object(new)) => {
            for (key, value) in old {
                let below = join(path, key);
                match new.get(key) {
                    Some(other) => compare(value, other, &below, found),
                    None => gone(value, &below, found),
                }
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                added(value, &join(path, key), found);
            }
        }
        (Json::Array(old), Json::Array(new)) if is_tables(old) && is_tables(new) => {
            tables(old, new, path, found);
        }
        _ => found.push(Difference {
            path: path.to_owned(),
            before: Some(before.clone()),
            after: Some(after.clone()),
        }),
    }
}

fn join(path: &str, key: &str) -> String {
    let key = crate::edit::key(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn is_tables(items: &[Json]) -> bool {
    items.iter().all(Json::is_object)
}

/// Tables are reported leaf by leaf, so that each line names one setting.
fn gone(value: &Json, path: &str, found: &mut Vec<Difference>) {
    leaves(value, path, &mut |path, value| {
        found.push(Difference { path, before: Some(value), after: None });
    });
}

fn added(value: &Json, path: &str, found: &mut Vec<Difference>) {
    leaves(value, path, &mut |path, value| {
        found.push(Difference { path, before: None, after: Some(value) });
    });
}

fn leaves(value: &Json, path: &str, each: &mut impl FnMut(String, Json)) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                leaves(value, &join(path, key), each);
            }
        }
        Json::Array(items) if !items.is_empty() && is_tables(items) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, &format!("{path}[{}]", label(path, item, at)), each);
            }
        }
        other => each(path.to_owned(), other.clone()),
    }
}

fn tables(old: &[Json], new: &[Json], path: &str, found: &mut Vec<Difference>) {
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (place, item) in new.iter().enumerate() {
        places.entry(label(path, item, place)).or_default().push_back(place);
    }
    for (at, item) in old.iter().enumerate() {
        let name = label(path, item, at);
        let below = format!("{path}[{name}]");
        match places.get_mut(&name).and_then(VecDeque::pop_front) {
            Some(place) => compare(item, &new[place], &below, found),
            None => gone(item, &below, found),
        }
    }
    let mut left: Vec<(usize, String)> = places
        .into_iter()
        .flat_map(|(name, left)| left.into_iter().map(move |at| (at, name.clone())))
        .collect();
    left.sort();
    for (place, name) in left {
        added(&new[place], &format!("{path}[{name}]"), found);
    }
}

/// What identifies an entry of a list: the keys of [`identity`], or its position.
fn label(path: &str, item: &Json, at: usize) -> String {
    let section = path.rsplit(['.', ']']).next().unwrap_or(path);
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Array(items) if is_tables(items) => items
            .iter()
            .map(|port| {
                let number = |key| port.get(key).map(Json::to_string);
                number("port").or_else(|| number("start_port")).unwrap_or_default()
            })
            .collect::<Vec<_>>()
            .join("+"),
        Json::Array(items) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join("+"),
        other => other.to_string(),
    };
    for key in identity(section) {
        if let Some(value) = item.get(*key) {
            return format!("{key}={}", text(value));
        }
    }
    at.to_string()
}

/// Keys that identify the entries of a section, the first that an entry has. Also the merge rule of overlays.
pub(crate) fn identity(section: &str) -> &'static [&'static str] {
    match section {
        "services" => &["ports", "internal_port"],
        "ports" => &["port", "start_port"],
        "mounts" => &["source", "name"],
        "files" => &["guest_path"],
        "statics" => &["url_prefix"],
        "vm" | "restart" | "metrics" => &["processes"],
        "http_checks" | "checks" => &["path", "type"],
        "headers" => &["name"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    fn paths(before: &str, after: &str) -> Vec<String> {
        let (before, after) = (check(before).config, check(after).config);
        diff(&before, &after).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn spelling_makes_no_difference() {
        let old = "kill_timeout = 5\n[mount]\nsource='a'\ndestination='/a'\ninitial_size=2\n[[services]]\ninternal_port='80'\n[[services.ports]]\nport='443'\n";
        let new = "kill_timeout = '5s' # c\n[[services]]\ninternal_port=80\nports=[{port=443}]\n[[mounts]]\ndestination='/a'\nsource='a'\ninitial_size='2gb'\n";
        assert!(paths(old, new).is_empty(), "{:?}", paths(old, new));
    }

    #[test]
    fn differences_name_the_setting() {
        let old = "app='a'\n[[mounts]]\nsource='x'\ndestination='/x'\n[[mounts]]\nsource='y'\ndestination='/y'\n[env]\nA='1'\n";
        let new = "app='b'\n[[mounts]]\nsource='y'\ndestination='/z'\n[env]\nB='1'\n";
        assert_eq!(
            paths(old, new),
            [
                "app",
                "env.A",
                "env.B",
                "mounts[source=x].destination",
                "mounts[source=x].source",
                "mounts[source=y].destination"
            ]
        );
    }
}
