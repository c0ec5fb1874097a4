"""Which binaries does gdb have loaded, and where are a type's members in them?"""

import os

import gdb

from . import rpc
from .output import notice


def offsets_of(type_name, form=None):
    """The answer of `layout.offsets_of`; `form` ("script", "layout") adds the text."""
    params = {"type": type_name, "binaries": [{"path": path} for path in binaries()]}
    if form:
        params["render"] = form
    return rpc.call("layout.offsets_of", params, notice)


def program():
    """The program, which a backtrace does not name; nothing where its file is not here."""
    path = gdb.current_progspace().filename
    readable = path and os.path.isfile(path) and os.access(path, os.R_OK)
    return [{"path": os.path.abspath(path)}] if readable else []


def binaries():
    """The files in which gdb found the program's symbols, the program itself first."""
    # A separate debug file speaks for its owner, which dbgmate knows how to complete itself.
    loaded = [objfile.filename for objfile in gdb.objfiles() if objfile.owner is None]
    paths = [path for path in (gdb.current_progspace().filename, *loaded) if path]
    # The kernel's vDSO and code made at run time have names but no files; a remote target's files
    # are not here.
    readable = [path for path in paths if os.path.isfile(path) and os.access(path, os.R_OK)]
    if readable:
        return list(dict.fromkeys(os.path.abspath(path) for path in readable))
    if paths:
        raise rpc.Error(
            f"{paths[0]}, which gdb has loaded, cannot be read here",
            "unreadable",
            "debug a copy of it on this machine: `file PROGRAM`, `set sysroot FOLDER`",
        )
    raise rpc.Error(
        "gdb has no program loaded",
        "request",
        "load one with `file PROGRAM`, `attach PID` or `core-file CORE`",
    )
