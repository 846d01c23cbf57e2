//! Static egress addresses: new ones in the target, in effect and allow-listed before anything moves; the old ones go with the cleanup.

use runbook::outputs::reference;
use runbook::plan::Step;
use serde_json::json;

use super::Request;
use super::draft::Draft;
use crate::inventory::{AddressInfo, Inventory};
use crate::steps::{ALLOCATE, ALLOWED, SETTLED};

/// How long a new address needs until connections come from it: five to ten minutes.
const SECONDS: u64 = 600;
/// Machines that share an address.
const SHARE: usize = 64;
const STEP: &str = "egress";

fn of_app<'a>(inventory: &'a Inventory, region: &'a str) -> impl Iterator<Item = &'a AddressInfo> {
    inventory
        .addresses
        .iter()
        .filter(move |one| one.is_egress() && one.machine.is_none() && one.region == region)
}

/// Legacy addresses of Machines that are moved.
pub(super) fn of_machines<'a>(
    inventory: &'a Inventory,
    request: &'a Request,
) -> impl Iterator<Item = &'a AddressInfo> {
    inventory.addresses.iter().filter(|one| {
        let owner = one.machine.as_ref().and_then(|id| inventory.machine(id));
        one.is_egress() && owner.is_some_and(|machine| machine.region == request.source)
    })
}

/// The steps before anything else is made. None where the target has what the source has.
pub(super) fn build(draft: &mut Draft<'_>) {
    let (source, target) = (draft.request.source.clone(), draft.request.target.clone());
    let app = draft.app().to_owned();
    let old: Vec<&AddressInfo> = of_app(draft.inventory, source.as_str()).collect();
    let there: Vec<&str> =
        of_app(draft.inventory, target.as_str()).map(|one| one.kind.as_str()).collect();
    let mut kinds: Vec<&str> = old.iter().map(|one| one.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.retain(|kind| !there.contains(kind));
    if kinds.is_empty() {
        return;
    }
    let ips: Vec<&str> = old.iter().map(|one| one.ip.as_str()).collect();
    let count = draft.inventory.in_region(&source).count();
    if count > SHARE {
        draft.warnings.push(format!(
            "{count} Machines will share one egress address of each kind in {target}: the limit is {SHARE} (32 with bluegreen); allocate more with `fly ips allocate-egress -r {target} -a {app}`"
        ));
    }
    let addresses = reference(&STEP.into(), "addresses");
    let month = draft.prices.map_or(0.0, |prices| prices.egress_pair_month);
    let steps = vec![
        Step::new(STEP, ALLOCATE, format!("static egress addresses in {target}"))
            .why(format!(
                "Machines in {target} do not use the addresses of {source} ({})",
                ips.join(", ")
            ))
            .params(json!({"region": target, "kinds": kinds}))
            .ensures(format!("the app has egress addresses in {target}"))
            .undo("give them back", [format!("fly ips release-egress ADDRESS -a {app}")])
            .takes(10, 300)
            .costs(0.0, month)
            .changes(format!("egress/{target}"))
            .command(format!("fly ips allocate-egress -r {target} -a {app}")),
        Step::new("egress-settled", SETTLED, "the new addresses are in effect")
            .why("it takes five to ten minutes")
            .params(json!({"addresses": addresses, "seconds": SECONDS}))
            .ensures("connections from the target come from the new addresses")
            .takes(SECONDS, SECONDS * 2)
            .command(format!("sleep {SECONDS}")),
        Step::new(
            "egress-allowed",
            ALLOWED,
            "the new addresses are allow-listed where the old ones are",
        )
        .why("whoever lets in only known addresses would turn the moved app away")
        .params(json!({"addresses": addresses, "old": ips}))
        .ensures("a person said where the new addresses were allow-listed"),
    ];
    draft.serial(STEP, "egress addresses", steps);
}
