"""What pahole prints of structs, as JSON: an oracle for tests/real_layouts.

    tests/real/pahole_layouts.py BINARY < NAMES > ANSWERS

A line for each name, null where pahole prints none: the size, each member's first bit and name, those of members
without a type name after it, and how many bits no member uses. pahole prints one definition of a name, and after a
pointer to a struct without a name the members of that: they are left out.
"""

import json
import re
import subprocess
import sys

PLACE = re.compile(r"/\*\s+(\d+)(?::\s*(\d+))?\s+(\d+) \*/$")
COUNT = re.compile(r"(size|padding|sum holes|bit_padding|sum bit holes): (\d+)")


def by_pahole(binary):
    """{name: facts} of every named struct."""
    printed = subprocess.Popen(["pahole", binary], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = {}
    name = None
    for line in printed.stdout:
        line = line.rstrip("\n")
        opening = re.match(r"(?:struct|class) (.+) \{$", line)
        if opening:
            name, members, counts, inner = opening[1], [], {}, []
        elif line.startswith("}"):
            if name and "size" in counts:
                found[name] = facts(members, counts)
            name = None
        elif name and line.endswith("{"):
            inner.append(len(members))
        elif name and line.startswith("\t/*"):
            counts.update((key, int(value)) for key, value in COUNT.findall(line))
        elif name and PLACE.search(line):
            offset, bit, _ = PLACE.search(line).groups()
            if line.strip().startswith("}"):
                start = inner.pop()
                # What a pointer to a struct without a name points to is no part of this one.
                if line.strip().startswith("} *"):
                    del members[start:]
            members.append((int(offset) * 8 + int(bit or 0), declared(line)))
    printed.wait()
    return found


def declared(line):
    """The name in a declaration; empty at the end of an anonymous struct."""
    text = line.split("/*")[0].strip().rstrip(";")
    text = re.sub(r"__attribute__\(\(.*?\)\)+", "", text).strip()
    pointer = re.search(r"\(\s*\*[*\s]*(?:const\s+)?(\w+)", text)
    plain = re.search(r"([\w.$]+)\s*(?:\[[^]]*\])*(?::\d+)?$", text)
    return (pointer or plain)[1] if pointer or plain else ""


def facts(members, counts):
    unused = 8 * (counts.get("sum holes", 0) + counts.get("padding", 0))
    unused += counts.get("sum bit holes", 0) + counts.get("bit_padding", 0)
    return {"size": counts["size"], "places": sorted(members), "unused": unused}


def main(binary):
    found = by_pahole(binary)
    for name in sys.stdin.read().splitlines():
        keyword, name = name.split(" ", 1)
        print(json.dumps(found.get(name) if keyword == "struct" else None))


main(sys.argv[1])
