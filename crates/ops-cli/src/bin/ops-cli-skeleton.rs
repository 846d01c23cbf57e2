//! The smallest tool: what a binary of this workspace looks like, and what the tests of ops-cli drive from outside.
//! It is never shipped.

use std::process::ExitCode;

use ops_cli::args::{AccessArgs, AppArgs, OrgArgs, OutputArgs, WindowArgs};
use ops_cli::{Arguments, CliError, Context, Exit, Typed, Window};

/// Shows how a tool is put together
#[derive(clap::Parser)]
#[command(name = "skeleton", version)]
struct Args {
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    org: OrgArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Resolve the configuration and print it
    Config(WindowArgs),
    /// List the app's Machines
    Machines,
    /// Print lines until nobody reads them
    Lines,
    /// Leave a temporary file and wait for a signal; `--stubborn` ignores the first
    Wait {
        /// The temporary file
        file: std::path::PathBuf,
        /// Go on after the first signal
        #[arg(long)]
        stubborn: bool,
    },
    /// Fail in a way that nobody foresaw, with a token in the message
    Panic,
    /// Ask before going on
    Confirm,
}

impl Arguments for Args {
    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

fn main() -> ExitCode {
    ops_cli::main(run)
}

async fn run(args: Args, context: Context) -> Result<Exit, CliError> {
    let ui = &context.ui;
    let typed = Typed { access: Some(&args.access), app: Some(&args.app), org: Some(&args.org) };
    match args.command {
        Command::Config(window) => {
            let window = Window::parse(&window, context.now())?;
            let config = context.resolve(typed)?;
            let rows = config.describe().into_iter();
            ui.table(&["setting", "value", "source"], rows.map(|(n, v, s)| [n.to_owned(), v, s]))?;
            ui.note(&format!(
                "window: {}",
                if window == Window::default() { "none" } else { "given" }
            ));
        }
        Command::Machines => {
            let config = context.resolve(typed)?;
            let client = context.client(&config)?;
            let task = ui.progress("machines", None);
            let found = client.machines(config.app()?, &fly_api::MachineFilter::default()).await?;
            task.finish(&format!("{} read", found.value.len()));
            ui.table(&["id"], found.value.iter().map(|machine| [machine.id.to_string()]))?;
        }
        Command::Lines => {
            while !ui.stdout_closed() {
                ui.out("line")?;
            }
        }
        Command::Wait { file, stubborn } => {
            let _registered = context.leftovers.register(&file);
            std::fs::write(&file, "half").map_err(|error| {
                CliError::nothing_done(format!("cannot write {}", file.display())).caused_by(error)
            })?;
            ui.out("ready")?;
            let signal = context.cancel.cancelled().await;
            if stubborn {
                std::future::pending::<()>().await;
            }
            return Ok(signal.exit());
        }
        Command::Panic => {
            context.mutating();
            panic!(
                "cannot use the token fm2_lJPECAAAAAAAAyFCxBDllJPECAAAAAAAAyFCxBDllJPECAAAAAAAAyFCxBDl of this app"
            );
        }
        Command::Confirm => {
            ui.confirm_typed("This destroys app 'shop'.", "shop", "--confirm shop")?;
        }
    }
    Ok(Exit::Ok)
}
