"""The commands, as a person types them: arguments in, dbgmate's text out."""

import gdb

from . import asks, capture, crash, layouts, rpc
from .output import notice, printable, result

_VERDICTS = {"confirms": "which confirms", "refutes": "which speaks against"}


def register():
    """Makes gdb know the commands."""
    OffsetsOf()
    Symbolize()
    Triage()


class OffsetsOf(gdb.Command):
    """Show where the members of a type are, by dbgmate.

Usage: offsets-of [--layout] TYPE

TYPE is a struct, union, class, enum or typedef, perhaps with a member path:
`struct libxl__ev_fd.entry.le_next`. It is looked for in the program and its libraries.
--layout shows the C-like view with types, sizes, bit fields and holes."""

    def __init__(self):
        super().__init__("offsets-of", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        flags, words = _split(argument, ("--layout", "-l"))
        if not words:
            raise gdb.GdbError("offsets-of: name a type, for instance `offsets-of struct foo`")
        try:
            answer = layouts.offsets_of(" ".join(words), "layout" if flags else "script")
        except rpc.Error as error:
            raise gdb.GdbError(printable(str(error))) from None
        result(answer["rendered"])
        for searched in answer["searched"]:
            if searched["definitions"]:
                notice(f"from {searched['path']}")
            if "problem" in searched:
                notice(f"{searched['path']}: {searched['problem']}")


class Symbolize(gdb.Command):
    """Show all threads' backtraces with what dbgmate finds in the binaries.

Usage: symbolize

Functions, source lines and inlined callers are filled in from the debug info that dbgmate finds,
also where gdb has none. What is not proved is marked so."""

    def __init__(self):
        super().__init__("symbolize", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        if argument.strip():
            raise gdb.GdbError(f"symbolize: it takes no `{printable(argument.strip())}`")
        try:
            answer = crash.symbolized(capture.paste())
        except rpc.Error as error:
            raise gdb.GdbError(printable(str(error))) from None
        result(answer["rendered"])


class Triage(gdb.Command):
    """Match this stop against dbgmate's known races and bugs.

Usage: triage [--paste]

Sends the signal, the C library's last words, the backtraces of all threads and where the program's
files are, and prints which known bug they fit. What a note then asks is read from memory, without running anything of the
program. --paste prints the text that would be sent, in which the report counts lines, and sends
nothing."""

    def __init__(self):
        super().__init__("triage", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        flags, words = _split(argument, ("--paste",))
        if words:
            raise gdb.GdbError(f"triage: it takes no `{printable(words[0])}`")
        try:
            text = capture.paste()
            if flags:
                result(printable(text))
            else:
                _triage(text)
        except rpc.Error as error:
            raise gdb.GdbError(printable(str(error))) from None


def _triage(text):
    first = crash.report(text)
    result(first["rendered"])
    asked = asks.answers(first)
    if not asked:
        return
    final, _ = crash.with_answers(text, first, asked)
    result("\nasked of the process, by reading its memory")
    for answer in asked:
        result(printable(_told(answer, final)))
    if _ranking(final) != _ranking(first):
        result("\nwith these values\n" + final["rendered"])


def _told(answer, final):
    """A question and its answer, in lines."""
    where = answer.get("frame", "the selected frame")
    if "level" in answer:
        where += f" (thread {answer['thread']['number']}, frame {answer['level']})"
    if "value" in answer:
        meaning = _VERDICTS.get(crash.verdict(final, answer))
        found = f"it is {answer['value']}" + (f", {meaning} {answer['note']}" if meaning else "")
    else:
        found = f"not read: {answer['why_not']}"
    return f"  {answer['show']}  in {where}\n    {answer['why']}\n    {found}"


def _ranking(report):
    return [(note["id"], note["rank"]) for note in report["notes"]]


def _split(argument, flags):
    """The flags among the words of an argument, and the other words."""
    words = argument.split()
    return [word for word in words if word in flags], [word for word in words if word not in flags]
