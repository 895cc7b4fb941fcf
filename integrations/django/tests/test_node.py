import http.server
import json
import os
import socketserver
import tempfile
import threading
import unittest

from django.test import Client, override_settings

import skein_django
from skein_django import NoPrimaryError, NotPrimaryError, Primary, outcome_of
from skein_django.errors import OutcomeUnknownError


class Daemon:
    """Answers on app.sock in a folder with what it is told to."""

    def __init__(self, folder: str, state: object) -> None:
        self.path = os.path.join(folder, "app.sock")
        self.state = state
        daemon = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(daemon.state).encode()
                self.send_response(200 if self.path == "/v1/state" else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args) -> None:
                pass

            def address_string(self) -> str:
                return "socket"

        descriptor = os.open(folder, os.O_PATH)
        self._server = socketserver.UnixStreamServer(f"/proc/self/fd/{descriptor}/app.sock", Handler)
        os.close(descriptor)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


REPLICA = {
    "seq": 7,
    "name": "node2",
    "role": "replica",
    "epoch": 3,
    "lagMs": 12,
    "primary": {"name": "node1", "url": "http://node1:20202/", "proxyUrl": "http://node1:8000/"},
    "positions": {"db.sqlite3": {"epoch": 3, "txid": "000000000000002a"}, "gone.db": None},
}


class NodeTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        # Too long for the address of a socket.
        self.folder = os.path.join(folder, "long" * 40)
        os.mkdir(self.folder)
        settings = {"MOUNT_PATH": "/litefs", "DATA_PATH": self.folder, "DATABASE_NAME": "db.sqlite3"}
        self.enterContext(override_settings(LITEFS=settings))

    def start(self, state: object) -> Daemon:
        daemon = Daemon(self.folder, state)
        self.addCleanup(daemon.close)
        return daemon

    def test_the_state_is_what_the_daemon_says(self) -> None:
        daemon = self.start(REPLICA)
        state = skein_django.node_state()
        self.assertEqual(state.role, "replica")
        self.assertEqual(
            state.primary, Primary("node1", "http://node1:20202/", "http://node1:8000/")
        )
        self.assertEqual(state.positions, {"db.sqlite3": (3, 42)})
        self.assertFalse(skein_django.is_primary())
        daemon.state = {**REPLICA, "role": "primary", "primary": None}
        self.assertTrue(skein_django.is_primary())

    def test_a_daemon_that_is_not_there_makes_nobody_primary(self) -> None:
        self.assertEqual(skein_django.node_state().role, "no-primary")
        self.assertFalse(skein_django.is_primary())

    def test_what_is_no_state_makes_nobody_primary(self) -> None:
        for state in ({}, [], {**REPLICA, "role": "king"}, {**REPLICA, "positions": 1}):
            with self.subTest(state):
                daemon = Daemon(self.folder, state)
                try:
                    self.assertEqual(skein_django.node_state().role, "no-primary")
                finally:
                    daemon.close()
                    os.unlink(daemon.path)

    def test_balancers_are_told_who_leads(self) -> None:
        self.start(REPLICA)
        answer = Client().get("/health/primary/")
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer.json(), {"is_primary": False, "primary": "node1"})
        self.assertEqual(Client().get("/health/live/").status_code, 200)
        self.assertEqual(Client().post("/health/live/").status_code, 405)

    def test_a_node_without_primary_is_not_ready(self) -> None:
        answer = Client().get("/health/ready/")
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer.json()["reason"], "No primary is known")


class ErrorsTest(unittest.TestCase):
    def test_they_say_what_became_of_the_work(self) -> None:
        self.assertEqual(
            str(NotPrimaryError(Primary("node1", proxy_url="http://node1:8000/"))),
            "Write operation attempted on replica node (primary: node1 at http://node1:8000/)",
        )
        self.assertEqual(outcome_of(NoPrimaryError()), "not-executed")
        self.assertEqual(outcome_of(ValueError()), "failed")
        try:
            try:
                raise OutcomeUnknownError
            except OutcomeUnknownError as error:
                raise ValueError from error
        except ValueError as error:
            self.assertEqual(outcome_of(error), "unknown")
