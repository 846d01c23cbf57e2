//! `platform.incident`: Fly.io itself has a problem that overlaps with the window and touches where the app runs.

use std::collections::BTreeSet;

use findings::{Confidence, Evidence, Remedy, Rule, Severity};
use fly_types::region;
use fly_types::wire::{CheckState, Incident};
use jiff::Timestamp;

use super::{Analyzer, Judged};
use crate::facts::{Facts, INCIDENTS, MACHINES, Missing, STATUS, at_line, at_pointer};

pub(super) static ANALYZER: Analyzer = Analyzer {
    rule: Rule {
        id: "platform.incident",
        title: "incident of the platform",
        severity: Severity::Critical,
        tags: &["platform"],
        aliases: &[],
        explanation: "Fly.io reports an incident that overlaps with this window and touches regions or parts that the app uses. It is \
                      a likely cause of errors that began after it did; those that began earlier have another.",
        basis: "flyctl internal/incidents; status.flyio.net",
    },
    inputs: &["incidents"],
    also: &["status", "machines", "logs"],
    judge,
};

fn judge(facts: &Facts) -> Result<Judged, Missing> {
    // Either list will do; both missing is missing.
    let mut incidents: Vec<(Incident, &str, usize)> = Vec::new();
    let first = facts.incidents();
    let page = facts.status_page();
    if let (Err(missing), Err(_)) = (&first, &page) {
        return Err(missing.clone());
    }
    for (index, incident) in first.unwrap_or_default().into_iter().enumerate() {
        incidents.push((incident, INCIDENTS, index));
    }
    let page = page.ok().and_then(|page| page.incidents.into_value()).unwrap_or_default();
    for (index, incident) in page.into_iter().enumerate() {
        let known = |it: &&mut (Incident, &str, usize)| {
            it.0.id.text().is_some() && it.0.id.text() == incident.id.text()
        };
        match incidents.iter_mut().find(known) {
            // The list that flyctl polls does not say how bad it is and what has been said; the status page does.
            Some((listed, _, _)) => {
                if listed.impact.text().is_none() {
                    listed.impact = incident.impact;
                }
                if listed.incident_updates.items().is_empty() {
                    listed.incident_updates = incident.incident_updates;
                }
                if listed.shortlink.text().is_none() {
                    listed.shortlink = incident.shortlink;
                }
            }
            None => incidents.push((incident, STATUS, index)),
        }
    }
    let mut judged = Judged::default();
    let machines = facts.machines();
    if let Err(missing) = &machines
        && !incidents.is_empty()
    {
        judged.unseen.push(missing.clone());
    }
    let ours: Option<BTreeSet<String>> = machines.ok().map(|machines| {
        machines
            .iter()
            .filter_map(|machine| Some(machine.region.get()?.as_str().to_owned()))
            .collect()
    });
    for (incident, file, index) in incidents {
        if overlaps(facts, &incident) {
            judged.findings.extend(finding(facts, &incident, file, index, ours.as_ref()));
        }
    }
    Ok(judged)
}

/// Not resolved, or resolved within the window.
fn overlaps(facts: &Facts, incident: &Incident) -> bool {
    let over = matches!(incident.status.text(), Some("resolved" | "postmortem" | "completed"));
    match incident.resolved_at.at() {
        Some(resolved) => resolved >= facts.since(),
        None => !over,
    }
}

fn finding(
    facts: &Facts,
    incident: &Incident,
    file: &str,
    index: usize,
    ours: Option<&BTreeSet<String>>,
) -> Option<findings::Finding> {
    let named = regions(incident);
    let hit: Vec<&str> = match ours {
        // Naming regions, and none of ours: somebody else's trouble.
        Some(ours) if !named.is_empty() && named.is_disjoint(ours) => return None,
        Some(ours) => named.intersection(ours).map(String::as_str).collect(),
        None => Vec::new(),
    };
    let started = incident.started_at.at().or_else(|| incident.created_at.at());
    let trouble = started.and_then(|started| first_trouble(facts, started));
    // Of an incident of unknown weight, the worse is assumed.
    let major = !matches!(incident.impact.text(), Some("none" | "minor" | "maintenance"));
    let name = incident.name.text().unwrap_or("without a name");
    let whereabouts = match (ours, named.is_empty()) {
        (None, _) => "; whether the app runs there is not known".to_owned(),
        (Some(_), true) => "; it names no region".to_owned(),
        (Some(_), false) => format!("; the app runs in {}", hit.join(", ")),
    };
    let status = incident.status.text().unwrap_or("open");
    let confidence = match (&trouble, hit.is_empty()) {
        (Some(_), false) => Confidence::High,
        (Some(_), true) | (None, false) => Confidence::Medium,
        (None, true) => Confidence::Low,
    };
    let mut finding = ANALYZER
        .rule
        .finding(confidence, format!("Fly.io incident ({status}): {name}{whereabouts}"));
    finding.severity = match (&trouble, major) {
        (Some(_), true) => Severity::Critical,
        (Some(_), false) => Severity::Warning,
        (None, _) => Severity::Info,
    };
    let update = incident.incident_updates.items().first().and_then(|update| update.body.text());
    finding.evidence.push(at_pointer(
        file,
        format!("/incidents/{index}"),
        update.unwrap_or(name),
        started,
    ));
    finding.evidence.extend(trouble);
    (finding.first_seen, finding.last_seen) =
        (started, incident.resolved_at.at().or(Some(facts.now())));
    finding.subjects = hit.into_iter().map(str::to_owned).collect();
    let link = incident.shortlink.text().map_or("https://status.flyio.net", |link| link);
    finding.remedy = Remedy {
        text: format!(
            "Follow {link} and do not redeploy in the meantime. If it lasts, move capacity to a region that is not affected. \
                       Attach this bundle to a ticket only if your symptoms began before the incident or go on after it."
        ),
        commands: vec![format!("fly status --app {}", facts.app())],
        url: Some(link.to_owned()),
    };
    Some(finding)
}

/// Region codes that an incident names in its title, components or messages: three capital letters that are a region.
fn regions(incident: &Incident) -> BTreeSet<String> {
    let components = incident.components.items().iter().filter_map(|it| it.name.text());
    let updates = incident.incident_updates.items().iter().filter_map(|it| it.body.text());
    incident
        .name
        .text()
        .into_iter()
        .chain(components)
        .chain(updates)
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase()))
        .map(str::to_ascii_lowercase)
        .filter(|code| region::find(code).is_some())
        .collect()
}

/// The first sign of trouble after the incident began: a log line of level error, a failed exit, or a check that went critical.
fn first_trouble(facts: &Facts, started: Timestamp) -> Option<Evidence> {
    let lines = facts.logs().unwrap_or_default().iter().filter(|line| {
        let level = line
            .record
            .attributes
            .get()
            .and_then(|it| it.level.get())
            .map(fly_types::wire::LogLevel::as_str);
        let bad = level == Some("error") || line.record.proxy_code().is_some();
        bad && line.record.at().is_some_and(|at| at >= started)
    });
    let line = lines.min_by_key(|line| line.record.at()).map(at_line);
    let machines = facts.machines().unwrap_or_default().iter().enumerate();
    let exits = machines.flat_map(|(index, machine)| {
        machine.events.items().iter().enumerate().filter_map(move |(at, event)| {
            let exit = event.exit()?;
            let when = event.at().filter(|when| *when >= started)?;
            let failed = exit.requested_stop.copied() != Some(true)
                && exit.exit_code.copied().unwrap_or(0) != 0;
            let what = format!(
                "Machine {} exited with code {}",
                machine.id,
                exit.exit_code.copied().unwrap_or(0)
            );
            failed.then(|| at_pointer(MACHINES, format!("/{index}/events/{at}"), what, Some(when)))
        })
    });
    let exit = exits.min_by_key(|evidence| evidence.at);
    let machines = facts.machines().unwrap_or_default().iter().enumerate();
    let checks = machines.flat_map(|(index, machine)| {
        machine.checks.items().iter().enumerate().filter_map(move |(at, check)| {
            let bad =
                check.status.get() == Some(&CheckState::Critical) && !check.is_compatibility_row();
            let when = check.updated_at.at().filter(|when| bad && *when >= started)?;
            let what = format!(
                "check of Machine {} fails since then: {}",
                machine.id,
                check.output.text().unwrap_or_default()
            );
            Some(at_pointer(MACHINES, format!("/{index}/checks/{at}"), what, Some(when)))
        })
    });
    let check = checks.min_by_key(|evidence| evidence.at);
    [line, exit, check].into_iter().flatten().min_by_key(|evidence| evidence.at)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analyze::testing::{Bench, at};

    fn incidents(component: &str, status: &str, resolved: Option<i64>) -> String {
        json!({ "incidents": [{ "id": "kz8", "name": "Slow starts", "status": status, "impact": "major",
            "started_at": at(-2100).to_string(), "resolved_at": resolved.map(|it| at(it).to_string()),
            "components": [{ "name": component }], "incident_updates": [{ "body": "We are looking." }] }] })
        .to_string()
    }

    const MACHINE: &str = r#"[{ "id": "148e21ea7e4389", "state": "started", "region": "fra" }]"#;

    fn line(seconds: i64, level: &str) -> String {
        let line: Value = json!({ "id": "x", "attributes": { "timestamp": at(seconds).to_string(), "message": "could not proxy", "level": level } });
        format!("{line}\n")
    }

    fn bench(incidents: &str, log: &str) -> Bench {
        Bench::new()
            .file("incidents", INCIDENTS, incidents)
            .file("machines", MACHINES, MACHINE)
            .file("logs", crate::facts::LOGS, log)
    }

    #[test]
    fn an_incident_where_the_app_runs_with_errors_after_it() {
        let log = line(-3000, "error") + &line(-1980, "error");
        let judged =
            judge(&bench(&incidents("FRA - Frankfurt", "investigating", None), &log).facts())
                .unwrap();
        let [finding] = &judged.findings[..] else { panic!("one finding") };
        assert_eq!((finding.severity, finding.confidence), (Severity::Critical, Confidence::High));
        assert_eq!(finding.subjects, ["fra"]);
        assert_eq!(
            finding.evidence[1].at,
            Some(at(-1980)),
            "the first error after the start, not the one before"
        );
        assert_eq!(finding.first_seen, Some(at(-2100)));
    }

    #[test]
    fn near_misses() {
        let quiet =
            bench(&incidents("FRA - Frankfurt", "investigating", None), &line(-3000, "error"));
        assert_eq!(
            judge(&quiet.facts()).unwrap().findings[0].severity,
            Severity::Info,
            "no error since it began"
        );
        let log = line(-1000, "error");
        let elsewhere = bench(&incidents("SYD - Sydney", "investigating", None), &log);
        assert!(judge(&elsewhere.facts()).unwrap().findings.is_empty(), "another region");
        let over = bench(&incidents("FRA - Frankfurt", "resolved", Some(-400_000)), &log);
        assert!(judge(&over.facts()).unwrap().findings.is_empty(), "over long ago");
        let just = bench(&incidents("FRA - Frankfurt", "resolved", Some(-600)), &log);
        assert_eq!(judge(&just.facts()).unwrap().findings.len(), 1, "over within the window");
        let everywhere = bench(&incidents("Machines API", "investigating", None), &log);
        assert_eq!(
            judge(&everywhere.facts()).unwrap().findings[0].confidence,
            Confidence::Medium,
            "names no region"
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        let missing = judge(&Bench::new().lost("incidents").lost("status").facts()).unwrap_err();
        assert_eq!(missing.input, "incidents");
        let blind = Bench::new()
            .file("incidents", INCIDENTS, &incidents("FRA", "investigating", None))
            .lost("machines");
        let judged = judge(&blind.facts()).unwrap();
        assert_eq!(judged.unseen[0].input, "machines");
        assert!(judged.findings[0].title.contains("not known"));
    }
}
