//! House rules as a check: dependency edges, module sizes, headers, unused dependencies, forbidden words.
//!
//! Each rule says what breaks it and what to do. The table of edges is `xtask/edges.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::root::{self, Package};

/// A module longer than this fails, shorter ones above `WARN_LINES` are only named.
const MAX_LINES: usize = 900;
const WARN_LINES: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    normal: BTreeMap<String, Vec<String>>,
    dev: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    only: Vec<Only>,
    #[serde(default)]
    long: Vec<Long>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Only {
    #[serde(rename = "crate")]
    name: String,
    members: Vec<String>,
    why: String,
    /// Whether dev-dependencies are free.
    #[serde(default)]
    dev: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    path: String,
    why: String,
}

/// Runs every rule, prints all problems, fails when there is one.
pub(crate) fn run() -> Result<()> {
    let text =
        fs::read_to_string(root::root().join("xtask/edges.toml")).context("xtask/edges.toml")?;
    let rules: Rules = toml::from_str(&text).context("xtask/edges.toml")?;
    let packages = root::packages()?;
    let mut problems = Vec::new();
    edges(&rules, &packages, &mut problems);
    unused(&packages, &mut problems)?;
    let long = sources(&rules, &mut problems)?;
    for line in &long {
        println!("note: {line}");
    }
    if problems.is_empty() {
        println!("tidy: {} crates, no problem", packages.len());
        return Ok(());
    }
    for problem in &problems {
        eprintln!("tidy: {problem}");
    }
    bail!("{} problem(s); the rules are in xtask/edges.toml and CONTRIBUTING.md", problems.len());
}

fn edges(rules: &Rules, packages: &[Package], problems: &mut Vec<String>) {
    let members: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    for package in packages {
        let name = &package.name;
        let Some(normal) = rules.normal.get(name) else {
            problems.push(format!(
                "crate {name} is not in xtask/edges.toml: add its row, or drop the crate"
            ));
            continue;
        };
        let dev = rules.dev.get(name).map_or(&[][..], Vec::as_slice);
        for dependency in &package.dependencies {
            let target = &dependency.name;
            let is_dev = dependency.kind.as_deref() == Some("dev");
            if members.contains(&target.as_str()) {
                let allowed = normal.contains(target) || (is_dev && dev.contains(target));
                if !allowed {
                    let kind = if is_dev { "dev-" } else { "" };
                    problems.push(format!(
                        "{name} has a {kind}dependency on {target}, which is not in its row"
                    ));
                }
            }
            for only in rules.only.iter().filter(|only| &only.name == target) {
                let free = only.members.contains(name) || (is_dev && only.dev);
                if !free {
                    problems.push(format!(
                        "{name} depends on {target}, reserved to {:?}: {}",
                        only.members, only.why
                    ));
                }
            }
        }
    }
    for row in rules.normal.keys().chain(rules.dev.keys()) {
        if !members.contains(&row.as_str()) {
            problems.push(format!("xtask/edges.toml names {row}, which is not a member"));
        }
    }
}

/// A dependency whose name occurs nowhere in the member's sources is dead weight.
fn unused(packages: &[Package], problems: &mut Vec<String>) -> Result<()> {
    for package in packages {
        let folder = package.manifest_path.parent().context("manifest without a folder")?;
        let mut text = String::new();
        collect_sources(folder, &mut text)?;
        for dependency in &package.dependencies {
            let ident = dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_");
            if !text.contains(&ident) {
                problems.push(format!(
                    "{} does not use its dependency {}",
                    package.name, dependency.name
                ));
            }
        }
    }
    Ok(())
}

fn collect_sources(folder: &Path, text: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir()
            && path.file_name().is_none_or(|name| name != "target" && name != "fixtures")
        {
            collect_sources(&path, text)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Sizes, headers and words of every source file. Returns notes about long but tolerated modules.
fn sources(rules: &Rules, problems: &mut Vec<String>) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for path in root::files()? {
        let shown = path.display().to_string();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if !is_rust {
            continue;
        }
        let text = fs::read_to_string(root::root().join(&path)).with_context(|| shown.clone())?;
        let is_test = shown.contains("/tests/")
            || shown.starts_with("tests/")
            || shown.ends_with("/tests.rs");
        if !is_test {
            let lines =
                text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(&text).lines().count();
            if lines > MAX_LINES {
                match rules.long.iter().find(|long| long.path == shown) {
                    Some(long) => notes.push(format!("{shown} has {lines} lines: {}", long.why)),
                    None => problems.push(format!(
                        "{shown} has {lines} lines, more than {MAX_LINES}: split it"
                    )),
                }
            } else if lines > WARN_LINES {
                notes.push(format!("{shown} has {lines} lines"));
            }
        }
        let shebang_free = text.trim_start_matches('\u{feff}');
        if !shebang_free.starts_with("//!") {
            problems.push(format!(
                "{shown} does not start with a `//!` header that says what it is for"
            ));
        }
        if is_test
            && (text.contains("thread::sleep(") || text.contains("time::sleep("))
            && !text.contains("// sleep:")
        {
            problems.push(format!(
                "{shown} sleeps: wait for a condition, or say why with a `// sleep:` comment"
            ));
        }
    }
    Ok(notes)
}
