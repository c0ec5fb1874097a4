//! A trace as text: its stacks as gdb prints them, with what the binaries say filled in, and what
//! is known of each module.

use std::collections::HashSet;
use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::style::{DIM, ERROR, EVIDENCE, HEADING, UNCERTAIN};
use crate::api::symbols::{
    BiasSource, MisfitFrame, PlacedModule, Refusal, RefusedModule, ResolvedAddress,
    ResolvedAddresses, Symbolized, TriedBinary, UnusedBinary,
};
use crate::trace::{
    Argument, Certainty, EventKind, Frame, FrameCheck, Lines, ResolvedFrame, Trace, closed,
};

/// Stacks, then modules.
pub fn text(answer: &Symbolized) -> String {
    let mut page = stacks(&answer.trace);
    let modules = modules(answer);
    if !modules.is_empty() && !page.is_empty() {
        page.push('\n');
    }
    for line in modules {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{DIM}{}{DIM:#}", escape(&line));
    }
    page
}

/// The stacks of a trace, with a blank line between two; before them the stops that no stack shows.
pub fn stacks(trace: &Trace) -> String {
    let mut page = String::new();
    for (number, frame) in lone_stops(trace) {
        let _ = writeln!(page, "{HEADING}Breakpoint {number}{HEADING:#}");
        let _ = write_frame(&mut page, frame);
    }
    for stack in &trace.stacks {
        if !page.is_empty() {
            page.push('\n');
        }
        if !stack.label.is_empty() {
            let _ = writeln!(page, "{HEADING}{}{HEADING:#}", escape(&stack.label));
        }
        for frame in &stack.frames {
            let _ = write_frame(&mut page, frame);
        }
    }
    page
}

/// The stops at breakpoints whose frame is in no stack.
fn lone_stops(trace: &Trace) -> impl Iterator<Item = (u32, &Frame)> {
    let shown: HashSet<_> = trace
        .stacks
        .iter()
        .flat_map(|stack| &stack.frames)
        .filter_map(|frame| frame.address)
        .collect();
    trace.events.iter().filter_map(move |event| match (&event.what, event.frame.as_deref()) {
        (EventKind::Breakpoint { number }, Some(frame))
            if frame.address.is_some_and(|address| !shown.contains(&address)) =>
        {
            Some((*number, frame))
        }
        _ => None,
    })
}

/// The answers to a list of addresses, the functions inlined at one below one another.
pub fn addresses(answer: &ResolvedAddresses) -> String {
    let mut page = String::new();
    for one in &answer.addresses {
        let _ = write_address(&mut page, one);
    }
    page
}

fn write_address(page: &mut String, one: &ResolvedAddress) -> fmt::Result {
    let address = format!("{:#018x}", one.address.0);
    write!(page, "{DIM}{address}{DIM:#} ")?;
    let frames = one.resolved.as_ref().map_or(&[][..], |resolved| &resolved.frames);
    let Some((called, inlined)) = frames.split_last() else {
        return writeln!(page, "??");
    };
    for inner in inlined {
        let name = function(inner.function.as_deref());
        writeln!(page, "{name} {DIM}(inlined){DIM:#}{}", place(inner))?;
        write_source(page, inner)?;
        write!(page, "{}", " ".repeat(address.len() + 1))?;
    }
    write!(page, "{}", function(called.function.as_deref()))?;
    if let Some(offset) = called.offset.filter(|offset| *offset > 0) {
        write!(page, "+{offset:#x}")?;
    }
    writeln!(page, "{}", place(called))?;
    write_source(page, called)?;
    match &one.differs {
        Some(other) => writeln!(page, "  {ERROR}addr2line says{ERROR:#} {}", escape(other)),
        None => Ok(()),
    }
}

/// What is known of each module, and of binaries that are none, a sentence each.
pub fn modules(answer: &Symbolized) -> Vec<String> {
    let placed = answer.modules.iter().map(placed);
    let others = answer.refused.iter().map(refused).chain(answer.unused.iter().map(unused));
    placed.chain(others).collect()
}

/// A frame with its local variables.
pub(super) fn write_whole_frame(page: &mut String, frame: &Frame) {
    let _ = write_frame(page, frame);
    for local in &frame.locals {
        let _ = writeln!(page, "        {} = {}", escape(&local.name), escape(&local.value.text));
    }
}

fn write_frame(page: &mut String, frame: &Frame) -> fmt::Result {
    let number = format!("#{:<2} ", frame.index);
    let address = match frame.address {
        Some(address) => format!("{:#018x} in ", address.0),
        None => String::new(),
    };
    write!(page, "{number}{DIM}{address}{DIM:#}")?;
    if frame.signal_handler {
        return writeln!(page, "<signal handler called>");
    }
    let indent = " ".repeat((number.len() + address.len()).saturating_sub("in ".len()));
    let resolved = frame.resolved.as_ref();
    let frames = resolved.map_or(&[][..], |resolved| &resolved.frames);
    let Some((called, inlined)) = frames.split_last() else {
        write_printed(page, frame)?;
        return writeln!(page, "{}", remarks(frame));
    };
    for (position, inner) in inlined.iter().enumerate() {
        if position > 0 {
            write!(page, "{DIM}{indent}in {DIM:#}")?;
        }
        write!(page, "{} {DIM}(inlined){DIM:#}", function(inner.function.as_deref()))?;
        writeln!(page, "{}", place(inner))?;
        write_source(page, inner)?;
    }
    if !inlined.is_empty() {
        write!(page, "{DIM}{indent}in {DIM:#}")?;
    }
    let name = called.function.as_deref().or(frame.function.as_deref());
    write!(page, "{}", function(name))?;
    if let Some(offset) = called.offset.filter(|offset| *offset > 0 && called.line.is_none()) {
        write!(page, "+{offset:#x}")?;
    }
    write!(page, " ({})", arguments(&frame.arguments))?;
    match (&called.file, &frame.module) {
        (Some(_), _) => write!(page, "{}", place(called))?,
        (None, Some(module)) => write!(page, " from {}", escape(module))?,
        (None, None) => {}
    }
    writeln!(page, "{}", remarks(frame))?;
    write_source(page, called)
}

/// A frame as the paste has it.
fn write_printed(page: &mut String, frame: &Frame) -> fmt::Result {
    write!(page, "{} ({})", called(frame), arguments(&frame.arguments))?;
    let printed = ResolvedFrame {
        file: frame.file.clone(),
        line: frame.line,
        column: frame.column,
        ..ResolvedFrame::default()
    };
    write!(page, "{}{}", place(&printed), library(frame))
}

/// `FUNCTION`, `FUNCTION+0x1f` or `??`, as the paste has it.
pub(super) fn called(frame: &Frame) -> String {
    let name = function(frame.function.as_deref());
    match frame.offset.filter(|_| frame.function.is_some()) {
        Some(offset) => format!("{name}+{offset:#x}"),
        None => name,
    }
}

/// ` from MODULE`, ` from MODULE+0x1234`, as far as known.
pub(super) fn library(frame: &Frame) -> String {
    match (frame.module.as_deref(), frame.module_offset) {
        (None, None) => String::new(),
        (Some(module), None) => format!(" from {}", escape(module)),
        (module, Some(offset)) => format!(" from {}+{:#x}", function(module), offset.0),
    }
}

/// The source around a place, the line itself marked.
fn write_source(page: &mut String, frame: &ResolvedFrame) -> fmt::Result {
    for shown in &frame.source {
        let mark = if Some(shown.line) == frame.line { '>' } else { ' ' };
        writeln!(page, "    {mark} {DIM}{:>6}{DIM:#}  {}", shown.line, escape(&shown.text))?;
    }
    Ok(())
}

fn function(name: Option<&str>) -> String {
    escape(name.unwrap_or("??")).into_owned()
}

/// Arguments as gdb prints them; of one that was shortened, what is open is closed.
pub(super) fn arguments(arguments: &[Argument]) -> String {
    let argument = |argument: &Argument| {
        let entry = if argument.at_entry { "@entry" } else { "" };
        let equals = if argument.name.is_empty() { "" } else { "=" };
        let value = closed(&argument.value.text);
        format!("{}{entry}{equals}{}", escape(&argument.name), escape(&value))
    };
    arguments.iter().map(argument).collect::<Vec<_>>().join(", ")
}

/// ` at FILE:LINE:COLUMN`, as far as known.
fn place(frame: &ResolvedFrame) -> String {
    let Some(file) = &frame.file else { return String::new() };
    let mut place = format!(" at {EVIDENCE}{}", escape(file));
    for number in [frame.line, frame.column].into_iter().flatten() {
        let _ = write!(place, ":{number}");
    }
    format!("{place}{EVIDENCE:#}")
}

/// What has to be said of how far a frame is to be believed.
fn remarks(frame: &Frame) -> String {
    let mut remarks = String::new();
    let mut remark = |style: anstyle::Style, text: &str| {
        let _ = write!(remarks, "  {style}[{text}]{style:#}");
    };
    if frame.guess {
        remark(UNCERTAIN, "a guess of whoever printed it");
    }
    match frame.check {
        Some(FrameCheck::TailCall) => remark(UNCERTAIN, "possibly after a tail call"),
        Some(FrameCheck::NoCode) => remark(ERROR, "implausible: no code there"),
        Some(FrameCheck::OtherFunction) => remark(ERROR, "implausible: another function is there"),
        Some(FrameCheck::NoInstruction) => {
            remark(ERROR, "implausible: no instruction starts there");
        }
        Some(FrameCheck::NoCall) => remark(ERROR, "implausible: no call ends there"),
        Some(FrameCheck::CallsOther) => {
            remark(ERROR, "implausible: the call there reaches another function");
        }
        Some(FrameCheck::Pinned | FrameCheck::Fits) | None => {}
    }
    let certainty = frame.resolved.as_ref().map(|resolved| resolved.certainty);
    if certainty == Some(Certainty::Probable) {
        remark(UNCERTAIN, "probable");
    }
    remarks
}

fn placed(module: &PlacedModule) -> String {
    let mut line = format!("{} is {}", name(module.name.as_deref()), module.path);
    if let Some(used) = module.debug_info.used.as_ref().filter(|used| **used != module.path) {
        let _ = write!(line, ", debug info in {used}");
    }
    let because = match module.because {
        BiasSource::Given => "as the question says",
        BiasSource::Listed => "as the paste lists it",
        BiasSource::Fixed => "where it is linked to be",
        BiasSource::StartFrame => "by where its first frame has main",
        BiasSource::Inferred => "by the names of its frames",
    };
    let _ = write!(line, ", loaded at {} {because}: ", module.bias);
    let frames = counted(module.frames as u64, "frame");
    match (module.certainty, module.proved) {
        (Certainty::Certain, _) => {
            let _ = write!(line, "certain for {frames}");
        }
        (Certainty::Probable, 0) => {
            let _ = write!(line, "probable, nothing proves the build ({frames})");
        }
        (Certainty::Probable, proved) => {
            let _ = write!(line, "certain for {proved} of {frames}, probable for the others");
        }
    }
    if module.debug_info.used.is_none() {
        line.push_str("; it has no debug info, names are from its symbols");
    }
    if let Some(problem) = &module.problem {
        let _ = write!(line, "; not all of its debug info could be read: {problem}");
    }
    line
}

fn refused(module: &RefusedModule) -> String {
    let (name, frames) = (name(module.name.as_deref()), counted(module.frames as u64, "frame"));
    let start = format!("{name} ({frames}) is not looked up");
    match module.why {
        Refusal::NoBinary => match module.tried.iter().find_map(|tried| tried.problem.as_ref()) {
            Some(problem) => format!("{start}: {problem}"),
            None => format!("{start}: no such binary is here; name it with --binary"),
        },
        Refusal::OtherBuild => {
            format!("{start}: the paste is from another build than {}", misfits(module))
        }
        Refusal::OtherPlace => format!(
            "{start}: its build-id is here, but it was not where the paste has it in {}",
            misfits(module)
        ),
        Refusal::Ambiguous => {
            let place = |tried: &TriedBinary| match tried.bias {
                Some(bias) => format!("{} at {bias}", tried.path),
                None => tried.path.clone(),
            };
            let places: Vec<String> = module.tried.iter().map(place).collect();
            format!("{start}: each of these would do: {}", places.join(", "))
        }
        Refusal::NoAddresses => format!("{start}: the text has no addresses for them"),
        Refusal::NoNames => format!(
            "{start}: no frame has a name that tells where it was loaded; paste the output of \
             `info sharedlibrary` too"
        ),
    }
}

fn unused(binary: &UnusedBinary) -> String {
    let path = &binary.path;
    match &binary.instead {
        Some(other) => format!("{path} is not used: {other} fits better"),
        None => format!(
            "{path} is not used: no frame to look up is of a module with its name or its build-id"
        ),
    }
}

/// Each binary that was tried, with the frame that cannot be from it.
fn misfits(module: &RefusedModule) -> String {
    let misfit =
        |tried: &TriedBinary| Some(format!("{}: {}", tried.path, misfit(tried.misfit.as_ref()?)));
    module.tried.iter().filter_map(misfit).collect::<Vec<_>>().join("; ")
}

/// The frame that proves another build.
fn misfit(frame: &MisfitFrame) -> String {
    let why = match frame.why {
        FrameCheck::NoCode => "has an address outside its code",
        FrameCheck::OtherFunction => "would be in another function",
        FrameCheck::NoInstruction => "would be inside an instruction",
        FrameCheck::NoCall => "would return to where no call ends",
        FrameCheck::CallsOther => "would return from a call of another function",
        FrameCheck::Pinned | FrameCheck::Fits | FrameCheck::TailCall => "fits",
    };
    format!("frame #{} ({}) {why}", frame.index, lines(&frame.lines))
}

fn lines(lines: &Lines) -> String {
    let piece = lines.piece.as_ref().map(|piece| format!("{piece}, ")).unwrap_or_default();
    match lines.first == lines.last {
        true => format!("{piece}line {}", lines.first),
        false => format!("{piece}lines {}-{}", lines.first, lines.last),
    }
}

fn name(name: Option<&str>) -> &str {
    name.unwrap_or("the program")
}
