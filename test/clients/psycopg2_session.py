"""A session of psycopg 2: simple protocol, named cursors, COPY, errors, cancel."""
import io
import sys
import threading
import time

import psycopg2
import psycopg2.extensions

conn = psycopg2.connect(host=sys.argv[1], port=sys.argv[2], user="ana", dbname="tarn")
cur = conn.cursor()
cur.execute("DROP TABLE IF EXISTS client_psycopg2")
cur.execute("CREATE TABLE client_psycopg2 (id int, note text, amount numeric(10,2), at timestamp, ok boolean, tags text[])")
conn.commit()

cur.execute("INSERT INTO client_psycopg2 VALUES (%s, %s, %s, %s, %s, %s)",
            (1, "it's é", "1.50", "2018-08-01 04:00:00", True, ["a", "b c", None]))
cur.copy_expert("COPY client_psycopg2 (id, note) FROM STDIN WITH (FORMAT csv)", io.StringIO("2,two\n3,\n"))
conn.commit()
cur.execute("SELECT id, note, amount, at, ok, tags FROM client_psycopg2 ORDER BY id")
rows = cur.fetchall()
assert str(rows[0][2]) == "1.50" and rows[0][1] == "it's é" and rows[0][4] is True, rows
assert rows[0][3].isoformat() == "2018-08-01T04:00:00" and rows[0][5] == ["a", "b c", None], rows
assert rows[2][1] is None, rows
conn.commit()

cur.execute("SELECT table_name FROM information_schema.tables WHERE table_name = %s", ("client_psycopg2",))
assert cur.fetchall() == [("client_psycopg2",)]
conn.commit()

out = io.StringIO()
cur.copy_expert("COPY (SELECT id, note FROM client_psycopg2 ORDER BY id) TO STDOUT", out)
assert out.getvalue() == "1\tit's é\n2\ttwo\n3\t\\N\n", out.getvalue()

with conn.cursor("named") as named:
    named.itersize = 100
    named.execute("SELECT i FROM generate_series(1, 1000) g(i)")
    assert sum(row[0] for row in named) == 500500
conn.commit()

try:
    cur.execute("SELECT nope FROM client_psycopg2")
    raise SystemExit("no error")
except psycopg2.errors.UndefinedColumn as e:
    assert e.diag.statement_position == "8", e.diag.statement_position
assert conn.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_INERROR
try:
    cur.execute("SELECT 1")
    raise SystemExit("no error")
except psycopg2.errors.InFailedSqlTransaction:
    pass
conn.rollback()

threading.Timer(0.3, conn.cancel).start()
started = time.time()
try:
    cur.execute("SELECT count(*) FROM generate_series(1, 100000) a(i), generate_series(1, 100000) b(i)")
    raise SystemExit("not cancelled")
except psycopg2.errors.QueryCanceled:
    assert time.time() - started < 2
conn.rollback()

conn.set_session(isolation_level="SERIALIZABLE", readonly=True)
cur.execute("SELECT 1")
try:
    cur.execute("INSERT INTO client_psycopg2 (id) VALUES (9)")
    raise SystemExit("no error")
except psycopg2.errors.ReadOnlySqlTransaction:
    conn.rollback()
conn.set_session(readonly=False, autocommit=True)
cur.execute("DROP TABLE client_psycopg2")
conn.reset()
conn.close()
