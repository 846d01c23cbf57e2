//! Codes of validation: what `fly config validate` refuses or warns about.

use crate::diag::{Code, Flyctl, Grade, Severity};

const SOURCE: &str = "superfly/flyctl internal/appconfig/validation.go of 2026-08-21";

/// Several ways to build are named.
pub static BUILD_STRATEGIES: Code = Code {
    id: "build-strategies",
    title: "Several ways to build are named",
    severity: Severity::Warning,
    grade: Grade::Semantic,
    flyctl: Flyctl::Warns,
    why: "flyctl uses one of them (an image, then a builder, then a Dockerfile) and only warns about the rest.",
    details: "",
    bad: "[build]\nimage = \"nginx:1.27\"\ndockerfile = \"Dockerfile\"",
    good: "[build]\ndockerfile = \"Dockerfile\"",
    source: SOURCE,
};

/// A compression that does not exist.
pub static COMPRESSION: Code = Code {
    id: "compression",
    title: "A compression that does not exist",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "flyctl refuses the file.",
    details: "",
    bad: "[build]\ncompression = \"brotli\"",
    good: "[build]\ncompression = \"zstd\"",
    source: SOURCE,
};

/// A command cannot be split into words.
pub static COMMAND: Code = Code {
    id: "command-quotes",
    title: "A command cannot be split into words",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "flyctl splits commands as a shell does and refuses the file when that fails.",
    details: "Nothing is expanded: for variables, pipes or && write `sh -c '…'`.",
    bad: "[processes]\nweb = \"echo 'hello\"",
    good: "[processes]\nweb = \"echo 'hello'\"",
    source: SOURCE,
};

/// A deploy strategy that does not exist.
pub static UNKNOWN_STRATEGY: Code = Code {
    id: "unknown-strategy",
    title: "A deploy strategy that does not exist",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "flyctl refuses the file.",
    details: "",
    bad: "[deploy]\nstrategy = \"blue-green\"",
    good: "[deploy]\nstrategy = \"bluegreen\"",
    source: SOURCE,
};

/// Canary deploys with volumes.
pub static CANARY_MOUNTS: Code = Code {
    id: "canary-with-volumes",
    title: "Canary deploys with volumes",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "A canary is an additional Machine, and it would need a volume of its own; flyctl refuses the file, even when another group owns the volume.",
    details: "",
    bad: "[deploy]\nstrategy = \"canary\"\n\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    good: "[deploy]\nstrategy = \"rolling\"\n\n[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    source: SOURCE,
};

/// max_unavailable next to a strategy that does not use it.
pub static MAX_UNAVAILABLE: Code = Code {
    id: "max-unavailable-ignored",
    title: "max_unavailable next to a strategy that does not use it",
    severity: Severity::Warning,
    grade: Grade::Semantic,
    flyctl: Flyctl::Warns,
    why: "Only rolling and canary replace Machines in portions; with the others the number has no effect.",
    details: "",
    bad: "[deploy]\nstrategy = \"bluegreen\"\nmax_unavailable = 1",
    good: "[deploy]\nstrategy = \"rolling\"\nmax_unavailable = 1",
    source: SOURCE,
};

/// A top-level check without a type that exists.
pub static CHECK_TYPE: Code = Code {
    id: "check-type",
    title: "A top-level check without a type that exists",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "flyctl cannot turn the check into one of the platform and refuses the file.",
    details: "Script checks of Apps v1 (`type = \"script\"`, `command`) ended with it.",
    bad: "[checks.health]\nport = 8080\npath = \"/\"",
    good: "[checks.health]\ntype = \"http\"\nport = 8080\npath = \"/\"",
    source: SOURCE,
};

/// A top-level check asks too often.
pub static CHECK_INTERVAL: Code = Code {
    id: "check-interval",
    title: "A top-level check asks too often",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "The platform takes intervals from 2 seconds on.",
    details: "",
    bad: "[checks.health]\ntype = \"tcp\"\nport = 8080\ninterval = \"1s\"",
    good: "[checks.health]\ntype = \"tcp\"\nport = 8080\ninterval = \"15s\"",
    source: SOURCE,
};

/// A top-level check waits too long.
pub static CHECK_TIMEOUT: Code = Code {
    id: "check-timeout",
    title: "A top-level check waits too long",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "The platform takes timeouts up to 60 seconds.",
    details: "",
    bad: "[checks.health]\ntype = \"tcp\"\nport = 8080\ntimeout = \"2m\"",
    good: "[checks.health]\ntype = \"tcp\"\nport = 8080\ntimeout = \"10s\"",
    source: SOURCE,
};

/// A check of a service outside 1 to 60 seconds.
pub static CHECK_CLAMPED: Code = Code {
    id: "check-clamped",
    title: "A check of a service outside 1 to 60 seconds",
    severity: Severity::Warning,
    grade: Grade::Semantic,
    flyctl: Flyctl::Warns,
    why: "The platform moves the value to the nearer limit, so the one in the file is not in force.",
    details: "A grace period of zero is fine. A number without a unit may be nanoseconds: see bare-duration.",
    bad: "[[services]]\ninternal_port = 8080\n\n[[services.ports]]\nport = 80\n\n[[services.tcp_checks]]\ngrace_period = \"10m\"",
    good: "[[services]]\ninternal_port = 8080\n\n[[services.ports]]\nport = 80\n\n[[services.tcp_checks]]\ngrace_period = \"60s\"",
    source: SOURCE,
};

/// A service belongs to no process group.
pub static SERVICE_WITHOUT_PROCESSES: Code = Code {
    id: "service-without-processes",
    title: "A service belongs to no process group",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "As soon as the file names process groups, each service has to name its own, even when there is only one; flyctl refuses the file.",
    details: "",
    bad: "[processes]\nweb = \"npm start\"\n\n[http_service]\ninternal_port = 8080\n",
    good: "[processes]\nweb = \"npm start\"\n\n[http_service]\ninternal_port = 8080\nprocesses = [\"web\"]",
    source: SOURCE,
};

/// A process group that does not exist.
pub static UNKNOWN_PROCESS: Code = Code {
    id: "unknown-process",
    title: "A process group that does not exist",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "flyctl refuses the file. Without [processes] the only group is `app`.",
    details: "",
    bad: "[processes]\nweb = \"npm start\"\n\n[http_service]\ninternal_port = 8080\nprocesses = [\"wbe\"]",
    good: "[processes]\nweb = \"npm start\"\n\n[http_service]\ninternal_port = 8080\nprocesses = [\"web\"]",
    source: SOURCE,
};

/// A service without ports.
pub static SERVICE_WITHOUT_PORTS: Code = Code {
    id: "service-without-ports",
    title: "A service without ports",
    severity: Severity::Warning,
    grade: Grade::Semantic,
    flyctl: Flyctl::Warns,
    why: "The proxy has nothing to listen on: the service is not reachable, and its autostop, autostart and minimum do nothing.",
    details: "flyctl has announced since January 2024 that this becomes an error.",
    bad: "[[services]]\ninternal_port = 8080",
    good: "[[services]]\ninternal_port = 8080\n\n[[services.ports]]\nport = 443\nhandlers = [\"tls\", \"http\"]",
    source: SOURCE,
};

/// The size of a volume cannot be read or is below 1 GB.
pub static VOLUME_SIZE: Code = Code {
    id: "volume-size",
    title: "The size of a volume cannot be read or is below 1 GB",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "Sizes are whole GB, rounded down, suffixes count by 1000; flyctl refuses anything below 1.",
    details: "",
    bad: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = \"900mb\"",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\ninitial_size = \"1gb\"",
    source: SOURCE,
};

/// Snapshots are kept for an impossible time.
pub static SNAPSHOT_RETENTION: Code = Code {
    id: "snapshot-retention",
    title: "Snapshots are kept for an impossible time",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "The platform keeps snapshots for 1 to 60 days.",
    details: "",
    bad: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nsnapshot_retention = 90",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nsnapshot_retention = 30",
    source: SOURCE,
};

/// A volume cannot grow as asked.
pub static AUTO_EXTEND: Code = Code {
    id: "auto-extend",
    title: "A volume cannot grow as asked",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "Growing needs a threshold of 50 to 99 percent and an increment of 1 to 100 GB; a limit, when given, is 1 to 500 GB.",
    details: "",
    bad: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nauto_extend_size_threshold = 80",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nauto_extend_size_threshold = 80\nauto_extend_size_increment = \"1GB\"\nauto_extend_size_limit = \"10GB\"",
    source: SOURCE,
};

/// A restart policy is missing or does not exist.
pub static RESTART_POLICY: Code = Code {
    id: "restart-policy",
    title: "A restart policy is missing or does not exist",
    severity: Severity::Error,
    grade: Grade::Semantic,
    flyctl: Flyctl::Refuses,
    why: "flyctl refuses the file. What the Machines API calls `no` is `never` here.",
    details: "",
    bad: "[[restart]]\npolicy = \"no\"",
    good: "[[restart]]\npolicy = \"never\"",
    source: SOURCE,
};

/// All codes of this module.
pub static ALL: &[&Code] = &[
    &BUILD_STRATEGIES,
    &COMPRESSION,
    &COMMAND,
    &UNKNOWN_STRATEGY,
    &CANARY_MOUNTS,
    &MAX_UNAVAILABLE,
    &CHECK_TYPE,
    &CHECK_INTERVAL,
    &CHECK_TIMEOUT,
    &CHECK_CLAMPED,
    &SERVICE_WITHOUT_PROCESSES,
    &UNKNOWN_PROCESS,
    &SERVICE_WITHOUT_PORTS,
    &VOLUME_SIZE,
    &SNAPSHOT_RETENTION,
    &AUTO_EXTEND,
    &RESTART_POLICY,
];
