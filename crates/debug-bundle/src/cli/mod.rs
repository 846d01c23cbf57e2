//! The command: what was typed, what it means, what a person sees.

mod args;
mod pack;
mod prepare;
mod redact;
mod verdict;
mod watch;

use ops_cli::{CliError, Context, Exit};

pub use args::Args;
use args::Command;

use crate::bundle;

/// Runs the command.
pub async fn run(args: Args, context: Context) -> Result<Exit, CliError> {
    match &args.command {
        Some(Command::Redact(typed)) => {
            redact::run(typed.clone(), args.pseudonym_key.clone(), &context).await
        }
        Some(Command::Pack(typed)) => pack::run(&args, typed, &context).await,
        None => collect(&args, &context).await,
    }
}

async fn collect(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let prepared = prepare::prepare(args, context)?;
    if args.plan {
        return prepare::show_plan(&prepared, context);
    }
    let (settings, means) = prepared.ready(args, context)?;
    let to_stdout = settings.output.is_stdout();
    let mut watch = watch::Progress::new(&context.ui, &settings);
    let made = Box::pin(bundle::make(settings, means, &mut watch)).await?;
    watch.done();
    verdict::show(&made, &context.ui, to_stdout)?;
    Ok(verdict::exit(&made, args.fail_on))
}
