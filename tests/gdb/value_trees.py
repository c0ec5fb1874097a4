"""Inside gdb: what it prints of each global of tests/fixtures/values.cc, and what its API says of the same value.

Prints a line of JSON for each: the expression, the printed lines, and the tree.
"""

import json

import gdb

NAMES = """
ev ev.entry &ev *&ev ev.func disk disk.vdev disk.bits disk.nested thing thing.alias blank number large yes letter quote
double_quote nul high newline backslash half huge not_a_number infinite colour unknown_colour both none null small object inside callback
no_text text utf8 nothing bad_text names buffer full grid zeros mixed holes bytes few many same table entries pairs
wide wide16 &disk.table disk.table[1] &number *inside@3 &thing.next &text (long)number (char)65 1+1 -1 0.1 sizeof(disk)
main *main stop &names[1] names[2]+1
""".split()
LIMIT = 200


def is_character(kind):
    kind = kind.strip_typedefs()
    return kind.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR) and kind.sizeof == 1


def symbol(address):
    """The name that stands between < and >, if gdb has one for the address."""
    shown = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return None if shown.startswith("No symbol") else shown.split(" in section")[0].replace(" + ", "+")


def pointer(value):
    address = int(value) & (2**64 - 1)
    tree = {"kind": "pointer", "address": address}
    if is_character(value.type.strip_typedefs().target()) and address > 4096:
        text = bytearray()
        while value[len(text)] != 0 and len(text) < LIMIT:
            text.append(int(value[len(text)]) & 0xFF)
        tree["string"] = bytes(text).decode("utf-8", "replace")
    elif address > 4096:
        tree["symbol"] = symbol(address)
    return tree


def array(value):
    first, last = value.type.strip_typedefs().range()
    count = last - first + 1
    target = value.type.strip_typedefs().target().strip_typedefs()
    if is_character(target):
        text = bytes(int(value[first + at]) & 0xFF for at in range(count))
        return {"kind": "string", "string": text.rstrip(b"\0").decode("utf-8", "replace")}
    if target.name in ("wchar_t", "char16_t"):
        text = "".join(chr(int(value[first + at])) for at in range(count))
        return {"kind": "string", "string": text.rstrip("\0")}
    return {"kind": "array", "elements": [tree(value[first + at]) for at in range(count)]}


def members(value):
    """Base classes first, then members, as gdb prints them: the pointer to the virtual functions among the base's."""
    fields = []
    for field in value.type.strip_typedefs().fields():
        name = field.name or ""
        if field.is_base_class:
            name = f"<{name}>"
        elif not hasattr(field, "bitpos"):
            name = f"static {name}"
        fields.append({"name": name, "value": tree(value[field], "inside")})
    return {"kind": "struct", "fields": fields}


def tree(value, where="alone"):
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        # A member that is a reference is shown as where it leads only.
        referenced = value.referenced_value()
        if where == "inside":
            return {"kind": "pointer", "address": int(referenced.address)}
        return tree(referenced)
    if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return members(value)
    if kind.code == gdb.TYPE_CODE_ARRAY:
        return array(value)
    if kind.code == gdb.TYPE_CODE_PTR:
        return pointer(value)
    if kind.code == gdb.TYPE_CODE_FUNC:
        address = int(value.address)
        return {"kind": "pointer", "address": address, "symbol": symbol(address)}
    if kind.code == gdb.TYPE_CODE_ENUM:
        names = [field.name for field in kind.fields() if field.enumval == int(value)]
        return {"kind": "enum", "name": names[0] if names else None}
    if kind.code == gdb.TYPE_CODE_BOOL:
        return {"kind": "scalar", "shown": "true" if value else "false"}
    if kind.code == gdb.TYPE_CODE_FLT:
        return {"kind": "scalar", "float": str(float(value))}
    return {"kind": "scalar", "number": str(int(value))}


for pretty in ("off", "on"):
    gdb.execute(f"set print pretty {pretty}")
    for name in NAMES:
        value = gdb.parse_and_eval(name)
        printed = gdb.execute(f"print {name}", to_string=True)
        print(json.dumps({"expression": name, "printed": printed, "tree": tree(value)}))
