//! The simulated platform: everything that exists, behind one lock held by the server.
//!
//! Reads go through `App`, `Machine`, `Volume`; changes through the transition functions, so that every change of a
//! state writes its event. Must not know HTTP or GraphQL.

mod build;
pub(crate) mod create;
pub(crate) mod ids;
pub(crate) mod lifecycle;
mod litefs;
pub(crate) mod logs;
pub(crate) mod machine;
pub(crate) mod refusal;
pub(crate) mod room;
mod settle;
pub(crate) mod shell;
pub(crate) mod token;
pub(crate) mod volume;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::variants::Lags;
use crate::world::file::{Access, Settings, StatusFile};
use crate::world::machine::BehaviorFile;
use ids::Ids;
use logs::LogBook;
pub(crate) use machine::{Check, Event, Lease, Machine};
pub(crate) use volume::{Snapshot, Volume};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now: Timestamp,
    pub(crate) ids: Ids,
    pub(crate) settings: Settings,
    pub(crate) viewer: String,
    pub(crate) orgs: Vec<Org>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) apps: BTreeMap<String, App>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) status: StatusFile,
    pub(crate) behaviors: Vec<BehaviorFile>,
    pub(crate) builds: i64,
    pub(crate) lags: Lags,
    pub(crate) rooms: room::Rooms,
    pub(crate) issued: Vec<token::Issued>,
    pub(crate) dns: Vec<crate::world::evidence::DnsFile>,
}

#[derive(Debug, Clone)]
pub(crate) struct Org {
    pub(crate) id: String,
    pub(crate) numeric_id: i64,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    /// (name, e-mail, role)
    pub(crate) members: Vec<(String, String, String)>,
    pub(crate) trial: bool,
    pub(crate) memory_quota_mb: Option<i64>,
    pub(crate) add_ons: Vec<crate::world::file::AddOnFile>,
    pub(crate) postgres: Vec<crate::world::file::ClusterFile>,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) value: String,
    pub(crate) id: String,
    pub(crate) org: String,
    pub(crate) apps: Vec<String>,
    pub(crate) access: Access,
    pub(crate) user: Option<String>,
}

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) numeric_id: i64,
    pub(crate) name: String,
    pub(crate) org: String,
    pub(crate) status: String,
    pub(crate) network: String,
    pub(crate) role: Option<String>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) releases: Vec<Release>,
    pub(crate) ips: Vec<Ip>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) secrets_version: i64,
    pub(crate) secret_keys: Vec<SecretKey>,
    pub(crate) host_issues: Vec<HostIssue>,
    pub(crate) logs: LogBook,
    pub(crate) metrics: Vec<crate::prom::series::Metric>,
    /// What the edge answers, each with the number of times it was looked at.
    pub(crate) edge: Vec<(crate::world::evidence::EdgeFile, u64)>,
    pub(crate) litefs: Option<litefs::LiteFs>,
}

#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) status: String,
    pub(crate) at: Timestamp,
    pub(crate) image: String,
    pub(crate) description: String,
    pub(crate) reason: String,
    pub(crate) user: String,
    pub(crate) stable: bool,
    pub(crate) in_progress: bool,
    pub(crate) strategy: String,
    pub(crate) definition: Option<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct Ip {
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) kind: String,
    pub(crate) region: String,
    pub(crate) at: Timestamp,
    /// For egress addresses that belong to one Machine.
    pub(crate) machine: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) hostname: String,
    pub(crate) status: String,
    pub(crate) configured: bool,
    pub(crate) at: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) custom: bool,
    pub(crate) errors: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct SecretKey {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) value: Vec<u8>,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct HostIssue {
    pub(crate) id: String,
    pub(crate) message: String,
    pub(crate) at: Timestamp,
    pub(crate) resolved: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) impact: String,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) resolved: Option<Timestamp>,
    pub(crate) components: Vec<String>,
    /// (time, status, body), newest first.
    pub(crate) updates: Vec<(Timestamp, String, String)>,
}

impl State {
    pub(crate) fn org(&self, slug: &str) -> Option<&Org> {
        // The personal organization answers to "personal" whatever its slug.
        self.orgs
            .iter()
            .find(|org| org.slug == slug)
            .or_else(|| self.orgs.iter().find(|org| slug == "personal" && org.kind == "PERSONAL"))
    }

    pub(crate) fn app_by_id(&self, id: &str) -> Option<&App> {
        self.apps.values().find(|app| app.id == id)
    }
}

impl App {
    pub(crate) fn machine(&self, id: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.id == id)
    }

    pub(crate) fn machine_mut(&mut self, id: &str) -> Option<&mut Machine> {
        self.machines.iter_mut().find(|machine| machine.id == id)
    }

    pub(crate) fn volume(&self, id: &str) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.id == id)
    }

    pub(crate) fn current_release(&self) -> Option<&Release> {
        self.releases.iter().max_by_key(|release| release.version)
    }

    pub(crate) fn hostname(&self) -> String {
        format!("{}.fly.dev", self.name)
    }
}

/// RFC 3339 as the live service writes it: seconds only.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 3339 with milliseconds.
pub(crate) fn rfc3339_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
