"""What gdb says of types, as JSON: an oracle for tests/real_layouts.

    gdb -nx -batch -x tests/real/gdb_layouts.py BINARY < NAMES > ANSWERS

NAMES has a type a line with its keyword (`struct foo`, `union foo`, `enum foo`, `typedef foo`);
ANSWERS has a line of JSON for each, in the same order: null where gdb knows no such type.
"""

import json
import sys

import gdb

AGGREGATES = {gdb.TYPE_CODE_STRUCT: "struct", gdb.TYPE_CODE_UNION: "union"}
KEYWORDS = {**AGGREGATES, gdb.TYPE_CODE_ENUM: "enum"}


def find(line):
    keyword, name = line.split(" ", 1)
    try:
        found = gdb.lookup_type(name if keyword == "typedef" else line)
    except gdb.error:
        return None
    # gdb prefers a struct of C++ or a base type over a typedef of the same name.
    if keyword == "typedef" and found.code != gdb.TYPE_CODE_TYPEDEF:
        return None
    found = found.strip_typedefs()
    # A pointer's typedef is asked for to see what it points to.
    if found.code == gdb.TYPE_CODE_PTR and found.target().strip_typedefs().code in AGGREGATES:
        found = found.target().strip_typedefs()
    return None if is_incomplete(found, name if keyword == "typedef" else line) else layout(found)


def is_incomplete(found, name):
    """Whether the type is only declared; an empty struct is not."""
    if found.code not in KEYWORDS or found.sizeof > 0 or found.fields():
        return False
    try:
        return "<incomplete type>" in gdb.execute(f"ptype {name}", to_string=True)
    except gdb.error:
        return False  # Rust has no keyword, and only declares what another language defines.


def layout(found):
    return {
        "kind": KEYWORDS.get(found.code, "type"),
        "size": found.sizeof,
        "members": members(found),
        "enumerators": enumerators(found),
    }


def enumerators(found):
    if found.code != gdb.TYPE_CODE_ENUM:
        return []
    return [[field.name, str(field.enumval)] for field in found.fields()]


def members(found, start=0):
    """Every member with its place in the type asked for, in bits, and its own members in turn."""
    result = []
    for field in found.fields() if found.code in AGGREGATES else []:
        if not hasattr(field, "bitpos"):
            continue  # static
        place = start + field.bitpos
        inner = field.type.strip_typedefs()
        result.append({
            "name": field.name or "",
            "type": str(field.type),
            "bit_offset": place,
            "bit_size": field.bitsize,
            "size": field.type.sizeof,
            "members": members(inner, place),
        })
    return result


for name in sys.stdin.read().splitlines():
    print(json.dumps(find(name)))
