//! From a world file to a running platform: fills in what the file leaves out, resolves moments and references.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::ids::Ids;
use super::logs::{LogBook, Record, Stream};
use super::{
    App, Certificate, Check, Event, HostIssue, Incident, Ip, Lease, Machine, Org, Release, Secret,
    Snapshot, State, Token, Volume, rfc3339, rfc3339_millis,
};
use crate::prom::series::Metric;
use crate::prom::value::Labels;
use crate::world::evidence::MetricFile;
use crate::world::file::{AppFile, CertificateFile, IncidentFile, LogFile, VolumeFile, WorldFile};
use crate::world::machine::{EventFile, ExitFile, MachineFile, ProcessFile};
use crate::world::moment::Moment;

/// Age of what has no date of its own.
const DEFAULT_AGE: SignedDuration = SignedDuration::from_hours(24 * 14);

struct Builder {
    start: Timestamp,
    ids: Ids,
    viewer: String,
}

impl State {
    pub(crate) fn build(file: &WorldFile, start: Timestamp) -> Self {
        let viewer = file.viewer.clone().unwrap_or_else(|| "sre@example.com".to_owned());
        let mut builder =
            Builder { start, ids: Ids::new(file.settings.seed), viewer: viewer.clone() };
        let orgs = builder.orgs(file);
        let tokens = file.tokens.iter().map(|token| Token {
            value: token.value.clone(),
            id: builder.ids.opaque(),
            org: token.org.get_ref().clone(),
            apps: token.apps.clone(),
            access: token.access,
            user: token.user.clone(),
        });
        let tokens = tokens.collect();
        let default_org = orgs[0].slug.clone();
        let mut rooms = super::room::Rooms::default();
        for region in &file.regions {
            rooms.set(region.code.get_ref().0.as_str(), &region.room);
        }
        let apps = file.apps.iter().map(|app| {
            let app = builder.app(app, &default_org);
            (app.name.clone(), app)
        });
        let apps: BTreeMap<String, App> = apps.collect();
        let incidents = file.incidents.iter().map(|i| builder.incident(i)).collect();
        Self {
            now: start,
            ids: builder.ids,
            settings: file.settings.clone(),
            viewer,
            orgs,
            tokens,
            apps,
            incidents,
            status: file.status.clone(),
            behaviors: file.behaviors.clone(),
            builds: 0,
            lags: crate::variants::Lags::default(),
            rooms,
            issued: Vec::new(),
            dns: file.dns.clone(),
        }
    }
}

impl Builder {
    fn moment(&self, moment: Option<Moment>, age: SignedDuration) -> Timestamp {
        moment.map_or_else(
            || self.start.saturating_sub(age).unwrap_or(self.start),
            |m| m.at(self.start),
        )
    }

    fn orgs(&mut self, file: &WorldFile) -> Vec<Org> {
        let mut orgs: Vec<Org> = Vec::new();
        for org in &file.orgs {
            orgs.push(Org {
                id: self.ids.opaque(),
                numeric_id: self.numeric(),
                slug: org.slug.to_string(),
                name: org.name.clone().unwrap_or_else(|| org.slug.to_string()),
                kind: org.kind.clone(),
                trial: org.trial,
                memory_quota_mb: org.memory_quota_mb,
                add_ons: org.add_ons.clone(),
                postgres: org.postgres.clone(),
                members: org
                    .members
                    .iter()
                    .map(|m| (m.name.clone(), m.email.clone(), m.role.clone()))
                    .collect(),
            });
        }
        if orgs.is_empty() {
            orgs.push(Org {
                id: self.ids.opaque(),
                numeric_id: self.numeric(),
                slug: "personal".to_owned(),
                name: "Example Person".to_owned(),
                kind: "PERSONAL".to_owned(),
                trial: false,
                memory_quota_mb: None,
                add_ons: Vec::new(),
                postgres: Vec::new(),
                members: vec![(
                    "Example Person".to_owned(),
                    self.viewer.clone(),
                    "ADMIN".to_owned(),
                )],
            });
        }
        orgs
    }

    fn numeric(&mut self) -> i64 {
        i64::try_from(self.ids.number() % 9_000_000).unwrap_or(0) + 1_000_000
    }

    fn app(&mut self, file: &AppFile, default_org: &str) -> App {
        let machines: Vec<Machine> = file.machines.iter().map(|m| self.machine(m, file)).collect();
        let find = |reference: &str| {
            machines
                .iter()
                .find(|machine| machine.id == reference || machine.name == reference)
                .map(|machine| (machine.id.clone(), machine.region.clone()))
                .unwrap_or_default()
        };
        let mut volumes: Vec<Volume> = Vec::new();
        for volume in &file.volumes {
            let attached = volume.attached.as_ref().map(|machine| find(machine.get_ref()).0);
            volumes.push(self.volume(volume, attached));
        }
        let records = file.logs.iter().map(|record| {
            let (machine, region) =
                record.machine.as_ref().map(|m| find(m.get_ref())).unwrap_or_default();
            log_record(record, machine, region, self.start)
        });
        let mut records: Vec<Record> = records.collect();
        records.sort_by_key(|record| record.at);
        let streams = file.log_streams.iter().map(|stream| Stream {
            count: stream.count,
            seed: stream.seed,
            from: stream.from.at(self.start),
            to: stream.to.at(self.start),
            bytes: stream.bytes,
            level: stream.level.clone(),
            machines: if stream.machines.is_empty() {
                machines.iter().map(|m| (m.id.clone(), m.region.clone())).collect()
            } else {
                stream.machines.iter().map(|m| find(m.get_ref())).collect()
            },
            lines: stream.lines.clone(),
        });
        let logs = LogBook { records, streams: streams.collect() };
        let releases = self.releases(file);
        let ips = file.ips.iter().map(|ip| Ip {
            id: self.ids.opaque(),
            address: ip.address.clone(),
            kind: ip.kind.clone(),
            region: ip.region.clone(),
            at: self.moment(ip.at, DEFAULT_AGE),
            machine: ip.machine.as_ref().map(|machine| find(machine.get_ref()).0),
        });
        let ips = ips.collect();
        let secrets = file.secrets.iter().map(|secret| Secret {
            name: secret.name.clone(),
            value: secret.value.clone(),
            at: self.moment(secret.at, DEFAULT_AGE),
        });
        let secrets = secrets.collect();
        let host_issues = file.host_issues.iter().map(|issue| HostIssue {
            id: issue.id.clone(),
            message: issue.message.clone(),
            at: issue.at.at(self.start),
            resolved: issue.resolved.map(|at| at.at(self.start)),
        });
        let host_issues = host_issues.collect();
        let metrics = file.metrics.iter().map(|metric| {
            let machine = metric.machine.as_ref().map(|machine| find(machine.get_ref()));
            self.metric(metric, file.name.as_str(), machine)
        });
        let metrics = metrics.collect();
        App {
            id: self.ids.opaque(),
            numeric_id: self.numeric(),
            name: file.name.to_string(),
            org: file.org.as_ref().map_or_else(|| default_org.to_owned(), |o| o.get_ref().clone()),
            status: file.status.clone(),
            network: file.network.clone(),
            role: file.role.clone(),
            machines,
            volumes,
            releases,
            ips,
            certificates: file.certificates.iter().map(|c| self.certificate(c)).collect(),
            secrets,
            secrets_version: 1,
            secret_keys: Vec::new(),
            host_issues,
            logs,
            metrics,
            edge: file.edge.iter().map(|rule| (rule.clone(), 0)).collect(),
            litefs: file.litefs.clone().map(|file| super::litefs::LiteFs::new(file, self.start)),
        }
    }

    fn metric(&self, file: &MetricFile, app: &str, machine: Option<(String, String)>) -> Metric {
        let mut labels = file.labels.clone();
        labels.insert("__name__".to_owned(), file.name.clone());
        labels.insert("app".to_owned(), app.to_owned());
        if let Some((id, region)) = machine {
            labels.entry("instance".to_owned()).or_insert(id);
            labels.entry("region".to_owned()).or_insert(region);
        }
        let mut points: Vec<(Timestamp, f64)> = match file.value {
            Some(value) => vec![(self.moment(None, DEFAULT_AGE), value)],
            None => file.points.iter().map(|(at, value)| (at.at(self.start), *value)).collect(),
        };
        points.sort_by_key(|point| point.0);
        Metric { labels: Labels(labels), points }
    }

    fn machine(&mut self, file: &MachineFile, app: &AppFile) -> Machine {
        let created_at = self.moment(file.created, DEFAULT_AGE);
        let id = file.id.as_ref().map_or_else(|| self.ids.machine(), ToString::to_string);
        let events = match &file.events {
            Some(events) => events.iter().map(|event| self.event(event)).collect(),
            None => self.default_events(created_at, &file.state),
        };
        let last_event = events.iter().map(|event: &Event| event.at).max();
        let release = file.release.or_else(|| app.releases.iter().map(|r| r.version).max());
        Machine {
            name: file.name.clone().unwrap_or_else(|| self.ids.machine_name()),
            state: file.state.clone(),
            region: file.region.get_ref().0.to_string(),
            instance_id: self.ids.ulid(created_at),
            private_ip: file.private_ip.clone().unwrap_or_else(|| self.ids.private_ip()),
            created_at,
            updated_at: file.updated.map_or(last_event.unwrap_or(created_at), |m| m.at(self.start)),
            config: self.config(file, release),
            labels: file.labels.clone(),
            checks: file
                .checks
                .iter()
                .map(|check| Check {
                    name: check.name.clone(),
                    status: check.status.clone(),
                    output: check.output.clone(),
                    at: check.at.map_or(last_event.unwrap_or(created_at), |m| m.at(self.start)),
                })
                .collect(),
            host_status: file.host_status.clone(),
            cordoned: file.cordoned,
            host_full: file.host_full,
            processes: processes(file),
            lease: file.lease.as_ref().map(|lease| Lease {
                nonce: lease.nonce.clone(),
                owner: lease.owner.clone(),
                description: lease.description.clone(),
                expires: lease.expires.at(self.start),
            }),
            versions: file
                .versions
                .iter()
                .map(|version| {
                    let config = Value::Object(json_table(&version.config));
                    (self.ids.ulid(version.at.at(self.start)), config)
                })
                .collect(),
            pending: Vec::new(),
            memory_limit_mb: None,
            execs: file.execs.clone(),
            schedule_from: self.start,
            scratch: super::volume::Files::new(),
            events,
            id,
        }
    }

    fn config(&mut self, file: &MachineFile, release: Option<u64>) -> Map<String, Value> {
        let mut metadata = Map::new();
        if file.launch {
            metadata.insert("fly_platform_version".to_owned(), json!("v2"));
            let group = file.process_group.as_deref().unwrap_or("app");
            metadata.insert("fly_process_group".to_owned(), json!(group));
            if let Some(release) = release {
                metadata.insert("fly_release_version".to_owned(), json!(release.to_string()));
                metadata.insert("fly_release_id".to_owned(), json!(self.ids.opaque()));
            }
            metadata.insert("fly_flyctl_version".to_owned(), json!("0.4.87"));
        }
        metadata.extend(file.metadata.iter().map(|(k, v)| (k.clone(), json!(v))));
        let config = json!({
            "env": file.env, "init": {}, "image": file.image, "metadata": metadata,
            "guest": { "cpu_kind": file.cpu_kind, "cpus": file.cpus, "memory_mb": file.memory_mb },
            "restart": { "policy": "on-failure", "max_retries": 10 },
        });
        let Value::Object(mut config) = config else { return Map::new() };
        config.extend(json_table(&file.config));
        config
    }

    fn event(&mut self, file: &EventFile) -> Event {
        let at = file.at.at(self.start);
        let request = match (&file.exit, &file.request) {
            (Some(exit), _) => Some(exit_request(exit, at)),
            (None, Some(table)) => Some(Value::Object(json_table(table))),
            (None, None) if file.kind == "start" && file.status == "started" => Some(json!({})),
            (None, None) if file.kind == "stop" => Some(json!({ "reason": "" })),
            (None, None) => None,
        };
        Event {
            id: self.ids.ulid(at),
            kind: file.kind.clone(),
            status: file.status.clone(),
            source: file.source.clone(),
            at,
            request,
        }
    }

    fn default_events(&mut self, created: Timestamp, state: &str) -> Vec<Event> {
        let mut at = created;
        let mut event = |kind: &str, status: &str, source: &str, request: Option<Value>| {
            at = at.saturating_add(SignedDuration::from_millis(900)).unwrap_or(at);
            Event {
                id: self.ids.ulid(at),
                kind: kind.to_owned(),
                status: status.to_owned(),
                source: source.to_owned(),
                at,
                request,
            }
        };
        let mut events = vec![event("launch", "created", "user", None)];
        if matches!(state, "started" | "stopped" | "suspended") {
            events.push(event("start", "started", "flyd", Some(json!({}))));
        }
        if state == "stopped" {
            events.push(event("stop", "stopping", "user", Some(json!({ "reason": "" }))));
            let exit = Event::exit(0, false, true, created);
            events.push(event("exit", "stopped", "flyd", Some(exit)));
        }
        if state == "suspended" {
            events.push(event("suspend", "suspending", "user", None));
            events.push(event("suspend", "suspended", "flyd", None));
        }
        events
    }

    fn volume(&mut self, file: &VolumeFile, attached: Option<String>) -> Volume {
        let snapshots = file.snapshots.iter().map(|snapshot| Snapshot {
            id: snapshot.id.clone().unwrap_or_else(|| self.ids.snapshot()),
            at: snapshot.at.at(self.start),
            size: snapshot.size,
            volume_size: file.size_gb << 30,
            status: snapshot.status.clone(),
            retention_days: file.snapshot_retention,
            files: file.files.clone(),
        });
        let mut snapshots: Vec<Snapshot> = snapshots.collect();
        snapshots.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.at));
        Volume {
            id: file.id.as_ref().map_or_else(|| self.ids.volume(), ToString::to_string),
            name: file.name.clone(),
            state: file.state.clone(),
            size_gb: file.size_gb,
            used_bytes: file.used_bytes,
            region: file.region.get_ref().0.to_string(),
            zone: file.zone.clone(),
            encrypted: file.encrypted,
            attached,
            created_at: self.moment(file.created, DEFAULT_AGE),
            snapshot_retention: file.snapshot_retention,
            auto_backup: file.auto_backup,
            host_status: file.host_status.clone(),
            fstype: "ext4".to_owned(),
            snapshots,
            pending: Vec::new(),
            host_full: file.host_full,
            files: file.files.clone(),
            synced: file.files.clone(),
            writer: file.writer.as_ref().map(|writer| super::volume::Writer {
                file: writer.file.clone(),
                every: writer.every,
                next: self.start.saturating_add(writer.every).unwrap_or(self.start),
            }),
        }
    }

    fn releases(&mut self, file: &AppFile) -> Vec<Release> {
        let image = file.machines.first().map(|m| m.image.clone()).unwrap_or_default();
        let releases = file.releases.iter().map(|release| Release {
            id: self.ids.opaque(),
            version: release.version,
            status: release.status.clone(),
            at: release.at.at(self.start),
            image: release.image.clone().unwrap_or_else(|| image.clone()),
            description: release.description.clone(),
            reason: release.reason.clone(),
            user: release.user.clone().unwrap_or_else(|| self.viewer.clone()),
            stable: release.stable,
            in_progress: release.in_progress,
            strategy: release.strategy.clone(),
            definition: release.definition.as_ref().map(|d| Value::Object(json_table(d))),
        });
        releases.collect()
    }

    fn certificate(&self, file: &CertificateFile) -> Certificate {
        let at = self.moment(file.at, DEFAULT_AGE);
        Certificate {
            hostname: file.hostname.clone(),
            status: file.status.clone(),
            configured: file.configured,
            at,
            expires: match (file.expires, file.status.as_str()) {
                (Some(expires), _) => Some(expires.at(self.start)),
                (None, "active") => at.saturating_add(SignedDuration::from_hours(24 * 90)).ok(),
                (None, _) => None,
            },
            custom: false,
            errors: file
                .errors
                .iter()
                .map(|error| {
                    json!({
                        "code": error.code, "message": error.message,
                        "remediation": error.remediation,
                        "timestamp": rfc3339(error.at.at(self.start)),
                    })
                })
                .collect(),
        }
    }

    fn incident(&self, file: &IncidentFile) -> Incident {
        let started = file.started.at(self.start);
        let mut updates: Vec<_> = file
            .updates
            .iter()
            .map(|u| (u.at.at(self.start), u.status.clone(), u.body.clone()))
            .collect();
        updates.sort_by_key(|update| std::cmp::Reverse(update.0));
        let updated = file.updated.map(|m| m.at(self.start));
        Incident {
            id: file.id.clone(),
            name: file.name.clone(),
            status: file.status.clone(),
            impact: file.impact.clone(),
            started,
            updated: updated.or(updates.first().map(|u| u.0)).unwrap_or(started),
            resolved: file.resolved.map(|m| m.at(self.start)),
            components: file.components.clone(),
            updates,
        }
    }
}

fn exit_request(exit: &ExitFile, at: Timestamp) -> Value {
    json!({
        "exit_event": {
            "requested_stop": exit.requested_stop, "restarting": exit.restarting,
            "guest_exit_code": exit.guest_code.unwrap_or(if exit.oom_killed { 0 } else { exit.code }),
            "guest_signal": exit.guest_signal.unwrap_or(-1), "guest_error": exit.guest_error,
            "exit_code": exit.code, "signal": exit.signal.unwrap_or(-1), "error": exit.error,
            "oom_killed": exit.oom_killed, "exited_at": rfc3339_millis(at),
        },
        "restart_count": exit.restart_count,
    })
}

fn processes(file: &MachineFile) -> Vec<Value> {
    let sockets = |listen: &[String]| -> Value {
        let split = |text: &String| {
            let (proto, address) = text.split_once(' ').unwrap_or(("tcp", text));
            json!({ "proto": proto, "address": address })
        };
        listen.iter().map(split).collect()
    };
    if file.processes.is_empty() {
        return vec![json!({
            "pid": 314, "stime": 0, "rtime": 1, "command": "/app/server", "directory": "/app",
            "cpu": 1, "rss": 48_000_000,
            "listen_sockets": [{ "proto": "tcp", "address": "0.0.0.0:8080" }],
        })];
    }
    let one = |p: &ProcessFile| {
        json!({
            "pid": p.pid, "stime": 0, "rtime": 1, "command": p.command, "directory": "/",
            "cpu": p.cpu, "rss": p.rss, "listen_sockets": sockets(&p.listen),
        })
    };
    file.processes.iter().map(one).collect()
}

fn log_record(file: &LogFile, machine: String, region: String, start: Timestamp) -> Record {
    Record {
        at: file.at.at(start),
        message: file.message.clone(),
        level: file.level.clone(),
        machine,
        region,
        provider: file.provider.clone(),
        error_code: file.error_code,
        status_code: file.status_code,
        url: file.url.clone(),
    }
}

/// TOML to JSON; dates become text.
fn json_table(table: &toml::Table) -> Map<String, Value> {
    table.iter().map(|(key, value)| (key.clone(), json_value(value))).collect()
}

fn json_value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(at) => json!(at.to_string()),
        toml::Value::Array(items) => items.iter().map(json_value).collect(),
        toml::Value::Table(table) => Value::Object(json_table(table)),
    }
}
