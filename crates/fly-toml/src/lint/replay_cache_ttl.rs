//! A replay cache that is too short.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::HttpOptions;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "replay-cache-ttl",
    title: "A replay cache below 10 seconds",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "The proxy keeps an answer of a replay cache for 10 seconds at least; the API refuses less.",
    details: "",
    bad: "[http_service]\ninternal_port = 8080\n[[http_service.http_options.replay_cache]]\npath_prefix = \"/\"\nttl_seconds = 5\ntype = \"cookie\"\nname = \"session\"",
    good: "[http_service]\ninternal_port = 8080\n[[http_service.http_options.replay_cache]]\npath_prefix = \"/\"\nttl_seconds = 60\ntype = \"cookie\"\nname = \"session\"",
    source: "Fly.io documentation, networking/dynamic-request-routing",
};

/// The shortest time that the proxy takes.
const LEAST: i64 = 10;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let http = config.http_service.iter().filter_map(|service| service.http_options.as_ref());
    let services = config.services.iter().flat_map(|list| list.iter());
    let ports = services.flat_map(|service| service.ports.iter()).flat_map(|ports| ports.iter());
    let plain = ports.filter_map(|port| port.http_options.as_ref());
    let caches = |options: &HttpOptions| -> Vec<_> {
        let list = options.replay_cache.iter().flat_map(|list| list.value.iter());
        list.filter_map(|cache| cache.ttl_seconds.clone()).collect()
    };
    for ttl in http.chain(plain).flat_map(|options| caches(options)) {
        if ttl.value < LEAST {
            out.push(
                Diagnostic::new(&CODE, format!("{} s is too short for a replay cache", ttl.value))
                    .at(ttl.span, "10 or more"),
            );
        }
    }
}
