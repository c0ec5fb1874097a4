#!/usr/bin/env python3
"""Compares dbgmate's sizes, places, holes and padding with pahole's, for every struct it prints.

    tests/real/pahole_layouts.py target/release/dbgmate BINARY

pahole prints one definition of a name: it must be among ours. Exits 1 where one is not.
"""

import json
import re
import subprocess
import sys

PLACE = re.compile(r"/\*\s+(\d+)(?::\s*(\d+))?\s+(\d+) \*/$")
COUNT = re.compile(r"(size|padding|sum holes|bit_padding|sum bit holes): (\d+)")


def by_pahole(binary):
    """{name: facts} of every named struct."""
    printed = subprocess.run(["pahole", binary], capture_output=True, text=True, check=True)
    found = {}
    name = None
    for line in printed.stdout.splitlines():
        opening = re.match(r"struct (\w+) \{", line)
        if opening:
            name, members, counts = opening[1], [], {}
        elif line.startswith("}"):
            if name and "size" in counts:
                found[name] = facts(members, counts)
            name = None
        elif name and line.startswith("\t/*"):
            counts.update((key, int(value)) for key, value in COUNT.findall(line))
        elif name and PLACE.search(line):
            offset, bit, _ = PLACE.search(line).groups()
            members.append((int(offset) * 8 + int(bit or 0), declared(line)))
    return found


def declared(line):
    """The name in a declaration; empty at the end of an anonymous struct."""
    text = line.split("/*")[0].strip().rstrip(";")
    text = re.sub(r"__attribute__\(\(.*?\)\)+", "", text).strip()
    pointer = re.search(r"\(\s*\*[*\s]*(?:const\s+)?(\w+)", text)
    plain = re.search(r"(\w+)\s*(?:\[[^]]*\])*(?::\d+)?$", text)
    return (pointer or plain)[1] if pointer or plain else ""


def facts(members, counts):
    unused = 8 * (counts.get("sum holes", 0) + counts.get("padding", 0))
    unused += counts.get("sum bit holes", 0) + counts.get("bit_padding", 0)
    return {"size": counts["size"], "members": sorted(members), "unused": unused}


def by_dbgmate(program, binary, name):
    """The same of each of our definitions."""
    command = [program, "--daemon", "never", "offsets-of", f"struct {name}", "--json", "-b", binary]
    answer = subprocess.run(command, capture_output=True, text=True)
    matches = json.loads(answer.stdout)["matches"] if answer.returncode == 0 else []
    return [
        {
            "size": found["size"],
            "members": sorted(places(found["members"])),
            "unused": sum(hole["bit_size"] for hole in found["holes"]) + 8 * found["padding"],
        }
        for found in matches
    ]


def places(members):
    """Members with those of types without a name, as pahole prints them."""
    for member in members:
        if member["type"].endswith("{...}"):
            yield from places(member.get("members", []))
        yield member.get("bit_offset", 8 * member["offset"]), member["name"]


def main(program, binary):
    theirs = by_pahole(binary)
    different = 0
    for name, expected in theirs.items():
        ours = by_dbgmate(program, binary, name)
        if expected not in ours:
            different += 1
            print(f"struct {name}\n  pahole {expected}\n  ours   {ours}")
    print(f"{binary}: {len(theirs)} structs, {different} differ")
    return 1 if different or not theirs else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
