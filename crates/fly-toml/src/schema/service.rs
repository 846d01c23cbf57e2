//! `[http_service]`, `[[services]]`, their ports, checks and limits.

use std::collections::BTreeMap;

use super::read::section;
use super::values::{Autostop, Free, LooseInt, Time};
use super::{Located, OneOrMany};

section! {
    /// `[http_service]`: a TCP service on ports 80 and 443.
    HttpService {
        /// Port on which the app listens.
        internal_port: i64,
        /// Redirect plain HTTP to HTTPS.
        force_https: bool,
        /// What happens to Machines that nobody talks to.
        auto_stop_machines: Autostop,
        /// Start stopped Machines when requests come.
        auto_start_machines: bool,
        /// Machines that autostop leaves running, in the primary region only.
        min_machines_running: i64,
        /// Process groups that serve it.
        processes: Vec<Located<String>>,
        /// Limits per Machine.
        concurrency: Concurrency,
        /// TLS on port 443.
        tls_options: TlsOptions,
        /// HTTP on both ports.
        http_options: HttpOptions,
        /// HTTP checks that gate routing. A bare number in a duration is nanoseconds here.
        checks: Vec<Located<HttpCheck>>,
        /// Throw-away Machines that test a new version.
        machine_checks: Vec<Located<MachineCheck>>,
    }
}

section! {
    /// `[[services]]`.
    Service {
        /// `tcp` or `udp`.
        protocol: String,
        /// Port on which the app listens.
        internal_port: LooseInt,
        /// What happens to Machines that nobody talks to.
        auto_stop_machines: Autostop,
        /// Start stopped Machines when requests come.
        auto_start_machines: bool,
        /// Machines that autostop leaves running, in the primary region only.
        min_machines_running: i64,
        /// Ports on which the proxy listens. Without any the service is not reachable.
        ports: OneOrMany<Port>,
        /// Limits per Machine.
        concurrency: Concurrency,
        /// TCP checks that gate routing.
        tcp_checks: OneOrMany<TcpCheck>,
        /// HTTP checks that gate routing.
        http_checks: OneOrMany<HttpCheck>,
        /// Throw-away Machines that test a new version.
        machine_checks: Vec<Located<MachineCheck>>,
        /// Process groups that serve it.
        processes: Vec<Located<String>>,
    }
}

section! {
    /// `[[services.ports]]`.
    Port {
        /// One port.
        port: LooseInt,
        /// First port of a range.
        start_port: i64,
        /// Last port of a range.
        end_port: i64,
        /// What the proxy does with a connection: `http`, `tls`, `pg_tls`, `proxy_proto`; nothing passes TCP through.
        handlers: Vec<Located<String>>,
        /// Redirect plain HTTP to HTTPS; needs the `http` handler.
        force_https: bool,
        /// TLS.
        tls_options: TlsOptions,
        /// HTTP.
        http_options: HttpOptions,
        /// PROXY protocol.
        proxy_proto_options: ProxyProtoOptions,
    }
}

section! {
    /// `concurrency`: how much the proxy sends to one Machine at once.
    Concurrency {
        /// What is counted: `connections` or `requests`.
        kind as "type": String,
        /// From here on other Machines are preferred.
        soft_limit: i64,
        /// Never more than this.
        hard_limit: i64,
    }
}

section! {
    /// `tls_options`.
    TlsOptions {
        /// Protocols offered by ALPN.
        alpn: Vec<Located<String>>,
        /// TLS versions, e.g. `TLSv1.2`.
        versions: Vec<Located<String>>,
        /// Serve a self-signed certificate when there is no other.
        default_self_signed: bool,
    }
}

section! {
    /// `http_options`.
    HttpOptions {
        /// Compress answers.
        compress: bool,
        /// Speak HTTP/2 to the app without TLS.
        h2_backend: bool,
        /// Seconds without traffic after which a connection is closed.
        idle_timeout: u32,
        /// Seconds that a client has to send its headers.
        headers_read_timeout: u32,
        /// What the proxy adds to answers.
        response: HttpResponse,
        /// Caching of `fly-replay` answers.
        replay_cache: Vec<Located<ReplayCache>>,
    }
}

section! {
    /// `http_options.response`.
    HttpResponse {
        /// Headers to set (a text or a list) or to remove (`false`).
        headers: Free,
        /// Leave out the headers that the proxy adds by itself.
        pristine: bool,
    }
}

section! {
    /// `[[http_options.replay_cache]]`.
    ReplayCache {
        /// Paths that it applies to.
        path_prefix: String,
        /// Seconds that an answer is kept; at least 10.
        ttl_seconds: i64,
        /// `cookie` or `header`.
        kind as "type": String,
        /// Name of the cookie or header.
        name: String,
        /// Let clients skip the cache.
        allow_bypass: bool,
    }
}

section! {
    /// `proxy_proto_options`.
    ProxyProtoOptions {
        /// `v2`; unset is version 1.
        version: String,
    }
}

section! {
    /// `[[services.tcp_checks]]`. Bare numbers are milliseconds.
    TcpCheck {
        /// Time between checks.
        interval: Time,
        /// Time after which one check has failed.
        timeout: Time,
        /// Time after the start of a Machine before the first check.
        grace_period: Time,
    }
}

section! {
    /// `[[services.http_checks]]` and `[[http_service.checks]]`.
    HttpCheck {
        /// Time between checks.
        interval: Time,
        /// Time after which one check has failed.
        timeout: Time,
        /// Time after the start of a Machine before the first check.
        grace_period: Time,
        /// HTTP method.
        method: String,
        /// Path of the request.
        path: String,
        /// `http` or `https`.
        protocol: String,
        /// Accept any certificate.
        tls_skip_verify: bool,
        /// Host name for TLS.
        tls_server_name: String,
        /// Headers of the request.
        headers: BTreeMap<String, Located<String>>,
    }
}

section! {
    /// `machine_checks`: a Machine started for a test during a deploy.
    MachineCheck {
        /// What it runs.
        command: Vec<Located<String>>,
        /// Its image; the app's when unset.
        image: String,
        /// Entrypoint.
        entrypoint: Vec<Located<String>>,
        /// Signal that stops it.
        kill_signal: String,
        /// How long it may take to stop. A bare number is nanoseconds here.
        kill_timeout: Time,
    }
}

section! {
    /// `[checks.NAME]`: a check of the Machine, not of a service. Bare numbers are milliseconds.
    Check {
        /// Port; that of the group's `http_service` when unset.
        port: i64,
        /// `tcp` or `http`.
        kind as "type": String,
        /// Time between checks; at least 2 s.
        interval: Time,
        /// Time after which one check has failed; at most 60 s.
        timeout: Time,
        /// Time after the start of a Machine before the first check.
        grace_period: Time,
        /// HTTP method.
        method: String,
        /// Path of the request.
        path: String,
        /// `http` or `https`.
        protocol: String,
        /// Accept any certificate.
        tls_skip_verify: bool,
        /// Host name for TLS.
        tls_server_name: String,
        /// Headers of the request.
        headers: BTreeMap<String, Located<String>>,
        /// Process groups that it runs in.
        processes: Vec<Located<String>>,
    }
}
