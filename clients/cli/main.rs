//! dbgmate.

mod backend;
mod serve;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use dbgmate::api::daemon::{HelloMethod, HelloRequest};
use dbgmate::config::Config;
use dbgmate::error::Error;
use dbgmate::job::Job;

#[derive(Parser)]
#[command(version)]
struct Cli {
    #[arg(long, value_enum, default_value = "auto", global = true)]
    daemon: backend::Mode,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Serve(serve::Args),
    /// Say who answers.
    Hello,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "dbgmate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Error> {
    let config = Config::load()?;
    match &cli.command {
        Command::Serve(args) => serve::run(args, config),
        Command::Hello => {
            let choice = backend::choose(cli.daemon, &config)?;
            if let Some(notice) = choice.notice {
                let _ = writeln!(std::io::stderr(), "dbgmate: {notice}");
            }
            let hello = choice.backend.call::<HelloMethod>(&Job::new(), HelloRequest::default())?;
            let _ = writeln!(std::io::stdout(), "{}", hello.pid);
            Ok(())
        }
    }
}
