//! Text that somebody hostile put into a log line or a file, in every format.

use findings::{Finding, Format, Report, Severity, junit, markdown, sarif, table};
use serde_json::Value;

use crate::sample::{self, OOM, catalogue, evidence, span};

/// A text that means something to every format here.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m|cell|\n::error::fake\n# title `code` ``` \
                       <img src=x onerror=alert(1)>&amp;]]> \"quoted' [link](http://x) {0} \u{202e}desrever\0";

/// A report in which every free text is hostile.
pub(crate) fn report() -> Report {
    let hostile = |text: &str| format!("{text}{HOSTILE}");
    let mut finding = Finding {
        evidence: vec![evidence(HOSTILE, span(), HOSTILE)],
        subjects: vec![hostile("subject")],
        ..OOM.finding(findings::Confidence::Low, HOSTILE)
    };
    finding.explanation = hostile("why");
    finding.remedy.text = hostile("do");
    finding.remedy.commands = vec![hostile("echo")];
    finding.remedy.url = Some(hostile("https://"));
    let missing = sample::DISK.not_judged(HOSTILE, HOSTILE);
    Report::new(sample::tool(), hostile("app"), [], vec![finding], vec![missing])
}

#[test]
fn no_format_for_people_has_a_control_character() {
    for format in Format::ALL {
        let text = format.render(&report(), &catalogue(), Severity::Info, Some(80));
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        if format == Format::Json {
            assert!(text.contains("\\u001b[2J"), "JSON is data and keeps everything, escaped");
            assert!(text.contains("\\u009b31m") && text.contains("\\u202edesrever"));
        }
        assert!(!text.contains(bad), "{}: {text:?}", format.name());
        if format != Format::Json {
            assert!(!text.contains("31m"), "{}: half a terminal sequence", format.name());
        }
    }
}

#[test]
fn a_line_stays_a_line() {
    for line in findings::github(&report()).lines() {
        assert!(line.starts_with("::error file=") || line.starts_with("::notice title="), "{line}");
        let (head, _) = line[2..].split_once("::").unwrap();
        let fields = if head.starts_with("error") { 6 } else { 1 };
        assert_eq!(head.split(',').count(), fields, "{head}");
    }
    let rows = table(&report(), None, None);
    assert!(!rows.lines().any(|line| line.starts_with("::") || line.starts_with('#')), "{rows}");
}

#[test]
fn markdown_shows_it_as_text() {
    let text = markdown(&report());
    let table: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(table.len(), 3, "header, rule, one row: {table:?}");
    assert!(!text.lines().any(|line| line.starts_with("::")), "an order to a CI system");
    // Outside code spans and blocks, no tag and no link is left.
    let spans = without_code(&text);
    assert!(!spans.lines().any(|line| line.starts_with("# ")), "{spans}");
    for active in ["<img", "[link]", "](http"] {
        let bare = spans.match_indices(active).any(|(at, _)| !spans[..at].ends_with('\\'));
        assert!(!bare, "{active} in {spans}");
    }
}

/// The text without code spans and fenced blocks, by the rule of CommonMark: a run of backticks ends at the next run of
/// the same length; a backslash in front of one is text.
fn without_code(text: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('`') {
        if rest[..at].ends_with('\\') {
            kept.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        }
        kept.push_str(&rest[..at]);
        let run: String = rest[at..].chars().take_while(|c| *c == '`').collect();
        let mut inner = &rest[at + run.len()..];
        loop {
            let next = inner.find('`').expect("every code span ends");
            let ticks = inner[next..].chars().take_while(|c| *c == '`').count();
            inner = &inner[next + ticks..];
            if ticks == run.len() {
                break;
            }
        }
        rest = inner;
    }
    kept + rest
}

#[test]
fn xml_stays_balanced() {
    let xml = junit(&report(), Severity::Info);
    // Strip what XML understands; what is left over must be free of markup.
    let mut open = Vec::new();
    let mut rest = xml.split_once("?>").unwrap().1;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains("]]>"), "{text}");
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(
            ["testsuites", "testsuite", "testcase", "failure", "skipped"].contains(&name),
            "{tag}"
        );
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    assert_eq!((open.len(), rest.trim()), (0, ""));
}

#[test]
fn sarif_has_no_foreign_placeholder_link_or_uri() {
    let log: Value = serde_json::from_str(&sarif(&report(), &catalogue())).unwrap();
    let result = &log["runs"][0]["results"][0];
    let text = result["message"]["text"].as_str().unwrap();
    assert!(text.contains("{{0}}") && !text.contains(" {0}"), "{text}");
    assert!(text.contains("\\[link\\](http") && !text.contains(" [link]"), "{text}");
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
    assert!(uri.as_str().unwrap().chars().all(allowed), "{uri}");
}
