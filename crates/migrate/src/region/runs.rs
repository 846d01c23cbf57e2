//! Runs of this tool: where they are kept, who carries them out, how they end.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fly_types::{AppName, OrgSlug};
use ops_cli::{CliError, Context, Exit, Scrubber, Ui, env};
use runbook::cancel::Cancel;
use runbook::error::{Failure, Refusal};
use runbook::event::Event;
use runbook::executor::LocalExecutor;
use runbook::inject::Faults;
use runbook::journal::Record;
use runbook::outcome::{Outcome, Report};
use runbook::plan::{Id, Plan};
use runbook::progress::Progress;
use runbook::secrets::SecretGuard;
use runbook::store::directory::DirectoryStore;

use crate::platform::Platform;
use crate::steps::registry;

/// Opens the directory of runs.
pub(crate) fn store(state: &Path) -> Result<DirectoryStore, CliError> {
    DirectoryStore::open(state.join("migrate")).map_err(|why| {
        CliError::nothing_done(format!("cannot open the directory of runs: {why}"))
            .hint("set XDG_STATE_HOME to a directory that can be written")
    })
}

/// An executor for runs of one app, wired to the terminal and to signals.
pub(crate) fn executor(
    context: &Context,
    store: DirectoryStore,
    client: fly_api::Client,
    app: AppName,
    org: Option<&OrgSlug>,
) -> Result<LocalExecutor, CliError> {
    let platform = Arc::new(Platform::new(client, app));
    let cancel = Cancel::new();
    let (asked, passed) = (context.cancel.clone(), cancel.clone());
    tokio::spawn(async move {
        asked.cancelled().await;
        passed.cancel();
    });
    let store = Arc::new(store);
    Ok(LocalExecutor::new(registry(&platform, org), store, Arc::clone(&context.clock))
        .secrets(Arc::new(Guard(context.scrubber.clone())))
        .progress(Arc::new(Lines { ui: context.ui.clone(), last: Mutex::default() }))
        .faults(faults(context)?)
        .cancel(cancel))
}

/// A fault that a test asks for: a process that kills itself at a named place of a run.
fn faults(context: &Context) -> Result<Faults, CliError> {
    let Some(text) = context.env.text(env::FLY_OPS_TEST_FAULT)? else { return Ok(Faults::none()) };
    let fault = text.parse().map_err(|why: String| {
        CliError::usage(format!("invalid fault in FLY_OPS_TEST_FAULT: {why}"))
    })?;
    Ok(Faults { faults: vec![fault], later: 0 })
}

struct Guard(Scrubber);

impl SecretGuard for Guard {
    fn scrub(&self, text: &str) -> String {
        self.0.clean(text)
    }
}

/// A line per step, and one for each new thing that it waits for.
struct Lines {
    ui: Ui,
    last: Mutex<String>,
}

impl Progress for Lines {
    fn record(&self, plan: &Plan, record: &Record) {
        let title = |id: &Id| plan.step(id).map_or("", |step| step.title.as_str()).to_owned();
        match &record.event {
            Event::Intent { step, .. } => self.ui.detail(&format!("… {step}: {}", title(step))),
            Event::Done { step, acted, .. } => {
                let word = if *acted { "done" } else { "ok" };
                self.ui.note(&format!("{word} {step}: {}", title(step)));
            }
            Event::Failed { step, error, .. } => self.ui.note(&format!("failed {step}: {error}")),
            Event::Undone { step } => self.ui.note(&format!("undone {step}: {}", title(step))),
            Event::UndoFailed { step, error } => {
                self.ui.note(&format!("undo failed {step}: {error}"));
            }
            _ => {}
        }
    }

    fn note(&self, step: &Id, text: &str) {
        let line = format!("…  {step}: {text}");
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != line {
            self.ui.note(&line);
            *last = line;
        }
    }
}

/// Prints a report and says how the command ended.
pub(crate) fn ended(context: &Context, report: &Report) -> Result<Exit, CliError> {
    if context.ui.is_json() {
        context.ui.json(&report.to_json())?;
    } else {
        context.ui.out(&runbook::render::report_text(report))?;
        if matches!(
            report.outcome,
            Outcome::Stopped { .. }
                | Outcome::FollowUpFailed { .. }
                | Outcome::Held { .. }
                | Outcome::Unsafe { .. }
        ) {
            context.ui.note(&format!("fly-migrate region resume {}", report.run));
            if !report.committed {
                context.ui.note(&format!("fly-migrate region rollback {}", report.run));
            }
        }
    }
    Ok(match &report.outcome {
        Outcome::Done => Exit::Ok,
        Outcome::Undone => Exit::Undone,
        Outcome::FollowUpFailed { .. } => Exit::FollowUpFailed,
        Outcome::Held { .. } => Exit::Held,
        Outcome::Unsafe { .. } => Exit::Unsafe,
        Outcome::Stopped { error } if error.failure == Failure::Cancelled => {
            context.cancel.signal().map_or(Exit::Stopped, ops_cli::Signal::exit)
        }
        Outcome::Stopped { .. } | Outcome::UndoneTo { .. } => Exit::Stopped,
    })
}

/// A refusal as an error of the command: nothing was changed.
pub(crate) fn refused(refusal: &Refusal) -> CliError {
    let exit = if refusal.is_held() { Exit::Held } else { Exit::NothingDone };
    CliError::new(exit, refusal.to_string()).hint(refusal.hint())
}
