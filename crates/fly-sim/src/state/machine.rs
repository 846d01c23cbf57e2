//! A Machine as the platform keeps it, and its answer form.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{rfc3339, rfc3339_millis};
use crate::world::machine::{BehaviorFile, ExecFile};

#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) region: String,
    pub(crate) instance_id: String,
    pub(crate) private_ip: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) config: Map<String, Value>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Oldest first.
    pub(crate) events: Vec<Event>,
    pub(crate) checks: Vec<Check>,
    pub(crate) host_status: String,
    pub(crate) cordoned: bool,
    /// Its host has no room: starting and updating are refused.
    pub(crate) host_full: bool,
    pub(crate) processes: Vec<Value>,
    pub(crate) lease: Option<Lease>,
    /// Older versions: (instance id, configuration), oldest first.
    pub(crate) versions: Vec<(String, Value)>,
    /// What comes next by itself, in order of time.
    pub(crate) pending: Vec<Pending>,
    pub(crate) memory_limit_mb: Option<i64>,
    pub(crate) execs: Vec<ExecFile>,
    /// From when on its schedule counts.
    pub(crate) schedule_from: Timestamp,
    /// `/tmp` of its root file system, which each boot makes anew.
    pub(crate) scratch: super::volume::Files,
}

/// A transition that happens by itself when its time has come.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) at: Timestamp,
    pub(crate) state: String,
    pub(crate) event: Option<Event>,
    /// The Machine's `auto_destroy` or a DELETE: its volume is released.
    pub(crate) last: bool,
    /// The process starts: its checks begin.
    pub(crate) boot: bool,
}

impl Pending {
    pub(crate) fn to(at: Timestamp, state: &str) -> Self {
        Self { at, state: state.to_owned(), event: None, last: false, boot: false }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) source: String,
    pub(crate) at: Timestamp,
    pub(crate) request: Option<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) output: String,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) nonce: String,
    pub(crate) owner: String,
    pub(crate) description: String,
    pub(crate) expires: Timestamp,
}

/// Events in a Machine body; the full history has its own route.
const EVENTS_IN_BODY: usize = 5;

impl Event {
    pub(crate) fn json(&self) -> Value {
        let mut value = json!({
            "id": self.id, "type": self.kind, "status": self.status, "source": self.source,
            "timestamp": self.at.as_millisecond(),
        });
        if let Some(request) = &self.request {
            value["request"] = request.clone();
        }
        value
    }

    pub(crate) fn exit(code: i64, oom_killed: bool, requested_stop: bool, at: Timestamp) -> Value {
        json!({
            "exit_event": {
                "requested_stop": requested_stop, "restarting": false, "guest_exit_code": code,
                "guest_signal": -1, "guest_error": "", "exit_code": code, "signal": -1,
                "error": "", "oom_killed": oom_killed, "exited_at": rfc3339_millis(at),
            },
            "restart_count": 0,
        })
    }
}

impl Check {
    fn json(&self) -> Value {
        json!({
            "name": self.name, "status": self.status, "output": self.output,
            "updated_at": rfc3339_millis(self.at),
        })
    }
}

impl Machine {
    pub(crate) fn image(&self) -> &str {
        self.config.get("image").and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn metadata(&self, key: &str) -> Option<&str> {
        self.config.get("metadata")?.get(key)?.as_str()
    }

    pub(crate) fn behaves_as(&self, behavior: &BehaviorFile) -> bool {
        let group = behavior.process_group.as_deref();
        self.image().contains(&behavior.image)
            && group.is_none_or(|group| self.metadata("fly_process_group") == Some(group))
    }

    pub(crate) fn memory_mb(&self) -> i64 {
        self.config.get("guest").and_then(|guest| guest["memory_mb"].as_i64()).unwrap_or(256)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.state == "destroyed"
    }

    /// Whether the platform can reach the host it lives on.
    pub(crate) fn host_ok(&self) -> bool {
        self.host_status == "ok"
    }

    pub(crate) fn image_ref(&self) -> Value {
        let image = ImageRef::parse(self.image());
        json!({
            "registry": image.registry, "repository": image.repository, "tag": image.tag,
            "digest": image.digest,
            "labels": if self.labels.is_empty() { Value::Null } else { json!(self.labels) },
        })
    }

    pub(crate) fn json(&self) -> Value {
        let (config, incomplete) = if self.host_ok() {
            (answered_config(&self.config), Value::Null)
        } else {
            (Value::Null, self.incomplete_config())
        };
        let events: Vec<Value> =
            self.events.iter().rev().take(EVENTS_IN_BODY).map(Event::json).collect();
        let mut value = json!({
            "id": self.id, "name": self.name, "state": self.state, "region": self.region,
            "instance_id": self.instance_id, "version": self.instance_id,
            "private_ip": self.private_ip, "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(self.updated_at), "config": config,
            "incomplete_config": incomplete, "image_ref": self.image_ref(), "events": events,
            "host_status": self.host_status, "cordoned": self.cordoned,
        });
        if !self.checks.is_empty() {
            value["checks"] = self.checks.iter().map(Check::json).collect();
        }
        value
    }

    /// The body of `summary=true`: without config, checks, events and host_status.
    pub(crate) fn summary(&self) -> Value {
        let mut value = self.json();
        if let Some(object) = value.as_object_mut() {
            for key in ["config", "incomplete_config", "checks", "events", "host_status"] {
                object.remove(key);
            }
        }
        value
    }

    /// What survives on the control plane of a Machine whose host cannot be reached.
    fn incomplete_config(&self) -> Value {
        let mut kept = Map::new();
        for key in ["image", "guest", "metadata", "mounts"] {
            if let Some(value) = self.config.get(key) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
        Value::Object(kept)
    }

    pub(crate) fn lease_at(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.expires > now)
    }

    /// The Machine's last event, whose id a wait answers with.
    pub(crate) fn last_event(&self) -> &str {
        self.events.last().map_or("", |event| event.id.as_str())
    }
}

/// Autostop is answered as false, true or "suspend", whatever was sent.
fn answered_config(config: &Map<String, Value>) -> Value {
    let mut config = config.clone();
    if let Some(Value::Array(services)) = config.get_mut("services") {
        for service in services {
            let Some(autostop) = service.get_mut("autostop") else { continue };
            match autostop.as_str() {
                Some("off") => *autostop = Value::Bool(false),
                Some("stop") => *autostop = Value::Bool(true),
                _ => {}
            }
        }
    }
    Value::Object(config)
}

/// An image reference taken apart, with the defaults that the platform fills in.
pub(crate) struct ImageRef {
    pub(crate) registry: String,
    pub(crate) repository: String,
    pub(crate) tag: String,
    pub(crate) digest: String,
}

impl ImageRef {
    pub(crate) fn parse(text: &str) -> Self {
        let (rest, digest) = text.split_once('@').map_or((text, None), |(r, d)| (r, Some(d)));
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (registry, repository) = match rest.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                (host.to_owned(), path.to_owned())
            }
            Some(_) => ("docker-hub-mirror.fly.io".to_owned(), rest.to_owned()),
            None => ("docker-hub-mirror.fly.io".to_owned(), format!("library/{rest}")),
        };
        // A digest that depends on the reference only: two Machines of one image agree.
        let digest = digest.map_or_else(|| Self::made_up_digest(rest, tag), str::to_owned);
        let tag = tag.unwrap_or("latest").to_owned();
        Self { registry, repository, tag, digest }
    }

    fn made_up_digest(name: &str, tag: Option<&str>) -> String {
        let mut seed: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in name.bytes().chain([b':']).chain(tag.unwrap_or("latest").bytes()) {
            seed = (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        format!("sha256:{}", super::ids::Ids::new(seed).hex(64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_references() {
        for (text, expected) in [
            ("nginx", ("docker-hub-mirror.fly.io", "library/nginx", "latest")),
            ("nginx:alpine", ("docker-hub-mirror.fly.io", "library/nginx", "alpine")),
            ("a/b:1", ("docker-hub-mirror.fly.io", "a/b", "1")),
            ("registry.fly.io/x:d-1", ("registry.fly.io", "x", "d-1")),
            ("localhost:5000/x", ("localhost:5000", "x", "latest")),
        ] {
            let image = ImageRef::parse(text);
            let seen = (image.registry.as_str(), image.repository.as_str(), image.tag.as_str());
            assert_eq!(seen, expected, "{text}");
            assert_eq!(image.digest.len(), 71);
        }
        assert_eq!(ImageRef::parse("x@sha256:ab").digest, "sha256:ab");
    }
}
