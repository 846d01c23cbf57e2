//! What several lints ask of a file. Must not know: any particular lint.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use fly_types::wire;

use super::LintInput;
use crate::convert;
use crate::dockerfile::Dockerfile;
use crate::document::comment_start;
use crate::schema::{AnyService, Autostop, Config, HttpCheck, Located, Service, Time};
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
    // Those of an unknown type are refused, and there is nothing else to say about them.
    let checks = config.checks.iter().flat_map(|checks| checks.value.values());
    let checks = checks.filter(|check| {
        check.kind.as_ref().is_some_and(|kind| ["http", "tcp"].contains(&kind.as_str()))
    });
    found.extend(checks.map(|check| Timing {
        span: check.span,
        interval: check.interval.as_ref(),
        timeout: check.timeout.as_ref(),
        grace: check.grace_period.as_ref(),
    }));
    found
}

/// HTTP checks of all services.
pub(super) fn http_checks(config: &Config) -> Vec<&Located<HttpCheck>> {
    config.all_services().into_iter().flat_map(|service| service.http_checks().iter()).collect()
}

/// Services whose idle Machines are stopped or suspended, and where that is written.
pub(super) fn stops(config: &Config) -> impl Iterator<Item = (AnyService<'_>, &Located<Autostop>)> {
    config.all_services().into_iter().filter_map(|service| {
        let stop = service.auto_stop().filter(|stop| stop.value != Autostop::Off)?;
        Some((service, stop))
    })
}

/// A variable or a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    /// The variable, or the process group.
    pub(super) name: &'a str,
    /// What it holds.
    pub(super) value: &'a str,
    /// Where the value is.
    pub(super) span: Span,
    /// Whether it is the command of a process group.
    pub(super) is_command: bool,
}

/// All variables and all commands of process groups.
pub(super) fn texts(config: &Config) -> Vec<Text<'_>> {
    let variables = config.env.iter().flat_map(|env| env.value.iter()).map(|pair| (pair, false));
    let commands = config.processes.iter().flat_map(|it| it.value.iter()).map(|pair| (pair, true));
    variables
        .chain(commands)
        .map(|((name, value), is_command)| Text {
            name,
            value: &value.value,
            span: value.span,
            is_command,
        })
        .collect()
}

/// Whether something here replicates its data: it says so in a command, a variable's name or a volume's.
pub(super) fn is_replicated(config: &Config) -> bool {
    let texts = texts(config);
    let words = texts.iter().map(|text| if text.is_command { text.value } else { text.name });
    words.into_iter().any(replicates)
}

/// Whether a text names something that replicates data.
pub(super) fn replicates(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["litefs", "litestream", "repmgr", "stolon", "patroni", "replica"]
        .iter()
        .any(|word| text.contains(word))
}

/// Programs that work in the background.
const WORKERS: &[&str] = &[
    "celery",
    "sidekiq",
    "resque",
    "dramatiq",
    "huey_consumer",
    "supercronic",
    "crond",
    "cron",
    "delayed_job",
    "good_job",
    "solid_queue",
    "queue:work",
    "schedule:work",
    "clockwork",
    "rqworker",
];

/// The background worker that a command starts.
pub(super) fn worker_word(command: &str) -> Option<&'static str> {
    first_word(command, WORKERS)
}

/// Programs that start several others, listed in a file of their own.
const MANAGERS: &[&str] = &["honcho", "foreman", "overmind", "hivemind", "supervisord"];

/// The program that starts others from a list.
pub(super) fn manager_word(command: &str) -> Option<&'static str> {
    first_word(command, MANAGERS)
}

fn first_word(command: &str, known: &'static [&'static str]) -> Option<&'static str> {
    let is_end = |c: char| c.is_whitespace() || "/\"',;&|()[]".contains(c);
    command.split(is_end).find_map(|word| known.iter().copied().find(|known| *known == word))
}

/// What the image starts: ENTRYPOINT and CMD of the final stage.
pub(super) fn dockerfile_command(text: &str) -> String {
    let dockerfile = Dockerfile::parse(text);
    let last = |name| dockerfile.in_final(name).last().map_or("", |it| it.arguments.as_str());
    format!("{} {}", last("ENTRYPOINT"), last("CMD"))
}

/// Comments and lines that are searched; a hostile file must not cost more than its size.
const MAX_HINTS: usize = 64;

/// The first comment that holds one of some words, in small letters.
pub(super) fn comment_hint(input: &LintInput<'_>, words: &[&str]) -> Option<Span> {
    let text = input.document.text();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(comment) = comment_start(line) else { continue };
        let lower = line[comment..].to_ascii_lowercase();
        if words.iter().any(|word| lower.contains(word)) {
            let end = line.trim_end().len();
            return Some(Span::new(start + comment, start + end));
        }
    }
    None
}

/// Where the file speaks of Flycast as its own address.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlycastHint {
    /// The words.
    pub(super) span: Span,
    /// Whether it is the app's own name; otherwise a comment.
    pub(super) is_own_name: bool,
}

/// Looks for the app's own Flycast name among the variables and commands, then for a comment.
pub(super) fn flycast_hint(input: &LintInput<'_>) -> Option<FlycastHint> {
    let own = input.config.app.as_ref().map(|app| format!("{}.flycast", app.value));
    let names_own = |value: &str, own: &str| {
        value.match_indices(own).take(MAX_HINTS).any(|(at, _)| {
            let before = value[..at].chars().next_back();
            before.is_none_or(|c| !c.is_ascii_alphanumeric() && !"-.".contains(c))
        })
    };
    let texts = texts(input.config);
    let named =
        texts.iter().find(|text| own.as_ref().is_some_and(|own| names_own(text.value, own)));
    let named = named.map(|text| FlycastHint { span: text.span, is_own_name: true });
    named.or_else(|| {
        let span = comment_hint(input, &["flycast"])?;
        Some(FlycastHint { span, is_own_name: false })
    })
}

/// The values of all `force_https` that are on.
pub(super) fn forced_https(config: &Config) -> Vec<Span> {
    let http = config.http_service.iter().filter_map(|service| service.force_https.as_ref());
    let services = config.services.iter().flat_map(|list| list.iter());
    let ports = services.flat_map(|service| service.ports.iter()).flat_map(|ports| ports.iter());
    let plain = ports.filter_map(|port| port.force_https.as_ref());
    http.chain(plain).filter(|force| force.value).map(|force| force.span).collect()
}

/// Where to speak of the app as a whole: its name, or its first service.
pub(super) fn anchor(config: &Config) -> Option<Span> {
    let service = config.all_services().first().map(|service| service.span());
    config.app.as_ref().map(|app| app.key).or(service)
}

/// Which of some groups, in alphabetical order, an entry with these `processes` applies to: as
/// [`Config::applies`] for each, in one walk over the names.
pub(super) fn members<'a>(
    config: &Config,
    groups: &[&'a str],
    processes: Option<&Located<Vec<Located<String>>>>,
) -> BTreeSet<&'a str> {
    let default = config.default_group();
    let known =
        |name: &str| groups.binary_search(&name).ok().and_then(|at| groups.get(at).copied());
    match processes {
        Some(list) if !list.is_empty() => {
            let names = list.iter().map(|name| if name.is_empty() { default } else { &name.value });
            names.filter_map(known).collect()
        }
        _ => known(default).into_iter().collect(),
    }
}
