"""What a person has selected in gdb stays selected, whatever is looked at meanwhile."""

import contextlib

import gdb


@contextlib.contextmanager
def selection():
    """Selects the same thread and frame again at the end, however it ends."""
    thread = gdb.selected_thread()
    frame = _selected_frame()
    try:
        yield
    finally:
        if thread is not None and thread.is_valid():
            thread.switch()
        if frame is not None and frame.is_valid():
            frame.select()


def _selected_frame():
    try:
        return gdb.selected_frame()
    except gdb.error:
        # Without registers there is none.
        return None
