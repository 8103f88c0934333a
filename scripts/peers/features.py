#!/usr/bin/env python3
"""TA-Lib and Polars beside redline's features, interleaved in one run, one thread each unless said.

    cargo build --release -p features --example feature_timing
    python scripts/peers/features.py target/release/examples/feature_timing [--alpha]
        [--json benches/record/peers.json]

Needs numpy, TA-Lib 0.8 and, with --alpha, polars 2.1. Each round keeps the best of its calls; prints
the medians of the rounds and their ratios. --json keeps them for `redline report`."""

import argparse
import subprocess
import tempfile
import time

import numpy as np

import record

ROWS, ROUNDS = 525_600, 5
random = np.random.default_rng(1)
c = np.round(10_000 * np.exp(np.cumsum(random.normal(0, 0.0005, ROWS))), 2)
o = np.r_[c[0], c[:-1]]
h = np.maximum(o, c) + np.round(random.exponential(3, ROWS), 2)
l = np.minimum(o, c) - np.round(random.exponential(3, ROWS), 2)
v = np.round(random.lognormal(3, 1, ROWS), 3)


def note(known, name, seconds):
    """A round's time, in milliseconds."""
    known.setdefault(name, []).append(seconds * 1e3)


def clock(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ours(binary, file, feature_set, threads, known):
    command = [binary, file, feature_set, "3", str(threads)]
    for line in subprocess.check_output(command, text=True).splitlines():
        name, nanoseconds = line.split()
        note(known, f"{name}@{threads}", int(nanoseconds) / 1e9)


def classic(binary, file):
    import talib as t

    calls = {
        "sma": lambda: t.SMA(c, 20), "ema": lambda: t.EMA(c, 12), "rsi": lambda: t.RSI(c, 14),
        "atr": lambda: t.ATR(h, l, c, 14), "bbands": lambda: t.BBANDS(c, 20, 2, 2),
        "macd": lambda: t.MACD(c, 12, 26, 9), "stoch": lambda: t.STOCH(h, l, c, 14, 3, 0, 3, 0),
        "adx": lambda: t.ADX(h, l, c, 14), "cci": lambda: t.CCI(h, l, c, 20),
        "mfi": lambda: t.MFI(h, l, c, v, 14), "obv": lambda: t.OBV(c, v),
        "roc": lambda: t.ROC(c, 10), "stddev": lambda: t.STDDEV(c, 20),
        "max": lambda: t.MAX(c, 20), "min": lambda: t.MIN(c, 20),
        "willr": lambda: t.WILLR(h, l, c, 14), "linearreg_slope": lambda: t.LINEARREG_SLOPE(c, 20),
        "correl": lambda: t.CORREL(h, l, 20), "wma": lambda: t.WMA(c, 20),
        "aroon": lambda: t.AROON(h, l, 25),
    }
    peer, mine = {}, {}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            note(peer, name, min(clock(call) for _ in range(3)))
        kept = []
        note(peer, "kept", clock(lambda: kept.extend(call() for call in calls.values())))
        ours(binary, file, "classic", 1, mine)
        ours(binary, file, "classic", 2, mine)
    row = lambda name, a, b: record.row(name, f"TA-Lib {t.__version__}", "ms", b, a)  # noqa: E731
    rows = [row(name, peer[name], mine[f"{name}@1"]) for name in calls]
    total = np.sum([peer[name] for name in calls], axis=0)
    cases = "classic/reused@1", "classic/fresh@1", "classic/reused@2", "classic/fresh@2"
    rows += [row(f"all 20: {case}", total, mine[case]) for case in cases]
    rows.append(row("all 20, every column kept: classic/fresh@1", peer["kept"], mine["classic/fresh@1"]))
    return rows


def alpha(binary, file):
    import polars as pl

    frame = pl.DataFrame({"o": o, "h": h, "l": l, "c": c, "v": v})
    C, H, L, V = (pl.col(x) for x in "chlv")
    last, vlast = C.shift(1), V.shift(1)
    move = ((C / last - 1).abs() * V)
    e = []
    for d in (5, 10, 20, 30, 60):
        mean = lambda x: x.rolling_mean(d, min_samples=1)
        total = lambda x: x.rolling_sum(d, min_samples=1)
        std = lambda x: x.rolling_std(d, min_samples=1)
        high, low = H.rolling_max(d, min_samples=1), L.rolling_min(d, min_samples=1)
        moved, vmoved = total((C - last).abs()) + 1e-12, total((V - vlast).abs()) + 1e-12
        up, down = (C > last).cast(pl.Float64), (C < last).cast(pl.Float64)
        corr = lambda a, b: pl.rolling_corr(a, b, window_size=d, min_samples=2)
        e += [C.shift(d) / C, mean(C) / C, std(C) / C, high / C, low / C,
              C.rolling_quantile(0.8, "linear", window_size=d, min_samples=1) / C,
              C.rolling_quantile(0.2, "linear", window_size=d, min_samples=1) / C,
              (C - low) / (high - low + 1e-12), corr(C, (V + 1).log()),
              corr(C / last, (V / vlast + 1).log()), mean(up), mean(down), mean(up) - mean(down),
              total((C - last).clip(0)) / moved, total((last - C).clip(0)) / moved,
              (total((C - last).clip(0)) - total((last - C).clip(0))) / moved,
              mean(V) / (V + 1e-12), std(V) / (V + 1e-12), std(move) / (mean(move) + 1e-12),
              total((V - vlast).clip(0)) / vmoved, total((vlast - V).clip(0)) / vmoved,
              (total((V - vlast).clip(0)) - total((vlast - V).clip(0))) / vmoved]
    e = [x.alias(f"f{k}") for k, x in enumerate(e)]
    peer, mine = {}, {}
    for _ in range(3):
        note(peer, "polars", clock(lambda: frame.lazy().select(e).collect()))
        ours(binary, file, "alpha158", 2, mine)
    case = f"alpha158, 158 columns against {len(e)}"
    kept = record.row(case, f"Polars {pl.__version__}", "ms", mine["alpha158/fresh@2"], peer["polars"])
    print(f"{ROWS / kept['ours'] / 1e3:.2f} M rows/s on 2 threads")
    return [kept]


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("binary")
parser.add_argument("--alpha", action="store_true", help="the 158 columns beside Polars")
parser.add_argument("--json", help="keep the ratios here, for redline report")
options = parser.parse_args()
with tempfile.NamedTemporaryFile() as bars:
    np.concatenate([o, h, l, c, v]).tofile(bars.name)
    measured = (alpha if options.alpha else classic)(options.binary, bars.name)
print(record.markdown(measured))
if options.json:
    record.write(options.json, f"{__file__} --alpha" if options.alpha else __file__, measured)
