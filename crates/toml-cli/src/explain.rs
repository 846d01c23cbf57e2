//! `fly-toml explain`: the page of a code, or the list of all.

use fly_toml::diag;
use ops_cli::{CliError, Context, Exit};

use crate::args::ExplainArgs;

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs, context: &Context) -> Result<Exit, CliError> {
    let Some(id) = &args.code else {
        let mut codes = diag::all();
        codes.sort_by_key(|code| code.id);
        let rows = codes.iter().map(|code| {
            [code.id, code.severity.name(), code.grade.name(), code.title].map(str::to_owned)
        });
        context.ui.table(&["code", "severity", "kind", "what"], rows)?;
        return Ok(Exit::Ok);
    };
    let Some(code) = diag::by_id(id.trim_matches(['[', ']'])) else {
        return Err(CliError::usage(format!("there is no code '{id}'"))
            .hint("`fly-toml explain` lists all codes"));
    };
    context.ui.out(&code.page())?;
    Ok(Exit::Ok)
}
