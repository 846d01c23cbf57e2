//! `fly doctor --json`: answers by check.
//!
//! It ends with status 0 whatever they are, asks nothing after the first bad one (but a missing local Docker does not
//! count as bad), and ends with status 1 *after* printing its answers when it cannot find the app. So only the answers
//! count. Source: superfly/flyctl `internal/command/doctor/doctor.go`, `app_checks.go`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The checks in the order in which flyctl makes them. The three from `appHasIps` on are only made for an app, and the last
/// two only for an app with addresses of that kind.
pub const DOCTOR_ORDER: [&str; 9] = [
    "auth",
    "agent",
    "docker",
    "ping",
    "wgdns",
    "wgflaps",
    "appHasIps",
    "appARecord",
    "appAAAARecord",
];

/// A check whose failure flyctl shrugs at.
const ADVISORY: &str = "docker";

/// One check and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorCheck {
    /// flyctl's name for it.
    pub name: String,
    /// Whether the answer is flyctl's word for "passed".
    pub passed: bool,
    /// The answer as flyctl gave it: `ok` or an error.
    pub answer: String,
}

/// What doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doctor {
    /// Answered checks, in flyctl's order; checks it did not use to make come last.
    pub checks: Vec<DoctorCheck>,
    /// Checks that flyctl did not get to. Nothing is known about these.
    pub not_reached: Vec<String>,
}

impl Doctor {
    pub(super) fn from_answers(answers: BTreeMap<String, String>, for_app: bool) -> Self {
        let rank = |name: &str| DOCTOR_ORDER.iter().position(|known| *known == name);
        let expected = if for_app { &DOCTOR_ORDER[..] } else { &DOCTOR_ORDER[..6] };
        let not_reached = expected
            .iter()
            .filter(|name| !answers.contains_key(**name))
            .map(|name| (*name).to_owned())
            .collect();
        let mut checks: Vec<_> = answers
            .into_iter()
            .map(|(name, answer)| DoctorCheck { passed: answer == "ok", name, answer })
            .collect();
        checks.sort_by_key(|check| rank(&check.name).unwrap_or(DOCTOR_ORDER.len()));
        Self { checks, not_reached }
    }

    /// Whether every check was made and passed, local Docker aside, which flyctl can do without.
    pub fn passed(&self) -> bool {
        let reached = self.not_reached.iter().all(|name| name == ADVISORY);
        reached && self.first_failure().is_none()
    }

    /// The first check that failed, after which flyctl asked nothing more about itself.
    pub fn first_failure(&self) -> Option<&DoctorCheck> {
        self.checks.iter().find(|check| !check.passed && check.name != ADVISORY)
    }
}
