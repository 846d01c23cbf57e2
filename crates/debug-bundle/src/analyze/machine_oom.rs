//! `machine.oom`: the kernel killed a process because the Machine ran out of memory.

use std::collections::BTreeMap;

use findings::{Confidence, Remedy, Rule, Severity};
use fly_types::MachineId;

use super::{Analyzer, Judged};
use crate::facts::{Facts, LogLine, Missing, at_line};

pub(super) static ANALYZER: Analyzer = Analyzer {
    rule: Rule {
        id: "machine.oom",
        title: "out of memory",
        severity: Severity::Critical,
        tags: &["machines", "memory"],
        aliases: &[],
        explanation: "A process needed more memory than its Machine has, and the kernel killed it. To users this is a crash: \
                      requests under way fail, and until the restart is over nobody answers on this Machine.",
        basis: "docs getting-started/troubleshooting and monitoring/metrics; fly-go machine_types.go (oom_killed)",
    },
    inputs: &["machines"],
    also: &["events", "logs"],
    judge,
};

/// What the kernel prints when it kills (`mm/oom_kill.c`).
const KERNEL_LINES: [&str; 2] =
    ["Out of memory: Killed process", "Memory cgroup out of memory: Killed process"];

fn judge(facts: &Facts) -> Result<Judged, Missing> {
    let machines = facts.machines()?;
    let mut lines: BTreeMap<&str, Vec<&LogLine>> = BTreeMap::new();
    for line in facts.logs().unwrap_or_default() {
        let said = line.record.message().unwrap_or_default();
        if KERNEL_LINES.iter().any(|kernel| said.contains(kernel))
            && let Some(id) = line.record.attributes.get().and_then(|it| it.instance.text())
        {
            lines.entry(id).or_default().push(line);
        }
    }
    let mut findings = Vec::new();
    for (index, machine) in machines.iter().enumerate() {
        let events = facts.events(index, machine);
        let kills: Vec<_> = events
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| {
                event.exit().is_some_and(|exit| exit.oom_killed.copied() == Some(true))
            })
            .collect();
        let logged = lines.remove(machine.id.as_str()).unwrap_or_default();
        if kills.is_empty() && logged.is_empty() {
            continue;
        }
        let config = machine.effective_config().map(|(config, _)| config);
        let memory =
            config.and_then(|it| it.guest.get()).and_then(|guest| guest.memory_mb.copied());
        let times = kills.len().max(logged.len());
        let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
        let has = memory.map(|mb| format!(" (it has {mb} MB)")).unwrap_or_default();
        let confidence = if kills.is_empty() { Confidence::Medium } else { Confidence::High };
        let title = format!("Machine {} was killed for memory {times}{has}", machine.id);
        let mut finding = ANALYZER.rule.finding(confidence, title);
        for (at, event) in &kills {
            let code = event.exit().and_then(|exit| exit.exit_code.copied()).unwrap_or_default();
            finding
                .evidence
                .push(events.evidence(*at, format!("exit event: oom_killed, exit code {code}")));
        }
        finding.evidence.extend(logged.iter().rev().take(3).map(|line| at_line(line)));
        let times = || finding.evidence.iter().filter_map(|it| it.at);
        (finding.first_seen, finding.last_seen) = (times().min(), times().max());
        finding.subjects = vec![machine.id.to_string()];
        finding.remedy = remedy(facts.app(), &machine.id, memory);
        findings.push(finding);
    }
    Ok(findings.into())
}

fn remedy(app: &str, id: &MachineId, memory: Option<i64>) -> Remedy {
    let next = memory.map_or(1024, |mb| (mb * 2).max(512));
    Remedy {
        text: "Give the Machine more memory, or make the process need less: cap the heap of its runtime, look for what grows \
               before each kill. Swap helps against short peaks only. The first command mends this Machine until the next deploy, \
               the second its whole process group."
            .to_owned(),
        commands: vec![
            format!("fly machine update {id} --app {app} --vm-memory {next}"),
            format!("fly scale memory {next} --app {app}"),
        ],
        url: Some("https://fly.io/docs/launch/scale-machine/".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analyze::testing::{Bench, at, millis};
    use crate::facts::MACHINES;

    fn machine(oom: &Value) -> String {
        json!([
            { "id": "3d8d9931f46789", "state": "started", "region": "iad", "config": { "guest": { "memory_mb": 512 } } },
            { "id": "148e21ea7e4389", "state": "started", "region": "fra", "config": { "guest": { "memory_mb": 512 } }, "events": [
                { "type": "start", "timestamp": millis(-100) },
                { "type": "exit", "timestamp": millis(-110), "request": { "exit_event": { "exit_code": 137, "oom_killed": oom } } },
            ] },
        ])
        .to_string()
    }

    fn line(message: &str) -> String {
        let line = json!({ "id": "x", "attributes": { "timestamp": at(-111).to_string(), "message": message, "instance": "148e21ea7e4389" } });
        format!("{line}\n")
    }

    const KILL: &str = "[1523.07] Out of memory: Killed process 650 (uvicorn) total-vm:1505420kB, anon-rss:449600kB";

    #[test]
    fn the_event_and_the_kernel_agree() {
        let bench = Bench::new().file("machines", MACHINES, &machine(&json!(true))).file(
            "logs",
            crate::facts::LOGS,
            &(line("fine") + &line(KILL)),
        );
        let judged = judge(&bench.facts()).unwrap();
        let [finding] = &judged.findings[..] else { panic!("one finding") };
        assert_eq!(
            finding.title,
            "Machine 148e21ea7e4389 was killed for memory once (it has 512 MB)"
        );
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(finding.subjects, ["148e21ea7e4389"]);
        let pointer = findings::Location::Json { pointer: "/1/events/1".to_owned() };
        assert_eq!(finding.evidence[0].location, pointer);
        assert_eq!(finding.evidence[1].location, findings::Location::Line { line: 2 });
        assert_eq!((finding.first_seen, finding.last_seen), (Some(at(-111)), Some(at(-110))));
        assert_eq!(
            finding.remedy.commands[0],
            "fly machine update 148e21ea7e4389 --app demo --vm-memory 1024"
        );
    }

    #[test]
    fn the_kernel_line_alone_is_less_sure() {
        let bench = Bench::new().file("machines", MACHINES, &machine(&json!(false))).file(
            "logs",
            crate::facts::LOGS,
            &line(KILL),
        );
        assert_eq!(judge(&bench.facts()).unwrap().findings[0].confidence, Confidence::Medium);
    }

    #[test]
    fn exit_code_137_and_talk_of_memory_are_not_enough() {
        let bench = Bench::new().file("machines", MACHINES, &machine(&json!(false))).file(
            "logs",
            crate::facts::LOGS,
            &line("warning: out of memory budget for cache, evicting"),
        );
        assert!(judge(&bench.facts()).unwrap().findings.is_empty());
    }

    #[test]
    fn without_machines_it_is_not_judged() {
        let missing = judge(&Bench::new().lost("machines").facts()).unwrap_err();
        assert_eq!(missing.input, "machines");
        let bench = Bench::new().file("machines", MACHINES, "{ cut");
        assert_eq!(judge(&bench.facts()).unwrap_err().input, "machines");
    }
}
