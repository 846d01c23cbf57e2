//! The text of fly.toml for each template, and of its development overlay.

use std::fmt::Write as _;

use super::{Params, Template};
use crate::edit::quote;

/// The complete file.
pub(super) fn base(template: Template, params: &Params) -> String {
    let mut parts = vec![head(template, params)];
    if template == Template::PostgresWeb {
        let command = params.command.as_deref().unwrap_or("npx prisma migrate deploy");
        parts.push(format!(
            "[deploy]\n  # Once for each deploy, in a Machine of its own, before the new version gets traffic.\n  release_command = {}\n  strategy = \"rolling\"\n",
            quote(command)
        ));
    } else {
        parts.push("[deploy]\n  strategy = \"rolling\"\n".to_owned());
    }
    parts.push(env(template, params));
    if template == Template::Worker {
        let command = params.command.as_deref().unwrap_or("node dist/worker.js");
        parts.push(format!("[processes]\n  worker = {}\n", quote(command)));
        parts.push(
            "[[restart]]\n  # A worker that ends, for whatever reason, is started again.\n  policy = \"always\"\n  processes = [\"worker\"]\n"
                .to_owned(),
        );
    }
    if template.has_service() {
        parts.push(service(params.port));
    }
    if template == Template::Static {
        parts.push(
            "[[statics]]\n  # Served by the proxy itself, from this folder of the image.\n  guest_path = \"/app/public\"\n  url_prefix = \"/assets\"\n"
                .to_owned(),
        );
    }
    let memory = if template == Template::Static { "256mb" } else { "512mb" };
    parts.push(format!(
        "[[vm]]\n  # Start small; raise it when `fly scale show` and the metrics say so.\n  size = \"shared-cpu-1x\"\n  memory = \"{memory}\"\n"
    ));
    parts.join("\n")
}

fn head(template: Template, params: &Params) -> String {
    let kill = if template == Template::Worker { "2m" } else { "30s" };
    format!(
        "app = {}\nprimary_region = {}\n\n# Most servers drain on SIGTERM; the platform would send SIGINT and wait 5s.\nkill_signal = \"SIGTERM\"\nkill_timeout = \"{kill}\"\n",
        quote(params.app.as_str()),
        quote(&params.region)
    )
}

fn env(template: Template, params: &Params) -> String {
    let mut text = String::from(
        "[env]\n  # Not for secrets: those go into `fly secrets set`.\n  LOG_LEVEL = \"info\"\n",
    );
    if template.has_service() {
        let _ = writeln!(text, "  PORT = \"{}\"", params.port);
    }
    text
}

fn service(port: u16) -> String {
    format!(
        "[http_service]\n  internal_port = {port}\n  force_https = true\n  # Suspended Machines resume in a few hundred milliseconds. Above 2 GB of memory use \"stop\".\n  auto_stop_machines = \"suspend\"\n  auto_start_machines = true\n  # In the primary region only.\n  min_machines_running = 1\n\n  [http_service.concurrency]\n    type = \"requests\"\n    soft_limit = 200\n    hard_limit = 250\n\n  [[http_service.checks]]\n    method = \"GET\"\n    path = \"/health\"\n    interval = \"15s\"\n    timeout = \"2s\"\n    grace_period = \"10s\"\n"
    )
}

/// What the development app has different.
pub(super) fn development(template: Template, params: &Params) -> String {
    let app = quote(&format!("{}-dev", params.app));
    let mut text = format!("app = {app}\n\n[env]\n  LOG_LEVEL = \"debug\"\n");
    if template.has_service() {
        text.push_str(
            "\n[http_service]\n  auto_stop_machines = \"stop\"\n  min_machines_running = 0\n",
        );
    }
    text
}
