//! What does not move with the app: said with what to do, and refused where the move could not end (hazards H06, H11, H18, H23).

use fly_types::RegionCode;
use fly_types::region::{RegionInfo, find};

use super::draft::Draft;
use super::kinds::Blocked;
use crate::inventory::Inventory;
use crate::inventory::around::{Service, ServiceKind, Standing};
use crate::template::Request;

/// Light in glass goes about 200 km in a millisecond, there and back.
const KM_PER_MS_ROUND_TRIP: f64 = 100.0;

/// What is in the way.
pub(super) fn blocked(inventory: &Inventory, request: &Request) -> Vec<Blocked> {
    let around = &request.options.around;
    let mut problems = Vec::new();
    if let Some(full) = &around.no_room {
        let instead: Vec<&str> = full.instead.iter().map(RegionCode::as_str).collect();
        problems.push(Blocked {
            hazard: Some("H11"),
            what: format!("{} has {}", request.target, full.what),
            todo: match instead.first() {
                Some(first) => format!(
                    "regions with room, the nearest first: {}; plan again with --to {first}",
                    instead.join(" ")
                ),
                None => "the regions near it have no room either: try again later".to_owned(),
            },
        });
    }
    if let Some(Standing::Limited(word)) = &around.standing {
        let org = inventory.org.as_ref().map_or("ORG", |org| org.as_str());
        let copies = inventory.in_region(&request.source).count();
        problems.push(Blocked {
            hazard: Some("H23"),
            what: format!(
                "organization {org} is {word}: the platform creates few Machines for it, or none, and this move needs {copies} more for a while"
            ),
            todo: format!(
                "see to its payment method at https://fly.io/dashboard/{org}/billing, then plan again"
            ),
        });
    }
    problems
}

impl Draft<'_> {
    /// Everything that the operator has to know about what stays.
    pub(super) fn around_notes(&mut self) {
        let around = self.request.options.around.clone();
        let mut notes = Vec::new();
        if let Some(Standing::Unknown(why)) = &around.standing {
            notes.push(format!(
                "H23: whether the organization may create as many Machines again is unknown ({why}): on a trial or without a payment method it may not"
            ));
        }
        notes.extend(self.minimum());
        for service in &around.services {
            notes.push(self.service(service));
        }
        for neighbour in around.neighbours.iter().filter(|one| one.database) {
            if !neighbour.regions.contains(&self.request.target) && !neighbour.regions.is_empty() {
                let regions: Vec<&str> = neighbour.regions.iter().map(RegionCode::as_str).collect();
                notes.push(format!(
                    "H18: database {} runs in {}: {}; move it first, in one window with this app: fly-migrate region plan --org {} --from {}",
                    neighbour.app,
                    regions.join(" "),
                    self.way(neighbour.regions.iter().map(RegionCode::as_str)),
                    self.inventory.org.as_ref().map_or("ORG", |org| org.as_str()),
                    self.request.source,
                ));
            }
        }
        notes.extend(self.unseen_database(&around.services));
        for unknown in &around.unknown {
            notes.push(format!("could not be read, so nothing is said about it: {unknown}"));
        }
        self.warnings.extend(notes);
    }

    /// The minimum counts in the primary region only.
    fn minimum(&self) -> Option<String> {
        let most = self.inventory.machines.iter().map(|one| one.min_running).max()?;
        let autostops =
            self.inventory.machines.iter().any(crate::inventory::MachineInfo::autostops);
        (most > 0 && autostops).then(|| {
            format!(
                "H06: min_machines_running = {most} counts in the primary region only: until it is {} in a deploy, the proxy may put all new Machines to sleep, which is not a failure; set it with that deploy",
                self.request.target
            )
        })
    }

    /// What is known of the way to somewhere.
    fn way<'r>(&self, from: impl Iterator<Item = &'r str>) -> String {
        let target = &self.request.target;
        let here = find(target.as_str());
        let nearest = from
            .filter_map(|code| Some(RegionInfo::distance_km(find(code)?, here?)))
            .min_by(f64::total_cmp);
        match nearest {
            Some(km) => format!(
                "from {target} each query takes the way of {km:.0} km, at least {:.0} ms there and back (by distance; not measured)",
                (km / KM_PER_MS_ROUND_TRIP).ceil()
            ),
            None => format!("how long a query takes from {target} is unknown (not measured)"),
        }
    }

    fn service(&self, service: &Service) -> String {
        let (app, target) = (self.app(), &self.request.target);
        let (name, seen) = (&service.name, &service.seen);
        let place = service.region.as_deref().unwrap_or("an unknown region");
        let stays = service.region.as_deref() == Some(target.as_str());
        match service.kind {
            ServiceKind::ManagedPostgres if stays => {
                format!("Managed Postgres {name} ({seen}) is in {target} already: nothing to do")
            }
            ServiceKind::ManagedPostgres => format!(
                "H18: Managed Postgres {name} ({seen}) is in {place} and cannot change its region: {}; to move it: `fly mpg create --name {name}-{target} --region {target}`, \
                 copy with pg_dump and psql over `fly mpg proxy`, `fly mpg attach NEW_ID -a {app} --variable-name DATABASE_URL_NEW`, switch, and later `fly mpg destroy {}`",
                self.way(service.region.as_deref().into_iter()),
                service.id
            ),
            ServiceKind::Redis if stays => {
                format!("Upstash Redis {name} ({seen}) writes in {target} already: nothing to do")
            }
            ServiceKind::Redis => format!(
                "H18: Upstash Redis {name} ({seen}) writes in {place}, and that can never change: {}; make another one (`fly redis create --name {name}-{target} --region {target}`), \
                 copy what must be kept, `fly secrets set REDIS_URL=… -a {app}`, and later `fly redis destroy {name}`",
                self.way(service.region.as_deref().into_iter())
            ),
            ServiceKind::Tigris => {
                format!("Tigris bucket {name} ({seen}) is global: nothing to do")
            }
            ServiceKind::Other => format!(
                "extension {name} ({seen}) does not move with the app: ask its provider whether it is bound to {place}"
            ),
        }
    }

    /// A secret may name a database, and nobody can read it.
    fn unseen_database(&self, services: &[Service]) -> Option<String> {
        const NAMES: [&str; 6] = [
            "DATABASE_URL",
            "PGHOST",
            "MYSQL_URL",
            "MONGODB_URI",
            "REDIS_URL",
            "DATABASE_PRIVATE_URL",
        ];
        let known = !services.is_empty()
            || self.request.options.around.neighbours.iter().any(|one| one.database);
        let names: Vec<&str> =
            NAMES.into_iter().filter(|name| self.inventory.secrets.contains_key(*name)).collect();
        (!known && !names.is_empty()).then(|| {
            format!(
                "H18: where {} point to cannot be read from outside: if it is a database in {}, the way to it becomes longer (not measured)",
                names.join(" and "),
                self.request.source
            )
        })
    }
}
