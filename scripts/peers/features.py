#!/usr/bin/env python3
"""TA-Lib and Polars beside redline's features, interleaved in one run, one thread each unless said.

    cargo build --release -p features --example feature_timing
    python scripts/peers/features.py target/release/examples/feature_timing [--alpha] [--rounds 6]
        [--json benches/record/peers.json]

Needs numpy, TA-Lib 0.8 and, with --alpha, polars 2.1. Compares every column of both sides first, and
stops where one differs. Each round keeps the best of its calls; prints the medians of the rounds and
their ratios. --json keeps them for `redline report`."""

import argparse
import os
import subprocess
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np

import answers
import record

ROWS = 525_600
WINDOWS = (5, 10, 20, 30, 60)
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


def our_columns(binary, file, feature_set):
    """Every column of a set by its name, of both threads as the timed runs have them."""
    environment = {**os.environ, "CHECK": "1", "WHOLE": "1"}
    subprocess.check_output([binary, file, feature_set, "1", "2"], env=environment)
    names = Path(f"{file}.names").read_text().split("\n")
    return dict(zip(names, np.fromfile(f"{file}.out").reshape(len(names), ROWS), strict=True))


def column_agrees(name, mine, theirs, peer, first, compared=None, tolerance=answers.TOLERANCE):
    """The largest difference of one column from row `first` on, in the rows of `compared`.

    Relative to the value; where that is below the column's usual magnitude, to that magnitude: a
    difference of averages or a slope that passes through 0 has no more digits than its terms."""
    rows = np.arange(first, ROWS)
    rows = rows if compared is None else rows[compared[first:]]
    mine, theirs = mine[rows], theirs[rows]
    usual = np.nanmedian(np.abs(theirs))
    label = lambda at: f"row {rows[at]}"  # noqa: E731
    return answers.close(name, mine, theirs, peer, near_zero=usual, tolerance=tolerance,
                         label=label)


def talib_calls():
    import talib as t

    return {
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


def flows_decided():
    """Rows whose last 14 typical prices all differ from the one before, in whole cents.

    The money flow index asks which way the typical price went. Where it stood still, (h + l + c) / 3
    in floating point moves by a last bit, or does not, by the order of the adding: either answer is
    rounding's, and the rows that look back on one are not compared."""
    cents = sum(np.rint(100 * price).astype(np.int64) for price in (h, l, c))
    still = np.r_[0, (np.diff(cents) == 0).astype(int)]
    return np.convolve(still, np.ones(14, dtype=int))[:ROWS] == 0


def classic_agrees(binary, file, calls, peer):
    """Holds every column of the classic set against TA-Lib's, after both warm-ups."""
    mine = our_columns(binary, file, "classic")
    names, worst, left_out = iter(mine), (0.0, "-"), 0
    for indicator, call in calls.items():
        outputs = call()
        for theirs in outputs if isinstance(outputs, (tuple, list)) else [outputs]:
            name = next(names)
            assert name.startswith(indicator), f"{name} stands where {indicator} should"
            first = max(int(np.argmin(np.isnan(side))) for side in (mine[name], theirs))
            compared = flows_decided() if indicator == "mfi" else None
            left_out += 0 if compared is None else np.count_nonzero(~compared[first:])
            worst = max(worst, (column_agrees(name, mine[name], theirs, peer, first, compared), name))
    assert next(names, None) is None, "a column that TA-Lib does not compute"
    print(f"{len(mine)} columns agree with {peer} to {answers.TOLERANCE:g}, largest difference "
          f"{worst[0]:.1e} ({worst[1]}); {left_out} rows of mfi look back on a tie: not compared")


def classic(binary, file, rounds):
    import talib

    calls, program = talib_calls(), f"TA-Lib {talib.__version__}"
    classic_agrees(binary, file, calls, program)
    peer, mine = {}, {}

    def theirs():
        for name, call in calls.items():
            note(peer, name, min(clock(call) for _ in range(3)))
        kept = []
        note(peer, "kept", clock(lambda: kept.extend(call() for call in calls.values())))

    def redline():
        ours(binary, file, "classic", 1, mine)
        ours(binary, file, "classic", 2, mine)

    for turn in range(rounds):
        for side in record.in_turn(turn, [theirs, redline]):
            side()
    row = lambda name, a, b: record.row(name, program, "ms", b, a)  # noqa: E731
    rows = [row(name, peer[name], mine[f"{name}@1"]) for name in calls]
    total = np.sum([peer[name] for name in calls], axis=0)
    cases = "classic/reused@1", "classic/fresh@1", "classic/reused@2", "classic/fresh@2"
    rows += [row(f"all 20: {case}", total, mine[case]) for case in cases]
    rows.append(row("all 20, every column kept: classic/fresh@1", peer["kept"], mine["classic/fresh@1"]))
    return rows


def polars_columns():
    """Those of alpha158 that are stated here in Polars, by their names there: all but regressions, ranks,
    places of extremes and the features of one bar."""
    import polars as pl

    C, H, L, V = (pl.col(x) for x in "chlv")
    last, vlast = C.shift(1), V.shift(1)
    move = ((C / last - 1).abs() * V)
    e = {}
    for d in WINDOWS:
        mean = lambda x: x.rolling_mean(d, min_samples=1)
        total = lambda x: x.rolling_sum(d, min_samples=1)
        std = lambda x: x.rolling_std(d, min_samples=1)
        high, low = H.rolling_max(d, min_samples=1), L.rolling_min(d, min_samples=1)
        moved, vmoved = total((C - last).abs()) + 1e-12, total((V - vlast).abs()) + 1e-12
        up, down = (C > last).cast(pl.Float64), (C < last).cast(pl.Float64)
        corr = lambda a, b: pl.rolling_corr(a, b, window_size=d, min_samples=2)
        quantile = lambda q: C.rolling_quantile(q, "linear", window_size=d, min_samples=1)
        columns = {
            "ROC": C.shift(d) / C, "MA": mean(C) / C, "STD": std(C) / C, "MAX": high / C, "MIN": low / C,
            "QTLU": quantile(0.8) / C, "QTLD": quantile(0.2) / C,
            "RSV": (C - low) / (high - low + 1e-12), "CORR": corr(C, (V + 1).log()),
            "CORD": corr(C / last, (V / vlast + 1).log()),
            "CNTP": mean(up), "CNTN": mean(down), "CNTD": mean(up) - mean(down),
            "SUMP": total((C - last).clip(0)) / moved, "SUMN": total((last - C).clip(0)) / moved,
            "SUMD": (total((C - last).clip(0)) - total((last - C).clip(0))) / moved,
            "VMA": mean(V) / (V + 1e-12), "VSTD": std(V) / (V + 1e-12),
            "WVMA": std(move) / (mean(move) + 1e-12),
            "VSUMP": total((V - vlast).clip(0)) / vmoved, "VSUMN": total((vlast - V).clip(0)) / vmoved,
            "VSUMD": (total((V - vlast).clip(0)) - total((vlast - V).clip(0))) / vmoved,
        }
        e |= {f"{name}{d}": column.alias(f"{name}{d}") for name, column in columns.items()}
    return e


def shared_set(names):
    """The text of a set of ours with the columns of alpha158 in `names` alone."""
    every = tomllib.loads((record.ROOT / "crates/features/sets/alpha158.toml").read_text())["feature"]
    entry = '[[feature]]\nname = "{name}"\nindicator = "{indicator}"\nparams = {{ window = {window} }}\n'
    shared = [entry.format(**each, window=each["params"]["window"]) for each in every if each["name"] in names]
    assert len(shared) == len(names), "a column that alpha158 does not have"
    return 'name = "shared"\n' + "".join(shared)


def alpha_agrees(mine, theirs, peer):
    """Holds every shared column against Polars', from the first row on that fills all windows.

    Before it the two define differently what a bar without one before it counts as. Qlib has no
    correlation of a series whose deviation is at most 2e-5, and so have we: those rows must be NaN
    here, and are not compared. A correlation's last digits go with (mean / deviation)^2: near that
    bound to 1e-8."""
    worst = (0.0, "-")
    first = max(WINDOWS)
    ratio = np.r_[np.nan, c[1:] / c[:-1]]
    for name in theirs.columns:
        compared, column = None, theirs[name].to_numpy()
        if name.startswith("CORD"):
            windows = np.lib.stride_tricks.sliding_window_view(ratio, int(name[4:]))
            compared = np.r_[np.zeros(ROWS - len(windows), dtype=bool), windows.std(axis=1, ddof=1) > 2e-5]
            wrong = np.flatnonzero(np.isnan(mine[name][first:]) == compared[first:])
            if wrong.size:
                row = first + wrong[0]
                answers.refuse(f"{name}, row {row}", mine[name][row], column[row], peer)
        tolerance = 1e-8 if name.startswith("COR") else answers.TOLERANCE
        worst = max(worst, (column_agrees(name, mine[name], column, peer, first, compared, tolerance), name))
    print(f"{theirs.width} columns agree with {peer} to {answers.TOLERANCE:g}, correlations to 1e-8; "
          f"largest difference {worst[0]:.1e} ({worst[1]})")


def alpha(binary, file, rounds):
    import polars as pl

    frame, expressions = pl.DataFrame({"o": o, "h": h, "l": l, "c": c, "v": v}), polars_columns()
    program = f"Polars {pl.__version__}"
    shared = f"{file}.toml"
    Path(shared).write_text(shared_set(expressions))
    compute = lambda: frame.lazy().select(list(expressions.values())).collect()  # noqa: E731
    alpha_agrees(our_columns(binary, file, shared), compute(), program)
    peer, mine = {}, {}
    sides = [
        lambda: note(peer, "polars", clock(compute)),
        lambda: ours(binary, file, shared, 2, mine),
        lambda: ours(binary, file, "alpha158", 2, mine),
    ]
    for turn in range(rounds):
        for side in record.in_turn(turn, sides):
            side()
    count = len(expressions)
    row = lambda case, name: record.row(case, program, "ms", mine[f"{name}/fresh@2"], peer["polars"])  # noqa: E731
    every = row(f"alpha158, our 158 columns against {count} of them", "alpha158")
    print(f"{ROWS / every['ours'] / 1e3:.2f} M rows/s on 2 threads")
    return [row(f"alpha158, the {count} columns that both compute", "shared"), every]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--alpha", action="store_true", help="alpha158 beside Polars")
    parser.add_argument("--rounds", type=int, help="6, or 4 with --alpha; even, so that both sides go first as often")
    parser.add_argument("--json", help="keep the ratios here, for redline report")
    options = parser.parse_args()
    rounds = options.rounds or (4 if options.alpha else 6)
    with tempfile.TemporaryDirectory() as folder:
        bars = str(Path(folder) / "bars")
        np.concatenate([o, h, l, c, v]).tofile(bars)
        measured = (alpha if options.alpha else classic)(options.binary, bars, rounds)
    print(record.markdown(measured))
    if options.json:
        record.write(options.json, f"{__file__} --alpha" if options.alpha else __file__, measured)


if __name__ == "__main__":
    main()
