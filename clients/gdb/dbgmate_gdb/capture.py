"""What would a person paste of this stop: why it stopped, and every thread's stack?

In the order of a terminal: what the program's C library said when it aborted, the signal, then
`thread apply … bt`, the selected thread first, and where the program's files are in memory. Rule:
memory is read, and nothing else happens.
"""

import signal

import gdb

from . import rpc, state
from .output import notice

# As many threads are shown, and as many frames of each.
MAX_THREADS = 200
MAX_FRAMES = 200

# glibc's message to whoever looks at the core; longer ones are cut, in bytes.
_MAX_MESSAGE = 8 << 10

# gdb's own stops, and threads that only wait for it.
_NOT_A_CRASH = frozenset((0, signal.SIGTRAP, signal.SIGSTOP))

# Whatever the person's settings are, the text must be what dbgmate reads: arguments, addresses, each
# frame in its own language, no pretty-printers and no frame filters.
_BACKTRACE = (
    "bt -no-filters -raw-frame-arguments on -frame-arguments scalars"
    f" -frame-info location {MAX_FRAMES}"
)
_FRAME_SETTINGS = "with language auto -- with print address on -- with print elements 200 -- "


def paste():
    """The text."""
    stopped = threads()
    left_out = len(gdb.selected_inferior().threads()) - len(stopped)
    if left_out:
        notice(f"{left_out} threads are left out: they run, or {MAX_THREADS} are shown already")
    with state.selection(), state.setting("language", "c"):
        parts = [abort_message(), signal_line(stopped)]
    parts += [backtraces(stopped), modules()]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def threads():
    """The threads that stand still, the selected one first."""
    selected = gdb.selected_thread()
    if selected is None:
        raise rpc.Error(
            "gdb has no process and no core",
            "request",
            "start one with `run`, `attach PID` or `core-file CORE`",
        )
    others = sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num)
    ordered = [selected] + [thread for thread in others if thread.ptid != selected.ptid]
    stopped = [thread for thread in ordered if thread.is_stopped()]
    if not stopped:
        raise rpc.Error("every thread is running", "request", "stop them with `interrupt -a`")
    return stopped[:MAX_THREADS]


def backtraces(stopped):
    """`thread apply … bt`, exactly as gdb prints it; a thread that cannot be read says why."""
    numbers = " ".join(f"{thread.inferior.num}.{thread.num}" for thread in stopped)
    # gdb gives a text that it collects no width and no pages.
    return gdb.execute(f"{_FRAME_SETTINGS}thread apply {numbers} -c {_BACKTRACE}", to_string=True)


def modules():
    """`info sharedlibrary` and `info proc mappings`, as far as they are of files: with them addresses
    are looked up without a guess. A target that does not tell has to do without.
    """
    libraries = [line for line in _told("info sharedlibrary") if line.startswith(("From ", "0x"))]
    mappings = [line for line in _told("info proc mappings") if "Start Addr" in line or " /" in line]
    return "\n\n".join("\n".join(lines) for lines in (libraries, mappings) if len(lines) > 1)


def _told(command):
    """The lines that a command prints."""
    try:
        return gdb.execute(command, to_string=True).splitlines()
    except gdb.error:
        return []


def frame_line(level):
    """`#3  0x… in f (…) at f.c:7`: a frame of the selected thread."""
    echo = f"{_FRAME_SETTINGS}frame apply level {level} echo"
    return gdb.execute(echo, to_string=True).strip("\n")


def signal_line(stopped):
    """`Thread 3 "libvirtd" received signal SIGABRT, Aborted.`, or nothing."""
    told = False
    for thread in stopped:
        thread.switch()
        number = _signal_number("$_siginfo.si_signo")
        if number not in _NOT_A_CRASH:
            name = f' "{thread.name}"' if thread.name else ""
            return f"Thread {thread.num}{name} received signal {_signal_name(number)}."
        told = told or number != 0
    # An old core tells what killed the program and not which thread. Where threads tell, this is
    # what killed an earlier run.
    number = 0 if told else _signal_number("$_exitsignal")
    return f"Program received signal {_signal_name(number)}." if number else ""


def _signal_number(variable):
    """The number of a signal by gdb's name for it; 0 where this target or core does not tell."""
    try:
        return int(gdb.parse_and_eval(variable))
    except (gdb.error, ValueError):
        return 0


def _signal_name(number):
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
    meaning = signal.strsignal(number)
    return f"{name}, {meaning}" if meaning else name


def abort_message():
    """What glibc printed before it aborted, such as a failed assertion's line; or nothing.

    glibc keeps it for debuggers (stdlib/abort.c): `struct abort_msg_s { unsigned size; char msg[]; }
    *__abort_msg`, size in bytes of the whole mapping.
    """
    try:
        variable = gdb.parse_and_eval("(char**)&__abort_msg")
        message = variable.dereference()
        if int(message) == 0:
            return ""
        size_type = gdb.lookup_type("unsigned int")
        size = int(message.cast(size_type.pointer()).dereference())
        length = min(max(size - size_type.sizeof, 0), _MAX_MESSAGE)
        memory = gdb.selected_inferior().read_memory(int(message) + size_type.sizeof, length)
    except (gdb.error, OverflowError):
        # Another C library, or no such memory: the rest of the paste has to do.
        return ""
    return bytes(memory).split(b"\0")[0].decode(errors="replace")
