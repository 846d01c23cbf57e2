//! The commands that make an app, and the example of its local environment.

use std::fmt::Write as _;

use super::{Params, Template};

/// Commands in order. Sources: flyctl's help of August 2026; Fly.io documentation, mpg and launch.
pub(super) fn commands(template: Template, params: &Params) -> Vec<String> {
    let (app, region) = (params.app.as_str(), params.region.as_str());
    let mut lines = vec![format!("fly apps create {app}"), format!("fly apps create {app}-dev")];
    if template == Template::PostgresWeb {
        lines.push(
            "# Managed Postgres; the pooled address arrives as the secret DATABASE_URL.".to_owned(),
        );
        lines.push(format!("fly mpg create --name {app}-db --region {region}"));
        lines.push(format!("fly mpg attach CLUSTER_ID -a {app}"));
    }
    lines.push("# Secrets, from a file that is not committed:".to_owned());
    lines.push(format!("fly secrets import -a {app} --stage < .env.production"));
    lines.push("fly-toml check".to_owned());
    lines.push("fly deploy".to_owned());
    if template == Template::MultiRegionWeb {
        for region in &params.more_regions {
            lines.push(format!("fly scale count 1 --region {region} -a {app}"));
        }
    }
    if template == Template::Worker {
        lines.push(
            "# Two workers; the second one starts when the first one's host fails.".to_owned(),
        );
        lines.push(format!("fly scale count worker=2 -a {app}"));
    }
    lines.push(format!("fly status -a {app}"));
    lines
}

/// `.env.example`: names with values for local development.
pub(super) fn env_example(template: Template, params: &Params) -> String {
    let mut text = String::from(
        "# Copy to .env.local for `docker run --env-file .env.local`. Keep .env.local and .env.production out of the repository.\nLOG_LEVEL=debug\n",
    );
    if template.has_service() {
        let _ = writeln!(text, "PORT={}", params.port);
    }
    if template == Template::PostgresWeb {
        text.push_str("DATABASE_URL=postgres://postgres:password@host.docker.internal:5432/");
        text.push_str(&params.app.as_str().replace('-', "_"));
        text.push('\n');
    }
    text
}
