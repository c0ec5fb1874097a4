"""What drgn says of types, as JSON: an oracle for tests/real_layouts.

    python tests/real/drgn_layouts.py BINARY < NAMES > ANSWERS

As tests/real/gdb_layouts.py, without the spelling of types. drgn is `pip install drgn`, into an environment of
its own: its python is $DBGMATE_DRGN.
"""

import json
import sys

import drgn

AGGREGATES = {
    drgn.TypeKind.STRUCT: "struct",
    drgn.TypeKind.CLASS: "class",
    drgn.TypeKind.UNION: "union",
}
KEYWORDS = {**AGGREGATES, drgn.TypeKind.ENUM: "enum"}


def find(program, line):
    keyword, name = line.split(" ", 1)
    for spelled in {"typedef": [name], "struct": [line, f"class {name}"]}.get(keyword, [line]):
        # Beside LookupError: what it cannot parse, and debug info it does not know, as C++ references.
        try:
            found = program.type(spelled)
            if keyword == "typedef" and found.kind != drgn.TypeKind.TYPEDEF:
                continue
            found = bare(found)
            if found.kind == drgn.TypeKind.POINTER and bare(found.type).kind in AGGREGATES:
                found = bare(found.type)
            return layout(found) if found.kind not in AGGREGATES or found.is_complete() else None
        except Exception:
            continue
    return None


def bare(found):
    while found.kind == drgn.TypeKind.TYPEDEF:
        found = found.type
    return found


def layout(found):
    return {
        "kind": KEYWORDS.get(found.kind, "type"),
        "size": size(found),
        "members": members(found),
        "enumerators": enumerators(found),
    }


def size(found):
    try:
        return drgn.sizeof(found)
    except TypeError:
        return None


def enumerators(found):
    if found.kind != drgn.TypeKind.ENUM:
        return []
    return [[each.name, str(each.value)] for each in found.enumerators]


def members(found, start=0):
    if found.kind not in AGGREGATES or not found.is_complete():
        return []
    return [
        {
            "name": member.name or "",
            "bit_offset": start + member.bit_offset,
            "bit_size": member.bit_field_size or 0,
            "size": size(member.type),
            "members": members(bare(member.type), start + member.bit_offset),
        }
        for member in found.members
    ]


def main(binary):
    program = drgn.Program()
    program.extra_module(binary, create=True).try_file(binary, force=True)
    for name in sys.stdin.read().splitlines():
        print(json.dumps(find(program, name)))


main(sys.argv[1])
