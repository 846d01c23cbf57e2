//! Changes on a paused clock: when a lease is refreshed, how long a lost thing is looked for, how fast a fleet is made.

use std::time::Duration;

use fly_types::state::MachineState;
use fly_types::wire::MachineConfig;
use fly_types::{AppName, MachineId};
use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::stub::{Seen, Stub};
use super::*;

fn shop() -> AppName {
    "shop".parse().unwrap()
}

fn id() -> MachineId {
    "148e21ea7e4389".parse().unwrap()
}

fn lease(nonce: &str) -> Value {
    json!({ "status": "success", "data": { "nonce": nonce, "expires_at": 1, "owner": "us" } })
}

fn request(seconds: u64) -> LeaseRequest {
    LeaseRequest { ttl: Duration::from_secs(seconds), ..LeaseRequest::new("run 1") }
}

/// Changes can be made from several tasks.
#[test]
fn futures_can_move_between_threads() {
    fn send<T: Send>(_: impl FnOnce(Writer) -> T) {}
    send(move |writer| async move {
        let (app, id) = (shop(), id());
        let _ = writer.create_machine(&app, &NewMachine::default()).await;
        let _ = writer.create_machines(&app, &[NewMachine::default()]).await;
        let volume = NewVolume::new("data", "fra".parse().unwrap());
        let _ = writer.create_volume(&app, &volume).await;
        let _ = writer.machine(&app, &id).update(&UpdateOptions::default(), |_| ()).await;
        let lease = writer.machine(&app, &id).lease(&LeaseRequest::new("x")).await.unwrap();
        let _ = writer.machine(&app, &id).under(&lease).destroy(true).await;
    });
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_refreshed_at_a_third_of_its_time_with_its_nonce() {
    let (stub, writer) = Stub::writer(|_, _| Some((201, lease("n1"))));
    let (app, id) = (shop(), id());
    let held = writer.machine(&app, &id).lease(&request(30)).await.unwrap();
    let over = tokio::time::timeout(Duration::from_secs(65), held.lost()).await;
    assert!(over.is_err(), "it holds for as long as it is refreshed");
    let posts = stub.seen(&Method::POST, "/lease");
    let times: Vec<u64> = posts.iter().map(|seen| seen.at.as_secs()).collect();
    assert_eq!(times, [0, 10, 20, 30, 40, 50, 60]);
    assert_eq!(posts[0].body, json!({ "ttl": 30, "description": "run 1" }));
    assert!(posts[0].nonce.is_none());
    assert!(posts[1..].iter().all(|seen| seen.nonce.as_deref() == Some("n1")));
    held.release().await.unwrap();
    assert_eq!(stub.seen(&Method::DELETE, "/lease")[0].nonce.as_deref(), Some("n1"));
}

#[tokio::test(start_paused = true)]
async fn one_refresh_that_fails_is_made_up_for() {
    let (stub, writer) = Stub::writer(|_, number| match number {
        1 => Some((503, json!({ "error": "unavailable: try later" }))),
        2 => None,
        _ => Some((201, lease("n1"))),
    });
    let (app, id) = (shop(), id());
    let held = writer.machine(&app, &id).lease(&request(30)).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(35), held.lost()).await.is_err());
    let times: Vec<u64> =
        stub.seen(&Method::POST, "/lease").iter().map(|seen| seen.at.as_secs()).collect();
    assert_eq!(times, [0, 10, 11, 12, 22, 32]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_refreshed_is_lost_before_it_ends_on_the_server() {
    for silent in [true, false] {
        let (stub, writer) = Stub::writer(move |_, number| match (number, silent) {
            (0, _) => Some((201, lease("n1"))),
            (_, true) => None,
            (_, false) => Some((503, json!({ "error": "unavailable: try later" }))),
        });
        let (app, id) = (shop(), id());
        let begin = Instant::now();
        let held = writer.machine(&app, &id).lease(&request(30)).await.unwrap();
        assert_eq!(held.lost().await, "it could not be refreshed in time");
        assert!(begin.elapsed() <= Duration::from_secs(30), "{:?}", begin.elapsed());
        let tries = stub.seen(&Method::POST, "/lease").len();
        assert!((15..=21).contains(&tries), "about one a second from the tenth on: {tries}");
        let error = writer.machine(&app, &id).under(&held).cordon().await.unwrap_err();
        assert!(matches!(error.reason, Reason::LeaseLost(_)), "{error}");
        assert!(stub.seen(&Method::POST, "/cordon").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_lease_is_waited_for_as_long_as_asked_and_then_named() {
    let held =
        "aborted: machine ID 148e lease currently held by a@b.c, expires at 2026-08-01T00:00:00Z";
    let (stub, writer) = Stub::writer(move |seen, _| match seen.method {
        Method::GET => {
            Some((200, json!({ "status": "success", "data": { "description": "deploy" } })))
        }
        _ => Some((409, json!({ "error": held }))),
    });
    let (app, id) = (shop(), id());
    let begin = Instant::now();
    let patient = LeaseRequest { patience: Duration::from_secs(10), ..request(30) };
    let error = writer.machine(&app, &id).lease(&patient).await.unwrap_err();
    assert!(matches!(&error.reason, Reason::LeaseHeld(by) if by.owner == "a@b.c"), "{error}");
    assert!(begin.elapsed() <= Duration::from_secs(11), "{:?}", begin.elapsed());
    let asked = stub.seen(&Method::POST, "/lease").len();
    assert!(asked > 5);
    let error = writer.machine(&app, &id).lease(&request(30)).await.unwrap_err();
    assert!(matches!(error.reason, Reason::LeaseHeld(_)));
    assert_eq!(stub.seen(&Method::POST, "/lease").len(), asked + 1, "without patience: once");
}

#[tokio::test(start_paused = true)]
async fn our_own_lease_is_known_by_its_description_and_waited_out() {
    let held =
        "aborted: machine ID 148e lease currently held by us, expires at 2026-08-01T00:00:00Z";
    let (_stub, writer) = Stub::writer(move |seen, _| match seen.method {
        Method::GET => {
            Some((200, json!({ "status": "success", "data": { "description": "run 1" } })))
        }
        _ if seen.at < Duration::from_secs(20) => Some((409, json!({ "error": held }))),
        _ => Some((201, lease("n2"))),
    });
    let (app, id) = (shop(), id());
    let held = writer.machine(&app, &id).lease(&request(30)).await.unwrap();
    assert_eq!(held.state(), LeaseState::Held);
}

fn machine(seen: &Seen, id: &str) -> Value {
    let config = &seen.body["config"];
    json!({ "id": id, "name": seen.body["name"], "state": "created", "config": config })
}

fn new() -> NewMachine {
    let config = MachineConfig { image: "nginx".to_owned().into(), ..MachineConfig::default() };
    NewMachine { config, ..NewMachine::default() }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_not_repeated_before_the_list_had_its_time() {
    let (stub, writer) = Stub::writer(|seen, _| match seen.method {
        Method::POST => None,
        _ => Some((200, json!([]))),
    });
    let error = writer.create_machine(&shop(), &new()).await.unwrap_err();
    assert_eq!(error.reason, Reason::Unknown);
    let posts = stub.seen(&Method::POST, "/machines");
    assert_eq!(posts.len(), 3);
    for pair in posts.windows(2) {
        let between = pair[1].at.checked_sub(pair[0].at).unwrap();
        assert!(between >= Duration::from_secs(6), "{between:?}");
        assert_eq!(pair[0].body, pair[1].body, "the same name and marker");
    }
    let name = posts[0].body["name"].as_str().unwrap();
    assert!(name.starts_with("flyops-") && name.len() == 23, "{name}");
    // One that ran to its end and destroyed itself must not be made again.
    let marker = posts[0].body["config"]["metadata"]["flyops_create"].as_str().unwrap();
    for look in stub.seen(&Method::GET, "/machines") {
        assert!(look.query.contains("include_deleted=true"), "{}", look.query);
        assert!(look.query.contains(&format!("metadata.flyops_create={marker}")), "{}", look.query);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_said_and_nothing_is_repeated() {
    let (stub, writer) = Stub::writer(|seen, _| match seen.method {
        Method::POST => Some((504, json!("gateway timeout"))),
        _ => Some((401, json!({ "error": "Authenticate: token validation error" }))),
    });
    let error = writer.create_machine(&shop(), &new()).await.unwrap_err();
    assert_eq!(error.reason, Reason::Unknown);
    assert_eq!(stub.seen(&Method::POST, "/machines").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn several_with_the_marker_are_all_named_and_the_live_one_is_taken() {
    let mut body = Value::Null;
    let (_stub, writer) = Stub::writer(move |seen, _| {
        if seen.method == Method::POST {
            body = machine(seen, "148e21ea7e4389");
            None
        } else {
            let (mut gone, mut other) = (body.clone(), body.clone());
            (gone["id"], gone["state"]) = (json!("aaaaaaaaaaaaaa"), json!("destroyed"));
            // A server that ignores the filter.
            other["id"] = json!("bbbbbbbbbbbbbb");
            other["config"]["metadata"]["flyops_create"] = json!("another");
            Some((200, json!([gone, other, body])))
        }
    });
    let created = writer.create_machine(&shop(), &new()).await.unwrap();
    assert!(created.found);
    assert_eq!(created.machine.id, id());
    assert_eq!(created.machine.state.get(), Some(&MachineState::Created));
    assert_eq!(created.surplus, [MachineId::from_wire("aaaaaaaaaaaaaa")]);
}

#[tokio::test(start_paused = true)]
async fn two_volumes_that_fit_are_an_error_with_both_ids() {
    let volume =
        |id: &str| json!({ "id": id, "name": "data", "region": "fra", "state": "created" });
    let mut made = Vec::new();
    let (stub, writer) = Stub::writer(move |seen, _| match seen.method {
        Method::POST => {
            made = vec![volume("vol_a"), volume("vol_b")];
            None
        }
        _ => Some((200, json!(made))),
    });
    let new = NewVolume::new("data", "fra".parse().unwrap());
    let error = writer.create_volume(&shop(), &new).await.unwrap_err();
    assert_eq!(error.reason, Reason::Ambiguous(vec!["vol_a".to_owned(), "vol_b".to_owned()]));
    assert_eq!(stub.seen(&Method::POST, "/volumes").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_is_made_at_the_documented_rate_and_meets_no_429() {
    let mut count = 0;
    let (stub, writer) = Stub::writer(move |seen, _| {
        count += 1;
        Some((200, machine(seen, &format!("{count:014x}"))))
    });
    let wanted = vec![new(); 200];
    let begin = Instant::now();
    let result = writer.create_machines(&shop(), &wanted).await;
    assert!(result.is_complete());
    let rate = 197.0 / begin.elapsed().as_secs_f64();
    assert!((0.949..=1.0).contains(&rate), "{rate} a second once the burst is spent");
    assert_eq!(stub.seen(&Method::POST, "/machines").len(), 200);
    let names: std::collections::HashSet<String> = stub
        .seen(&Method::POST, "/machines")
        .iter()
        .map(|seen| seen.body["name"].to_string())
        .collect();
    assert_eq!(names.len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_lost_update_is_ours_only_when_the_machine_has_what_we_sent() {
    // The first write is lost; meanwhile the Machine got another configuration from somebody else.
    let script = || {
        let mut posts = 0;
        Stub::writer(move |seen, _| {
            if seen.method == Method::POST {
                posts += 1;
                let config = &seen.body["config"];
                let answer = json!({ "id": "1", "instance_id": "v3", "config": config });
                return (posts > 1).then_some((200, answer));
            }
            let (version, value) = if posts == 0 { ("v1", "old") } else { ("v2", "theirs") };
            let config = json!({ "image": "a", "env": { "KEY": value }, "new_field": [1] });
            Some((200, json!({ "id": "1", "instance_id": version, "config": config })))
        })
    };
    let change = |config: &mut MachineConfig| {
        let env = config.env.get_mut().unwrap().expose_mut();
        env.insert("OURS".to_owned(), "1".to_owned());
    };
    let (app, id) = (shop(), id());
    let (_stub, writer) = script();
    let only = UpdateOptions { expect_version: Some("v1".to_owned()), ..UpdateOptions::default() };
    let error = writer.machine(&app, &id).update(&only, change).await.unwrap_err();
    let found =
        Reason::VersionConflict { expected: Some("v1".to_owned()), found: Some("v2".to_owned()) };
    assert_eq!(error.reason, found);

    let (stub, writer) = script();
    let done = writer.machine(&app, &id).update(&UpdateOptions::default(), change).await.unwrap();
    assert_eq!(done.from_version.as_deref(), Some("v2"));
    let sent = stub.seen(&Method::POST, "/machines/148e21ea7e4389").pop().unwrap().body;
    assert_eq!(sent["current_version"], "v2");
    let env = json!({ "KEY": "theirs", "OURS": "1" });
    assert_eq!(sent["config"], json!({ "image": "a", "env": env, "new_field": [1] }));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_counts_as_done() {
    let mut made = Vec::new();
    let (stub, writer) = Stub::writer(move |seen, _| {
        if seen.method == Method::POST {
            made.push(machine(seen, "148e21ea7e4389"));
            return Some((200, json!("not a Machine")));
        }
        Some((200, json!(made)))
    });
    let created = writer.create_machine(&shop(), &new()).await.unwrap();
    assert!(created.found);
    assert_eq!(stub.seen(&Method::POST, "/machines").len(), 1);
}
