//! From what was typed to what is done: everything that can be refused is refused here, before any request.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fly_api::{Client, ClientConfig, RetryPolicy};
use fly_types::AppName;
use jiff::SignedDuration;
use ops_cli::args::WindowArgs;
use ops_cli::{CliError, Config, Context, Exit, LeastToken, Typed, Window, env};
use redact::{Kind, Options, PseudonymKey, Redactor};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::args::Args;
use crate::bundle::{Means, Settings};
use crate::collect;
use crate::fault::Fault;
use crate::leak;
use crate::manifest::Reason;
use crate::output::Output;
use crate::plan;
use crate::schedule::Wanted;
use crate::surroundings::{FlyctlAccess, Found, Local, Span, Surroundings};
use crate::traffic::{Bounded, Traffic};
use crate::{PER_API_HOST, PER_PROBED_HOST};

/// Logs of this long are read when no window is given.
const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_hours(2);
/// Time kept for packing and verifying, at most.
const RESERVE: Duration = Duration::from_secs(10);
/// Largest log in the bundle.
const LOG_CAP: u64 = 32 << 20;

/// Checked arguments and configuration.
pub(super) struct Prepared {
    config: Config,
    app: AppName,
    span: Span,
    wanted: Vec<Wanted>,
    fault: Option<Fault>,
    key: PseudonymKey,
}

/// Checks everything that does not need the network or write to the disk.
pub(super) fn prepare(args: &Args, context: &Context) -> Result<Prepared, CliError> {
    let app_args = app_args(args)?;
    let typed = Typed { access: Some(&args.access), app: Some(&app_args), org: None };
    let config = context.resolve(typed)?;
    let app = config.app()?.clone();
    let span = span(&args.window, context)?;
    let wanted = wanted(args)?;
    let fault = match context.env.text(env::FLY_OPS_TEST_FAULT)? {
        None => None,
        Some(text) => Some(text.parse().map_err(|rule| {
            CliError::usage(format!("invalid fault '{text}' in FLY_OPS_TEST_FAULT: {rule}"))
        })?),
    };
    let key = pseudonym_key(args.pseudonym_key.as_deref())?;
    Ok(Prepared { config, app, span, wanted, fault, key })
}

/// The app may be the argument or `--app`, but not two different ones.
fn app_args(args: &Args) -> Result<ops_cli::args::AppArgs, CliError> {
    let mut app = args.app.clone();
    if let Some(name) = &args.name {
        let parsed: Result<AppName, _> = name.parse();
        if let Err(error) = parsed {
            return Err(
                CliError::usage(error.to_string()).hint("list your apps with `fly apps list`")
            );
        }
        if app.app.as_ref().is_some_and(|other| other != name) {
            return Err(CliError::usage("two apps are named, by the argument and by --app")
                .hint("name one"));
        }
        app.app = Some(name.clone());
    }
    Ok(app)
}

fn span(typed: &WindowArgs, context: &Context) -> Result<Span, CliError> {
    let now = context.now();
    let window = Window::parse(typed, now)?;
    let until = window.until.unwrap_or(now).min(now);
    let since = match window.since {
        Some(since) => since,
        None => until.checked_sub(DEFAULT_WINDOW).unwrap_or(until),
    };
    Ok(Span { since, until })
}

fn wanted(args: &Args) -> Result<Vec<Wanted>, CliError> {
    let all = collect::all();
    let ids: Vec<&str> = all.iter().map(|it| it.spec().id).collect();
    for (flag, list) in [("--only", &args.only), ("--skip", &args.skip)] {
        if let Some(unknown) = list.iter().find(|id| !ids.contains(&id.as_str())) {
            return Err(CliError::usage(format!(
                "invalid {flag} '{unknown}': there is no such collector"
            ))
            .hint(format!("collectors: {}", ids.join(", "))));
        }
    }
    let mut chosen: Vec<&str> = args.only.iter().map(String::as_str).collect();
    for collector in all.iter().rev() {
        if chosen.contains(&collector.spec().id) {
            chosen.extend(collector.spec().requires);
        }
    }
    let wanted: Vec<Wanted> = all
        .into_iter()
        .map(|collector| {
            let id = collector.spec().id;
            let option = if args.skip.iter().any(|it| it == id) {
                Some("--skip")
            } else if !chosen.is_empty() && !chosen.contains(&id) {
                Some("--only")
            } else if args.no_logs && id == "logs" {
                Some("--no-logs")
            } else {
                None
            };
            Wanted {
                collector,
                left_out: option.map(|it| Reason::new("option", format!("left out by {it}"))),
            }
        })
        .collect();
    if wanted.iter().all(|it| it.left_out.is_some()) {
        return Err(CliError::usage("every collector is left out").hint("drop --only or --skip"));
    }
    Ok(wanted)
}

/// The key of the pseudonyms: from a file, or fresh.
pub(super) fn pseudonym_key(file: Option<&Path>) -> Result<PseudonymKey, CliError> {
    let Some(path) = file else {
        return PseudonymKey::random().map_err(|error| CliError::nothing_done(error.to_string()));
    };
    let bytes = fs::read(path).map_err(|error| {
        CliError::usage(format!("cannot read the pseudonym key {}", path.display()))
            .caused_by(error)
            .hint("make one: head -c 32 /dev/urandom > FILE; chmod 600 FILE")
    })?;
    if !(16..=4096).contains(&bytes.len()) {
        return Err(CliError::usage(format!(
            "invalid pseudonym key {}: it must have 16 to 4096 bytes, and has {}",
            path.display(),
            bytes.len()
        ))
        .hint("make one: head -c 32 /dev/urandom > FILE; chmod 600 FILE"));
    }
    Ok(PseudonymKey::from_bytes(&bytes))
}

/// Prints the plan.
pub(super) fn show_plan(prepared: &Prepared, context: &Context) -> Result<Exit, CliError> {
    let app = prepared.app.as_str();
    let least = LeastToken::ReadOnly;
    if context.ui.is_json() {
        let collectors: Vec<_> = prepared
            .wanted
            .iter()
            .map(|it| {
                plan::collector(
                    it.collector.spec(),
                    it.left_out.as_ref().map(|reason| reason.message.as_str()),
                )
            })
            .collect();
        context.ui.json(&json!({
            "app": app,
            "token": { "set": prepared.config.token.is_some(), "least": least.scope(), "command": least.command(Some(app), None) },
            "collectors": collectors,
        }))?;
        return Ok(Exit::Ok);
    }
    context.ui.out(&plan::text(&prepared.wanted, prepared.config.token.is_some()))?;
    let bytes: u64 = prepared
        .wanted
        .iter()
        .filter(|it| it.left_out.is_none())
        .map(|it| it.collector.spec().bytes)
        .sum();
    context.ui.out(&format!(
        "\nApp {app}; about {} kB before compression, more with many Machines or logs. Reads only; nothing was run.\n\
         Least token: {}",
        bytes / 1000,
        least.sentence(Some(app), None)
    ))?;
    Ok(Exit::Ok)
}

impl Prepared {
    /// Everything that a run needs. The destination is tried out here.
    pub(super) fn ready(
        self,
        args: &Args,
        context: &Context,
    ) -> Result<(Settings, Means), CliError> {
        let Self { config, app, span, wanted, fault, key } = self;
        let places = places(&config);
        let output = Output::resolve(
            args.output.as_deref(),
            &context.directory,
            &places,
            &context.ui,
            &context.leftovers,
        )?;
        let redactor = Redactor::new(Options::new(key))
            .map_err(|error| CliError::nothing_done(error.to_string()))?;
        let token =
            config.token.as_ref().map(|token| (token.value.clone(), token.source.to_string()));
        let secrets: Vec<SecretString> =
            token.iter().flat_map(|(token, _)| token.secrets().cloned()).collect();
        for secret in &secrets {
            redactor.add_known(Kind::FlyToken, secret.expose_secret());
        }
        let reserve = RESERVE.min(args.deadline / 4);
        let deadline = tokio::time::Instant::now() + args.deadline.saturating_sub(reserve);
        let traffic = Traffic::default();
        let http = Arc::new(config.http()?);
        let bounded = |inner: Arc<net::HttpClient>, places: u32| {
            Arc::new(Bounded::new(
                inner,
                places as usize,
                traffic.clone(),
                Arc::clone(&context.clock),
            ))
        };
        let mut client = ClientConfig::new(
            config.endpoints.clone(),
            token.as_ref().map(|(token, _)| token.clone()),
            Arc::clone(&context.clock),
        );
        client.retry = RetryPolicy { deadline: args.deadline, ..RetryPolicy::default() };
        let simulated = net::is_loopback(&config.endpoints.machines);
        let around = Surroundings {
            app,
            client: Client::new(bounded(Arc::clone(&http), PER_API_HOST), client),
            probes: bounded(http, PER_PROBED_HOST),
            token,
            internet: !config.loopback_only.value && !simulated,
            span,
            log_cap: LOG_CAP,
            clock: Arc::clone(&context.clock),
            deadline,
            cancel: context.cancel.clone(),
            traffic,
            flyctl: flyctl(context, &redactor, &secrets, !config.loopback_only.value),
            local: local(context, &config, &places),
            found: Found::default(),
        };
        let mut id = [0_u8; 4];
        crate::random::fill(&mut id)
            .map_err(|error| CliError::nothing_done("no randomness for an id").caused_by(error))?;
        let threads = threads(args.threads);
        let settings = Settings {
            wanted,
            started_at: context.now(),
            id: crate::staging::hex(&id),
            argv: context.typed.clone(),
            deadline: args.deadline,
            reserve,
            max_size: args.max_size,
            reproducible: args.reproducible,
            threads,
            fault,
            output,
            ci: context.env.raw(env::CI).is_some(),
            tty: context.ui.is_interactive(),
        };
        let means = Means {
            around: Arc::new(around),
            redactor,
            scanner: leak::Scanner::new(&secrets),
            places,
            leftovers: context.leftovers.clone(),
            cancel: context.cancel.clone(),
            log: context.log.clone(),
        };
        Ok((settings, means))
    }
}

/// Threads that compress: as many as there are processors, unless somebody says otherwise.
pub(super) fn threads(typed: Option<u16>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    typed.map_or_else(all, usize::from)
}

/// Where a working directory may be made, best first.
pub(super) fn places(config: &Config) -> Vec<PathBuf> {
    let temporary = config.dirs.temporary().to_owned();
    config.dirs.cache().into_iter().chain([temporary]).collect()
}

fn flyctl(
    context: &Context,
    redactor: &Redactor,
    secrets: &[SecretString],
    may_leave: bool,
) -> FlyctlAccess {
    let variables = context.env.for_children();
    let environment = exec::Environment::from_vars(
        variables.map(|(name, value)| (std::ffi::OsString::from(name), value.to_owned())),
    );
    let redactor = redactor.clone();
    let scrub: exec::Scrub = Arc::new(move |text| redactor.redact_str(text));
    let parts: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    let token = (!parts.is_empty()).then(|| SecretString::from(parts.join(",")));
    FlyctlAccess {
        runner: exec::Runner::new(environment, scrub, Arc::clone(&context.clock)),
        token,
        may_leave,
    }
}

fn local(context: &Context, config: &Config, places: &[PathBuf]) -> Local {
    let variables = env::TABLE.iter().filter(|it| context.env.raw(**it).is_some());
    // The token's kind is the business of its own collector.
    let settings = config.describe().into_iter().filter(|(name, ..)| *name != "token");
    Local {
        variables: variables.map(|it| it.name.to_owned()).collect(),
        settings: settings.map(|(name, value, source)| (name.to_owned(), value, source)).collect(),
        directories: places.iter().cloned().chain([context.directory.clone()]).collect(),
    }
}
