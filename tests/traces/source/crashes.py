"""Raises two calls deep, out of another exception, or crashes."""

import ctypes
import faulthandler
import sys
import threading


def third(values):
    return values[3]


def read(values):
    try:
        return third(values) + 1
    except IndexError as error:
        raise RuntimeError("cannot read: it is\ntoo short") from error


class Reader:
    def crash(self):
        ctypes.string_at(8)


def wait(event):
    event.wait()


if sys.argv[1] == "raise":
    read([1, 2])
faulthandler.enable(all_threads=True)
threading.Thread(target=wait, args=(threading.Event(),), daemon=True, name="waiter").start()
Reader().crash()
