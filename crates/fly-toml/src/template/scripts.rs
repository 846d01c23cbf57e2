//! Development commands, written down for npm, make or just.

use std::fmt::Write as _;

use super::{NewFile, Params, Scripts, Template};

/// Name, command.
fn commands(template: Template, params: &Params) -> Vec<(&'static str, String)> {
    let (app, port) = (params.app.as_str(), params.port);
    let ports = if template.has_service() { format!("-p {port}:{port} ") } else { String::new() };
    let mut commands = vec![
        ("docker:build", format!("docker build -t {app} .")),
        ("docker:run", format!("docker run --rm {ports}--env-file .env.local {app}")),
        ("fly:check", "fly-toml check".to_owned()),
        ("fly:dev", "fly deploy -c fly.dev.toml".to_owned()),
        ("fly:logs", format!("fly logs -a {app}-dev")),
        ("fly:ssh", format!("fly ssh console -a {app}-dev")),
        ("fly:restart", format!("fly apps restart {app}-dev")),
    ];
    if template == Template::PostgresWeb {
        commands.push(("fly:proxy:db", "fly mpg proxy".to_owned()));
    }
    commands
}

/// The file that holds them.
pub(super) fn file(template: Template, params: &Params) -> NewFile {
    let commands = commands(template, params);
    let mut text = String::new();
    match params.scripts {
        Scripts::Npm => {
            let scripts: serde_json::Map<_, _> = commands
                .into_iter()
                .map(|(name, command)| (name.to_owned(), command.into()))
                .collect();
            let package = serde_json::json!({
                "name": params.app.as_str(), "private": true, "scripts": scripts,
            });
            // The alternate form indents.
            let _ = writeln!(text, "{package:#}");
            NewFile { name: "package.json", text }
        }
        Scripts::Make => {
            let names: Vec<String> =
                commands.iter().map(|(name, _)| name.replace(':', "-")).collect();
            let _ = writeln!(text, ".PHONY: {}", names.join(" "));
            for (name, (_, command)) in names.iter().zip(&commands) {
                let _ = write!(text, "\n{name}:\n\t{command}\n");
            }
            NewFile { name: "Makefile", text }
        }
        Scripts::Just => {
            for (index, (name, command)) in commands.iter().enumerate() {
                let gap = if index == 0 { "" } else { "\n" };
                let _ = write!(text, "{gap}{}:\n    {command}\n", name.replace(':', "-"));
            }
            NewFile { name: "justfile", text }
        }
    }
}
