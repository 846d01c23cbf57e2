//! The terminal: data on standard output, everything else on standard error, color only where it is wanted.
//!
//! A closed pipe is nobody's error: output goes on nowhere and [`Ui::stdout_closed`] says so. It must not know: what
//! is printed, the environment beyond the variables named here.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::MultiProgress;
use serde::Serialize;

use crate::args::{OutputArgs, When};
use crate::diag::CliError;
use crate::env::{self, Env};

/// What the three standard streams are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminal {
    /// Standard input is a terminal, so that a question can be answered.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// Width in columns, where known.
    pub width: Option<u16>,
}

impl Terminal {
    /// The streams of this process.
    pub fn detect() -> Self {
        let width = rustix::termios::tcgetwinsize(io::stdout())
            .or_else(|_| rustix::termios::tcgetwinsize(io::stderr()))
            .map(|size| size.ws_col)
            .ok()
            .filter(|columns| *columns > 0);
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
            width,
        }
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressMode {
    Bars,
    Lines,
    Hidden,
}

type Sink = Arc<Mutex<Box<dyn Write + Send>>>;

/// Output to the person or script that started the command. Cheap to clone.
#[derive(Clone)]
pub struct Ui {
    out: Sink,
    err: Sink,
    input: Arc<Mutex<Box<dyn io::BufRead + Send>>>,
    closed: Arc<AtomicBool>,
    settings: Settings,
    pub(crate) bars: MultiProgress,
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    json: bool,
    quiet: bool,
    verbose: u8,
    out_color: bool,
    err_color: bool,
    progress: ProgressMode,
    interactive: bool,
    width: u16,
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

/// What a captured [`Ui`] printed so far.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    /// Standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.out.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }

    /// Standard error.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.err.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }
}

struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Ui {
    /// Output to the standard streams.
    pub fn new(args: &OutputArgs, environment: &Env, terminal: Terminal) -> Self {
        Self::with(
            args,
            environment,
            terminal,
            Box::new(io::stdout()),
            Box::new(io::stderr()),
            Box::new(io::BufReader::new(io::stdin())),
        )
    }

    /// Output to memory, and `input` in place of what a person types; for tests.
    pub fn captured(
        args: &OutputArgs,
        environment: &Env,
        terminal: Terminal,
        input: &str,
    ) -> (Self, Captured) {
        let captured = Captured::default();
        let ui = Self::with(
            args,
            environment,
            terminal,
            Box::new(Buffer(Arc::clone(&captured.out))),
            Box::new(Buffer(Arc::clone(&captured.err))),
            Box::new(io::Cursor::new(input.as_bytes().to_vec())),
        );
        ui.bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        (ui, captured)
    }

    /// Output to any sinks.
    pub fn with(
        args: &OutputArgs,
        environment: &Env,
        terminal: Terminal,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        input: Box<dyn io::BufRead + Send>,
    ) -> Self {
        let dumb = environment.raw(env::TERM).is_some_and(|term| term == "dumb");
        let width = environment
            .raw(env::COLUMNS)
            .and_then(|columns| columns.to_str()?.parse().ok())
            .or(terminal.width)
            .unwrap_or(120)
            .clamp(40, 500);
        let progress = if args.quiet || args.no_progress {
            ProgressMode::Hidden
        } else if terminal.stderr && !dumb && environment.raw(env::CI).is_none() {
            ProgressMode::Bars
        } else {
            ProgressMode::Lines
        };
        let color = |is_terminal| color(args.color, environment, is_terminal && !dumb);
        let settings = Settings {
            json: args.json,
            quiet: args.quiet,
            verbose: args.verbose,
            out_color: color(terminal.stdout),
            err_color: color(terminal.stderr),
            progress,
            interactive: terminal.stdin && terminal.stderr,
            width,
        };
        let bars = MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::stderr());
        Self {
            out: Arc::new(Mutex::new(out)),
            err: Arc::new(Mutex::new(err)),
            input: Arc::new(Mutex::new(input)),
            closed: Arc::default(),
            settings,
            bars,
        }
    }

    /// Whether `--json` was given.
    pub fn is_json(&self) -> bool {
        self.settings.json
    }

    /// Whether `--quiet` was given.
    pub fn is_quiet(&self) -> bool {
        self.settings.quiet
    }

    /// How often `--verbose` was given.
    pub fn verbosity(&self) -> u8 {
        self.settings.verbose
    }

    /// Columns that tables and wrapped text may take.
    pub fn width(&self) -> u16 {
        self.settings.width
    }

    /// Whether a person can answer a question.
    pub fn is_interactive(&self) -> bool {
        self.settings.interactive
    }

    /// Whether data on standard output may have color.
    pub fn has_color(&self) -> bool {
        self.settings.out_color
    }

    /// Whether nobody reads standard output any more, so that a long listing can stop.
    pub fn stdout_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether progress is shown as bars that come and go.
    pub fn has_bars(&self) -> bool {
        self.settings.progress == ProgressMode::Bars
    }

    pub(crate) fn progress_mode(&self) -> ProgressMode {
        self.settings.progress
    }

    /// Data, with a line break at its end if it has none.
    pub fn out(&self, text: &str) -> Result<(), CliError> {
        let line_break = if text.ends_with('\n') { "" } else { "\n" };
        self.bytes(format!("{text}{line_break}").as_bytes())
    }

    /// Data as it is.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        if self.stdout_closed() {
            return Ok(());
        }
        let write = || {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            out.write_all(bytes)?;
            out.flush()
        };
        match self.bars.suspend(write) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                Err(CliError::nothing_done("cannot write to standard output").caused_by(error))
            }
        }
    }

    /// A value as indented JSON.
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| CliError::nothing_done("cannot encode the result").caused_by(error))?;
        self.out(&text)
    }

    /// A value as one line of JSON, for streams.
    pub fn json_line<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), CliError> {
        let text = serde_json::to_string(value)
            .map_err(|error| CliError::nothing_done("cannot encode the result").caused_by(error))?;
        self.out(&text)
    }

    /// A table that fits the width: upper-case headings, columns apart by blanks, no lines.
    pub fn table<R, C>(&self, headings: &[&str], rows: R) -> Result<(), CliError>
    where
        R: IntoIterator<Item = C>,
        C: IntoIterator<Item = String>,
    {
        self.out(&table(headings, rows, self.settings.width))
    }

    /// What is going on, on standard error; nothing with `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.settings.quiet {
            self.err_line(None, text);
        }
    }

    /// The same, only with `--verbose`.
    pub fn detail(&self, text: &str) {
        if self.settings.verbose > 0 {
            self.err_line(None, text);
        }
    }

    /// Something that a person should know, even with `--quiet`.
    pub fn warn(&self, text: &str) {
        self.err_line(Some(("warning", AnsiColor::Yellow)), text);
    }

    /// A failed command. Called once, by [`crate::main`].
    pub fn error(&self, error: &CliError) {
        for (index, message) in error.chain().iter().enumerate() {
            if index == 0 {
                self.err_line(Some(("error", AnsiColor::Red)), message);
            } else {
                self.err_line(None, &format!("  caused by: {message}"));
            }
        }
        for hint in error.hints() {
            self.err_line(Some(("hint", AnsiColor::Cyan)), hint);
        }
    }

    /// Text in a style where standard output has color.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.settings.out_color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Asks that `expected` (usually the app's name) be typed. Refuses where nobody can answer; `flag` is what to
    /// give instead.
    pub fn confirm_typed(
        &self,
        question: &str,
        expected: &str,
        flag: &str,
    ) -> Result<(), CliError> {
        let answer = self.ask(&format!("{question}\nType '{expected}' to go on: "), flag)?;
        if answer == expected {
            return Ok(());
        }
        Err(CliError::nothing_done(format!("not confirmed: '{expected}' was not typed")))
    }

    /// Asks a question that only `y` or `yes` answers with yes.
    pub fn confirm(&self, question: &str, flag: &str) -> Result<(), CliError> {
        let answer = self.ask(&format!("{question} [y/N] "), flag)?;
        if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(CliError::nothing_done("not confirmed"))
    }

    fn ask(&self, prompt: &str, flag: &str) -> Result<String, CliError> {
        if !self.settings.interactive {
            return Err(CliError::nothing_done(
                "this needs a confirmation, and there is no terminal to ask on",
            )
            .hint(format!("read the plan, then give {flag}")));
        }
        self.bars.suspend(|| {
            self.write_err(prompt.as_bytes());
            let mut answer = String::new();
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            io::BufRead::read_line(&mut *input, &mut answer).map_err(|error| {
                CliError::nothing_done("cannot read the answer").caused_by(error)
            })?;
            Ok(answer.trim().to_owned())
        })
    }

    pub(crate) fn err_line(&self, label: Option<(&str, AnsiColor)>, text: &str) {
        let line = match label {
            None => format!("{text}\n"),
            Some((label, color)) if self.settings.err_color => {
                let style = Style::new().bold().fg_color(Some(color.into()));
                format!("{style}{label}:{style:#} {text}\n")
            }
            Some((label, _)) => format!("{label}: {text}\n"),
        };
        self.bars.suspend(|| self.write_err(line.as_bytes()));
    }

    fn write_err(&self, bytes: &[u8]) {
        let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        // With standard error closed there is nowhere left to report to.
        let _closed = err.write_all(bytes).and_then(|()| err.flush());
    }
}

fn color(when: When, environment: &Env, is_terminal: bool) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if environment.raw(env::NO_COLOR).is_some() => false,
        When::Auto => {
            is_terminal || environment.raw(env::CLICOLOR_FORCE).is_some_and(|value| value != "0")
        }
    }
}

/// The table as text, without trailing blanks.
pub fn table<R, C>(headings: &[&str], rows: R, width: u16) -> String
where
    R: IntoIterator<Item = C>,
    C: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(headings.iter().map(|heading| heading.to_uppercase()));
    for row in rows {
        table.add_row(row.into_iter().collect::<Vec<String>>());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
