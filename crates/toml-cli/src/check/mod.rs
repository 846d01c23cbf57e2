//! `fly-toml check`: every file in turn, findings as the shared model, fixes, exit code.

mod dockerfile;
mod fix;
mod rules;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use findings::{Baseline, Finding, Ignores, Report, Selection, Severity, Tool};
use fly_toml::diag::to_finding;
use fly_toml::lint::Facts;
use fly_toml::schema::codes;
use fly_toml::{Applicability, Diagnostic, Document, MAX_BYTES, Options};
use ops_cli::{CliError, Context, Exit, write_atomic};

use crate::args::{CheckArgs, FormatArg};
use crate::convert;
use crate::human::{self, Shown};
use crate::input::{self, Content, Source};

/// One text with what there is to say about it.
#[derive(Debug)]
struct Checked {
    name: String,
    document: Document,
    diagnostics: Vec<Diagnostic>,
}

/// Runs the command.
pub(crate) fn run(args: &CheckArgs, context: &Context) -> Result<Exit, CliError> {
    let ui = &context.ui;
    let catalogue = rules::catalogue();
    let selection = args.select.clone().unwrap_or_default();
    selection.check(&catalogue).map_err(|error| {
        CliError::usage(error.to_string()).hint("`fly-toml explain` lists all codes")
    })?;
    let baseline = args.baseline.as_deref().map(|path| read_baseline(path, context)).transpose()?;
    let ignores = match &args.ignore_file {
        Some(path) => {
            Some(Ignores::parse(&named_text(path, context)?, &catalogue).map_err(|error| {
                CliError::usage(format!("cannot use {}", path.display())).caused_by(error)
            })?)
        }
        None => None,
    };
    let sources = input::many(&args.paths, &context.directory)?;
    if args.fix && sources.contains(&Source::Stdin) && sources.len() > 1 {
        return Err(CliError::usage("--fix of standard input goes with no other file"));
    }

    let facts = facts(args, sources.len(), context)?;

    let mut checked = Vec::new();
    let mut fixed_text = None;
    for source in &sources {
        let (mut files, fixed) = check_one(source, args, &selection, &facts, context)?;
        checked.append(&mut files);
        fixed_text = fixed_text.or(fixed);
    }

    let of = |file: &Checked, diagnostic: &Diagnostic| {
        to_finding(diagnostic, &file.document, &file.name)
    };
    let all = checked.iter().flat_map(|file| file.diagnostics.iter().map(|it| of(file, it)));
    let judged = catalogue.rules().iter().filter(|rule| selection.chooses(rule));
    let judged = judged.map(|rule| rule.id.to_owned());
    let tool = Tool { name: "fly-toml".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let mut report = Report::new(tool, about(&checked), judged, all.collect(), Vec::new());
    if let Some(baseline) = &baseline {
        report.accept(baseline);
        for stale in baseline.unused(&report) {
            ui.detail(&format!("the baseline holds {} which is gone", stale.rule));
        }
    }
    if let Some(ignores) = &ignores {
        let today = context.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        report.ignore(ignores, today);
        for stale in ignores.stale(&report, today) {
            ui.warn(&format!("the ignore entry for {} ran out or concerns nothing", stale.rule));
        }
    }
    if let Some(path) = &args.write_baseline {
        write_atomic(&context.directory.join(path), Baseline::of(report.all()).print().as_bytes())?;
        ui.note(&format!("{}: {} findings accepted", path.display(), report.findings.len()));
        return Ok(Exit::Ok);
    }

    let format =
        if ui.is_json() { FormatArg::Json } else { args.format.unwrap_or(FormatArg::Human) };
    let threshold = args.fail_on.threshold();
    let text = match format.shared() {
        Some(findings::Format::Table) => findings::table(&report, Some(ui.width()), None),
        Some(shared) => {
            shared.render(&report, &catalogue, threshold.unwrap_or(Severity::Critical), None)
        }
        None => human_text(&checked, &report, of, context),
    };
    match &fixed_text {
        Some(fixed) => {
            ui.bytes(fixed.as_bytes())?;
            ui.note(text.trim_end());
        }
        None => ui.bytes(text.as_bytes())?,
    }
    let fails = threshold.is_some_and(|threshold| report.reaches(threshold));
    Ok(if fails { Exit::Findings } else { Exit::Ok })
}

/// What is known of the app that runs.
fn facts(args: &CheckArgs, files: usize, context: &Context) -> Result<Facts, CliError> {
    if files > 1 && (args.machines.is_some() || args.private) {
        return Err(CliError::usage("--machines and --private are about one app")
            .hint("check its fly.toml alone"));
    }
    let mut facts = match &args.machines {
        Some(path) => {
            let source = input::data(path, &context.directory);
            Facts::of_machines(&convert::listed(&input::text(&source)?, source.name())?)
        }
        None => Facts::default(),
    };
    if args.private {
        facts.public = Some(false);
    }
    Ok(facts)
}

/// Checks one source and its Dockerfile; with `--fix`, after fixing. The second part is the fixed text of standard input.
fn check_one(
    source: &Source,
    args: &CheckArgs,
    selection: &Selection,
    facts: &Facts,
    context: &Context,
) -> Result<(Vec<Checked>, Option<String>), CliError> {
    let mut bytes = match source.read()? {
        Content::TooLarge => {
            let message = format!("the file has more than the {MAX_BYTES} bytes that are read");
            let diagnostics = vec![Diagnostic::new(&codes::TOO_LARGE, message)];
            let document = Document::parse("");
            let name = source.name().to_owned();
            return Ok((vec![Checked { name, document, diagnostics }], None));
        }
        Content::Bytes(bytes) => bytes,
    };
    let mut options = Options {
        allowed: args.allow_key.clone(),
        without_lints: args.no_lints,
        facts: facts.clone(),
        ..Options::default()
    };
    let docker = if args.no_dockerfile || args.no_lints {
        None
    } else {
        dockerfile::find(&bytes, source, args.dockerfile.as_deref(), context)?
    };
    options.dockerfile = docker.as_ref().map(|docker| docker.text.clone());
    let chosen = |diagnostic: &Diagnostic| {
        diagnostic.code.grade == fly_toml::diag::Grade::Syntax
            || selection.chooses(&rules::rule(diagnostic.code))
    };
    let mut fixed_text = None;
    if args.fix {
        let fixed = fix::fixed(&bytes, &options, chosen);
        if let Source::File { path, shown } = source {
            if let Some(fixed) = &fixed {
                input::unchanged(path, shown, &bytes)?;
                write_atomic(path, fixed.text.as_bytes())?;
                context.ui.note(&format!("{shown}: fixed ({})", fixed.titles.join(", ")));
            }
        } else {
            let text = fixed.as_ref().map(|fixed| fixed.text.clone());
            fixed_text = Some(text.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned()));
        }
        if let Some(fixed) = fixed {
            bytes = fixed.text.into_bytes();
        }
    }
    let mut report = fly_toml::check_bytes(&bytes, &options);
    report.diagnostics.retain(chosen);
    let mut files = vec![Checked {
        name: source.name().to_owned(),
        document: report.document,
        diagnostics: report.diagnostics,
    }];
    files.extend(docker.and_then(|docker| docker.checked(chosen)));
    Ok((files, fixed_text))
}

fn about(checked: &[Checked]) -> String {
    match checked {
        [file] => file.name.clone(),
        files => format!("{} files", files.len()),
    }
}

/// The findings that count, with their lines, file by file, and a line of counts.
fn human_text(
    checked: &[Checked],
    report: &Report,
    of: impl Fn(&Checked, &Diagnostic) -> Finding,
    context: &Context,
) -> String {
    // Which of several equal findings a baseline accepted makes no difference.
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for finding in &report.findings {
        *left.entry(format!("{finding:?}")).or_default() += 1;
    }
    let renderer = human::renderer(&context.ui);
    let mut text = String::new();
    let mut fixable = 0;
    for file in checked {
        let secrets: Vec<_> = file
            .diagnostics
            .iter()
            .filter(|diagnostic| fly_toml::lint::is_about_secrets(diagnostic.code))
            .filter_map(Diagnostic::span)
            .collect();
        let masked = human::masked(file.document.text(), &secrets);
        for diagnostic in &file.diagnostics {
            match left.get_mut(&format!("{:?}", of(file, diagnostic))) {
                Some(count @ 1..) => *count -= 1,
                _ => continue,
            }
            let shown = Shown { name: &file.name, text: &masked };
            text.push_str(&human::render(diagnostic, shown, &renderer));
            text.push('\n');
            let applicability = diagnostic.fix.as_ref().map(|fix| fix.applicability);
            fixable += usize::from(applicability == Some(Applicability::MachineApplicable));
        }
    }
    if !context.ui.is_quiet() {
        text.push_str(&counts(checked, report, fixable));
    }
    text
}

fn counts(checked: &[Checked], report: &Report, fixable: usize) -> String {
    let plural = |count: usize, word: &str| {
        if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
    };
    let words = [
        (Severity::Critical, "critical finding"),
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "note"),
    ];
    let counts: Vec<String> = words
        .into_iter()
        .map(|(severity, word)| (report.count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(count, word))
        .collect();
    let counts = if counts.is_empty() { "nothing to report".to_owned() } else { counts.join(", ") };
    let mut line = format!("{}: {counts}", about(checked));
    if fixable > 0 {
        let _ = write!(line, "; --fix resolves {fixable}");
    }
    if !report.suppressed.is_empty() {
        let _ = write!(line, "; {} accepted earlier", report.suppressed.len());
    }
    line.push('\n');
    line
}

/// A baseline or ignore file.
fn named_text(path: &Path, context: &Context) -> Result<String, CliError> {
    input::text(&input::data(path, &context.directory))
}

fn read_baseline(path: &Path, context: &Context) -> Result<Baseline, CliError> {
    Baseline::parse(&named_text(path, context)?).map_err(|error| {
        CliError::usage(format!("cannot use {}", path.display()))
            .caused_by(error)
            .hint("write it with `fly-toml check --write-baseline FILE`")
    })
}
