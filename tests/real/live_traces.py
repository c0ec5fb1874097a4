"""Backtraces of stripped programs as a real gdb prints them, and what is true of each frame.

    tests/real/live_traces.py TEST_BED FOLDER

Runs stripped virsh, libvirtd and toolstack (tests/real/programs) of the test bed in gdb (live_gdb.py), addresses
randomised, and stops them at the first and at middle instructions of functions. FOLDER gets, for each stop:

  NAME.txt           what gdb printed for `bt` and `thread apply all bt`
  NAME.filtered.txt  the same with a frame filter, which gdb prints by other code
  NAME.json          what is true: {selected, modules: {name: {debug}}, threads: [{number, frames: [{pc, module,
                     address, printed, llvm: [{function, file, line}]}]}]}

Addresses in files come from the mappings of the process and the files' program headers; functions and lines from
llvm-symbolizer on the unstripped twin, asked for the address before the pc where that is a return address.
"""

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Which functions are stopped at: the same on each run.
SEED = 20121109


def main():
    bed, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    symbolizer = Symbolizer()
    for program in programs(bed):
        with tempfile.TemporaryDirectory(prefix="dbgmate-traces-") as folder:
            records = program.run(Path(folder))
        print(f"{program.name}: {len(records)} stops", flush=True)
        if len(records) < program.least:
            sys.exit(f"{program.name}: only {len(records)} stops")
        for number, record in enumerate(records, 1):
            name = f"{program.name}-{number:02}-{record['place']}"
            write(out / name, record, symbolizer.truth(record, program.twins))


def write(path, record, truth):
    # `.cold` and `.part` in a function's name are no suffix of the file.
    path = path.with_name(path.name.replace(".", "_"))
    Path(f"{path}.txt").write_text(record["text"])
    Path(f"{path}.filtered.txt").write_text(record["filtered"])
    Path(f"{path}.json").write_text(json.dumps(truth, indent=1) + "\n")


class Program:
    """One run: what is run, and where it is stopped."""

    def __init__(self, name, twins, program, arguments="", environment=None, settings=(), client=None, stops=25,
                 least=20, favourites=(), draws=300):
        self.name, self.twins, self.program, self.arguments = name, twins, program, arguments
        self.environment, self.settings, self.client = environment or {}, list(settings), client
        self.stops, self.least, self.favourites, self.draws = stops, least, favourites, draws

    def run(self, folder):
        """The stops, in the order in which they came."""
        plan, records = folder / "plan.json", folder / "records.json"
        plan.write_text(json.dumps({
            "program": str(self.program),
            "arguments": self.arguments.replace("FOLDER", str(folder)),
            "environment": {name: value.replace("FOLDER", str(folder)) for name, value in self.environment.items()},
            "settings": self.settings,
            "folder": str(folder),
            "files": [str(stripped) for stripped in self.twins],
            "places": self.places(),
            "stops": self.stops,
            "seconds": 60,
            "records": str(records),
        }))
        command = ["gdb", "-nx", "-q", "-batch", "-ex", f"python PLAN = '{plan}'", "-x", str(HERE / "live_gdb.py")]
        client = self.start_client(folder)
        try:
            with open(folder / "gdb.log", "wb") as log:
                gdb = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
                end(gdb, 150)
        finally:
            if client:
                end(client, 0)
        if not records.exists():
            sys.exit(f"{self.name}: gdb failed:\n" + (folder / "gdb.log").read_text(errors="replace")[-3000:])
        return json.loads(records.read_text())

    def start_client(self, folder):
        if not self.client:
            return None
        command = ["/bin/sh", "-c", self.client.replace("FOLDER", str(folder))]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, start_new_session=True)

    def places(self):
        """Functions drawn at random, and favourites; each at its first instruction or at one in its middle."""
        found = []
        for stripped, twin in self.twins.items():
            draw = random.Random(f"{SEED} {self.name} {stripped.name}")
            functions = functions_of(twin)
            drawn = draw.sample(sorted(functions), min(len(functions) // 4, self.draws))
            favourites = [name for name in self.favourites if name in functions and name not in drawn]
            for number, name in enumerate(favourites + drawn):
                start, size = functions[name]
                address = start if number % 3 == 0 else middle_of(twin, start, size, draw)
                found.append({"name": name, "file": str(stripped), "segments": segments_of(stripped),
                              "address": address})
        return found


def end(process, seconds):
    """Waits, and after so many seconds ends what was started: the process and its group."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def functions_of(file):
    """Names to addresses and sizes, of functions worth stopping in."""
    listed = subprocess.run(["nm", "-S", "--defined-only", file], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in listed.splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[2] in "tT" and int(fields[1], 16) >= 48:
            found[fields[3]] = (int(fields[0], 16), int(fields[1], 16))
    return found


INSTRUCTIONS = {}


def middle_of(file, start, size, draw):
    """The address of some instruction between a quarter and three quarters of a function."""
    if file not in INSTRUCTIONS:
        listed = subprocess.run(["objdump", "-d", "--no-show-raw-insn", file], check=True, capture_output=True,
                                text=True).stdout
        INSTRUCTIONS[file] = sorted({int(line.split(":", 1)[0], 16) for line in listed.splitlines()
                                     if line[:1] == " " and ":\t" in line})
    inside = [at for at in slice_of(INSTRUCTIONS[file], start, start + size)]
    return draw.choice(inside[len(inside) // 4:len(inside) * 3 // 4 + 1])


def slice_of(ordered, first, past):
    import bisect
    return ordered[bisect.bisect_left(ordered, first):bisect.bisect_left(ordered, past)]


SEGMENTS = {}


def segments_of(file):
    """The PT_LOAD headers (ELF-64, little endian: the test bed's)."""
    if file not in SEGMENTS:
        data = Path(file).read_bytes()
        table, = struct.unpack_from("<Q", data, 0x20)
        size, count = struct.unpack_from("<HH", data, 0x36)
        headers = (struct.unpack_from("<IIQQQQ", data, table + size * number) for number in range(count))
        SEGMENTS[file] = [{"offset": offset, "address": address, "size": length}
                          for kind, _, offset, address, _, length in headers if kind == 1]
    return SEGMENTS[file]


class Symbolizer:
    """llvm-symbolizer, asked for all frames of a stop at once, each answer kept."""

    def __init__(self):
        self.known = {}

    def truth(self, record, twins):
        stripped = {str(file): (file.name, twin) for file, twin in twins.items()}
        threads = [{"number": thread["number"], "frames": list(located(thread["frames"], record["maps"], stripped))}
                   for thread in record["threads"]]
        frames = [frame for thread in threads for frame in thread["frames"]]
        self.ask({(frame["twin"], frame["lookup"]) for frame in frames if frame["twin"]})
        for frame in frames:
            twin, lookup = frame.pop("twin"), frame.pop("lookup")
            frame["llvm"] = self.known.get((twin, lookup), [])
        modules = {frame["module"] for frame in frames if frame["module"]}
        return {
            "place": record["place"],
            "selected": record["selected"],
            "modules": {name: {"debug": str(twin)} for name, twin in sorted(stripped.values()) if name in modules},
            "threads": threads,
        }

    def ask(self, wanted):
        for twin in sorted({twin for twin, _ in wanted}):
            addresses = sorted(lookup for file, lookup in wanted if file == twin and (file, lookup) not in self.known)
            if not addresses:
                continue
            command = ["llvm-symbolizer", "--inlines", "--no-demangle", "--output-style=JSON", f"--obj={twin}"]
            # Answers are told apart by their order: one for each address.
            answers = subprocess.run(command, input="".join(f"{at:#x}\n" for at in addresses), check=True,
                                     capture_output=True, text=True).stdout.splitlines()
            assert len(answers) == len(addresses), f"{len(answers)} answers to {len(addresses)} questions"
            for address, answer in zip(addresses, answers):
                self.known[twin, address] = [
                    {"function": one["FunctionName"], "file": one["FileName"], "line": one["Line"]}
                    for one in json.loads(answer)["Symbol"]]


def located(frames, maps, stripped):
    """Each frame with its module and its address there, and the address to look up."""
    for index, frame in enumerate(frames):
        pc = frame["pc"]
        # gdb's rule (get_frame_address_in_block): a caller is where its call is, except below a signal.
        exact = index == 0 or frame["signal"] or frames[index - 1]["signal"]
        mapping = next((one for one in maps if one["start"] <= pc < one["end"]), None)
        name, twin = stripped.get(mapping["file"], (None, None)) if mapping else (None, None)
        address = None
        if twin:
            offset = pc - mapping["start"] + mapping["offset"]
            segment = next(one for one in segments_of(mapping["file"])
                           if one["offset"] <= offset < one["offset"] + one["size"])
            address = offset - segment["offset"] + segment["address"]
        yield {
            "pc": f"{pc:#x}",
            "module": name,
            "address": None if address is None else f"{address:#x}",
            "printed": frame["printed"],
            "twin": str(twin) if twin else None,
            "lookup": None if address is None else address - (0 if exact else 1),
        }


# What libxl and libvirt run through on their way to a crash: stopped at whether drawn or not.
EVENTS = ["libxl_osevent_occurred_fd", "libxl_osevent_occurred_timeout", "libxl__ev_fd_register",
          "libxl__ev_fd_deregister", "libxl__ev_time_register_rel", "libxl__ao_complete", "libxl__domain_make",
          "libxl__device_destroy", "domain_destroy_cb", "sigchld_handler", "afterpoll_internal", "egc_run_callbacks",
          "domcreate_bootloader_done", "libxl__build_pre", "libxl__xs_transaction_start", "device_addrm_aocomplete",
          "bootloader_finished", "libxl__ev_child_fork", "yajl_gen_string", "xlu__disk_yyparse", "xc_domain_create"]
RPC = ["virNetServerClientDispatchRead", "virNetServerProgramDispatch", "virNetServerHandleJob", "testConnectOpen",
       "virEventGLibHandleDispatch", "virEventGLibTimeoutDispatch", "virConnectOpenInternal", "virThreadPoolWorker",
       "remoteDispatchConnectOpenHelper", "remoteDispatchConnectListAllDomainsHelper", "virDomainGetXMLDesc",
       "virNetDaemonRun", "testDomainGetXMLDesc", "virDomainDefFormatInternal", "virDomainDefParseNode",
       "virNetMessageEncodePayload", "virThreadHelper", "virStateInitialize", "virDriverLoadModuleFunc"]


def twins(stripped, debug, names):
    """Stripped files to their unstripped twins; links are followed, since mappings name the file itself."""
    return {(stripped / name).resolve(): (debug / name).resolve() for name in names}


def programs(bed):
    libraries = {"LD_LIBRARY_PATH": str(bed / "stripped")}
    virsh = twins(bed / "stripped", bed / "debug", ["virsh", "libvirt.so.0"])
    daemon = twins(bed / "stripped", bed / "debug", ["libvirtd", "libvirt.so.0"])
    for name, commands in {
        "virsh-list": "list --all",
        "virsh-domain": "'dumpxml test; dominfo test; suspend test; resume test; snapshot-create test; domstats'",
        "virsh-host": "'capabilities; nodeinfo; net-list; net-dumpxml default; pool-list; vol-list default-pool'",
    }.items():
        yield Program(name, virsh, bed / "stripped/virsh", f"-q -c test:///default {commands}",
                      {**libraries, "HOME": "FOLDER"}, favourites=RPC, least=15)
    # Not as root even where we are: libvirtd then serves a session, and writes to its own home alone.
    settings = ["set exec-wrapper unshare --user --map-user=1000 --map-group=1000 --"] if os.geteuid() == 0 else []
    socket = "FOLDER/run/libvirt/libvirt-sock"
    ask = f"virsh -q -c 'test+unix:///default?socket={socket}'"
    client = (f"export LD_LIBRARY_PATH={bed}/stripped HOME=FOLDER; cd {bed}/stripped; "
              f"until [ -S {socket} ]; do sleep 0.2; done; "
              + " ".join(f"./{ask} {command};" for command in
                         ["list --all", "dumpxml test", "nodeinfo", "'suspend test; resume test; domstats'"] * 4))
    home = {name: "FOLDER/" + folder for name, folder in
            [("HOME", ""), ("XDG_RUNTIME_DIR", "run"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")]}
    yield Program("libvirtd", daemon, bed / "stripped/libvirtd", "--timeout 3",
                  {**libraries, **home, "LIBVIRT_DRIVER_DIR": str(bed / "stripped")}, settings, client, stops=40,
                  favourites=RPC, draws=600)
    for name, stripped, debug in [("toolstack", "stripped", "debug"),
                                  ("toolstack-optimized", "optimized-stripped", "optimized")]:
        files = twins(bed / "programs-stripped", bed / "programs", ["toolstack"])
        names = ["libxenlight.so", "libxlutil.so", "libxenctrl.so", "libxenguest.so", "libxenstore.so"]
        files.update(twins(bed / stripped, bed / debug, names))
        yield Program(name, files, bed / "programs-stripped/toolstack", "FOLDER/xenstore",
                      {"LD_LIBRARY_PATH": str(bed / stripped)}, favourites=EVENTS, stops=50, least=30)


if __name__ == "__main__":
    main()
