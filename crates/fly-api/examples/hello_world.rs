//! Hello world: makes an app with an address and a Machine, waits until it runs, and takes everything away again.
//!
//! ```console
//! $ FLY_API_TOKEN="$(fly tokens create org)" cargo run -p fly-api --example hello_world -- my-hello personal fra
//! ```

use std::error::Error;
use std::time::Duration;

use fly_api::{ConfigBuilder, NewIp, NewMachine, ServiceBuilder, WaitFor, Writer};
use fly_types::state::MachineState;
use fly_types::wire::IpKind;
use fly_types::{AppName, OrgSlug, RegionCode};

/// One minute for each step that is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Makes the app, runs it, and deletes it whatever happened in between.
pub(crate) async fn hello(
    writer: &Writer,
    name: &AppName,
    org: &OrgSlug,
    region: RegionCode,
) -> Result<Vec<String>, Box<dyn Error>> {
    writer.create_app(name, org, None).await?;
    let said = run(writer, name, region).await;
    writer.delete_app(name, true).await?;
    said
}

async fn run(
    writer: &Writer,
    app: &AppName,
    region: RegionCode,
) -> Result<Vec<String>, Box<dyn Error>> {
    let config =
        ConfigBuilder::new("nginx:alpine".parse()?).service(ServiceBuilder::web(80)).build()?;
    let new = NewMachine { regions: vec![region], config, ..NewMachine::default() };
    // An app that was made through this API has no public address until one is assigned.
    writer.allocate_ip(app, &NewIp::new(IpKind::SharedV4)).await?;
    let machine = writer.create_machine(app, &new).await?.machine;
    let started = WaitFor::state(MachineState::Started, PATIENCE);
    writer.client().wait(app, &machine.id, &started).await?;
    let region = machine.region.text().unwrap_or("a region that the answer does not name");
    let said = vec![
        format!("Machine {} started in {region}", machine.id),
        format!("App URL: https://{app}.fly.dev"),
    ];
    writer.machine(app, &machine.id).destroy(true).await?;
    let gone = WaitFor::state(MachineState::Destroyed, PATIENCE);
    writer.client().wait(app, &machine.id, &gone).await?;
    Ok(said)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example's output")]
#[expect(
    clippy::disallowed_methods,
    reason = "an example has no ops-cli around it; typing the app's name is the approval"
)]
async fn main() -> Result<(), Box<dyn Error>> {
    use std::sync::Arc;

    use fly_api::{Client, ClientConfig, Endpoints, Token, WriteAccess};

    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, org, region] = words.as_slice() else {
        return Err("usage: hello_world APP ORGANIZATION REGION".into());
    };
    let token = Token::parse(&std::env::var("FLY_API_TOKEN")?.into())?;
    let base = |name| std::env::var(name).ok();
    let (machines, api) = (base("FLY_FLAPS_BASE_URL"), base("FLY_API_BASE_URL"));
    let endpoints =
        Endpoints::with_overrides(machines.as_deref(), api.as_deref(), None, None, None)?;
    let config = ClientConfig::new(endpoints, Some(token), Arc::new(jiff::Timestamp::now));
    let client = Client::new(Arc::new(net::HttpClient::new(&net::Options::default())?), config);
    let writer = client.writer(WriteAccess::approved("the command line"));
    for line in hello(&writer, &name.parse()?, &org.parse()?, region.parse()?).await? {
        println!("{line}");
    }
    Ok(())
}
