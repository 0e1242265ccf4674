"""Reads what Tarn wrote to S3 and writes what Tarn will read. usage: peers.py ENDPOINT ACCESS SECRET"""
import datetime
import os
import sys

os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"  # the server does not understand this client's trailers

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector, S3FileSystem

endpoint, access, secret = sys.argv[1:]
fs = S3FileSystem(access_key=access, secret_key=secret, region="us-east-1", scheme="http", endpoint_override=endpoint.removeprefix("http://"))

table = ds.dataset("lake/warehouse/public/t", filesystem=fs, format="parquet", partitioning="hive").to_table()
print("table", table.num_rows, pc.sum(table["id"]).as_py(), pc.count_distinct(table["ds"]).as_py(), pc.max(table["name"]).as_py())
single = pq.read_table("lake/out/one.parquet", filesystem=fs)
print("file", single.num_rows, pc.sum(single["id"]).as_py())
with fs.open_input_stream("lake/out/one.csv") as stream:
    csv = pyarrow.csv.read_csv(stream)
print("csv", csv.num_rows, pc.sum(csv["id"]).as_py())
large = pq.read_table("lake/out/large.parquet", filesystem=fs)
print("large", large.num_rows, pc.sum(large["a"]).as_py())
print("uploads", len([f for f in fs.get_file_info(FileSelector("lake/out", recursive=True)) if f.is_file]))

n = 10_000
made = pa.table({
    "id": pa.array(range(n), pa.int64()),
    "amount": pa.array([None if i % 7 == 0 else i / 4 for i in range(n)], pa.float64()),
    "name": pa.array([f"näme {i}" for i in range(n)]),
    "at": pa.array([datetime.datetime(1969, 12, 31) + datetime.timedelta(hours=i) for i in range(n)], pa.timestamp("us")),
    "day": pa.array([datetime.date(2021, 1, 1 + i % 4) for i in range(n)]),
})
ds.write_dataset(made, "lake/peer/set", filesystem=fs, format="parquet", partitioning=ds.partitioning(pa.schema([("day", pa.date32())]), flavor="hive"))
with fs.open_output_stream("lake/peer/made.csv") as out:
    pyarrow.csv.write_csv(made, out)
pq.write_table(pa.concat_tables([made] * 15), "lake/peer/large.parquet", filesystem=fs, compression="none", use_dictionary=False)
