//! The rules of `volume check`.

use findings::Catalogue;
use findings::{Rule, Severity};

const BASIS: &str = "Fly.io documentation: volumes/overview, machines/api/volumes-resource; Machines API reference, section 7";

const fn rule(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    explanation: &'static str,
) -> Rule {
    Rule { id, title, severity, tags: &["volumes"], aliases: &[], explanation, basis: BASIS }
}

pub(super) const MISSING: Rule = rule(
    "volume.missing",
    "fly.toml mounts a volume that does not exist",
    Severity::Error,
    "a deploy that has to make a Machine stops: there is no volume of that name to mount",
);
pub(super) const WRONG_REGION: Rule = rule(
    "volume.wrong-region",
    "the volume is in another region than its Machine",
    Severity::Error,
    "the usual cause of \"volume not found\": a volume is a piece of one disk of one host, and only Machines of that region, on that host, can mount it",
);
pub(super) const TAKEN: Rule = rule(
    "volume.taken",
    "no volume is free for a Machine without one",
    Severity::Warning,
    "a volume belongs to one Machine at a time; the second Machine of a group needs a second volume of the same name",
);
pub(super) const GONE: Rule = rule(
    "volume.gone",
    "a Machine mounts a volume that does not exist",
    Severity::Critical,
    "the Machine cannot start again once it stops, and its files are where snapshots are",
);
pub(super) const UNATTACHED: Rule = rule(
    "volume.unattached",
    "a volume is attached to no Machine",
    Severity::Warning,
    "it is billed, and `fly scale count` and `fly deploy` take free volumes of the right name before they make new ones: old files come back to life",
);
pub(super) const DUPLICATE: Rule = rule(
    "volume.duplicate-name",
    "several free volumes of one name in one region",
    Severity::Warning,
    "names of volumes are not unique; which of them a deploy takes is not defined",
);
pub(super) const ZONE: Rule = rule(
    "volume.same-zone",
    "copies of the same data share hardware",
    Severity::Warning,
    "volumes of one name are meant for redundancy; in one zone they fail together",
);
pub(super) const HOST: Rule = rule(
    "volume.host",
    "the host of a volume cannot be reached",
    Severity::Critical,
    "a volume lives on one host only; while that is away the volume can be neither mounted nor forked",
);
pub(super) const DEPRECATED: Rule = rule(
    "volume.deprecated-region",
    "a volume is in a region that is being withdrawn",
    Severity::Error,
    "nothing new can be made there: a lost Machine or host cannot be replaced",
);
pub(super) const FULL: Rule = rule(
    "volume.full",
    "a volume is nearly full",
    Severity::Error,
    "apps and databases stop or break when they cannot write",
);
pub(super) const BACKUP: Rule = rule(
    "volume.backup",
    "a volume has no young snapshot",
    Severity::Warning,
    "snapshots are taken daily by default and kept for five days; without one a lost host is lost data",
);
pub(super) const NOT_MOUNTED: Rule = rule(
    "volume.not-mounted",
    "the mount is not there inside the Machine",
    Severity::Critical,
    "what the app writes goes to the root file system, which is empty again after each restart",
);

pub(super) const FOUND: Rule = rule(
    "volume.found",
    "the volume that was asked for exists",
    Severity::Info,
    "a Machine that does not find it is in another region, of another app, or wants one that is taken",
);
pub(super) const DESTROYED: Rule = rule(
    "volume.destroyed",
    "the volume that was asked for was destroyed lately",
    Severity::Critical,
    "it is still listed for 24 hours, in which it can be brought back by Fly.io only",
);
pub(super) const OTHER_APP: Rule = rule(
    "volume.other-app",
    "the volume that was asked for belongs to another app",
    Severity::Error,
    "a volume belongs to one app for good",
);
pub(super) const NOT_FOUND: Rule = rule(
    "volume.not-found",
    "there is no such volume",
    Severity::Error,
    "neither the app nor, as far as it could be read, the organization has it",
);

/// Judged only when a volume was named.
pub(super) const SEARCH: [Rule; 4] = [FOUND, DESTROYED, OTHER_APP, NOT_FOUND];

/// All of them.
pub const RULES: [Rule; 16] = [
    MISSING,
    WRONG_REGION,
    TAKEN,
    GONE,
    UNATTACHED,
    DUPLICATE,
    ZONE,
    HOST,
    DEPRECATED,
    FULL,
    BACKUP,
    NOT_MOUNTED,
    FOUND,
    DESTROYED,
    OTHER_APP,
    NOT_FOUND,
];

/// The catalogue of `volume check`.
pub fn catalogue() -> Catalogue {
    Catalogue::new(RULES)
}
