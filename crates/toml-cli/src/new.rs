//! `fly-toml new` and `docker-run`: a new app from a template, and the line that runs an app locally.

use fly_toml::docker_run::{docker_run as line, shell_line};
use fly_toml::template::{NewFile, Params, new_app};
use ops_cli::{CliError, Context, Exit};

use crate::args::{DockerRunArgs, NewArgs};
use crate::one;

/// Writes the files of a template and prints the commands that make the app.
pub(crate) fn new(args: &NewArgs, context: &Context) -> Result<Exit, CliError> {
    let app = args.app_name.parse::<fly_types::AppName>()?;
    for region in std::iter::once(&args.region).chain(&args.more_regions) {
        let offered = fly_types::region::CURRENT.iter().any(|known| known.code == region);
        if !offered {
            let known: Vec<&str> = fly_types::region::CURRENT.iter().map(|it| it.code).collect();
            return Err(CliError::usage(format!("region '{region}' is not offered"))
                .hint(format!("regions: {}", known.join(" "))));
        }
    }
    let params = Params {
        app,
        region: args.region.clone(),
        more_regions: args.more_regions.clone(),
        port: args.port,
        command: args.run.clone(),
        scripts: args.scripts.into(),
    };
    let made = new_app(args.template.into(), &params);
    if args.print {
        for NewFile { name, text } in &made.files {
            context.ui.out(&format!("# --- {name}"))?;
            context.ui.bytes(text.as_bytes())?;
        }
    } else {
        let folder = context.directory.join(&args.directory);
        std::fs::create_dir_all(&folder).map_err(|error| {
            CliError::nothing_done(format!("cannot make {}", args.directory.display()))
                .caused_by(error)
        })?;
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for file in &made.files {
            let exists = folder.join(file.name).exists();
            if exists && !args.force { there.push(file) } else { missing.push(file) }
        }
        // A configuration that is there is somebody's work; scripts may be added by hand.
        if let Some(file) = there.iter().find(|file| file.name.starts_with("fly.")) {
            return Err(CliError::usage(format!("{} exists", file.name))
                .hint("choose another --directory, or give --force to replace what is there"));
        }
        for file in missing {
            one::create(&args.directory.join(file.name), &file.text, true, context)?;
        }
        for file in there {
            context.ui.warn(&format!("{} exists and is left alone; it would be:", file.name));
            context.ui.note(file.text.trim_end());
        }
    }
    context.ui.note("Next:");
    for command in &made.setup {
        context.ui.out(command)?;
    }
    Ok(Exit::Ok)
}

/// Prints how to run the image locally.
pub(crate) fn docker_run(args: &DockerRunArgs, context: &Context) -> Result<Exit, CliError> {
    let loaded = one::load(args.file.as_deref(), context)?;
    let config = loaded.config()?;
    let groups = config.groups();
    let group = args.group.as_deref().unwrap_or(config.default_group());
    if !groups.contains(&group) {
        return Err(CliError::usage(format!("there is no process group '{group}'"))
            .hint(format!("groups: {}", groups.join(", "))));
    }
    let folder = loaded.source.folder(&context.directory);
    let found = [".env.local", ".env"].into_iter().find(|name| folder.join(name).is_file());
    let words = line(&config, group, args.env_file.as_deref().or(found));
    context.ui.out(&shell_line(&words))?;
    Ok(Exit::Ok)
}
