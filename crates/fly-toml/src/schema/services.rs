//! `[http_service]` and `[[services]]` seen as one list, and other walks that many rules need.

use super::{
    Autostop, Concurrency, Config, HttpCheck, HttpService, Located, MachineCheck, Service,
};

/// A service of either kind.
#[derive(Debug, Clone, Copy)]
pub enum AnyService<'a> {
    /// `[http_service]`.
    Http(&'a Located<HttpService>),
    /// An entry of `[[services]]`.
    Plain(&'a Located<Service>),
}

type Names = Located<Vec<Located<String>>>;

impl<'a> AnyService<'a> {
    /// Limits per Machine.
    pub fn concurrency(self) -> Option<&'a Located<Concurrency>> {
        match self {
            Self::Http(service) => service.concurrency.as_ref(),
            Self::Plain(service) => service.concurrency.as_ref(),
        }
    }

    /// What happens to idle Machines.
    pub fn auto_stop(self) -> Option<&'a Located<Autostop>> {
        match self {
            Self::Http(service) => service.auto_stop_machines.as_ref(),
            Self::Plain(service) => service.auto_stop_machines.as_ref(),
        }
    }

    /// Whether requests start Machines.
    pub fn auto_start(self) -> Option<&'a Located<bool>> {
        match self {
            Self::Http(service) => service.auto_start_machines.as_ref(),
            Self::Plain(service) => service.auto_start_machines.as_ref(),
        }
    }

    /// Machines that are left running.
    pub fn min_machines_running(self) -> Option<&'a Located<i64>> {
        match self {
            Self::Http(service) => service.min_machines_running.as_ref(),
            Self::Plain(service) => service.min_machines_running.as_ref(),
        }
    }

    /// Groups that serve it.
    pub fn processes(self) -> Option<&'a Names> {
        match self {
            Self::Http(service) => service.processes.as_ref(),
            Self::Plain(service) => service.processes.as_ref(),
        }
    }

    /// HTTP checks that gate routing.
    pub fn http_checks(self) -> &'a [Located<HttpCheck>] {
        match self {
            Self::Http(service) => service.checks.as_ref().map_or(&[], |checks| &checks.value),
            Self::Plain(service) => {
                service.http_checks.as_ref().map_or(&[], |checks| &checks.value.0)
            }
        }
    }

    /// Throw-away test Machines.
    pub fn machine_checks(self) -> &'a [Located<MachineCheck>] {
        let checks = match self {
            Self::Http(service) => service.machine_checks.as_ref(),
            Self::Plain(service) => service.machine_checks.as_ref(),
        };
        checks.map_or(&[], |checks| &checks.value)
    }

    /// The port on which the app listens.
    pub fn internal_port(self) -> Option<i64> {
        match self {
            Self::Http(service) => service.internal_port.as_ref().map(|port| port.value),
            Self::Plain(service) => service.internal_port.as_ref().map(|port| port.value.0),
        }
    }

    /// Where the service begins in the text.
    pub fn span(self) -> crate::Span {
        match self {
            Self::Http(service) => service.span,
            Self::Plain(service) => service.span,
        }
    }
}

impl Config {
    /// All services, `[http_service]` first, as flyctl orders them.
    pub fn all_services(&self) -> Vec<AnyService<'_>> {
        let http = self.http_service.iter().map(AnyService::Http);
        let plain = self.services.iter().flat_map(|services| services.value.0.iter());
        http.chain(plain.map(AnyService::Plain)).collect()
    }

    /// Throw-away test Machines of the whole file.
    pub fn machine_checks_everywhere(&self) -> Vec<&Located<MachineCheck>> {
        let top = self.machine_checks.iter().flat_map(|checks| checks.value.iter());
        let services = self.all_services();
        top.chain(services.into_iter().flat_map(|service| service.machine_checks().iter()))
            .collect()
    }
}
