//! Few or no snapshots.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "snapshots",
    title: "Snapshots are off or kept briefly",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Snapshots are the only copy of a volume that the platform makes: one a day, kept for five days unless told otherwise.",
    details: "Both keys count when a volume is made; for an existing one use `fly volumes update`.",
    bad: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nscheduled_snapshots = false",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"\nsnapshot_retention = 14",
    source: "Fly.io documentation, volumes/snapshots",
};

const USUAL_DAYS: i64 = 5;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for mount in input.config.mounts.iter().flat_map(|list| list.iter()) {
        if let Some(off) = mount.scheduled_snapshots.as_ref().filter(|on| !on.value) {
            out.push(
                Diagnostic::new(&CODE, "no snapshots are taken")
                    .at(off.span, "nothing to restore from"),
            );
        }
        if let Some(days) =
            mount.snapshot_retention.as_ref().filter(|days| (1..USUAL_DAYS).contains(&days.value))
        {
            let message = format!("snapshots are kept for {} days", days.value);
            out.push(Diagnostic::new(&CODE, message).at(days.span, "below the usual 5"));
        }
    }
}
