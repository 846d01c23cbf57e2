//! `check.failing`: a health check of a started Machine is critical.

use std::time::Duration;

use findings::{Confidence, Remedy, Rule, Severity};
use fly_types::duration::GoDuration;
use fly_types::state::MachineState;
use fly_types::wire::{CheckState, CheckStatus, EventType, Machine};

use super::{Analyzer, Judged};
use crate::facts::{Facts, MACHINES, Missing, at_pointer};

pub(super) static ANALYZER: Analyzer = Analyzer {
    rule: Rule {
        id: "check.failing",
        title: "health check fails",
        severity: Severity::Error,
        tags: &["machines", "checks"],
        aliases: &[],
        explanation: "While a service check fails, the proxy sends no requests to the Machine. The Machine is not restarted for it: \
                      it stays as it is until the check passes again.",
        basis: "docs reference/health-checks",
    },
    inputs: &["machines"],
    also: &[],
    judge,
};

/// How long a check may fail after a start when its configuration does not say (docs reference/configuration).
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

fn judge(facts: &Facts) -> Result<Judged, Missing> {
    let machines = facts.machines()?;
    let mut findings = Vec::new();
    for (index, machine) in machines.iter().enumerate() {
        // The last result of a Machine that does not run says nothing about now.
        if machine.state.get() != Some(&MachineState::Started) || is_young(facts, machine) {
            continue;
        }
        for (at, check) in machine.checks.items().iter().enumerate() {
            if check.status.get() != Some(&CheckState::Critical) || check.is_compatibility_row() {
                continue;
            }
            findings.push(finding(facts, machine, check, format!("/{index}/checks/{at}")));
        }
    }
    Ok(findings.into())
}

fn finding(
    facts: &Facts,
    machine: &Machine,
    check: &CheckStatus,
    pointer: String,
) -> findings::Finding {
    let name = check.name.text().unwrap_or("without a name");
    let output = check.output.text().unwrap_or("(no output)");
    // `updated_at` is when the result last changed, so since then it has been critical.
    let since = check.updated_at.at();
    let region = machine.region.get().map(|region| format!(" in {region}")).unwrap_or_default();
    let title =
        format!("check {name} on Machine {}{region} fails: {}", machine.id, first_line(output));
    let mut finding = ANALYZER.rule.finding(Confidence::High, title);
    finding.evidence.push(at_pointer(MACHINES, pointer, output, since));
    (finding.first_seen, finding.last_seen) = (since, Some(facts.now()));
    finding.subjects = vec![machine.id.to_string()];
    let app = facts.app();
    finding.remedy = Remedy {
        text: advice(output).to_owned(),
        commands: vec![
            format!("fly checks list --app {app}"),
            format!("fly logs --app {app} --machine {}", machine.id),
        ],
        url: Some("https://fly.io/docs/reference/health-checks/".to_owned()),
    };
    finding
}

/// What the output points at.
fn advice(output: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| output.contains(word));
    if has(&["connection refused"]) {
        "Nothing listens on the port of the check: see whether the server started, and whether it listens on 0.0.0.0 and the same port."
    } else if has(&["imeout", "deadline exceeded", "timed out"]) {
        "The endpoint answers too late or not at all: see what the app waits for (a database, a lock, all workers busy)."
    } else if has(&[": 301", ": 302", ": 307", ": 308", ": 401", ": 403", ": 404"]) {
        "The check wants a 2xx answer: give it a path without redirect and without login."
    } else if has(&[": 500", ": 502", ": 503", ": 504"]) {
        "The app itself says that it is not well: the reason is in the answer quoted above and in its log."
    } else {
        "Make the endpoint of the check answer with 2xx; its last output is quoted above."
    }
}

/// Whether the Machine was started so recently that its checks may still fail.
fn is_young(facts: &Facts, machine: &Machine) -> bool {
    let starts = machine
        .events
        .items()
        .iter()
        .filter(|event| event.event_type.get() == Some(&EventType::Start));
    let Some(started) = starts.filter_map(fly_types::wire::Event::at).max() else { return false };
    let grace = machine.effective_config().map(|(config, _)| {
        let services = config.services.items().iter().flat_map(|service| service.checks.items());
        let graces = services.map(|check| &check.grace_period);
        let top = config.checks.get().into_iter().flatten().map(|(_, check)| &check.grace_period);
        graces.chain(top).filter_map(|grace| grace.get().and_then(GoDuration::to_std)).max()
    });
    let grace = grace.flatten().unwrap_or(DEFAULT_GRACE);
    let age = facts.now().duration_since(started);
    Duration::try_from(age).is_ok_and(|age| age < grace)
}

fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .chars()
        .take(160)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analyze::testing::{Bench, at, millis};

    fn machine(state: &str, status: &str, started: i64) -> Value {
        json!([{ "id": "148e21ea7e4389", "state": state, "region": "fra",
            "config": { "services": [{ "checks": [{ "type": "http", "grace_period": "30s" }] }] },
            "events": [{ "type": "start", "status": "started", "timestamp": millis(started) }],
            "checks": [
                { "name": "servicecheck-00-http-8080", "status": status, "output": "500 pool exhausted", "updated_at": at(-1320).to_string() },
                { "name": "bg_deployments_compat", "status": "critical", "output": "" },
            ] }])
    }

    fn found(machines: &Value) -> Vec<findings::Finding> {
        judge(&Bench::new().file("machines", MACHINES, &machines.to_string()).facts())
            .unwrap()
            .findings
    }

    #[test]
    fn a_critical_check_with_its_output_and_since_when() {
        let findings = found(&machine("started", "critical", -9000));
        let [finding] = &findings[..] else { panic!("one finding") };
        assert_eq!(
            finding.title,
            "check servicecheck-00-http-8080 on Machine 148e21ea7e4389 in fra fails: 500 pool exhausted"
        );
        assert_eq!(finding.first_seen, Some(at(-1320)));
        assert_eq!(finding.evidence[0].excerpt.as_deref(), Some("500 pool exhausted"));
        let pointer = findings::Location::Json { pointer: "/0/checks/0".to_owned() };
        assert_eq!(finding.evidence[0].location, pointer);
    }

    #[test]
    fn near_misses() {
        assert!(found(&machine("started", "passing", -9000)).is_empty(), "passes");
        assert!(found(&machine("started", "warning", -9000)).is_empty(), "warns");
        assert!(found(&machine("stopped", "critical", -9000)).is_empty(), "does not run");
        assert!(found(&machine("started", "critical", -20)).is_empty(), "within its grace");
        assert_eq!(found(&machine("started", "critical", -40)).len(), 1, "past its grace");
    }

    #[test]
    fn without_machines_it_is_not_judged() {
        assert_eq!(judge(&Bench::new().lost("machines").facts()).unwrap_err().input, "machines");
    }
}
