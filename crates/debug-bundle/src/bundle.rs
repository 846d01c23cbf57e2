//! One bundle from start to end: collect, sweep, analyze, describe, pack, verify, publish.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use findings::Report;
use jiff::Timestamp;
use ops_cli::{Cancel, CliError, Exit, Leftovers, Signal};
use redact::Redactor;

use crate::analyze;
use crate::archive::{self, Entry, Source};
use crate::collect::{Outcome, Spec};
use crate::facts::Facts;
use crate::fault::Fault;
use crate::leak;
use crate::manifest::{
    BundleStatus, ClockRecord, CollectorRecord, Cut, FileRecord, HostRecord, Limits, Maker,
    Manifest, Reason, RedactionRecord, SCHEMA, Status, Truncation, WindowRecord, stamp,
};
use crate::output::Output;
use crate::report::{self, Telling};
use crate::schedule::{self, Ended, Run, Wanted};
use crate::staging::{self, Staging};
use crate::surroundings::{Surroundings, millis};

/// Everything that is decided before the first request.
pub struct Settings {
    /// Collectors in the order of the registry.
    pub wanted: Vec<Wanted>,
    /// When the run started.
    pub started_at: Timestamp,
    /// 8 hex digits.
    pub id: String,
    /// The command line, not yet redacted.
    pub argv: Vec<String>,
    /// Time for everything.
    pub deadline: Duration,
    /// Of that, kept for packing and verifying.
    pub reserve: Duration,
    /// Largest archive in bytes.
    pub max_size: u64,
    /// Fixed times in the archive.
    pub reproducible: bool,
    /// Threads that compress.
    pub threads: usize,
    /// What tests ask for.
    pub fault: Option<Fault>,
    /// Where the archive goes.
    pub output: Output,
    /// Looks like a CI run.
    pub ci: bool,
    /// A person watches.
    pub tty: bool,
}

/// What is made along the way and at the end.
pub struct Made {
    /// The manifest.
    pub manifest: Manifest,
    /// The findings.
    pub report: Report,
    /// Where the archive is, unless it went to standard output.
    pub path: Option<PathBuf>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// The signal that ended the collection.
    pub signal: Option<Signal>,
}

/// Tells a person what is going on.
pub trait Watcher: Send {
    /// A collector starts.
    fn start(&mut self, spec: &'static Spec);
    /// A collector has ended.
    fn end(&mut self, ended: &Ended);
    /// The next stage begins.
    fn stage(&mut self, what: &str);
}

/// What a run needs besides its settings.
pub struct Means {
    /// What collectors see.
    pub around: Arc<Surroundings>,
    /// The redactor.
    pub redactor: Redactor,
    /// The second scanner.
    pub scanner: leak::Scanner,
    /// Where working directories may be made.
    pub places: Vec<PathBuf>,
    /// What a second signal removes.
    pub leftovers: Leftovers,
    /// Signals.
    pub cancel: Cancel,
    /// The tool's own log.
    pub log: ops_cli::OwnLog,
}

/// Makes a bundle. An error means that there is no archive.
pub async fn make(
    settings: Settings,
    means: Means,
    watch: &mut dyn Watcher,
) -> Result<Made, CliError> {
    let staging = Staging::new(&means.places, &means.leftovers).map_err(|error| {
        CliError::nothing_done("cannot make a working directory")
            .caused_by(error)
            .hint("set TMPDIR or XDG_CACHE_HOME to a directory with free space that you may write")
    })?;
    let staging = Arc::new(staging);
    let mut ended = collect(&settings, &means, &staging, watch).await;
    let signal = means.cancel.signal();
    watch.stage("second redaction pass");
    sweep(&staging, &means.redactor, &mut ended);
    if let Some(Fault::Leak(id)) = &settings.fault {
        leak_on_purpose(&staging, &mut ended, id);
    }
    watch.stage("analysis");
    let report = judge(&settings, &means, &staging, &ended);
    watch.stage("packing and verifying");
    let mut packer = Packer { settings, means, staging, ended, report, signal };
    // Compressing and reading back is work for a thread of its own.
    tokio::task::spawn_blocking(move || packer.finish())
        .await
        .map_err(|_| CliError::nothing_done("packing crashed; no archive was kept"))?
}

async fn collect(
    settings: &Settings,
    means: &Means,
    staging: &Arc<Staging>,
    watch: &mut dyn Watcher,
) -> Vec<Ended> {
    let run = Run {
        around: Arc::clone(&means.around),
        staging: Arc::clone(staging),
        redactor: means.redactor.clone(),
        deadline: means.around.deadline,
        fault: settings.fault.clone(),
    };
    let watch = std::cell::RefCell::new(watch);
    run.collect(
        &settings.wanted,
        |spec| watch.borrow_mut().start(spec),
        |end| watch.borrow_mut().end(end),
    )
    .await
}

fn sweep(staging: &Staging, redactor: &Redactor, ended: &mut [Ended]) {
    for end in ended {
        for record in &mut end.done.files {
            if let Err(error) = staging.sweep(redactor, record) {
                let message = ops_cli::chain(&error).join(": ");
                end.outcome =
                    Outcome::new(Status::RedactionFailed, Reason::new("second_pass", message));
            }
        }
    }
}

/// Puts a secret behind the redactor's back, so that a test can see the second scanner stop it.
fn leak_on_purpose(staging: &Staging, ended: &mut [Ended], id: &str) {
    let secret = "\"leaked by FLY_OPS_TEST_FAULT: fo1_THISisNOTaREALtokenTHISisNOTaREALtoken00\"\n";
    let end = ended.iter_mut().find(|end| end.spec.id == id);
    let Some(record) = end.and_then(|end| end.done.files.first_mut()) else { return };
    let path = record.path.clone();
    if std::fs::write(staging.locate(&path), secret).is_ok() {
        *record = staging::describe(&path, secret.as_bytes());
    }
}

fn judge(settings: &Settings, means: &Means, staging: &Staging, ended: &[Ended]) -> Report {
    let places = ended
        .iter()
        .flat_map(|end| &end.done.files)
        .map(|file| (file.path.clone(), staging.locate(&file.path)))
        .collect();
    let ends = ended.iter().map(|end| (end.spec.id.to_owned(), end.outcome.clone())).collect();
    let around = &means.around;
    let facts =
        Facts::new(around.app.as_str(), around.span.since, settings.started_at, places, ends);
    analyze::analyze(&facts)
}

/// Everything after the last request.
struct Packer {
    settings: Settings,
    means: Means,
    staging: Arc<Staging>,
    ended: Vec<Ended>,
    report: Report,
    signal: Option<Signal>,
}

impl Packer {
    fn finish(&mut self) -> Result<Made, CliError> {
        let stem = self.stem();
        let draft = self.settings.output.draft(&self.means.leftovers)?;
        let mut dropped: Vec<String> = Vec::new();
        loop {
            let (manifest, documents) = self.documents(&stem, &dropped);
            let entries = self.entries(&manifest, documents);
            let mtime = if self.settings.reproducible {
                archive::FIXED_TIME
            } else {
                u64::try_from(self.settings.started_at.as_second()).unwrap_or_default()
            };
            let threads = self.settings.threads;
            let bytes = draft.fill(|file| archive::pack(file, &stem, mtime, &entries, threads))?;
            if bytes > self.settings.max_size {
                self.cut(bytes, &mut dropped)?;
                continue;
            }
            let expected = expected(&manifest, &entries);
            // Documents of the tool hold words of closed sets, which some variable may have as its value.
            let collected: std::collections::BTreeSet<&str> = manifest
                .collectors
                .iter()
                .flat_map(|it| &it.files)
                .map(|file| file.path.as_str())
                .collect();
            let verified = archive::verify(draft.path(), &stem, &expected, &archive::Leaks {
                scanner: &self.means.scanner,
                holds_known: &|path, piece| collected.contains(path) && self.means.redactor.holds_known(piece),
            })
            .map_err(|error| {
                CliError::new(Exit::VerificationFailed, "the finished archive did not pass its own check, and was removed")
                    .caused_by(error)
                    .hint("leave the collector of that file out with --skip, and report this as a bug of the redactor")
            })?;
            let path = self.settings.output.publish(draft, &stem)?;
            let report = self.report.clone();
            return Ok(Made {
                manifest,
                report,
                path,
                bytes,
                sha256: verified.sha256,
                signal: self.signal,
            });
        }
    }

    fn stem(&self) -> String {
        let app = self.means.redactor.redact_str(self.means.around.app.as_str());
        let time = self.settings.started_at.strftime("%Y%m%dT%H%M%SZ");
        archive::stem(&app, &time.to_string(), &self.settings.id)
    }

    /// The least valuable file that is left goes; an error when nothing is left to cut.
    fn cut(&self, bytes: u64, dropped: &mut Vec<String>) -> Result<(), CliError> {
        let mut left: Vec<(u8, u64, &str)> = self
            .ended
            .iter()
            .flat_map(|end| {
                end.done
                    .files
                    .iter()
                    .map(move |file| (end.spec.value, file.bytes, file.path.as_str()))
            })
            .filter(|(_, _, path)| !dropped.iter().any(|gone| gone == path))
            .collect();
        // Lowest value first; of equal value the largest, which frees most.
        left.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(b.2)));
        if left.is_empty() {
            return Err(CliError::nothing_done(format!(
                "even without any collected file the archive has {bytes} bytes, more than --max-size {}",
                self.settings.max_size
            ))
            .hint("allow more with --max-size"));
        }
        // Compressed text has about a fifth of its size: drop what should suffice, then look again.
        let excess = bytes - self.settings.max_size;
        let mut freed = 0;
        for (_, size, path) in left {
            dropped.push(path.to_owned());
            freed += size / 12 + 100;
            if freed >= excess {
                break;
            }
        }
        Ok(())
    }

    /// The documents about the run, and the manifest that names them.
    fn documents(&self, stem: &str, dropped: &[String]) -> (Manifest, Vec<(String, Vec<u8>)>) {
        let mut manifest = self.manifest(stem, dropped);
        let redaction = self.means.redactor.report();
        let telling = Telling {
            manifest: &manifest,
            report: &self.report,
            redaction: &redaction,
            ended: &self.ended,
            exchanges: &self.means.around.traffic.exchanges(),
            log: &self.means.log.snapshot(),
        };
        let documents = report::documents(&telling, &self.means.redactor);
        manifest.files =
            documents.iter().map(|(path, text)| staging::describe(path, text)).collect();
        let all = manifest.all_files();
        let (files, bytes) = all.fold((1, 0), |(n, sum), file| (n + 1, sum + file.bytes));
        manifest.counts.insert("files".to_owned(), files);
        manifest.counts.insert("bytes".to_owned(), bytes);
        (manifest, documents)
    }

    fn entries(&self, manifest: &Manifest, documents: Vec<(String, Vec<u8>)>) -> Vec<Entry> {
        let clean = report::clean_json(&self.means.redactor, serde_json::json!(manifest));
        let collected = manifest.collectors.iter().flat_map(|it| &it.files);
        let mut entries: Vec<Entry> = collected
            .filter(|file| file.truncation.kind != Cut::Dropped)
            .map(|file| Entry {
                path: file.path.clone(),
                source: Source::File(self.staging.locate(&file.path)),
                bytes: file.bytes,
            })
            .collect();
        let texts = documents.into_iter().chain([("manifest.json".to_owned(), clean)]);
        entries.extend(texts.map(|(path, text)| Entry {
            path,
            bytes: text.len() as u64,
            source: Source::Bytes(text),
        }));
        entries
    }

    fn manifest(&self, stem: &str, dropped: &[String]) -> Manifest {
        let settings = &self.settings;
        let around = &self.means.around;
        let lost = |id: &str| -> Vec<String> {
            let lost = self.report.not_judged.iter().filter(|it| it.input == id);
            lost.map(|it| it.rule.clone()).collect()
        };
        let collectors: Vec<CollectorRecord> =
            self.ended.iter().map(|end| record(end, dropped, lost(end.spec.id))).collect();
        let (status, partial_reason) = self.status();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for collector in &collectors {
            *counts.entry(format!("collectors_{}", collector.status.word())).or_default() += 1;
        }
        let requests = collectors.iter().map(|it| it.requests.len() as u64 + it.requests_left_out);
        counts.insert("requests".to_owned(), requests.sum());
        counts.insert("findings".to_owned(), self.report.findings.len() as u64);
        let redaction = self.means.redactor.report();
        Manifest {
            schema: SCHEMA.to_owned(),
            bundle_id: settings.id.clone(),
            stem: stem.to_owned(),
            tool: Maker {
                name: crate::TOOL.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            argv: settings.argv.iter().map(|arg| self.means.redactor.redact_str(arg)).collect(),
            started_at: settings.started_at,
            finished_at: (around.clock)(),
            window: WindowRecord { since: around.span.since, until: around.span.until },
            app: around.app.to_string(),
            org: self.org(),
            status,
            partial_reason,
            deadline_ms: millis(settings.deadline),
            critical_path: schedule::critical_path(&self.ended),
            clock: around.found.clock.get().cloned().unwrap_or_else(ClockRecord::default),
            limits: Limits {
                per_api_host: crate::PER_API_HOST,
                per_probed_host: crate::PER_PROBED_HOST,
                flyctl_processes: 1,
                max_archive_bytes: settings.max_size,
                max_log_bytes: around.log_cap,
                reserve_ms: millis(settings.reserve),
            },
            redaction: RedactionRecord {
                mode: "default".to_owned(),
                rules_version: redaction.rules_version.to_owned(),
                key_id: redaction.key_id,
            },
            host: HostRecord {
                os: std::env::consts::OS.to_owned(),
                arch: std::env::consts::ARCH.to_owned(),
                ci: settings.ci,
                tty: settings.tty,
            },
            counts,
            collectors,
            files: Vec::new(),
        }
    }

    fn org(&self) -> Option<String> {
        let app = self.means.around.found.app.get()?;
        app.organization.get()?.slug.text().map(str::to_owned)
    }

    fn status(&self) -> (BundleStatus, Option<String>) {
        if let Some(signal) = self.signal {
            return (BundleStatus::Partial, Some(format!("interrupted by {}", signal.name())));
        }
        let late = |end: &&Ended| {
            end.outcome.reason.as_ref().is_some_and(|reason| reason.code == "deadline")
        };
        let late: Vec<&str> = self.ended.iter().filter(late).map(|end| end.spec.id).collect();
        if !late.is_empty() {
            let reason = format!(
                "out of time ({}): {}",
                schedule::seconds(self.settings.deadline),
                late.join(", ")
            );
            return (BundleStatus::Partial, Some(reason));
        }
        let lost = self.ended.iter().any(|end| is_incomplete(&end.outcome));
        (if lost { BundleStatus::Degraded } else { BundleStatus::Complete }, None)
    }
}

/// Whether something is missing that nobody chose to leave out.
pub fn is_incomplete(outcome: &Outcome) -> bool {
    outcome.status.is_loss()
        || outcome
            .reason
            .as_ref()
            .is_some_and(|reason| matches!(reason.code.as_str(), "no_token" | "missing_input"))
}

fn record(end: &Ended, dropped: &[String], lost_findings: Vec<String>) -> CollectorRecord {
    let spec = end.spec;
    let mut files: Vec<FileRecord> = end.done.files.clone();
    let mut status = end.outcome.status;
    let mut reason = end.outcome.reason.clone();
    for file in &mut files {
        if dropped.contains(&file.path) {
            file.truncation = Truncation {
                kind: Cut::Dropped,
                cut_bytes: file.bytes,
                cut_lines: file.lines,
                note: Some("left out to keep the archive below --max-size".to_owned()),
                ..Truncation::default()
            };
            if status == Status::Ok {
                status = Status::OkTruncated;
                reason = Some(Reason::new(
                    "max_size",
                    "files were left out to keep the archive below --max-size",
                ));
            }
        }
    }
    CollectorRecord {
        id: spec.id.to_owned(),
        title: spec.title.to_owned(),
        version: spec.version,
        requires: spec.requires.iter().map(|id| (*id).to_owned()).collect(),
        status,
        reason,
        started_at: end.started_at.map(stamp::text),
        queue_ms: end.queue_ms,
        run_ms: end.run_ms,
        retries: end.done.retries,
        throttle_ms: end.done.throttle_ms,
        command: end.done.commands.clone(),
        requests: end.done.requests.clone(),
        requests_left_out: end.done.requests_left_out,
        exit_code: end.done.exit_code,
        signal: end.done.signal,
        stderr_file: end.done.stderr_file.clone(),
        files,
        enables: analyze::enabled_by(spec.id),
        lost_findings,
    }
}

/// Hashes by path, as the manifest says; the manifest's own from its bytes.
fn expected(manifest: &Manifest, entries: &[Entry]) -> BTreeMap<String, String> {
    let mut expected: BTreeMap<String, String> =
        manifest.all_files().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    for entry in entries {
        if let ("manifest.json", Source::Bytes(text)) = (entry.path.as_str(), &entry.source) {
            expected.insert(entry.path.clone(), staging::describe("", text).sha256);
        }
    }
    expected
}
