//! References inside a world: to organizations, Machines and regions. Errors carry the span of the reference.

use std::ops::Range;

use toml::Spanned;

use super::fault::EffectKind;
use super::file::{AppFile, WorldFile};

pub(crate) struct Mistake {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

pub(crate) fn check(file: &WorldFile) -> Result<(), Mistake> {
    let org_exists =
        |slug: &str| slug == "personal" || file.orgs.iter().any(|org| org.slug.as_str() == slug);
    let known_org = |slug: &Spanned<String>| {
        let message = || format!("no [[orgs]] has the slug '{}'", slug.get_ref());
        if org_exists(slug.get_ref()) { Ok(()) } else { Err(at(slug, message())) }
    };
    for token in &file.tokens {
        known_org(&token.org)?;
    }
    for (index, app) in file.apps.iter().enumerate() {
        if let Some(org) = &app.org {
            known_org(org)?;
        }
        if file.apps[..index].iter().any(|other| other.name == app.name) {
            return Err(nowhere(format!("two apps are named '{}'", app.name)));
        }
        machines(app)?;
    }
    for fault in &file.faults {
        if fault.effect == EffectKind::Status
            && !matches!(fault.status, Some(status) if (200..600).contains(&status))
        {
            return Err(nowhere(format!(
                "fault on '{}': the effect 'status' needs `status` between 200 and 599",
                fault.path
            )));
        }
        if fault.effect == EffectKind::Latency && fault.delay.is_none() {
            return Err(nowhere(format!(
                "fault on '{}': the effect 'latency' needs `delay`",
                fault.path
            )));
        }
    }
    Ok(())
}

fn machines(app: &AppFile) -> Result<(), Mistake> {
    let known = |reference: &Spanned<String>| {
        let wanted = reference.get_ref().as_str();
        let found = app.machines.iter().any(|machine| {
            machine.id.as_ref().is_some_and(|id| id.as_str() == wanted)
                || machine.name.as_deref() == Some(wanted)
        });
        if found {
            Ok(())
        } else {
            Err(at(reference, format!("app '{}' has no Machine '{wanted}'", app.name)))
        }
    };
    for volume in &app.volumes {
        if let Some(machine) = &volume.attached {
            known(machine)?;
        }
    }
    for ip in &app.ips {
        if let Some(machine) = &ip.machine {
            known(machine)?;
        }
    }
    for record in &app.logs {
        if let Some(machine) = &record.machine {
            known(machine)?;
        }
    }
    for metric in &app.metrics {
        if let Some(machine) = &metric.machine {
            known(machine)?;
        }
        if metric.value.is_some() != metric.points.is_empty() {
            return Err(nowhere(format!("metric {}: either `value` or `points`", metric.name)));
        }
    }
    for stream in &app.log_streams {
        stream.machines.iter().try_for_each(known)?;
    }
    Ok(())
}

fn at<T>(place: &Spanned<T>, message: String) -> Mistake {
    Mistake { span: place.span(), message }
}

fn nowhere(message: String) -> Mistake {
    Mistake { span: 0..0, message }
}
