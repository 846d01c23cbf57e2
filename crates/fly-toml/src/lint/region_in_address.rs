//! A region inside an internal address.

use fly_types::region;

use super::common::texts;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "region-in-address",
    title: "An internal address that names a region",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "REGION.APP.internal answers with the Machines of that region only: when the database moves, or the region is withdrawn, the name resolves to nothing.",
    details: "APP.internal answers with all Machines, top1.nearest.of.APP.internal with the nearest. Where the region matters, build the name from FLY_REGION or PRIMARY_REGION in the program.",
    bad: "[env]\nDATABASE_HOST = \"fra.shop-db.internal\"",
    good: "[env]\nDATABASE_HOST = \"shop-db.internal\"",
    source: "Fly.io documentation, networking/private-networking",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for text in texts(input.config) {
        let hosts = text.value.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)));
        let found = hosts.filter(|host| host.ends_with(".internal")).find_map(|host| {
            let (first, rest) = host.split_once('.')?;
            rest.split_once('.').filter(|(_, last)| *last == "internal")?;
            region::find(first).map(|region| (first, region))
        });
        let Some((code, region)) = found else { continue };
        let mut diagnostic =
            Diagnostic::new(&CODE, format!("`{}` reaches Machines in {code} only", text.name));
        let mut words = "resolves to nothing once they are elsewhere".to_owned();
        if region.deprecated.is_some() {
            diagnostic = diagnostic.severity(Severity::Warning);
            words = format!("{code} was withdrawn");
        }
        out.push(diagnostic.at(text.span, words));
    }
}
