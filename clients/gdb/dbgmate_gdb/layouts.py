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


def binaries():
    """The files in which gdb found the program's symbols, the program itself first."""
    # A separate debug file speaks for its owner, which dbgmate knows how to complete itself.
    loaded = [objfile.filename for objfile in gdb.objfiles() if objfile.owner is None]
    paths = [gdb.current_progspace().filename, *loaded]
    # The kernel's vDSO and code made at run time have names but no files; a remote target's files
    # are not here.
    readable = [path for path in paths if path and os.path.isfile(path) and os.access(path, os.R_OK)]
    if not readable:
        raise rpc.Error(
            "gdb has no program loaded",
            "request",
            "load one with `file PROGRAM`, `attach PID` or `core-file CORE`",
        )
    return list(dict.fromkeys(os.path.abspath(path) for path in readable))
