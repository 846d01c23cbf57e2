//! Making a Machine exactly once.
//!
//! The platform has no idempotency key for this. Two things replace it: a marker in the metadata, by which a Machine
//! whose answer was lost is found, and a name, which the platform keeps unique in an app, so that a repeated create
//! is refused even while lists lag.

use std::collections::BTreeMap;
use std::time::Duration;

use fly_types::wire::{CreateMachine, Field, Guest, Machine, MachineConfig, Sensitive};
use fly_types::{AppName, MachineId, RegionCode};
use http::Method;
use tokio::time::Instant;

use super::error::{Context, Effect, Reason, WriteError};
use super::{Writer, once};
use crate::call::{CallRecord, Fetched};
use crate::machines::{MachineFilter, list_request};
use crate::random::Random;
use crate::request::{Action, Class, Request, Target};

/// Time limit of a create or update: image and placement take their time.
pub(crate) const CREATE_TIMEOUT: Duration = Duration::from_secs(90);
/// How often a create is sent at most.
const TRIES: u32 = 3;
/// How long a Machine that exists may be unknown to reads.
const UNKNOWN_AFTER_CREATE: Duration = Duration::from_secs(10);

/// Metadata by which a Machine is recognized as made by one particular request, e.g. `flyops_plan` and `flyops_step`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(BTreeMap<String, String>);

impl Marker {
    /// A marker of the caller's own keys. The same marker means the same Machine, also after a crash.
    pub fn new<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// A marker that no other request has.
    pub fn random(random: &Random) -> Self {
        Self::new([("flyops_create", format!("{:016x}{:016x}", random.next(), random.next()))])
    }

    /// The keys and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether a Machine carries it.
    pub fn is_on(&self, machine: &Machine) -> bool {
        !self.0.is_empty()
            && machine.effective_config().is_some_and(|(config, _)| {
                self.pairs().all(|(key, value)| config.metadata_value(key) == Some(value))
            })
    }

    /// A name that follows from the marker, so that a repeated create meets the first one (FNV-1a).
    fn name(&self) -> String {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for (key, value) in self.pairs() {
            for byte in key.bytes().chain([0]).chain(value.bytes()).chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        format!("flyops-{hash:016x}")
    }
}

/// A Machine to make.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewMachine {
    /// Unique in the app, immutable. Without one, it is derived from the marker.
    pub name: Option<String>,
    /// Regions, tried in order; none: near the caller.
    pub regions: Vec<RegionCode>,
    /// Image, guest, services and all the rest.
    pub config: MachineConfig,
    /// Do not boot it.
    pub skip_launch: bool,
    /// Make it cordoned: the proxy does not use it.
    pub cordoned: bool,
    /// Do not give it the app's secrets.
    pub skip_secrets: bool,
    /// Refuse when the app's secrets are older than this version.
    pub min_secrets_version: Option<i64>,
    /// Make it leased for so long; [`Created::nonce`] has the proof.
    pub lease_ttl: Option<Duration>,
    /// How it is recognized; without one, a random one is made.
    pub marker: Option<Marker>,
}

/// A Machine that exists now, because of this request or of an earlier one with the same marker.
#[derive(Debug, Clone)]
pub struct Created {
    /// The Machine as last read.
    pub machine: Machine,
    /// True when it was found by its marker: the answer was lost, or an earlier run made it. Then there is no nonce, and
    /// a `lease_ttl` has to run out by itself.
    pub found: bool,
    /// Others with the same marker. Empty unless somebody copied the metadata, e.g. by cloning.
    pub surplus: Vec<MachineId>,
    /// The calls it took.
    pub calls: Vec<CallRecord>,
}

impl Created {
    /// Proof of the lease that `lease_ttl` asked for.
    pub fn nonce(&self) -> Option<&Sensitive<String>> {
        self.machine.nonce()
    }
}

pub(crate) fn create_request(
    app: &AppName,
    new: &NewMachine,
    marker: &Marker,
    name: &str,
) -> Request {
    let mut config = new.config.clone();
    let mut metadata = config.metadata.into_value().unwrap_or_default();
    metadata.extend(marker.0.clone());
    config.metadata = Field::Value(metadata);
    let body = CreateMachine {
        config: config.into(),
        name: name.to_owned().into(),
        region: some(region_text(&new.regions)),
        skip_launch: flag(new.skip_launch),
        skip_service_registration: flag(new.cordoned),
        skip_secrets: flag(new.skip_secrets),
        min_secrets_version: some(new.min_secrets_version),
        lease_ttl: some(new.lease_ttl.map(seconds)),
        ..CreateMachine::default()
    };
    Request::new(
        Method::POST,
        Target::Machines,
        "/v1/apps/{app}/machines",
        &[app.as_str()],
        Class::Unsafe,
        Action::MachineCreate,
        app.as_str(),
    )
    .json(&body)
    .timeout(CREATE_TIMEOUT)
}

/// A field that is sent only when there is a value.
pub(crate) fn some<T>(value: Option<T>) -> Field<T> {
    value.map_or(Field::Absent, Field::Value)
}

/// A flag that is sent only when set.
pub(crate) fn flag(value: bool) -> Field<bool> {
    if value { Field::Value(true) } else { Field::Absent }
}

/// Whole seconds, at least one: the platform reads zero as "not given".
pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs().max(1)).unwrap_or(i64::MAX)
}

pub(crate) fn region_text(regions: &[RegionCode]) -> Option<String> {
    let codes: Vec<&str> = regions.iter().map(RegionCode::as_str).collect();
    (!codes.is_empty()).then(|| codes.join(","))
}

/// The size of a guest for messages.
pub(crate) fn size_text(guest: &Guest) -> Option<String> {
    let (kind, cpus) = (guest.cpu_kind.get()?, guest.cpus.copied()?);
    let memory = guest.memory_mb.copied().map(|mb| format!(" {mb} MB")).unwrap_or_default();
    Some(format!("{kind}-cpu-{cpus}x{memory}"))
}

impl Writer {
    /// Makes a Machine, exactly once: `POST /v1/apps/{app}/machines`.
    ///
    /// When an answer is lost or an intermediary fails, the Machine is looked up by its marker, destroyed ones included,
    /// and only then the create is repeated, under the same name. A marker that the caller chose also finds the Machine
    /// of an earlier run. Errors: [`Reason::NoCapacity`] with the scope, [`Reason::NameTaken`] when the name belongs to a
    /// Machine without the marker, [`Reason::Unknown`] when looking failed too. For many in one app use
    /// [`Writer::create_machines`]: of a hundred calls at once most would run out of time while they wait for the limit.
    pub async fn create_machine(
        &self,
        app: &AppName,
        new: &NewMachine,
    ) -> Result<Created, WriteError> {
        // Machines are large, and so is a future that holds several: it goes to the heap once.
        Box::pin(self.create_once(app, new)).await
    }

    async fn create_once(&self, app: &AppName, new: &NewMachine) -> Result<Created, WriteError> {
        let marker = new.marker.clone().unwrap_or_else(|| Marker::random(self.client.random()));
        let name = new.name.clone().unwrap_or_else(|| marker.name());
        let mounts = new.config.mounts.items();
        let context = Context {
            what: format!("create Machine {name} of app {app}"),
            region: region_text(&new.regions),
            size: new.config.guest.get().and_then(size_text),
            volume: mounts.iter().find_map(|mount| mount.volume.get().cloned()),
            ..Context::default()
        };
        let request = create_request(app, new, &marker, &name);
        let mut calls = Vec::new();
        let mut left = TRIES;
        loop {
            left -= 1;
            let error = match self.act::<Machine>(request.clone(), context.clone()).await {
                Ok(Fetched { value: machine, calls: more, .. }) => {
                    calls.extend(more);
                    return Ok(Created { machine, found: false, surplus: Vec::new(), calls });
                }
                Err(error) => error,
            };
            if let Some(source) = &error.source {
                calls.push((*source.call).clone());
            }
            if let Reason::NameTaken { by: Some(id) } = &error.reason {
                let id = MachineId::from_wire(id.clone());
                return match self.known_machine(app, &id).await {
                    Some(found) if marker.is_on(&found.value) => {
                        calls.extend(found.calls);
                        Ok(Created {
                            machine: found.value,
                            found: true,
                            surplus: Vec::new(),
                            calls,
                        })
                    }
                    _ => Err(error),
                };
            }
            if once::effect(&error) == Effect::NotDone {
                return Err(error);
            }
            tracing::warn!(what = context.what, "no usable answer; looking whether it was done");
            let looked = self.look_for_machines(app, &marker).await;
            let Ok(mut found) = looked else { return Err(error.unknown()) };
            calls.extend(found.calls);
            if !found.value.is_empty() {
                let machine = found.value.remove(0);
                let surplus = found.value.into_iter().map(|machine| machine.id).collect();
                return Ok(Created { machine, found: true, surplus, calls });
            }
            if left == 0 {
                return Err(error.unknown());
            }
        }
    }

    /// The Machines that carry a marker, live ones first, then the oldest; destroyed ones included.
    pub async fn marked_machines(
        &self,
        app: &AppName,
        marker: &Marker,
    ) -> Result<Fetched<Vec<Machine>>, WriteError> {
        let filter = MachineFilter {
            metadata: marker.pairs().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            include_deleted: true,
            ..MachineFilter::default()
        };
        let context = Context::new(format!("look for a Machine of app {app} by its marker"));
        let found = self.client.send::<Vec<Machine>>(list_request(app, &filter)).await;
        let mut found = found.map_err(|error| WriteError::new(context, error))?;
        // The filter is documented, but a wrong match would be worse than a slow one.
        found.value.retain(|machine| marker.is_on(machine));
        found.value.sort_by_key(|machine| {
            let gone = machine.state.get().is_some_and(|state| !state.is_active());
            (gone, machine.created_at.at())
        });
        Ok(found)
    }

    async fn look_for_machines(
        &self,
        app: &AppName,
        marker: &Marker,
    ) -> Result<Fetched<Vec<Machine>>, WriteError> {
        let end = Instant::now() + self.look_for;
        let mut pause = once::FIRST_PAUSE;
        loop {
            let found = self.marked_machines(app, marker).await?;
            if !found.value.is_empty() || Instant::now() + pause > end {
                return Ok(found);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(once::LONGEST_PAUSE);
        }
    }

    /// A Machine of which the platform just said that it exists, however long reads take to see it.
    async fn known_machine(&self, app: &AppName, id: &MachineId) -> Option<Fetched<Machine>> {
        let end = Instant::now() + UNKNOWN_AFTER_CREATE;
        loop {
            match self.client.machine(app, id).await {
                Ok(found) => return Some(found),
                Err(error) if error.is_not_found() && Instant::now() < end => {
                    tokio::time::sleep(once::FIRST_PAUSE).await;
                }
                Err(_) => return None,
            }
        }
    }
}
