//! Progress: one bar for the whole on a terminal, a line per collector elsewhere.

use ops_cli::Ui;

use crate::bundle::{Settings, Watcher};
use crate::collect::Spec;
use crate::schedule::{Ended, seconds};

/// Shows what is going on.
pub(super) struct Progress {
    ui: Ui,
    bar: Option<ops_cli::Progress>,
    running: Vec<&'static str>,
    ok: usize,
    all: usize,
}

impl Progress {
    /// For the collectors that are not left out.
    pub(super) fn new(ui: &Ui, settings: &Settings) -> Self {
        let all = settings.wanted.iter().filter(|it| it.left_out.is_none()).count();
        let bar = ui.progress("collecting", Some(all as u64));
        Self { ui: ui.clone(), bar: Some(bar), running: Vec::new(), ok: 0, all }
    }

    /// The last stage is over.
    pub(super) fn done(&mut self) {
        drop(self.bar.take());
    }

    fn show(&self) {
        if let Some(bar) = &self.bar {
            bar.message(self.running.join(" "));
        }
    }
}

impl Watcher for Progress {
    fn start(&mut self, spec: &'static Spec) {
        self.running.push(spec.id);
        self.show();
    }

    fn end(&mut self, ended: &Ended) {
        let outcome = &ended.outcome;
        let code = outcome.reason.as_ref().map(|reason| reason.code.as_str());
        if code == Some("option") {
            return;
        }
        self.running.retain(|id| *id != ended.spec.id);
        self.ok += usize::from(outcome.status.is_usable());
        if let Some(bar) = &self.bar {
            bar.advance(1);
        }
        self.show();
        // What went wrong is worth a line while the rest is still running; what went well is worth one in a log only.
        if outcome.status.is_loss() {
            let why =
                outcome.reason.as_ref().map(|reason| reason.message.as_str()).unwrap_or_default();
            self.ui.note(&format!("{}: {}: {why}", ended.spec.id, outcome.status.word()));
        } else if !self.ui.has_bars() {
            let why = outcome
                .reason
                .as_ref()
                .map(|reason| format!(": {}", reason.message))
                .unwrap_or_default();
            let took = seconds(std::time::Duration::from_millis(ended.run_ms));
            self.ui
                .progress(ended.spec.id, None)
                .finish(&format!("{}{why} ({took})", outcome.status.word()));
        }
    }

    fn stage(&mut self, what: &str) {
        if let Some(bar) = self.bar.take() {
            if self.running.is_empty() && self.ok > 0 {
                bar.finish(&format!("{} of {} collectors have their data", self.ok, self.all));
                self.ok = 0;
            } else {
                drop(bar);
            }
        }
        let bar = self.ui.progress(what, None);
        self.bar = Some(bar);
    }
}
