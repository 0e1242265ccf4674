"""Makes the ORC files beside this script, and the values that they hold.

  python generate.py [orc-tools-uber.jar]

needs pyarrow (ORC C++), and for the file of the Java writer a Java runtime and ORC's tools. A value
stands in values.json.gz as text: integers, days and microseconds as digits, doubles as the hexadecimal
digits of their 64 bits, decimals with all digits of their scale, bytes as hexadecimal digits.
"""
import datetime, decimal, gzip, json, math, random, struct, subprocess, sys, tempfile, os
import pyarrow as pa
from pyarrow import orc

ROWS = 700
random.seed(20)
D = decimal.Decimal
EPOCH, DAY0 = datetime.datetime(1970, 1, 1), datetime.date(1970, 1, 1)


def numbers(bits, shape):
    limit = 2 ** (bits - 1) - 1
    out, last = [], 0
    for i in range(ROWS):
        if shape == "mixed":
            part = i * 7 // ROWS
            if part == 0:
                last = 5
            elif part == 1:
                last = last + 3
            elif part == 2:
                last = last - random.randrange(4)
            elif part == 3:
                last = random.randrange(-100, 100)
            elif part == 4:
                last = random.randrange(100) if random.randrange(30) else random.randrange(limit)
            elif part == 5:
                last = random.choice([limit, -limit - 1, 0, -1, 1])
            else:
                last = random.randrange(-limit, limit)
        out.append(max(-limit - 1, min(limit, last)))
    return out


def nulls(values, how):
    if how == "none":
        return values
    if how == "runs":
        return [None if (i // 97) % 3 == 1 else v for i, v in enumerate(values)]
    if how == "all":
        return [None] * len(values)
    return [None if random.random() < how else v for v in values]


def text(i):
    return random.choice(["", "a", "żółw", "日本語", "twelve bytes", "thirteen byte", "a longer string, number %d" % (i % 40)])


def moment():
    m = EPOCH + datetime.timedelta(seconds=random.randrange(-10**10, 10**10), microseconds=random.choice([0, 1, 1000, 123456, 999999, 500000]))
    return m if m >= EPOCH or m < EPOCH - datetime.timedelta(seconds=1) else EPOCH


def digits(precision, scale):
    return D(random.choice([-1, 1]) * random.randrange(10 ** random.randrange(1, precision + 1))).scaleb(-scale, decimal.Context(prec=60))


structs = pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))])
columns = {
    "id": (pa.int64(), list(range(ROWS))),
    "bool": (pa.bool_(), nulls([random.random() < 0.5 for _ in range(ROWS)], 0.1)),
    "tiny": (pa.int8(), nulls(numbers(8, "mixed"), "runs")),
    "small": (pa.int16(), nulls(numbers(16, "mixed"), 0.5)),
    "int": (pa.int32(), nulls(numbers(32, "mixed"), "none")),
    "big": (pa.int64(), nulls(numbers(64, "mixed"), 0.02)),
    "nothing": (pa.int32(), nulls(numbers(32, "mixed"), "all")),
    "real": (pa.float32(), nulls([random.choice([0.0, -0.0, 1.5, math.inf, -3.25e30]) for _ in range(ROWS)], 0.1)),
    "double": (pa.float64(), nulls([random.gauss(0, 1e6) for _ in range(ROWS)], "runs")),
    "unique": (pa.string(), nulls(["row %06d" % (i * 7919 % 100003) for i in range(ROWS)], 0.05)),
    "few": (pa.string(), nulls([text(i) for i in range(ROWS)], 0.2)),
    "bytes": (pa.binary(), nulls([bytes(random.randrange(256) for _ in range(random.randrange(9))) for _ in range(ROWS)], 0.1)),
    "date": (pa.date32(), nulls([DAY0 + datetime.timedelta(days=random.randrange(-100000, 100000)) for _ in range(ROWS)], 0.1)),
    "time": (pa.timestamp("us"), nulls([moment() for _ in range(ROWS)], 0.1)),
    "instant": (pa.timestamp("us", tz="UTC"), nulls([moment() for _ in range(ROWS)], 0.1)),
    "money": (pa.decimal128(9, 2), nulls([digits(9, 2) for _ in range(ROWS)], 0.1)),
    "short": (pa.decimal128(18, 0), nulls([digits(18, 0) for _ in range(ROWS)], "none")),
    "long": (pa.decimal128(38, 10), nulls([digits(38, 10) for _ in range(ROWS)], 0.1)),
    "list": (pa.list_(pa.int64()), nulls([[random.choice([None, 1, 2, 2**40]) for _ in range(random.randrange(4))] for _ in range(ROWS)], 0.2)),
    "map": (pa.map_(pa.string(), pa.float64()), nulls([[("k%d" % k, random.choice([None, k / 4])) for k in range(random.randrange(3))] for _ in range(ROWS)], 0.2)),
    "row": (structs, nulls([{"a": random.choice([None, i]), "b": random.choice([None, [], ["x"], ["y", None]])} for i in range(ROWS)], 0.2)),
}


def shown(v, t):
    if v is None:
        return None
    if pa.types.is_boolean(t):
        return str(v).lower()
    if pa.types.is_float32(t):
        v = struct.unpack("f", struct.pack("f", v))[0]
    if pa.types.is_floating(t):
        return "%016x" % struct.unpack(">Q", struct.pack(">d", v))[0]
    if pa.types.is_decimal(t):
        return format(v.quantize(D(1).scaleb(-t.scale), context=decimal.Context(prec=60)), "f")
    if pa.types.is_binary(t):
        return v.hex()
    if pa.types.is_date(t):
        return str((v - DAY0).days)
    if pa.types.is_timestamp(t):
        return str((v.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1))
    if pa.types.is_list(t):
        return [shown(x, t.value_type) for x in v]
    if pa.types.is_map(t):
        return [[shown(k, t.key_type), shown(x, t.item_type)] for k, x in v]
    if pa.types.is_struct(t):
        return [shown(v[f.name], f.type) for f in t]
    return str(v)


def java_form(v, t):
    """The value as ORC's converter from JSON reads it."""
    if v is None:
        return None
    if pa.types.is_timestamp(t):
        return v.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    if pa.types.is_date(t):
        return v.isoformat()
    if pa.types.is_list(t):
        return [java_form(x, t.value_type) for x in v]
    if pa.types.is_struct(t):
        return {f.name: java_form(v[f.name], f.type) for f in t}
    return v


here = os.path.dirname(os.path.abspath(__file__))
with gzip.GzipFile(os.path.join(here, "values.json.gz"), "wb", mtime=0) as out:
    out.write(json.dumps({name: [shown(v, t) for v in values] for name, (t, values) in columns.items()}).encode())

table = pa.table({name: pa.array(values, t) for name, (t, values) in columns.items()})
for name, options in {
    "cpp_none": dict(compression="uncompressed"),
    "cpp_zlib": dict(compression="zlib", bloom_filter_columns=[1, 5, 10]),
    "cpp_snappy": dict(compression="snappy", dictionary_key_size_threshold=0.5),
    "cpp_lz4": dict(compression="lz4", compression_block_size=65536),
    "cpp_zstd": dict(compression="zstd", dictionary_key_size_threshold=0.9, stripe_size=20000, batch_size=50),
    "cpp_v11": dict(compression="zlib", file_version="0.11", dictionary_key_size_threshold=0.5),
}.items():
    orc.write_table(table, os.path.join(here, name + ".orc"), row_index_stride=100, **options)

if len(sys.argv) > 1:
    wanted = {"id": "bigint", "bool": "boolean", "tiny": "tinyint", "small": "smallint", "int": "int", "big": "bigint", "nothing": "int", "unique": "varchar(40)",
              "few": "char(40)", "date": "date", "time": "timestamp", "list": "array<bigint>", "row": "struct<a:int,b:array<string>>"}
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "in.json")
        with open(source, "w") as lines:
            for i in range(ROWS):
                lines.write(json.dumps({n: java_form(columns[n][1][i], columns[n][0]) for n in wanted}) + "\n")
        schema = "struct<" + ",".join("%s:%s" % pair for pair in wanted.items()) + ">"
        subprocess.run(["java", "-Duser.timezone=America/New_York", "-Dorc.row.index.stride=1000", "-jar", sys.argv[1], "convert", "--schema", schema, "-t", "yyyy-MM-dd HH:mm:ss.SSSSSS",
                        "--overwrite", "--output", os.path.join(here, "java_new_york.orc"), source], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def moments_before_1970():
    """One row of nanoseconds in a stripe: Arrow's writer rounds what it says of them towards zero."""
    rows = [-1_500, -2_000_500_000, -1_000_000_999, -86_400_000_000_001, 1_500]
    writer = orc.ORCWriter(os.path.join(here, "cpp_before_1970.orc"), batch_size=1, stripe_size=1, bloom_filter_columns=[0])
    for nanos in rows:
        writer.write(pa.table({"at": pa.array([nanos], pa.timestamp("ns"))}))
    writer.close()


moments_before_1970()
