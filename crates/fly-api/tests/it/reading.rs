//! Every read of the client, answered by the simulator.

use fly_api::{
    Client, ClientConfig, Endpoints, Limit, LimitRow, LimitTable, LogWindow, MachineFilter,
    OrgQuery, Token, WaitFor,
};
use fly_sim::Variants;
use fly_types::state::MachineState;
use fly_types::{AppName, OrgSlug};
use std::time::Duration;

use crate::{demo, start, world};

#[tokio::test]
async fn an_app_and_everything_that_belongs_to_it() {
    let (_sim, client) = world("oom").await;
    let app = demo();
    let machines = client.machines(&app, &MachineFilter::default()).await.unwrap();
    assert!(machines.value.len() >= 2);
    let call = &machines.calls[0];
    assert_eq!((call.method, call.status, call.attempts), ("GET", Some(200), 1));
    assert!(call.request_id.is_some(), "support asks for it");
    assert!(call.url_template.ends_with("/v1/apps/{app}/machines"));

    let first = machines.value[0].id.clone();
    assert_eq!(client.machine(&app, &first).await.unwrap().value.id, first);
    assert!(!client.machine_events(&app, &first, 50).await.unwrap().value.is_empty());
    client.machine_processes(&app, &first).await.unwrap();
    client.machine_metadata(&app, &first).await.unwrap();
    assert!(client.machine_lease(&app, &first).await.unwrap_err().is_not_found());
    for volume in client.volumes(&app).await.unwrap().value {
        client.snapshots(&app, &volume.id).await.unwrap();
    }
    client.secrets(&app).await.unwrap();
    client.certificates(&app).await.unwrap();
    client.ip_assignments(&app).await.unwrap();
    assert_eq!(client.app(&app).await.unwrap().value.name.as_str(), "demo");
}

#[tokio::test]
async fn graphql_platform_and_organization() {
    let (_sim, client) = world("oom").await;
    let app = demo();
    let node = client.graphql_app(&app).await.unwrap();
    let slug: OrgSlug =
        node.value.organization.get().unwrap().slug.text().unwrap().parse().unwrap();
    let releases = client.graphql_releases(&app, 25).await.unwrap().value;
    let connection = releases.releases_unprocessed.get().unwrap();
    assert!(connection.nodes.items()[0].image_ref.text().is_some());
    client.graphql_ips(&app).await.unwrap();
    client.graphql_host_issues(&app).await.unwrap();
    assert!(!client.graphql_orgs().await.unwrap().value.is_empty());
    assert!(!client.regions().await.unwrap().value.regions().is_empty());
    client.tokens_current().await.unwrap();
    client.incidents().await.unwrap();
    client.status_summary().await.unwrap();
    assert!(!client.apps(&slug).await.unwrap().value.apps.items().is_empty());
    assert!(
        !client
            .org_machines(&slug, &OrgQuery::default())
            .await
            .unwrap()
            .value
            .machines
            .items()
            .is_empty()
    );
    client.org_volumes(&slug, &OrgQuery::default()).await.unwrap();
}

#[tokio::test]
async fn logs_end_and_come_once() {
    let (_sim, client) = world("oom").await;
    let mut logs = client.logs(&demo(), LogWindow::default());
    let mut ids = std::collections::HashSet::new();
    let mut pages = 0;
    while let Some(page) = logs.next().await.unwrap() {
        pages += 1;
        assert!(pages < 100, "the pager must end");
        for record in page.value {
            assert!(ids.insert(record.id.text().unwrap().to_owned()), "a record came twice");
        }
    }
    assert!(!ids.is_empty());
}

#[tokio::test]
async fn waiting_for_a_state_that_is_there_and_one_that_is_not() {
    let (_sim, client) = world("none-started").await;
    let app = demo();
    let machines = client.machines(&app, &MachineFilter::default()).await.unwrap().value;
    let id = &machines[0].id;
    let state = machines[0].state.get().unwrap().clone();
    let mut wait = WaitFor {
        states: vec![state],
        version: None,
        from_event_id: None,
        deadline: Duration::from_secs(5),
    };
    client.wait(&app, id, &wait).await.unwrap();
    wait.states = vec![MachineState::Started];
    wait.deadline = Duration::from_secs(1);
    let error = client.wait(&app, id, &wait).await.unwrap_err();
    assert!(error.to_string().contains("did not reach started"), "{error}");
}

#[tokio::test]
async fn what_does_not_exist() {
    let (_sim, client) = world("healthy").await;
    let nobody: AppName = "no-such-app".parse().unwrap();
    let error = client.machines(&nobody, &MachineFilter::default()).await.unwrap_err();
    assert!(error.is_not_found() && error.hint().is_some(), "{error}");
    assert!(error.to_string().contains("request id"), "{error}");
    assert!(client.graphql_app(&nobody).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn organization_lists_page_by_page() {
    for variants in [Variants::default(), Variants::from_seed(3), Variants::from_seed(4)] {
        let mut found = Vec::new();
        // Once in one page, once in two or three: the simulator limits requests, so each reading has its own.
        for limit in [None, Some(2)] {
            let (sim, _) = start("healthy", "", variants).await;
            let client = unlimited(&sim.url());
            let node = client.graphql_app(&demo()).await.unwrap().value;
            let org = node.organization.get().unwrap().slug.text().unwrap().parse().unwrap();
            let query = OrgQuery { limit, ..OrgQuery::default() };
            let machines = client.org_machines_all(&org, &query).await.unwrap();
            let volumes = client.org_volumes_all(&org, &query).await.unwrap().value.rows;
            let mut ids: Vec<_> =
                machines.value.rows.iter().map(|row| row.id.to_string()).collect();
            ids.extend(volumes.iter().map(|row| row.id.to_string()));
            ids.sort();
            found.push((ids, machines.calls.len()));
        }
        let [(whole, one), (paged, several)] = &found[..] else { unreachable!() };
        assert_eq!(whole, paged, "{variants:?}");
        assert!(*one == 1 && *several > 1, "{several} pages");
    }
}

/// A client without rate limits of its own, so that many reads do not take many seconds.
fn unlimited(url: &str) -> Client {
    let limit = Limit { per_second: 1e6, burst: 1000 };
    let row = LimitRow { action: None, limit, source: "this test" };
    let http =
        net::HttpClient::new(&net::Options { loopback_only: true, ..net::Options::default() });
    let token = Token::parse(&"fo1_test".into()).unwrap();
    let clock = std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
    let mut config = ClientConfig::new(Endpoints::single(url).unwrap(), Some(token), clock);
    config.limits = LimitTable { as_of: "", rows: vec![row], headroom: 1.0 };
    Client::new(std::sync::Arc::new(http.unwrap()), config)
}

/// Every read, in the shapes that the documents leave open: a sample, or all of them (`cargo xtask soak shapes`).
#[tokio::test]
async fn every_read_in_other_shapes() {
    let cases = std::env::var("FLY_OPS_TEST_CASES").ok().and_then(|n| n.parse().ok());
    let cases: u64 = cases.unwrap_or(12);
    let all = cases >= Variants::COMBINATIONS;
    for seed in 0..cases {
        let variants = if all { Variants::from_bits(seed) } else { Variants::from_seed(seed) };
        let (sim, _) = start("oom", "", variants).await;
        let client = unlimited(&sim.url());
        let app = demo();
        let context = format!("variants {seed}");
        let machines =
            client.machines(&app, &MachineFilter::default()).await.expect(&context).value;
        for machine in &machines {
            client.machine(&app, &machine.id).await.expect(&context);
            client.machine_events(&app, &machine.id, 20).await.expect(&context);
            client.machine_metadata(&app, &machine.id).await.expect(&context);
            client.machine_versions(&app, &machine.id).await.expect(&context);
            assert!(machine.state.get().is_some(), "{context}");
        }
        for volume in client.volumes(&app).await.expect(&context).value {
            client.snapshots(&app, &volume.id).await.expect(&context);
        }
        client.app(&app).await.expect(&context);
        client.secrets(&app).await.expect(&context);
        client.certificates(&app).await.expect(&context);
        client.ip_assignments(&app).await.expect(&context);
        assert!(!client.regions().await.expect(&context).value.regions().is_empty(), "{context}");
        client.tokens_current().await.expect(&context);
        client.incidents().await.expect(&context);
        client.status_summary().await.expect(&context);
        let node = client.graphql_app(&app).await.expect(&context).value;
        let org = node.organization.get().unwrap().slug.text().unwrap().parse().unwrap();
        assert!(!client.apps(&org).await.expect(&context).value.apps.items().is_empty());
        client.graphql_releases(&app, 5).await.expect(&context);
        client.graphql_ips(&app).await.expect(&context);
        client.graphql_host_issues(&app).await.expect(&context);
        client.graphql_orgs().await.expect(&context);
        let mut logs = client.logs(&app, LogWindow::default());
        let mut pages = 0;
        while let Some(_page) = logs.next().await.expect(&context) {
            pages += 1;
            assert!(pages < 100, "{context}: the pager must end");
        }
    }
}
