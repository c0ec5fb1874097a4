"""Inside lldb: what its API knows of each thread's frames, and which function inlined ones are in.

Written to $FACTS as JSON.
"""

import json
import os

import lldb

PLAIN = ("int", "unsigned int", "long", "long long", "unsigned long long", "short", "bool", "double", "int *", "void *")


def text(value):
    """As it is printed, where that is a number, a pointer or a string: lldb's own words stand for the rest."""
    if not value.GetError().Success() or value.GetValue() is None:
        return None
    if value.GetTypeName() == "const char *":
        return value.GetSummary() or value.GetValue()
    return value.GetValue() if value.GetTypeName() in PLAIN else None


def fact(frame, physical):
    place = frame.GetLineEntry()
    name = frame.GetFunctionName()
    options = lldb.SBVariablesOptions()
    options.SetIncludeArguments(True)
    options.SetIncludeLocals(False)
    options.SetIncludeStatics(False)
    options.SetIncludeRuntimeSupportValues(True)
    arguments = frame.GetVariables(options)
    has_place = place.IsValid() and place.GetLine() > 0
    symbol_only = not frame.GetFunction().IsValid() and not has_place
    start = frame.GetSymbol().GetStartAddress().GetLoadAddress(frame.GetThread().GetProcess().GetTarget())
    return {
        "index": frame.GetFrameID(),
        "physical": physical,
        "address": frame.GetPC(),
        "function": name,
        "offset": frame.GetPC() - start if symbol_only else None,
        "module": frame.GetModule().GetFileSpec().GetFilename(),
        "file": place.GetFileSpec().GetFilename() if has_place else None,
        "line": place.GetLine() if has_place else None,
        "column": (place.GetColumn() or None) if has_place else None,
        "arguments": [{"name": value.GetName(), "text": text(value)} for value in arguments],
    }


def write(debugger, command, result, internal):
    stacks, containers = [], []
    for thread in debugger.GetSelectedTarget().GetProcess():
        physical, frames = 0, []
        for frame in thread:
            frames.append(fact(frame, physical))
            physical += not frame.IsInlined()
        known = {"number": thread.GetIndexID(), "name": thread.GetName()}
        containers.append([frame.GetFunction().GetName() if frame.IsInlined() else None for frame in thread])
        stacks.append({"command": f"thread {thread.GetIndexID()}", "thread": known, "frames": frames})
    with open(os.environ["FACTS"], "w", encoding="utf-8") as facts:
        json.dump({"stacks": stacks, "containers": containers}, facts)


def __lldb_init_module(debugger, internal):
    debugger.HandleCommand("command script add -f lldb_frames.write write-facts")
