//! Every lint of the registry against its cases in `tests/lints/ID.txt`.
//!
//! A case begins with `=== positive`, `=== negative` or `=== near-miss: what makes it one`. Carets below a line mark
//! the text that the lint has to point at, nothing more and nothing less. After `--- Dockerfile` stands the Dockerfile
//! beside the file, after `--- facts` what is known of the running app, one fact a line: `machine GROUP REGION`,
//! `volume NAME REGION`, `address public`, `address private`. Cases of lints of Dockerfiles are Dockerfiles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use fly_toml::lint::{self, Facts};
use fly_toml::{Diagnostic, Options, check_with, dockerfile};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Positive,
    Negative,
    NearMiss,
}

/// The texts of all cases of fly.toml lints, with their names.
pub(crate) fn texts() -> Vec<(String, String)> {
    let own = lint::ALL.iter().flat_map(|lint| {
        let cases = cases(lint.code.id).into_iter().enumerate();
        cases.map(|(at, case)| (format!("case {at} of {}", lint.code.id), case.text))
    });
    own.collect()
}

#[derive(Debug)]
struct Case {
    kind: Kind,
    text: String,
    /// Marked texts by line, counted from 1, and column, counted from 1 in characters.
    marked: BTreeSet<(usize, usize, String)>,
    options: Options,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lints")
}

/// All lints: id, and whether it is one of Dockerfiles.
fn lints() -> Vec<(&'static str, bool)> {
    let own = lint::ALL.iter().map(|lint| (lint.code.id, false));
    own.chain(dockerfile::ALL.iter().map(|lint| (lint.code.id, true))).collect()
}

fn cases(id: &str) -> Vec<Case> {
    let path = folder().join(format!("{id}.txt"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    let (first, rest) = text.split_once("=== ").unwrap();
    assert!(first.is_empty(), "{id}: text before the first case");
    rest.split("\n=== ").map(|case| parse(id, case)).collect()
}

fn parse(id: &str, case: &str) -> Case {
    let (head, body) = case.split_once('\n').unwrap();
    let (word, what) = head.split_once(": ").unwrap_or((head, ""));
    let kind = match word {
        "positive" => Kind::Positive,
        "negative" => Kind::Negative,
        "near-miss" => Kind::NearMiss,
        _ => panic!("{id}: a case that is {word:?}"),
    };
    assert!(kind != Kind::NearMiss || !what.is_empty(), "{id}: say what makes it a near miss");
    let mut options = Options::default();
    let mut parts = body.split("\n--- ");
    let (text, marked) = marks(id, parts.next().unwrap());
    for part in parts {
        match part.split_once('\n') {
            Some(("Dockerfile", text)) => options.dockerfile = Some(text.to_owned()),
            Some(("facts", text)) => options.facts = facts(id, text),
            _ => panic!("{id}: a part that is {part:?}"),
        }
    }
    Case { kind, text, marked, options }
}

/// Takes the lines of carets out of a text.
fn marks(id: &str, body: &str) -> (String, BTreeSet<(usize, usize, String)>) {
    let mut text = String::new();
    let mut marked = BTreeSet::new();
    let mut last: Option<(usize, &str)> = None;
    for line in body.trim_end().lines() {
        let is_mark = line.contains('^') && line.chars().all(|c| c == '^' || c == ' ');
        if !is_mark {
            let number = last.map_or(1, |(number, _)| number + 1);
            last = Some((number, line));
            let _ = writeln!(text, "{line}");
            continue;
        }
        let (number, above) = last.unwrap_or_else(|| panic!("{id}: carets below nothing"));
        let mut at = 0;
        for run in line.split(' ') {
            if !run.is_empty() {
                let under: String = above.chars().skip(at).take(run.len()).collect();
                assert_eq!(under.chars().count(), run.len(), "{id}: carets beyond {above:?}");
                marked.insert((number, at + 1, under));
            }
            at += run.len() + 1;
        }
    }
    (text, marked)
}

fn facts(id: &str, text: &str) -> Facts {
    let mut facts = Facts::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["machine", group, region] => facts.add_machine(group, region),
            ["volume", name, region] => facts.add_volume(name, region),
            ["address", "public"] => facts.public = Some(true),
            ["address", "private"] => facts.public = Some(false),
            _ => panic!("{id}: a fact that is {line:?}"),
        }
    }
    facts
}

/// What a code is reported for.
fn reported(
    diagnostics: &[Diagnostic],
    id: &str,
    text: &str,
    position: impl Fn(usize) -> fly_toml::Position,
) -> BTreeSet<(usize, usize, String)> {
    let own = diagnostics.iter().filter(|diagnostic| diagnostic.code.id == id);
    own.map(|diagnostic| {
        let span = diagnostic.span().unwrap();
        let place = position(span.start);
        (place.line, place.column, span.of(text).to_owned())
    })
    .collect()
}

fn found(id: &str, is_dockerfile: bool, case: &Case) -> BTreeSet<(usize, usize, String)> {
    if is_dockerfile {
        let document = fly_toml::Document::unparsed(case.text.clone());
        let diagnostics = dockerfile::check(&case.text);
        return reported(&diagnostics, id, &case.text, |at| document.position(at));
    }
    let report = check_with(&case.text, &case.options);
    reported(&report.diagnostics, id, &case.text, |at| report.document.position(at))
}

/// The whole registry: no lint without cases of each kind, every case as it says, and no cases without a lint.
#[test]
fn every_lint_has_its_cases_and_keeps_them() {
    let mut wrong = String::new();
    let mut count = 0;
    for (id, is_dockerfile) in lints() {
        let cases = cases(id);
        for kind in [Kind::Positive, Kind::Negative, Kind::NearMiss] {
            if !cases.iter().any(|case| case.kind == kind) {
                let _ = writeln!(wrong, "{id}: no {kind:?} case");
            }
        }
        for case in &cases {
            count += 1;
            if (case.kind == Kind::Positive) == case.marked.is_empty() {
                let _ = writeln!(wrong, "{id}: carets belong to positive cases:\n{}", case.text);
            }
            let found = found(id, is_dockerfile, case);
            if found != case.marked {
                let _ = writeln!(
                    wrong,
                    "{id}: reported {found:?}, marked {:?}:\n{}",
                    case.marked, case.text
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let known: BTreeSet<String> = lints().iter().map(|(id, _)| format!("{id}.txt")).collect();
    let files = fs::read_dir(folder()).unwrap();
    for file in files {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "tests/lints/{name} is of no lint");
    }
    println!("{} lints, {count} cases", lints().len());
}

/// A lint taken out of the registry is missed by each of its positive cases: no other lint speaks for it.
#[test]
fn each_lint_switched_off_fails_its_positive_cases() {
    for off in lint::ALL {
        for case in cases(off.code.id).iter().filter(|case| case.kind == Kind::Positive) {
            let document = fly_toml::Document::parse(case.text.clone());
            let config = fly_toml::schema::load(&document, &[]).0;
            let input = lint::LintInput {
                document: &document,
                config: &config,
                dockerfile: case.options.dockerfile.as_deref(),
                facts: &case.options.facts,
            };
            let run = |keep: &dyn Fn(&lint::Lint) -> bool| {
                let mut out = Vec::new();
                for lint in lint::ALL.iter().filter(|lint| keep(lint)) {
                    (lint.check)(&input, &mut out);
                }
                reported(&out, off.code.id, &case.text, |at| document.position(at))
            };
            assert_eq!(run(&|_| true), case.marked, "{}", off.code.id);
            let without = run(&|lint| lint.code.id != off.code.id);
            assert_ne!(without, case.marked, "{} is not missed:\n{}", off.code.id, case.text);
        }
    }
}

/// A lint speaks of a place in the text, says something there, and never about a text of its own making.
#[test]
fn what_lints_say_is_complete() {
    for (id, _) in lints().into_iter().filter(|(_, is_dockerfile)| !is_dockerfile) {
        for case in cases(id).iter().filter(|case| case.kind == Kind::Positive) {
            let report = check_with(&case.text, &case.options);
            for diagnostic in report.diagnostics.iter().filter(|it| it.code.id == id) {
                assert!(!diagnostic.message.is_empty() && !diagnostic.why.is_empty(), "{id}");
                assert!(!diagnostic.message.ends_with('.'), "{id}: {}", diagnostic.message);
                for label in &diagnostic.labels {
                    assert!(label.span.end <= case.text.len(), "{id}");
                    assert!(
                        label.span.start == label.span.end || !label.text.is_empty(),
                        "{id}: no words"
                    );
                }
            }
        }
    }
}

/// How often each lint speaks over the real files, so that a noisy one is seen.
#[test]
fn counts_over_real_files() {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let files = crate::corpus::cases();
    for (_, bytes) in &files {
        let report = fly_toml::check_bytes(bytes, &Options::default());
        let (mut seen, mut warned) = (BTreeSet::new(), BTreeSet::new());
        for diagnostic in report.diagnostics {
            let id = diagnostic.code.id;
            if lint::ALL.iter().any(|lint| lint.code.id == id) {
                let is_warning = diagnostic.severity >= fly_toml::Severity::Warning;
                let row = counts.entry(id).or_default();
                row[0] += 1;
                row[1] += usize::from(seen.insert(id));
                row[2] += usize::from(is_warning && warned.insert(id));
            }
        }
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(id, row)| (std::cmp::Reverse(row[1]), *id));
    println!("{:32} findings, files of {}, files with a warning or worse", "lint", files.len());
    for (id, [all, in_files, warned]) in &rows {
        println!("{id:32} {all:4} {in_files:4} {warned:4}");
    }
    // A warning that every second file gets is read by nobody.
    let noisy: Vec<_> = rows.iter().filter(|(_, row)| row[2] * 2 > files.len()).collect();
    assert!(noisy.is_empty(), "{noisy:?}");
}
