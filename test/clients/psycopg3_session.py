"""A session of psycopg 3: extended protocol, prepared statements, pipelines, binary, cursors, COPY, cancel."""
import datetime
import decimal
import sys
import threading
import time

import psycopg

url = f"host={sys.argv[1]} port={sys.argv[2]} user=ana dbname=tarn"
with psycopg.connect(url) as conn:
    conn.execute("DROP TABLE IF EXISTS client_psycopg3")
    conn.execute("CREATE TABLE client_psycopg3 (id int, note text, amount numeric(10,2), at timestamptz, day date, tags int[])")
    conn.commit()
    row = (1, "é", decimal.Decimal("1.50"), datetime.datetime(2018, 8, 1, 4, tzinfo=datetime.timezone.utc), datetime.date(2018, 8, 1), [1, 2])
    conn.execute("INSERT INTO client_psycopg3 VALUES (%s, %s, %s, %s, %s, %s)", row)
    with conn.cursor().copy("COPY client_psycopg3 (id, note) FROM STDIN") as copy:
        for i in range(2, 1002):
            copy.write_row((i, f"row {i}"))
    conn.commit()

    for binary in (False, True):
        got = conn.cursor(binary=binary).execute("SELECT * FROM client_psycopg3 WHERE id = %s", (1,)).fetchone()
        assert got == row, got
    for i in range(8):  # prepared from the sixth time on
        assert conn.execute("SELECT note FROM client_psycopg3 WHERE id = %s", (i + 2,)).fetchone() == (f"row {i + 2}",)
    conn.execute("SELECT note FROM client_psycopg3 WHERE id = %s", (5,), prepare=True)

    with conn.pipeline():
        a = conn.execute("SELECT count(*) FROM client_psycopg3")
        b = conn.execute("SELECT %s::text", ("x",))
        assert a.fetchone() == (1001,) and b.fetchone() == ("x",)

    names = conn.execute("SELECT table_name FROM information_schema.tables WHERE table_name = %s", ("client_psycopg3",)).fetchall()
    assert names == [("client_psycopg3",)], names
    conn.commit()

    with conn.cursor("server_side") as cur:
        cur.execute("SELECT id FROM client_psycopg3 WHERE id > %s ORDER BY id", (10,))
        assert cur.fetchone() == (11,)
        assert len(cur.fetchmany(100)) == 100
        assert len(cur.fetchall()) == 890
    with conn.cursor("scrolling", scrollable=True) as cur:
        cur.execute("SELECT i FROM generate_series(1, 50) g(i)")
        cur.scroll(20)
        assert cur.fetchone() == (21,)
        cur.scroll(0, mode="absolute")
        assert cur.fetchone() == (1,)
    conn.commit()

    with conn.cursor().copy("COPY (SELECT id, note FROM client_psycopg3 WHERE id < 4 ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int4", "text"])
        assert list(copy.rows()) == [(1, "é"), (2, "row 2"), (3, "row 3")]

    try:
        conn.execute("SELECT 1/0")
        raise SystemExit("no error")
    except psycopg.errors.DivisionByZero:
        pass
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    conn.rollback()
    with conn.transaction():
        conn.execute("INSERT INTO client_psycopg3 (id) VALUES (5000)")
        try:
            with conn.transaction():  # a savepoint
                conn.execute("INSERT INTO client_psycopg3 (id) VALUES (5001)")
                conn.execute("SELECT nope")
        except psycopg.errors.UndefinedColumn:
            pass
    assert conn.execute("SELECT count(*) FROM client_psycopg3 WHERE id >= 5000").fetchone() == (1,)
    conn.commit()

    threading.Timer(0.3, conn.cancel).start()
    started = time.time()
    try:
        conn.execute("SELECT count(*) FROM generate_series(1, 100000) a(i), generate_series(1, 100000) b(i)")
        raise SystemExit("not cancelled")
    except psycopg.errors.QueryCanceled:
        assert time.time() - started < 2
    conn.rollback()
    conn.execute("DROP TABLE client_psycopg3")
