//! `machine.crash_loop`: a Machine's process ends with an error again and again.

use std::fmt::Write as _;

use findings::{Confidence, Evidence, Remedy, Rule, Severity};
use fly_types::state::MachineState;
use fly_types::wire::{Event, ExitEvent, Machine};
use jiff::{SignedDuration, Timestamp};

use super::{Analyzer, Judged};
use crate::facts::{Facts, LogLine, Missing, at_line};

pub(super) static ANALYZER: Analyzer = Analyzer {
    rule: Rule {
        id: "machine.crash_loop",
        title: "crash loop",
        severity: Severity::Critical,
        tags: &["machines", "crash"],
        aliases: &[],
        explanation: "The main process ends with an error shortly after each start, and the platform starts it again until the \
                      restart policy's limit is reached. On this Machine nobody answers in the meantime.",
        basis: "docs monitoring/error-codes and machines/machine-restart-policy",
    },
    inputs: &["machines"],
    also: &["events", "logs", "releases"],
    judge,
};

/// So many failed exits …
const TIMES: usize = 3;
/// … within so long make a loop.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// Log lines that are quoted, the last before the last exit.
const LINES: usize = 8;

/// An exit that nobody asked for and that was not for lack of memory, which is another rule's business.
struct Failure<'a> {
    index: usize,
    at: Timestamp,
    exit: &'a ExitEvent,
}

fn judge(facts: &Facts) -> Result<Judged, Missing> {
    let machines = facts.machines()?;
    let mut judged = Judged::default();
    for (index, machine) in machines.iter().enumerate() {
        let events = facts.events(index, machine);
        let failures = failures(&events.events);
        let Some(run) = latest_loop(&failures) else {
            judged.unseen.extend(events.lacking);
            continue;
        };
        let last = run[run.len() - 1].at;
        // A loop that is over is history: the Machine runs, and the last crash lies before the window.
        let started = machine.state.get() == Some(&MachineState::Started);
        if started && last < facts.since() {
            continue;
        }
        let first = run[0].at;
        let how = ended(run[run.len() - 1].exit);
        let title = format!(
            "Machine {} crashed {} times in {}, last with {how}; it is {} now",
            machine.id,
            run.len(),
            span(last.duration_since(first)),
            machine.state.get().map_or("in an unknown state", |state| state.as_str()),
        );
        let mut finding = ANALYZER.rule.finding(Confidence::High, title);
        finding.evidence.extend(run.iter().rev().take(5).map(|failure| {
            events.evidence(failure.index, format!("exit event: {}", ended(failure.exit)))
        }));
        finding.evidence.extend(last_words(facts, machine, last));
        (finding.first_seen, finding.last_seen) = (Some(first), Some(last));
        finding.subjects = vec![machine.id.to_string()];
        finding.remedy = remedy(facts, machine);
        judged.findings.push(finding);
    }
    Ok(judged)
}

/// Failed exits, oldest first.
fn failures(events: &[Event]) -> Vec<Failure<'_>> {
    let mut failures: Vec<Failure<'_>> = events
        .iter()
        .enumerate()
        .filter_map(|(index, event)| {
            let exit = event.exit().filter(|exit| is_failure(exit))?;
            Some(Failure { index, at: event.at()?, exit })
        })
        .collect();
    failures.sort_by_key(|failure| failure.at);
    failures
}

fn is_failure(exit: &ExitEvent) -> bool {
    exit.requested_stop.copied() != Some(true)
        && exit.oom_killed.copied() != Some(true)
        && (code(exit) != 0 || signal(exit).is_some())
}

fn code(exit: &ExitEvent) -> i64 {
    let main = exit.exit_code.copied().unwrap_or(0);
    if main == 0 { exit.guest_exit_code.copied().unwrap_or(0) } else { main }
}

fn signal(exit: &ExitEvent) -> Option<i64> {
    [exit.guest_signal.copied(), exit.signal.copied()]
        .into_iter()
        .flatten()
        .find(|signal| *signal > 0)
}

fn ended(exit: &ExitEvent) -> String {
    match signal(exit) {
        Some(signal) => format!("exit code {} (signal {signal})", code(exit)),
        None => format!("exit code {}", code(exit)),
    }
}

/// The newest stretch of failures in which any [`TIMES`] in a row lie within [`WITHIN`].
fn latest_loop<'a, 'b>(failures: &'b [Failure<'a>]) -> Option<&'b [Failure<'a>]> {
    let tight =
        |window: &[Failure<'_>]| window[TIMES - 1].at.duration_since(window[0].at) <= WITHIN;
    let windows: Vec<bool> = failures.windows(TIMES).map(tight).collect();
    let last = windows.iter().rposition(|tight| *tight)?;
    let first = windows[..last].iter().rposition(|tight| !tight).map_or(0, |at| at + 1);
    Some(&failures[first..last + TIMES])
}

/// What the app printed before it died.
fn last_words(facts: &Facts, machine: &Machine, last: Timestamp) -> Vec<Evidence> {
    let lines = facts.logs().unwrap_or_default().iter().filter(|line: &&LogLine| {
        let attributes = line.record.attributes.get();
        let ours = attributes.and_then(|it| it.instance.text()) == Some(machine.id.as_str());
        let app = line.record.provider().is_none_or(|provider| provider == "app");
        // The exit is noticed a moment after the last line.
        ours && app && line.record.at().is_some_and(|at| at <= last + SignedDuration::from_secs(2))
    });
    let mut newest: Vec<&LogLine> = lines.collect();
    newest.sort_by_key(|line| line.record.at());
    let from = newest.len().saturating_sub(LINES);
    newest[from..].iter().map(|line| at_line(line)).collect()
}

fn remedy(facts: &Facts, machine: &Machine) -> Remedy {
    let app = facts.app();
    let mut commands = vec![format!("fly logs --app {app} --machine {}", machine.id)];
    let mut text =
        "Fix the error that the app prints before it ends; its last lines are in the evidence."
            .to_owned();
    if let Some((version, image)) = last_good(facts, machine) {
        // Writing to a string cannot fail.
        let _ = write!(text, " Until then, go back to the image of release {version}.");
        commands.push(format!("fly deploy --app {app} --image {image}"));
    }
    Remedy {
        text,
        commands,
        url: Some("https://fly.io/docs/getting-started/troubleshooting/".to_owned()),
    }
}

/// The newest release that did not fail and whose image is another than the Machine's.
fn last_good(facts: &Facts, machine: &Machine) -> Option<(i64, String)> {
    let releases = facts.releases().ok()?;
    let (config, _) = machine.effective_config()?;
    let image = config.image.text()?;
    releases.releases_unprocessed.nodes().iter().find_map(|release| {
        let status = release.status.text().unwrap_or_default();
        let other = release.image_ref.text().filter(|other| *other != image)?;
        let good = !matches!(status, "failed" | "interrupted" | "running");
        good.then(|| Some((release.version.copied()?, other.to_owned())))?
    })
}

fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analyze::testing::{Bench, at, millis};
    use crate::facts::MACHINES;

    fn exit(seconds: i64, code: i64, more: &Value) -> Value {
        let mut exit = json!({ "exit_code": code, "requested_stop": false, "oom_killed": false });
        if let (Some(exit), Some(more)) = (exit.as_object_mut(), more.as_object()) {
            exit.extend(more.clone());
        }
        json!({ "type": "exit", "status": "stopped", "timestamp": millis(seconds), "request": { "exit_event": exit } })
    }

    fn machine(events: &[Value]) -> Value {
        json!([{ "id": "148e21ea7e4389", "state": "stopped", "region": "fra", "events": events,
            "config": { "image": "registry.fly.io/demo:13" } }])
    }

    #[test]
    fn three_failures_in_ten_minutes_with_the_last_words_and_the_way_back() {
        let events: Vec<Value> = [-60, -200, -500].map(|at| exit(at, 1, &json!({}))).into();
        let line = |seconds, message| {
            json!({ "id": "x", "attributes": { "timestamp": at(seconds).to_string(), "message": message,
            "instance": "148e21ea7e4389", "meta": { "event": { "provider": "app" } } } })
        };
        let logs = format!(
            "{}\n{}\n",
            line(-61, "Error: Cannot find module './config'"),
            line(-10, "later")
        );
        let releases = json!({ "data": { "app": { "releasesUnprocessed": { "nodes": [
            { "version": 13, "status": "failed", "imageRef": "registry.fly.io/demo:13" },
            { "version": 12, "status": "complete", "imageRef": "registry.fly.io/demo:12" },
        ] } } } });
        let bench = Bench::new()
            .file("machines", MACHINES, &machine(&events).to_string())
            .file("logs", crate::facts::LOGS, &logs)
            .file("releases", crate::facts::RELEASES, &releases.to_string());
        let judged = judge(&bench.facts()).unwrap();
        let finding = &judged.findings[0];
        assert_eq!(
            finding.title,
            "Machine 148e21ea7e4389 crashed 3 times in 7 min, last with exit code 1; it is stopped now"
        );
        assert_eq!(
            finding.evidence.len(),
            4,
            "three events, and the line before the exit but not the one after"
        );
        assert_eq!(
            finding.evidence[3].excerpt.as_deref(),
            Some("Error: Cannot find module './config'")
        );
        assert_eq!(
            finding.remedy.commands[1],
            "fly deploy --app demo --image registry.fly.io/demo:12"
        );
        assert_eq!(finding.first_seen, Some(at(-500)));
    }

    #[test]
    fn near_misses() {
        let none = json!({});
        for (what, events) in [
            ("two only", vec![exit(-60, 1, &none), exit(-70, 1, &none)]),
            (
                "too far apart",
                vec![exit(-60, 1, &none), exit(-400, 1, &none), exit(-800, 1, &none)],
            ),
            ("clean exits", vec![exit(-60, 0, &none), exit(-70, 0, &none), exit(-80, 0, &none)]),
            (
                "asked for",
                [-60, -70, -80].map(|at| exit(at, 137, &json!({ "requested_stop": true }))).into(),
            ),
            (
                "memory",
                [-60, -70, -80].map(|at| exit(at, 137, &json!({ "oom_killed": true }))).into(),
            ),
        ] {
            let bench = Bench::new().file("machines", MACHINES, &machine(&events).to_string());
            assert!(judge(&bench.facts()).unwrap().findings.is_empty(), "{what}");
        }
        // A loop of yesterday on a Machine that runs.
        let events: Vec<Value> = [-90_000, -90_010, -90_020].map(|at| exit(at, 1, &none)).into();
        let mut machines = machine(&events);
        machines[0]["state"] = json!("started");
        let bench = Bench::new().file("machines", MACHINES, &machines.to_string());
        assert!(judge(&bench.facts()).unwrap().findings.is_empty(), "history");
        machines[0]["state"] = json!("stopped");
        let bench = Bench::new().file("machines", MACHINES, &machines.to_string());
        assert_eq!(judge(&bench.facts()).unwrap().findings.len(), 1, "still down");
    }

    #[test]
    fn five_events_of_a_list_are_not_all() {
        let events: Vec<Value> =
            [-60, -70, -900, -1700, -2500].map(|at| exit(at, 1, &json!({}))).into();
        let list = machine(&events).to_string();
        let bench = Bench::new().file("machines", MACHINES, &list).lost("events");
        assert_eq!(judge(&bench.facts()).unwrap().unseen[0].input, "events");
        let all: Vec<Value> = (0..10).map(|at| exit(-60 - at * 18, 1, &json!({}))).collect();
        let bench = Bench::new().file("machines", MACHINES, &list).file(
            "events",
            "machines/148e21ea7e4389/events.json",
            &json!(all).to_string(),
        );
        let judged = judge(&bench.facts()).unwrap();
        assert_eq!(judged.findings[0].evidence[0].source, "machines/148e21ea7e4389/events.json");
        assert!(
            judged.findings[0].title.contains("crashed 10 times"),
            "{}",
            judged.findings[0].title
        );
    }

    #[test]
    fn without_machines_it_is_not_judged() {
        let missing = judge(&Bench::new().lost("machines").facts()).unwrap_err();
        assert_eq!(missing.input, "machines");
        assert!(missing.why.contains("denied"), "{}", missing.why);
    }
}
