//! From `main` to exit code: arguments, output, own log, panics, signals, runtime.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use clap::Parser;
use fly_api::Clock;
use jiff::Timestamp;

use crate::args::OutputArgs;
use crate::cancel::{Cancel, Signal};
use crate::config::{Config, Typed};
use crate::diag::CliError;
use crate::env::{self, Env};
use crate::exit::Exit;
use crate::files::Leftovers;
use crate::scrub::Scrubber;
use crate::trace::{self, OwnLog};
use crate::ui::{Terminal, Ui};

/// Arguments of a binary: anything that has the shared output options.
pub trait Arguments: Parser + Send {
    /// The shared output options.
    fn output(&self) -> &OutputArgs;
}

/// What a command gets besides its arguments.
#[derive(Clone)]
pub struct Context {
    /// The environment.
    pub env: Env,
    /// The working directory.
    pub directory: PathBuf,
    /// The terminal.
    pub ui: Ui,
    /// Whether a signal asked to stop.
    pub cancel: Cancel,
    /// The tool's own log.
    pub log: OwnLog,
    /// Secrets that must not be shown.
    pub scrubber: Scrubber,
    /// Files that a second signal removes.
    pub leftovers: Leftovers,
    /// The wall clock.
    pub clock: Clock,
    /// The command line as it was typed, program first. It may hold anything: redact it before it is stored.
    pub typed: Vec<String>,
    crash_exit: Arc<AtomicU8>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Context {
    /// A context in which nothing has happened yet. Tests make their own; no signal arrives there.
    pub fn new(env: Env, directory: impl Into<PathBuf>, ui: Ui, clock: Clock) -> Self {
        Self {
            env,
            directory: directory.into(),
            ui,
            cancel: Cancel::default(),
            log: OwnLog::default(),
            scrubber: Scrubber::default(),
            leftovers: Leftovers::default(),
            clock,
            typed: Vec::new(),
            crash_exit: Arc::new(AtomicU8::new(Exit::NothingDone.code())),
        }
    }

    /// What the time is.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Resolves the configuration, prints its warnings and, with `--verbose`, every setting with its source.
    pub fn resolve(&self, typed: Typed<'_>) -> Result<Config, CliError> {
        let config = Config::resolve(typed, &self.env, &self.directory)?;
        if let Some(token) = &config.token {
            for secret in token.value.secrets() {
                self.scrubber.learn(secret);
            }
        }
        for warning in &config.warnings {
            self.ui.warn(warning);
        }
        for (name, value, source) in config.describe() {
            self.ui.detail(&format!("{name}: {value} ({source})"));
            tracing::debug!(setting = name, value, source, "configured");
        }
        Ok(config)
    }

    /// The client of the Fly.io APIs.
    pub fn client(&self, config: &Config) -> Result<fly_api::Client, CliError> {
        config.client(Arc::clone(&self.clock))
    }

    /// From now on a crash leaves something half done: its exit code is 6 instead of 4.
    pub fn mutating(&self) {
        self.crash_exit.store(Exit::Stopped.code(), Ordering::Relaxed);
    }
}

/// The whole life of a binary: `fn main() -> ExitCode { ops_cli::main(run) }`.
pub fn main<A, F, R>(run: F) -> ExitCode
where
    A: Arguments,
    F: FnOnce(A, Context) -> R,
    R: Future<Output = Result<Exit, CliError>>,
{
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the real clock")]
    let clock: Clock = Arc::new(Timestamp::now);
    start(std::env::args_os().collect(), Env::from_process(), Terminal::detect(), clock, run).into()
}

fn start<A, F, R>(typed: Vec<OsString>, env: Env, terminal: Terminal, clock: Clock, run: F) -> Exit
where
    A: Arguments,
    F: FnOnce(A, Context) -> R,
    R: Future<Output = Result<Exit, CliError>>,
{
    let words = typed.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let args = match A::try_parse_from(typed) {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to standard output, everything else to standard error; a closed pipe is fine.
            let _closed = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    let ui = Ui::new(args.output(), &env, terminal);
    let directory = match std::env::current_dir() {
        Ok(directory) => directory,
        Err(error) => {
            ui.error(&CliError::nothing_done("the working directory is gone").caused_by(error));
            return Exit::NothingDone;
        }
    };
    let mut context = Context::new(env, directory, ui, clock);
    context.typed = words;
    match prepared(args, &context, run) {
        Ok(exit) => exit,
        Err(error) => {
            context.ui.error(&error);
            error.exit()
        }
    }
}

fn prepared<A, F, R>(args: A, context: &Context, run: F) -> Result<Exit, CliError>
where
    F: FnOnce(A, Context) -> R,
    R: Future<Output = Result<Exit, CliError>>,
{
    let filter = context.env.text(env::FLY_OPS_LOG)?;
    let subscriber = trace::subscriber(&context.ui, &context.log, &context.scrubber, filter)
        .map_err(|error| CliError::usage(format!("invalid filter in FLY_OPS_LOG: {error}")))?;
    // A second subscriber in one process happens in tests only, where the first one is as good.
    let _already_set = tracing::subscriber::set_global_default(subscriber);
    let hook = context.clone();
    std::panic::set_hook(Box::new(move |panic| report_panic(&hook, panic)));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::nothing_done("cannot start the runtime").caused_by(error))?;
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            watch_signals(context)?;
            Box::pin(run(args, context.clone())).await
        })
    }));
    // Blocking work that nobody waits for any more must not keep the process.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|_| {
        let exit = if context.crash_exit.load(Ordering::Relaxed) == Exit::Stopped.code() {
            Exit::Stopped
        } else {
            Exit::NothingDone
        };
        Err(CliError::new(exit, "the tool itself failed; this is a bug")
            .hint("run it again with -vv and send what it says to the maintainers"))
    })
}

/// One line, without the payload's secrets; the own log keeps it too.
fn report_panic(context: &Context, panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place =
        panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let clean = context.scrubber.clean(message);
    tracing::error!(place, message = clean, "panic");
    context.ui.warn(&format!("internal error{place}: {clean}"));
}

#[cfg(unix)]
fn watch_signals(context: &Context) -> Result<(), CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let fail = |error| CliError::nothing_done("cannot watch for signals").caused_by(error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fail)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(fail)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(fail)?;
    let context = context.clone();
    tokio::spawn(async move {
        loop {
            let signal = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
                _ = hangup.recv() => Signal::Hangup,
            };
            on_signal(&context, signal);
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn watch_signals(context: &Context) -> Result<(), CliError> {
    let context = context.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            on_signal(&context, Signal::Interrupt);
        }
    });
    Ok(())
}

fn on_signal(context: &Context, signal: Signal) {
    if context.cancel.request(signal) {
        context.ui.note(&format!(
            "{}: stopping at a safe point; once more to stop at once",
            signal.name()
        ));
        return;
    }
    let _nothing_more = context.leftovers.remove_all();
    #[expect(
        clippy::exit,
        clippy::disallowed_methods,
        reason = "the second signal ends the process whatever else is going on"
    )]
    std::process::exit(i32::from(signal.exit().code()));
}
