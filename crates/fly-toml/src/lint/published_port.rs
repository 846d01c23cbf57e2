//! A database or admin port on the internet.

use super::common::external;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "published-port",
    title: "A database or admin port is published, or a wide range",
    severity: Severity::Warning,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Everybody on the internet can connect and try passwords. Inside the organization the private network reaches the app without any service.",
    details: "Use `fly proxy` for access from outside.",
    bad: "[[services]]\ninternal_port = 6379\n[[services.ports]]\nport = 6379",
    good: "[[services]]\ninternal_port = 8080\n[[services.ports]]\nport = 443\nhandlers = [\"tls\", \"http\"]",
    source: "Fly.io documentation, networking/private-networking",
};

/// Ports that nobody means to publish, and what listens there.
pub(super) const PORTS: &[(i64, &str)] = &[
    (22, "SSH"),
    (1433, "SQL Server"),
    (2375, "the Docker daemon"),
    (2379, "etcd"),
    (3306, "MySQL"),
    (5432, "Postgres"),
    (6379, "Redis"),
    (8086, "InfluxDB"),
    (9090, "Prometheus"),
    (9200, "Elasticsearch"),
    (11211, "Memcached"),
    (27017, "MongoDB"),
];

/// A range of more ports than this was not chosen port by port.
const MANY: i64 = 100;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    // Inside the private network nobody else connects, and everything is encrypted.
    if input.facts.public == Some(false) {
        return;
    }
    for service in input.config.all_services() {
        for external in external(service) {
            // TLS with a client that knows Postgres is how a database is published on purpose.
            if external.handlers.contains(&"pg_tls") {
                continue;
            }
            let count = external.ports.end().saturating_sub(*external.ports.start());
            if count >= MANY {
                let (first, last) = (external.ports.start(), external.ports.end());
                out.push(
                    Diagnostic::new(
                        &CODE,
                        format!("ports {first} to {last} are open to the internet"),
                    )
                    .at(external.span, "publish the ports that are used"),
                );
                continue;
            }
            if let Some((port, what)) = PORTS.iter().find(|(port, _)| external.ports.contains(port))
            {
                out.push(
                    Diagnostic::new(&CODE, format!("port {port} ({what}) is open to the internet"))
                        .at(external.span, "use the private network and `fly proxy`"),
                );
            }
        }
    }
}
