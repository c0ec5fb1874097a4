"""What BTF says of types, as JSON: an oracle for tests/real_layouts.

    tests/real/btf_layouts.py BINARY < NAMES > ANSWERS

A line for each name, as tests/real/gdb_layouts.py, without the spelling of types; but a list: BTF has every
definition of a name that differs. Of a file without a section .BTF, pahole encodes one.

The format: https://docs.kernel.org/bpf/btf.html
"""

import json
import os
import struct
import subprocess
import sys
import tempfile

NAMES = {1: "int", 2: "ptr", 3: "array", 4: "struct", 5: "union", 6: "enum", 7: "fwd", 8: "typedef", 9: "volatile",
         10: "const", 11: "restrict", 12: "func", 13: "func_proto", 14: "var", 15: "datasec", 16: "float",
         17: "decl_tag", 18: "type_tag", 19: "enum64"}
TRANSPARENT = {"typedef", "volatile", "const", "restrict", "type_tag"}
POINTER_SIZE = 8


class Type:
    """An entry: its kind, its name, and size or type."""

    def __init__(self, kind, name, flag, number, items):
        self.kind, self.name, self.flag, self.number, self.items = kind, name, flag, number, items


def read(data):
    """Every type by its number; 0 is void."""
    order = "<" if data[:2] == b"\x9f\xeb" else ">"
    header_size, type_at, type_size, text_at, text_size = struct.unpack_from(order + "5I", data, 4)
    texts = data[header_size + text_at:header_size + text_at + text_size]
    at, end = header_size + type_at, header_size + type_at + type_size

    def text(offset):
        return texts[offset:texts.index(b"\0", offset)].decode()

    types = [Type("void", "", False, 0, [])]
    while at < end:
        name, info, number = struct.unpack_from(order + "3I", data, at)
        at += 12
        count, kind, flag = info & 0xFFFF, NAMES[info >> 24 & 0x1F], bool(info >> 31)
        shape = {"struct": "3I", "union": "3I", "enum": "Ii" if flag else "II", "enum64": "III", "array": "3I",
                 "func_proto": "II", "datasec": "3I", "int": "I", "var": "I", "decl_tag": "I"}.get(kind, "")
        repeats = count if kind in ("struct", "union", "enum", "enum64", "func_proto", "datasec") else bool(shape)
        items = []
        for _ in range(repeats):
            item = struct.unpack_from(order + shape, data, at)
            at += struct.calcsize(order + shape)
            if kind in ("struct", "union", "enum", "enum64"):
                item = (text(item[0]), *item[1:])
            items.append(item)
        types.append(Type(kind, text(name), flag, number, items))
    return types


class Layouts:
    def __init__(self, types):
        self.types = types
        self.named = {}
        for found in types:
            if found.kind in ("struct", "union", "enum", "enum64", "typedef") and found.name:
                self.named.setdefault(f"{found.kind.removesuffix('64')} {found.name}", []).append(found)

    def find(self, line):
        layouts = []
        for found in self.named.get(line, []):
            found = self.bare(found)
            if found.kind == "ptr" and self.bare(self.types[found.number]).kind in ("struct", "union", "fwd"):
                found = self.bare(self.types[found.number])
            if found.kind != "fwd":
                layouts.append(self.layout(found))
        return layouts

    def bare(self, found):
        while found.kind in TRANSPARENT:
            found = self.types[found.number]
        return found

    def layout(self, found):
        kind = found.kind.removesuffix("64")
        return {
            "kind": kind if kind in ("struct", "union", "enum") else "type",
            "size": self.size(found),
            "members": self.members(found),
            "enumerators": enumerators(found),
        }

    def size(self, found):
        found = self.bare(found)
        if found.kind == "array":
            element, _, count = found.items[0]
            size = self.size(self.types[element])
            return None if size is None else size * count
        if found.kind == "ptr":
            return POINTER_SIZE
        return found.number if found.kind in ("int", "float", "struct", "union", "enum", "enum64") else None

    def members(self, found, start=0):
        if found.kind not in ("struct", "union"):
            return []
        result = []
        for name, number, offset in found.items:
            bit_size, offset = (offset >> 24, offset & 0xFFFFFF) if found.flag else (0, offset)
            member = self.types[number]
            result.append({
                "name": name,
                "bit_offset": start + offset,
                "bit_size": bit_size,
                "size": self.size(member),
                "members": self.members(self.bare(member), start + offset),
            })
        return result


def enumerators(found):
    if found.kind == "enum64":
        return [[name, str(value(low | high << 32, 64, found.flag))] for name, low, high in found.items]
    return [[name, str(number)] for name, number in found.items] if found.kind == "enum" else []


def value(bits, width, is_signed):
    return bits - (1 << width) if is_signed and bits >> (width - 1) else bits


def section_of(binary):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/btf"
        subprocess.run(["objcopy", "-O", "binary", "--only-section=.BTF", binary, path], stderr=subprocess.DEVNULL)
        if not os.path.exists(path) or os.path.getsize(path) == 0:
            subprocess.run(["pahole", f"--btf_encode_detached={path}", binary], stderr=subprocess.DEVNULL)
        # pahole gives up where there is C++.
        if not os.path.exists(path):
            return None
        with open(path, "rb") as encoded:
            return encoded.read()


def main(binary):
    data = section_of(binary)
    layouts = Layouts(read(data) if data else [])
    for name in sys.stdin.read().splitlines():
        print(json.dumps(layouts.find(name)))


main(sys.argv[1])
