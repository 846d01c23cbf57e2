//! What the client does when the platform is in trouble.

use fly_api::{ErrorKind, MachineFilter};

use crate::{client, demo, fault, with_extra, world};

#[tokio::test]
async fn trouble_that_passes_is_waited_out() {
    for rest in [
        "effect = \"status\"\nstatus = 503\ncount = 2",
        "effect = \"status\"\nstatus = 429\ncount = 1",
        "effect = \"status\"\nstatus = 429\nretry_after = 1\ncount = 1",
        "effect = \"cut_body\"\nafter = 10\ncount = 1",
    ] {
        let (_sim, client) = with_extra("healthy", &fault("*", "/v1/apps/*/machines", rest)).await;
        let answer = client.machines(&demo(), &MachineFilter::default()).await.unwrap();
        let call = &answer.calls[0];
        assert!(call.attempts > 1, "{rest}: {call:?}");
        assert_eq!(call.retried_after.len(), call.attempts as usize - 1);
    }
}

#[tokio::test]
async fn garbage_is_named_not_guessed() {
    let (_sim, client) =
        with_extra("healthy", &fault("*", "/v1/apps/*/volumes", "effect = \"garbage\"")).await;
    let error = client.volumes(&demo()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Decode { .. }), "{error:?}");
    assert_eq!(error.call.error.as_deref(), Some("decode"));
}

#[tokio::test]
async fn a_dead_api_and_an_address_elsewhere() {
    let dead = client("http://127.0.0.1:1", "fo1_x");
    let error = dead.volumes(&demo()).await.unwrap_err();
    assert_eq!(error.call.error.as_deref(), Some("connect_refused"));
    let elsewhere = client("http://192.0.2.1", "fo1_x");
    let error = elsewhere.volumes(&demo()).await.unwrap_err();
    assert_eq!(error.call.error.as_deref(), Some("not_loopback"));
}

#[tokio::test]
async fn our_own_limit_keeps_below_the_platforms() {
    let (sim, client) = world("healthy").await;
    let app = demo();
    for _ in 0..5 {
        client.volumes(&app).await.unwrap();
    }
    let refused = sim.requests().iter().filter(|request| request.status == Some(429)).count();
    assert_eq!(refused, 0);
}
