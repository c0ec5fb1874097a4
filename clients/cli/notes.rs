//! `dbgmate notes`: what is known, and how to add to it.

use std::fmt::Write;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use dbgmate::api::notes::{
    CheckMethod, CheckRequest, Checked, Finding, GetMethod, GetRequest, KnownNote, Level,
    ListMethod, ListRequest, NoteList,
};
use dbgmate::api::trace::{ParseMethod, ParseRequest};
use dbgmate::authoring;
use dbgmate::config::Config;
use dbgmate::engine::Engine;
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::render::escape::escape;
use dbgmate::render::style::{DIM, ERROR, HINT, TITLE, UNCERTAIN};

use crate::backend::Backend;
use crate::binaries::absolute_path;
use crate::output::Output;
use crate::{Failure, Outcome, paste};

/// List, show, check and begin notes: the known bugs that `triage` recognises
///
/// docs/notes.md explains how one is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List all notes, those shipped and your own
    List(List),
    Show(Show),
    Check(Check),
    New(New),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Exactly what the API returns
    #[arg(long)]
    json: bool,
}

/// Show a note as it is written
#[derive(Debug, clap::Args)]
struct Show {
    /// PLUGIN/NAME
    id: String,
    /// Exactly what the API returns
    #[arg(long)]
    json: bool,
}

/// Check notes: whether each can be read, recognises its examples and leaves its look-alikes alone, and
/// whether another claims the same
///
/// The exit status is 1 when a note has to be mended; remarks alone do not count.
#[derive(Debug, clap::Args)]
struct Check {
    /// Notes, plugins or folders of plugins; all of your own where there is none
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Exactly what the API returns
    #[arg(long)]
    json: bool,
}

/// Begin a note from a paste: by its assertion, its signal and frames, or the errors in its log, with what
/// it prints as questions
///
/// Writes the note to standard output; with --into also the plugin and the paste as its example, ready for
/// `notes check`. The exit status is 1 when the paste shows nothing to recognise it by.
#[derive(Debug, clap::Args)]
struct New {
    /// The paste; `-` is standard input
    #[arg(value_name = "PASTE")]
    paste: PathBuf,
    /// The plugin it belongs to
    #[arg(long, default_value = "mine", value_name = "NAME", value_parser = plain_name)]
    plugin: String,
    /// The note's name
    #[arg(long, default_value = "crash", value_name = "NAME", value_parser = plain_name)]
    name: String,
    /// Write it to this folder of plugins; nothing there is written over
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

/// A name that a folder or a file may have.
fn plain_name(name: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain) {
        true => Ok(name.to_owned()),
        false => Err("a name is letters, digits, `-` and `_`".to_owned()),
    }
}

pub(crate) fn run(
    args: &Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    match &args.action {
        Action::List(args) => list(args, backend, job, output),
        Action::Show(args) => show(args, backend, job, output),
        Action::Check(args) => check(args, backend, job, output),
        Action::New(args) => new(args, backend, job, output),
    }
}

fn list(
    args: &List,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let mut all = NoteList::default();
    loop {
        let request = ListRequest { limit: None, cursor: all.next.take() };
        let part = backend.call::<ListMethod>(job, request, output)?;
        all.notes.extend(part.notes);
        (all.problems, all.next) = (part.problems, part.next);
        if all.next.is_none() {
            break;
        }
    }
    for problem in &all.problems {
        output.notice(&format!("not used: {problem}"));
    }
    if args.json {
        output.json(&all)?;
        return Ok(Outcome::Found);
    }
    let width = all.notes.iter().map(|note| note.id.chars().count()).max().unwrap_or(0);
    let mut page = String::new();
    for KnownNote { id, kind, title, file } in all.notes {
        let own = if file.is_some() { ", your own" } else { "" };
        let (id, kind, title) = (escape(&id), kind.name(), escape(&title));
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{TITLE}{id:width$}{TITLE:#}  {title} {DIM}({kind}{own}){DIM:#}");
    }
    output.result(&page)?;
    Ok(Outcome::Found)
}

fn show(
    args: &Show,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let note = backend.call::<GetMethod>(job, GetRequest { id: args.id.clone() }, output)?;
    if args.json {
        output.json(&note)?;
    } else {
        let lines = note.text.lines().map(|line| format!("{}\n", escape(line)));
        output.result(&lines.collect::<String>())?;
    }
    Ok(Outcome::Found)
}

fn check(
    args: &Check,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let paths = args.paths.iter().map(|path| absolute_path(path)).collect::<Result<Vec<_>, _>>()?;
    let checked = backend.call::<CheckMethod>(job, CheckRequest { paths }, output)?;
    if args.paths.is_empty() && checked.notes.is_empty() && checked.findings.is_empty() {
        output.notice("there are no plugins of your own; docs/notes.md shows how to write one");
    }
    if args.json {
        output.json(&checked)?;
    } else {
        output.result(&page(&checked))?;
    }
    let is_wrong = checked.findings.iter().any(|finding| finding.level == Level::Error);
    Ok(if is_wrong { Outcome::NotFound } else { Outcome::Found })
}

fn page(checked: &Checked) -> String {
    let mut page = String::new();
    for Finding { level, file, line, what, hint } in &checked.findings {
        let (style, level) = match level {
            Level::Error => (ERROR, "error"),
            Level::Remark => (UNCERTAIN, "remark"),
        };
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let (file, what, hint) = (escape(file), escape(what), escape(hint));
        let _ = writeln!(page, "{file}{line}: {style}{level}{style:#}: {what}");
        let _ = writeln!(page, "  {HINT}try:{HINT:#} {hint}");
    }
    let count = |level| checked.findings.iter().filter(|finding| finding.level == level).count();
    let (notes, tried) = (checked.notes.len(), checked.tried);
    let (errors, remarks) = (count(Level::Error), count(Level::Remark));
    let _ = writeln!(
        page,
        "notes: {notes}; examples and look-alikes tried: {tried}; errors: {errors}; remarks: {remarks}"
    );
    page
}

fn new(args: &New, backend: &Backend, job: &Job, output: &mut Output) -> Result<Outcome, Failure> {
    let text = paste::read(std::slice::from_ref(&args.paste), output)?.text.unwrap_or_default();
    let request = ParseRequest { text: Some(text.clone()), ..Default::default() };
    let trace = backend.call::<ParseMethod>(job, request, output)?;
    let New { plugin, name, .. } = args;
    let example = format!("examples/{name}.txt");
    let plugins = Engine::new(Config::load()?).plugins();
    let id = format!("{plugin}/{name}");
    let Some(note) = authoring::propose(&trace, plugins.notes(), &id, &example) else {
        let what = "the paste has no assertion, no frame of a project and no error in a log";
        let hint = "paste the whole session, with the backtrace or the messages that tell it";
        return Err(Error::new(Kind::NotFound, what).hint(hint).into());
    };
    let lines = note.lines().map(|line| format!("{}\n", escape(line)));
    output.result(&lines.collect::<String>())?;
    if let Some(folder) = &args.into {
        let folder = folder.join(plugin);
        create(&folder.join("notes").join(format!("{name}.toml")), &note)?;
        create(&folder.join(&example), &text)?;
        let is_known = plugins.iter().any(|one| one.name == *plugin);
        let manifest = folder.join("plugin.toml");
        if !is_known && !manifest.exists() {
            create(&manifest, &format!("name     = \"{plugin}\"\nbinaries = []\n"))?;
        }
        output.notice(&format!("written to {}", folder.display()));
    }
    Ok(Outcome::Found)
}

/// Writes a file that does not exist yet.
fn create(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Unreadable, format!("{} cannot be written: {error}", path.display()))
            .hint("choose another --name, or another folder")
    };
    fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).map_err(failed)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
