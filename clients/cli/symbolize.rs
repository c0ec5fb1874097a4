//! `dbgmate symbolize`: functions and source lines for the frames of a paste, or for addresses.

use std::path::{Path, PathBuf};

use dbgmate::address::FileAddress;
use dbgmate::api::binary::BinaryRef;
use dbgmate::api::symbols::{
    ResolveMethod, ResolveRequest, SymbolizeMethod, SymbolizeRequest, TraceForm,
};
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::render;
use dbgmate::trace::Resolved;

use crate::backend::Backend;
use crate::binaries::{absolute, without_debug_info};
use crate::output::{Output, form};
use crate::paste::Paste;
use crate::{Failure, Outcome, paste};

/// Fill in functions, source lines and inlined callers of a pasted backtrace, or look addresses up
///
/// Where each module was loaded is read from the paste, or worked out from the names of its frames
/// and checked against the code: a line is shown as certain only when the code proves the build.
/// With one --binary and addresses instead of files, those are looked up, as addr2line does.
/// The exit status is 1 when nothing could be looked up.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files with the paste; standard input where there is none, or for `-`. With --binary also
    /// addresses in hexadecimal
    #[arg(value_name = "FILE|ADDRESS")]
    what: Vec<String>,
    /// A binary to look in first: a program, a library, its unstripped twin; may be given several
    /// times
    #[arg(short, long = "binary", value_name = "PATH")]
    binaries: Vec<PathBuf>,
    /// Compare each address's answer with that of the crate addr2line
    #[arg(long)]
    verify: bool,
    /// So many lines of source above and below each line, from the `source_roots` of the configuration
    #[arg(short = 'C', long, value_name = "LINES")]
    context: Option<u32>,
    /// With --json: also the answer as text, as the API returns it
    #[arg(long, value_name = "FORM", requires = "json", value_parser = form::<TraceForm>)]
    render: Option<TraceForm>,
    /// Exactly what the API returns
    #[arg(long)]
    json: bool,
}

/// Asks, and writes the answer.
pub(crate) fn run(
    args: &Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let binaries = args.binaries.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    if let Some(addresses) = addresses(args.what.iter().map(String::as_str)) {
        return look_up(args, binaries, addresses, backend, job, output);
    }
    only_files(&args.what)?;
    let files: Vec<PathBuf> = args.what.iter().map(PathBuf::from).collect();
    let paste = paste::read(&files, output)?;
    if let (Some(text), [_]) = (&paste.text, binaries.as_slice())
        && let Some(addresses) = addresses(text.split_whitespace())
    {
        return look_up(args, binaries, addresses, backend, job, output);
    }
    symbolize(args, binaries, paste, backend, job, output)
}

/// The words as addresses, if all of them are; none where there is no word.
fn addresses<'w>(words: impl Iterator<Item = &'w str>) -> Option<Vec<FileAddress>> {
    let mut words = words.peekable();
    words.peek()?;
    words.map(address).collect()
}

fn address(word: &str) -> Option<FileAddress> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u64::from_str_radix(digits, 16).ok().map(FileAddress))?
}

/// Words among which some are addresses, and no files, and others are not: one of those is misspelt.
fn only_files(words: &[String]) -> Result<(), Failure> {
    let is_meant = |word: &String| {
        word.starts_with("0x") && address(word).is_some() && !Path::new(word).exists()
    };
    match words.iter().find(|word| address(word).is_none()) {
        Some(other) if words.iter().any(is_meant) => {
            Err(Error::new(Kind::Request, format!("`{other}` is no address in hexadecimal"))
                .hint("give addresses alone, or files alone")
                .into())
        }
        _ => Ok(()),
    }
}

fn symbolize(
    args: &Args,
    binaries: Vec<BinaryRef>,
    paste: Paste,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    if args.verify {
        return Err(Error::new(Kind::Request, "only addresses are verified")
            .hint("name one --binary, and addresses instead of files")
            .into());
    }
    let (text, pieces) = (paste.text, paste.pieces);
    let (context, render) = (args.context, args.render);
    let request =
        SymbolizeRequest { text, pieces, binaries, context, render, ..Default::default() };
    let answer = backend.call::<SymbolizeMethod>(job, request, output)?;
    if args.json {
        output.json(&answer)?;
    } else {
        output.result(&render::trace::stacks(&answer.trace))?;
        for line in render::trace::modules(&answer) {
            output.notice(&line);
        }
        let frames = answer.trace.stacks.iter().flat_map(|stack| &stack.frames);
        without_source(args, frames.filter_map(|frame| frame.resolved.as_ref()), output);
    }
    Ok(if answer.modules.is_empty() { Outcome::NotFound } else { Outcome::Found })
}

/// Says so where source lines were asked for, and none could be read.
fn without_source<'r>(
    args: &Args,
    resolved: impl Iterator<Item = &'r Resolved>,
    output: &mut Output,
) {
    let frames = resolved.flat_map(|resolved| &resolved.frames);
    let mut with_line = frames.filter(|frame| frame.line.is_some()).peekable();
    let are_lines = with_line.peek().is_some();
    if args.context.is_some() && are_lines && with_line.all(|frame| frame.source.is_empty()) {
        output.notice(
            "no source is shown: none of the files is below a folder of `source_roots` in the \
             configuration",
        );
    }
}

fn look_up(
    args: &Args,
    binaries: Vec<BinaryRef>,
    addresses: Vec<FileAddress>,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let Ok([binary]) = <[BinaryRef; 1]>::try_from(binaries) else {
        return Err(Error::new(Kind::Request, "addresses are looked up in one binary")
            .hint("name it with --binary PATH")
            .into());
    };
    let (context, verify) = (args.context, args.verify);
    let request = ResolveRequest { binary, addresses, context, verify };
    let answer = backend.call::<ResolveMethod>(job, request, output)?;
    if args.json {
        output.json(&answer)?;
    } else {
        output.result(&render::trace::addresses(&answer))?;
        if let Some(line) = without_debug_info(&answer.debug_info) {
            output.notice(&line);
        }
        let resolved = answer.addresses.iter().filter_map(|address| address.resolved.as_ref());
        without_source(args, resolved, output);
    }
    if let Some(problem) = &answer.problem {
        output.notice(&format!("not all of the debug info could be read: {problem}"));
    }
    let found = answer.addresses.iter().any(|address| address.resolved.is_some());
    Ok(if found { Outcome::Found } else { Outcome::NotFound })
}
