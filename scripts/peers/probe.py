#!/usr/bin/env python3
"""The probe beside its peers, in one run, turn by turn: likwid-bench for memory, a C loop for the
FMA peak, NumPy for matrix products, fio for storage.

    scripts/peers/probe.py [memory] [compute] [storage] [--rounds 8] [--seconds 0.5] [--dir DIR]
        [--json benches/record/peers.json]

Builds the probe's side with cargo (`--example peer`) and the C loop with cc. A peer that is not
installed is said to be missing. Prints the medians and ours over theirs; the memory peer is the
best of the likwid kernels that do the same work, on large pages as ours. Stops where a product or a
chain of one side is not the other's; ours looks at the arrays and files that it wrote, likwid-bench
and fio give nothing to look at. --json keeps the medians for `redline report`, each section's as a
run of its own."""

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile

import record
from record import text

HERE = os.path.dirname(os.path.abspath(__file__))

# Ours: kernel and stores. Theirs: the likwid kernels that move the same bytes, of every width that
# this processor has.
MEMORY = [
    ("read", "none", "load"),
    ("write", "regular", "store"),
    ("write", "non_temporal", "store_mem"),
    ("copy", "regular", "copy"),
    ("copy", "non_temporal", "copy_mem"),
    ("triad", "regular", "stream"),
    ("triad", "non_temporal", "stream_mem"),
]

# 2 GB over all arrays of a kernel, as likwid counts them.
MIB = {"read": 1907, "write": 1907, "copy": 953, "triad": 636}


def widths():
    """The vector extensions that likwid has kernels for and this processor has."""
    with open("/proc/cpuinfo") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), [])
    return [width for width, flag in (("sse", "sse2"), ("avx", "avx"), ("avx512", "avx512f")) if flag in flags]


# Ours takes large pages where the system grants them. glibc from 2.35 on asks for them too, and without
# this likwid-bench stores up to a tenth less here.
LARGE_PAGES = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def likwid(kernel, threads, seconds):
    # One work group of `threads` on the first domain; 2 GB over all its arrays.
    out = text(["likwid-bench", "-t", kernel, "-w", f"N:2GB:{threads}", "-s", f"{max(1, round(seconds))}"],
               env=LARGE_PAGES)
    line = next(line for line in out.splitlines() if line.startswith("MByte/s"))
    return float(line.split()[-1]) / 1000


# The matrices are those of `gemm::filled` in crates/hw-probe; every entry of the product must be
# the one in `file`, that ours wrote, within what the orders of adding of both sides may differ by:
# n u / (1 - n u) * sum |a| |b| each (N. Higham, Accuracy and Stability, section 3.1).
NUMPY = """
import sys, time, numpy as np
n, dtype, seconds, file = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
def filled(seed):
    power = np.cumprod(np.full(n * n, 6364136223846793005, dtype=np.uint64))
    steps = np.cumsum(np.r_[np.uint64(1), power[:-1]])
    state = power * np.uint64(2 * seed + 1) + np.uint64(1442695040888963407) * steps
    return ((state >> np.uint64(40)) / 2.0**23 - 1).reshape(n, n).astype(dtype)
a, b = filled(1), filled(2)
c = a @ b
nu = n * np.finfo(dtype).eps / 2
bound = 2 * nu / (1 - nu) * (np.abs(a).astype(float) @ np.abs(b).astype(float))
ours = np.fromfile(file, dtype=dtype).reshape(n, n)
wrong = np.argwhere(~(np.abs(c.astype(float) - ours) <= bound))
if len(wrong):
    at = tuple(wrong[0])
    sys.exit(f"GEMM {dtype} {n}, row {at[0]}, column {at[1]}: redline has {ours[at]}, NumPy {c[at]}: "
             "not the same answer, so no ratio is given")
del bound, ours
times, begin = [], time.perf_counter()
while len(times) < 3 or time.perf_counter() - begin < seconds:
    start = time.perf_counter(); a @ b; times.append(time.perf_counter() - start)
times.sort(); print(2e-9 * n ** 3 / times[len(times) // 2])
"""


def fio(directory, mode, block_kib, depth, seconds):
    """Rate in MB/s, requests a second and the p99 in microseconds. As the probe does: plain calls
    at depth 1, io_uring above."""
    engine = "psync" if depth == 1 else "io_uring"
    out = text([
        "fio", "--name=peer", f"--directory={directory}", "--size=512M", "--direct=1",
        f"--ioengine={engine}", f"--rw={mode}", f"--bs={block_kib}k", f"--iodepth={depth}",
        "--time_based", f"--runtime={seconds}", "--output-format=json", "--randrepeat=0",
        "--refill_buffers=0", "--lat_percentiles=1", "--clat_percentiles=0",
        "--fallocate=none", "--end_fsync=0",
    ])
    side = json.loads(out)["jobs"][0]["write" if "write" in mode else "read"]
    p99 = side["lat_ns"]["percentile"]["99.000000"] / 1000
    return side["bw_bytes"] / 1e6, side["iops"], p99


# A host may move a guest's cores: two of them then share a way to memory, or have one each, and a line takes
# several times as long from one to the other. Figures of several cores compare within one placement.
ANOTHER_WAY = 2


def taken(measure, distance):
    """A sample, and how far apart the cores were: 0 where it does not matter, nothing where they were moved."""
    if distance is None:
        return measure(), 0
    before = distance()
    sample = measure()
    after = distance()
    return sample, after if max(before, after) <= ANOTHER_WAY * min(before, after) else None


def placements(samples):
    """The samples of every side by placement: its distance in ns, and lists by side."""
    seen = [ns for side in samples.values() for _, ns in side if ns is not None]
    near = ANOTHER_WAY * min(seen, default=0)
    for is_here in (lambda ns: ns <= near, lambda ns: ns > near):
        here = [ns for ns in seen if is_here(ns)]
        if here:
            yield statistics.median(here), {
                side: [sample for sample, ns in all_of if ns is not None and is_here(ns)]
                for side, all_of in samples.items()
            }


def complete(samples, needed):
    """The placements in which every side has so many samples."""
    return [(ns, sides) for ns, sides in placements(samples) if all(len(side) >= needed for side in sides.values())]


def table(title, rows, rounds, distance=None):
    """Each row: name, unit, program, ours and a dict of theirs, all functions. Turn by turn. Gives
    the medians. With `distance`, rows of several cores are kept by placement; rounds go on until every
    side has half as many samples of one, three times as long at most."""
    kept = []
    print(f"\n{title}\n{'':<38} {'ours':>9} {'theirs':>9}  ratio  spread  peer")
    for name, unit, program, ours, theirs in rows:
        samples = {None: [], **{peer: [] for peer in theirs}}
        apart = None if name.endswith(", 1") else distance
        needed = rounds if apart is None else max(3, rounds // 2)
        for turn in range(3 * rounds):
            for peer in record.in_turn(turn, [None, *theirs]):
                samples[peer].append(taken(ours if peer is None else theirs[peer], apart))
            if turn + 1 >= rounds and complete(samples, needed):
                break
        found = complete(samples, needed)
        if not found:
            print(f"{name:<38} not available: the cores were moved too often", flush=True)
        for ns, sides in found:
            where = f"{name}, {ns:.0f} ns apart" if ns else name
            medians = {peer: statistics.median(side) for peer, side in sides.items() if peer}
            peer, mine = max(medians, key=medians.get), statistics.median(sides[None])
            spread = (max(sides[peer]) - min(sides[peer])) / medians[peer] * 100
            print(f"{where:<38} {mine:>9.1f} {medians[peer]:>9.1f}  {mine / medians[peer]:5.3f} "
                  f"{spread:5.1f} %  {peer}, {unit}", flush=True)
            # Of several kernels of one program the best is the peer.
            case = f"{where} ({peer})" if len(theirs) > 1 else where
            kept.append(record.row(case, program, unit, sides[None], sides[peer],
                                   more_is_better=unit != "us"))
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", default=["memory", "compute", "storage"])
    parser.add_argument("--rounds", type=int, default=8, help="even, so that both sides go first as often")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--dir", default=tempfile.gettempdir())
    parser.add_argument("--peer", help="the built example, instead of building it")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with NumPy")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--json", help="keep the medians here, for redline report")
    options = parser.parse_args()
    kept = {}
    if options.peer:
        os.environ["PEERS_PROBER"] = options.peer
    peer = record.prober()
    ours = lambda *words: float(text([peer, *map(str, words)]).split()[0])  # noqa: E731
    distance = lambda: ours("distance")  # noqa: E731
    seconds, cores = options.seconds, len(os.sched_getaffinity(0))
    counts = sorted({1, cores})
    wanted = lambda rows: [row for row in rows if options.only in row[0]]  # noqa: E731

    if "memory" in options.sections and available("likwid-bench"):
        program = f"likwid-bench {version(['likwid-bench', '-v'])}"
        rows = [
            (f"{kernel}, {stores}, {threads}", "GB/s", program,
             lambda k=kernel, s=stores, t=threads: ours("stream", k, s, t, MIB[k], seconds),
             {f"{name}_{width}": (lambda n=f"{name}_{width}", t=threads: likwid(n, t, seconds))
              for width in widths()})
            for threads in counts for kernel, stores, name in MEMORY
        ]
        kept["memory"] = table("memory: 2 GB over all arrays", wanted(rows), options.rounds,
                               distance if distance() else None)
    if "compute" in options.sections:
        with tempfile.TemporaryDirectory() as folder:
            rows = compute_rows(ours, folder, counts, seconds, options.python)
            kept["compute"] = table("compute", wanted(rows), options.rounds)
    if "storage" in options.sections and available("fio"):
        kept["storage"] = storage(peer, options)
    if options.json:
        for section, rows in kept.items():
            record.write(options.json, f"{__file__} {section}", rows)


def version(command):
    """The version that `command` prints: its first number with a dot."""
    return re.search(r"\d+(\.\d+)+", text(command))[0]


def gemm_rows(ours, folder, threads, seconds, python):
    """Products of the same matrices; ours is written once for NumPy's process to hold its own against."""
    program = f"NumPy {version([python, '-c', 'import numpy; print(numpy.__version__)'])}"

    def numpy(dtype, n):
        file = os.path.join(folder, f"{dtype}-{n}")
        if not os.path.exists(file):
            ours("product", dtype, threads, n, file)
        return float(text([python, "-c", NUMPY, str(n), dtype.replace("f", "float"), str(seconds), file]))

    return [
        (f"GEMM {dtype} {n}, all", "GFLOPS", program,
         lambda d=dtype, n=n: ours("gemm", d, threads, n, seconds),
         {"NumPy": lambda d=dtype, n=n: numpy(d, n)})
        for dtype in ["f64", "f32"] for n in [512, 2048]
    ]


def compute_rows(ours, folder, counts, seconds, python):
    rows = []
    if available("cc"):
        loop = os.path.join(folder, "probe_fma")
        program = f"C intrinsics, cc {version(['cc', '-dumpfullversion', '-dumpversion'])}"
        text(["cc", "-O2", "-march=native", "-pthread", os.path.join(HERE, "probe_fma.c"), "-o", loop, "-lm"])
        rows += [
            (f"FMA {dtype}, {threads}", "GFLOPS", program,
             lambda d=dtype, t=threads: ours("fma", d, t, seconds),
             {"C intrinsics": lambda d=dtype, t=threads: float(text([loop, d, str(t), str(seconds)]))})
            for dtype in ["f64", "f32"] for threads in counts
        ]
    return rows + gemm_rows(ours, folder, counts[-1], seconds, python)


def storage(peer, options):
    directory, seconds, program = options.dir, options.seconds, f"fio {version(['fio', '--version'])}"
    rates = [
        (f"{op} direct {block} KiB, depth {depth}", "MB/s", program,
         lambda o=op, b=block, d=depth: float(text([peer, o, directory, "512", str(b), str(d), str(seconds)])),
         {"fio": lambda o=op, b=block, d=depth: fio(directory, {"save": "write", "load": "read"}[o], b, d, seconds)[0]})
        for block, depth in [(1024, 1), (1024, 4), (64, 8), (4, 1)] for op in ["save", "load"]
    ]
    for depth in [1, 32]:
        random = lambda d=depth: text([peer, "randread", directory, "512", str(d), str(seconds)]).split()  # noqa: E731
        rates += [
            (f"randread 4 KiB, depth {depth}", "IOPS", program, lambda r=random: float(r()[0]),
             {"fio": lambda d=depth: fio(directory, "randread", 4, d, seconds)[1]}),
            (f"randread p99, depth {depth}", "us", program, lambda r=random: float(r()[1]),
             {"fio": lambda d=depth: fio(directory, "randread", 4, d, seconds)[2]}),
        ]
    kept = table("storage: 512 MiB file", [row for row in rates if options.only in row[0]], options.rounds)
    for name in os.listdir(directory):
        if name.startswith("peer.0."):
            os.remove(os.path.join(directory, name))
    return kept


def available(tool):
    if shutil.which(tool):
        return True
    print(f"\nnot available: {tool} is not installed")
    return False


main()
