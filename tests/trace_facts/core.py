"""Inside gdb, on a core: the threads, their frames as gdb's API has them, and where modules are. Written to $FACTS as JSON."""

import json
import os
import re

import gdb

modules = {}
for line in gdb.execute("info proc mappings", to_string=True).splitlines():
    place = re.match(r"\s*(0x\w+)\s+0x\w+\s+0x\w+\s+(0x\w+)\s+(/.*)", line)
    if place and int(place[2], 16) == 0:
        modules.setdefault(place[3], int(place[1], 16))


def symbol(address):
    shown = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return None if shown.startswith("No symbol") else re.sub(r" \+ \d+$", "", shown.split(" in section ")[0])


def fact(frame, physical, is_call):
    place = frame.find_sal()
    module = gdb.solib_name(frame.pc()) or gdb.current_progspace().filename
    return {
        "address": frame.pc(),
        "physical": physical,
        "is_call": is_call,
        "names": [symbol(frame.pc() - is_call), frame.name()],
        "file": place.symtab.filename if place.symtab else None,
        "line": place.line or None,
        "module": os.path.realpath(module),
    }


gdb.execute("set backtrace past-main on")
threads = []
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frame, physical, frames = gdb.newest_frame(), 0, []
    while frame is not None:
        frames.append(fact(frame, physical, int(physical > 0)))
        physical += frame.type() != gdb.INLINE_FRAME
        frame = frame.older()
    threads.append({"lwp": thread.ptid[1], "frames": frames})
with open(os.environ["FACTS"], "w", encoding="utf-8") as facts:
    json.dump({"threads": threads, "modules": modules}, facts)
