//! What several lints ask of a config. Must not know: any particular lint.

use std::ops::RangeInclusive;

use fly_types::wire;

use crate::convert;
use crate::schema::{AnyService, Config, HttpCheck, Located, Service, Time};
use crate::span::Span;

/// More groups than this are not looked at one by one; nobody has them.
pub(super) const MAX_GROUPS: usize = 64;

/// Names of apps and environments that are not production.
const DEVELOPMENT: &[&str] = &[
    "dev",
    "development",
    "staging",
    "stage",
    "test",
    "testing",
    "preview",
    "review",
    "sandbox",
    "qa",
];

/// Whether the app's name or a variable such as `NODE_ENV` says that this is not production.
pub(super) fn is_development(config: &Config) -> bool {
    let is_word = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| DEVELOPMENT.iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    let environment =
        ["NODE_ENV", "RAILS_ENV", "APP_ENV", "ENVIRONMENT", "MIX_ENV", "ENV", "RACK_ENV"];
    let named = config.env.iter().flat_map(|env| env.value.iter());
    let mut named = named.filter(|(name, _)| environment.contains(&name.as_str()));
    config.app.as_ref().is_some_and(|app| is_word(app)) || named.any(|(_, value)| is_word(value))
}

/// What a group's Machines look like; `None` when the file does not say or says something impossible.
pub(super) fn guest(config: &Config, group: &str) -> Option<wire::Guest> {
    let vm = config.vm_of(group)?;
    convert::guest(config, vm, &mut Vec::new())
}

/// Groups that a service belongs to.
pub(super) fn groups_of<'a>(config: &'a Config, service: AnyService<'a>) -> Vec<&'a str> {
    let groups = config.groups().into_iter().take(MAX_GROUPS);
    groups.filter(|group| config.applies(group, service.processes())).collect()
}

/// Groups that no service belongs to.
pub(super) fn workers(config: &Config) -> Vec<&str> {
    let services = config.all_services();
    let services = &services[..services.len().min(MAX_GROUPS)];
    let serves = |group: &str| services.iter().any(|it| config.applies(group, it.processes()));
    config.groups().into_iter().take(MAX_GROUPS).filter(|group| !serves(group)).collect()
}

/// A port on which the proxy listens.
#[derive(Debug, Clone)]
pub(super) struct External<'a> {
    /// The port or ports.
    pub(super) ports: RangeInclusive<i64>,
    /// Where they are written; the section, for `[http_service]`.
    pub(super) span: Span,
    /// What the proxy does with a connection.
    pub(super) handlers: Vec<&'a str>,
}

/// The ports of a service. A range may be combined with a port.
pub(super) fn external(service: AnyService<'_>) -> Vec<External<'_>> {
    let plain = match service {
        AnyService::Http(service) => {
            let fixed =
                |port, handlers| External { ports: port..=port, span: service.span, handlers };
            return vec![fixed(80, vec!["http"]), fixed(443, vec!["http", "tls"])];
        }
        AnyService::Plain(service) => service,
    };
    let mut found = Vec::new();
    for port in plain.ports.iter().flat_map(|ports| ports.iter()) {
        let handlers = port.handlers.iter().flat_map(|list| list.iter());
        let handlers: Vec<&str> = handlers.map(|handler| handler.value.as_str()).collect();
        if let Some(single) = &port.port {
            let ports = single.value.0..=single.value.0;
            found.push(External { ports, span: single.span, handlers: handlers.clone() });
        }
        if let (Some(first), Some(last)) = (&port.start_port, &port.end_port) {
            found.push(External { ports: first.value..=last.value, span: first.span, handlers });
        }
    }
    found
}

/// Whether the proxy speaks HTTP on one of the service's ports.
pub(super) fn is_http(service: AnyService<'_>) -> bool {
    external(service).iter().any(|external| external.handlers.contains(&"http"))
}

/// Whether a service speaks UDP.
pub(super) fn is_udp(service: &Service) -> bool {
    service.protocol.as_ref().is_some_and(|protocol| protocol.eq_ignore_ascii_case("udp"))
}

/// The three durations of a check.
pub(super) struct Timing<'a> {
    /// Where the check begins.
    pub(super) span: Span,
    /// Time between checks.
    pub(super) interval: Option<&'a Located<Time>>,
    /// Time after which one has failed.
    pub(super) timeout: Option<&'a Located<Time>>,
    /// Time after the start before the first.
    pub(super) grace: Option<&'a Located<Time>>,
}

/// The checks of a service that gate routing, of both kinds.
pub(super) fn service_checks(service: AnyService<'_>) -> Vec<Timing<'_>> {
    let http = service.http_checks().iter().map(|check| Timing {
        span: check.span,
        interval: check.interval.as_ref(),
        timeout: check.timeout.as_ref(),
        grace: check.grace_period.as_ref(),
    });
    let tcp = match service {
        AnyService::Plain(service) => service.tcp_checks.as_ref(),
        AnyService::Http(_) => None,
    };
    let tcp = tcp.into_iter().flat_map(|checks| checks.iter()).map(|check| Timing {
        span: check.span,
        interval: check.interval.as_ref(),
        timeout: check.timeout.as_ref(),
        grace: check.grace_period.as_ref(),
    });
    http.chain(tcp).collect()
}

/// Top-level checks as well.
pub(super) fn all_checks(config: &Config) -> Vec<Timing<'_>> {
    let mut found: Vec<Timing<'_>> =
        config.all_services().into_iter().flat_map(service_checks).collect();
    found.extend(config.checks.iter().flat_map(|checks| checks.value.values()).map(|check| {
        Timing {
            span: check.span,
            interval: check.interval.as_ref(),
            timeout: check.timeout.as_ref(),
            grace: check.grace_period.as_ref(),
        }
    }));
    found
}

/// HTTP checks of all services.
pub(super) fn http_checks(config: &Config) -> Vec<&Located<HttpCheck>> {
    config.all_services().into_iter().flat_map(|service| service.http_checks().iter()).collect()
}
