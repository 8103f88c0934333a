"""redline beside VectorBT 1.2.0 (with its Rust engine) on one file, in one run.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    cargo build --release
    .venv/bin/python scripts/peers/vectorbt_side_by_side.py --data year.parquet [--json FILE]

Stops where the sides do not give the same orders, equity, statistics or trials to 1e-9, then prints
times and their ratio: the moving average crossover 20/50 with fees and slippage, over the file and
over 1,260 daily bars, from prices to total return and to all statistics, its simulation alone, and
105 pairs of windows. Runs alternate, and so does who goes first; medians are printed. Both sides are warm, except for the pairs: there each is a process
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

import answers
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
    """The closes, with times without a zone, with which pandas makes VectorBT 30 times slower, and in
    nanoseconds, whatever the file has: VectorBT cuts durations to the unit of the times."""
    bars = pd.read_parquet(path, columns=["timestamp", "close"])
    times = pd.DatetimeIndex(bars["timestamp"])
    return pd.Series(bars["close"].to_numpy(), index=times.tz_localize(None).as_unit("ns"))


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


def statistics_agree(ours, theirs):
    """Holds every statistic of VectorBT's two tables against ours; the largest relative difference,
    whose, and how many there are. What one side leaves undefined, the other must too."""
    worst = (0.0, "-")
    for name, expected in theirs.items():
        value, is_undefined = ours.get(name), not math.isfinite(expected)
        if name not in ours or (value is None) != is_undefined:
            answers.refuse(name, ours.get(name, "no such statistic"), expected, PEER)
        # VectorBT cuts durations to whole microseconds.
        if is_undefined or (name.endswith("_duration") and abs(value - expected) < 1e-6):
            continue
        worst = max(worst, (answers.close(name, value, expected, PEER, near_zero=1e-12), name))
    return worst, len(theirs)


def stats_of(pf):
    rows = {}
    for table in (pf.returns_stats(), pf.stats()):
        for title, value in table.items():
            if title not in ("Start", "End"):
                rows[snake(title)] = number(value)
    return rows


def agreement(binary, data, close, freq):
    """Holds one backtest against VectorBT's, the equity bar by bar; gives the signals' source."""
    same = crossings_of(crossover.averages(binary, data))
    pf = portfolio(close, freq, same)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "equity.parquet")
        ours = redline(binary, "backtest", "--data", data, *crossover.SINGLE, "--equity-out", file)
        equity = pd.read_parquet(file)["equity"]
    if ours["orders"] != len(pf.orders.values):
        answers.refuse("orders", ours["orders"], len(pf.orders.values), PEER)
    apart = answers.close("equity", equity, pf.value(), PEER)
    (worst, name), count = statistics_agree(ours["stats"], stats_of(pf))
    print(f"{len(close)} bars, {ours['orders']} orders: {count} statistics agree to "
          f"{answers.TOLERANCE:g}, largest relative difference {worst:.1e} ({name}); equity: {apart:.1e}",
          flush=True)
    return same


# VectorBT's name of a trial's figure; ours; theirs in ours' unit and sign: VectorBT's drawdown of
# several columns is negative and a fraction, in its table of one it is positive and in percent.
TRIALS = {
    "sharpe_ratio": ("sharpe_ratio", 1), "sortino_ratio": ("sortino_ratio", 1),
    "calmar_ratio": ("calmar_ratio", 1), "omega_ratio": ("omega_ratio", 1),
    "max_drawdown": ("max_drawdown_percent", -100), "total_return": ("total_return_percent", 100),
    "final_value": ("end_value", 1),
}


def trials_agree(search, close, freq, same):
    """Holds the 105 trials of `search` against VectorBT's."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "trials.parquet")
        redline(*search, "--out", file)
        ours = pd.read_parquet(file).set_index(["fast", "slow"])
    every = sweep(close, freq, same)
    columns = every.wrapper.columns
    windows = [(float(fast), float(slow)) for fast, slow in
               zip(columns.get_level_values("fast"), columns.get_level_values("slow"))]
    if sorted(windows) != sorted(ours.index):
        answers.refuse("pairs", len(ours), len(windows), PEER)
    ours = ours.loc[windows]
    # What fees have left of an account that they ate is the difference of nearly equal numbers.
    alive = every.final_value().to_numpy() > CASH / 1e4
    label = lambda at: f"pair {np.array(windows)[alive][at]}"  # noqa: E731
    worst = (0.0, "-")
    for name, (column, scale) in TRIALS.items():
        here, there = ours[column].to_numpy()[alive], getattr(every, name)().to_numpy()[alive] * scale
        worst = max(worst, (answers.close(f"trials, {name}", here, there, PEER, label=label), name))
    print(f"{alive.sum()} of {len(alive)} trials end with more than {CASH / 1e4:g} and agree in "
          f"{len(TRIALS)} figures to {answers.TOLERANCE:g}, largest relative difference {worst[0]:.1e} "
          f"({worst[1]})", flush=True)


class Singles:
    """One backtest on either side, in its steps."""

    def __init__(self, binary, data, close, freq):
        self.ours = [binary, "backtest", "--data", data, *crossover.SINGLE, *crossover.REPEAT]
        self.close, self.freq = close, freq
        fast, slow = vbt.MA.run(close, 20), vbt.MA.run(close, 50)
        signals = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        self.simulation = lambda: simulate(close, freq, fast, slow, lambda *_: signals)
        self.times = {name: ([], []) for name in ("simulation", "total return", "all statistics")}

    def measure(self, turn):
        for side in record.in_turn(turn, [self.measure_theirs, self.measure_ours]):
            side()

    def measure_ours(self):
        total = redline(*self.ours, "--stats", "total_return_percent")
        every = redline(*self.ours)
        ours = {
            "simulation": total["elapsed_ns"]["simulate"],
            "total return": computing(total),
            "all statistics": computing(every),
        }
        for name, nanoseconds in ours.items():
            self.times[name][1].append(nanoseconds / 1e9)

    def measure_theirs(self):
        theirs = {
            "simulation": self.simulation,
            "total return": lambda: portfolio(self.close, self.freq).total_return(),
            "all statistics": lambda: stats_of(portfolio(self.close, self.freq)),
        }
        for name, work in theirs.items():
            self.times[name][0].append(min(timed(work) for _ in range(2)))


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

    search = [arguments.binary, "optimize", "--data", arguments.data, *crossover.PAIRS]
    trials_agree(search, close, freq, agreement(arguments.binary, arguments.data, close, freq))
    stats_of(portfolio(close, freq)), portfolio(close, freq).total_return()  # compiles

    singles = Singles(arguments.binary, arguments.data, close, freq)
    with tempfile.TemporaryDirectory() as folder:
        daily = str(Path(folder) / "daily.parquet")
        synth = [arguments.binary, "data", "synth", "--bars", "1260", "--freq", "1d", "--out", daily]
        subprocess.run(synth, check=True, capture_output=True)
        days = close_of(daily)
        agreement(arguments.binary, daily, days, pd.Timedelta(1, "D"))
        days = Singles(arguments.binary, daily, days, pd.Timedelta(1, "D"))
        for turn in range(arguments.runs * 3):
            singles.measure(turn)
            days.measure(turn)
    times, peaks = {"105 pairs": ([], [])}, ([], [])

    def their_pairs():
        child = subprocess.run([sys.executable, __file__, "--data", arguments.data, "--sweep-only"],
                               check=True, capture_output=True)
        document = json.loads(child.stdout)
        return document["seconds"], document["peak"]

    def our_pairs():
        document = redline(*search)
        return computing(document) / 1e9, document["peak_rss_bytes"]

    for turn in range(arguments.runs):
        for side, work in record.in_turn(turn, [(0, their_pairs), (1, our_pairs)]):
            seconds, peak = work()
            times["105 pairs"][side].append(seconds)
            peaks[side].append(peak)
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
