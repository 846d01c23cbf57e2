//! Machines are made once, whatever happens to the answer; what cannot be made is said with its reason.

use std::time::Duration;

use fly_api::{
    CapacityScope, ConfigBuilder, Created, MachineFilter, Marker, NewMachine, NewVolume, Reason,
    Resource, WriteError,
};
use fly_sim::{Sim, Variants};
use fly_types::wire::{Guest, MachineConfig};
use futures_util::future::join_all;

use crate::{arrived, demo, fault, start, with_extra, world, writer};

const CREATE: &str = "/v1/apps/{app}/machines";

fn config() -> MachineConfig {
    MachineConfig { image: "nginx:alpine".to_owned().into(), ..MachineConfig::default() }
}

fn new(region: &str) -> NewMachine {
    NewMachine { regions: vec![region.parse().unwrap()], config: config(), ..NewMachine::default() }
}

/// Creates one Machine under a fault and returns it with the number of Machines that came to be.
async fn create_under(rest: &str, variants: Variants) -> (Sim, Result<Created, WriteError>, usize) {
    let extra = fault("POST", "/v1/apps/*/machines", rest);
    let (sim, client) = start("healthy", &extra, variants).await;
    let writer = writer(&client).look_for(Duration::from_secs(4));
    let before = 3;
    let outcome = writer.create_machine(&demo(), &new("fra")).await;
    // Lists may still lag: a Machine that is late counts as well.
    sim.advance(Duration::from_secs(5));
    let filter = MachineFilter { include_deleted: true, ..MachineFilter::default() };
    let now = client.machines(&demo(), &filter).await.unwrap().value.len();
    (sim, outcome, now - before)
}

#[tokio::test]
async fn a_lost_answer_makes_one_machine_in_every_documented_shape() {
    let lagging = Variants { list_lag: true, ..Variants::default() };
    let late = Variants { missing_after_create: true, ..Variants::default() };
    let mut shapes = vec![Variants::default(), lagging, late];
    shapes.extend((1..=5).map(Variants::from_seed));
    let effects =
        ["effect = \"lost_reply\"\ncount = 1", "effect = \"cut_body\"\nafter = 20\ncount = 1"];
    let cases = shapes.iter().flat_map(|shape| effects.map(|effect| (*shape, effect)));
    join_all(cases.map(|(variants, rest)| async move {
        let (_sim, outcome, made) = create_under(rest, variants).await;
        let created = outcome.unwrap();
        assert!(created.found, "{variants:?} {rest}");
        assert!(created.surplus.is_empty());
        assert_eq!(made, 1, "{variants:?} {rest}");
    }))
    .await;
}

#[tokio::test]
async fn every_answer_lost_and_lists_too_slow_still_makes_one_machine() {
    // The look gives up before the list shows it, so the create is repeated; the name stands in the way.
    let extra = fault("POST", "/v1/apps/*/machines", "effect = \"lost_reply\"\ncount = 1");
    let lagging = Variants { list_lag: true, missing_after_create: true, ..Variants::default() };
    let (sim, client) = start("healthy", &extra, lagging).await;
    let writer = writer(&client).look_for(Duration::ZERO);
    let created = writer.create_machine(&demo(), &new("fra")).await.unwrap();
    assert!(created.found);
    assert_eq!(arrived(&sim, "POST", CREATE).len(), 2);
    sim.advance(Duration::from_secs(5));
    let now = client.machines(&demo(), &MachineFilter::default()).await.unwrap().value;
    assert_eq!(now.len(), 4);
}

#[tokio::test]
async fn what_had_no_effect_is_tried_again() {
    let cases = [
        "effect = \"status\"\nstatus = 429\ncount = 1",
        "effect = \"status\"\nstatus = 429\nretry_after = 1\ncount = 1",
        "effect = \"status\"\nstatus = 502\nbody = \"<html>bad gateway</html>\"\ncount = 1",
        "effect = \"garbage\"\ncount = 1",
        "effect = \"refuse\"\ncount = 1",
    ];
    join_all(cases.map(|rest| async move {
        let (sim, outcome, made) = create_under(rest, Variants::default()).await;
        assert!(!outcome.unwrap().found, "{rest}");
        assert_eq!((arrived(&sim, "POST", CREATE).len(), made), (2, 1), "{rest}");
    }))
    .await;
}

#[tokio::test]
async fn no_capacity_is_final_and_says_how_far_it_reaches() {
    for (status, body, scope, lacking) in [
        (
            422,
            r#"{"error":"could not find a candidate host","status":"insufficient_capacity"}"#,
            CapacityScope::Region,
            None,
        ),
        (
            409,
            r#"{"error":"aborted: could not reserve resource for machine: insufficient CPUs available to fulfill request"}"#,
            CapacityScope::Host,
            Some(Resource::Cpus),
        ),
        (
            412,
            r#"{"error":"insufficient resources to create new machine with existing volume (id) 'vol_9vle3lw21kmzn6d4'","status":"volume_placement_capacity"}"#,
            CapacityScope::VolumePlacement,
            None,
        ),
        (
            503,
            r#"{"error":"out of capacity","status":"insufficient_capacity"}"#,
            CapacityScope::Region,
            None,
        ),
    ] {
        let rest = format!("effect = \"status\"\nstatus = {status}\nbody = '''{body}'''");
        let (sim, outcome, made) = create_under(&rest, Variants::default()).await;
        let error = outcome.unwrap_err();
        let Reason::NoCapacity(capacity) = &error.reason else { panic!("{error}") };
        assert_eq!((capacity.scope, capacity.lacking), (scope, lacking));
        assert_eq!(capacity.region.as_deref(), Some("fra"));
        assert_eq!((arrived(&sim, "POST", CREATE).len(), made), (1, 0), "{error}");
        assert!(error.hint().is_some() && error.to_string().contains("cannot create Machine"));
    }
}

#[tokio::test]
async fn the_same_marker_is_the_same_machine_in_a_later_run() {
    let (sim, client) = world("healthy").await;
    let writer = writer(&client);
    let marker = Marker::new([("flyops_plan", "3f2a"), ("flyops_step", "4")]);
    let wanted = NewMachine { marker: Some(marker.clone()), ..new("iad") };
    let first = writer.create_machine(&demo(), &wanted).await.unwrap();
    let again = writer.create_machine(&demo(), &wanted).await.unwrap();
    assert!(!first.found && again.found);
    assert_eq!(first.machine.id, again.machine.id);
    let marked = writer.marked_machines(&demo(), &marker).await.unwrap().value;
    assert_eq!(marked.len(), 1);
    assert_eq!(marked[0].name, first.machine.name);
    assert_eq!(arrived(&sim, "POST", CREATE).len(), 2);
}

#[tokio::test]
async fn a_name_that_somebody_else_has_is_not_taken_over() {
    let (_sim, client) = world("healthy").await;
    let wanted = NewMachine { name: Some("quiet-river-2211".to_owned()), ..new("iad") };
    let error = writer(&client).create_machine(&demo(), &wanted).await.unwrap_err();
    assert_eq!(error.reason, Reason::NameTaken { by: Some("3d8d9931f46789".to_owned()) });
}

#[tokio::test]
async fn several_regions_each_with_its_own_result() {
    let body = r#"{"error":"could not find a candidate host","status":"insufficient_capacity"}"#;
    let refused =
        format!("effect = \"status\"\nstatus = 422\nbody = '{body}'\nfrom = 2\ncount = 1");
    let (_sim, client) =
        with_extra("healthy", &fault("POST", "/v1/apps/*/machines", &refused)).await;
    let sized = |region| {
        let guest = Guest {
            cpu_kind: fly_types::size::CpuKind::Shared.into(),
            cpus: 1.into(),
            memory_mb: 256.into(),
            ..Guest::default()
        };
        NewMachine { config: MachineConfig { guest: guest.into(), ..config() }, ..new(region) }
    };
    let wanted = [sized("fra"), sized("iad"), sized("nrt")];
    let result = writer(&client).create_machines(&demo(), &wanted).await;
    assert!(!result.is_complete());
    assert_eq!((result.created().count(), result.failed().count()), (2, 1));
    let (region, error) = result.failed().next().unwrap();
    let Reason::NoCapacity(capacity) = &error.reason else { panic!("{error}") };
    assert_eq!(capacity.region.as_deref(), Some(region));
    assert_eq!(capacity.size.as_deref(), Some("shared-cpu-1x 256 MB"));
    let text = result.to_string();
    assert!(text.starts_with("2 of 3 Machines created"), "{text}");
    assert!(text.contains(&format!("no room for shared-cpu-1x 256 MB in {region}")), "{text}");
    let regions: Vec<&str> = result.results.iter().map(|one| one.region.as_str()).collect();
    assert_eq!(regions, ["fra", "iad", "nrt"], "in the order in which they were asked for");
}

#[tokio::test]
async fn a_full_region_and_the_next_one() {
    for says in ["candidate", "aborted", "out_of_capacity"] {
        let full = format!("\n[[regions]]\ncode = \"ams\"\nmachines = 1\nsays = \"{says}\"\n");
        let (_sim, client) = with_extra("healthy", &full).await;
        let writer = writer(&client);
        let wanted = [new("ams"), new("ams")];
        let result = writer.create_machines(&demo(), &wanted).await;
        assert_eq!(result.created().count(), 1, "{result}");
        let (_, error) = result.failed().next().unwrap();
        let Reason::NoCapacity(capacity) = &error.reason else { panic!("{error}") };
        assert_eq!(capacity.scope, CapacityScope::Region);
        // Several regions are tried by the platform itself, in order.
        let regions = ["ams", "fra"].map(|code| code.parse().unwrap()).to_vec();
        let other = NewMachine { regions, ..new("ams") };
        let made = writer.create_machine(&demo(), &other).await.unwrap().machine;
        assert_eq!(made.region.get().unwrap().as_str(), "fra");
    }
}

#[tokio::test]
async fn a_volume_on_a_full_host_says_so() {
    let full = "\n[[regions]]\ncode = \"ams\"\nfull_volume_hosts = true\n";
    let (_sim, client) = with_extra("healthy", full).await;
    let (writer, app) = (writer(&client), demo());
    let volume = NewVolume::new("data", "ams".parse().unwrap());
    let blind = writer.create_volume(&app, &volume).await.unwrap().volume.id;
    let guest = fly_types::size::Size::smallest().to_guest();
    let volume = NewVolume { compute: Some(guest), ..volume };
    let sized = writer.create_volume(&app, &volume).await.unwrap().volume.id;
    let on = |id: &fly_types::VolumeId| {
        let config = ConfigBuilder::new("nginx".parse().unwrap()).mount(id.clone(), "/data");
        NewMachine { config: config.build().unwrap(), ..new("ams") }
    };
    let error = writer.create_machine(&app, &on(&blind)).await.unwrap_err();
    let Reason::NoCapacity(capacity) = &error.reason else { panic!("{error}") };
    assert_eq!(capacity.scope, CapacityScope::VolumePlacement);
    assert_eq!(capacity.volume.as_ref(), Some(&blind));
    assert!(error.hint().unwrap().contains("fork the volume"));
    writer.create_machine(&app, &on(&sized)).await.unwrap();
}
