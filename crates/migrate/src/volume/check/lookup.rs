//! "volume not found", for a volume that was named: which of the reasons it is.

use findings::{Finding, NotJudged};
use fly_types::state::VolumeState;
use fly_types::wire::Volume;

use super::rules::{DESTROYED, FOUND, NOT_FOUND, OTHER_APP};
use super::{Subject, with};

/// What somebody looks for, and where it was looked for.
pub struct Search<'a> {
    /// An id or a name.
    pub wanted: &'a str,
    /// All volumes of the app, also those on their way out.
    pub app: &'a [Volume],
    /// All volumes of the organization, or why they could not be read.
    pub organization: Result<&'a [Volume], &'a str>,
}

impl Search<'_> {
    fn is(&self, volume: &Volume) -> bool {
        volume.id.as_str() == self.wanted || volume.name.text() == Some(self.wanted)
    }
}

fn is_live(volume: &Volume) -> bool {
    volume.state.get().is_none_or(VolumeState::is_live)
}

fn place(volume: &Volume) -> String {
    let text = |text: Option<&str>| text.unwrap_or("unknown").to_owned();
    format!(
        "{} ({}, in {})",
        volume.id,
        text(volume.name.text()),
        volume.region.get().map_or("unknown", |region| region.as_str())
    )
}

/// Says where the volume is, or was.
pub(super) fn lookup(
    subject: &Subject<'_>,
    search: &Search<'_>,
    found: &mut Vec<Finding>,
    open: &mut Vec<NotJudged>,
) {
    let (app, wanted) = (&subject.inventory.app, search.wanted);
    let here: Vec<&Volume> = search.app.iter().filter(|volume| search.is(volume)).collect();
    for volume in here.iter().filter(|volume| is_live(volume)) {
        found.push(there(subject, volume));
    }
    if here.iter().any(|volume| is_live(volume)) {
        return;
    }
    for volume in &here {
        found.push(destroyed(subject, volume));
    }
    match search.organization {
        Err(why) => open.push(OTHER_APP.not_judged("volumes of the organization", why)),
        Ok(all) => {
            let others = all.iter().filter(|volume| {
                search.is(volume) && is_live(volume) && volume.app_name.get() != Some(app)
            });
            for volume in others {
                let owner = volume.app_name.get().map_or("unknown", |app| app.as_str());
                found.push(with(
                    &OTHER_APP,
                    format!("volume {} belongs to app {owner}, not to {app}", place(volume)),
                    vec![volume.id.to_string()],
                    "only Machines of its own app mount a volume; a snapshot of it can be restored into another app of the organization",
                    vec![
                        format!("fly volumes list -a {owner}"),
                        format!("fly volumes snapshots create {} -a {owner}", volume.id),
                        format!("fly volumes create NAME --snapshot-id SNAPSHOT --region REGION -a {app}"),
                    ],
                ));
            }
        }
    }
    if found.iter().any(|one| one.rule == DESTROYED.id || one.rule == OTHER_APP.id) {
        return;
    }
    let all: Vec<String> = search.app.iter().filter(|volume| is_live(volume)).map(place).collect();
    let text = if all.is_empty() {
        format!(
            "app {app} has no volume at all: is it another app, or another organization's token?"
        )
    } else {
        format!("is it misspelt? app {app} has: {}", all.join(", "))
    };
    found.push(with(
        &NOT_FOUND,
        format!(
            "app {app} has no volume '{wanted}', and none that was destroyed in the last 24 hours"
        ),
        vec![wanted.to_owned()],
        &text,
        vec![
            format!("fly volumes list -a {app} --all"),
            format!("fly volumes snapshots list {wanted} -a {app}"),
        ],
    ));
}

fn there(subject: &Subject<'_>, volume: &Volume) -> Finding {
    let app = &subject.inventory.app;
    let region = volume.region.get().map_or("REGION", |region| region.as_str());
    let (use_of_it, commands) = match volume.attached_machine_id.get() {
        Some(machine) => (
            format!("and Machine {machine} has it: another Machine needs a volume of its own"),
            vec![format!("fly-migrate volume fork {} --region {region} -a {app}", volume.id)],
        ),
        None => (
            format!("and is free: a new Machine in {region}, and nowhere else, can have it"),
            vec![format!(
                "fly machine clone MACHINE --attach-volume {}:PATH --region {region} -a {app}",
                volume.id
            )],
        ),
    };
    with(
        &FOUND,
        format!("volume {} of app {app} exists {use_of_it}", place(volume)),
        vec![volume.id.to_string()],
        &format!("look whether the Machine that does not find it is of app {app} and in {region}"),
        commands,
    )
}

fn destroyed(subject: &Subject<'_>, volume: &Volume) -> Finding {
    let app = &subject.inventory.app;
    let region = volume.region.get().map_or("REGION", |region| region.as_str());
    let name = volume.name.text().unwrap_or("NAME");
    let state = volume.state.get().map_or("unknown", VolumeState::as_str);
    with(
        &DESTROYED,
        format!("volume {} of app {app} was destroyed: it is {state}", place(volume)),
        vec![volume.id.to_string()],
        "for 24 hours Fly.io's support can bring it back: write at once, with its id; its snapshots can be restored until their retention ends",
        vec![
            format!("fly volumes snapshots list {} -a {app}", volume.id),
            format!(
                "fly-migrate volume restore {} --name {name} --region {region} -a {app}",
                volume.id
            ),
        ],
    )
}
