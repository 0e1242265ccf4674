"""Makes the Parquet fixtures of this folder and, beside each, the values that it holds.

    pip install duckdb pyarrow && python generate.py

A .json file has the file's rows as text: integers, days and microseconds as digits, decimals with
their scale, floats as the hexadecimal bits of the double, bytes as hexadecimal, NULL as null, lists
and structs as arrays, maps as arrays of pairs.
"""
import datetime as dt
import decimal
import json
import os
import random
import struct
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCH = dt.datetime(1970, 1, 1)


def text(v, t):
    if v is None:
        return None
    if pa.types.is_boolean(t):
        return "true" if v else "false"
    if pa.types.is_floating(t):
        return struct.pack(">d", float(v)).hex()
    if pa.types.is_decimal(t):
        return format(v, "f")
    if pa.types.is_date(t):
        return str((v - dt.date(1970, 1, 1)).days)
    if pa.types.is_integer(t):
        return str(v)
    if pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t):
        return v.hex()
    if pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_dictionary(t):
        return v
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return [text(x, t.value_type) for x in v]
    if pa.types.is_map(t):
        return [[text(k, t.key_type), text(x, t.item_type)] for k, x in v]
    if pa.types.is_struct(t):
        return [text(v[t.field(i).name], t.field(i).type) for i in range(t.num_fields)]
    raise ValueError(t)


def column_text(column):
    t = column.type
    if pa.types.is_timestamp(t) or pa.types.is_time(t):
        per = {"s": 1_000_000, "ms": 1000, "us": 1, "ns": 1}[t.unit]
        ints = column.cast(pa.int32() if pa.types.is_time32(t) else pa.int64()).to_pylist()
        if t.unit == "ns":
            return [None if v is None else str(v // 1000) for v in ints]
        return [None if v is None else str(v * per) for v in ints]
    return [text(v, t) for v in column.to_pylist()]


def expect(name, table):
    columns = [column_text(table.column(i)) for i in range(table.num_columns)]
    with open(os.path.join(HERE, name + ".json"), "w") as f:
        json.dump({"columns": table.column_names, "rows": [list(r) for r in zip(*columns)]}, f,
                  ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def write(name, table, **options):
    pq.write_table(table, os.path.join(HERE, name + ".parquet"), **options)
    expect(name, table)


def flat_table(rng, n):
    def maybe(f):
        return [None if rng.random() < 0.15 else f() for _ in range(n)]

    words = ["", "a", "exactly12byt", "thirteen byte", "größe", "日本語テキスト", "x" * 40, "low", "card"]
    D = decimal.Decimal
    return pa.table({
        "id": pa.array(range(n), pa.int64()),
        "b": pa.array(maybe(lambda: rng.random() < 0.5), pa.bool_()),
        "i8": pa.array(maybe(lambda: rng.randint(-128, 127)), pa.int8()),
        "u8": pa.array(maybe(lambda: rng.randint(0, 255)), pa.uint8()),
        "i16": pa.array(maybe(lambda: rng.randint(-2**15, 2**15 - 1)), pa.int16()),
        "u16": pa.array(maybe(lambda: rng.randint(0, 2**16 - 1)), pa.uint16()),
        "i32": pa.array(maybe(lambda: rng.randint(-2**31, 2**31 - 1)), pa.int32()),
        "u32": pa.array(maybe(lambda: rng.randint(0, 2**32 - 1)), pa.uint32()),
        "i64": pa.array(maybe(lambda: rng.randint(-2**63, 2**63 - 1)), pa.int64()),
        "u64": pa.array(maybe(lambda: rng.randint(0, 2**64 - 1)), pa.uint64()),
        "f16": pa.array(maybe(lambda: rng.choice([0.0, -0.0, 1.5, -2.25, 65504.0, 6e-8, float("inf")])), pa.float16()),
        "f32": pa.array(maybe(lambda: rng.uniform(-1e6, 1e6)), pa.float32()),
        "f64": pa.array(maybe(lambda: rng.choice([rng.uniform(-1e9, 1e9), float("inf"), -0.0])), pa.float64()),
        "d7": pa.array(maybe(lambda: D(rng.randint(-10**7 + 1, 10**7 - 1)).scaleb(-2)), pa.decimal128(7, 2)),
        "d15": pa.array(maybe(lambda: D(rng.randint(-10**15 + 1, 10**15 - 1)).scaleb(-2)), pa.decimal128(15, 2)),
        "d38": pa.array(maybe(lambda: D(rng.randint(-10**37, 10**37)).scaleb(-10, decimal.Context(prec=50))), pa.decimal128(38, 10)),
        "s": pa.array(maybe(lambda: rng.choice(words)), pa.string()),
        "s_many": pa.array(maybe(lambda: "value %d" % rng.randint(0, 10**9)), pa.string()),
        "bin": pa.array(maybe(lambda: rng.randbytes(rng.randint(0, 20))), pa.binary()),
        "fix": pa.array(maybe(lambda: rng.randbytes(5)), pa.binary(5)),
        "date": pa.array(maybe(lambda: dt.date(1960, 1, 1) + dt.timedelta(days=rng.randint(0, 30000))), pa.date32()),
        "t_ms": pa.array(maybe(lambda: rng.randint(0, 86399999)), pa.int32()).cast(pa.time32("ms")),
        "t_us": pa.array(maybe(lambda: rng.randint(0, 86399999999)), pa.int64()).cast(pa.time64("us")),
        "t_ns": pa.array(maybe(lambda: rng.randint(0, 86399999999999)), pa.int64()).cast(pa.time64("ns")),
        "ts_ms": pa.array(maybe(lambda: rng.randint(-10**12, 10**12)), pa.int64()).cast(pa.timestamp("ms")),
        "ts_us": pa.array(maybe(lambda: rng.randint(-10**15, 10**15)), pa.int64()).cast(pa.timestamp("us")),
        "ts_ns": pa.array(maybe(lambda: rng.randint(-10**18, 10**18)), pa.int64()).cast(pa.timestamp("ns")),
        "ts_utc": pa.array(maybe(lambda: rng.randint(-10**15, 10**15)), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "all_null": pa.array([None] * n, pa.int32()),
        "no_null": pa.array([rng.choice(["x", "yy", "a longer string than twelve"]) for _ in range(n)], pa.string()),
    })


def nested_table(rng, n):
    def maybe(f, p=0.15):
        return None if rng.random() < p else f()

    ints = [maybe(lambda: [maybe(lambda: rng.randint(0, 99)) for _ in range(rng.randint(0, 4))]) for _ in range(n)]
    deep = [maybe(lambda: [maybe(lambda: [maybe(lambda: "s%d" % rng.randint(0, 99)) for _ in range(rng.randint(0, 3))])
                           for _ in range(rng.randint(0, 3))]) for _ in range(n)]
    rows = [maybe(lambda: {"a": maybe(lambda: rng.randint(0, 99)), "b": maybe(lambda: "text %d" % rng.randint(0, 9))}) for _ in range(n)]
    maps = [maybe(lambda: [("k%d" % k, maybe(lambda: rng.random())) for k in range(rng.randint(0, 3))]) for _ in range(n)]
    mixed = [maybe(lambda: [maybe(lambda: {"x": maybe(lambda: [rng.randint(0, 9) for _ in range(rng.randint(0, 2))]), "y": maybe(lambda: rng.randint(0, 9))})
                            for _ in range(rng.randint(0, 3))]) for _ in range(n)]
    return pa.table({
        "id": pa.array(range(n), pa.int64()),
        "ints": pa.array(ints, pa.list_(pa.int32())),
        "deep": pa.array(deep, pa.list_(pa.list_(pa.string()))),
        "row": pa.array(rows, pa.struct([("a", pa.int64()), ("b", pa.string())])),
        "map": pa.array(maps, pa.map_(pa.string(), pa.float64())),
        "mixed": pa.array(mixed, pa.list_(pa.struct([("x", pa.list_(pa.int16())), ("y", pa.int32())]))),
    })


def main():
    rng = random.Random(7)
    flat = flat_table(rng, 110)
    write("pyarrow_v1_snappy", flat, compression="snappy", data_page_version="1.0", row_group_size=64, data_page_size=600)
    few = flat.slice(0, 40)
    write("pyarrow_v2_zstd", few, compression="zstd", data_page_version="2.0", use_dictionary=False, data_page_size=400, write_page_checksum=True)
    write("pyarrow_decimal_int", few.select(["id", "d7", "d15"]), store_decimal_as_integer=True, compression="none")
    some = few.select(["id", "i32", "i64", "f32", "f64", "s", "fix", "b"])
    for codec in ["gzip", "brotli", "lz4", "none"]:
        pq.write_table(some, f"{HERE}/pyarrow_codec_{codec}.parquet", compression=codec, data_page_size=300)
    expect("pyarrow_codec", some)
    encodings = {"id": "DELTA_BINARY_PACKED", "i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED", "s": "DELTA_BYTE_ARRAY",
                 "s_many": "DELTA_LENGTH_BYTE_ARRAY", "f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT", "b": "RLE"}
    write("pyarrow_encodings", few.select(list(encodings)), use_dictionary=False, column_encoding=encodings, data_page_version="2.0", data_page_size=500)
    write("pyarrow_int96", few.select(["id", "ts_us"]), use_deprecated_int96_timestamps=True)
    write("pyarrow_nested", nested_table(rng, 80), compression="snappy", data_page_size=300, row_group_size=50)
    write("pyarrow_empty", flat.slice(0, 0).select(["id", "s"]))

    con = duckdb.connect()
    con.execute("""create table t as select i::bigint id, (i%7)::integer small, (i*37%1000)::decimal(9,2) d9, (i*i)::decimal(18,3) d18,
        (i*123456789::hugeint*1000000007)::decimal(38,4) d38, case when i%5=0 then null else 'name '||(i%13) end s, repeat('long', (i%5)::int) r,
        date '2020-01-01'+(i%400)::int d, timestamp '2020-01-01 00:00:00'+to_microseconds(i*1234567) ts, i%3=0 b, (i/3.0)::double f,
        case when i%4=0 then null else [i, i+1, null] end l, {'p': i, 'q': 'z'||i} st
        from range(120) r(i)""")
    con.execute(f"copy t to '{HERE}/duckdb.parquet' (format parquet, compression zstd, row_group_size 2048)")
    expect("duckdb", con.execute("select * from t").to_arrow_table())
    con.execute(f"copy (select uuid() u, interval (i) month v from range(20) r(i)) to '{HERE}/duckdb_uuid.parquet' (format parquet)")
    rows = con.execute(f"select u::varchar, datepart('month', v) + 12*datepart('year', v) from '{HERE}/duckdb_uuid.parquet'").fetchall()
    with open(f"{HERE}/duckdb_uuid.json", "w") as f:
        json.dump({"columns": ["u", "v"], "rows": [[uuid.UUID(u).hex, "%d months" % m] for u, m in rows]}, f)
        f.write("\n")


main()
