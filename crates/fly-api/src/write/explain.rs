//! From what the platform answered to the reason that a caller acts on. Texts are those of the Machines API reference 2.2.

use fly_types::MachineId;
use fly_types::state::MachineState;

use super::error::{Capacity, Context, Effect, Reason, Resource};
use crate::error::ApiError;

pub(super) fn reason(context: &Context, error: &ApiError) -> Reason {
    let Some(status) = error.status_error() else {
        return match error.effect() {
            Effect::NotDone if error.is_denied() => Reason::Denied,
            Effect::NotDone if error.is_not_found() => Reason::NotFound,
            Effect::NotDone => Reason::Failed,
            Effect::MayBeDone | Effect::Done => Reason::Unknown,
        };
    };
    let has = |part: &str| status.message.contains(part);
    if let Some(scope) = status.capacity {
        return Reason::NoCapacity(Capacity {
            scope,
            lacking: lacking(&status.message),
            region: context.region.clone(),
            size: context.size.clone(),
            volume: context.volume.clone(),
            own_zone: context.own_zone,
        });
    }
    if let Some(lease) = &status.lease {
        return Reason::LeaseHeld(lease.clone());
    }
    let conflict = || Reason::VersionConflict { expected: context.version.clone(), found: None };
    match status.status {
        409 if has("unique machine name violation") => {
            Reason::NameTaken { by: existing(&status.message) }
        }
        422 if status.status_word.as_deref() == Some("name_taken") || has("already been taken") => {
            Reason::NameTaken { by: None }
        }
        409 if has("concurrent update") => conflict(),
        409 | 412 if context.version.is_some() && has("version") => conflict(),
        412 if has("volume is currently bound to machine") || has("volume already claimed") => {
            let machine = status.message.rsplit(' ').next().map(MachineId::from_wire);
            Reason::VolumeBound { machine }
        }
        412 => Reason::WrongState { state: state(&status.message) },
        403 if has("over the allowed quota") => Reason::OverQuota,
        422 if has("payment method") => Reason::OverQuota,
        401 | 403 => Reason::Denied,
        404 => Reason::NotFound,
        429 => Reason::RateLimited,
        400 | 422 => Reason::Invalid(status.message.clone()),
        _ => match error.effect() {
            Effect::NotDone => Reason::Failed,
            Effect::MayBeDone | Effect::Done => Reason::Unknown,
        },
    }
}

/// The state that stands in the way of a start or stop, as far as the text names it.
fn state(message: &str) -> Option<MachineState> {
    if let Some((_, rest)) = message.split_once("from current state: '") {
        return rest.split('\'').next().map(MachineState::from);
    }
    let known = [
        ("still active", MachineState::Started),
        ("getting replaced", MachineState::Replacing),
        ("still attempting to start", MachineState::Starting),
    ];
    known.into_iter().find(|(part, _)| message.contains(part)).map(|(_, state)| state)
}

fn lacking(message: &str) -> Option<Resource> {
    let (_, rest) = message.split_once("insufficient ")?;
    Some(match rest.split(' ').next()? {
        "memory" => Resource::Memory,
        "CPUs" | "CPU" => Resource::Cpus,
        "IPs" => Resource::Addresses,
        _ => return None,
    })
}

/// The id in `machine ID <id> already exists with name`.
fn existing(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("machine ID ")?;
    rest.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_in_the_platforms_texts() {
        for (text, wanted, passes) in [
            ("unable to start machine from current state: 'created'", Some("created"), true),
            ("unable to start machine from current state: 'destroyed'", Some("destroyed"), false),
            ("machine getting replaced, refusing to start", Some("replacing"), true),
            ("machine still attempting to start", Some("starting"), true),
            ("unable to destroy machine, not currently stopped, suspended", None, false),
        ] {
            let found = state(&format!("failed_precondition: {text}"));
            assert_eq!(found.as_ref().map(MachineState::as_str), wanted, "{text}");
            assert_eq!(Reason::WrongState { state: found }.passes(), passes, "{text}");
        }
    }
}
