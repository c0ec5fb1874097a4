"""How answers reach gdb's terminal: results through its pager, remarks to standard error."""

import gdb


def printable(text):
    """The text without characters that a terminal would obey; new lines stay."""
    shown = (c if c == "\n" or c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)
    return "".join(shown)


def result(text):
    """Prints a result."""
    gdb.write(text if text.endswith("\n") else text + "\n")


def notice(sentence):
    """Prints a remark that is no result."""
    gdb.write(f"dbgmate: {printable(sentence)}\n", gdb.STDERR)
