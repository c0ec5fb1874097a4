"""What do the notes ask of this process, and what does its memory answer?

A note asks for a member path in a frame of a function. Each step of the path is taken on a
`gdb.Value`; gdb never evaluates the note's text. Rule: read only, and every question that is not
answered says why.
"""

import gdb

from . import capture, member_path, state

_FORMAT = {"raw": True, "pretty_structs": False, "pretty_arrays": False, "max_elements": 200}


def answers(report):
    """Every question of the report's notes that the paste leaves open, asked here once.

    Each is a dictionary: `note`, `why`, `show`, `frame`, and then either `thread` (number and
    header), `level`, `line` (the frame) and `value`, or `why_not`.
    """
    asked = []
    with state.selection():
        places = _places(report)
        for note in report["notes"]:
            for ask in note["asks"]:
                if "answer" not in ask:
                    asked.append({"note": note["id"], **ask, **_answer(ask, places)})
    return asked


def echo(asked):
    """The answers as a gdb session would show them, to be added to the paste."""
    lines = []
    for number, answer in enumerate((a for a in asked if "value" in a), 1):
        lines += [
            f"(gdb) thread {answer['thread']['number']}",
            f"[Switching to thread {answer['thread']['header']}]",
            f"(gdb) frame {answer['level']}",
            answer["line"],
            f"(gdb) p {answer['show']}",
            f"${number} = {answer['value']}",
        ]
    return "\n".join(lines)


class _NotRead(Exception):
    """Why a question has no answer here."""


def _answer(ask, places):
    place = places.get(ask.get("frame"))
    if place is None:
        function = ask.get("frame")
        return {"why_not": f"no thread is in {function}" if function else "no frame is selected"}
    thread, level, frame = place
    thread.switch()
    frame.select()
    found = {
        "thread": {"number": thread.num, "header": _header(thread)},
        "level": level,
        "line": capture.frame_line(level),
    }
    try:
        _check_member(ask.get("requires_member"), frame)
        path = member_path.parse(ask["show"])
        return {**found, "value": shown(walk(path, frame), ask["show"])}
    except (_NotRead, member_path.NotAPath) as reason:
        return {**found, "why_not": str(reason)}
    except gdb.MemoryError as error:
        return {**found, "why_not": f"its memory cannot be read: {error}"}
    except (gdb.error, ValueError, RuntimeError) as error:
        return {**found, "why_not": str(error)}


def _header(thread):
    """`2 (Thread 0x7f5fbb16e840 (LWP 6026))`, as gdb names the thread it switches to."""
    text = gdb.execute("thread", to_string=True)
    # `[Current thread is 2 (…)]`, in whichever language gdb speaks.
    start, end = text.find(f"{thread.num} ("), text.rfind("]")
    return text[start:end] if 0 <= start < end else str(thread.num)


def _places(report):
    """Where each function that a note asks about is: its innermost frame, selected thread first.

    No function at all means the selected frame.
    """
    wanted = {ask.get("frame") for note in report["notes"] for ask in note["asks"]}
    places = {}
    frame = state.selected_frame()
    if frame is not None:
        places[None] = (gdb.selected_thread(), _level(frame), frame)
    for thread in capture.threads():
        if wanted <= places.keys():
            break
        thread.switch()
        for level, frame in enumerate(_frames()):
            name = frame.name()
            if name in wanted and name not in places:
                places[name] = (thread, level, frame)
    return places


def _frames():
    """The frames of the selected thread, innermost first, as far as they can be unwound."""
    try:
        frame = gdb.newest_frame()
        for _ in range(capture.MAX_FRAMES):
            if frame is None:
                return
            yield frame
            frame = frame.older()
    except gdb.error:
        return


def _level(frame):
    level = 0
    while frame.newer() is not None:
        level, frame = level + 1, frame.newer()
    return level


def _check_member(required, frame):
    """A cast to a type that no longer has this member would read something else's memory."""
    if not required:
        return
    type_name, _, member = required.partition(".")
    kind = _type([type_name], frame).strip_typedefs()
    if kind.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION) or member not in _members(kind):
        raise _NotRead(f"this build's {type_name} has no member {member}")


def _members(kind):
    """The names of a struct's members, those of its unnamed members among them."""
    for field in kind.fields():
        inner = field.type.strip_typedefs()
        if field.name:
            yield field.name
        elif inner.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            yield from _members(inner)


def walk(path, frame):
    """The value that a parsed path leads to from a frame's variables."""
    step, *rest = path
    if step == "name":
        return _variable(rest[0], frame)
    of = walk(rest[-1] if step == "cast" else rest[0], frame)
    if step == "cast":
        words, stars, _ = rest
        kind = _type(words, frame)
        for _ in range(stars):
            kind = kind.pointer()
        return of.cast(kind)
    if step == "target":
        return of.dereference()
    if step == "address":
        if of.address is None:
            raise _NotRead("it is in a register and has no address")
        return of.address
    # gdb takes both names of members and numbers of elements.
    return of[rest[1]]


def _variable(name, frame):
    try:
        value = frame.read_var(name)
    except ValueError:
        raise _NotRead(f"there is no variable {name} in {frame.name()}") from None
    if value.is_optimized_out:
        raise _NotRead(f"{name} is optimized out in this frame")
    return value


def _type(words, frame):
    """A type by its words, as seen from the frame."""
    noise = ("const", "volatile")
    name = " ".join(word for word in words if word not in noise)
    block = _block(frame)
    for spelling in (name, f"struct {name}", f"union {name}"):
        try:
            return gdb.lookup_type(spelling, block) if block else gdb.lookup_type(spelling)
        except gdb.error:
            continue
    raise _NotRead(f"gdb knows no type {name} here")


def _block(frame):
    try:
        return frame.block()
    except RuntimeError:
        # A frame without debug info has no scope.
        return None


def shown(value, show):
    """The value as text on one line, as memory has it: pretty-printers could run anything."""
    if value.is_optimized_out:
        raise _NotRead(f"{show} is optimized out in this frame")
    return value.format_string(**_FORMAT)
