//! Something asks the app regularly, and autostop is on.

use super::common::{comment_hint, stops, texts};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::span::Span;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "uptime-check-wakes-machines",
    title: "Regular requests keep idle Machines awake",
    severity: Severity::Info,
    grade: Grade::Cost,
    flyctl: Flyctl::Silent,
    why: "The proxy stops a Machine after some minutes without requests, and every request starts one. A monitor, a job or a script that asks more often than that keeps it running, and is billed; one that asks less often boots it each time, and measures the boot.",
    details: "Health checks of the platform do not count: they ask only Machines that run, and wake none. Let the monitor ask a page that a CDN or another app serves, ask less often, or keep one Machine with min_machines_running = 1 and be honest about it. Reported with \"if\", where a variable, a command or a comment speaks of such a check.",
    bad: "app = \"shop\"\n[processes]\nweb = \"server\"\nping = \"sh -c 'while true; do curl https://shop.fly.dev; sleep 60; done'\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nprocesses = [\"web\"]",
    good: "app = \"shop\"\n[processes]\nweb = \"server\"\n[http_service]\ninternal_port = 8080\nauto_stop_machines = \"stop\"\nprocesses = [\"web\"]",
    source: "Fly.io documentation, launch/autostop-autostart; manavgup/wikimind pull request 831",
};

/// Parts of names of variables that hold an address to be asked regularly.
const NAMES: &[&str] = &[
    "KEEP_ALIVE",
    "KEEPALIVE",
    "KEEP_AWAKE",
    "KEEP_WARM",
    "SELF_PING",
    "PING_URL",
    "UPTIME",
    "HEALTHCHECK_URL",
];
/// What comments say of such checks.
const COMMENTS: &[&str] = &[
    "uptime",
    "pingdom",
    "better stack",
    "betterstack",
    "statuscake",
    "updown.io",
    "cronitor",
    "healthchecks.io",
    "keep alive",
    "keep awake",
    "keep warm",
    "keeps it awake",
    "keeps it warm",
];
/// Programs that ask in a loop.
const ASKS: &[&str] = &["curl", "wget", "http", "ping"];

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let least = stops(input.config).find(|(service, _)| {
        let starts = service.auto_start().is_none_or(|start| start.value);
        starts && service.min_machines_running().is_none_or(|least| least.value <= 0)
    });
    let Some((_, stop)) = least else { return };
    if let Some(place) = asks(input) {
        out.push(
            Diagnostic::new(&CODE, "if this asks every few minutes, no Machine ever sleeps")
                .at(place, "regular requests")
                .at(stop.span, "stops a Machine only after some quiet minutes"),
        );
    }
}

fn asks(input: &LintInput<'_>) -> Option<Span> {
    let own = input.config.app.as_ref().map(|app| format!("//{}.fly.dev", app.value));
    let found = texts(input.config).into_iter().find(|text| {
        let is_address = text.value.contains("://");
        if text.is_command {
            let words = text.value.split([' ', '\t', '/', '\'', '"']);
            let is_own = own.as_ref().is_some_and(|own| text.value.contains(own.as_str()));
            return is_own && words.into_iter().any(|word| ASKS.contains(&word));
        }
        is_address && NAMES.iter().any(|part| text.name.to_ascii_uppercase().contains(part))
    });
    found.map(|text| text.span).or_else(|| comment_hint(input, COMMENTS))
}
