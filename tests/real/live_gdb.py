"""Runs one program in gdb, stops it at many places, and writes down what gdb prints and what is so.

    gdb -nx -q -batch -ex "python PLAN = '/plan.json'" -x tests/real/live_gdb.py

The plan is tests/real/live_traces.py's: program, arguments, environment, the files that are to be loaded before
anything is stopped at, and the places: file and address in the file. A place is stopped at once. For each stop gdb's
`bt` and `thread apply all bt` are taken without and with a frame filter, and beside them the mappings, and of each
frame of each thread its pc, its kind and the name that gdb has for it.
"""

import json
import os
import signal
import subprocess

import gdb
from gdb.FrameDecorator import FrameDecorator


class Filter:
    """A frame filter that changes nothing: with any filter, gdb prints frames by other code."""

    name, priority, enabled = "unchanged", 100, False

    def filter(self, frames):
        return map(FrameDecorator, frames)


def settings():
    for command in [
        "set pagination off",
        "set confirm off",
        "set width 0",
        "set debuginfod enabled off",
        # As on a machine without debug info, even if the C library's is installed here.
        "set debug-file-directory /nonexistent",
        "set auto-load no",
        "set disable-randomization off",
        "set breakpoint pending off",
        "set print thread-events off",
    ]:
        gdb.execute(command)
    for name in ["SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPIPE"]:
        gdb.execute(f"handle {name} nostop noprint pass", to_string=True)


def mappings():
    pid = gdb.selected_inferior().pid
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and fields[5].startswith("/"):
                start, end = (int(bound, 16) for bound in fields[0].split("-"))
                yield {"start": start, "end": end, "offset": int(fields[2], 16), "file": fields[5].strip()}


def address_of(maps, place):
    """Where a place of a file is in memory: the file's own segments are part of the plan."""
    for segment in place["segments"]:
        offset = place["address"] - segment["address"] + segment["offset"]
        if segment["offset"] <= offset < segment["offset"] + segment["size"]:
            for mapping in maps:
                size = mapping["end"] - mapping["start"]
                if mapping["file"] == place["file"] and 0 <= offset - mapping["offset"] < size:
                    return mapping["start"] + offset - mapping["offset"]
    return None


def frames():
    found, frame = [], gdb.newest_frame()
    while frame is not None and len(found) < 200:
        found.append({"pc": frame.pc(), "signal": frame.type() == gdb.SIGTRAMP_FRAME, "printed": frame.name()})
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def threads():
    selected = gdb.selected_thread()
    found = []
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
        thread.switch()
        found.append({"number": thread.num, "frames": frames()})
    selected.switch()
    return found


def pasted():
    texts = []
    for command in ["bt", "thread apply all bt"]:
        texts.append(f"(gdb) {command}\n" + gdb.execute(command, to_string=True))
    return "".join(texts)


def stop(place):
    record = {
        "place": place["name"],
        "selected": gdb.selected_thread().num,
        "threads": threads(),
        "maps": list(mappings()),
        "text": pasted(),
    }
    Filter.enabled = True
    record["filtered"] = pasted()
    Filter.enabled = False
    gdb.newest_frame().select()
    return record


def run_until_loaded(plan):
    """To the first moment at which all files of the plan are mapped, before any of their code runs."""
    gdb.execute("set stop-on-solib-events 1")
    gdb.execute("run", to_string=True)
    while gdb.selected_inferior().pid:
        loaded = {mapping["file"] for mapping in mappings()}
        if loaded.issuperset(plan["files"]):
            break
        gdb.execute("continue", to_string=True)
    gdb.execute("set stop-on-solib-events 0")


def break_at(plan):
    maps, places = list(mappings()), {}
    for place in plan["places"]:
        address = address_of(maps, place)
        if address is not None:
            gdb.Breakpoint(f"*{address:#x}", temporary=True)
            places[address] = place
    return places


def record_stops(plan):
    places, records = break_at(plan), []
    # What hangs is ended, and what was recorded until then counts.
    pid = gdb.selected_inferior().pid
    watchdog = subprocess.Popen(["/bin/sh", "-c", f"sleep {plan['seconds']}; kill -KILL {pid}"], start_new_session=True)
    while len(records) < plan["stops"]:
        gdb.execute("continue", to_string=True)
        if not gdb.selected_inferior().pid:
            break
        place = places.pop(gdb.newest_frame().pc(), None)
        record = stop(place or {"name": "signal"})
        if len(record["threads"][0]["frames"]) > 0 and depth_of(record) >= 3:
            records.append(record)
        if place is None:
            break
    if watchdog.poll() is None:
        os.killpg(watchdog.pid, signal.SIGTERM)
    return records


def depth_of(record):
    selected = next(thread for thread in record["threads"] if thread["number"] == record["selected"])
    return len(selected["frames"])


def main():
    with open(PLAN) as plan:  # noqa: F821 - set on gdb's command line
        plan = json.load(plan)
    settings()
    gdb.frame_filters[Filter.name] = Filter()
    os.chdir(plan["folder"])
    gdb.execute("cd " + plan["folder"])
    gdb.execute("file " + plan["program"])
    for setting in plan["settings"]:
        gdb.execute(setting)
    gdb.execute("set args " + plan["arguments"])
    for name, value in plan["environment"].items():
        gdb.execute(f"set environment {name} {value}")
    run_until_loaded(plan)
    records = record_stops(plan) if gdb.selected_inferior().pid else []
    with open(plan["records"], "w") as out:
        json.dump(records, out)
    if gdb.selected_inferior().pid:
        gdb.execute("kill")


main()
