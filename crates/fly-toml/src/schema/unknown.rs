//! Keys that real files hold although flyctl ignores them, and what to do instead.

use super::codes;
use crate::diag::Code;

/// What is known about an ignored key.
pub(super) struct Known {
    /// The code it is reported under.
    pub(super) code: &'static Code,
    /// What to do instead.
    pub(super) advice: &'static str,
    /// The key that it stands for, in the same table.
    pub(super) rename: Option<&'static str>,
}

const fn dead(advice: &'static str) -> Known {
    Known { code: &codes::V1_KEY, advice, rename: None }
}

const fn elsewhere(advice: &'static str) -> Known {
    Known { code: &codes::UNKNOWN_KEY, advice, rename: None }
}

const fn misspelt(meant: &'static str) -> Known {
    Known {
        code: &codes::UNKNOWN_KEY,
        advice: "The name is close to a key that exists, but flyctl does not guess.",
        rename: Some(meant),
    }
}

/// Looks up an ignored key by the section it stands in (without positions) and its name.
pub(super) fn known(section: &str, key: &str) -> Option<Known> {
    let service = matches!(section, "services" | "http_service");
    let check = matches!(
        section,
        "services.tcp_checks" | "services.http_checks" | "http_service.checks" | "checks.*"
    );
    Some(match (section, key) {
        (_, "restart_limit") if check || section.is_empty() => dead(
            "Failing checks have restarted nothing since Apps v2. Delete the key; use a restart policy for processes that exit.",
        ),
        (_, "script_checks") if service || section.is_empty() => dead(
            "Script checks ended with Apps v1. Delete the key; an http or tcp check, or a machine check, takes its place.",
        ),
        ("checks.*", "command" | "args") => {
            dead("Script checks ended with Apps v1. Rewrite it as an http or tcp check.")
        }
        ("services.tcp_checks" | "services.http_checks", "port") => dead(
            "Checks of a service use its internal_port. For another port write a top-level [checks.NAME].",
        ),
        ("experimental", "allowed_public_ports" | "private_network" | "enable_6pn") => {
            dead("It ended with Apps v1; private networking is always on. Delete the key.")
        }
        ("experimental", "container") => elsewhere("`container` belongs at the top level."),
        (_, "auto_machine_stop" | "autostop") if service => misspelt("auto_stop_machines"),
        (_, "auto_machine_start" | "autostart") if service => misspelt("auto_start_machines"),
        (_, "min_machine_running") if service => misspelt("min_machines_running"),
        ("services", "checks" | "health_checks" | "healthcheck") => misspelt("http_checks"),
        ("http_service", "http_checks" | "health_checks" | "healthcheck") => misspelt("checks"),
        ("http_service", "tcp_checks") => elsewhere(
            "http_service has no TCP checks. Use [[http_service.checks]], or write the service as [[services]].",
        ),
        ("http_service", "ports" | "protocol") => elsewhere(
            "http_service always listens on 80 and 443. For other ports write the service as [[services]].",
        ),
        ("http_service", "tls") => misspelt("tls_options"),
        ("http_service", "idle_timeout") => elsewhere("It belongs in [http_service.http_options]."),
        ("http_service.http_options" | "services.ports.http_options", "headers") => {
            elsewhere("Response headers belong in http_options.response.headers.")
        }
        (_, "max_machines_running") if service => {
            elsewhere("The file cannot limit the number of Machines: use `fly scale count`.")
        }
        ("services", "sticky_sessions") => elsewhere(
            "There are no sticky sessions: answer with a fly-replay header, or use http_options.replay_cache.",
        ),
        ("services.ports", "protocol") => elsewhere("The protocol belongs to the service."),
        ("vm", "count") | ("", "scale" | "regions" | "max_per_region") => elsewhere(
            "The number and regions of Machines are not in the file: use `fly scale count` and its --region.",
        ),
        ("vm", "swap_size_mb" | "kill_timeout" | "kill_signal" | "mounts") => {
            elsewhere("It belongs at the top level of the file.")
        }
        ("vm" | "", "auto_stop_machines" | "auto_start_machines" | "min_machines_running") => {
            elsewhere("It belongs in [http_service] or [[services]].")
        }
        ("restart", "max_retries" | "max_restarts") => misspelt("retries"),
        ("", "tcp_services" | "service") => elsewhere("Services are written [[services]]."),
        ("", "http") => misspelt("http_service"),
        ("", "app_name" | "name") => misspelt("app"),
        ("", "secrets") => elsewhere("Secrets are never in the file: use `fly secrets set`."),
        ("build", "build_args" | "build_arg") => misspelt("args"),
        ("mounts", "encrypted") => elsewhere("Volumes are encrypted unless created otherwise."),
        ("statics", "processes") => elsewhere("Statics reach every group."),
        ("deploy", "max-per-region" | "processes") => {
            elsewhere("flyctl takes this as a flag of `fly deploy`, not from the file.")
        }
        _ => return None,
    })
}
