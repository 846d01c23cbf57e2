//! A minimum that counts in one region only.

use super::common::{groups_of, stops};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "minimum-primary-region-only",
    title: "min_machines_running counts the primary region only",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "The minimum keeps that many Machines in the primary region, not one in each: with Machines in several regions those elsewhere may all sleep, and a minimum above the number in the primary region has no effect beyond it.",
    details: "One is enough to be warm at home. For a warm Machine in each region turn autostop off for the app, or use an app for each region.",
    bad: "primary_region = \"fra\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nmin_machines_running = 3",
    good: "primary_region = \"fra\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nmin_machines_running = 1",
    source: "Fly.io documentation, launch/autostop-autostart",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let primary = config.primary_region.as_ref().map_or("", |region| region.value.as_str());
    for (service, _) in stops(config) {
        let Some(least) = service.min_machines_running().filter(|least| least.value > 0) else {
            continue;
        };
        let machines = input.facts.machines.as_ref().map(|machines| {
            let groups = groups_of(config, service);
            let own = machines.iter().filter(|machine| groups.contains(&machine.group.as_str()));
            let home = own.clone().filter(|machine| machine.region == primary).count();
            (own.count(), home)
        });
        let message = match machines {
            Some((all, home)) if all > home => {
                format!(
                    "{} of {all} Machines are outside the primary region and may all sleep",
                    all - home
                )
            }
            Some((all, _)) if i64::try_from(all).is_ok_and(|all| least.value > all) => {
                format!("there are {all} Machines, so a minimum of {} is not reached", least.value)
            }
            // One at home is the usual setting; more often means one for each region.
            None if least.value >= 3 => {
                "if Machines run in several regions, all of these are in the primary one".to_owned()
            }
            _ => continue,
        };
        out.push(Diagnostic::new(&CODE, message).at(least.span, "counted in the primary region"));
    }
}
