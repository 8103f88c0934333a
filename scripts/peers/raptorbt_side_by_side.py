"""redline beside raptorbt, another engine in Rust, on one file, in one run.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    cargo build --release
    .venv/bin/python scripts/peers/raptorbt_side_by_side.py --data year.parquet [--json FILE]

The moving average crossover 20/50 with fees and slippage from prices to all statistics, and 105
pairs of windows. Checks first that both sides hold the same trades and end with the same return and
drawdown. Runs alternate, both sides are warm; medians are printed. --json keeps them for
`redline report`."""

import argparse
import json
import subprocess
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import raptorbt

import record

FEES, SLIPPAGE, CASH = 2e-5, 1e-5, 10_000.0
PEER = f"raptorbt {raptorbt.__version__}"
WINDOWS = range(5, 80, 5)
ROOT = Path(__file__).resolve().parents[2]
ORDERS = ["--strategy", "ma-cross", "--fees", str(FEES), "--slippage", str(SLIPPAGE), "--init-cash", str(CASH)]


class Theirs:
    def __init__(self, path):
        bars = pd.read_parquet(path)
        times = pd.DatetimeIndex(bars["timestamp"]).as_unit("ns").asi8
        columns = ("open", "high", "low", "close", "volume")
        self.bars = [times, *(bars[name].to_numpy(dtype=float) for name in columns)]
        self.close = self.bars[4]
        minutes = np.median(np.diff(times)) / 60e9
        self.config = raptorbt.BacktestConfig(
            initial_capital=CASH, fees=FEES, slippage=SLIPPAGE, fill_timing="same_bar_close",
            periods_per_year=525_600 / minutes)

    def signals(self, fast, slow):
        fast, slow = (raptorbt.sma(self.close, window) for window in (fast, slow))
        above, below = np.zeros((2, len(self.close)), dtype=bool)
        above[1:] = (fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])
        below[1:] = (fast[1:] < slow[1:]) & (fast[:-1] >= slow[:-1])
        return above, below

    def single(self):
        return raptorbt.run_single_backtest(*self.bars, *self.signals(20, 50), config=self.config)

    def pairs(self):
        items = [raptorbt.BatchSingleItem(f"{fast}/{slow}", *self.signals(fast, slow), config=self.config)
                 for fast, slow in combinations(WINDOWS, 2)]
        results = raptorbt.batch_single_backtest(*self.bars, items, config=self.config)
        return [result.metrics.to_dict() for _, result in results]


def redline(binary, verb, data, *arguments):
    command = [binary, verb, "--data", data, *ORDERS, *arguments, "--json", "-"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def agreement(ours, theirs):
    metrics = theirs.metrics.to_dict()
    assert len(theirs.trades()) == (ours["orders"] + 1) // 2, "trades"
    for here, there in (("total_return_percent", "Total Return [%]"), ("max_drawdown_percent", "Max Drawdown [%]")):
        difference = abs(metrics[there] / ours["stats"][here] - 1)
        assert difference < 1e-9, f"{here}: {difference:.1e}"
        print(f"{ours['orders']} orders, {here}: relative difference {difference:.1e}")


def timed(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", default=str(ROOT / "target/release/redline"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", help="keep the medians here, for redline report")
    options = parser.parse_args()
    theirs = Theirs(options.data)
    agreement(redline(options.binary, "backtest", options.data), theirs.single())
    times = {case: ([], []) for case in ("all statistics", "105 pairs")}
    with tempfile.TemporaryDirectory() as folder:
        trials = ["--param", "fast=5:75:5", "--param", "slow=5:75:5", "--where", "fast < slow",
                  "--out", str(Path(folder) / "trials.parquet")]
        for _ in range(options.runs):
            single = redline(options.binary, "backtest", options.data, "--repeat", "25")["elapsed_ns"]
            pairs = redline(options.binary, "optimize", options.data, *trials)["elapsed_ns"]
            ours = [sum(single.values()) - single["load"], pairs["features"] + pairs["search"]]
            for (mine, peer), nanoseconds, work in zip(times.values(), ours, (theirs.single, theirs.pairs)):
                mine.append(nanoseconds / 1e6)
                peer.append(timed(work))
    print(f"\n| from prices to | {PEER} | redline | ratio |\n|---|---:|---:|---:|")
    rows = [record.row(case, PEER, "ms", *sides) for case, sides in times.items()]
    for row in rows:
        print(f"| {row['case']} | {row['theirs']:.2f} ms | {row['ours']:.3f} ms | {row['ratio']:.0f}x "
              f"({row['ratio_low']:.0f} to {row['ratio_high']:.0f}) |")
    if options.json:
        record.write(options.json, __file__, rows)


main()
