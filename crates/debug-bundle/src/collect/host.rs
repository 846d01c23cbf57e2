//! The machine that this runs on: system, name servers, names of variables that are set, settings, free disk space.

use std::fs;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Collector, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Host;

static SPEC: Spec = Spec {
    id: "host",
    title: "the machine that this runs on",
    version: 1,
    requires: &[],
    needs: &[],
    calls: &[],
    files: &["host/os.json", "host/resolver.json", "host/env-names.json"],
    bytes: 3_000,
    limit: SECOND.saturating_mul(5),
    pool: Pool::Local,
    value: 30,
};

#[async_trait]
impl Collector for Host {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let disks: Vec<Value> =
            around.local.directories.iter().filter_map(|path| disk(path)).collect();
        let kernel = rustix::system::uname();
        job.value(
            "host/os.json",
            &json!({
                "os": std::env::consts::OS,
                "arch": std::env::consts::ARCH,
                "kernel": kernel.release().to_string_lossy(),
                "distribution": distribution(),
                "cpus": std::thread::available_parallelism().ok().map(std::num::NonZero::get),
                "disks": disks,
            }),
        )?;
        job.value("host/resolver.json", &resolver())?;
        let settings: Vec<Value> = around
            .local
            .settings
            .iter()
            .map(|(name, value, source)| json!({ "name": name, "value": value, "source": source }))
            .collect();
        let names = json!({ "set": around.local.variables, "settings": settings });
        job.value("host/env-names.json", &names)?;
        Ok(Outcome::OK)
    }
}

/// Name and version from `os-release`; null where there is none.
fn distribution() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}

/// Name servers and search domains of the system's resolver. Other lines are options and do not name anybody.
fn resolver() -> Value {
    let Ok(text) = fs::read_to_string("/etc/resolv.conf") else {
        return json!({ "file": null });
    };
    let values = |key: &str| -> Vec<&str> {
        text.lines()
            .filter_map(|line| line.trim().strip_prefix(key))
            .filter(|rest| rest.starts_with([' ', '\t']))
            .flat_map(str::split_whitespace)
            .collect()
    };
    json!({ "file": "/etc/resolv.conf", "nameservers": values("nameserver"), "search": values("search"), "options": values("options") })
}

fn disk(path: &std::path::Path) -> Option<Value> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(json!({
        "free_bytes": stat.f_bavail.saturating_mul(stat.f_frsize),
        "total_bytes": stat.f_blocks.saturating_mul(stat.f_frsize),
        "read_only": stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    }))
}
