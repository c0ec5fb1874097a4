"""Is a note's expression one that only reads memory, and which steps does it take?

The part of C that does nothing else: names, casts, `*`, `&`, `.`, `->` and `[n]`. gdb would run a
call or an assignment, so gdb never sees the text: it is parsed here, and the steps are walked one
by one. The grammar is that of notes (docs/notes.md): what dbgmate refuses in a note is refused here.

A path is nested tuples: ("name", x), ("cast", words, stars, of), ("target", of), ("address", of),
("member", of, x), ("element", of, n).
"""

import re

# How deep parentheses, casts and members may nest.
_MAX_DEPTH = 64

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_CAST = re.compile(r"\(\s*([A-Za-z_][A-Za-z0-9_ \t]*?)[ \t]*((?:\*[ \t]*)*)\)", re.ASCII)

# Words that begin a type and can be no variable: `(unsigned)x` is a cast, `(f)x` may not be.
_TYPE_WORDS = frozenset(
    "struct union class enum const volatile unsigned signed char short int long float double".split()
)


class NotAPath(ValueError):
    """The text is not a member path."""


def parse(text):
    """The path that the whole text is."""
    parser = _Parser(text.strip())
    path = parser.unary(0)
    if parser.rest:
        raise NotAPath(f"`{text}` is not a member path: it stops at `{parser.rest[:20]}`")
    return path


class _Parser:
    def __init__(self, text):
        self.text = text
        self.rest = text

    def unary(self, depth):
        """`*x`, `&x`, `(T*)x` or a postfix expression."""
        if depth >= _MAX_DEPTH:
            raise NotAPath("the expression is nested too deeply")
        if self.take("*"):
            return ("target", self.unary(depth + 1))
        if not self.rest.startswith("&&") and self.take("&"):
            return ("address", self.unary(depth + 1))
        cast = self.cast()
        if cast:
            return ("cast", *cast, self.unary(depth + 1))
        return self.postfix(depth)

    def postfix(self, depth):
        if self.take("("):
            path = self.unary(depth + 1)
            self.expect(")")
        else:
            path = ("name", self.match(_NAME))
        for _ in range(_MAX_DEPTH):
            if self.take("->"):
                path = ("member", ("target", path), self.match(_NAME))
            elif self.take("."):
                path = ("member", path, self.match(_NAME))
            elif self.take("["):
                path = ("element", path, int(self.match(_NUMBER)))
                self.expect("]")
            else:
                return path
        raise NotAPath("the expression has too many steps")

    def cast(self):
        """The words and the number of stars of `(T*)`, or of `(T)` before a name.

        `(f)(x)` is a call and `(a)*b` a product in C, so a type in doubt is none.
        """
        found = _CAST.match(self.rest)
        if not found:
            return None
        words, stars = found[1].split(), found[2].count("*")
        after = self.rest[found.end() :].lstrip()
        if not (stars or words[0] in _TYPE_WORDS or _NAME.match(after)):
            return None
        self.rest = after
        return words, stars

    def take(self, token):
        if not self.rest.startswith(token):
            return False
        self.rest = self.rest[len(token) :].lstrip()
        return True

    def expect(self, token):
        if not self.take(token):
            self.refuse()

    def match(self, pattern):
        found = pattern.match(self.rest)
        if not found:
            self.refuse()
        self.rest = self.rest[found.end() :].lstrip()
        return found[0]

    def refuse(self):
        stop = f"it stops at `{self.rest[:20]}`" if self.rest else "it is not complete"
        raise NotAPath(f"`{self.text}` is not a member path: {stop}")
