//! Thresholds, baselines and ignore files.

use findings::{Baseline, BaselineError, IgnoreError, Ignores, Report, ReportError, Severity};
use jiff::civil::date;

use crate::sample::{OOM, catalogue, key, oom, report, tool};

#[test]
fn the_threshold_decides() {
    let report = report();
    let reached = Severity::ALL.map(|severity| report.reaches(severity));
    assert_eq!((reached, report.worst()), ([true; 4], Some(Severity::Critical)));
    let mild = Report::new(tool(), "x", [], vec![key("a")], Vec::new());
    assert_eq!(Severity::ALL.map(|severity| mild.reaches(severity)), [true, false, false, false]);
    let none = Report::new(tool(), "x", [], Vec::new(), Vec::new());
    assert_eq!((none.reaches(Severity::Info), none.worst()), (false, None));
    for severity in Severity::ALL {
        assert_eq!(severity.name().parse(), Ok(severity));
    }
    let error = "fatal".parse::<Severity>().unwrap_err().to_string();
    assert_eq!(error, "'fatal' is no severity; use one of: info, warning, error, critical");
}

#[test]
fn what_was_not_judged_does_not_count_as_judged() {
    let report = report();
    assert_eq!(report.judged, ["cert.expired", "machine.oom", "machine.single", "unknown-key"]);
    assert_eq!(report.findings[0].rule, "machine.oom", "worst first");
}

#[test]
fn a_baseline_accepts_what_was_there_and_no_more() {
    let yesterday = [key("a"), key("b"), oom()];
    let text = Baseline::of(&yesterday).print();
    let baseline = Baseline::parse(&text).unwrap();
    assert_eq!(baseline, Baseline::of(&yesterday));
    assert_eq!(baseline.print(), text, "stable");

    let mut moved = oom();
    moved.title = "Machine 148e123 was killed for memory 9 times".into();
    moved.evidence[0].excerpt = None;
    let mut other = oom();
    other.subjects = vec!["other".into()];
    let today = vec![key("c"), key("d"), key("e"), moved, other];
    let mut report = Report::new(tool(), "x", [], today, Vec::new());
    report.accept(&baseline);
    let left: Vec<_> = report.findings.iter().map(|finding| finding.subjects[0].as_str()).collect();
    assert_eq!(left, ["other", "fly.toml"], "a third key, and another Machine");
    assert_eq!(report.suppressed.len(), 3);
    assert!(baseline.unused(&report).is_empty());
    let empty = Report::new(tool(), "x", [], Vec::new(), Vec::new());
    assert_eq!(baseline.unused(&empty).len(), 2);
}

#[test]
fn a_baseline_that_is_none_or_newer_is_refused() {
    assert!(matches!(Baseline::parse("[]"), Err(BaselineError::Shape(_))));
    assert!(matches!(Baseline::parse("{\"accepted\": []}"), Err(BaselineError::Shape(_))));
    let newer = Baseline::parse("{\"baseline\": 2, \"acceptances\": {}}").unwrap_err();
    assert!(matches!(newer, BaselineError::Newer(2)), "{newer}");
}

#[test]
fn an_ignored_finding_counts_again_when_the_time_is_over() {
    let text = "[[ignore]]\nrule = \"pg.oom\"\nsubject = \"148*\"\nuntil = \"2026-11-30\"\n\
                reason = \"known leak, fixed in the next release\"\n\
                [[ignore]]\nrule = \"volume.full\"\nreason = \"gone\"\n";
    let ignores = Ignores::parse(text, &catalogue()).unwrap();
    let (last, after) = (date(2026, 11, 30), date(2026, 12, 1));
    assert_eq!(ignores.reason(&oom(), last), Some("known leak, fixed in the next release"));
    assert_eq!(ignores.reason(&oom(), after), None);
    assert_eq!(ignores.reason(&key("a"), last), None);
    let mut elsewhere = oom();
    elsewhere.subjects = vec!["e148".into()];
    assert_eq!(ignores.reason(&elsewhere, last), None);

    let mut report = report();
    report.ignore(&ignores, last);
    assert!(!report.reaches(Severity::Critical));
    assert_eq!(report.suppressed.len(), 1);
    let stale = |today| {
        let stale = ignores.stale(&report, today);
        stale.iter().map(|entry| entry.rule.clone()).collect::<Vec<_>>()
    };
    assert_eq!(stale(last), ["volume.full"]);
    assert_eq!(stale(after), [OOM.id, "volume.full"]);
}

#[test]
fn a_sloppy_ignore_file_is_refused() {
    let parse = |text: &str| Ignores::parse(text, &catalogue()).unwrap_err();
    let typo = parse("[[ignore]]\nrule = \"machine.om\"\nreason = \"x\"\n");
    assert_eq!(typo.to_string(), "ignore entry 1: there is no rule 'machine.om'");
    let silent = parse("[[ignore]]\nrule = \"machine.oom\"\nreason = \" \"\n");
    assert!(matches!(silent, IgnoreError::NoReason { position: 1, .. }));
    for text in ["[[ignore]]\nrule = \"machine.oom\"\n", "ignored = []\n", "[[ignore]]\nreason=1"] {
        assert!(matches!(parse(text), IgnoreError::Shape(_)), "{text}");
    }
    let late = parse("[[ignore]]\nrule = \"machine.oom\"\nreason = \"x\"\nuntil = \"soon\"\n");
    assert!(matches!(late, IgnoreError::Shape(_)));
    assert_eq!(Ignores::parse("", &catalogue()).unwrap(), Ignores::default());
}

#[test]
fn a_stored_report_is_read_again() {
    let mut report = report();
    report.accept(&Baseline::of(&[oom()]));
    let text = findings::json(&report);
    assert_eq!(Report::from_json(&text).unwrap(), report);
    let with_more = text.replacen('{', "{\"shoe_size\": 43,", 1);
    assert_eq!(Report::from_json(&with_more).unwrap(), report);
    let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
    assert!(matches!(Report::from_json(&newer), Err(ReportError::Newer { found: 2, .. })));
    assert!(matches!(Report::from_json("{}"), Err(ReportError::Shape(_))));
}
