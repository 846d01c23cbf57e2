//! `cargo xtask live-check`: compares the shapes of the live platform's answers with the simulator's.
//!
//! Opt-in and read-only: it prints the calls that it would make and makes them only with `--yes`. It keeps keys, types and
//! header names, never a value; the token is read from a file and sent nowhere but to the two given addresses.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::simulator::Simulator;
use crate::{root, shape};

/// Arguments of `cargo xtask live-check`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// App that is looked at
    #[arg(long)]
    app: String,
    /// Organization of the app
    #[arg(long, default_value = "personal")]
    org: String,
    /// File with a read-only token (`fly tokens create readonly ORG`)
    #[arg(long)]
    token_file: PathBuf,
    /// Base address of the Machines API
    #[arg(long, default_value = "https://api.machines.dev")]
    machines_api: String,
    /// Base address of GraphQL's host: logs, releases, metrics
    #[arg(long, default_value = "https://api.fly.io")]
    web_api: String,
    /// Make the calls; without this they are only printed
    #[arg(long)]
    yes: bool,
    /// Folder for the shapes
    #[arg(long, default_value = "target/live-check")]
    output: PathBuf,
}

/// (name, path below the Machines API or the web API). `{machine}` and `{volume}` are the first that the app has.
const CALLS: [(&str, Host, &str); 23] = [
    ("token", Host::Machines, "/v1/tokens/current"),
    ("regions", Host::Machines, "/v1/platform/regions"),
    ("apps", Host::Machines, "/v1/apps?org_slug={org}"),
    ("app", Host::Machines, "/v1/apps/{app}"),
    ("app-unknown", Host::Machines, "/v1/apps/no-such-app-0a1b2c3d4e5f"),
    ("machines", Host::Machines, "/v1/apps/{app}/machines"),
    ("machines-summary", Host::Machines, "/v1/apps/{app}/machines?summary=true"),
    ("machine", Host::Machines, "/v1/apps/{app}/machines/{machine}"),
    ("machine-unknown", Host::Machines, "/v1/apps/{app}/machines/00000000000000"),
    ("events", Host::Machines, "/v1/apps/{app}/machines/{machine}/events"),
    ("versions", Host::Machines, "/v1/apps/{app}/machines/{machine}/versions"),
    ("lease", Host::Machines, "/v1/apps/{app}/machines/{machine}/lease"),
    ("metadata", Host::Machines, "/v1/apps/{app}/machines/{machine}/metadata"),
    ("ps", Host::Machines, "/v1/apps/{app}/machines/{machine}/ps"),
    ("volumes", Host::Machines, "/v1/apps/{app}/volumes"),
    ("snapshots", Host::Machines, "/v1/apps/{app}/volumes/{volume}/snapshots"),
    ("secrets", Host::Machines, "/v1/apps/{app}/secrets"),
    ("certificates", Host::Machines, "/v1/apps/{app}/certificates"),
    ("addresses", Host::Machines, "/v1/apps/{app}/ip_assignments"),
    ("org-machines", Host::Machines, "/v1/orgs/{org}/machines?limit=5"),
    ("org-volumes", Host::Machines, "/v1/orgs/{org}/volumes?limit=5"),
    ("releases", Host::Web, "/api/v1/apps/{app}/releases?limit=2"),
    ("metrics", Host::Web, "/prometheus/{org}/api/v1/query?query=fly_instance_up"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Machines,
    Web,
}

/// Status, header names and shape of an answer.
type Shapes = BTreeMap<&'static str, Value>;

struct Target<'a> {
    machines: &'a str,
    web: &'a str,
    app: &'a str,
    org: &'a str,
    token: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    println!("These GET requests are made with the token of {}:", args.token_file.display());
    for (name, host, path) in CALLS {
        let base = if host == Host::Web { &args.web_api } else { &args.machines_api };
        let path = path.replace("{app}", &args.app).replace("{org}", &args.org);
        println!("  {name:<18} GET {base}{path}");
    }
    println!("Kept: status, header names, keys and types. Never kept: values.");
    if !args.yes {
        println!("Nothing was sent. Add --yes to make these calls.");
        return Ok(());
    }
    let token = fs::read_to_string(&args.token_file)
        .with_context(|| format!("cannot read {}", args.token_file.display()))?;
    let live = Target {
        machines: &args.machines_api,
        web: &args.web_api,
        app: &args.app,
        org: &args.org,
        token: token.trim().to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let there = runtime.block_on(ask(&live))?;
    let simulator = Simulator::start("healthy")?;
    let url = simulator.url()?.to_owned();
    let token = "fo1_sim".to_owned();
    let simulated = Target { machines: &url, web: &url, app: "demo", org: "personal", token };
    let here = runtime.block_on(ask(&simulated))?;
    let folder = root::root().join(&args.output);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("shapes.json"), serde_json::to_string_pretty(&there)? + "\n")?;
    let differences = compare(&there, &here);
    println!("shapes of {} answers are in {}", there.len(), folder.display());
    if differences.is_empty() {
        println!("the simulator has everything that was seen");
        return Ok(());
    }
    for line in &differences {
        println!("  {line}");
    }
    bail!(
        "{} differences; each is a row for crates/fly-sim or its override table",
        differences.len()
    )
}

/// Header names that say nothing about the platform's interface.
const PASSING: [&str; 8] = [
    "date",
    "content-length",
    "connection",
    "transfer-encoding",
    "vary",
    "etag",
    "cache-control",
    "server",
];

fn compare(there: &Shapes, here: &Shapes) -> Vec<String> {
    let mut out = Vec::new();
    for (name, seen) in there {
        let Some(known) = here.get(name) else { continue };
        if seen["status"] != known["status"] {
            out.push(format!("{name}: status {} there, {} here", seen["status"], known["status"]));
            continue;
        }
        for (place, what) in shape::beyond(&seen["shape"], &known["shape"]) {
            out.push(format!("{name}{place}: {what}"));
        }
        let known_headers = known["headers"].as_array().cloned().unwrap_or_default();
        for header in seen["headers"].as_array().into_iter().flatten() {
            if !known_headers.contains(header) {
                out.push(format!("{name}: header {header} only there"));
            }
        }
    }
    out
}

/// Makes all calls, one after the other and not faster than the documented rate.
async fn ask(target: &Target<'_>) -> Result<Shapes> {
    let client = net::HttpClient::new(&net::Options::default())?;
    let (mut machine, mut volume) = (String::new(), String::new());
    let mut shapes = Shapes::new();
    for (name, host, path) in CALLS {
        let needs = |what: &str, id: &str| path.contains(what) && id.is_empty();
        if needs("{machine}", &machine) || needs("{volume}", &volume) {
            println!("  {name}: left out, the app has none");
            continue;
        }
        let base = if host == Host::Web { target.web } else { target.machines };
        let path = path
            .replace("{app}", target.app)
            .replace("{org}", target.org)
            .replace("{machine}", &machine)
            .replace("{volume}", &volume);
        let url =
            format!("{base}{path}").parse().with_context(|| format!("{base} is no address"))?;
        let mut request = net::Request::new(http::Method::GET, url);
        request.headers.insert(http::header::AUTHORIZATION, authorization(&target.token)?);
        let answer = client.execute(request).await.with_context(|| format!("call {name}"))?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(json!("no JSON"));
        let first = |list: &Value| list[0]["id"].as_str().unwrap_or_default().to_owned();
        match name {
            "machines" => machine = first(&body),
            "volumes" => volume = first(&body),
            _ => {}
        }
        let mut headers: Vec<&str> = answer
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|h| !PASSING.contains(h))
            .collect();
        headers.sort_unstable();
        headers.dedup();
        let status = answer.status.as_u16();
        shapes.insert(
            name,
            json!({ "status": status, "headers": headers, "shape": shape::of(&body) }),
        );
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    Ok(shapes)
}

/// Macaroons go with `FlyV1`, everything else with `Bearer`; a scheme in the file is left out.
fn authorization(token: &str) -> Result<http::HeaderValue> {
    let bare = token.trim_start_matches("FlyV1 ").trim_start_matches("Bearer ");
    let scheme = if bare.starts_with("fm") { "FlyV1" } else { "Bearer" };
    let mut value = http::HeaderValue::from_str(&format!("{scheme} {bare}"))
        .map_err(|_| anyhow::anyhow!("the token file does not hold a token"))?;
    value.set_sensitive(true);
    Ok(value)
}
