//! A report with one of everything, and a hostile one.

use findings::{
    Catalogue, Confidence, Evidence, Finding, Location, Remedy, Report, Rule, Severity, Tool,
};

pub(crate) const OOM: Rule = Rule {
    id: "machine.oom",
    title: "a Machine was killed for memory",
    severity: Severity::Critical,
    tags: &["memory", "machine"],
    aliases: &["pg.oom"],
    explanation: "The kernel ended the largest process because memory ran out.",
    basis: "exit events with oom_killed",
};

pub(crate) const SINGLE: Rule = Rule {
    id: "machine.single",
    title: "only one Machine",
    severity: Severity::Warning,
    tags: &["readiness"],
    aliases: &[],
    explanation: "A host failure takes the app down.",
    basis: "machine list",
};

pub(crate) const KEY: Rule = Rule {
    id: "unknown-key",
    title: "a key that nobody reads",
    severity: Severity::Info,
    tags: &["fly.toml"],
    aliases: &[],
    explanation: "It has no effect.",
    basis: "the schema",
};

pub(crate) const DISK: Rule = Rule {
    id: "volume.full",
    title: "a volume is full",
    severity: Severity::Error,
    tags: &["volume"],
    aliases: &[],
    explanation: "Writes fail.",
    basis: "metrics",
};

pub(crate) const CLEAR: Rule = Rule { id: "cert.expired", ..SINGLE };

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new([OOM, SINGLE, KEY, DISK, CLEAR])
}

pub(crate) fn tool() -> Tool {
    Tool { name: "fly-debug-bundle".into(), version: "0.1.0".into() }
}

pub(crate) fn evidence(source: &str, location: Location, excerpt: &str) -> Evidence {
    Evidence {
        source: source.into(),
        location,
        excerpt: Some(excerpt.into()),
        at: Some("2026-11-02T03:04:05Z".parse().unwrap()),
    }
}

pub(crate) fn span() -> Location {
    Location::Span { line: 3, column: 1, end_line: 3, end_column: 9 }
}

pub(crate) fn key(name: &str) -> Finding {
    Finding {
        evidence: vec![evidence("fly.toml", span(), name)],
        subjects: vec!["fly.toml".into()],
        ..KEY.finding(Confidence::High, format!("nobody reads the key '{name}'"))
    }
}

pub(crate) fn oom() -> Finding {
    Finding {
        evidence: vec![
            evidence(
                "machines/machines.json",
                Location::Json { pointer: "/0/events/1".into() },
                "oom_killed: true",
            ),
            evidence(
                "logs/app.ndjson",
                Location::Line { line: 17 },
                "Out of memory: Killed process",
            ),
        ],
        remedy: Remedy {
            text: "Give it more memory, or less to do.".into(),
            commands: vec!["fly scale memory 512 -a web".into()],
            url: Some("https://fly.io/docs/launch/scale-machine/".into()),
        },
        subjects: vec!["148e123".into()],
        ..OOM.finding(Confidence::High, "Machine 148e123 was killed for memory 3 times")
    }
}

pub(crate) fn report() -> Report {
    let single = Finding {
        subjects: vec!["web".into()],
        ..SINGLE.finding(Confidence::Medium, "app web runs on one Machine")
    };
    let missing = DISK.not_judged("metrics", "403: the token may not read metrics");
    let judged = catalogue().rules().iter().map(|rule| rule.id.to_owned()).collect::<Vec<_>>();
    Report::new(tool(), "app web", judged, vec![key("prot"), single, oom()], vec![missing])
}
