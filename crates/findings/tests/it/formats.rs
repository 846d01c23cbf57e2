//! What each format looks like.

use findings::{Baseline, Format, Report, Severity, table};

use crate::sample::{catalogue, oom, report, tool};

#[test]
fn every_format() {
    let mut report = report();
    report.accept(&Baseline::of(&[oom()]));
    report.findings.insert(0, oom());
    for format in Format::ALL {
        let text = format.render(&report, &catalogue(), Severity::Warning, Some(100));
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{}", format.name());
        insta::assert_snapshot!(format.name(), text);
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("xml".parse::<Format>().is_err());
}

#[test]
fn a_narrow_table_stays_narrow_and_loses_nothing() {
    let report = report();
    let wide = table(&report, None, None);
    let narrow = table(&report, Some(50), None);
    let rows = |text: &str| text.split("\n\n").next().unwrap().to_owned();
    assert!(rows(&narrow).lines().all(|line| line.chars().count() <= 50), "{narrow}");
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
        letters.sort_unstable();
        letters
    };
    assert_eq!(letters(&narrow), letters(&wide));
}

#[test]
fn paint_does_not_move_a_column() {
    let report = report();
    let paint = |_: Severity, word: &str| format!("\u{1b}[31m{word}\u{1b}[0m");
    let painted = table(&report, Some(60), Some(&paint));
    assert_eq!(painted.matches("\u{1b}[31m").count(), 3, "one word a row: {painted}");
    let bare = painted.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
    assert_eq!(bare, table(&report, Some(60), None));
}

#[test]
fn nothing_found_is_said_with_what_was_not_judged() {
    let clean = Report::new(tool(), "app web", ["a".to_owned()], Vec::new(), Vec::new());
    assert_eq!(table(&clean, None, None), "app web: nothing found; 1 rules judged\n");
    let mut gap = report();
    gap.findings.clear();
    let text = table(&gap, None, None);
    assert!(text.contains("volume.full") && text.contains("no metrics: 403"), "{text}");
    assert!(text.ends_with("app web: nothing found; 4 rules judged, 1 not judged\n"), "{text}");
}
