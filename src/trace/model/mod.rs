//! What a paste says, whatever its format: stacks of frames, the events around them, printed
//! values, log records, and the lines nothing was made of.
//!
//! These are plain data and their own wire form: `trace.parse` returns a [`Trace`],
//! `triage.report` takes one. Optional fields are left out where the text does not say; a name that
//! does not exist is an error, since a misspelt one would be evidence lost.

mod event;
mod module;

pub use event::{Event, EventKind, Register, SessionKind, SourceLine};
pub use module::{Module, ModuleSource};

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::{ModuleOffset, Pc, RuntimeAddress};

/// Everything read from one paste. Every input line that is not blank is in a frame, an event, a
/// value, a module, a log record or in `skipped`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The formats recognised, by their stable names, for instance `gdb`, `libxl-log`.
    pub formats: Vec<String>,
    /// Stacks in the order of the text.
    pub stacks: Vec<Stack>,
    /// What happened around the stacks, in the order of the text.
    pub events: Vec<Event>,
    /// Values a debugger printed.
    pub values: Vec<PrintedValue>,
    /// Shared libraries and programs that the text lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Module>,
    /// Records of log files.
    pub log: Vec<LogRecord>,
    /// Lines nothing was made of: a person's own words, unknown formats.
    pub skipped: Vec<Skipped>,
}

/// A range of input lines, counted from 1, both ends included.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// The name of the piece (file) when the paste has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    /// The first line.
    pub first: usize,
    /// The last line.
    pub last: usize,
}

/// One stack of frames, innermost first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// A whole backtrace, or the one frame a person selected.
    pub kind: StackKind,
    /// What introduced the stack in the text (`where`, `Thread 3 (…)`, `freed by thread T0 here:`),
    /// or empty.
    pub label: String,
    /// Which printer it is of, by the format's stable name.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub format: Cow<'static, str>,
    /// The thread whose stack it is, where the text says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Thread>,
    /// From the first frame's first line to the last frame's last.
    pub lines: Lines,
    /// The frames, innermost first.
    pub frames: Vec<Frame>,
}

/// How a stack came to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StackKind {
    /// `bt`, `where`, `thread apply all bt`: frames from the innermost on.
    Backtrace,
    /// gdb's `frame N`, `up`, `down`: one frame echoed.
    Selected,
}

/// A thread, by whichever of its names the text gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thread {
    /// The debugger's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Its name, as in `Thread 3 "libvirtd"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The pthread_t, as in `Thread 0x7f5fbb16e840`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<RuntimeAddress>,
    /// The kernel's id of the thread (LWP).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lwp: Option<u64>,
}

/// One frame as the text shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The number the text gives, or its position where it gives none.
    pub index: u32,
    /// The frame's lines, wrapped ones included.
    pub lines: Lines,
    /// Frames that share one machine frame (inlined functions) share this number. gdb prints the
    /// address at one of them, other printers repeat it.
    pub physical: u32,
    /// How `address` relates to the instruction being executed.
    pub pc: Pc,
    /// The program counter printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<RuntimeAddress>,
    /// The function's name as printed, without arguments; absent for `??`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `+0x…` behind the function's name, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The shared library or program the text names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The address within the module, where the text gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_offset: Option<ModuleOffset>,
    /// The source file as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The source line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The source column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The arguments, in order.
    pub arguments: Vec<Argument>,
    /// Local variables (`bt full`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locals: Vec<Argument>,
    /// The text itself marks the frame as a guess (a stack scan).
    pub guess: bool,
    /// gdb's `<signal handler called>`: the kernel's frame, not a function.
    #[serde(default, skip_serializing_if = "is_false")]
    pub signal_handler: bool,
    /// What the code of its binary says of it: whether it can be a frame of this stack at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<FrameCheck>,
    /// What the binaries say of the frame's address; never part of a paste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
}

/// What the code at a frame's address says of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FrameCheck {
    /// A call ends there that reaches the next inner frame, and nowhere else in the function.
    Pinned,
    /// Nothing speaks against it.
    Fits,
    /// The function called has jumped on to the one of the next inner frame, if it is one.
    TailCall,
    /// There is no code at its address.
    NoCode,
    /// Another function than the one printed has its address.
    OtherFunction,
    /// No instruction starts at its address.
    NoInstruction,
    /// No call ends at its address.
    NoCall,
    /// The call that ends at its address reaches another function than the next inner frame's.
    CallsOther,
}

/// What a binary says of a frame: the function and source line, with the functions inlined there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The functions of the one machine frame, innermost first; the last is the one called.
    pub frames: Vec<ResolvedFrame>,
    /// The path of the binary.
    pub module: String,
    /// Its build-id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// How sure it is that the binary is the one of the paste.
    pub certainty: Certainty,
    /// What told the function's name: `dwarf`, `symtab`, `dynsym`, `mini-debug-info`, `plt`.
    pub via: String,
}

/// One function of a machine frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolvedFrame {
    /// Its name, demangled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Bytes from the function's start, where only its symbol is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The source around the line, where it was asked for and could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<SourceLine>,
}

/// How sure it is that an address was looked up in the right build, at the right place.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The code itself, or a build-id, proves it.
    Certain,
    /// Nothing speaks against it, and nothing proves it.
    Probable,
}

/// An argument or local variable of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    /// Its name, without gdb's `@entry`.
    pub name: String,
    /// `name@entry=value`: what it was when the function was entered.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_entry: bool,
    /// The value printed.
    pub value: Value,
}

/// A value as gdb prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The text as printed, wrapped lines joined by one space.
    pub text: String,
    /// What it is.
    pub kind: ValueKind,
    /// A pointer's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<RuntimeAddress>,
    /// `<symbol>` or `<symbol+12>` behind a pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// The string behind a pointer, unescaped as far as it was printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
    /// A struct's members, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Argument>,
    /// An array's elements, as far as printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Value>,
}

/// The kinds of value a debugger prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// A whole number, a float, a character or a boolean.
    Scalar,
    /// An address.
    Pointer,
    /// A name: an enumerator.
    Name,
    /// Text in quotes, not behind a pointer: a character array.
    String,
    /// `{name = value, …}`.
    Struct,
    /// `{value, …}`.
    Array,
    /// `<optimized out>`.
    OptimizedOut,
    /// `...` or something the parser does not know.
    Unknown,
}

/// A value with the expression that asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintedValue {
    /// The expression of the `print` before it, where the paste holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// The number of gdb's `$4 = …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The value.
    pub value: Value,
    /// The index in `stacks` of the stack it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<usize>,
    /// The number of the frame that was selected in that stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
    /// Where it stands.
    pub lines: Lines,
}

/// One record of a log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogRecord {
    /// Where it stands.
    pub lines: Lines,
    /// The format's stable name: `libvirt-log`, `libxl-log`.
    pub format: String,
    /// The time as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The level as printed (`debug`, `error`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The thread id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// The source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The source line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The function that logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The program or library (`libxl`, `xc`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The message.
    pub text: String,
}

/// A run of lines nothing was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// Which lines.
    pub lines: Lines,
    /// The first of them, shortened.
    pub text: String,
}

fn is_false(value: &bool) -> bool {
    !*value
}
