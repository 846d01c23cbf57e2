//! `machine.none_started`: a service without a started Machine, and nothing that would start one.

use std::collections::BTreeMap;

use findings::{Confidence, Evidence, Remedy, Rule, Severity};
use fly_types::state::{MachineState, StateClass};
use fly_types::wire::{EventType, Machine};

use super::{Analyzer, Judged};
use crate::facts::{Facts, MACHINES, Missing, at_pointer};

pub(super) static ANALYZER: Analyzer = Analyzer {
    rule: Rule {
        id: "machine.none_started",
        title: "no Machine is started",
        severity: Severity::Critical,
        tags: &["machines", "services"],
        aliases: &[],
        explanation: "The process group has a service, none of its Machines is started, and autostart is off: the proxy has nobody \
                      to send requests to and may not start anybody, so every request fails.",
        basis: "docs reference/fly-proxy-autostop-autostart",
    },
    inputs: &["machines"],
    also: &[],
    judge,
};

fn judge(facts: &Facts) -> Result<Judged, Missing> {
    let machines = facts.machines()?;
    let mut groups: BTreeMap<&str, Vec<(usize, &Machine)>> = BTreeMap::new();
    let mut judged = Judged::default();
    for (index, machine) in machines.iter().enumerate() {
        match machine.effective_config() {
            None => judged.unseen.push(Missing {
                input: "machines".to_owned(),
                why: format!("the configuration of Machine {} is not known", machine.id),
            }),
            // Scheduled and standby Machines are meant to be stopped.
            Some((config, _))
                if config.schedule.get().is_none() && config.standbys.items().is_empty() =>
            {
                if !config.services.items().is_empty() {
                    let group = machine.process_group().unwrap_or("app");
                    groups.entry(group).or_default().push((index, machine));
                }
            }
            Some(_) => {}
        }
    }
    for (group, members) in groups {
        if members.iter().all(|(_, machine)| is_down(machine) && !may_start(machine)) {
            judged.findings.push(finding(facts, group, &members));
        }
    }
    Ok(judged)
}

/// Neither started nor on the way there.
fn is_down(machine: &Machine) -> bool {
    let Some(state) = machine.state.get() else { return false };
    let coming = matches!(
        state,
        MachineState::Starting
            | MachineState::Restarting
            | MachineState::Replacing
            | MachineState::Updating
    );
    *state != MachineState::Started && !coming && state.class() != StateClass::Unknown
}

/// Whether the proxy may start it. It may unless the configuration says no (docs reference/fly-proxy-autostop-autostart).
fn may_start(machine: &Machine) -> bool {
    let Some((config, _)) = machine.effective_config() else { return true };
    config.disable_machine_autostart.copied() != Some(true)
        && config.services.items().iter().any(|service| service.autostart.copied() != Some(false))
}

fn finding(facts: &Facts, group: &str, members: &[(usize, &Machine)]) -> findings::Finding {
    let app = facts.app();
    let title = format!(
        "process group {group} has {} Machine{} with a service, none is started, and autostart is off",
        members.len(),
        if members.len() == 1 { "" } else { "s" }
    );
    let mut finding = ANALYZER.rule.finding(Confidence::High, title);
    finding.evidence =
        members.iter().flat_map(|(index, machine)| evidence(*index, machine)).collect();
    let last_stop = finding.evidence.iter().filter_map(|it| it.at).max();
    (finding.first_seen, finding.last_seen) = (last_stop, Some(facts.now()));
    finding.subjects = members.iter().map(|(_, machine)| machine.id.to_string()).collect();
    let mut commands: Vec<String> = finding
        .subjects
        .iter()
        .take(3)
        .map(|id| format!("fly machine start {id} --app {app}"))
        .collect();
    commands.push(format!("fly machine update {} --app {app} --autostart", finding.subjects[0]));
    finding.remedy = Remedy {
        text: "Start the Machines. If the proxy is meant to start them by itself, set auto_start_machines = true in the service's \
               section of fly.toml and deploy, or switch it on Machine by Machine."
            .to_owned(),
        commands,
        url: Some("https://fly.io/docs/launch/autostop-autostart/".to_owned()),
    };
    finding
}

/// The state, and how it came about.
fn evidence(index: usize, machine: &Machine) -> Vec<Evidence> {
    let state = machine.state.get().map_or("unknown", |state| state.as_str());
    let stop = machine.events.items().iter().enumerate().find(|(_, event)| {
        matches!(
            event.event_type.get(),
            Some(EventType::Stop | EventType::Exit | EventType::Suspend)
        )
    });
    let mut evidence = vec![at_pointer(
        MACHINES,
        format!("/{index}/state"),
        format!("Machine {} is {state}", machine.id),
        None,
    )];
    if let Some((at, event)) = stop {
        let source = event.source.get().map_or("unknown", |source| source.as_str());
        let kind = event.event_type.get().map_or("event", |kind| kind.as_str());
        evidence.push(at_pointer(
            MACHINES,
            format!("/{index}/events/{at}"),
            format!("{kind} by {source}"),
            event.at(),
        ));
    }
    evidence
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analyze::testing::{Bench, at, millis};

    fn machine(id: &str, state: &str, autostart: &Value) -> Value {
        json!({ "id": id, "state": state, "region": "fra",
            "config": { "services": [{ "internal_port": 8080, "autostart": autostart }], "metadata": { "fly_process_group": "app" } },
            "events": [{ "type": "stop", "status": "stopped", "source": "user", "timestamp": millis(-2460) }] })
    }

    fn judged(machines: &[Value]) -> Judged {
        let bench = Bench::new().file("machines", MACHINES, &json!(machines).to_string());
        judge(&bench.facts()).unwrap()
    }

    #[test]
    fn all_stopped_and_nothing_may_start_them() {
        let off = json!(false);
        let judged = judged(&[
            machine("148e21ea7e4389", "stopped", &off),
            machine("3d8d9931f46789", "suspended", &off),
        ]);
        let [finding] = &judged.findings[..] else { panic!("one finding") };
        assert_eq!(finding.subjects, ["148e21ea7e4389", "3d8d9931f46789"]);
        assert_eq!(finding.first_seen, Some(at(-2460)));
        assert_eq!(finding.evidence[1].excerpt.as_deref(), Some("stop by user"));
        assert_eq!(finding.remedy.commands[0], "fly machine start 148e21ea7e4389 --app demo");
    }

    #[test]
    fn near_misses() {
        let (off, on) = (json!(false), json!(true));
        let stopped = |autostart| machine("148e21ea7e4389", "stopped", autostart);
        assert!(judged(&[stopped(&on)]).findings.is_empty(), "the proxy starts it");
        assert!(judged(&[stopped(&Value::Null)]).findings.is_empty(), "on is the default");
        let runs = machine("3d8d9931f46789", "started", &off);
        assert!(judged(&[stopped(&off), runs]).findings.is_empty(), "one runs");
        let starts = machine("3d8d9931f46789", "starting", &off);
        assert!(judged(&[stopped(&off), starts]).findings.is_empty(), "one is coming");
        let mut worker = stopped(&off);
        worker["config"]["services"] = json!([]);
        assert!(judged(&[worker]).findings.is_empty(), "no service");
        let mut standby = stopped(&off);
        standby["config"]["standbys"] = json!(["3d8d9931f46789"]);
        assert!(judged(&[standby]).findings.is_empty(), "a standby");
        assert!(
            judged(&[]).findings.is_empty(),
            "an app without Machines is another rule's business"
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        let unreachable =
            json!({ "id": "148e21ea7e4389", "state": "stopped", "region": "fra", "config": null });
        let judged = judged(&[unreachable]);
        assert!(judged.findings.is_empty());
        assert!(judged.unseen[0].why.contains("148e21ea7e4389"));
        assert_eq!(judge(&Bench::new().lost("machines").facts()).unwrap_err().input, "machines");
    }
}
