//! Codes of conversion: what validation lets pass although no machine config can be made of it.

use crate::diag::{Code, Flyctl, Grade, Severity};

const SOURCE: &str = "superfly/flyctl internal/appconfig/machines.go of 2026-08-21: validation means to try the conversion but tests the wrong variable";

/// A machine size that does not exist.
pub static VM_SIZE: Code = Code {
    id: "vm-size",
    title: "A machine size that does not exist",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Validation passes, the deploy fails: there is no such preset.",
    details: "",
    bad: "[[vm]]\nsize = \"shared-cpu-3x\"",
    good: "[[vm]]\nsize = \"shared-cpu-4x\"",
    source: SOURCE,
};

/// An amount of memory that cannot be read.
pub static VM_MEMORY: Code = Code {
    id: "vm-memory-unreadable",
    title: "An amount of memory that cannot be read",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Validation passes, the deploy fails. Digits alone are MB; anything else needs a suffix: `1.5` means one and a half bytes.",
    details: "",
    bad: "[[vm]]\nmemory = 1.5",
    good: "[[vm]]\nmemory = \"1536mb\"",
    source: SOURCE,
};

/// A top-level check has no port.
pub static CHECK_PORT: Code = Code {
    id: "check-port",
    title: "A top-level check has no port",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Validation passes, the deploy fails: a check without a port takes that of the group's http_service, and the group has none.",
    details: "",
    bad: "[checks.health]\ntype = \"tcp\"",
    good: "[checks.health]\ntype = \"tcp\"\nport = 8080",
    source: SOURCE,
};

/// machine_config is neither JSON nor a .json file.
pub static MACHINE_CONFIG: Code = Code {
    id: "machine-config",
    title: "machine_config is neither JSON nor a .json file",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Validation passes, the deploy fails.",
    details: "",
    bad: "machine_config = \"guest: {}\"",
    good: "machine_config = \"{ \\\"guest\\\": {} }\"",
    source: SOURCE,
};

/// A container cannot be chosen.
pub static CONTAINER: Code = Code {
    id: "container",
    title: "A container cannot be chosen",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Validation passes, the deploy fails: the built image goes into the container that `container` names (`app`, or else the first, when unset), and each other container has to name its image.",
    details: "",
    bad: "container = \"web\"\nmachine_config = '{\"containers\": [{\"name\": \"app\"}]}'",
    good: "container = \"app\"\nmachine_config = '{\"containers\": [{\"name\": \"app\"}]}'",
    source: SOURCE,
};

/// All codes of this module.
pub static ALL: &[&Code] = &[&VM_SIZE, &VM_MEMORY, &CHECK_PORT, &MACHINE_CONFIG, &CONTAINER];
