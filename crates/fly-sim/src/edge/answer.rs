//! What the edge answers to a request for a host name. Decided by the state of the app's Machines, as the Fly proxy would,
//! unless the world says otherwise.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::state::logs::Record;
use crate::state::{App, Machine, State};
use crate::world::evidence::{EdgeConnection, EdgeFile};

/// A request as the edge sees it.
pub(crate) struct Asked<'a> {
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) tls: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) delay: SignedDuration,
    pub(crate) hangs: bool,
}

/// What happens in a TLS handshake for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    Serve,
    ServeExpired,
    NoCertificate,
    Reset,
}

impl Answered {
    fn plain(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
            delay: SignedDuration::ZERO,
            hangs: false,
        }
    }
}

/// The app that a host name belongs to.
fn app_of<'s>(state: &'s State, host: &str) -> Option<&'s App> {
    let named = |app: &&App| {
        app.hostname() == host || app.certificates.iter().any(|known| known.hostname == host)
    };
    state.apps.values().find(named)
}

/// The first rule of the world for this host: about requests below a path, or about handshakes. Counted.
fn rule(state: &mut State, app: &str, host: &str, path: Option<&str>) -> Option<EdgeFile> {
    let app = state.apps.get_mut(app)?;
    for (rule, count) in &mut app.edge {
        let about_requests =
            matches!(rule.connection, EdgeConnection::Answers | EdgeConnection::Hangs);
        let fits = rule.host.as_deref().is_none_or(|wanted| wanted == host)
            && about_requests == path.is_some()
            && path.is_none_or(|path| path.starts_with(&rule.path));
        if fits {
            *count += 1;
            if count.is_multiple_of(rule.every.max(1)) {
                return Some(rule.clone());
            }
        }
    }
    None
}

pub(crate) fn handshake(state: &mut State, host: &str) -> Handshake {
    let Some(app) = app_of(state, host) else { return Handshake::NoCertificate };
    let name = app.name.clone();
    let attached = app.hostname() == host
        || app.certificates.iter().any(|known| known.hostname == host && known.status == "active");
    let expired = app
        .certificates
        .iter()
        .any(|known| known.hostname == host && known.expires.is_some_and(|at| at <= state.now));
    let connection = rule(state, &name, host, None).map(|rule| rule.connection);
    match connection {
        Some(EdgeConnection::NoCertificate) => Handshake::NoCertificate,
        Some(EdgeConnection::ResetTls) => Handshake::Reset,
        Some(EdgeConnection::Expired) => Handshake::ServeExpired,
        _ if !attached => Handshake::NoCertificate,
        _ if expired => Handshake::ServeExpired,
        _ => Handshake::Serve,
    }
}

/// The answer; the state changes when a request wakes a Machine or is written into the log.
pub(crate) fn answer(state: &mut State, asked: &Asked<'_>) -> Answered {
    let Some(app) = app_of(state, asked.host) else { return Answered::plain(404, "") };
    let name = app.name.clone();
    if let Some(rule) = rule(state, &name, asked.host, Some(asked.path)) {
        return Answered {
            status: rule.status,
            headers: rule.headers.into_iter().collect(),
            body: rule.body,
            delay: rule.delay.unwrap_or(SignedDuration::ZERO),
            hangs: rule.connection == EdgeConnection::Hangs,
        };
    }
    by_state(state, &name, asked)
}

fn by_state(state: &mut State, name: &str, asked: &Asked<'_>) -> Answered {
    let now = state.now;
    let Some(app) = state.apps.get(name) else { return Answered::plain(404, "") };
    let port = if asked.tls { 443 } else { 80 };
    let serving: Vec<&Machine> =
        app.machines.iter().filter(|machine| service(machine, port).is_some()).collect();
    let forced = serving
        .iter()
        .any(|machine| service(machine, 80).is_some_and(|(_, port)| port["force_https"] == true));
    if !asked.tls && forced {
        let to = format!("https://{}{}", asked.host, asked.path);
        let mut answer = Answered::plain(301, "");
        answer.headers.push(("location".to_owned(), to));
        return answer;
    }
    let ready = serving.iter().find(|machine| candidate(machine));
    if let Some(machine) = ready {
        return from_machine(state, name, &machine.id.clone(), port);
    }
    let asleep = serving.iter().find(|machine| {
        matches!(machine.state.as_str(), "stopped" | "suspended")
            && service(machine, port).is_some_and(|(service, _)| service["autostart"] == true)
    });
    if let Some(id) = asleep.map(|machine| machine.id.clone()) {
        return wake(state, name, &id);
    }
    let hint = "is your app shut down? is there an ongoing deployment with a volume or are you using the \
                'immediate' strategy? have your app's instances all reached their hard limit?";
    let text =
        format!("[PR01] no known healthy instances found for route tcp/{port}. (hint: {hint})");
    log(state, name, None, now, &text);
    Answered::plain(503, "")
}

/// The service of a Machine that is reached at a public port, and the port's own table.
fn service(machine: &Machine, port: i64) -> Option<(&Value, &Value)> {
    let services = machine.config.get("services")?.as_array()?;
    services.iter().find_map(|service| {
        let ports = service["ports"].as_array()?;
        Some((service, ports.iter().find(|entry| entry["port"] == port)?))
    })
}

fn candidate(machine: &Machine) -> bool {
    let failing = machine
        .checks
        .iter()
        .any(|check| check.name.starts_with("servicecheck-") && check.status == "critical");
    machine.state == "started" && machine.host_ok() && !machine.cordoned && !failing
}

/// Whether a process listens where the proxy connects.
fn from_machine(state: &mut State, name: &str, id: &str, port: i64) -> Answered {
    let now = state.now;
    let found = state.apps.get(name).and_then(|app| app.machine(id));
    let Some(machine) = found else { return Answered::plain(503, "") };
    let inner = service(machine, port).and_then(|(service, _)| service["internal_port"].as_i64());
    let inner = inner.unwrap_or(8080);
    let sockets = machine.processes.iter().filter_map(|p| p["listen_sockets"].as_array());
    let reachable = sockets.flatten().filter_map(|socket| socket["address"].as_str()).any(|at| {
        at.rsplit_once(':').is_some_and(|(host, port)| {
            port == inner.to_string() && !host.contains("127.0.0.1") && !host.contains("[::1]")
        })
    });
    if reachable {
        let mut answer = Answered::plain(200, "ok\n");
        answer.headers.push(("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()));
        return answer;
    }
    let text = format!(
        "[PC01] instance refused connection. is your app listening on 0.0.0.0:{inner}? make sure it is not only \
         listening on 127.0.0.1 (hint: look at your startup logs, servers often print the address they are listening on)"
    );
    log(state, name, Some(id), now, &text);
    Answered::plain(502, "")
}

/// Starts a Machine for a request, as the proxy does; the answer comes when it runs.
fn wake(state: &mut State, name: &str, id: &str) -> Answered {
    let delay = state.settings.start_delay;
    let (mut platform, apps) = state.parts();
    let machine = apps.get_mut(name).and_then(|app| app.machine_mut(id));
    let started = machine.is_some_and(|machine| machine.start_by(&mut platform, "proxy").is_ok());
    if !started {
        return Answered::plain(503, "");
    }
    Answered { delay, ..Answered::plain(200, "ok\n") }
}

fn log(state: &mut State, name: &str, machine: Option<&str>, at: Timestamp, message: &str) {
    let Some(app) = state.apps.get_mut(name) else { return };
    let region = machine.and_then(|id| app.machine(id)).map(|machine| machine.region.clone());
    app.logs.write(Record {
        at,
        message: message.to_owned(),
        level: "error".to_owned(),
        machine: machine.unwrap_or_default().to_owned(),
        region: region.unwrap_or_default(),
        provider: "proxy".to_owned(),
        error_code: Some(1),
        status_code: None,
        url: None,
    });
}
