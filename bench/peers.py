"""The Python side of the benchmark: runs DuckDB, Polars and ORC C++, and writes Parquet files with DuckDB.

peers.py duckdb|polars --data DIR --threads N   (--s3 URL of a bucket, for DuckDB) answers queries: one JSON object a line in, one a line out
peers.py orc --data DIR --threads N             the same, reading columns of ORC files: {"path": …, "columns": […]}
peers.py parquet --columns JSON --out FILE      writes the CSV of standard input as Parquet
peers.py tpcds --scale N --out DIR              writes the TPC-DS tables as Parquet (needs DuckDB's tpcds extension)
peers.py copy --source FILE --rows N --codec NAME --out FILE     writes the first rows of a Parquet file as Parquet with
                                                DuckDB, or as ORC with ORC C++, as the name of the new file says

A query is {"sql": …}; its answer {"seconds", "cpu", "rows"} or {"error"}. A cell is null or a text whose first letter
tells its kind: i integer, d decimal, f floating point, s anything else.
"""

import argparse
import datetime
import decimal
import glob
import json
import os
import resource
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    for engine in ("duckdb", "polars", "orc"):
        command = commands.add_parser(engine)
        command.add_argument("--data", required=True)
        command.add_argument("--threads", type=int, default=2)
        command.add_argument("--s3", help="URL of a bucket that has the files; for DuckDB, with its extension httpfs")
    command = commands.add_parser("parquet")
    command.add_argument("--columns", required=True)
    command.add_argument("--out", required=True)
    command = commands.add_parser("tpcds")
    command.add_argument("--scale", required=True)
    command.add_argument("--out", required=True)
    command = commands.add_parser("copy")
    command.add_argument("--source", required=True)
    command.add_argument("--rows", type=int, required=True)
    command.add_argument("--codec", required=True)
    command.add_argument("--out", required=True)
    options = parser.parse_args()
    if options.command == "parquet":
        write_parquet(json.loads(options.columns), options.out)
    elif options.command == "tpcds":
        write_tpcds(options.scale, options.out)
    elif options.command == "copy":
        copy(options.source, options.rows, options.codec, options.out)
    else:
        engine = {"duckdb": DuckDB, "polars": Polars, "orc": ORC}[options.command](options.data, options.threads)
        if options.s3:
            engine.read_from(options.s3, options.data)
        answer(engine)


def tables(data):
    """Gives (name, path) of each table: a file or a folder of files."""
    for path in sorted(glob.glob(os.path.join(data, "*.parquet"))):
        yield os.path.basename(path)[: -len(".parquet")], path


class DuckDB:
    def __init__(self, data, threads):
        import duckdb

        self.version = "DuckDB " + duckdb.__version__
        self.connection = duckdb.connect(config={"threads": threads})
        # PostgreSQL's division of integers and its order of NULLs.
        self.connection.execute("SET integer_division = true; SET default_null_order = 'nulls_last'")
        for name, path in tables(data):
            self.connection.execute(f"CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet('{path}')")

    def read_from(self, bucket, data):
        import duckdb_extensions

        duckdb_extensions.import_extension("httpfs")
        server, bucket = bucket.removeprefix("http://").rsplit("/", 1)
        self.connection.execute("LOAD httpfs")
        self.connection.execute(
            f"""CREATE SECRET (TYPE s3, KEY_ID 'tarn', SECRET 'tarn-secret', REGION 'us-east-1', ENDPOINT '{server}',
                URL_STYLE 'path', USE_SSL false)"""
        )
        for name, _ in tables(data):
            self.connection.execute(f"CREATE OR REPLACE VIEW \"{name}\" AS SELECT * FROM read_parquet('s3://{bucket}/{name}.parquet')")
        self.version += ", httpfs"

    def run(self, sql):
        return self.connection.execute(sql).fetchall()


class Polars:
    def __init__(self, data, threads):
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        import polars

        self.version = "Polars " + polars.__version__
        self.context = polars.SQLContext({name: polars.scan_parquet(path) for name, path in tables(data)})

    def run(self, sql):
        frame = self.context.execute(sql.strip().rstrip(";"), eager=False)
        return frame.collect(engine="streaming").rows()


class ORC:
    """Reads columns of an ORC file by ORC C++ into Arrow arrays, the stripes shared out among threads."""

    def __init__(self, data, threads):
        import pyarrow

        self.version = "ORC C++ of pyarrow " + pyarrow.__version__
        self.threads = threads

    def run(self, request):
        from concurrent.futures import ThreadPoolExecutor

        from pyarrow import orc

        request = json.loads(request)

        def read(first):
            file = orc.ORCFile(request["path"])
            stripes = range(first, file.nstripes, self.threads)
            return sum(file.read_stripe(i, columns=request["columns"]).num_rows for i in stripes)

        with ThreadPoolExecutor(self.threads) as pool:
            return [[sum(pool.map(read, range(self.threads)))]]


def answer(engine):
    """Answers the queries of standard input until it ends."""
    out = sys.stdout
    print(json.dumps({"version": engine.version}), file=out, flush=True)
    for line in sys.stdin:
        sql = json.loads(line)["sql"]
        cpu, start = cpu_seconds(), time.perf_counter()
        try:
            rows = engine.run(sql)
        except BaseException as problem:  # Polars panics with what is no Exception
            print(json.dumps({"error": f"{type(problem).__name__}: {problem}"}), file=out, flush=True)
            continue
        seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
        print(json.dumps({"seconds": seconds, "cpu": cpu, "rows": [[cell(v) for v in row] for row in rows]}), file=out, flush=True)


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cell(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return "s" + str(value).lower()
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, decimal.Decimal):
        return f"d{value:f}"
    if isinstance(value, float):
        return "f" + repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time() and value.tzinfo is None:
        return "s" + value.date().isoformat() + " 00:00:00"
    if isinstance(value, (datetime.date, datetime.datetime)):
        return "s" + value.isoformat(*([" "] if isinstance(value, datetime.datetime) else []))
    return "s" + str(value)


def write_parquet(columns, out):
    import duckdb

    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns)
    duckdb.connect(config={"threads": 2}).execute(
        f"""COPY (SELECT * FROM read_csv('/dev/stdin', delim = '|', header = false, quote = '', escape = '',
            auto_detect = false, columns = {{{types}}})) TO '{out}.part' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)"""
    )
    os.rename(out + ".part", out)


def copy(source, rows, codec, out):
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    select = f"SELECT * FROM read_parquet('{source}') LIMIT {rows}"
    if out.endswith(".parquet"):
        codec = codec.replace("none", "uncompressed")
        connection.execute(f"COPY ({select}) TO '{out}.part' (FORMAT parquet, COMPRESSION {codec}, ROW_GROUP_SIZE 122880)")
    else:
        import pyarrow
        from pyarrow import orc

        # A dictionary where at most four fifths of the values differ, as ORC's Java writer does; left to itself ORC C++ makes none.
        settings = {"compression": codec.replace("none", "uncompressed"), "dictionary_key_size_threshold": 0.8}
        with orc.ORCWriter(out + ".part", **settings) as writer:
            for batch in connection.sql(select).to_arrow_reader(1 << 18):
                writer.write(pyarrow.Table.from_batches([batch]))
    os.rename(out + ".part", out)


def write_tpcds(scale, out):
    import duckdb

    connection = duckdb.connect()
    connection.execute("LOAD tpcds")
    connection.execute(f"CALL dsdgen(sf = {scale})")
    for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall():
        connection.execute(f"COPY {name} TO '{out}/{name}.parquet' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)")


if __name__ == "__main__":
    main()
