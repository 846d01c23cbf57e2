//! Leases: who holds one, what it protects, how it ends.

use std::time::Duration;

use fly_api::{LeaseRequest, LeaseState, Reason, Stop};
use fly_sim::Variants;
use fly_types::MachineId;
use futures_util::future::join_all;

use crate::{arrived, demo, fault, start, with_extra, world, writer};

const LEASE: &str = "/v1/apps/{app}/machines/{machine}/lease";

fn web() -> MachineId {
    "148e21ea7e4389".parse().unwrap()
}

fn short(description: &str, seconds: u64) -> LeaseRequest {
    LeaseRequest { ttl: Duration::from_secs(seconds), ..LeaseRequest::new(description) }
}

#[tokio::test]
async fn the_holder_is_named_and_nothing_is_changed() {
    let (_sim, client) = world("lease-held").await;
    let (writer, app, id) = (writer(&client), demo(), web());
    let machine = writer.machine(&app, &id);
    for error in [
        machine.lease(&LeaseRequest::new("us")).await.unwrap_err(),
        machine.stop(&Stop::default()).await.unwrap_err(),
    ] {
        let Reason::LeaseHeld(holder) = &error.reason else { panic!("{error}") };
        assert_eq!(holder.owner, "ci@tokens.fly.io");
        assert!(error.to_string().contains("ci@tokens.fly.io holds the lease until "), "{error}");
        assert!(error.hint().unwrap().contains("ci@tokens.fly.io"));
    }
}

#[tokio::test]
async fn changes_under_a_lease_pass_and_others_do_not() {
    join_all((0..4).map(|seed| async move {
        let (_sim, client) = start("healthy", "", Variants::from_seed(seed)).await;
        let (writer, app, id) = (writer(&client), demo(), web());
        let machine = writer.machine(&app, &id);
        let lease = machine.lease(&LeaseRequest::new("run 1")).await.unwrap();
        assert_eq!(lease.state(), LeaseState::Held);
        let error = machine.cordon().await.unwrap_err();
        assert!(matches!(error.reason, Reason::LeaseHeld(_)), "{error}");
        machine.clone().under(&lease).cordon().await.unwrap();
        lease.release().await.unwrap();
        machine.uncordon().await.unwrap();
    }))
    .await;
}

#[tokio::test]
async fn another_who_finishes_in_time_is_waited_for() {
    let (sim, client) = world("lease-held").await;
    let (writer, app, id) = (writer(&client), demo(), web());
    sim.advance(Duration::from_secs(8 * 60 - 1));
    let patient = LeaseRequest { patience: Duration::from_secs(20), ..LeaseRequest::new("us") };
    let lease = writer.machine(&app, &id).lease(&patient).await.unwrap();
    lease.release().await.unwrap();
}

#[tokio::test]
async fn our_own_lease_of_a_crashed_run_or_a_lost_answer_is_waited_out() {
    // The answer is lost: the lease is there and nobody knows its nonce.
    let lost = fault("POST", "/v1/apps/*/machines/*/lease", "effect = \"lost_reply\"\ncount = 1");
    let (sim, client) = with_extra("healthy", &lost).await;
    let (writer, app, id) = (writer(&client), demo(), web());
    let lease = writer.machine(&app, &id).lease(&short("run 7", 2)).await.unwrap();
    assert!(arrived(&sim, "POST", LEASE).len() >= 2);
    lease.release().await.unwrap();
}

#[tokio::test]
async fn a_lease_that_somebody_else_took_after_it_ran_out_is_lost() {
    let (sim, client) = world("healthy").await;
    let (writer, app, id) = (writer(&client), demo(), web());
    let machine = writer.machine(&app, &id);
    let lease = machine.lease(&short("run 1", 3)).await.unwrap();
    sim.advance(Duration::from_secs(4));
    let other = machine.lease(&LeaseRequest::new("somebody else")).await.unwrap();
    let why = lease.lost().await;
    assert!(why.contains("took it"), "{why}");
    let before = sim.requests().len();
    let error = machine.clone().under(&lease).stop(&Stop::default()).await.unwrap_err();
    assert!(matches!(error.reason, Reason::LeaseLost(_)), "{error}");
    assert_eq!(sim.requests().len(), before, "nothing was sent");
    other.release().await.unwrap();
}

#[tokio::test]
async fn a_gap_is_a_loss_even_when_nobody_used_it() {
    let (sim, client) = world("healthy").await;
    let (writer, app, id) = (writer(&client), demo(), web());
    let lease = writer.machine(&app, &id).lease(&short("run 1", 3)).await.unwrap();
    sim.advance(Duration::from_secs(4));
    assert_eq!(lease.lost().await, "it had expired before it was refreshed");
}

#[tokio::test]
async fn a_dropped_lease_is_given_back() {
    let (sim, client) = world("healthy").await;
    let (writer, app, id) = (writer(&client), demo(), web());
    let machine = writer.machine(&app, &id);
    drop(machine.lease(&LeaseRequest::new("run 1")).await.unwrap());
    let patient = LeaseRequest { patience: Duration::from_secs(10), ..LeaseRequest::new("run 2") };
    machine.lease(&patient).await.unwrap().release().await.unwrap();
    assert_eq!(arrived(&sim, "DELETE", LEASE).len(), 2);
}
