# A SQLite client that obeys JSON lines: see json-protocol.ts.

import json
import math
import sqlite3
import sys


def decode(value):
    if isinstance(value, dict):
        if "int" in value:
            return int(value["int"])
        if "real" in value:
            return float(value["real"])
        return bytes.fromhex(value["hex"])
    return value


def encode(value):
    if isinstance(value, int) and abs(value) >= 2**53:
        return {"int": str(value)}
    if isinstance(value, float) and math.isinf(value):
        return {"real": "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return value


class Client:
    connection = None

    def open(self, path, isReadOnly, busyTimeoutMs):
        # No implicit BEGIN: transactions are what the statements say.
        self.connection = sqlite3.connect(
            "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
            + ("?mode=ro" if isReadOnly else ""),
            uri=True,
            timeout=busyTimeoutMs / 1000,
            isolation_level=None,
        )
        return []

    def exec(self, sql, params):
        cursor = self.connection.execute(sql, [decode(value) for value in params])
        return [[encode(value) for value in row] for row in cursor]

    def close(self):
        self.connection.close()
        return []


def answer(client, request):
    try:
        return {"rows": getattr(client, request.pop("command"))(**request)}
    except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError) as error:
        code = getattr(error, "sqlite_errorname", "SQLITE_MISUSE")
        return {"error": {"code": code, "message": str(error)}}


def main():
    client = Client()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(client, json.loads(line))) + "\n")
        sys.stdout.flush()


main()
