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


def fall(depth):
    return fall(depth + 1)


def several():
    errors = []
    for attempt in (lambda: read([1, 2]), lambda: int("no\nnumber")):
        try:
            attempt()
        except Exception as error:
            errors.append(error)
    errors.append(KeyError("without a traceback"))
    error = ExceptionGroup("several went wrong", errors)
    error.add_note("It was late.\nVery late.")
    raise error


if sys.argv[1] == "raise":
    read([1, 2])
if sys.argv[1] == "group":
    several()
if sys.argv[1] == "chain":
    try:
        read([1, 2])
    except RuntimeError:
        fall(0)
faulthandler.enable(all_threads=True)
threading.Thread(target=wait, args=(threading.Event(),), daemon=True, name="waiter").start()
Reader().crash()
