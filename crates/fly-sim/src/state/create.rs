//! Making Machines, apps and volumes.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::lifecycle::Platform;
use super::logs::LogBook;
use super::machine::{Machine, Pending};
use super::refusal::Refusal;
use super::{App, State, Volume};

/// Region aliases and what they stand for here.
const ALIASES: [(&str, &str); 7] = [
    ("any", "fra"),
    ("apac", "sin"),
    ("eu", "fra"),
    ("na", "iad"),
    ("sa", "gru"),
    ("us", "iad"),
    ("usa", "iad"),
];

/// What a create call asks for.
pub(crate) struct NewMachine {
    pub(crate) name: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) config: Map<String, Value>,
    pub(crate) skip_launch: bool,
    pub(crate) cordoned: bool,
}

impl State {
    /// The first of a comma list of codes and aliases that exists and has room, else the first that exists.
    fn machine_region(&self, text: &str) -> Result<String, Refusal> {
        let known: Vec<String> =
            text.split(',').filter_map(|code| resolve_region(code).ok()).collect();
        let room = known.iter().find(|code| self.rooms.has_machine_room(code));
        match room.or(known.first()) {
            Some(code) => Ok(code.clone()),
            None => resolve_region(text),
        }
    }

    /// The parts of the platform that transitions need, apart from the apps.
    pub(crate) fn parts(&mut self) -> (Platform<'_>, &mut std::collections::BTreeMap<String, App>) {
        let platform = Platform {
            ids: &mut self.ids,
            now: self.now,
            settings: &self.settings,
            behaviors: &self.behaviors,
        };
        (platform, &mut self.apps)
    }

    pub(crate) fn create_machine(&mut self, app: &str, new: NewMachine) -> Result<String, Refusal> {
        let region = self.machine_region(new.region.as_deref().unwrap_or("any"))?;
        let memory = new.config.get("guest").and_then(|guest| guest["memory_mb"].as_i64());
        if let Some(app) = self.apps.get(app) {
            self.check_quota(app, &region, memory.unwrap_or(256))?;
            volumes_have_room(app, &new.config)?;
        }
        let rooms_before = self.rooms.clone();
        self.rooms.take_machine(&region)?;
        self.make_machine(app, region, new).inspect_err(|_| self.rooms = rooms_before)
    }

    fn make_machine(
        &mut self,
        app: &str,
        region: String,
        new: NewMachine,
    ) -> Result<String, Refusal> {
        let (mut platform, apps) = self.parts();
        let app = apps.get_mut(app).ok_or_else(|| Refusal::not_found("app not found"))?;
        let name = new.name.filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| platform.ids.machine_name());
        if let Some(other) = app.machines.iter().find(|m| m.name == name && !m.is_gone()) {
            return Err(Refusal::exists(format!(
                "unique machine name violation, machine ID {} already exists with name \"{name}\"",
                other.id
            )));
        }
        let id = platform.ids.machine();
        let config = claim_volumes(app, &id, &region, new.config)?;
        let now = platform.now;
        let launch = platform.event(now, "launch", "created", "user", None);
        let mut machine = Machine {
            name,
            state: "created".to_owned(),
            region,
            instance_id: platform.ids.ulid(now),
            private_ip: platform.ids.private_ip(),
            created_at: now,
            updated_at: now,
            config,
            labels: std::collections::BTreeMap::new(),
            events: vec![launch],
            checks: Vec::new(),
            host_status: "ok".to_owned(),
            cordoned: new.cordoned,
            host_full: false,
            processes: Vec::new(),
            lease: None,
            versions: Vec::new(),
            pending: Vec::new(),
            memory_limit_mb: None,
            execs: Vec::new(),
            schedule_from: now,
            scratch: super::volume::Files::new(),
            id: id.clone(),
        };
        let prepared = now.saturating_add(platform.settings.create_delay).unwrap_or(now);
        if platform.unpullable(machine.image()) {
            machine.fail_to_pull(&mut platform, prepared);
        } else if new.skip_launch {
            machine.pending.push(Pending::to(prepared, "stopped"));
        } else {
            machine.pending.push(Pending::to(prepared, "starting"));
            let at = prepared.saturating_add(platform.settings.start_delay).unwrap_or(prepared);
            machine.boot(&mut platform, at);
        }
        app.machines.push(machine);
        if app.status == "pending" {
            "deployed".clone_into(&mut app.status);
        }
        Ok(id)
    }

    pub(crate) fn create_app(
        &mut self,
        name: Option<&str>,
        org: &str,
        network: Option<&str>,
        role: Option<&str>,
    ) -> Result<&App, Refusal> {
        let Some(org) = self.org(org).map(|org| org.slug.clone()) else {
            return Err(Refusal::not_found("organization not found"));
        };
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.ids.machine_name(),
        };
        if name.parse::<fly_types::AppName>().is_err() {
            return Err(Refusal::unprocessable(
                "Validation failed: Name under 63 chars using numbers, lowercase letters and dashes",
            ));
        }
        if self.apps.contains_key(&name) {
            let mut refusal =
                Refusal::unprocessable("Validation failed: Name has already been taken");
            refusal.word = Some("name_taken");
            return Err(refusal);
        }
        let app = App {
            id: self.ids.opaque(),
            numeric_id: i64::try_from(self.ids.number() % 9_000_000).unwrap_or(0) + 1_000_000,
            name: name.clone(),
            org,
            status: "pending".to_owned(),
            network: network.filter(|n| !n.is_empty()).unwrap_or("default").to_owned(),
            role: role.filter(|role| !role.is_empty()).map(str::to_owned),
            machines: Vec::new(),
            volumes: Vec::new(),
            releases: Vec::new(),
            ips: Vec::new(),
            certificates: Vec::new(),
            secrets: Vec::new(),
            secrets_version: 0,
            secret_keys: Vec::new(),
            host_issues: Vec::new(),
            logs: LogBook::default(),
            metrics: Vec::new(),
            edge: Vec::new(),
            litefs: None,
        };
        Ok(self.apps.entry(name).or_insert(app))
    }

    /// A volume; `path` are the states it goes through, with the time until each.
    pub(crate) fn create_volume(
        &mut self,
        app: &str,
        mut volume: Volume,
        path: &[(&str, SignedDuration)],
        spread: Spread,
    ) -> Result<String, Refusal> {
        if ALIASES.iter().any(|(alias, _)| *alias == volume.region) {
            return Err(Refusal::invalid(format!("invalid region '{}'", volume.region)));
        }
        volume.region = resolve_region(&volume.region)?;
        if !(1..=500).contains(&volume.size_gb) {
            return Err(Refusal::invalid("size_gb must be between 1 and 500"));
        }
        volume.zone = self.volume_zone(app, &volume, spread)?;
        self.rooms.take_volume(&volume.region)?;
        let mut at = self.now;
        for (state, takes) in path {
            at = at.saturating_add(*takes).unwrap_or(at);
            volume.pending.push((at, (*state).to_owned()));
        }
        volume.id = self.ids.volume();
        let id = volume.id.clone();
        let app = self.apps.get_mut(app).ok_or_else(|| Refusal::not_found("app not found"))?;
        app.volumes.push(volume);
        Ok(id)
    }

    /// The hardware group of a new volume.
    fn volume_zone(&mut self, app: &str, new: &Volume, spread: Spread) -> Result<String, Refusal> {
        let start = self.ids.number();
        let app = self.apps.get(app).ok_or_else(|| Refusal::not_found("app not found"))?;
        let others = app.volumes.iter().filter(|volume| {
            volume.region == new.region
                && volume.is_live()
                && match spread {
                    Spread::Anywhere => false,
                    Spread::ByName => volume.name == new.name,
                    Spread::ByApp => true,
                }
        });
        let taken: Vec<&str> = others.map(|volume| volume.zone.as_str()).collect();
        self.rooms.zone(&new.region, &taken, start).ok_or_else(|| Refusal::plain("no capacity"))
    }
}

/// Which volumes must stand on other hardware than a new one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spread {
    Anywhere,
    /// Those of the same name (`require_unique_zone`).
    ByName,
    /// All of the app (`unique_zone_app_wide`).
    ByApp,
}

/// A Machine must fit where its volume is.
fn volumes_have_room(app: &App, config: &Map<String, Value>) -> Result<(), Refusal> {
    let mounts = config.get("mounts").and_then(Value::as_array);
    for mount in mounts.into_iter().flatten() {
        let wanted = mount["volume"].as_str().unwrap_or_default();
        let full = app.volumes.iter().find(|v| v.id == wanted && v.host_full);
        if let Some(volume) = full {
            return Err(Refusal {
                word: Some("volume_placement_capacity"),
                ..Refusal::bare_precondition(format!(
                    "insufficient resources to create new machine with existing volume (id) '{}'",
                    volume.id
                ))
            });
        }
    }
    Ok(())
}

/// The first of a comma list of codes and aliases that exists now.
fn resolve_region(text: &str) -> Result<String, Refusal> {
    for code in text.split(',').map(str::trim) {
        if let Some((_, stands_for)) = ALIASES.iter().find(|(alias, _)| *alias == code) {
            return Ok((*stands_for).to_owned());
        }
        if let Some(region) = fly_types::region::find(code) {
            match region.deprecated {
                None => return Ok(code.to_owned()),
                Some(deprecation) => {
                    return Err(Refusal::unprocessable(format!(
                        "Region {code} is deprecated and cannot have new resources provisioned. \
                         Please consider using an alternate region such as {}",
                        deprecation.suggested
                    )));
                }
            }
        }
    }
    Err(Refusal::invalid(format!("unknown region '{text}'")))
}

/// Binds the volumes that the configuration mounts; a mount by name takes a free one.
pub(crate) fn claim_volumes(
    app: &mut App,
    machine: &str,
    region: &str,
    mut config: Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    let mut claimed = Vec::new();
    if let Some(Value::Array(mounts)) = config.get_mut("mounts") {
        for mount in mounts {
            let wanted = mount["volume"].as_str().unwrap_or_default().to_owned();
            let place = app.volumes.iter().position(|volume| {
                volume.id == wanted
                    || (volume.name == wanted
                        && volume.attached.is_none()
                        && volume.is_live()
                        && volume.region == region)
            });
            let Some(place) = place else {
                return Err(Refusal::not_found(format!("volume {wanted} not found")));
            };
            let volume = &app.volumes[place];
            match &volume.attached {
                Some(owner) if owner != machine => {
                    return Err(Refusal::precondition(format!(
                        "volume already claimed by machine {owner}"
                    )));
                }
                _ if !volume.is_live() => {
                    return Err(Refusal::precondition(format!(
                        "volume {} is not mountable in state {}",
                        volume.id, volume.state
                    )));
                }
                _ if volume.host_status != "ok" => {
                    return Err(Refusal::precondition(format!(
                        "the host of volume {} is {}",
                        volume.id, volume.host_status
                    )));
                }
                _ if volume.region != region => {
                    return Err(Refusal::invalid(format!(
                        "volume {} is in region {}, not {region}",
                        volume.id, volume.region
                    )));
                }
                _ => {}
            }
            mount["volume"] = json!(volume.id);
            mount["name"] = json!(volume.name);
            mount["size_gb"] = json!(volume.size_gb);
            mount["encrypted"] = json!(volume.encrypted);
            claimed.push(place);
        }
    }
    for volume in &mut app.volumes {
        if volume.attached.as_deref() == Some(machine) {
            volume.attached = None;
        }
    }
    for place in claimed {
        app.volumes[place].attached = Some(machine.to_owned());
    }
    Ok(config)
}
