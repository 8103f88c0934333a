"""redline beside VectorBT 1.2.0 (with its Rust engine) on one file, in one run.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    cargo build --release
    .venv/bin/python scripts/peers/vectorbt_side_by_side.py --data year.parquet [--json FILE]

Checks that both sides computed the same thing, then prints times and their ratio: the moving
average crossover 20/50 with fees and slippage, over the file and over 1,260 daily bars, from prices
to total return and to all statistics, its simulation alone, and 105 pairs of windows. Runs
alternate; medians are printed. Both sides are warm, except for the pairs: there each is a process
of its own, VectorBT's with its code compiled before. Medians are kept for `redline report` with
--json benches/record/peers.json.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.generic.nb import crossed_above_nb

import record

warnings.filterwarnings("ignore")
# Low enough that the fastest pair, with 50,000 orders, keeps some of its cash.
FEES, SLIPPAGE, CASH = 2e-5, 1e-5, 10_000.0
PEER = f"VectorBT {vbt.__version__}, Rust engine"
ROOT = Path(__file__).resolve().parents[2]
ORDERS = ["--fees", str(FEES), "--slippage", str(SLIPPAGE), "--init-cash", str(CASH)]


def snake(title):
    return "_".join(title.lower().replace("[%]", "percent").split())


def number(value):
    if isinstance(value, pd.Timedelta):
        return value / pd.Timedelta(1, "s")
    if value is pd.NaT or value is None:
        return math.nan
    return float(value)


def close_of(path):
    """The closes, with times without a zone: with one, pandas makes VectorBT 30 times slower."""
    bars = pd.read_parquet(path, columns=["timestamp", "close"])
    times = pd.DatetimeIndex(bars["timestamp"])
    return pd.Series(bars["close"].to_numpy(), index=times.tz_localize(None))


def redline(binary, *arguments):
    command = [binary, *arguments, "--json", "-"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def portfolio(close, freq, signals=None):
    fast, slow = vbt.MA.run(close, 20), vbt.MA.run(close, 50)
    return simulate(close, freq, fast, slow, signals)


def sweep(close, freq, signals=None):
    windows = np.arange(5, 80, 5)
    fast, slow = vbt.MA.run_combs(close, windows, r=2, short_names=["fast", "slow"])
    return simulate(close, freq, fast, slow, signals)


WINDOWS = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75]


def averages(binary, data, folder):
    """redline's own moving averages, a column per window.

    Where two exact averages are equal (2,844 bars of a real year for 5 and 10), floating-point
    averages of either side may differ by 1e-12, and a crossing comes a bar early or late. Both
    sides are therefore given the same averages when their answers are compared."""
    features, out = Path(folder) / "averages.toml", Path(folder) / "averages.parquet"
    entry = '[[feature]]\nindicator = "sma"\nname = "{0}"\nparams = {{ window = {0} }}\n'
    features.write_text('name = "averages"\n' + "".join(entry.format(w) for w in WINDOWS))
    redline(binary, "features", "--data", data, "--set", str(features), "--out", str(out))
    return pd.read_parquet(out)


def crossings_of(table):
    """Signals by the crossings of the averages in `table`, for the windows of `fast` and `slow`."""

    def signals(fast, slow):
        windows = [np.atleast_1d(side.ma.columns if side.ma.ndim > 1 else side.ma.name)
                   for side in (fast, slow)]
        a, b = (table[[str(w[0] if isinstance(w, tuple) else w) for w in side]].to_numpy()
                for side in windows)
        above, below = crossed_above_nb(a, b), crossed_above_nb(b, a)
        if fast.ma.ndim == 1:
            return above[:, 0], below[:, 0]
        columns = pairs(fast.ma, slow.ma)
        return [pd.DataFrame(x, index=fast.ma.index, columns=columns) for x in (above, below)]

    return signals


def pairs(fast, slow):
    return pd.MultiIndex.from_arrays([fast.columns, slow.columns], names=["fast", "slow"])


def simulate(close, freq, fast, slow, signals):
    if signals is None:
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
    else:
        entries, exits = signals(fast, slow)
    return vbt.Portfolio.from_signals(
        close, entries, exits, fees=FEES, slippage=SLIPPAGE, init_cash=CASH, freq=freq
    )


def largest_difference(ours, theirs):
    """Largest relative difference of the statistics that both define, and how many there are."""
    worst, count = (0.0, "-"), 0
    for name, expected in theirs.items():
        value = ours.get(name)
        if name in ("start", "end") or name not in ours:
            continue
        count += 1
        is_undefined = not math.isfinite(expected)
        if value is None or is_undefined:
            assert value is None and is_undefined, f"{name}: {value} and {expected}"
            continue
        scale = max(abs(value), abs(expected), 1e-12)
        # VectorBT cuts durations to whole microseconds.
        if name.endswith("_duration") and abs(value - expected) < 1e-6:
            continue
        worst = max(worst, (abs(value - expected) / scale, name))
    return worst, count


def stats_of(pf):
    rows = {}
    for table in (pf.returns_stats(), pf.stats()):
        for title, value in table.items():
            if title not in ("Start", "End"):
                rows[snake(title)] = number(value)
    return rows


def agreement(binary, data, close, freq):
    """Holds one backtest against VectorBT's; gives the signals' source and VectorBT's portfolio."""
    ours = redline(binary, "backtest", "--data", data, "--strategy", "ma-cross", *ORDERS)
    with tempfile.TemporaryDirectory() as folder:
        same = crossings_of(averages(binary, data, folder))
    pf = portfolio(close, freq, same)
    assert ours["orders"] == len(pf.orders.values), "orders"
    (worst, name), count = largest_difference(ours["stats"], stats_of(pf))
    print(f"{len(close)} bars, {ours['orders']} orders: {count} statistics, "
          f"largest relative difference {worst:.1e} ({name})", flush=True)
    return same, pf


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def row(name, theirs, ours):
    kept = record.row(name, PEER, "ms", np.multiply(ours, 1e3), np.multiply(theirs, 1e3))
    print(f"| {name} | {kept['theirs']:.2f} ms | {kept['ours']:.3f} ms | {kept['ratio']:.0f}x "
          f"({kept['ratio_low']:.0f} to {kept['ratio_high']:.0f}) |")
    return kept


class Singles:
    """One backtest on either side, in its steps."""

    # Of a few milliseconds each: their median is what a warm process takes.
    REPEAT = "25"

    def __init__(self, binary, data, close, freq):
        self.ours = [binary, "backtest", "--data", data, "--strategy", "ma-cross", *ORDERS,
                     "--repeat", self.REPEAT]
        self.close, self.freq = close, freq
        fast, slow = vbt.MA.run(close, 20), vbt.MA.run(close, 50)
        signals = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        self.simulation = lambda: simulate(close, freq, fast, slow, lambda *_: signals)
        self.times = {name: ([], []) for name in ("simulation", "total return", "all statistics")}

    def measure(self):
        total = redline(*self.ours, "--stats", "total_return_percent")["elapsed_ns"]
        every = redline(*self.ours)["elapsed_ns"]
        ours = {
            "simulation": total["simulate"],
            "total return": sum(total.values()) - total["load"],
            "all statistics": sum(every.values()) - every["load"],
        }
        theirs = {
            "simulation": self.simulation,
            "total return": lambda: portfolio(self.close, self.freq).total_return(),
            "all statistics": lambda: stats_of(portfolio(self.close, self.freq)),
        }
        for name, (peer, own) in self.times.items():
            peer.append(min(timed(theirs[name]) for _ in range(2)))
            own.append(ours[name] / 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", default=str(ROOT / "target/release/redline"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", help="keep the medians here, for redline report")
    parser.add_argument("--sweep-only", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    close = close_of(arguments.data)
    freq = pd.Series(close.index).diff().median()
    if arguments.sweep_only:
        sweep(close.iloc[:2_000], freq).sharpe_ratio()  # compiles
        seconds = timed(lambda: sweep(close, freq).sharpe_ratio())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "peak": peak}))
        return

    single = ["backtest", "--data", arguments.data, "--strategy", "ma-cross", *ORDERS]
    same, pf = agreement(arguments.binary, arguments.data, close, freq)
    with tempfile.TemporaryDirectory() as folder:
        equity = str(Path(folder) / "equity.parquet")
        redline(arguments.binary, *single, "--equity-out", equity)
        difference = np.abs(pd.read_parquet(equity)["equity"].to_numpy() / pf.value() - 1).max()
        print(f"equity, {len(close)} points: largest relative difference {difference:.1e}")
        trials = str(Path(folder) / "trials.parquet")
        search = ["optimize", "--data", arguments.data, "--strategy", "ma-cross", "--param",
                  "fast=5:75:5", "--param", "slow=5:75:5", "--where", "fast < slow", *ORDERS]
        redline(arguments.binary, *search, "--out", trials)
        table = pd.read_parquet(trials).set_index(["fast", "slow"])
    every = sweep(close, freq, same)
    # An account that fees have eaten says nothing about agreement: such trials are not compared.
    alive = every.final_value().to_numpy() > CASH / 1e4
    print(f"{alive.sum()} of {len(alive)} trials end with more than {CASH / 1e4:g} and are compared")
    for ratio in ("sharpe_ratio", "sortino_ratio", "calmar_ratio", "omega_ratio", "max_drawdown",
                  "total_return"):
        theirs = getattr(every, ratio)()
        theirs.index = [(float(f), float(s)) for f, s in
                        zip(theirs.index.get_level_values(0), theirs.index.get_level_values(1))]
        column = ratio if ratio in table else f"{ratio}_percent"
        scale = 1 if ratio in table else 100
        ours_column = np.array([table.loc[key, column] for key in theirs.index])
        ratios = np.abs(ours_column) / np.abs(theirs.to_numpy() * scale)
        worst = np.max(np.abs(ratios[alive] - 1))
        print(f"{alive.sum()} trials, {ratio}: largest relative difference {worst:.1e}")
    del every, pf
    stats_of(portfolio(close, freq)), portfolio(close, freq).total_return()  # compiles

    singles = Singles(arguments.binary, arguments.data, close, freq)
    with tempfile.TemporaryDirectory() as folder:
        daily = str(Path(folder) / "daily.parquet")
        synth = [arguments.binary, "data", "synth", "--bars", "1260", "--freq", "1d", "--out", daily]
        subprocess.run(synth, check=True, capture_output=True)
        days = close_of(daily)
        agreement(arguments.binary, daily, days, pd.Timedelta(1, "D"))
        days = Singles(arguments.binary, daily, days, pd.Timedelta(1, "D"))
        for _ in range(arguments.runs * 3):
            singles.measure()
            days.measure()
    times = {"105 pairs": ([], [])}
    peaks = [], []
    for _ in range(arguments.runs):
        child = subprocess.run([sys.executable, __file__, "--data", arguments.data, "--sweep-only"],
                               check=True, capture_output=True)
        theirs = json.loads(child.stdout)
        document = redline(arguments.binary, *search)
        elapsed = document["elapsed_ns"]
        times["105 pairs"][0].append(theirs["seconds"])
        times["105 pairs"][1].append((elapsed["features"] + elapsed["search"]) / 1e9)
        peaks[0].append(theirs["peak"])
        peaks[1].append(document["peak_rss_bytes"])
    times = {
        **singles.times,
        **{f"daily, {name}": pair for name, pair in days.times.items()},
        **times,
    }
    print("\n| from prices to | VectorBT 1.2.0, Rust engine | redline | ratio |\n|---|---:|---:|---:|")
    kept = [row(name, theirs, ours) for name, (theirs, ours) in times.items()]
    memory = record.row("105 pairs, peak memory", PEER, "GB", *np.divide(peaks[::-1], 1e9))
    print(f"| 105 pairs, peak memory | {memory['theirs']:.2f} GB | {memory['ours']:.3f} GB "
          f"| {memory['ratio']:.0f}x |")
    kept.append(memory)
    columns = len(close) * 48
    print(f"\npeak memory is {memory['ours'] * 1e9 / columns:.1f} times the {columns / 1e6:.0f} MB of bars")
    if arguments.json:
        record.write(arguments.json, __file__, kept)


main()
