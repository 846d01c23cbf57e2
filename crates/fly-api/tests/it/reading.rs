//! Every read of the client, answered by the simulator.

use fly_api::{LogWindow, MachineFilter, OrgQuery, WaitFor};
use fly_types::state::MachineState;
use fly_types::{AppName, OrgSlug};
use std::time::Duration;

use crate::{demo, world};

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
