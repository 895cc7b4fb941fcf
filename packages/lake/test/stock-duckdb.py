# A stock DuckDB with its own DuckLake, read-only on the catalog of another node, while the lake
# writes: stock-duckdb.py CATALOG DATA DUCKLAKE SQLITE_SCANNER ROWS. Prints what it counts each time
# until it counts ROWS, then what the first version and a table of before had.

import sys
import time

import duckdb

catalog, data, ducklake, sqlite_scanner, rows = sys.argv[1:]
connection = duckdb.connect(":memory:")
connection.execute(f"LOAD '{ducklake}'")
connection.execute(f"LOAD '{sqlite_scanner}'")
# As docs/lake-operations.md says for readers beside a lake that writes.
connection.execute("SET GLOBAL sqlite_disable_multithreaded_scans = true")
connection.execute(f"ATTACH 'ducklake:sqlite:{catalog}' AS lake (READ_ONLY)")
count = 0
while count < int(rows):
    count, whole = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE n <> 2) FROM "
        "(SELECT id, count(*) AS n FROM lake.public.t GROUP BY id)"
    ).fetchone()
    print("counted", count, whole, flush=True)
    time.sleep(0.02)
first = connection.execute("SELECT count(*) FROM lake.public.t AT (VERSION => %s)" % sys.stdin.readline().strip())
print("first", first.fetchone()[0], flush=True)
