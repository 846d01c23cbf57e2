//! `volume check`: why a Machine does not find its volume, and what is about to go wrong with volumes. Only judges what was read.
//!
//! "Volume not found" nearly always means: there is one of that name, but in another region, or a Machine has it already.

mod lookup;
mod rules;

use std::collections::BTreeMap;

use findings::{Confidence, Evidence, Finding, Location, NotJudged, Remedy};
use findings::{Report, Tool};
use fly_types::VolumeId;
use jiff::{SignedDuration, Timestamp};

pub use lookup::Search;
use rules::{
    BACKUP, DEPRECATED, DUPLICATE, FULL, GONE, HOST, MISSING, NOT_MOUNTED, SEARCH, TAKEN,
    UNATTACHED, WRONG_REGION, ZONE,
};
pub use rules::{RULES, catalogue};

use crate::inventory::{Inventory, VolumeInfo};
use crate::regions::Regions;

/// A mount that the app's configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Name of the volume.
    pub name: String,
    /// Where it is to be mounted.
    pub path: String,
}

/// What the app's fly.toml wants, as far as there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The app that the file is for.
    pub app: Option<String>,
    /// Mounts.
    pub mounts: Vec<Wish>,
    /// Where new Machines are made.
    pub primary_region: Option<String>,
}

/// Reads the mounts of a fly.toml.
pub fn wishes(text: &str) -> Wishes {
    let (config, _) = fly_toml::schema::load(&fly_toml::Document::parse(text), &[]);
    let mount = |mount: &fly_toml::schema::Mount| {
        Some(Wish {
            name: mount.source.as_ref()?.value.clone(),
            path: mount.destination.as_ref().map(|path| path.value.clone()).unwrap_or_default(),
        })
    };
    let mounts = config.mounts.iter().flat_map(|list| list.value.iter());
    Wishes {
        app: config.app.as_ref().map(|app| app.value.clone()),
        primary_region: config.primary_region.as_ref().map(|region| region.value.clone()),
        mounts: mounts.filter_map(|one| mount(&one.value)).collect(),
    }
}

/// What a Machine said about one of its mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    /// It is there.
    Mounted,
    /// It is not, and what is there instead.
    Missing(String),
    /// It could not be asked, and why.
    Unknown(String),
}

/// What is looked at.
pub struct Subject<'a> {
    /// The app.
    pub inventory: &'a Inventory,
    /// Hardware group of each volume.
    pub zones: &'a BTreeMap<VolumeId, String>,
    /// Regions that exist.
    pub regions: &'a Regions,
    /// What fly.toml wants; none if there is no file for this app.
    pub wishes: Option<&'a Wishes>,
    /// What Machines said about their mounts, by Machine and path; none if they were not asked.
    pub inside: Option<&'a [(String, Inside)]>,
    /// A volume that somebody looks for.
    pub search: Option<Search<'a>>,
    /// When.
    pub now: Timestamp,
}

/// A volume is nearly full from here on.
const FULL_PERCENT: i64 = 90;
/// Daily snapshots should not be older.
const OLD_HOURS: i64 = 48;

/// Judges the volumes of an app.
pub fn check(subject: &Subject<'_>) -> Report {
    let mut found = Vec::new();
    let mut open = Vec::new();
    match subject.wishes {
        Some(wishes) => wanted(subject, wishes, &mut found, &mut open),
        None => {
            for rule in [&MISSING, &WRONG_REGION, &TAKEN] {
                open.push(rule.not_judged("fly.toml", "no fly.toml was found for this app"));
            }
        }
    }
    machines(subject, &mut found);
    for volume in &subject.inventory.volumes {
        one(subject, volume, &mut found, &mut open);
    }
    together(subject, &mut found);
    if let Some(answers) = subject.inside {
        inside(answers, &mut found, &mut open);
    }
    if let Some(search) = &subject.search {
        lookup::lookup(subject, search, &mut found, &mut open);
    }
    let tool =
        Tool { name: "fly-migrate".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let judged = RULES.iter().filter(|rule| {
        let searched = SEARCH.iter().any(|one| one.id == rule.id);
        (rule.id != NOT_MOUNTED.id || subject.inside.is_some())
            && (!searched || subject.search.is_some())
    });
    Report::new(
        tool,
        format!("volumes of app {}", subject.inventory.app),
        judged.map(|rule| rule.id.to_owned()),
        found,
        open,
    )
}

/// What Machines said from inside.
fn inside(answers: &[(String, Inside)], found: &mut Vec<Finding>, open: &mut Vec<NotJudged>) {
    if answers.is_empty() {
        open.push(
            NOT_MOUNTED.not_judged("exec", "no Machine with a mount runs, so none can be asked"),
        );
    }
    for (place, answer) in answers {
        match answer {
            Inside::Mounted => {}
            Inside::Missing(what) => found.push(with(
                &NOT_MOUNTED,
                what.clone(),
                vec![place.clone()],
                "look at the mounts of the Machine; deploy it anew with [[mounts]]",
                vec![],
            )),
            Inside::Unknown(why) => {
                open.push(NOT_MOUNTED.not_judged("exec", format!("{place}: {why}")));
            }
        }
    }
}

fn with(
    rule: &findings::Rule,
    title: String,
    subjects: Vec<String>,
    text: &str,
    commands: Vec<String>,
) -> Finding {
    let evidence = Evidence {
        source: "Machines API".to_owned(),
        location: Location::Whole,
        excerpt: Some(subjects.join(" ")),
        at: None,
    };
    Finding {
        subjects,
        evidence: vec![evidence],
        remedy: Remedy { text: text.to_owned(), commands, url: None },
        ..rule.finding(Confidence::High, title)
    }
}

/// What fly.toml wants against what there is: the next deploy would say "volume not found", or take the wrong one.
fn wanted(
    subject: &Subject<'_>,
    wishes: &Wishes,
    found: &mut Vec<Finding>,
    open: &mut Vec<NotJudged>,
) {
    let (inventory, app) = (subject.inventory, &subject.inventory.app);
    for wish in &wishes.mounts {
        let named: Vec<&VolumeInfo> =
            inventory.volumes.iter().filter(|one| one.name == wish.name).collect();
        let add = |region: &str| {
            format!("fly-migrate volume add {} --size GB --region {region} -a {app}", wish.name)
        };
        if named.is_empty() {
            let region = wishes.primary_region.as_deref().unwrap_or("REGION");
            let others: Vec<&str> = inventory.volumes.iter().map(|one| one.name.as_str()).collect();
            let text = if others.is_empty() {
                "make it".to_owned()
            } else {
                format!("make it, or correct the name; there are: {}", others.join(" "))
            };
            found.push(with(
                &MISSING,
                format!(
                    "fly.toml of app {app} mounts '{}' at {}, and there is no volume of that name",
                    wish.name, wish.path
                ),
                vec![wish.name.clone()],
                &text,
                vec![add(region)],
            ));
            continue;
        }
        let Some(region) = &wishes.primary_region else {
            open.push(WRONG_REGION.not_judged(
                "fly.toml",
                "it has no primary_region, so the region of new Machines is not known",
            ));
            continue;
        };
        let here: Vec<&&VolumeInfo> =
            named.iter().filter(|one| one.region.as_str() == region).collect();
        if here.is_empty() {
            let places: Vec<String> =
                named.iter().map(|one| format!("{} in {}", one.id, one.region)).collect();
            found.push(with(
                &WRONG_REGION,
                format!("new Machines of app {app} are made in {region}, but '{}' is only there: {}", wish.name, places.join(", ")),
                named.iter().map(|one| one.id.to_string()).collect(),
                "a Machine mounts volumes of its own region and host only: copy the volume there, make a new one, or correct primary_region",
                vec![format!("fly-migrate volume fork {} --region {region} -a {app}", named[0].id), add(region)],
            ));
        } else if here.iter().all(|one| one.attached.is_some())
            && inventory.machines.iter().any(|machine| machine.mounts.is_empty() && machine.managed)
        {
            found.push(with(
                &TAKEN,
                format!("every volume '{}' of app {app} in {region} has its Machine, and there are Machines without", wish.name),
                here.iter().map(|one| one.id.to_string()).collect(),
                "each Machine needs a volume of its own",
                vec![add(region)],
            ));
        }
    }
}

/// What Machines mount against what there is.
fn machines(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let (inventory, app) = (subject.inventory, &subject.inventory.app);
    for machine in &inventory.machines {
        for mount in &machine.mounts {
            match inventory.volume(&mount.volume) {
                None => found.push(with(
                    &GONE,
                    format!("Machine {} of app {app} mounts volume {} at {}, which does not exist", machine.id, mount.volume, mount.path),
                    vec![machine.id.to_string(), mount.volume.to_string()],
                    "it was deleted, or it belongs to another app; for 24 hours Fly.io can bring a deleted one back, and its snapshots live until their retention ends",
                    vec![format!("fly volumes snapshots list {} -a {app}", mount.volume), format!("fly volumes create NAME --snapshot-id SNAPSHOT --region {} -a {app}", machine.region)],
                )),
                Some(volume) if volume.region != machine.region => found.push(with(
                    &WRONG_REGION,
                    format!("Machine {} is in {} and its volume {} in {}", machine.id, machine.region, volume.id, volume.region),
                    vec![machine.id.to_string(), volume.id.to_string()],
                    "neither can be moved: copy the volume into the region of the Machine, and replace the Machine",
                    vec![format!("fly-migrate volume fork {} --region {} -a {app}", volume.id, machine.region)],
                )),
                Some(_) => {}
            }
        }
    }
}

/// What can be said of one volume.
fn one(
    subject: &Subject<'_>,
    volume: &VolumeInfo,
    found: &mut Vec<Finding>,
    open: &mut Vec<NotJudged>,
) {
    let (app, id) = (&subject.inventory.app, &volume.id);
    let at = |text: &str| {
        format!("volume {id} ({}) of app {app} in {} {text}", volume.name, volume.region)
    };
    let own = || vec![id.to_string()];
    if volume.attached.is_none() {
        found.push(with(
            &UNATTACHED,
            at("is attached to no Machine"),
            own(),
            "it costs as much as one in use, and the next scale or deploy that needs this name in this region takes it, with whatever is on it; destroy it if nobody needs its files",
            vec![format!("fly volumes snapshots create {id} -a {app}"), format!("fly volumes destroy {id} -a {app}")],
        ));
    }
    if volume.host_status != "ok" {
        found.push(with(
            &HOST,
            at(&format!("is on a host that is {}", volume.host_status)),
            own(),
            "wait for the host, or restore the last snapshot elsewhere",
            vec![
                format!("fly incidents hosts list -a {app}"),
                format!("fly-migrate volume restore {id} -a {app}"),
            ],
        ));
    }
    if subject.regions.is_deprecated(&volume.region) {
        let near: Vec<String> = subject
            .regions
            .near(&volume.region, &[])
            .iter()
            .take(3)
            .map(ToString::to_string)
            .collect();
        found.push(with(
            &DEPRECATED,
            at("is in a region that is being withdrawn"),
            own(),
            &format!("copy it to a region near it: {}", near.join(" ")),
            vec![format!(
                "fly-migrate volume fork {id} --region {} -a {app}",
                near.first().map_or("REGION", String::as_str)
            )],
        ));
    }
    match volume.used_bytes {
        Some(used) if used >= (volume.size_gb << 30) / 100 * FULL_PERCENT => found.push(with(
            &FULL,
            at(&format!("uses {} of {} MB", used >> 20, volume.size_gb << 10)),
            own(),
            "grow it (there is no way back but `volume shrink`), or delete files",
            vec![format!("fly volumes extend {id} --size {} -a {app}", volume.size_gb * 2)],
        )),
        Some(_) => {}
        None => open.push(FULL.not_judged(
            "volumes",
            format!(
                "the platform does not say how full {id} is (it does so only while it is mounted)"
            ),
        )),
    }
    let age = volume.last_snapshot.map(|at| subject.now.duration_since(at));
    let unread = subject.inventory.unknown.iter().any(|what| what.contains(id.as_str()));
    if unread {
        open.push(
            BACKUP.not_judged("snapshots", format!("the snapshots of {id} could not be read")),
        );
    } else if age.is_none_or(|age| age > SignedDuration::from_hours(OLD_HOURS)) {
        found.push(with(
            &BACKUP,
            at(&age.map_or("has no finished snapshot".to_owned(), |age| format!("was last backed up {} hours ago", age.as_hours()))),
            own(),
            "a volume is one disk of one host and can be lost with it: take a snapshot now, and switch daily ones on",
            vec![format!("fly volumes snapshots create {id} -a {app}"), format!("fly volumes update {id} --scheduled-snapshots=true -a {app}")],
        ));
    }
}

/// What can be said of several.
fn together(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let (inventory, app) = (subject.inventory, &subject.inventory.app);
    let mut groups: BTreeMap<(&str, &str), Vec<&VolumeInfo>> = BTreeMap::new();
    for volume in &inventory.volumes {
        groups.entry((volume.name.as_str(), volume.region.as_str())).or_default().push(volume);
    }
    for ((name, region), volumes) in groups {
        let ids =
            |list: &[&VolumeInfo]| list.iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
        let free: Vec<&VolumeInfo> =
            volumes.iter().copied().filter(|one| one.attached.is_none()).collect();
        if free.len() > 1 {
            found.push(with(
                &DUPLICATE,
                format!("app {app} has {} free volumes '{name}' in {region}", free.len()),
                ids(&free),
                "nobody can say which of them the next deploy takes: look at them, then destroy all but one, or attach by id",
                vec![format!("fly machine clone MACHINE --attach-volume {}:PATH --region {region} -a {app}", free[0].id)],
            ));
        }
        let mut zones: BTreeMap<&str, Vec<&VolumeInfo>> = BTreeMap::new();
        for volume in volumes {
            if let Some(zone) = subject.zones.get(&volume.id).filter(|zone| !zone.is_empty()) {
                zones.entry(zone).or_default().push(volume);
            }
        }
        for (zone, same) in zones.into_iter().filter(|(_, same)| same.len() > 1) {
            found.push(with(
                &ZONE,
                format!("{} volumes '{name}' of app {app} in {region} are in the same zone {zone}", same.len()),
                ids(&same),
                "one broken host can take both copies: make one anew; the platform's default puts it on other hardware",
                vec![format!("fly-migrate volume fork {} -a {app}", same[0].id)],
            ));
        }
    }
}
