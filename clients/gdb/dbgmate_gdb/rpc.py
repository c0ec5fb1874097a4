"""Who answers: the daemon over its Unix socket, or else the `dbgmate` program.

The daemon speaks JSON-RPC 2.0 over HTTP. It is asked when it listens where this person's daemon
does, runs as this person or as root, and speaks our protocol; otherwise the program answers in a
process of its own. Rule: no `import gdb`; what goes wrong is one `Error`, with what to do about it.
"""

import http.client
import json
import os
import re
import socket
import stat
import struct
import subprocess

# The version of the protocol that this client was written for: `daemon.hello` says the daemon's.
PROTOCOL = 1

# Seconds. Longer than the time the daemon gives a request (`deadline_seconds`, 60 by default), so
# that its own sentence arrives; `hello` needs no work at all.
_TIMEOUT = 90
_HELLO_TIMEOUT = 2


class Error(Exception):
    """Why there is no answer: `message`, a stable `kind` ("" where unknown) and maybe a `next_step`."""

    def __init__(self, message, kind="", next_step=None, code=None):
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.next_step = next_step
        self.code = code

    def __str__(self):
        return f"{self.message}\n  try: {self.next_step}" if self.next_step else self.message


class _Unavailable(Exception):
    """The daemon cannot be asked: without a reason when none runs, else with a sentence."""


def call(method, params, notice=lambda sentence: None):
    """The result of a method, as a dictionary.

    `notice` receives a sentence when a daemon that seems to run is passed over.
    """
    try:
        return _daemon(method, params)
    except _Unavailable as reason:
        if str(reason):
            notice(f"not asking the daemon: {reason}")
    return _program(method, params)


# The daemon


def socket_path(environ=os.environ, users="/run/user"):
    """Where this person's daemon listens, or would: docs/configuration.md has the order."""
    if environ.get("DBGMATE_SOCKET"):
        return os.path.abspath(environ["DBGMATE_SOCKET"])
    uid = os.geteuid()
    for folder in (environ.get("XDG_RUNTIME_DIR", ""), os.path.join(users, str(uid))):
        if os.path.isabs(folder) and _is_own_folder(folder, uid):
            return os.path.join(folder, "dbgmate", "daemon.sock")
    return f"/tmp/dbgmate-{uid}/daemon.sock"


def _is_own_folder(path, uid):
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid


class _Connection(http.client.HTTPConnection):
    """HTTP through a Unix socket, to a daemon of ours only."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except (FileNotFoundError, ConnectionRefusedError):
            raise _Unavailable() from None
        # struct ucred: pid, uid, gid. Who listens counts, not who may have made the file.
        credentials = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, uid, _ = struct.unpack("3i", credentials)
        if uid not in (os.geteuid(), 0):
            raise _Unavailable(f"the one at {self._path} runs as uid {uid}, not as you")


def _daemon(method, params):
    path = socket_path()
    hello = _post(path, "daemon.hello", {"client": "gdb", "protocol": PROTOCOL}, _HELLO_TIMEOUT)
    if hello.get("protocol") != PROTOCOL:
        raise _Unavailable(
            f"it speaks protocol {hello.get('protocol')}, this client {PROTOCOL}; restart it"
        )
    return _post(path, method, params, _TIMEOUT)


def _post(path, method, params, timeout):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    connection = _Connection(path, timeout)
    try:
        connection.request("POST", "/", json.dumps(request), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    except socket.timeout:
        raise _Unavailable(f"it has not answered for {timeout} seconds") from None
    except (OSError, http.client.HTTPException) as error:
        raise _Unavailable(f"it went away ({error or type(error).__name__})") from None
    except ValueError:
        raise _Unavailable(f"what listens at {path} does not speak JSON-RPC") from None
    finally:
        connection.close()
    return _result(answer)


def _result(answer):
    """The result of a JSON-RPC answer, or its error raised."""
    if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
        raise _Unavailable("its answer is not JSON-RPC")
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    data = error.get("data") if isinstance(error.get("data"), dict) else {}
    raise Error(error["message"], data.get("kind", ""), data.get("next_step"), error["code"])


# The program


def _program(method, params):
    form = params.get("render")
    flags = ["--json", *(["--render", form] if form else [])]
    return json.loads(_run(_command(method, params, flags), params.get("text", "")))


def _command(method, params, flags):
    """The command line that asks the same question."""
    named = params.get("binaries", [])
    binaries = [word for binary in named for word in ("--binary", binary["path"])]
    if method == "triage.report":
        return ["triage", *flags, *binaries]
    if method == "trace.symbolize":
        return ["symbolize", *flags, *binaries]
    if method == "layout.offsets_of":
        return ["offsets-of", *flags, *binaries, "--", params["type"]]
    raise ValueError(method)


def _run(arguments, text):
    """The standard output of the program; no output at all is its error."""
    program = os.environ.get("DBGMATE") or "dbgmate"
    command = [program, "--daemon", "never", "--color", "never", *arguments]
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=_TIMEOUT, check=False
        )
    except OSError as error:
        raise Error(
            f"no daemon runs, and the program `{program}` cannot be started: {error.strerror}",
            "daemon",
            "start a daemon with `dbgmate serve`, put dbgmate on PATH, or name it in $DBGMATE",
        ) from None
    except subprocess.TimeoutExpired:
        raise Error(f"`{program}` has not answered for {_TIMEOUT} seconds", "deadline") from None
    if done.stdout:
        return done.stdout.decode(errors="replace")
    raise _complaint(done.stderr.decode(errors="replace"))


def _complaint(stderr):
    """The error among the program's remarks: `dbgmate: SENTENCE`, then maybe `  try: NEXT STEP`."""
    found = re.findall(r"^dbgmate: (.*)(?:\n  try: (.*))?", stderr, re.MULTILINE)
    if not found:
        return Error(stderr.strip() or "dbgmate ended without an answer", "internal")
    sentence, next_step = found[-1]
    return Error(sentence, "", next_step or None)
