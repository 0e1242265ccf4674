"""Prints the rows of an ORC file as ORC C++ (pyarrow) sees them, in the form of Dump.java."""
import datetime, json, struct, sys
import pyarrow as pa
from pyarrow import orc


def shown(v, t):
    if v is None:
        return None
    if pa.types.is_boolean(t):
        return str(v).lower()
    if pa.types.is_floating(t):
        return "nan" if v != v else "%016x" % struct.unpack(">Q", struct.pack(">d", v))[0]
    if pa.types.is_decimal(t):
        return format(v, "f")
    if pa.types.is_binary(t):
        return v.hex()
    if pa.types.is_list(t):
        return [shown(x, t.value_type) for x in v]
    if pa.types.is_map(t):
        return [[shown(k, t.key_type), shown(x, t.item_type)] for k, x in v]
    if pa.types.is_struct(t):
        return [shown(v[f.name], f.type) for f in t]
    return str(v)


def plain(a):
    """Days and nanoseconds as integers, which Python's own types could not hold."""
    t = a.type
    if pa.types.is_date32(t):
        return a.cast(pa.int32())
    if pa.types.is_timestamp(t):
        return pa.array([None if v is None else v // 1000 for v in a.cast(pa.int64()).to_pylist()], pa.int64())
    return a


with orc.ORCFile(sys.argv[1]) if hasattr(orc.ORCFile, "__enter__") else open(sys.argv[1], "rb") as source:
    file = source if isinstance(source, orc.ORCFile) else orc.ORCFile(source)
    for stripe in range(file.nstripes):
        batch = file.read_stripe(stripe)
        columns = [plain(c) for c in batch.columns]
        values = [[shown(v, c.type) for v in c.to_pylist()] for c in columns]
        for row in zip(*values):
            print(json.dumps(row, ensure_ascii=False))
