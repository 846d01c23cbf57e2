//! What is around an app and does not move with it: the organization's standing, Managed Postgres, Redis, buckets, and the databases that
//! its variables name. Read from interfaces that may be closed to a token: what cannot be read is unknown, and said.

use std::collections::{BTreeMap, BTreeSet};

use fly_api::{Client, MachineFilter};
use fly_types::wire::{AddOnNode, ManagedPostgres};
use fly_types::{AppName, OrgSlug, RegionCode};
use serde::{Deserialize, Serialize};

use super::Inventory;
use super::room::{needs, short};
use crate::regions::Regions;

/// Apps that variables name are looked up, up to so many.
const MOST_NEIGHBOURS: usize = 8;

/// Whether an organization may create Machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It pays.
    Pays,
    /// It does not, or not now: the platform's word.
    Limited(String),
    /// It could not be read.
    Unknown(String),
}

/// What a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Managed Postgres.
    ManagedPostgres,
    /// Upstash Redis.
    Redis,
    /// A Tigris bucket.
    Tigris,
    /// Another extension.
    Other,
}

/// A service that the app uses and that does not move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// What.
    pub kind: ServiceKind,
    /// Id, or name where there is no id that commands take.
    pub id: String,
    /// Name.
    pub name: String,
    /// Where it writes.
    pub region: Option<String>,
    /// How it is known that the app uses it.
    pub seen: String,
}

/// An app that variables of this app name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its name.
    pub app: String,
    /// Where it has Machines.
    pub regions: BTreeSet<RegionCode>,
    /// Whether it is a database.
    pub database: bool,
}

/// The target has too little room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoRoom {
    /// What fits.
    pub what: String,
    /// Regions with room, the nearest first.
    pub instead: Vec<RegionCode>,
}

/// What was found. Empty if nobody looked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// The organization's standing.
    pub standing: Option<Standing>,
    /// Services of the app.
    pub services: Vec<Service>,
    /// Apps that its variables name.
    pub neighbours: Vec<Neighbour>,
    /// Whether the target is full.
    pub no_room: Option<NoRoom>,
    /// What could not be read, and why.
    pub unknown: Vec<String>,
}

/// What is the same for all apps of an organization.
#[derive(Debug, Clone, Default)]
pub struct OrgAround {
    standing: Option<Standing>,
    add_ons: Vec<AddOnNode>,
    clusters: Vec<ManagedPostgres>,
    unknown: Vec<String>,
}

impl OrgAround {
    /// Three requests, whatever the number of apps.
    pub async fn read(client: &Client, org: &OrgSlug) -> Self {
        let (standing, add_ons, clusters) = tokio::join!(
            client.graphql_standing(org),
            client.graphql_add_ons(org),
            client.managed_postgres(org),
        );
        let standing = match standing {
            Ok(node) => {
                let word = node.value.billing_status.text().unwrap_or_default().to_uppercase();
                match word.as_str() {
                    "CURRENT" => Standing::Pays,
                    "" => Standing::Unknown("the answer does not say".to_owned()),
                    _ => Standing::Limited(word),
                }
            }
            Err(error) => Standing::Unknown(error.to_string()),
        };
        let mut found = Self { standing: Some(standing), ..Self::default() };
        match add_ons {
            Ok(list) => found.add_ons = list.value,
            Err(error) => {
                found.unknown.push(format!("extensions such as Redis and Tigris: {error}"));
            }
        }
        match clusters {
            Ok(list) => found.clusters = list.value.data.into_value().unwrap_or_default(),
            Err(error) => found.unknown.push(format!("Managed Postgres clusters: {error}")),
        }
        found
    }

    /// The services that an app uses.
    fn services(&self, inventory: &Inventory) -> Vec<Service> {
        let hosts: BTreeSet<&str> =
            inventory.machines.iter().flat_map(|one| &one.hosts).map(String::as_str).collect();
        let app = inventory.app.as_str();
        let mut found = Vec::new();
        for cluster in &self.clusters {
            let attached =
                cluster.attached_apps.items().iter().any(|one| one.name.text() == Some(app));
            let id = cluster.id.text().unwrap_or_default();
            let named = hosts.iter().any(|host| host.ends_with(&format!(".{id}.flympg.net")));
            if attached || (named && !id.is_empty()) {
                found.push(Service {
                    kind: ServiceKind::ManagedPostgres,
                    id: id.to_owned(),
                    name: cluster.name.text().unwrap_or(id).to_owned(),
                    region: cluster.region.text().map(str::to_owned),
                    seen: if attached { "attached" } else { "named by a variable" }.to_owned(),
                });
            }
        }
        for one in &self.add_ons {
            let provider =
                one.add_on_provider.get().and_then(|node| node.name.text()).unwrap_or_default();
            let name = one.name.text().unwrap_or_default();
            let own = one.app.get().and_then(|node| node.name.text()) == Some(app);
            let named = hosts.iter().any(|host| {
                host.split('.')
                    .next()
                    .is_some_and(|label| label == name || label == format!("fly-{name}"))
            });
            if own || named {
                found.push(Service {
                    kind: match provider {
                        word if word.contains("redis") => ServiceKind::Redis,
                        "tigris" => ServiceKind::Tigris,
                        _ => ServiceKind::Other,
                    },
                    id: name.to_owned(),
                    name: name.to_owned(),
                    region: one.primary_region.text().map(str::to_owned),
                    seen: if own { "made for the app" } else { "named by a variable" }.to_owned(),
                });
            }
        }
        found
    }

    /// What is around one app. Apps that are in `known` are not asked for again.
    pub async fn of(
        &self,
        client: &Client,
        inventory: &Inventory,
        regions: &Regions,
        (source, target): (&RegionCode, &RegionCode),
        known: &BTreeMap<String, Neighbour>,
    ) -> Around {
        let mut around = Around {
            standing: self.standing.clone(),
            services: self.services(inventory),
            unknown: self.unknown.clone(),
            ..Around::default()
        };
        let mut asked = 0;
        for app in named(inventory) {
            if let Some(neighbour) = known.get(&app) {
                around.neighbours.push(neighbour.clone());
            } else if asked < MOST_NEIGHBOURS {
                asked += 1;
                match neighbour(client, &app).await {
                    Ok(found) => around.neighbours.extend(found),
                    Err(why) => around.unknown.push(format!("where app {app} runs: {why}")),
                }
            } else {
                around.unknown.push(format!("where app {app} runs: too many apps are named"));
            }
        }
        if let Some(org) = &inventory.org {
            let needs = needs(inventory.in_region(source));
            match short(client, org, target, &needs).await {
                Ok(None) => {}
                Ok(Some(found)) => {
                    let mut instead = Vec::new();
                    for other in regions.near(target, &[source]).into_iter().take(3) {
                        if let Ok(None) = short(client, org, &other, &needs).await {
                            instead.push(other);
                        }
                    }
                    around.no_room = Some(NoRoom { what: found.to_string(), instead });
                }
                Err(error) => {
                    around.unknown.push(format!("whether {target} has room: {error}"));
                }
            }
        }
        around
    }
}

/// Apps that variables of an app name, by `*.internal` and `*.flycast`.
pub fn named(inventory: &Inventory) -> BTreeSet<String> {
    let hosts = inventory.machines.iter().flat_map(|one| &one.hosts);
    let apps = hosts.filter_map(|host| {
        let rest = host.strip_suffix(".internal").or_else(|| host.strip_suffix(".flycast"))?;
        rest.rsplit('.').next().map(str::to_owned)
    });
    // `_api.internal` and `_apps.internal` are the platform's own.
    apps.filter(|app| !app.starts_with('_') && app != inventory.app.as_str()).collect()
}

async fn neighbour(client: &Client, app: &str) -> Result<Option<Neighbour>, String> {
    let Ok(name) = app.parse::<AppName>() else { return Ok(None) };
    let machines = match client.machines(&name, &MachineFilter::default()).await {
        Ok(found) => found.value,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let is_database = |machine: &fly_types::wire::Machine| {
        let config = machine.effective_config().map(|(config, _)| config);
        config.and_then(|config| config.image.text()).is_some_and(is_database)
    };
    Ok(Some(Neighbour {
        app: app.to_owned(),
        regions: machines.iter().filter_map(|one| one.region.get().cloned()).collect(),
        database: machines.iter().any(is_database),
    }))
}

/// Whether an image is one of a database.
pub fn is_database(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    let name = last.split(['@', ':']).next().unwrap_or_default();
    [
        "postgres",
        "mysql",
        "mariadb",
        "mongo",
        "redis",
        "valkey",
        "clickhouse",
        "cockroach",
        "timescale",
        "keydb",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Names of hosts of Fly.io and of its partners in the value of a variable; nothing else of it is kept.
pub(crate) fn hosts_in(value: &str) -> Vec<String> {
    const ENDS: [&str; 5] = [".internal", ".flycast", ".flympg.net", ".upstash.io", ".tigris.dev"];
    value
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_'))
        .map(str::to_ascii_lowercase)
        .filter(|word| {
            word.len() <= 253 && ENDS.iter().any(|end| word.ends_with(end) && word != end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_are_kept_of_a_value() {
        let value = "postgres://u:hunter2@top2.nearest.of.shop-db.internal:5432/x,redis://:p@fly-cache.upstash.io, https://example.com";
        assert_eq!(hosts_in(value), ["top2.nearest.of.shop-db.internal", "fly-cache.upstash.io"]);
        assert_eq!(hosts_in("internal .internal fdaa::3"), Vec::<String>::new());
    }

    #[test]
    fn databases_are_known_by_their_image() {
        for image in ["flyio/postgres-flex:17.2@sha256:1", "registry.example:5000/redis", "mysql:8"]
        {
            assert!(is_database(image), "{image}");
        }
        assert!(!is_database("registry.fly.io/shop:deployment-1") && !is_database(""));
    }
}
