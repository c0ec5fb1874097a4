//! What happened around the stacks of a paste.

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use super::{Frame, Lines, Thread};
use crate::address::RuntimeAddress;

/// Something that happened, with what the text says of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(transform = only_known_members)]
pub struct Event {
    /// What happened.
    #[serde(flatten)]
    pub what: EventKind,
    /// Where the text says so.
    pub lines: Lines,
    /// The index in `stacks` of the stack that belongs to it: for a signal, the backtrace printed
    /// after it; for an assertion, the stack in whose frames it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<usize>,
    /// The thread it happened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Thread>,
    /// The frame gdb prints where a program stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Box<Frame>>,
    /// The source line gdb prints under that frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLine>,
}

/// The members of an event besides those of its kind.
const CIRCUMSTANCES: [&str; 5] = ["lines", "stack", "thread", "frame", "source"];

/// serde reads a flattened enum only by letting every other name pass: here the members are divided
/// between the event and its kind, and each refuses what it does not have.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        #[derive(Deserialize)]
        struct Circumstances {
            lines: Lines,
            stack: Option<usize>,
            thread: Option<Thread>,
            frame: Option<Box<Frame>>,
            source: Option<SourceLine>,
        }
        let mut what = Map::deserialize(deserializer)?;
        let named = CIRCUMSTANCES.iter().filter_map(|name| what.remove_entry(*name)).collect();
        let Circumstances { lines, stack, thread, frame, source } = read(named)?;
        Ok(Event { what: read(what)?, lines, stack, thread, frame, source })
    }
}

fn read<T: DeserializeOwned, E: serde::de::Error>(members: Map<String, Json>) -> Result<T, E> {
    serde_json::from_value(Json::Object(members)).map_err(E::custom)
}

/// The same in the schema: each kind says of the event's own members that it lets them pass.
fn only_known_members(schema: &mut Schema) {
    let kinds = schema.get_mut("oneOf").and_then(Json::as_array_mut);
    for kind in kinds.into_iter().flatten().filter_map(Json::as_object_mut) {
        kind.insert("additionalProperties".to_owned(), Json::Bool(false));
        if let Some(members) = kind.get_mut("properties").and_then(Json::as_object_mut) {
            members.extend(CIRCUMSTANCES.map(|name| (name.to_owned(), Json::Bool(true))));
        }
    }
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EventKind {
    /// A signal stopped the program.
    Signal {
        /// `SIGABRT`.
        name: String,
        /// `Aborted`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meaning: Option<String>,
    },
    /// An assertion failed: glibc's line, or the arguments of `__assert_fail` in a backtrace.
    Assertion {
        /// The expression as the program prints it.
        expression: String,
        /// The source file as the program prints it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// The line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// The function that asserted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<String>,
        /// The program, where the text says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<String>,
    },
    /// A breakpoint was reached.
    Breakpoint {
        /// The debugger's number for it.
        number: u32,
    },
    /// A program, its runtime, a checking tool or a kernel says what went wrong.
    Fault {
        /// Who says so, by the format's stable name: `sanitizer`, `valgrind`, `glibc-heap`, `linux`.
        by: String,
        /// What, in its own words: `heap-use-after-free`, `double free or corruption (out)`.
        what: String,
        /// The address it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<RuntimeAddress>,
        /// The source file, where it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// The line in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// The column in that line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        column: Option<u32>,
    },
    /// Which program the text is of: gdb's `Core was generated by`, coredumpctl's `Executable:`.
    Program {
        /// Its path as printed, without arguments.
        path: String,
    },
    /// What a printer other than gdb says around its stacks: the heading of one, which `stack` then
    /// tells, or a detail.
    Remark {
        /// Who says it, by the format's stable name.
        by: String,
        /// The first line of it, shortened.
        text: String,
    },
    /// What registers held: of the stack's innermost frame, or of the frame that was selected in gdb.
    Registers {
        /// Who says so, by the format's stable name.
        by: String,
        /// In the order they are printed.
        values: Vec<Register>,
    },
    /// The debugger's own talk.
    Session {
        /// Which talk.
        what: SessionKind,
    },
}

/// A register of the processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// As printed: `rip`, `RSP`, `x29`.
    pub name: String,
    /// What it held; none where addresses were taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<RuntimeAddress>,
}

/// The debugger's own talk, by its first words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// `[Switching to Thread …]`.
    Switching,
    /// `[New Thread …]`.
    NewThread,
    /// `[Thread … exited]`.
    ThreadExited,
    /// `Detaching after fork from child process …`.
    Detaching,
    /// `Continuing.`
    Continuing,
    /// `(gdb) …`: a command the person typed, or an empty prompt.
    Command,
    /// `Breakpoint 1 at …`: a breakpoint was set.
    BreakpointSet,
    /// Anything else the debugger prints for itself (`[Thread debugging using …]`).
    Other,
}

/// A line of source text as a debugger echoes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceLine {
    /// Its number in the file.
    pub line: u32,
    /// The text, without the indentation.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Result<Event, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn an_event_is_read_back_with_all_that_belongs_to_it() {
        let whole = event(
            r#"{"kind":"signal","name":"SIGABRT","meaning":"Aborted","lines":{"first":1,"last":2},
            "stack":0,"thread":{"number":3,"address":"0x7f5fbb16e840"},"frame":{"index":0,
            "lines":{"first":2,"last":2},"physical":0,"pc":"exact","arguments":[],"guess":false},
            "source":{"line":7,"text":"abort ();"}}"#,
        )
        .unwrap();
        let json = serde_json::to_value(&whole).unwrap();
        let mut members: Vec<_> = json.as_object().unwrap().keys().collect();
        members.retain(|name| !["kind", "name", "meaning"].contains(&name.as_str()));
        let mut known = CIRCUMSTANCES.to_vec();
        known.sort_unstable();
        assert_eq!(members, known);
        assert_eq!(event(&json.to_string()).unwrap(), whole);
    }

    #[test]
    fn an_event_has_the_members_of_its_kind_and_no_others() {
        let lines = r#""lines":{"first":1,"last":1}"#;
        for (members, refused) in [
            (r#""kind":"breakpoint","number":1,"nubmer":2"#, "`nubmer`"),
            (r#""kind":"breakpoint","number":1,"expression":"x""#, "`expression`"),
            (r#""kind":"breakpoint""#, "`number`"),
            (r#""kind":"breakpiont","number":1"#, "`breakpiont`"),
            (r#""number":1"#, "`kind`"),
            (r#""kind":"session","what":"other","stakc":1"#, "`stakc`"),
            (r#""kind":"session","what":"other","thread":{"lpw":1}"#, "`lpw`"),
        ] {
            let error = event(&format!("{{{members},{lines}}}")).unwrap_err();
            assert!(error.contains(refused), "{members}: {error}");
        }
        assert!(event(r#"{"kind":"breakpoint","number":1}"#).unwrap_err().contains("`lines`"));
    }
}
