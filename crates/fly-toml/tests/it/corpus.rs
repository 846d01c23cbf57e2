//! Real files: flyctl's verdict, its position of each mistake and its machine configs, against ours.
//!
//! `tests/corpus/` holds the files with their origin and the answers of flyctl; `DISAGREEMENTS` lists the differences
//! that stay, each with its reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use fly_toml::convert::{self, Inputs};
use fly_toml::diag::Flyctl;
use fly_toml::{Options, Report, check_bytes};
use serde_json::Value;

/// Differences that stay: file, what differs, why.
const DISAGREEMENTS: &[(&str, &str, &str)] = &[];

struct Case {
    name: String,
    bytes: Vec<u8>,
    recorded: Value,
    report: Report,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn lines(name: &str) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            (value["file"].as_str().unwrap().to_owned(), value)
        })
        .collect()
}

pub(crate) fn cases() -> Vec<(String, Vec<u8>)> {
    let verdicts = lines("flyctl-verdicts.jsonl");
    let read = |name: &String| (name.clone(), fs::read(folder().join(name)).unwrap());
    verdicts.keys().map(read).collect()
}

fn corpus() -> Vec<Case> {
    let mut verdicts = lines("flyctl-verdicts.jsonl");
    cases()
        .into_iter()
        .map(|(name, bytes)| {
            let recorded = verdicts.remove(&name).unwrap();
            let report = check_bytes(&bytes, &Options::default());
            Case { name, bytes, recorded, report }
        })
        .collect()
}

/// Fails on a difference that is not in the table.
fn judge(found: &[(String, &'static str, String)]) {
    let mut report = String::new();
    for (file, what, detail) in found {
        let listed = DISAGREEMENTS.iter().any(|row| row.0 == file && row.1 == *what);
        if !listed {
            let _ = writeln!(report, "{file}: {what}: {detail}");
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn verdicts_are_flyctls() {
    let mut found = Vec::new();
    let (mut accepted, mut rejected, mut printed) = (0, 0, 0);
    for case in corpus() {
        let verdict = case.recorded["verdict"].as_str().unwrap();
        let valid = verdict.starts_with("valid");
        if valid != case.report.accepted() {
            let ours: Vec<_> = case.report.diagnostics.iter().map(|d| &d.message).collect();
            found.push((case.name.clone(), "verdict", format!("{verdict}, ours: {ours:?}")));
        }
        let loads = !matches!(verdict, "load-error" | "toml-error");
        if loads != case.report.loads() {
            found.push((case.name.clone(), "loads", verdict.to_owned()));
        }
        if case.report.accepted() {
            accepted += 1;
        } else {
            rejected += 1;
        }
        if case.report.document.to_string().as_bytes() == case.bytes {
            printed += 1;
        } else {
            found.push((case.name.clone(), "print", "differs from the bytes read".to_owned()));
        }
        let groups: Vec<_> = case.report.config.groups();
        let recorded = &case.recorded["groups"];
        if !recorded.is_null() && *recorded != serde_json::json!(groups) {
            found.push((case.name.clone(), "groups", format!("{recorded}, ours: {groups:?}")));
        }
    }
    println!("corpus: {accepted} accepted, {rejected} rejected, {printed} printed as read");
    judge(&found);
    assert_eq!((accepted, rejected, printed), (190, 33, 223));
}

/// Whatever flyctl refuses is refused at the right place: the code and the labelled text of each reason.
#[test]
fn rejections_point_at_the_mistake() {
    let mut table = String::new();
    for case in corpus() {
        for diagnostic in &case.report.diagnostics {
            if diagnostic.code.flyctl != Flyctl::Refuses {
                continue;
            }
            let span = diagnostic.span().unwrap();
            let at = case.report.document.position(span.start);
            let text: String = span
                .of(case.report.document.text())
                .lines()
                .next()
                .unwrap_or("")
                .chars()
                .take(40)
                .collect();
            let name = &case.name[..3];
            let _ = writeln!(
                table,
                "{name} {}:{} {} `{text}` {}",
                at.line, at.column, diagnostic.code.id, diagnostic.message
            );
        }
    }
    insta::assert_snapshot!("rejections", table);
}

/// A syntax error stands on the row that flyctl names, and its label overlaps what flyctl underlines.
#[test]
fn syntax_errors_stand_where_flyctl_finds_them() {
    let recorded = lines("flyctl-validate.jsonl");
    let mut compared = 0;
    for case in corpus() {
        let stderr = recorded[&case.name]["stderr"].as_str().unwrap();
        let Some((_, place)) = stderr.split_once("row ") else { continue };
        let mut numbers =
            place.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let row: usize = numbers.next().unwrap().parse().unwrap();
        let marks = stderr.lines().find_map(|line| line.trim_start().strip_prefix('|')).unwrap();
        let column = marks.find('~').unwrap();
        let end_column = marks.rfind('~').unwrap() + 1;
        let near = case.report.diagnostics.iter().any(|diagnostic| {
            diagnostic.code.flyctl == Flyctl::Refuses
                && diagnostic.labels.first().is_some_and(|label| {
                    let start = case.report.document.position(label.span.start);
                    let end = case.report.document.position(label.span.end);
                    start.line == row && start.column <= end_column && column <= end.column
                })
        });
        assert!(near, "{}: flyctl says {row}:{column}-{end_column}", case.name);
        compared += 1;
    }
    println!("corpus: {compared} syntax errors stand where flyctl finds them");
    assert_eq!(compared, 10);
}

/// Header lists come from a map in flyctl: their order means nothing.
fn normal(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            for (key, entry) in map.iter_mut() {
                *entry = normal(entry.take());
                if key == "headers"
                    && let Value::Array(items) = entry
                {
                    items.sort_by_key(Value::to_string);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = normal(item.take())),
        _ => {}
    }
    value
}

fn without_metadata(config: &fly_types::wire::MachineConfig) -> Value {
    let mut value = serde_json::to_value(config).unwrap();
    value.as_object_mut().unwrap().remove("metadata");
    normal(value)
}

#[test]
fn machine_configs_are_flyctls() {
    let mut found = Vec::new();
    let (mut equal, mut refused, mut releases) = (0, 0, 0);
    for case in corpus() {
        let Some(machines) = case.recorded["machines"].as_object() else { continue };
        for (group, recorded) in machines {
            let ours = convert::machine_config(&case.report.config, group, &Inputs::default());
            match (ours, recorded.get("error")) {
                (Ok(ours), Some(error)) if error.as_str().unwrap().contains("no such file") => {
                    assert!(!ours.missing_files.is_empty(), "{}", case.name);
                    refused += 1;
                }
                (Err(_), Some(_)) => refused += 1,
                (Ok(ours), None) => {
                    let (ours, recorded) =
                        (without_metadata(&ours.config), normal(recorded.clone()));
                    if ours == recorded {
                        equal += 1;
                    } else {
                        let detail = format!("{group}\n  flyctl {recorded}\n  ours   {ours}");
                        found.push((case.name.clone(), "machine config", detail));
                    }
                }
                (ours, error) => {
                    let detail = format!("{group}: flyctl {error:?}, ours {:?}", ours.is_ok());
                    found.push((case.name.clone(), "conversion", detail));
                }
            }
        }
        let recorded = &case.recorded["release"];
        let ours = convert::release_config(&case.report.config, &Inputs::default());
        match (ours, recorded.is_null()) {
            (None, true) => {}
            (Some(Ok(ours)), false) => {
                let (ours, recorded) = (without_metadata(&ours.config), normal(recorded.clone()));
                if ours == recorded {
                    releases += 1;
                } else {
                    let detail = format!("\n  flyctl {recorded}\n  ours   {ours}");
                    found.push((case.name.clone(), "release config", detail));
                }
            }
            (ours, _) => {
                let detail = format!("flyctl {recorded}, ours {:?}", ours.map(|ours| ours.is_ok()));
                found.push((case.name.clone(), "release", detail));
            }
        }
    }
    println!(
        "corpus: {equal} machine configs and {releases} release configs equal, {refused} not convertible for both"
    );
    judge(&found);
}
