//! Edits that diagnostics offer: each resolves what it is offered for, keeps every comment, breaks nothing, and those
//! that `--fix` applies by itself change nothing that would be deployed.

use std::collections::BTreeMap;

use fly_toml::convert::{Inputs, machine_config, release_config};
use fly_toml::diag::{self, Severity, apply};
use fly_toml::{Applicability, Report, check};
use serde_json::Value;

/// Real files, the examples of all codes and the cases of all lints.
fn texts() -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = crate::corpus::cases()
        .into_iter()
        .filter_map(|(name, bytes)| Some((name, String::from_utf8(bytes).ok()?)))
        .collect();
    for code in diag::all() {
        texts.push((format!("example of {}", code.id), format!("{}\n", code.bad)));
        // Comments in every place that an edit may touch.
        let lines: Vec<&str> = code.bad.lines().collect();
        let commented = format!("# above\n{} # beside\n", lines.join(" # beside\n# above\n"));
        texts.push((format!("commented example of {}", code.id), commented));
    }
    texts.extend(crate::lints::texts());
    texts
}

/// What is behind `#` on each line, as often as it is there.
fn comments(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let mut quote = None;
        let begin = line.char_indices().find(|(_, c)| match (quote, *c) {
            (None, '#') => true,
            (None, '"' | '\'') => {
                quote = Some(*c);
                false
            }
            (Some(open), c) if open == c => {
                quote = None;
                false
            }
            _ => false,
        });
        if let Some((at, _)) = begin {
            *found.entry(line[at..].trim_end().to_owned()).or_default() += 1;
        }
    }
    found
}

/// Everything that a deploy would send.
fn deployed(report: &Report) -> Vec<Option<Value>> {
    let config = &report.config;
    let inputs = Inputs::default();
    let groups = config.groups().into_iter().map(|group| machine_config(config, group, &inputs));
    let mut all: Vec<Option<Value>> =
        groups.map(|it| it.ok().map(|it| serde_json::to_value(it.config).unwrap())).collect();
    let release = release_config(config, &inputs).and_then(Result::ok);
    all.push(release.map(|it| serde_json::to_value(it.config).unwrap()));
    all
}

#[test]
fn every_edit_does_what_it_says() {
    let (mut count, mut applied) = (0, 0);
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        let before = check(&text);
        for diagnostic in &before.diagnostics {
            let Some(fix) = &diagnostic.fix else { continue };
            count += 1;
            let id = diagnostic.code.id;
            let next = apply(&text, &fix.edits);
            let after = check(&next);
            let mut fault = |what: &str| wrong.push(format!("{name}: {id}: {what}:\n{next}"));
            let is_lint = fly_toml::lint::ALL.iter().any(|lint| lint.code.id == id);
            let is_applied = fix.applicability == Applicability::MachineApplicable;
            // As many complaints of the kind as before means that nothing was resolved. A renamed key may have
            // trouble of its own in its new place; a person looks at those.
            let of =
                |report: &Report| report.diagnostics.iter().filter(|it| it.code.id == id).count();
            if (is_lint || is_applied) && of(&after) >= of(&before) {
                fault("is still there");
            }
            if comments(&text) != comments(&next) {
                fault("loses or makes a comment");
            }
            if (is_lint || is_applied) && before.accepted() && !after.accepted() {
                fault("flyctl would refuse the result");
            }
            if is_applied {
                applied += 1;
                if before.accepted() && deployed(&before) != deployed(&after) {
                    fault("changes what is deployed");
                }
                let worse = |report: &Report| {
                    let errors = report.diagnostics.iter();
                    errors.filter(|it| it.severity >= Severity::Error).count()
                };
                if worse(&after) > worse(&before) {
                    fault("makes an error");
                }
            }
        }
    }
    println!("{count} edits, {applied} of them applied by --fix");
    assert!(wrong.is_empty(), "{} faults\n{}", wrong.len(), wrong.join("\n"));
}

/// Two values that differ only behind a `#` are no repetition, and a comment outlives the line's definition.
#[test]
fn a_repetition_is_told_from_another_value() {
    let fixed = |text: &str| check(text).fixed();
    assert_eq!(fixed("[env]\nA = \"x#1\"\nA = \"x#2\"\n"), None);
    assert_eq!(fixed("[env]\nA = \"x#1\"\nA = \"x#1\"\n").unwrap(), "[env]\nA = \"x#1\"\n");
    let kept = fixed("[env]\nA = 1 # one\n  A = 1 # again\n").unwrap();
    assert_eq!(kept, "[env]\nA = 1 # one\n   # again\n");
}

/// Lints judge; what to do about it is for a person to decide.
#[test]
fn no_lint_edits_by_itself() {
    for (name, text) in texts() {
        for diagnostic in check(&text).diagnostics {
            let is_lint = fly_toml::lint::ALL.iter().any(|it| it.code.id == diagnostic.code.id);
            let own = diagnostic.fix.map(|fix| fix.applicability);
            assert!(
                !is_lint || own != Some(Applicability::MachineApplicable),
                "{name}: {}",
                diagnostic.code.id
            );
        }
    }
}
