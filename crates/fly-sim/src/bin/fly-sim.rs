//! `fly-sim`: runs a world on loopback for people, flyctl and other programs.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fly_sim::{Options, Sim, Variants, WORLD_NAMES, World};

/// Fly.io on loopback, from a world file.
#[derive(Parser)]
#[command(name = "fly-sim", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a world until interrupted
    Run(Run),
    /// Print the shell lines that point flyctl at a simulator on this address
    Env {
        /// Address of a running simulator
        #[arg(long, default_value = "127.0.0.1:4280")]
        listen: SocketAddr,
        /// App that commands are about when they name none
        #[arg(long)]
        app: Option<String>,
    },
    /// Check a world file and print what it is about
    Check {
        /// File, or name of an embedded world
        world: String,
    },
    /// List the embedded worlds
    Worlds,
}

#[derive(clap::Args)]
struct Run {
    /// File, or name of an embedded world
    world: String,
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Allow an address that is not loopback
    #[arg(long)]
    allow_other_addresses: bool,
    /// Print the environment as NAME=value lines, then an empty line
    #[arg(long)]
    print_env: bool,
    /// Seed of generated ids, instead of the world's
    #[arg(long)]
    seed: Option<u64>,
    /// Write the authority that signs the apps' certificates to this file (PEM)
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Seed of the answers' shapes; 0 is what the live service does
    #[arg(long, default_value_t = 0)]
    variants: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut out = std::io::stdout();
    let mut err = std::io::stderr();
    let result = match Args::parse().command {
        Command::Run(args) => run(args, &mut out, &mut err).await,
        Command::Env { listen, app } => env(listen, app.as_deref(), &mut out, &mut err),
        Command::Check { world } => load(&world).and_then(|world| {
            writeln!(out, "{}: {}", world.name(), world.about()).map_err(|error| error.to_string())
        }),
        Command::Worlds => WORLD_NAMES
            .iter()
            .filter_map(|name| World::named(name))
            .try_for_each(|world| writeln!(out, "{:<36} {}", world.name(), world.about()))
            .map_err(|error| error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nowhere left to report to when standard error is closed.
            let _closed = writeln!(err, "fly-sim: {message}");
            ExitCode::from(2)
        }
    }
}

/// The environment of the simulator that runs at an address; without one, what it would be by default.
fn env(
    listen: SocketAddr,
    app: Option<&str>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> Result<(), String> {
    let config = std::env::temp_dir().join(format!("fly-sim-{}", listen.port()));
    let lines = match ask(listen) {
        Ok(mut pairs) => {
            if let Some(app) = app {
                pairs.retain(|(name, _)| name != "FLY_APP");
                pairs.push(("FLY_APP".to_owned(), app.to_owned()));
            }
            pairs.push(("FLY_CONFIG_DIR".to_owned(), config.display().to_string()));
            fly_sim::shell_lines(&pairs)
        }
        Err(why) => {
            let note = format!(
                "fly-sim: no simulator answers at {listen} ({why}); these are the defaults"
            );
            writeln!(err, "{note}").map_err(|error| error.to_string())?;
            fly_sim::environment_lines(listen, "fo1_sim", app, &config)
        }
    };
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "export {line}"))
        .map_err(|error| error.to_string())
}

/// Asks a running simulator, with the plainest request there is.
fn ask(listen: SocketAddr) -> Result<Vec<(String, String)>, String> {
    use std::io::Read;
    use std::time::Duration;
    let text = |error: std::io::Error| error.to_string();
    let wait = Duration::from_secs(2);
    let mut stream = std::net::TcpStream::connect_timeout(&listen, wait).map_err(text)?;
    stream.set_read_timeout(Some(wait)).map_err(text)?;
    let request =
        format!("GET /_sim/environment HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(text)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(text)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).map_err(|_| "it is no fly-sim".to_owned())
}

async fn run(args: Run, out: &mut impl Write, err: &mut impl Write) -> Result<(), String> {
    let world = load(&args.world)?;
    let about = world.about().to_owned();
    let options = Options {
        address: args.listen,
        allow_other_addresses: args.allow_other_addresses,
        seed: args.seed,
        variants: Variants::from_seed(args.variants),
        ..Options::default()
    };
    let sim = Sim::start(world, options).await.map_err(|error| chain(&error))?;
    let io = |error: std::io::Error| error.to_string();
    writeln!(err, "fly-sim: {about}").map_err(io)?;
    writeln!(
        err,
        "fly-sim: serving {} (seed {}, variants {}), Ctrl-C ends it",
        sim.url(),
        sim.seed(),
        args.variants
    )
    .map_err(io)?;
    writeln!(
        err,
        "fly-sim: apps at http://{} and https://{}, names at {} (UDP)",
        sim.edge_http(),
        sim.edge_https(),
        sim.dns()
    )
    .map_err(io)?;
    if let Some(path) = &args.ca_file {
        std::fs::write(path, sim.edge_ca_pem()).map_err(io)?;
    }
    if args.print_env {
        for (name, value) in sim.env() {
            writeln!(out, "{name}={value}").map_err(io)?;
        }
        writeln!(out).map_err(io)?;
        out.flush().map_err(io)?;
    } else {
        writeln!(
            err,
            "fly-sim: in another shell: eval \"$(fly-sim env --listen {})\"",
            sim.address()
        )
        .map_err(io)?;
    }
    tokio::signal::ctrl_c().await.map_err(io)
}

fn load(name: &str) -> Result<World, String> {
    if WORLD_NAMES.contains(&name) {
        return World::load(name).map_err(|error| error.to_string());
    }
    let path = PathBuf::from(name);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!("'{name}' is no world of `fly-sim worlds` and cannot be read as a file: {error}")
    })?;
    World::parse(&text, name).map_err(|error| error.to_string())
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
