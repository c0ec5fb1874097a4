#!/usr/bin/env python3
"""What dbgmate says of addresses, beside llvm-symbolizer and addr2line.

    tests/real/symbols_oracle.py [--dbgmate PATH] [--count N] [--seed N] [--text] [--all] [FILE[=TWIN] ...]

Draws addresses from the code of each FILE, and compares functions, files, lines and inlined callers. TWIN has the
same code and its debug info inside: what the other two are asked where FILE's debug info is elsewhere. Without FILE
it is those of the test bed. Every difference is given a kind that the evidence shows (symbols_kinds.py); one that
has none is printed, and the exit status is 1. --all prints each difference; --text draws from .text alone, without
the linkage table and what the C runtime brings.
"""

import argparse
import bisect
import collections
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from symbols_kinds import Evidence, explain

# `symbol` is the name as the linker has it, `short` DW_AT_name where that was asked for; neither is compared.
Frame = collections.namedtuple("Frame", "function file line symbol short")

# Addresses a call of dbgmate is given: fewer than a command line may hold.
AT_ONCE = 2000


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--dbgmate", default="target/release/dbgmate")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20121109)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    bed = test_bed()
    pairs = [pair.split("=", 1) for pair in options.files] or files_of(bed)
    unexplained = 0
    for pair in pairs:
        file, twin = Path(pair[0]), Path(pair[-1])
        unexplained += compare(bed, options, file, twin)
    sys.exit(1 if unexplained else 0)


def test_bed():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbgmate/testbed"
    return Path(os.environ.get("DBGMATE_TESTBED") or cache)


def files_of(bed):
    """What the test bed has, and what is asked of the others where they cannot follow to the debug info."""
    inside = ["debug/libxenlight.so", "optimized/libxenlight.so", "debug/libvirt.so", "debug/libvirtd",
              "programs/inventory", "programs/shapes", "xen-dbg/usr/lib/debug/usr/lib/xen-*/boot/xen-shim-syms",
              "vmlinux"]
    for pattern in inside:
        for file in sorted(bed.glob(pattern)):
            yield file, file
    for shape in ["split", "dwz", "debuglink"]:
        for name in ["libxenlight.so", "libvirt.so", "libvirtd"]:
            for file in bed.glob(f"{shape}/{name}*"):
                if not file.is_symlink():
                    yield file, bed / "debug" / file.name
    for file in bed.glob("libc/**/libc.so.6"):
        yield file, file


def compare(bed, options, file, twin):
    with tempfile.TemporaryDirectory() as folder:
        # Debian's debug files are apart: put together for those who cannot be told where they are.
        if not has_dwarf(twin):
            twin = united(bed, twin, Path(folder))
        addresses = drawn(twin, options.count, options.seed, options.text)
        ours = dbgmate(options.dbgmate, bed, file, addresses, Path(folder))
        evidence = Evidence(twin)
        theirs = {"llvm-symbolizer": llvm(twin, addresses), "addr2line": addr2line(twin, addresses)}
        return report(file, addresses, ours, theirs, evidence, options.all)


def report(file, addresses, ours, theirs, evidence, show_all):
    equal, kinds, unexplained = collections.Counter(), collections.Counter(), []
    for number, address in enumerate(addresses):
        differing = [who for who, answers in theirs.items() if compared(answers[number]) != compared(ours[number])]
        equal[("both", "one", "none")[len(differing)]] += 1
        for who in differing:
            third = next(answers[number] for other, answers in theirs.items() if other != who)
            kind = explain(who, address, ours[number], theirs[who][number], third, evidence)
            kinds[who, kind] += 1
            if kind is None:
                unexplained.append((who, number))
            if kind is None or show_all:
                print(f"  {address:#x} {kind or 'UNEXPLAINED'}\n"
                      f"    {'dbgmate':16}{shown(ours[number], theirs[who][number])}\n"
                      f"    {who:16}{shown(theirs[who][number], ours[number])}")
    print(f"{file}: {len(addresses)} addresses; equal to both {equal['both']}, to one {equal['one']}, "
          f"to none {equal['none']}; {sum(1 for answer in ours if answer)} with an answer")
    for (who, kind), count in sorted(kinds.items(), key=str):
        print(f"  {count:6} {who}: {kind or 'UNEXPLAINED'}")
    sys.stdout.flush()
    return len(unexplained)


def shown(frames, others):
    """The frames, those in short that both have."""
    same = {frame[:3] for frame in frames} & {frame[:3] for frame in others}
    return " < ".join("=" if frame[:3] in same else f"{frame.function} {frame.file}:{frame.line}"
                      for frame in frames) or "nothing"


# --- addresses ---

def sections_of(file, only_text):
    """The sections with code: address and size."""
    listed = run(["readelf", "-SW", file])
    for line in listed.splitlines():
        fields = line.replace("[ ", "[").split()
        is_code = len(fields) > 8 and fields[0].startswith("[") and "X" in fields[7] and "A" in fields[7]
        if is_code and (fields[1] == ".text" or not only_text):
            yield int(fields[3], 16), int(fields[5], 16)


def has_dwarf(file):
    return " .debug_info " in run(["readelf", "-SW", file])


def drawn(file, count, seed, only_text):
    sections = sorted(sections_of(file, only_text))
    starts, total = [], 0
    for _, size in sections:
        starts.append(total)
        total += size
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        offset = draw.randrange(total)
        at = bisect.bisect_right(starts, offset) - 1
        found.append(sections[at][0] + offset - starts[at])
    return found


def united(bed, file, folder):
    """A file with its debug file, in one (elfutils)."""
    build_id = next(line.split()[-1] for line in run(["readelf", "-n", file]).splitlines() if "Build ID" in line)
    debug = next(bed.glob(f"**/.build-id/{build_id[:2]}/{build_id[2:]}.debug"))
    run(["eu-unstrip", "-o", folder / file.name, file, debug])
    return folder / file.name


# --- answers: for each address a list of (function, file, line), innermost first ---

def dbgmate(program, bed, file, addresses, folder):
    config = folder / "dbgmate"
    config.mkdir()
    # Other folders have debug files of the same build-ids in other shapes.
    shape = bed / file.relative_to(bed).parts[0] if file.is_relative_to(bed) else file.parent
    debug = sorted({str(found.parent) for found in shape.glob("**/.build-id")})
    (config / "config.toml").write_text(f"debug_directories = {json.dumps(debug)}\n[debuginfod]\nurls = []\n")
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    answers = []
    for first in range(0, len(addresses), AT_ONCE):
        asked = [f"{address:#x}" for address in addresses[first:first + AT_ONCE]]
        command = [program, "symbolize", "--json", "--daemon", "never", "--binary", file, *asked]
        found = json.loads(run(command, environment=environment, accepted=(0, 1)))
        assert len(found["addresses"]) == len(asked)
        answers += [
            [Frame(plain_name(frame.get("function") or ""), plain_path(frame.get("file") or ""),
                   frame.get("line") or 0, "", "")
             for frame in (one.get("resolved") or {}).get("frames", [])]
            for one in found["addresses"]]
    return answers


def llvm(file, addresses):
    command = ["llvm-symbolizer", "--inlines", "--output-style=JSON", f"--obj={file}"]
    given = "".join(f"{address:#x}\n" for address in addresses)
    by_linker, by_dwarf = (run([*command, option], given=given).splitlines()
                           for option in ("--no-demangle", "--functions=short"))
    assert len(by_linker) == len(by_dwarf) == len(addresses)
    answers = []
    for linked, short in zip(by_linker, by_dwarf):
        pairs = zip(json.loads(linked).get("Symbol", []), json.loads(short).get("Symbol", []), strict=True)
        answers.append([Frame(one["FunctionName"], one["FileName"], one["Line"], one["FunctionName"],
                              other["FunctionName"]) for one, other in pairs])
    return plain(answers)


def addr2line(file, addresses):
    command = ["addr2line", "-a", "-i", "-f", "-e", file]
    lines = run(command, given="".join(f"{address:#x}\n" for address in addresses)).splitlines()
    answers, position = [], 0
    for address in addresses:
        assert int(lines[position], 16) == address, lines[position]
        position += 1
        frames = []
        while position < len(lines) and not re.fullmatch("0x[0-9a-f]{16}", lines[position]):
            path, _, line = lines[position + 1].split(" (discriminator")[0].rpartition(":")
            frames.append(Frame(lines[position], path, int(line) if line.isdigit() else 0, lines[position], ""))
            position += 2
        answers.append(frames)
    return plain(answers)


def plain(answers):
    """Names demangled by binutils, without parameters; nothing where a program knows nothing."""
    names = sorted({frame.symbol for frames in answers for frame in frames})
    demangled = dict(zip(names, run(["c++filt", "-p"], given="".join(f"{name}\n" for name in names)).splitlines()))
    def known(frame):
        function = "" if frame.function == "??" else plain_name(demangled[frame.symbol])
        return frame._replace(function=function, file=plain_path(frame.file))
    found = ([known(frame) for frame in frames] for frames in answers)
    return [[] if compared(frames) == [("", "", 0)] else frames for frames in found]


def compared(frames):
    return [frame[:3] for frame in frames]


def plain_path(path):
    return "" if path in ("??", "") else os.path.normpath(path)


def plain_name(name):
    """Demanglers differ in blanks, in the type of a constant, and in whether they show Rust's hash."""
    name = re.sub(r"::h[0-9a-f]{16}$|\[[0-9a-f]{8,16}\]", "", name.replace(" ", ""))
    name = re.sub(r"(?<=\d):[iu](?:size|\d+)\b", "", name)
    return re.sub(r"\((?:unsigned)?(?:int|long)\)(\d+)", r"\1", re.sub(r"\b(\d+)u?l?\b", r"\1", name))


def run(command, given=None, environment=None, accepted=(0,)):
    done = subprocess.run([str(word) for word in command], input=given, capture_output=True, text=True,
                          env=environment, errors="replace")
    if done.returncode not in accepted:
        sys.exit(f"{command[0]}: {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
