//! Making plans from the command line: what is read, for one app.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fly_api::Client;
use fly_types::{AppName, RegionCode};
use ops_cli::{CliError, Config, Context, Exit, LeastToken, Typed, write_atomic};
use runbook::sealed::SealedPlan;

use super::cli::PlanArgs;
use super::show;
use crate::cli::Args;
use crate::inventory::around::{Neighbour, OrgAround};
use crate::inventory::{Inventory, observe};
use crate::regions::Regions;
use crate::template::{Options, PlanError, Request, plan};

/// What all plans of one command share.
pub(super) struct Maker<'c> {
    context: &'c Context,
    pub(super) client: Client,
    regions: Regions,
    pub(super) source: RegionCode,
    pub(super) target: RegionCode,
    options: Options,
}

/// Why an app has no plan.
pub(super) enum Failed {
    /// It could not be read.
    Unread(CliError),
    /// It was read, and cannot be planned.
    Unplanned(PlanError),
}

fn region(text: &str, flag: &str) -> Result<RegionCode, CliError> {
    text.parse().map_err(|error: fly_types::IdError| {
        CliError::from(error)
            .context(format!("{flag} '{text}'"))
            .hint("`fly platform regions` lists the codes, such as ams")
    })
}

impl<'c> Maker<'c> {
    /// Reads what is the same for every app, and refuses regions that cannot be used.
    pub(super) async fn new(
        options: &PlanArgs,
        context: &'c Context,
        config: &Config,
    ) -> Result<Self, CliError> {
        let source = region(&options.from, "--from")?;
        let target = options.to.as_deref().map(|text| region(text, "--to")).transpose()?;
        let allowed = options
            .allowed
            .iter()
            .map(|text| region(text, "--allowed"))
            .collect::<Result<Vec<_>, _>>()?;
        config.token(LeastToken::ReadOnly)?;
        let client = context.client(config)?;
        let regions = Regions::read(&client).await?;
        let target = match target {
            Some(target) => target,
            None => nearest(&regions, &source, &allowed)?,
        };
        let operator = operator(&client).await;
        let options = Options {
            backup_hours: options.backup_hours,
            waive_backup: options.waive_backup.clone(),
            rehearsed: options.answers.rehearsed.clone(),
            regions_checked: options.answers.regions_checked.clone(),
            waive_names: options.waive_names.clone(),
            drain_seconds: options.drain,
            watch_seconds: options.watch,
            no_soak: options.no_soak,
            allowed,
            operator,
            ..Options::default()
        };
        Ok(Self { context, client, regions, source, target, options })
    }

    /// Refuses regions before anything else is read.
    pub(super) fn check_regions(&self) -> Result<(), CliError> {
        if self.source == self.target {
            return Err(unplanned(&PlanError::SameRegion(self.source.clone())));
        }
        self.regions.target(&self.target).map_err(|error| unplanned(&PlanError::Region(error)))
    }

    /// The text of fly.toml, and its name.
    fn fly_toml(&mut self, file: Option<(PathBuf, String)>) {
        if let Some((path, text)) = file {
            if let Some(name) = path.file_name() {
                self.options.fly_toml_name = name.to_string_lossy().into_owned();
            }
            self.options.fly_toml = Some(text);
        }
    }

    /// Reads an app and plans its move.
    pub(super) async fn plan(
        &self,
        app: &AppName,
        org: Option<&OrgAround>,
        known: &BTreeMap<String, Neighbour>,
    ) -> Result<(Inventory, SealedPlan), Failed> {
        let inventory = observe(&self.client, app, self.context.now()).await.map_err(|error| {
            Failed::Unread(
                CliError::from(error.source)
                    .context(format!("cannot read {} of app {app}", error.what)),
            )
        })?;
        let read = match (org, &inventory.org) {
            (Some(_), _) => None,
            (None, Some(slug)) => Some(OrgAround::read(&self.client, slug).await),
            (None, None) => Some(OrgAround::default()),
        };
        let org = org.or(read.as_ref());
        let mut options = self.options.clone();
        if let Some(org) = org {
            let way = (&self.source, &self.target);
            options.around = org.of(&self.client, &inventory, &self.regions, way, known).await;
        }
        let request = Request {
            source: self.source.clone(),
            target: self.target.clone(),
            now: self.context.now(),
            options,
        };
        match plan(&inventory, &self.regions, &request) {
            Ok(sealed) => Ok((inventory, sealed)),
            Err(error) => Err(Failed::Unplanned(error)),
        }
    }
}

/// Who plans, by the token: named where something is waived.
async fn operator(client: &Client) -> String {
    let tokens = client.tokens_current().await.ok();
    let user = tokens.and_then(|found| {
        let first = found.value.tokens.items().first()?.clone();
        first.user.text().or(first.token_id.text()).map(str::to_owned)
    });
    user.unwrap_or_else(|| "unknown".to_owned())
}

/// `plan` for one app.
pub(super) async fn one(
    args: &Args,
    options: &PlanArgs,
    context: &Context,
) -> Result<Exit, CliError> {
    let config =
        context.resolve(Typed { access: Some(&args.access), app: Some(&args.app), org: None })?;
    let app = config.app()?.clone();
    let mut maker = Maker::new(options, context, &config).await?;
    maker.check_regions()?;
    let file = match &options.fly_toml {
        Some(path) => Some(read_fly_toml(context, path, &app)?),
        None => found_fly_toml(args, context)
            .filter(|(_, text)| named_app(text).is_none_or(|other| other == app.as_str())),
    };
    maker.fly_toml(file);
    let (inventory, sealed) = match maker.plan(&app, None, &BTreeMap::new()).await {
        Ok(made) => made,
        Err(Failed::Unread(error)) => return Err(error),
        Err(Failed::Unplanned(error)) => return Err(unplanned(&error)),
    };
    for unknown in &inventory.unknown {
        context.ui.warn(&format!("could not be read: {unknown}"));
    }
    let out = options.out.clone().unwrap_or_else(|| PathBuf::from("plan.json"));
    let full = context.directory.join(&out);
    write_atomic(&full, sealed.to_text().as_bytes())?;
    if let Some(patch) = patch_of(&sealed) {
        let beside = out.with_extension("fly.toml.patch");
        write_atomic(&context.directory.join(&beside), patch.as_bytes())?;
        context.ui.note(&format!(
            "the change of fly.toml is in {}; after the cutover: git apply {} && fly deploy -a {app}",
            beside.display(),
            beside.display()
        ));
    }
    show::plan(context, &sealed, show::Form::of(false, options.script))?;
    context.ui.note(&format!(
        "written to {}; next: fly-migrate region apply {}",
        out.display(),
        out.display()
    ));
    Ok(if options.detailed_exitcode { Exit::PlanHasChanges } else { Exit::Ok })
}

/// The patch of fly.toml that a plan holds.
fn patch_of(sealed: &SealedPlan) -> Option<&str> {
    let step = sealed.plan().step(&"config".into())?;
    let is_patch = step.params["is_patch"].as_bool().unwrap_or(false);
    step.params["patch"].as_str().filter(|_| is_patch)
}

fn nearest(
    regions: &Regions,
    source: &RegionCode,
    allowed: &[RegionCode],
) -> Result<RegionCode, CliError> {
    regions
        .near(source, &[])
        .into_iter()
        .find(|code| allowed.is_empty() || allowed.contains(code))
        .ok_or_else(|| CliError::usage("no region is left to go to").hint("name one with --to"))
}

/// The app that a fly.toml is for.
fn named_app(text: &str) -> Option<String> {
    let document = fly_toml::Document::parse(text);
    let path = "app".parse().ok()?;
    fly_toml::edit::get(&document, &path).ok()?.as_str().map(str::to_owned)
}

fn read_fly_toml(
    context: &Context,
    path: &Path,
    app: &AppName,
) -> Result<(PathBuf, String), CliError> {
    let text = std::fs::read_to_string(context.directory.join(path)).map_err(|error| {
        CliError::usage(format!("cannot read {}", path.display()))
            .caused_by(error)
            .hint("--fly-toml names the fly.toml of the app")
    })?;
    if let Some(other) = named_app(&text).filter(|other| other != app.as_str()) {
        return Err(CliError::usage(format!("{} is for app {other}, not {app}", path.display()))
            .hint("name the fly.toml of the app with --fly-toml"));
    }
    Ok((path.to_owned(), text))
}

/// The fly.toml of this app, if there is one where flyctl would look.
fn found_fly_toml(args: &Args, context: &Context) -> Option<(PathBuf, String)> {
    let path = ops_cli::config_file(args.app.config.as_deref(), &context.directory).ok()??;
    let text = std::fs::read_to_string(&path).ok()?;
    Some((path, text))
}

/// Why there is no plan, as an error of the command.
pub(super) fn unplanned(error: &PlanError) -> CliError {
    let exit = match error {
        PlanError::SameRegion(_) | PlanError::Region(_) | PlanError::Nothing { .. } => Exit::Usage,
        _ => Exit::NothingDone,
    };
    error.hints().into_iter().fold(CliError::new(exit, error.to_string()), CliError::hint)
}
