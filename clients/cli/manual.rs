//! `dbgmate completions` and `dbgmate man`: what packagers install beside the program.

use clap::CommandFactory;
use dbgmate::error::{Error, Kind};

use crate::output::Output;
use crate::{Cli, Failure, Outcome};

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Print a manual page in roff
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// The subcommand whose page is wanted; without one, dbgmate's own
    subcommand: Option<String>,
}

/// Writes the completions.
pub(crate) fn complete(args: &Completions, output: &mut Output) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dbgmate", &mut script);
    output.result(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Found)
}

/// Writes the page.
pub(crate) fn man(args: &Man, output: &mut Output) -> Result<Outcome, Failure> {
    let mut command = Cli::command();
    // Gives every subcommand its full name and the global options.
    command.build();
    if let Some(name) = &args.subcommand {
        let found = command.get_subcommands().find(|subcommand| subcommand.get_name() == name);
        let unknown = || {
            Error::new(Kind::Request, format!("there is no subcommand {name:?}"))
                .hint("`dbgmate --help` lists them")
        };
        command = found.ok_or_else(unknown)?.clone();
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    output.result(&String::from_utf8_lossy(&page))?;
    Ok(Outcome::Found)
}
