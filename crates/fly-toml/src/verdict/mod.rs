//! What flyctl validates once a file is loaded: the same conditions, every one of them, with places.
//!
//! Source: superfly/flyctl internal/appconfig/validation.go of 2026-08-21. Must not know: lints.

pub mod codes;
mod mounts;
mod services;

use crate::diag::{Applicability, Diagnostic, Edit, nearest};
use crate::schema::{Config, Located, go};

/// Everything that validation refuses or warns about.
pub(crate) fn validate(config: &Config) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    build(config, &mut out);
    deploy(config, &mut out);
    checks(config, &mut out);
    services::validate(config, &mut out);
    commands(config, &mut out);
    mounts::validate(config, &mut out);
    restart(config, &mut out);
    out
}

fn build(config: &Config, out: &mut Vec<Diagnostic>) {
    let Some(build) = &config.build else { return };
    let text = |value: &Option<Located<String>>| {
        value.as_ref().filter(|text| !text.is_empty()).map(|text| text.key)
    };
    let buildpacks = build.buildpacks.as_ref().filter(|list| !list.is_empty()).map(|list| list.key);
    let strategies = [
        ("an image", text(&build.image)),
        ("a buildpack", text(&build.builder).or(buildpacks)),
        ("a Dockerfile", text(&build.dockerfile).or(text(&build.build_target))),
        ("a builtin", text(&build.builtin)),
    ];
    let used: Vec<_> =
        strategies.into_iter().filter_map(|(name, key)| Some((name, key?))).collect();
    if used.len() > 1 {
        let message = format!("the file names {} ways to build", used.len());
        let mut diagnostic = Diagnostic::new(&codes::BUILD_STRATEGIES, message);
        for (name, key) in used {
            diagnostic = diagnostic.at(key, name);
        }
        out.push(diagnostic);
    }
    if let Some(compression) = &build.compression
        && !["", "gzip", "zstd"].contains(&compression.as_str())
    {
        let message = format!("compression \"{}\" does not exist", compression.value);
        out.push(
            Diagnostic::new(&codes::COMPRESSION, message)
                .at(compression.span, "write \"gzip\" or \"zstd\""),
        );
    }
    if let Some(level) = &build.compression_level
        && !(0..=9).contains(&level.value)
    {
        let message = format!("compression level {} is outside 0 to 9", level.value);
        out.push(Diagnostic::new(&codes::COMPRESSION, message).at(level.span, "0 to 9"));
    }
}

fn deploy(config: &Config, out: &mut Vec<Diagnostic>) {
    let Some(deploy) = &config.deploy else { return };
    command(deploy.release_command.as_ref(), "release_command", out);
    let strategy = deploy.strategy.as_ref().filter(|strategy| !strategy.is_empty());
    if let Some(strategy) = strategy {
        if !STRATEGIES.contains(&strategy.as_str()) {
            let message = format!("strategy \"{}\" does not exist", strategy.value);
            let diagnostic = Diagnostic::new(&codes::UNKNOWN_STRATEGY, message);
            let meant = nearest(strategy, STRATEGIES.iter().copied());
            out.push(match meant {
                Some(meant) => {
                    diagnostic.at(strategy.span, format!("did you mean \"{meant}\"?")).fix(
                        format!("write \"{meant}\""),
                        vec![Edit::replace(strategy.span, format!("\"{meant}\""))],
                        Applicability::MaybeIncorrect,
                    )
                }
                None => {
                    diagnostic.at(strategy.span, "one of rolling, canary, bluegreen, immediate")
                }
            });
        }
        let mount = config.mounts.as_ref().and_then(|mounts| mounts.first());
        if let (true, Some(mount)) = (strategy.value == "canary", mount) {
            let diagnostic = Diagnostic::new(
                &codes::CANARY_MOUNTS,
                "canary deploys and volumes exclude each other",
            );
            let edits = vec![Edit::replace(strategy.span, "\"rolling\"")];
            out.push(
                diagnostic
                    .at(strategy.span, "a canary Machine would need a volume of its own")
                    .at(mount.span, "a volume")
                    .fix("write \"rolling\"", edits, Applicability::MaybeIncorrect),
            );
        }
    }
    let honoured = strategy.is_some_and(|word| word.value == "rolling" || word.value == "canary");
    if let (Some(limit), false) = (&deploy.max_unavailable, honoured) {
        let diagnostic = Diagnostic::new(
            &codes::MAX_UNAVAILABLE,
            "flyctl warns about max_unavailable with this strategy",
        );
        out.push(match strategy {
            Some(strategy) => diagnostic
                .at(limit.key, "has no effect")
                .at(strategy.span, "replaces Machines in its own way"),
            None => diagnostic
                .at(limit.key, "in force all the same")
                .because("Without a strategy flyctl says that max_unavailable is ignored, but the default strategy is rolling and honours it. Naming the strategy ends the warning.")
                .fix(
                    "name the strategy",
                    vec![Edit::insert(limit.key.start, "strategy = \"rolling\"\n  ")],
                    Applicability::MaybeIncorrect,
                ),
        });
    }
}

const STRATEGIES: &[&str] = &["rolling", "canary", "bluegreen", "immediate"];

fn checks(config: &Config, out: &mut Vec<Diagnostic>) {
    for (name, check) in config.checks.iter().flat_map(|checks| checks.value.iter()) {
        match &check.kind {
            Some(kind) if ["http", "tcp"].contains(&kind.as_str()) => {}
            Some(kind) => out.push(
                Diagnostic::new(
                    &codes::CHECK_TYPE,
                    format!("check `{name}` has the type \"{}\", which does not exist", kind.value),
                )
                .at(kind.span, "write \"http\" or \"tcp\""),
            ),
            None => out.push(
                Diagnostic::new(&codes::CHECK_TYPE, format!("check `{name}` has no type"))
                    .at(check.span, "add type = \"http\" or type = \"tcp\""),
            ),
        }
        if let Some(interval) = &check.interval
            && interval.seconds() < 2.0
        {
            let message = format!("check `{name}` has an interval of {}", interval.text());
            out.push(
                Diagnostic::new(&codes::CHECK_INTERVAL, message).at(interval.span, "at least 2s"),
            );
        }
        if let Some(timeout) = &check.timeout
            && timeout.seconds() > 60.0
        {
            let message = format!("check `{name}` has a timeout of {}", timeout.text());
            out.push(
                Diagnostic::new(&codes::CHECK_TIMEOUT, message).at(timeout.span, "at most 60s"),
            );
        }
    }
}

fn commands(config: &Config, out: &mut Vec<Diagnostic>) {
    command(config.console_command.as_ref(), "console_command", out);
    for (name, text) in config.processes.iter().flat_map(|processes| processes.value.iter()) {
        command(Some(text), name, out);
    }
}

fn command(text: Option<&Located<String>>, name: &str, out: &mut Vec<Diagnostic>) {
    let Some(text) = text else { return };
    if let Err(error) = go::shell_split(text) {
        let message = format!("the command of `{name}` cannot be split into words");
        out.push(Diagnostic::new(&codes::COMMAND, message).at(text.span, error.describe()));
    }
}

fn restart(config: &Config, out: &mut Vec<Diagnostic>) {
    for entry in config.restart.iter().flat_map(|list| list.value.iter()) {
        services::groups_exist(config, "restart", entry.processes.as_ref(), out);
        match &entry.policy {
            Some(policy) if ["always", "never", "on-failure"].contains(&policy.as_str()) => {}
            Some(policy) => {
                let message = format!("restart policy \"{}\" does not exist", policy.value);
                let diagnostic = Diagnostic::new(&codes::RESTART_POLICY, message)
                    .at(policy.span, "one of always, on-failure, never");
                out.push(if policy.value == "no" {
                    let edits = vec![Edit::replace(policy.span, "\"never\"")];
                    diagnostic.fix("write \"never\"", edits, Applicability::MachineApplicable)
                } else {
                    diagnostic
                });
            }
            None => out.push(
                Diagnostic::new(&codes::RESTART_POLICY, "this restart entry has no policy")
                    .at(entry.span, "add policy = \"always\", \"on-failure\" or \"never\""),
            ),
        }
    }
}
