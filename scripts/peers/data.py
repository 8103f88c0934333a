#!/usr/bin/env python3
"""Loading and saving bars beside Polars and pyarrow, in one run, turn by turn.

    cargo build --release -p market-data --example load_timing
    python scripts/peers/data.py target/release/examples/load_timing [--rounds 6] [--rows 2500000]
        [--json benches/record/peers.json]

Needs numpy, pyarrow 26 and polars 2.1. Writes a file with pyarrow's defaults (six columns, prices to
two decimals, snappy) and one with ours, and looks first whether every side loads from every file,
those that the others saved too, the bits that were made. Then it loads both with each side in a
process of its own, and prints each side's median over all repeats and the ratio to ours. The first load of a process is
printed apart: it pays for fresh memory. Polars' allocator keeps the memory of the load before for
the next, ours gives it back to the system: "reload" is our load into the memory of the one before.
The CSV has a million rows at most. --json keeps the medians for `redline report`."""

import argparse
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

import answers
import record

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
PEER = """
import sys, time
name, verb, file, out, repeats = sys.argv[1:6]
import polars as pl, pyarrow.parquet as pq
if verb == "csv":
    import pyarrow.csv
    work = {
        "polars": lambda: pl.read_csv(file, try_parse_dates=True),
        "pyarrow": lambda: pyarrow.csv.read_csv(file),
    }[name]
elif verb == "load":
    read = {"polars": lambda: pl.read_parquet(file), "pyarrow": lambda: pq.read_table(file)}[name]
    work = read
else:
    frame = {"polars": pl.read_parquet, "pyarrow": pq.read_table}[name](file)
    work = {
        "polars": lambda: frame.write_parquet(out, compression="snappy"),
        "pyarrow": lambda: pq.write_table(frame, out),
    }[name]
for _ in range(int(repeats)):
    start = time.perf_counter_ns()
    result = work()
    print(time.perf_counter_ns() - start)
    del result
"""


def made(path, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(1)
    close = np.maximum(np.round(100 * np.exp(np.cumsum(random.normal(0, 4e-4, rows))), 2), 0.5)
    open_ = np.r_[close[0], close[:-1]]
    reach = lambda: np.round(random.exponential(0.03, rows), 2)
    table = pa.table({
        "timestamp": (1_704_067_200 + 60 * np.arange(rows, dtype=np.int64)).astype("datetime64[s]").astype("datetime64[ns]"),
        "open": open_,
        "high": np.round(np.maximum(open_, close) + reach(), 2),
        "low": np.maximum(np.round(np.minimum(open_, close) - reach(), 2), 0.01),
        "close": close,
        "volume": np.round(random.lognormal(3, 1, rows), 3),
    })
    pq.write_table(table, path)
    return {name: table[name].to_numpy().view("i8" if name == "timestamp" else "f8") for name in COLUMNS}


def loaded(side, binary, file):
    """The columns that a side finds in a file; the times in nanoseconds."""
    is_text = file.endswith(".csv")
    if side == "redline":
        subprocess.run([binary, "columns", file, f"{file}.columns"], check=True, capture_output=True)
        values = np.fromfile(f"{file}.columns", dtype="i8").reshape(len(COLUMNS), -1)
        Path(f"{file}.columns").unlink()
        return {name: column.view("i8" if name == "timestamp" else "f8")
                for name, column in zip(COLUMNS, values)}
    if side == "polars":
        import polars as pl

        frame = pl.read_csv(file, try_parse_dates=True) if is_text else pl.read_parquet(file)
        times = frame["timestamp"].dt.cast_time_unit("ns").to_physical()
        return {"timestamp": times.to_numpy()} | {name: frame[name].to_numpy() for name in COLUMNS[1:]}
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    table = pyarrow.csv.read_csv(file) if is_text else pq.read_table(file)
    times = table["timestamp"].cast(pa.timestamp("ns", table["timestamp"].type.tz)).cast(pa.int64())
    return {"timestamp": times.to_numpy()} | {name: table[name].to_numpy() for name in COLUMNS[1:]}


def agreement(binary, files):
    """Holds what every side loads from each of `files` against what was made, bit for bit."""
    for file, made_of in files.items():
        for side in ("redline", "polars", "pyarrow"):
            found = loaded(side, binary, file)
            for name in COLUMNS:
                what = f"{Path(file).name}, {name}"
                answers.identical(what, made_of[name], found[name], side, us="the table made")
    print(f"{len(files)} files: redline, Polars and pyarrow load each column as it was made, bit for bit", flush=True)


def milliseconds(command):
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [int(line) / 1e6 for line in text.split()]


def compared(case, side, sides, first, later, rounds):
    """Rows of one peer: the later calls of a process, the first one, and ours into used memory."""
    peer = f"{side.replace('polars', 'Polars')} {version(side)}"
    of = lambda side: np.median(np.reshape(later[case, side], (rounds, -1)), axis=1)  # noqa: E731
    yield record.row(case, peer, "ms", of("redline"), of(side))
    if "reload" in sides:
        yield record.row(f"{case}, first of a process", peer, "ms", first[case, "redline"], first[case, side])
        yield record.row(f"{case}, ours into the last one's memory", peer, "ms", of("reload"), of(side))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=6, help="even, so that both ends of the turn go first as often")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rows", type=int, default=2_500_000)
    parser.add_argument("--case", help="measure only the cases whose name holds this")
    parser.add_argument("--json", type=Path, help="keep the medians here, for redline report")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        theirs, own, out = (str(Path(folder) / name) for name in ("pyarrow.parquet", "redline.parquet", "out.parquet"))
        short, text = str(Path(folder) / "short.parquet"), str(Path(folder) / "bars.csv")
        few, bars = made(short, min(options.rows, 1_000_000)), made(theirs, options.rows)
        repeats = str(options.repeats)
        peer = lambda name, verb, file: [sys.executable, "-c", PEER, name, verb, file, out, repeats]
        milliseconds([options.binary, "save", theirs, own, "1"])
        milliseconds([options.binary, "save", short, text, "1"])
        files = {theirs: bars, own: bars, text: few}
        for side in ("polars", "pyarrow"):
            file = str(Path(folder) / f"saved by {side}.parquet")
            milliseconds([sys.executable, "-c", PEER, side, "save", theirs, file, "1"])
            files[file] = bars
        agreement(options.binary, files)
        del few, bars, files
        cases = {
            "load pyarrow's file": {
                "redline": [options.binary, "load", theirs, repeats],
                "reload": [options.binary, "reload", theirs, repeats],
                "polars": peer("polars", "load", theirs),
                "pyarrow": peer("pyarrow", "load", theirs),
            },
            "load redline's file": {
                "redline": [options.binary, "load", own, repeats],
                "reload": [options.binary, "reload", own, repeats],
                "polars": peer("polars", "load", own),
                "pyarrow": peer("pyarrow", "load", own),
            },
            "load CSV": {
                "redline": [options.binary, "load", text, repeats],
                "polars": peer("polars", "csv", text),
                "pyarrow": peer("pyarrow", "csv", text),
            },
            "save with snappy": {
                "redline": [options.binary, "save", theirs, out, repeats],
                "polars": peer("polars", "save", theirs),
                "pyarrow": peer("pyarrow", "save", theirs),
            },
        }
        if options.case:
            cases = {name: sides for name, sides in cases.items() if options.case in name}
        first, later = {}, {}
        for turn in range(options.rounds):
            for case, sides in cases.items():
                for side, command in record.in_turn(turn, sides.items()):
                    times = milliseconds(command)
                    first.setdefault((case, side), []).append(times[0])
                    later.setdefault((case, side), []).extend(times[1:])
        sizes = {name: Path(path).stat().st_size for name, path in (("pyarrow", theirs), ("redline", own))}
    rows = []
    print("file sizes: " + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items()))
    print(f"{'case':<22}{'side':<10}{'first ms':>10}{'later ms':>10}{'theirs / ours: first':>22}{'later':>8}")
    for case, sides in cases.items():
        median = lambda times, side: statistics.median(times[case, side])
        for side in sides:
            row = {"case": case, "side": side, "first_ms": median(first, side), "later_ms": median(later, side)}
            ratios = [row["first_ms"] / median(first, "redline"), row["later_ms"] / median(later, "redline")]
            if side not in ("redline", "reload"):
                rows += compared(case, side, sides, first, later, options.rounds)
            print(f"{case:<22}{side:<10}{row['first_ms']:>10.1f}{row['later_ms']:>10.1f}{ratios[0]:>22.2f}{ratios[1]:>8.2f}")
    if options.json:
        record.write(options.json, __file__, rows)


if __name__ == "__main__":
    main()
