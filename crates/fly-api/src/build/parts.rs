//! Services, their ports, and checks.

use std::collections::BTreeMap;
use std::time::Duration;

use fly_types::duration::GoDuration;
use fly_types::wire::{
    Autostop, Check, CheckType, Concurrency, Field, Port, Service, ServiceCheck,
};

use super::Mistakes;
use crate::write::some;

/// A port on which the proxy listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortBuilder {
    port: u16,
    handlers: Vec<String>,
    force_https: bool,
}

impl PortBuilder {
    /// A port that passes bytes through.
    pub fn at(port: u16) -> Self {
        Self { port, handlers: Vec::new(), force_https: false }
    }

    /// What the proxy does with a connection: `http`, `tls`, `pg_tls`, `proxy_proto`, in this order.
    #[must_use]
    pub fn handlers<H: Into<String>>(mut self, handlers: impl IntoIterator<Item = H>) -> Self {
        self.handlers = handlers.into_iter().map(Into::into).collect();
        self
    }

    /// Sends browsers from http to https.
    #[must_use]
    pub fn force_https(mut self) -> Self {
        self.force_https = true;
        self
    }
}

/// Something that the proxy sends to a Machine.
#[derive(Debug, Clone)]
pub struct ServiceBuilder {
    protocol: &'static str,
    internal_port: u16,
    ports: Vec<PortBuilder>,
    autostop: Option<Autostop>,
    autostart: Option<bool>,
    min_machines: Option<u32>,
    limits: Option<(String, u32, u32)>,
    checks: Vec<CheckBuilder>,
}

impl ServiceBuilder {
    fn new(protocol: &'static str, internal_port: u16) -> Self {
        Self {
            protocol,
            internal_port,
            ports: Vec::new(),
            autostop: None,
            autostart: None,
            min_machines: None,
            limits: None,
            checks: Vec::new(),
        }
    }

    /// A web service: 80 and 443, browsers sent to https.
    pub fn web(internal_port: u16) -> Self {
        Self::new("tcp", internal_port)
            .port(PortBuilder::at(80).handlers(["http"]).force_https())
            .port(PortBuilder::at(443).handlers(["tls", "http"]))
    }

    /// A TCP service on one port.
    pub fn tcp(internal_port: u16, port: PortBuilder) -> Self {
        Self::new("tcp", internal_port).port(port)
    }

    /// A UDP service on one port.
    pub fn udp(internal_port: u16, port: PortBuilder) -> Self {
        Self::new("udp", internal_port).port(port)
    }

    /// One more port.
    #[must_use]
    pub fn port(mut self, port: PortBuilder) -> Self {
        self.ports.push(port);
        self
    }

    /// What the proxy does with a Machine that it does not need; it starts it again when it does.
    #[must_use]
    pub fn autostop(mut self, autostop: Autostop) -> Self {
        self.autostop = Some(autostop);
        self.autostart = Some(true);
        self
    }

    /// How many stay running, in the primary region only.
    #[must_use]
    pub fn min_machines(mut self, count: u32) -> Self {
        self.min_machines = Some(count);
        self
    }

    /// How much the proxy sends to one Machine: `connections` or `requests`, from where it prefers another Machine, and
    /// where it stops.
    #[must_use]
    pub fn limits(mut self, kind: impl Into<String>, soft: u32, hard: u32) -> Self {
        self.limits = Some((kind.into(), soft, hard));
        self
    }

    /// A health check; failing it takes the Machine out of the proxy.
    #[must_use]
    pub fn check(mut self, check: CheckBuilder) -> Self {
        self.checks.push(check);
        self
    }

    pub(super) fn build(
        &self,
        at: &str,
        taken: &mut BTreeMap<(&'static str, u16), String>,
        mistakes: &mut Mistakes,
    ) -> Service {
        let real = "a port is a number from 1 to 65535";
        mistakes.check(self.internal_port > 0, format!("{at}.internal_port"), real);
        for (index, port) in self.ports.iter().enumerate() {
            let at = format!("{at}.ports[{index}]");
            mistakes.check(port.port > 0, at.as_str(), real);
            if let Some(first) = taken.insert((self.protocol, port.port), at.clone()) {
                let rule = format!("port {} is used by {first} already", port.port);
                mistakes.check(false, at.as_str(), rule);
            }
        }
        if let Some((kind, soft, hard)) = &self.limits {
            let at = format!("{at}.concurrency");
            let known = matches!(kind.as_str(), "connections" | "requests");
            mistakes.check(known, at.as_str(), "the type is connections or requests");
            mistakes.check(soft <= hard, at.as_str(), "soft_limit must not exceed hard_limit");
        }
        let checks = self.checks.iter().enumerate();
        let checks: Vec<ServiceCheck> = checks
            .map(|(index, check)| check.of_service(&format!("{at}.checks[{index}]"), mistakes))
            .collect();
        let limits = self.limits.clone().map(|(kind, soft, hard)| Concurrency {
            concurrency_type: kind.into(),
            soft_limit: i64::from(soft).into(),
            hard_limit: i64::from(hard).into(),
            ..Concurrency::default()
        });
        Service {
            protocol: self.protocol.to_owned().into(),
            internal_port: i64::from(self.internal_port).into(),
            ports: self.ports.iter().map(port).collect::<Vec<Port>>().into(),
            autostop: some(self.autostop.clone()),
            autostart: some(self.autostart),
            min_machines_running: some(self.min_machines.map(i64::from)),
            concurrency: some(limits),
            checks: if checks.is_empty() { Field::Absent } else { checks.into() },
            ..Service::default()
        }
    }
}

fn port(port: &PortBuilder) -> Port {
    Port {
        port: i64::from(port.port).into(),
        handlers: some((!port.handlers.is_empty()).then(|| port.handlers.clone())),
        force_https: some(port.force_https.then_some(true)),
        ..Port::default()
    }
}

/// A health check.
#[derive(Debug, Clone)]
pub struct CheckBuilder {
    kind: CheckType,
    port: Option<u16>,
    path: Option<String>,
    interval: Duration,
    timeout: Duration,
    grace: Duration,
}

impl CheckBuilder {
    /// GET of a path, answered with 2xx: every 15 s, within 5 s, from 10 s after the start.
    pub fn http(path: impl Into<String>) -> Self {
        Self {
            kind: CheckType::Http,
            port: None,
            path: Some(path.into()),
            interval: Duration::from_secs(15),
            timeout: Duration::from_secs(5),
            grace: Duration::from_secs(10),
        }
    }

    /// A connection: every 15 s, within 5 s, from 10 s after the start.
    pub fn tcp() -> Self {
        Self { kind: CheckType::Tcp, path: None, ..Self::http("") }
    }

    /// The port inside; a service check uses the service's without one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// How often, how long it may take, and how long after the start failures do not count.
    #[must_use]
    pub fn times(mut self, interval: Duration, timeout: Duration, grace: Duration) -> Self {
        (self.interval, self.timeout, self.grace) = (interval, timeout, grace);
        self
    }

    fn judge(&self, at: &str, needs_port: bool, mistakes: &mut Mistakes) {
        let path = self.path.as_deref().is_none_or(|path| path.starts_with('/'));
        mistakes.check(path, format!("{at}.path"), "the path must start with '/'");
        let rule = "a port is a number from 1 to 65535";
        mistakes.check(self.port != Some(0), format!("{at}.port"), rule);
        let rule = "a check outside a service needs a port";
        mistakes.check(!needs_port || self.port.is_some(), format!("{at}.port"), rule);
        let rule = "the interval must be longer than zero";
        mistakes.check(!self.interval.is_zero(), format!("{at}.interval"), rule);
    }

    pub(super) fn of_service(&self, at: &str, mistakes: &mut Mistakes) -> ServiceCheck {
        self.judge(at, false, mistakes);
        ServiceCheck {
            check_type: self.kind.clone().into(),
            port: some(self.port.map(i64::from)),
            interval: GoDuration::from(self.interval).into(),
            timeout: GoDuration::from(self.timeout).into(),
            grace_period: GoDuration::from(self.grace).into(),
            method: some(self.path.as_ref().map(|_| "GET".to_owned())),
            path: some(self.path.clone()),
            ..ServiceCheck::default()
        }
    }

    pub(super) fn top_level(&self, at: &str, mistakes: &mut Mistakes) -> Check {
        self.judge(at, true, mistakes);
        Check {
            check_type: self.kind.clone().into(),
            port: some(self.port.map(i64::from)),
            interval: GoDuration::from(self.interval).into(),
            timeout: GoDuration::from(self.timeout).into(),
            grace_period: GoDuration::from(self.grace).into(),
            method: some(self.path.as_ref().map(|_| "GET".to_owned())),
            path: some(self.path.clone()),
            ..Check::default()
        }
    }
}
