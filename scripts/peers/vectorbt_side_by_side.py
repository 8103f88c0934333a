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
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.generic.nb import crossed_above_nb

import crossover
import record
from crossover import CASH, FEES, SLIPPAGE, WINDOWS, computing, redline, timed

warnings.filterwarnings("ignore")
PEER = f"VectorBT {vbt.__version__}, Rust engine"


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


def portfolio(close, freq, signals=None):
    fast, slow = vbt.MA.run(close, 20), vbt.MA.run(close, 50)
    return simulate(close, freq, fast, slow, signals)


def sweep(close, freq, signals=None):
    fast, slow = vbt.MA.run_combs(close, list(WINDOWS), r=2, short_names=["fast", "slow"])
    return simulate(close, freq, fast, slow, signals)


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
    ours = redline(binary, "backtest", "--data", data, *crossover.SINGLE)
    same = crossings_of(crossover.averages(binary, data))
    pf = portfolio(close, freq, same)
    assert ours["orders"] == len(pf.orders.values), "orders"
    (worst, name), count = largest_difference(ours["stats"], stats_of(pf))
    print(f"{len(close)} bars, {ours['orders']} orders: {count} statistics, "
          f"largest relative difference {worst:.1e} ({name})", flush=True)
    return same, pf


class Singles:
    """One backtest on either side, in its steps."""

    def __init__(self, binary, data, close, freq):
        self.ours = [binary, "backtest", "--data", data, *crossover.SINGLE, *crossover.REPEAT]
        self.close, self.freq = close, freq
        fast, slow = vbt.MA.run(close, 20), vbt.MA.run(close, 50)
        signals = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        self.simulation = lambda: simulate(close, freq, fast, slow, lambda *_: signals)
        self.times = {name: ([], []) for name in ("simulation", "total return", "all statistics")}

    def measure(self):
        total = redline(*self.ours, "--stats", "total_return_percent")
        every = redline(*self.ours)
        ours = {
            "simulation": total["elapsed_ns"]["simulate"],
            "total return": computing(total),
            "all statistics": computing(every),
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
    parser = crossover.options(__doc__.splitlines()[0])
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

    single = ["backtest", "--data", arguments.data, *crossover.SINGLE]
    same, pf = agreement(arguments.binary, arguments.data, close, freq)
    with tempfile.TemporaryDirectory() as folder:
        equity = str(Path(folder) / "equity.parquet")
        redline(arguments.binary, *single, "--equity-out", equity)
        difference = np.abs(pd.read_parquet(equity)["equity"].to_numpy() / pf.value() - 1).max()
        print(f"equity, {len(close)} points: largest relative difference {difference:.1e}")
        trials = str(Path(folder) / "trials.parquet")
        search = ["optimize", "--data", arguments.data, *crossover.PAIRS]
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
        times["105 pairs"][0].append(theirs["seconds"])
        times["105 pairs"][1].append(computing(document) / 1e9)
        peaks[0].append(theirs["peak"])
        peaks[1].append(document["peak_rss_bytes"])
    times = {
        **singles.times,
        **{f"daily, {name}": pair for name, pair in days.times.items()},
        **times,
    }
    kept = [record.row(name, PEER, "ms", np.multiply(ours, 1e3), np.multiply(theirs, 1e3))
            for name, (theirs, ours) in times.items()]
    kept.append(record.row("105 pairs, peak memory", PEER, "GB", *np.divide(peaks[::-1], 1e9)))
    print("\n" + record.markdown(kept))
    columns = len(close) * 48
    print(f"\npeak memory is {kept[-1]['ours'] * 1e9 / columns:.1f} times the {columns / 1e6:.0f} MB of bars")
    if arguments.json:
        record.write(arguments.json, __file__, kept)


main()
