"""dbgmate's answers as plain dictionaries, for scripts that run inside gdb.

    import dbgmate_gdb
    dbgmate_gdb.offsets_of("struct libxl__ev_fd")["matches"][0]["members"]
    dbgmate_gdb.triage()["report"]["notes"]

Rule: nothing is computed here. What gdb knows goes to dbgmate, and what dbgmate says comes back.
`gdb` is imported only when a question is asked: `rpc` and `member_path` also serve, and are tested
in, a plain Python.
"""


def offsets_of(type_name, form=None):
    """What `layout.offsets_of` answers for the binaries gdb has loaded.

    `form`: "script" or "layout" adds the answer as text under `rendered`. Raises `rpc.Error`.
    """
    from . import layouts

    return layouts.offsets_of(type_name, form)


def triage():
    """What `triage.report` answers for the process or core at hand.

    `text` is what was sent, `report` the answer, and `asked` a list of what the notes ask, each
    with the `value` read here or the reason `why_not`. Raises `rpc.Error`.
    """
    from . import crash

    return crash.triage()
