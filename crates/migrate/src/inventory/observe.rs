//! Reading an inventory: a handful of list calls, and one per volume for its snapshots.

use fly_api::{ApiError, Client, MachineFilter};
use fly_types::AppName;
use fly_types::state::{HostStatus, MachineState, VolumeState};
use fly_types::wire::{Autostop, Machine, Volume, WireTime};
use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::{AddressInfo, CertificateInfo, Inventory, MachineInfo, MountInfo, VolumeInfo, digest};

/// Why there is no inventory: without the app, its Machines and its volumes nothing can be planned.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what} of app {app}")]
pub struct ObserveError {
    /// Which app.
    pub app: AppName,
    /// What was asked for.
    pub what: &'static str,
    /// Why not.
    #[source]
    pub source: ApiError,
}

/// Snapshot lists that are read beside each other.
const AT_ONCE: usize = 8;

/// Reads an app. Addresses, certificates, secrets and snapshots that cannot be read are noted as unknown.
pub async fn observe(
    client: &Client,
    app: &AppName,
    now: Timestamp,
) -> Result<Inventory, ObserveError> {
    let fail = |what| move |source| ObserveError { app: app.clone(), what, source };
    let filter = MachineFilter::default();
    let (found, machines, volumes, addresses, certificates, secrets) = tokio::join!(
        client.app(app),
        client.machines(app, &filter),
        client.volumes(app),
        client.ip_assignments(app),
        client.certificates(app),
        client.secrets(app),
    );
    let found = found.map_err(fail("the app"))?;
    let machines = machines.map_err(fail("the Machines"))?;
    let read_at = machines.read_at().unwrap_or(now);
    let mut unknown = Vec::new();
    let mut found_machines = machines.value;
    found_machines.retain(is_there);
    let mut machines = Vec::with_capacity(found_machines.len());
    for mut machine in found_machines {
        if let Err(why) = complete(client, app, &mut machine).await {
            unknown.push(format!("configuration of Machine {}: {why}", machine.id));
        }
        machines.push(machine_info(&machine));
    }
    machines.sort_by(|one, other| one.id.cmp(&other.id));
    let volumes = volumes.map_err(fail("the volumes"))?.value;
    let live = volumes.iter().filter(|volume| volume.state.get().is_none_or(VolumeState::is_live));
    let mut volumes: Vec<VolumeInfo> = live.map(volume_info).collect();
    volumes.sort_by(|one, other| one.id.cmp(&other.id));
    snapshots(client, app, &mut volumes, &mut unknown).await;
    let mut note = |what: &str, error: &ApiError| unknown.push(format!("{what}: {error}"));
    let mut addresses: Vec<AddressInfo> = match addresses {
        Ok(list) => list.value.ips.items().iter().map(address_info).collect(),
        Err(error) => {
            note("addresses", &error);
            Vec::new()
        }
    };
    if addresses.iter().any(AddressInfo::is_egress)
        && let Err(error) = owners(client, app, &mut addresses).await
    {
        note("owners of egress addresses", &error);
    }
    let certificates = match certificates {
        Ok(list) => list.value.certificates.items().iter().map(certificate_info).collect(),
        Err(error) => {
            note("certificates", &error);
            Vec::new()
        }
    };
    let secrets = match secrets {
        Ok(list) => list
            .value
            .secrets
            .items()
            .iter()
            .map(|secret| {
                (secret.name.clone(), secret.digest.text().unwrap_or_default().to_owned())
            })
            .collect(),
        Err(error) => {
            note("secrets", &error);
            std::collections::BTreeMap::new()
        }
    };
    Ok(Inventory {
        app: app.clone(),
        org: found.value.organization.get().and_then(|org| org.slug.get().cloned()),
        read_at,
        source: "Machines API".to_owned(),
        machines,
        volumes,
        addresses,
        certificates,
        secrets,
        unknown,
    })
}

/// Gives a Machine whose host cannot be reached the configuration of its version, where the platform still has that.
pub(crate) async fn complete(
    client: &Client,
    app: &AppName,
    machine: &mut Machine,
) -> Result<(), ApiError> {
    if machine.effective_config().is_some_and(|(_, complete)| complete) {
        return Ok(());
    }
    let versions = client.machine_versions(app, &machine.id).await?.value;
    let current = versions.into_iter().find(|one| one.version.text() == machine.version());
    if let Some(config) = current.and_then(|one| one.user_config.into_value()) {
        machine.config = config.into();
    }
    Ok(())
}

/// Writes down which egress addresses belong to one Machine.
async fn owners(
    client: &Client,
    app: &AppName,
    addresses: &mut [AddressInfo],
) -> Result<(), ApiError> {
    let found = client.graphql_machine_egress(app).await?.value;
    for machine in found.machines.get().map(|list| list.nodes.items()).unwrap_or_default() {
        let own = machine.egress_ip_addresses.get().map(|list| list.nodes.items());
        for ip in own.unwrap_or_default() {
            let owner = machine.id.text().and_then(|id| id.parse().ok());
            let known = addresses.iter_mut().filter(|one| Some(one.ip.as_str()) == ip.ip.text());
            known.for_each(|one| one.machine.clone_from(&owner));
        }
    }
    Ok(())
}

async fn snapshots(
    client: &Client,
    app: &AppName,
    volumes: &mut [VolumeInfo],
    unknown: &mut Vec<String>,
) {
    let tasks: Vec<_> = volumes
        .iter()
        .map(|volume| volume.id.clone())
        .enumerate()
        .map(|(at, id)| async move { (at, client.snapshots(app, &id).await) })
        .collect();
    let mut reading = futures_util::stream::iter(tasks).buffer_unordered(AT_ONCE);
    while let Some((at, found)) = reading.next().await {
        match found {
            Ok(list) => {
                let done = list
                    .value
                    .iter()
                    .filter(|one| one.status.text().is_none_or(|word| word == "created"));
                let newest = done
                    .filter_map(|one| Some((one.created_at.get().and_then(WireTime::at)?, one)))
                    .max_by_key(|(at, _)| *at);
                volumes[at].last_snapshot = newest.map(|(at, _)| at);
                volumes[at].last_snapshot_id =
                    newest.and_then(|(_, one)| one.id.text().map(str::to_owned));
            }
            Err(error) => unknown.push(format!("snapshots of volume {}: {error}", volumes[at].id)),
        }
    }
}

fn is_there(machine: &Machine) -> bool {
    machine.state.get().is_none_or(MachineState::is_active)
}

/// What is kept of a Machine.
pub fn machine_info(machine: &Machine) -> MachineInfo {
    let (config, complete) = match machine.effective_config() {
        Some((config, complete)) => (config.clone(), complete),
        None => (fly_types::wire::MachineConfig::default(), false),
    };
    let region = machine
        .region
        .get()
        .cloned()
        .unwrap_or_else(|| fly_types::RegionCode::from_wire("unknown"));
    let env = config.env.get().map(|env| env.expose().clone()).unwrap_or_default();
    let guest = config.guest.get();
    let services = config.services.items();
    let autostop =
        services.iter().filter_map(|service| service.autostop.get()).map(Autostop::as_str);
    let service_checks: usize = services.iter().map(|service| service.checks.items().len()).sum();
    let seconds = config.stop_config.get().and_then(|stop| stop.timeout.get()?.to_std());
    MachineInfo {
        id: machine.id.clone(),
        name: machine.name.text().unwrap_or_default().to_owned(),
        state: machine.state.get().map_or("unknown", MachineState::as_str).to_owned(),
        version: machine.version().unwrap_or_default().to_owned(),
        group: machine.process_group().map(str::to_owned),
        managed: config.metadata_value("fly_platform_version") == Some("v2"),
        image: image(machine, &config),
        cpu_kind: guest.and_then(|guest| guest.cpu_kind.text()).unwrap_or("shared").to_owned(),
        cpus: guest.and_then(|guest| guest.cpus.copied()).unwrap_or(1),
        memory_mb: guest.and_then(|guest| guest.memory_mb.copied()).unwrap_or(256),
        gpu: guest.is_some_and(|guest| {
            guest.gpus.copied().unwrap_or(0) > 0 || guest.gpu_kind.text().is_some()
        }),
        mounts: config
            .mounts
            .items()
            .iter()
            .filter_map(|mount| {
                Some(MountInfo {
                    volume: mount.volume.get()?.clone(),
                    name: mount.name.text().unwrap_or_default().to_owned(),
                    path: mount.path.text().unwrap_or_default().to_owned(),
                })
            })
            .collect(),
        services: services.iter().filter_map(|service| service.internal_port.copied()).collect(),
        autostop: autostop
            .max_by_key(|word| ["off", "stop", "suspend"].iter().position(|known| known == word))
            .unwrap_or("off")
            .to_owned(),
        checks: service_checks + config.checks.get().map_or(0, std::collections::BTreeMap::len),
        schedule: config.schedule.text().map(str::to_owned),
        standbys: config.standbys.items().to_vec(),
        metadata: config.metadata.get().cloned().unwrap_or_default(),
        region_env: env
            .iter()
            .filter(|(name, value)| {
                name.as_str() != "PRIMARY_REGION" && names_region(value, region.as_str())
            })
            .map(|(name, _)| name.clone())
            .collect(),
        address_env: env
            .iter()
            .filter(|(_, value)| value.contains("fdaa:"))
            .map(|(name, _)| name.clone())
            .collect(),
        hosts: env
            .values()
            .flat_map(|value| super::around::hosts_in(value))
            .collect::<std::collections::BTreeSet<String>>()
            .into_iter()
            .collect(),
        min_running: services
            .iter()
            .filter_map(|service| service.min_machines_running.copied())
            .max()
            .unwrap_or(0),
        primary_region: env.get("PRIMARY_REGION").cloned(),
        env: env.into_keys().collect(),
        region,
        cordoned: machine.cordoned.copied().unwrap_or(false),
        host_status: machine.host_status.get().map_or("ok", HostStatus::as_str).to_owned(),
        private_ip: machine.private_ip.text().unwrap_or_default().to_owned(),
        stop_seconds: seconds.map_or(5, |time| time.as_secs()),
        config: digest::config(&config),
        incomplete: !complete,
        lease: machine.lease.get().and_then(|lease| lease.owner.text()).map(str::to_owned),
        litefs: litefs(&config),
        started_at: started_at(machine),
    }
}

/// Signs of LiteFS in a configuration: its variables, its configuration file, its command, or its usual data folder.
fn litefs(config: &fly_types::wire::MachineConfig) -> Option<String> {
    let env = config.env.get().map(fly_types::wire::Sensitive::expose);
    let variable = env.and_then(|env| env.keys().find(|name| name.starts_with("LITEFS_")));
    if let Some(name) = variable {
        return Some(format!("it has the variable {name}"));
    }
    // By key, whatever their shapes are.
    let value = serde_json::to_value(config).unwrap_or_default();
    let has =
        |key: &str, word: &str| value.get(key).is_some_and(|part| part.to_string().contains(word));
    if has("files", "litefs.yml") {
        return Some("it has a file litefs.yml".to_owned());
    }
    if has("init", "litefs mount") || has("init", "\"litefs\"") {
        return Some("its command is litefs".to_owned());
    }
    let mut paths = config.mounts.items().iter().filter_map(|mount| mount.path.text());
    let data = paths.find(|path| path.contains("litefs"));
    data.map(|path| format!("a volume is mounted at {path}"))
}

/// The newest start among its events.
fn started_at(machine: &Machine) -> Option<Timestamp> {
    let starts =
        machine.events.items().iter().filter(|event| event.event_type.text() == Some("start"));
    let newest = starts.filter_map(|event| event.timestamp.copied()).max()?;
    Timestamp::from_millisecond(newest).ok()
}

/// The image as the platform resolved it, so that a copy runs the very same.
fn image(machine: &Machine, config: &fly_types::wire::MachineConfig) -> String {
    let resolved = machine.image_ref.get().map(fly_types::wire::ImageRef::reference);
    resolved
        .filter(|text| text.contains('@'))
        .or_else(|| config.image.text().map(str::to_owned))
        .unwrap_or_default()
}

/// Whether a value contains a region code as a word of its own: `fra`, `fra.shop.internal`, `region=fra`.
fn names_region(value: &str, region: &str) -> bool {
    value.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == region)
}

/// What is kept of a volume. Its snapshots are read apart.
pub fn volume_info(volume: &Volume) -> VolumeInfo {
    VolumeInfo {
        id: volume.id.clone(),
        name: volume.name.text().unwrap_or_default().to_owned(),
        region: volume
            .region
            .get()
            .cloned()
            .unwrap_or_else(|| fly_types::RegionCode::from_wire("unknown")),
        size_gb: volume.size_gb.copied().unwrap_or(0),
        state: volume.state.get().map_or("unknown", VolumeState::as_str).to_owned(),
        attached: volume.attached_machine_id.get().filter(|id| !id.as_str().is_empty()).cloned(),
        host_status: volume.host_status.get().map_or("ok", HostStatus::as_str).to_owned(),
        encrypted: volume.encrypted.copied().unwrap_or(false),
        retention_days: volume.snapshot_retention.copied().unwrap_or(5),
        used_bytes: volume.usage_bytes().map(|(used, _)| used),
        created_at: volume.created_at.get().and_then(WireTime::at),
        last_snapshot: None,
        last_snapshot_id: None,
    }
}

fn address_info(ip: &fly_types::wire::IpAssignment) -> AddressInfo {
    AddressInfo {
        ip: ip.ip.text().unwrap_or_default().to_owned(),
        kind: ip.kind().map_or("unknown".to_owned(), |kind| kind.to_string()),
        region: ip.region.text().unwrap_or("global").to_owned(),
        machine: None,
    }
}

fn certificate_info(certificate: &fly_types::wire::Certificate) -> CertificateInfo {
    CertificateInfo {
        hostname: certificate.hostname.clone(),
        status: certificate.status.get().map_or("unknown".to_owned(), ToString::to_string),
        configured: certificate.configured.copied().unwrap_or(false),
    }
}
