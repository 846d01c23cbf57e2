//! The series of a world: those that it writes down, and for the rest what follows from Machines and volumes.

use jiff::Timestamp;

use super::value::{Labels, seconds};
use crate::state::{App, Machine, State};

/// Metrics are scraped this often.
const SCRAPE: f64 = 15.0;
/// A window holds at most this many samples.
const MOST_SAMPLES: f64 = 1000.0;
/// Metrics live about fifteen days.
const RETENTION: f64 = 15.0 * 86_400.0;

/// One series: straight lines between its points.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// (seconds since 1970, value), in order.
    points: Vec<(f64, f64)>,
    /// The present: no sample is later.
    now: f64,
}

impl Series {
    /// The value at a moment, if there is one.
    pub(crate) fn at(&self, at: f64) -> Option<f64> {
        if at > self.now + SCRAPE || at < self.now - RETENTION {
            return None;
        }
        let after = self.points.partition_point(|point| point.0 <= at);
        let before = after.checked_sub(1)?;
        let (from, value) = self.points[before];
        match self.points.get(after) {
            Some((to, next)) if *to > from => {
                Some(value + (next - value) * (at - from) / (to - from))
            }
            _ => Some(value),
        }
    }

    /// Samples in the window that ends at a moment.
    pub(crate) fn window(&self, end: f64, range: f64) -> Vec<(f64, f64)> {
        let step = (range / MOST_SAMPLES).max(SCRAPE.min(range.max(1.0)));
        let mut at = end - range;
        let mut out = Vec::new();
        while at <= end + 1e-6 {
            if let Some(value) = self.at(at) {
                out.push((at, value));
            }
            at += step;
        }
        out
    }
}

struct Made<'a> {
    app: &'a App,
    now: Timestamp,
    out: Vec<Series>,
}

/// Every series of an organization.
pub(crate) fn all(state: &State, org: &str) -> Vec<Series> {
    let mut out = Vec::new();
    for app in state.apps.values().filter(|app| app.org == org) {
        let mut made = Made { app, now: state.now, out: Vec::new() };
        for machine in app.machines.iter().filter(|machine| machine.state == "started") {
            made.machine(machine);
        }
        made.volumes();
        let written: Vec<Series> = app.metrics.iter().map(|m| written(m, state.now)).collect();
        // What the world says wins.
        let said = |labels: &Labels| written.iter().any(|series| series.labels == *labels);
        out.extend(made.out.into_iter().filter(|series| !said(&series.labels)));
        out.extend(written);
    }
    out
}

/// A series as the state keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub(crate) labels: Labels,
    pub(crate) points: Vec<(Timestamp, f64)>,
}

fn written(metric: &Metric, now: Timestamp) -> Series {
    let points = metric.points.iter().map(|(at, value)| (seconds(*at), *value)).collect();
    Series { labels: metric.labels.clone(), points, now: seconds(now) }
}

impl Made<'_> {
    fn add(&mut self, name: &str, labels: &[(&str, &str)], from: f64, points: &[(f64, f64)]) {
        let app = self.app.name.as_str();
        let own = [("__name__", name), ("app", app)];
        let labels = own.iter().chain(labels).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let points = points.iter().map(|(after, value)| (from + after, *value)).collect();
        let now = seconds(self.now);
        self.out.push(Series { labels: Labels(labels.collect()), points, now });
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes and counts of a simulation")]
    fn machine(&mut self, machine: &Machine) {
        let (id, region) = (machine.id.as_str(), machine.region.as_str());
        let host = machine.private_ip.rsplit(':').nth(1).unwrap_or("0");
        let labels = [("host", host), ("instance", id), ("region", region)];
        let since = |kinds: &[&str]| {
            let found = machine.events.iter().rev();
            let mut found = found.filter(|event| kinds.contains(&event.kind.as_str()));
            found.next().map(|event| seconds(event.at))
        };
        let from = since(&["start"]).unwrap_or_else(|| seconds(machine.created_at));
        let total = machine.memory_mb() as f64 * 1_048_576.0;
        let age = (seconds(self.now) - from).max(SCRAPE);
        let flat = |value: f64| [(0.0, value)];
        for (name, part) in [
            ("mem_total", 1.0),
            ("mem_available", 0.62),
            ("mem_free", 0.35),
            ("cached", 0.22),
            ("buffers", 0.03),
            ("swap_total", 0.0),
            ("swap_free", 0.0),
            ("shmem", 0.01),
            ("slab", 0.04),
            ("active", 0.3),
            ("inactive", 0.2),
            ("dirty", 0.0),
        ] {
            let name = format!("fly_instance_memory_{name}");
            self.add(&name, &labels, from, &flat((total * part).floor()));
        }
        let cpus =
            machine.config.get("guest").and_then(|guest| guest["cpus"].as_u64()).unwrap_or(1);
        for cpu in 0..cpus {
            let cpu = cpu.to_string();
            for (mode, share) in [
                ("user", 0.03),
                ("system", 0.01),
                ("idle", 0.955),
                ("iowait", 0.003),
                ("steal", 0.002),
            ] {
                let more =
                    [labels[0], labels[1], labels[2], ("cpu_id", cpu.as_str()), ("mode", mode)];
                // Centiseconds.
                self.add(
                    "fly_instance_cpu",
                    &more,
                    from,
                    &[(0.0, 0.0), (age, age * share * 100.0)],
                );
            }
        }
        for (name, value) in [
            ("fly_instance_up", 1.0),
            ("fly_instance_cpu_baseline", 6.25 * cpus as f64),
            ("fly_instance_cpu_balance", 50_000.0 * cpus as f64),
            ("fly_instance_cpu_throttle", 0.0),
            ("fly_instance_filefd_allocated", 480.0),
            ("fly_instance_filefd_maximum", 100_000.0),
            // The proxy sends nothing to a cordoned Machine.
            ("fly_app_concurrency", if machine.cordoned { 0.0 } else { 2.0 }),
        ] {
            self.add(name, &labels, from, &flat(value));
        }
        for (minutes, value) in [("1", 0.06), ("5", 0.04), ("15", 0.03)] {
            let more = [labels[0], labels[1], labels[2], ("minutes", minutes)];
            self.add("fly_instance_load_average", &more, from, &flat(value));
        }
        for (name, rate) in [
            ("recv_bytes", 900.0),
            ("sent_bytes", 5200.0),
            ("recv_packets", 6.0),
            ("sent_packets", 7.0),
            ("recv_errs", 0.0),
            ("sent_errs", 0.0),
        ] {
            let name = format!("fly_instance_net_{name}");
            let more = [labels[0], labels[1], labels[2], ("device", "eth0")];
            self.add(&name, &more, from, &[(0.0, 0.0), (age, age * rate)]);
        }
        self.exits(machine, &labels);
        self.traffic(&labels, from, age);
    }

    /// The last exit of a Machine, as its metrics tell it.
    #[expect(clippy::cast_precision_loss, reason = "an exit code")]
    fn exits(&mut self, machine: &Machine, labels: &[(&str, &str)]) {
        let Some(event) = machine.events.iter().rev().find(|event| event.kind == "exit") else {
            return;
        };
        let exit = event.request.as_ref().map(|request| &request["exit_event"]);
        let code = exit.and_then(|exit| exit["exit_code"].as_i64()).unwrap_or(0) as f64;
        let oom = exit.is_some_and(|exit| exit["oom_killed"] == true);
        let at = seconds(event.at);
        self.add("fly_instance_exit_code", labels, at, &[(0.0, code)]);
        self.add("fly_instance_exit_oom", labels, at, &[(0.0, f64::from(u8::from(oom)))]);
    }

    fn traffic(&mut self, labels: &[(&str, &str); 3], from: f64, age: f64) {
        let region = labels[2];
        for (status, rate) in [("200", 1.5), ("404", 0.01), ("500", 0.0)] {
            let inside = [labels[0], labels[1], region, ("status", status)];
            let grows = [(0.0, 0.0), (age, age * rate)];
            self.add("fly_app_http_responses_count", &inside, from, &grows);
        }
        for (le, share) in [("0.05", 0.7), ("0.25", 0.97), ("1", 0.998), ("+Inf", 1.0)] {
            let more = [labels[0], labels[1], region, ("le", le)];
            let grows = [(0.0, 0.0), (age, age * 1.5 * share)];
            self.add("fly_app_http_response_time_seconds_bucket", &more, from, &grows);
        }
        // Edge series know no Machine; one region's are counted once.
        let edge = [region];
        let known = |series: &Series| {
            series.labels.0.get("__name__").is_some_and(|n| n == "fly_edge_data_out")
                && series.labels.0.get("region").is_some_and(|r| r == region.1)
        };
        if self.out.iter().any(known) {
            return;
        }
        for (status, rate) in [("200", 1.5), ("404", 0.01), ("503", 0.0)] {
            let more = [region, ("status", status)];
            let grows = [(0.0, 0.0), (age, age * rate)];
            self.add("fly_edge_http_responses_count", &more, from, &grows);
        }
        for (le, share) in [("0.05", 0.6), ("0.25", 0.95), ("1", 0.997), ("+Inf", 1.0)] {
            let more = [region, ("le", le)];
            let grows = [(0.0, 0.0), (age, age * 1.5 * share)];
            self.add("fly_edge_http_response_time_seconds_bucket", &more, from, &grows);
        }
        for (name, rate) in [
            ("fly_edge_data_in", 900.0),
            ("fly_edge_data_out", 5200.0),
            ("fly_edge_tcp_connects_count", 0.5),
            ("fly_edge_tcp_disconnects_count", 0.5),
            ("fly_edge_tls_handshake_errors", 0.0),
        ] {
            self.add(name, &edge, from, &[(0.0, 0.0), (age, age * rate)]);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of a simulation")]
    fn volumes(&mut self) {
        let app = self.app;
        for volume in app.volumes.iter().filter(|volume| volume.attached.is_some()) {
            let size = (volume.size_gb << 30) as f64;
            let labels = [("id", volume.id.as_str()), ("region", volume.region.as_str())];
            let from = seconds(volume.created_at);
            let used = volume.used_bytes as f64 / size * 100.0;
            self.add("fly_volume_size_bytes", &labels, from, &[(0.0, size)]);
            self.add("fly_volume_used_pct", &labels, from, &[(0.0, used)]);
            let owner = volume.attached.as_deref().and_then(|id| app.machine(id));
            let Some(owner) = owner.filter(|machine| machine.state == "started") else { continue };
            let mounts = owner.config.get("mounts").and_then(serde_json::Value::as_array);
            let path =
                mounts.and_then(|mounts| mounts.first()?["path"].as_str()).unwrap_or("/data");
            let labels = [
                ("instance", owner.id.as_str()),
                ("region", owner.region.as_str()),
                ("mount", path),
            ];
            let blocks = size / 4096.0;
            let free = blocks - volume.used_bytes as f64 / 4096.0;
            for (name, value) in [
                ("blocks", blocks),
                ("block_size", 4096.0),
                ("blocks_free", free),
                ("blocks_avail", free),
            ] {
                let name = format!("fly_instance_filesystem_{name}");
                self.add(&name, &labels, from, &[(0.0, value.floor())]);
            }
        }
    }
}
