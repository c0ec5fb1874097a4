"""Who answers, and what is said when nobody does: with a daemon and a program of the tests' own."""

import contextlib
import http.server
import json
import os
import signal
import socketserver
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from dbgmate_gdb import rpc

TRIAGE = {"text": "#0 main ()", "render": "text"}

# Prints its arguments and its standard input where the real one prints an answer.
PROGRAM = """#!/bin/sh
printf '{"arguments": "%s", "input": "%s", "rendered": "the text"}' "$*" "$(cat)"
"""


class Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers `daemon.hello` and one more method."""

    daemon_threads = True

    def __init__(self, path, answer, protocol):
        super().__init__(path, Handler)
        self.answer = answer
        self.protocol = protocol
        self.requests = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        if request["method"] == "daemon.hello":
            answer = {"result": {"protocol": self.server.protocol}}
        else:
            answer = self.server.answer
        if answer is None:
            # As when it is killed while it works.
            self.close_connection = True
            return
        body = json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Rpc(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.socket = os.path.join(folder, "daemon.sock")
        self.program = os.path.join(folder, "dbgmate")
        self.install(PROGRAM)
        environment = {"DBGMATE_SOCKET": self.socket, "DBGMATE": self.program}
        self.enterContext(mock.patch.dict(os.environ, environment))
        self.notices = []

    if not hasattr(unittest.TestCase, "enterContext"):

        def enterContext(self, context):
            entered = context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
            return entered

    def install(self, script):
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(self.program, 0o755)

    def call(self, method="triage.report", params=None):
        return rpc.call(method, params or TRIAGE, self.notices.append)

    @contextlib.contextmanager
    def daemon(self, answer, protocol=rpc.PROTOCOL):
        with Daemon(self.socket, answer, protocol) as daemon:
            thread = threading.Thread(target=daemon.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield daemon
            finally:
                daemon.shutdown()
                thread.join()
                os.unlink(self.socket)

    def test_a_daemon_that_runs_is_asked(self):
        with self.daemon({"result": {"notes": []}}) as daemon:
            self.assertEqual(self.call(), {"notes": []})
        hello, request = daemon.requests
        self.assertEqual(hello["params"], {"client": "gdb", "protocol": rpc.PROTOCOL})
        self.assertEqual((request["method"], request["params"]), ("triage.report", TRIAGE))
        self.assertEqual(self.notices, [])

    def test_its_error_is_raised_with_the_next_step(self):
        data = {"kind": "not_found", "next_step": "check the spelling"}
        with self.daemon({"error": {"code": 2, "message": "no type `x`", "data": data}}):
            with self.assertRaises(rpc.Error) as raised:
                self.call()
        error = raised.exception
        self.assertEqual((error.code, error.kind), (2, "not_found"))
        self.assertEqual(str(error), "no type `x`\n  try: check the spelling")

    def test_without_a_daemon_the_program_answers_silently(self):
        answer = self.call()
        self.assertEqual(answer["arguments"], "--daemon never --color never triage --json --render text")
        self.assertEqual(answer["input"], "#0 main ()")
        self.assertEqual(answer["rendered"], "the text")
        self.assertEqual(self.notices, [])

    def test_the_program_is_asked_for_the_same_layout(self):
        binaries = [{"path": "/a"}, {"path": "/b c"}]
        params = {"type": "--evil; $(x)", "binaries": binaries, "render": "layout"}
        answer = self.call("layout.offsets_of", params)
        asked = "--binary /a --binary /b c -- --evil; $(x)"
        flags = "offsets-of --json --render layout"
        self.assertTrue(answer["arguments"].endswith(f"{flags} {asked}"), answer)

    def test_a_daemon_that_dies_at_work_is_passed_over_aloud(self):
        with self.daemon(None):
            self.assertEqual(self.call()["rendered"], "the text")
        self.assertEqual(len(self.notices), 1)
        self.assertIn("it went away", self.notices[0])

    def test_a_daemon_of_another_protocol_is_passed_over_aloud(self):
        with self.daemon({"result": {}}, protocol=rpc.PROTOCOL + 1):
            self.assertEqual(self.call()["rendered"], "the text")
        self.assertIn("restart it", self.notices[0])

    def test_a_daemon_that_is_stuck_is_passed_over_aloud(self):
        with mock.patch.object(rpc, "_HELLO_TIMEOUT", 0.1):
            with socketserver.UnixStreamServer(self.socket, None):
                self.assertEqual(self.call()["rendered"], "the text")
        self.assertIn("has not answered", self.notices[0])

    def test_a_socket_nobody_listens_on_is_no_daemon(self):
        socketserver.UnixStreamServer(self.socket, None).server_close()
        self.assertTrue(os.path.exists(self.socket))
        self.assertEqual(self.call()["rendered"], "the text")
        self.assertEqual(self.notices, [])

    def test_something_that_is_no_daemon_is_passed_over_aloud(self):
        class Stranger(socketserver.StreamRequestHandler):
            def handle(self):
                self.rfile.readline()
                self.wfile.write(b"220 mail.example ESMTP\r\n")

        with socketserver.UnixStreamServer(self.socket, Stranger) as stranger:
            thread = threading.Thread(target=stranger.handle_request)
            thread.start()
            self.assertEqual(self.call()["rendered"], "the text")
            thread.join()
        self.assertEqual(len(self.notices), 1)

    @unittest.skipUnless(os.geteuid() == 0, "only root can listen as another person")
    def test_the_daemon_of_another_person_is_not_asked(self):
        os.chmod(os.path.dirname(self.socket), 0o777)
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            with socketserver.UnixStreamServer(self.socket, None):
                time.sleep(60)
            os._exit(1)
        try:
            while not os.path.exists(self.socket):
                time.sleep(0.01)
            time.sleep(0.1)
            self.assertEqual(self.call()["rendered"], "the text")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self.assertIn("runs as uid 65534", self.notices[0])

    def test_what_the_program_complains_of_is_the_error(self):
        self.install("#!/bin/sh\necho 'dbgmate: from /x' >&2\n"
                     "printf 'dbgmate: no type `x`\\n  try: check it\\n' >&2\nexit 1\n")
        with self.assertRaises(rpc.Error) as raised:
            self.call()
        self.assertEqual(str(raised.exception), "no type `x`\n  try: check it")

    def test_a_program_that_fails_without_words_is_an_error_too(self):
        for script, words in [("exit 3", "without an answer"), ("echo boom >&2; exit 1", "boom")]:
            self.install(f"#!/bin/sh\n{script}\n")
            with self.assertRaises(rpc.Error) as raised:
                self.call()
            self.assertIn(words, str(raised.exception))

    def test_when_there_is_neither_the_error_says_what_to_do(self):
        os.unlink(self.program)
        with self.assertRaises(rpc.Error) as raised:
            self.call()
        self.assertIn("dbgmate serve", raised.exception.next_step)
        self.assertIn("$DBGMATE", raised.exception.next_step)


class SocketPath(unittest.TestCase):
    def test_the_order_is_that_of_the_daemon(self):
        uid = os.geteuid()
        fallback = f"/tmp/dbgmate-{uid}/daemon.sock"
        with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as users:
            place = os.path.join(ours, "dbgmate", "daemon.sock")
            self.assertEqual(rpc.socket_path({"DBGMATE_SOCKET": "/x/y"}, users), "/x/y")
            self.assertEqual(rpc.socket_path({"XDG_RUNTIME_DIR": ours}, users), place)
            link = os.path.join(users, "link")
            os.symlink(ours, link)
            for not_ours in ["", "relative", "/nonexistent", "/proc/1/status", link]:
                self.assertEqual(rpc.socket_path({"XDG_RUNTIME_DIR": not_ours}, users), fallback)
            user = os.path.join(users, str(uid))
            os.mkdir(user)
            self.assertEqual(
                rpc.socket_path({}, users), os.path.join(user, "dbgmate", "daemon.sock")
            )


if __name__ == "__main__":
    unittest.main()
