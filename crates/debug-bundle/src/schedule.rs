//! Starts each collector as soon as what it requires has ended, and stands between it and everybody else: deadline, signal
//! and panic end one collector, never the run.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use redact::Redactor;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::collect::{Collector, Need, Outcome, Spec};
use crate::fault::Fault;
use crate::job::{Done, Job};
use crate::manifest::{Reason, Status};
use crate::staging::Staging;
use crate::surroundings::{Surroundings, millis};
use crate::traffic::COLLECTOR;

/// A collector and why it is left out, if it is.
pub struct Wanted {
    /// The collector.
    pub collector: &'static dyn Collector,
    /// The option that leaves it out.
    pub left_out: Option<Reason>,
}

/// A collector that has ended.
pub struct Ended {
    /// What it is.
    pub spec: &'static Spec,
    /// How it ended.
    pub outcome: Outcome,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// Milliseconds from the start of the run to its start.
    pub offset_ms: u64,
    /// Milliseconds from being ready to its start.
    pub queue_ms: u64,
    /// Milliseconds it took.
    pub run_ms: u64,
    /// What it did.
    pub done: Done,
}

/// When to stop, and what is needed to run.
pub struct Run {
    /// What collectors see.
    pub around: Arc<Surroundings>,
    /// Where files go.
    pub staging: Arc<Staging>,
    /// What they go through.
    pub redactor: Redactor,
    /// When collecting ends.
    pub deadline: Instant,
    /// What tests ask for.
    pub fault: Option<Fault>,
}

impl Run {
    /// Runs the collectors; `on_end` is told of each end as it happens. The answer is in the order of `wanted`.
    pub async fn collect(
        &self,
        wanted: &[Wanted],
        mut on_start: impl FnMut(&'static Spec),
        mut on_end: impl FnMut(&Ended),
    ) -> Vec<Ended> {
        let begin = Instant::now();
        let mut ended: BTreeMap<&'static str, Ended> = BTreeMap::new();
        let mut waiting: Vec<&Wanted> = wanted.iter().collect();
        let mut running = JoinSet::new();
        loop {
            // One end can make several others possible or impossible; go on until nothing changes.
            let mut changed = true;
            while changed {
                changed = false;
                waiting.retain(|it| {
                    let spec = it.collector.spec();
                    let Some(verdict) = self.readiness(it, &ended) else { return true };
                    changed = true;
                    match verdict {
                        Ok(()) => {
                            on_start(spec);
                            self.start(it.collector, begin, &mut running);
                        }
                        Err(outcome) => {
                            let end = Ended::never(spec, outcome);
                            on_end(&end);
                            ended.insert(spec.id, end);
                        }
                    }
                    false
                });
            }
            match running.join_next().await {
                None => break,
                // A task holds nothing but the guarded future, which cannot panic.
                Some(Err(_)) => {}
                Some(Ok(end)) => {
                    on_end(&end);
                    ended.insert(end.spec.id, end);
                }
            }
        }
        let order = wanted.iter().map(|it| it.collector.spec());
        order
            .map(|spec| {
                ended.remove(spec.id).unwrap_or_else(|| {
                    let lost = Reason::new("internal", "the collector's task was lost");
                    Ended::never(spec, Outcome::new(Status::Failed, lost))
                })
            })
            .collect()
    }

    /// Whether a collector can start (`Ok`), never will (`Err`), or has to wait.
    fn readiness(
        &self,
        wanted: &Wanted,
        ended: &BTreeMap<&'static str, Ended>,
    ) -> Option<Result<(), Outcome>> {
        let spec = wanted.collector.spec();
        let skip = |reason| Some(Err(Outcome::new(Status::Skipped, reason)));
        if let Some(reason) = &wanted.left_out {
            return skip(reason.clone());
        }
        for need in spec.needs {
            match need {
                Need::Token if self.around.token.is_none() => {
                    let reason = Reason::new("no_token", "there is no access token")
                        .hint(Some("set FLY_API_TOKEN, or run `fly auth login`".to_owned()));
                    return skip(reason);
                }
                Need::Internet if !self.around.internet => {
                    let what = "requests stay on this machine (FLY_OPS_LOOPBACK_ONLY, or an API on loopback)";
                    return skip(Reason::new("loopback_only", what));
                }
                Need::Token | Need::Internet => {}
            }
        }
        let mut waits = false;
        for required in spec.requires {
            match ended.get(required) {
                None => waits = true,
                Some(end) if end.outcome.status.is_usable() => {}
                Some(end) => {
                    let what = format!(
                        "it needs the data of '{required}', which ended as {}",
                        end.outcome.status.word()
                    );
                    return skip(Reason::new("missing_input", what));
                }
            }
        }
        if waits {
            return None;
        }
        if let Some(outcome) = self.stopped(spec) {
            return Some(Err(outcome));
        }
        Some(Ok(()))
    }

    fn stopped(&self, spec: &Spec) -> Option<Outcome> {
        if let Some(signal) = self.around.cancel.signal() {
            let what = format!("{} came before '{}' started", signal.name(), spec.id);
            return Some(Outcome::new(Status::Canceled, Reason::new("signal", what)));
        }
        (Instant::now() >= self.deadline).then(|| {
            let what = "the time for collecting was over before it started";
            Outcome::new(Status::Timeout, Reason::new("deadline", what))
        })
    }

    fn start(
        &self,
        collector: &'static dyn Collector,
        begin: Instant,
        running: &mut JoinSet<Ended>,
    ) {
        let spec = collector.spec();
        let around = Arc::clone(&self.around);
        let job = Job::new(Arc::clone(&self.staging), self.redactor.clone());
        let deadline = self.deadline;
        let fault = self.fault.clone();
        let ready = Instant::now();
        running.spawn(async move {
            let start = Instant::now();
            let started_at = (around.clock)();
            let work = async {
                if let Some(fault) = &fault {
                    fault.strike(spec.id).await;
                }
                collector.collect(&around, &job).await.unwrap_or_else(|early| early)
            };
            let outcome = guarded(spec, &around, start, deadline, work).await;
            let mut done = job.close();
            note_unfinished(spec, &around, &mut done);
            let outcome = match done.trouble.take() {
                Some(trouble) if outcome.status.is_usable() => trouble,
                _ if outcome == Outcome::OK && done.is_cut() => {
                    let what = "a list was too long; items from its middle were left out";
                    Outcome::new(Status::OkTruncated, Reason::new("too_much", what))
                }
                _ => outcome,
            };
            Ended {
                spec,
                outcome,
                started_at: Some(started_at),
                offset_ms: millis(start.duration_since(begin)),
                queue_ms: millis(start.duration_since(ready)),
                run_ms: millis(start.elapsed()),
                done,
            }
        });
    }
}

impl Ended {
    fn never(spec: &'static Spec, outcome: Outcome) -> Self {
        Self {
            spec,
            outcome,
            started_at: None,
            offset_ms: 0,
            queue_ms: 0,
            run_ms: 0,
            done: Done::default(),
        }
    }
}

/// The boundary that no panic, deadline or signal passes.
async fn guarded(
    spec: &'static Spec,
    around: &Surroundings,
    start: Instant,
    deadline: Instant,
    work: impl Future<Output = Outcome>,
) -> Outcome {
    let own = start + spec.limit;
    let work = AssertUnwindSafe(COLLECTOR.scope(spec.id, work)).catch_unwind();
    tokio::select! {
        biased;
        signal = around.cancel.cancelled() => {
            let what = format!("{} came; what had arrived by then is kept", signal.name());
            Outcome::new(Status::Canceled, Reason::new("signal", what))
        }
        ended = work => ended.unwrap_or_else(|panic| {
            let said = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no message".to_owned());
            let reason = Reason::new("panic", format!("the collector crashed: {said}"))
                .hint(Some("this is a bug of the tool; the rest of the bundle is not affected".to_owned()));
            Outcome::new(Status::Failed, reason)
        }),
        () = tokio::time::sleep_until(own.min(deadline)) => {
            let (code, limit) = if own <= deadline {
                ("limit", spec.limit)
            } else {
                ("deadline", deadline.saturating_duration_since(start))
            };
            let what = format!("it did not end within {}; what had arrived by then is kept", seconds(limit));
            let hint = (code == "deadline").then(|| "give it more time with --deadline".to_owned());
            Outcome::new(Status::Timeout, Reason::new(code, what).hint(hint))
        }
    }
}

/// Calls that were on the wire when the collector ended are facts, too.
fn note_unfinished(spec: &Spec, around: &Surroundings, done: &mut Done) {
    let now = (around.clock)();
    for exchange in around.traffic.exchanges() {
        if exchange.collector == spec.id && exchange.duration_ms.is_none() {
            let waited = now.duration_since(exchange.started_at).as_millis();
            done.requests.push(crate::job::unfinished(
                &exchange.method,
                &exchange.url,
                exchange.started_at,
                u64::try_from(waited).unwrap_or_default(),
            ));
        }
    }
}

/// A duration for people: `1.5 s`.
pub fn seconds(duration: Duration) -> String {
    let text = format!("{:.1}", duration.as_secs_f64());
    format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
}

/// The collectors that decided how long the run took: the last to end, what it waited for, and so on, first one first.
pub fn critical_path(ended: &[Ended]) -> Vec<String> {
    let end = |it: &&Ended| it.offset_ms + it.run_ms;
    let ran = ended.iter().filter(|it| it.started_at.is_some());
    let mut path = Vec::new();
    let mut next = ran.max_by_key(end);
    while let Some(it) = next {
        path.push(it.spec.id.to_owned());
        let required = ended.iter().filter(|other| it.spec.requires.contains(&other.spec.id));
        next = required.max_by_key(end);
    }
    path.reverse();
    path
}
