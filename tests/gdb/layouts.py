"""Inside gdb: each type's members and offsets in bits, as gdb has them and as the hook says.

Types come from gdb's own list: those named in $TYPES, and a sample of the others drawn by $SEED.
Prints one JSON object a type.
"""

import json
import os
import random
import re

import dbgmate_gdb
import gdb

SAMPLE = 40


def of_gdb(name):
    fields = gdb.lookup_type(f"struct {name}").fields()
    return [[field.name or "", field.bitpos] for field in fields]


def of_dbgmate(name):
    def place(member):
        return [member["name"], member.get("bit_offset", member["offset"] * 8)]

    matches = dbgmate_gdb.offsets_of(f"struct {name}")["matches"]
    return [[place(member) for member in match["members"]] for match in matches]


listed = gdb.execute("info types -q .", to_string=True)
names = sorted(set(re.findall(r"struct (\w+);", listed)))
sample = random.Random(os.environ["SEED"]).sample(names, SAMPLE)
for name in os.environ["TYPES"].split() + sample:
    print(json.dumps({"type": name, "gdb": of_gdb(name), "dbgmate": of_dbgmate(name)}))
