"""Why programs differ on an address: the evidence and the kinds of tests/real/symbols_oracle.py.

Each kind is one step that turns another program's answer into ours, taken only where the file's own tables show that
it is right. What is not equal after all steps has no explanation.
"""

import bisect
import os
import re
import subprocess

# What GCC and LLVM append to the symbol of a part or a clone; DW_AT_name is without it.
PART = re.compile(r"(\.(part|cold|constprop|isra|lto_priv|llvm|localalias)(\.\d+)*)+$")


class Evidence:
    """What the tables of a file say, by binutils' readers alone."""

    def __init__(self, file):
        self.file = str(file)
        self.functions, self.objects, self.files, starts = {}, {}, set(), {}
        for line in output(["readelf", "-sW", file]).splitlines():
            fields = line.split()
            if len(fields) < 8 or fields[6] == "UND":
                continue
            if fields[3] == "FILE":
                self.files.add(os.path.normpath(fields[7]))
            elif fields[3] == "OBJECT":
                start, size = int(fields[1], 16), int(fields[2], 0)
                self.objects.setdefault(fields[7].split("@")[0], []).append((start, size))
            elif fields[3] in ("FUNC", "NOTYPE", "IFUNC"):
                start, size = int(fields[1], 16), int(fields[2], 0)
                name = fields[7].split("@")[0]
                self.functions.setdefault(name, []).append((start, size))
                starts.setdefault(start, set()).update({name, fields[7]})
        self.starts = sorted(starts)
        self.names = starts
        self.imports = dict(self.plt_entries())
        self.plt = sorted(self.imports)

    def plt_entries(self):
        """What objdump calls the entries of the procedure linkage table."""
        tables = [word for name in (".plt", ".plt.sec", ".plt.got") for word in ("-j", name)]
        listed = output(["objdump", "-d", "--no-show-raw-insn", *tables, self.file])
        entries = re.findall(r"^([0-9a-f]+) <(.*)@plt>:$", listed, re.M)
        names = output(["c++filt", "-p", *(name.split("@")[0] for _, name in entries)]).splitlines() if entries else []
        for (start, _), name in zip(entries, names, strict=True):
            yield int(start, 16), name.replace(" ", "")

    def import_at(self, address):
        at = bisect.bisect_right(self.plt, address) - 1
        if at >= 0 and address - self.plt[at] < 16:
            return self.imports[self.plt[at]]
        return None

    def names_at(self, address):
        """The symbols that start where the last one at or before an address does."""
        at = bisect.bisect_right(self.starts, address) - 1
        return self.names[self.starts[at]] if at >= 0 else set()

    def is_in_object(self, name, address):
        """Whether data of that name lies at the address."""
        return any(start <= address < start + size for start, size in self.objects.get(name, []))

    def covers(self, name, address):
        """Whether a symbol of that name has the address; None where there is no such symbol."""
        places = self.functions.get(name.split("@")[0])
        if places is None:
            return None
        return any(start <= address < start + max(size, 1) for start, size in places)


def explain(who, address, ours, theirs, third, evidence):
    """The kinds that make the two answers one, or None; `third` is what the other program says."""
    if ours and ours[0][1:3] == ("", 0) and evidence.import_at(address) == ours[0].function:
        return "in the PLT: ours is the import, as objdump has it"
    if theirs and theirs[-1].symbol and evidence.covers(theirs[-1].symbol, address) is False:
        return "names a function whose symbol does not cover the address"
    if theirs and evidence.is_in_object(theirs[-1].symbol, address):
        return "names data that lies in the code: ours is the label before it"
    if not theirs and len(ours) == 1 and not ours[0].file and ours[0].function in evidence.names_at(address):
        return "no debug info: ours is the symbol without a size before the address"
    kinds = set()
    if who == "addr2line" and len(theirs) < len(ours):
        ours = without_left_out(ours, theirs)
        kinds.add("leaves inlined functions out, and keeps the innermost line")
    if len(ours) != len(theirs):
        return None
    for depth, (mine, other) in enumerate(zip(ours, theirs)):
        if mine.function != other.function:
            outer = {frame.function for frame in theirs[depth + 1:]}
            if who == "addr2line" and outer and (other.function in outer or evidence.covers(other.symbol, address)):
                kinds.add("gives an inlined function the name of a caller")
            else:
                kinds.add(name_kind(mine, other, address, evidence))
        if mine.file != other.file and (mine.line == other.line or not other.line):
            kinds.add(file_kind(mine, other, evidence, third))
        elif mine.line != other.line:
            kinds.add(None)
    return None if None in kinds or not kinds else " + ".join(sorted(kinds))


def without_left_out(ours, theirs):
    """Our outer frames, as many as theirs, the first of them where the innermost is."""
    if not theirs:
        return ours
    kept = ours[-len(theirs):]
    return [kept[0]._replace(file=ours[0].file, line=ours[0].line), *kept[1:]]


def name_kind(mine, other, address, evidence):
    if not other.function and mine.function in evidence.names_at(address):
        return "no function is known: ours is the symbol before the address"
    if mine.function == other.symbol:
        return "a name that our demangler gives up"
    if PART.sub("", other.symbol) != other.symbol and same_words(mine.function, PART.sub("", other.function)):
        return "the symbol of a part or a clone: DW_AT_name is without"
    if evidence.covers(other.symbol, address):
        # Only the outermost frame's name is from .symtab.
        if mine.function == other.short or base(mine.function) == base(other.function):
            return "another symbol of the function: ours is DW_AT_name"
        if evidence.covers(mine.function, address):
            return "two symbols of one function"
    if same_words(mine.function, other.function):
        return "spelled otherwise by the demangler"
    return None


def same_words(mine, other):
    return re.findall(r"\w+", mine) == re.findall(r"\w+", other)


def base(name):
    """The function's own name: without scope and template arguments."""
    while (bare := re.sub(r"<[^<>]*>", "", name)) != name:
        name = bare
    return name.rsplit("::", 1)[-1]


def file_kind(mine, other, evidence, third):
    first = mine.file.split("/", 1)[0]
    twice = f"{first}/{mine.file}"
    if first and not mine.file.startswith("/") and other.file == twice:
        return "a relative folder of the unit put before the path twice"
    if other.line == mine.line and any(
            frame.line == mine.line and frame.file in (mine.file, twice) for frame in third):
        return "another file of the unit: the third program has the line in ours"
    if not mine.file and not mine.line and not other.line and other.file in evidence.files:
        return "no line is known: theirs is the symbol table's FILE"
    if not other.line and other.file in {"", *evidence.files} and mine[1:3] in [frame[1:3] for frame in third]:
        return "knows no line: the third program has ours"
    return None


def output(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace")
    return done.stdout
