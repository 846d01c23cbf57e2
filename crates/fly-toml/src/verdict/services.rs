//! Services: their groups, ports and check durations.

use super::codes;
use crate::diag::{Applicability, Diagnostic, Edit, nearest};
use crate::schema::{AnyService, Config, Located, Time};

/// Names that a message lists or compares with; nobody has more groups.
const MAX_NAMED: usize = 64;
/// Reports of one kind for one list.
const MAX_REPORTS: usize = 64;

type Names = Located<Vec<Located<String>>>;

pub(super) fn validate(config: &Config, out: &mut Vec<Diagnostic>) {
    for service in config.all_services() {
        let named = service.processes().is_some_and(|list| !list.is_empty());
        if !named && config.has_processes() {
            let groups: Vec<&str> = config.groups().into_iter().take(MAX_NAMED).collect();
            let diagnostic = Diagnostic::new(
                &codes::SERVICE_WITHOUT_PROCESSES,
                "this service does not say which process group serves it",
            )
            .at(service.span(), format!("groups: {}", groups.join(", ")));
            out.push(match (groups.as_slice(), service.processes()) {
                ([only], None) => diagnostic.fix(
                    format!("add processes = [\"{only}\"]"),
                    vec![Edit::insert(service.span().end, format!("\n  processes = [\"{only}\"]"))],
                    Applicability::MachineApplicable,
                ),
                _ => diagnostic,
            });
        }
        groups_exist(config, "service", service.processes(), out);
        if let AnyService::Plain(plain) = service {
            if plain.ports.as_ref().is_none_or(|ports| ports.is_empty()) {
                let message = "this service has no ports, so nothing reaches it";
                out.push(
                    Diagnostic::new(&codes::SERVICE_WITHOUT_PORTS, message)
                        .at(plain.span, "add [[services.ports]]"),
                );
            }
            for check in plain.tcp_checks.iter().flat_map(|checks| checks.iter()) {
                durations(
                    [&check.interval, &check.timeout, &check.grace_period].map(Option::as_ref),
                    out,
                );
            }
        }
        for check in service.http_checks() {
            durations(
                [&check.interval, &check.timeout, &check.grace_period].map(Option::as_ref),
                out,
            );
        }
    }
}

/// Reports names of groups that the file does not have.
pub(super) fn groups_exist(
    config: &Config,
    what: &str,
    processes: Option<&Names>,
    out: &mut Vec<Diagnostic>,
) {
    let unknown = processes.iter().flat_map(|list| list.value.iter());
    for name in unknown.filter(|name| !config.has_group(name)).take(MAX_REPORTS) {
        let groups: Vec<&str> = config.groups().into_iter().take(MAX_NAMED).collect();
        let message =
            format!("this {what} names the process group `{}`, which does not exist", name.value);
        let diagnostic = Diagnostic::new(&codes::UNKNOWN_PROCESS, message);
        out.push(match nearest(name, groups.iter().copied()) {
            Some(meant) => diagnostic.at(name.span, format!("did you mean \"{meant}\"?")).fix(
                format!("write \"{meant}\""),
                vec![Edit::replace(name.span, format!("\"{meant}\""))],
                Applicability::MaybeIncorrect,
            ),
            None => diagnostic.at(name.span, format!("groups: {}", groups.join(", "))),
        });
    }
}

/// The platform keeps each duration of a service check within 1 s and 60 s; a grace period may be zero.
fn durations([interval, timeout, grace]: [Option<&Located<Time>>; 3], out: &mut Vec<Diagnostic>) {
    for (name, time, zero_is_fine) in
        [("interval", interval, false), ("timeout", timeout, false), ("grace_period", grace, true)]
    {
        let Some(time) = time else { continue };
        let (low, high) = (time.seconds() < 1.0, time.seconds() > 60.0);
        if (zero_is_fine && time.nanos == 0) || !(low || high) {
            continue;
        }
        let limit = if low { "1s" } else { "60s" };
        let message = format!("{name} is {} and becomes {limit}", time.text());
        out.push(
            Diagnostic::new(&codes::CHECK_CLAMPED, message).at(time.span, "1s to 60s are in force"),
        );
    }
}
