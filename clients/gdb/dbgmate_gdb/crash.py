"""Where was this crash seen before, and what does this very process say to it?"""

from . import asks, capture, layouts, rpc
from .output import notice


def triage():
    """What was sent, the report, and what was asked, in one dictionary."""
    text = capture.paste()
    first = report(text)
    asked = asks.answers(first)
    second, text = with_answers(text, first, asked)
    return {"text": text, "report": second, "asked": asked}


def symbolized(text):
    """What `trace.symbolize` says of the text."""
    params = {"text": text, "binaries": layouts.program(), "render": "text"}
    return rpc.call("trace.symbolize", params, notice)


def report(text):
    """What `triage.report` says of the text."""
    params = {"text": text, "binaries": layouts.program(), "render": "text"}
    return rpc.call("triage.report", params, notice)


def with_answers(text, first, asked):
    """The report once the answers are known, and the text it is about."""
    session = asks.echo(asked)
    if not session:
        return first, text
    text = f"{text}\n{session}\n"
    return report(text), text


def verdict(final, answer):
    """`confirms` or `refutes`, by the report that knows the answer; else None."""
    asks_of_note = (note["asks"] for note in final["notes"] if note["id"] == answer["note"])
    for ask in next(asks_of_note, []):
        if (ask["show"], ask.get("frame")) == (answer["show"], answer.get("frame")):
            return ask.get("verdict")
    return None
