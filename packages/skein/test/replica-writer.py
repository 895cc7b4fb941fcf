# A writer that commits as fast as it can, for tests of replicas: COUNT transactions of ROWS rows of
# BYTES bytes each, which keep what the readers check (replica-reader.py).

import sqlite3
import sys

path, count, rows, size = sys.argv[1], *map(int, sys.argv[2:])
connection = sqlite3.connect(path, timeout=10, isolation_level=None)
connection.execute("PRAGMA synchronous = OFF")
for _ in range(count):
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO t (body) VALUES (randomblob(?))", [(size,)] * rows)
    connection.execute("UPDATE counted SET n = n + ?", (rows,))
    connection.execute("COMMIT")
