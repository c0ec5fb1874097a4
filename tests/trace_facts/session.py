"""Inside gdb: a session that is printed as a person would paste it, and what gdb's API says of each stack and value in it.

The session goes to standard output; what it must be read as goes to the file $FACTS, as JSON. Arguments of the program are in
$FACTS_ARGUMENTS.
"""

import json
import os
import traceback

import gdb
from gdb.FrameDecorator import FrameDecorator

stacks = []
values = []


class Eliding(FrameDecorator):
    """A frame that shows the ones inlined in it below itself, indented."""

    def __init__(self, frame, inlined):
        super().__init__(frame)
        self.inlined = inlined

    def elided(self):
        return iter(self.inlined)


class Filter:
    """Frames by Python: each as it is, or inlined ones below the one they are in."""

    def __init__(self, elides):
        self.name = "eliding" if elides else "plain"
        self.enabled = False
        self.priority = 100
        self.elides = elides
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        inlined = []
        for frame in frames:
            if not self.elides:
                yield FrameDecorator(frame.inferior_frame())
            elif frame.inferior_frame().type() == gdb.INLINE_FRAME:
                inlined.append(frame)
            else:
                yield Eliding(frame, inlined)
                inlined = []


def function_block(frame):
    try:
        block = frame.block()
    except RuntimeError:
        return None
    while block and not block.function:
        block = block.superblock
    return block


def number_or_none(value):
    return value if value else None


def is_gone(value):
    """Whether nothing of a value is left: gdb prints a struct then with its members or without, by what its debug info is like."""
    kind = value.type.strip_typedefs()
    if kind.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return False
    return value.is_optimized_out and all(value[field].is_optimized_out for field in kind.fields())


def printed(value, **how):
    """A value's text, or None where it cannot be told by the API."""
    try:
        if value is None or is_gone(value):
            return "..." if how.get("summary") and value is not None else None
        return value.format_string(deref_refs=True, **how)
    except gdb.error:
        return None


def value_in(frame, symbol):
    try:
        return symbol.value(frame)
    except gdb.error:
        return None


def is_variable(symbol):
    return symbol.is_variable or symbol.is_constant and not symbol.is_argument


def at_entry(frame, name):
    """What an argument was when the function was entered: whether gdb shows it, and the value if it can be read."""
    frame.select()
    try:
        value = gdb.parse_and_eval(f"{name}@entry")
        return (False, None) if value.is_optimized_out else (True, value)
    except gdb.error as error:
        # What the caller's debug info does not tell is not shown; what it tells and is lost is shown as an error.
        return "optimized out" in str(error), None


def arguments(frame, filtered):
    """As `print frame-arguments` and `print entry-values default` have them (gdb/stack.c, read_frame_arg)."""
    shown = gdb.parameter("print frame-arguments")
    block = function_block(frame)
    symbols = [symbol for symbol in block or () if symbol.is_argument]
    if shown == "presence":
        return [{"name": "", "at_entry": False, "text": "..."}] if symbols else []
    found = []
    for symbol in symbols:
        value = value_in(frame, symbol)
        is_shown, entry = at_entry(frame, symbol.name)
        text = printed(value, summary=shown == "scalars")
        entry_text = None if entry is None else printed(entry, summary=shown == "scalars")
        if None not in (entry, value) and not value.is_optimized_out and printed(entry) == printed(value):
            # `depth=depth@entry=1`: it still is what it was.
            found.append({"name": symbol.print_name, "at_entry": False, "text": text})
            continue
        found.append({"name": symbol.print_name, "at_entry": False, "text": text})
        if is_shown and (value is not None or entry is not None):
            found.append({"name": symbol.print_name, "at_entry": True, "text": entry_text})
    if shown == "none":
        # Only frame filters look at what was on entry.
        return [one | {"text": "..."} for one in found if filtered or not one["at_entry"]]
    return found


def variables(frame, filtered=False):
    """Those of the innermost block first (gdb/stack.c, iterate_over_block_local_vars); frame filters go on to the function that
    an inlined one is in."""
    found = []
    if filtered:
        for symbol in (one.symbol() for one in FrameDecorator(frame).frame_locals() or ()):
            value = value_in(frame, symbol)
            if value is None:
                # gdb gives up with a Python exception.
                return found
            found.append({"name": symbol.print_name, "at_entry": False, "text": printed(value)})
        return found
    try:
        block = frame.block()
    except RuntimeError:
        return found
    while block:
        for symbol in block:
            if is_variable(symbol):
                found.append({"name": symbol.print_name, "at_entry": False, "text": printed(value_in(frame, symbol))})
        if block.function:
            break
        block = block.superblock
    return found


def name(frame, filtered):
    if frame.type() == gdb.SIGTRAMP_FRAME:
        return None
    if filtered and frame.function():
        return str(frame.function())
    return frame.name()


def fact(frame, physical, full, filtered):
    """What the text must say of a frame; a field is null where the text has none."""
    place = frame.find_sal()
    known = {"index": frame.level(), "physical": physical, "signal_handler": frame.type() == gdb.SIGTRAMP_FRAME}
    if known["signal_handler"] and not filtered:
        return known
    calls_inlined = frame.newer() is not None and frame.newer().type() == gdb.INLINE_FRAME
    shows_address = place.symtab is None or frame.pc() != place.pc and not calls_inlined
    return known | {
        "address": frame.pc() if shows_address else None,
        "function": name(frame, filtered),
        "module": None if place.symtab else gdb.solib_name(frame.pc()),
        "file": place.symtab.filename if place.symtab else None,
        "line": number_or_none(place.line),
        "arguments": arguments(frame, filtered),
        "locals": variables(frame, filtered) if full else [],
    }


def whole(thread, full=False, filtered=False):
    """All frames of a thread."""
    was, frame_was = gdb.selected_thread(), gdb.selected_frame()
    thread.switch()
    frame, physical, frames = gdb.newest_frame(), 0, []
    while frame is not None:
        frames.append(fact(frame, physical, full, filtered))
        physical += frame.type() != gdb.INLINE_FRAME
        frame = frame.older()
    was.switch()
    frame_was.select()
    return frames


def of_stopped(frames, selected=False):
    """A stack of the thread that stopped, of which gdb said `Thread 1 "calls" hit Breakpoint`."""
    thread = gdb.selected_thread()
    return {"selected": selected, "thread": {"number": thread.num, "name": thread.name}, "frames": frames}


def with_header(thread, frames):
    """A stack under `Thread 1 (Thread 0x… (LWP 7) "calls"):`."""
    address = int.from_bytes(thread.handle(), "little")
    known = {"number": thread.num, "name": thread.name, "address": address, "lwp": thread.ptid[1]}
    return {"thread": known, "frames": frames}


def show(command, *expected):
    gdb.write(f"(gdb) {command}\n")
    gdb.execute(command, True)
    stacks.extend({"command": command} | one for one in expected)


def show_frame(command):
    """`frame 3`, `up`: the frame that is selected by it."""
    gdb.write(f"(gdb) {command}\n")
    gdb.execute(command, True)
    frame = gdb.selected_frame()
    one = fact(frame, 0, False, False)
    frame.select()
    stacks.append({"command": command} | of_stopped([one], True))


def show_variables(command, found):
    gdb.write(f"(gdb) {command}\n")
    gdb.execute(command, True)
    frame = gdb.selected_frame().level()
    values.extend({"expression": one["name"], "text": one["text"], "frame": frame} for one in found)


def backtraces(full, filtered):
    """One of the stopped thread, in its forms, and all threads'."""
    word = " full" if full else ""
    frames = whole(gdb.selected_thread(), full, filtered)
    show(f"bt{word}", of_stopped(frames))
    show(f"bt{word} 3", of_stopped(frames[:3]))
    show(f"bt{word} -3", of_stopped(frames[-3:]))
    threads = sorted(gdb.selected_inferior().threads(), key=lambda thread: -thread.num)
    show(f"thread apply all bt{word}", *(with_header(thread, whole(thread, full, filtered)) for thread in threads))


def frame_by_frame():
    for number in range(len(whole(gdb.selected_thread()))):
        show_frame(f"frame {number}")
        frame = gdb.selected_frame()
        block = function_block(frame)
        if block:
            gdb.execute("set print frame-arguments all")
            found = [{"name": one.print_name, "text": printed(value_in(frame, one))} for one in block if one.is_argument]
            show_variables("info args", found)
            show_variables("info locals", variables(frame))
            gdb.execute("set print frame-arguments scalars")
        show("info frame")
        show("info registers rip rsp")
    show_frame("down")
    show_frame("up")


def session():
    gdb.execute("set confirm off")
    gdb.execute("set height 0")
    gdb.execute("set breakpoint pending on")
    gdb.execute("set debuginfod enabled off")
    gdb.execute("handle SIGUSR1 nostop noprint pass")
    gdb.write("(gdb) break facts_stop\n")
    gdb.execute("break facts_stop")
    gdb.write("(gdb) run\n")
    gdb.execute("run " + os.environ.get("FACTS_ARGUMENTS", ""))
    plain, eliding = Filter(False), Filter(True)
    for width in ("80", "0"):
        gdb.execute(f"set width {width}")
        for shown in ("scalars", "all", "none", "presence"):
            gdb.execute(f"set print frame-arguments {shown}")
            for filtered in (False, True):
                plain.enabled = filtered
                if shown in ("scalars", "all"):
                    backtraces(True, filtered)
                backtraces(False, filtered)
            plain.enabled = False
        gdb.execute("set print frame-arguments scalars")
        eliding.enabled = True
        show("bt", of_stopped(whole(gdb.selected_thread(), filtered=True)))
        eliding.enabled = False
        frame_by_frame()


try:
    session()
    with open(os.environ["FACTS"], "w", encoding="utf-8") as facts:
        json.dump({"stacks": stacks, "values": values}, facts)
except Exception:
    traceback.print_exc()
    gdb.execute("kill")
    gdb.execute("quit 1")
gdb.execute("kill")
gdb.execute("quit")
