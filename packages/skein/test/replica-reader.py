# A reader that never rests, for tests of replicas: reads one invariant in one transaction after the
# other until its input ends, and prints what it saw as JSON.
#
# Every transaction of the writer enters a row in t and counts it in n: a reader that sees another
# number of rows than n says sees no state that ever was, and n never goes back. With "reopen" each
# transaction has a connection of its own: first to open, last to close.

import json
import os
import select
import sqlite3
import sys

path, mode = sys.argv[1:]
reads = 0
last = 0
errors = []


def connect():
    return sqlite3.connect("file:" + path, uri=True, timeout=0, isolation_level=None)


def is_over():
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and os.read(0, 1) == b""


print("reading", flush=True)
connection = connect()
while not is_over():
    try:
        if mode == "reopen":
            connection.close()
            connection = connect()
        rows, said = connection.execute("SELECT (SELECT count(*) FROM t), n FROM counted").fetchone()
        if rows != said:
            errors.append("%d rows, said to be %d" % (rows, said))
        if said < last:
            errors.append("back from %d to %d" % (last, said))
        last = said
        reads += 1
    except sqlite3.Error as error:
        errors.append(str(error))
    if len(errors) > 10:
        break
print(json.dumps({"reads": reads, "last": last, "errors": errors}), flush=True)
