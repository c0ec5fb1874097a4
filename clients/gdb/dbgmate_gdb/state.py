"""What a person has selected and set in gdb stays so, whatever is looked at meanwhile."""

import contextlib

import gdb


@contextlib.contextmanager
def selection():
    """Selects the same thread and frame again at the end, however it ends."""
    thread = gdb.selected_thread()
    frame = selected_frame()
    try:
        yield
    finally:
        if thread is not None and thread.is_valid():
            thread.switch()
        if frame is not None and frame.is_valid():
            frame.select()


@contextlib.contextmanager
def setting(name, value):
    """Gives a setting another value for a while."""
    before = gdb.parameter(name)
    # gdb's remarks on it are for a person who typed it.
    gdb.execute(f"set {name} {value}", to_string=True)
    try:
        yield
    finally:
        gdb.execute(f"set {name} {before}", to_string=True)


def selected_frame():
    """The selected frame; none where there are no registers, as in a thread that runs."""
    try:
        return gdb.selected_frame()
    except gdb.error:
        return None
