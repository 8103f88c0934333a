"""redline beside raptorbt, another engine in Rust, on one file, in one run.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    cargo build --release
    .venv/bin/python scripts/peers/raptorbt_side_by_side.py --data year.parquet [--json FILE]

The moving average crossover 20/50 with fees and slippage from prices to all statistics, and 105
pairs of windows. Checks first that both sides hold the same trades and end with the same return and
drawdown. Runs alternate, both sides are warm; medians are printed. --json keeps them for
`redline report`."""

from itertools import combinations

import numpy as np
import pandas as pd
import raptorbt

import crossover
import record
from crossover import CASH, FEES, SLIPPAGE, WINDOWS, computing, redline, timed

PEER = f"raptorbt {raptorbt.__version__}"


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

    def average(self, window):
        return raptorbt.sma(self.close, window)

    def crossings(self, fast, slow):
        above, below = np.zeros((2, len(self.close)), dtype=bool)
        above[1:] = (fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])
        below[1:] = (fast[1:] < slow[1:]) & (fast[:-1] >= slow[:-1])
        return above, below

    def single(self, average=None):
        average = average or self.average
        signals = self.crossings(average(20), average(50))
        return raptorbt.run_single_backtest(*self.bars, *signals, config=self.config)

    def pairs(self):
        averages = {window: self.average(window) for window in WINDOWS}
        items = [raptorbt.BatchSingleItem(f"{fast}/{slow}", *self.crossings(averages[fast], averages[slow]),
                                          config=self.config)
                 for fast, slow in combinations(WINDOWS, 2)]
        results = raptorbt.batch_single_backtest(*self.bars, items, config=self.config)
        return [result.metrics.to_dict() for _, result in results]


def agreement(ours, theirs):
    metrics = theirs.metrics.to_dict()
    assert len(theirs.trades()) == (ours["orders"] + 1) // 2, "trades"
    for here, there in (("total_return_percent", "Total Return [%]"), ("max_drawdown_percent", "Max Drawdown [%]")):
        difference = abs(metrics[there] / ours["stats"][here] - 1)
        assert difference < 1e-9, f"{here}: {difference:.1e}"
        print(f"{ours['orders']} orders, {here}: relative difference {difference:.1e}")


def main():
    options = crossover.options(__doc__.splitlines()[0]).parse_args()
    theirs = Theirs(options.data)
    single = ["backtest", "--data", options.data, *crossover.SINGLE]
    same = crossover.averages(options.binary, options.data)
    agreement(redline(options.binary, *single), theirs.single(lambda window: same[str(window)].to_numpy()))
    times = {case: ([], []) for case in ("all statistics", "105 pairs")}
    commands = [*single, *crossover.REPEAT], ["optimize", "--data", options.data, *crossover.PAIRS]
    for _ in range(options.runs):
        for (mine, peer), command, work in zip(times.values(), commands, (theirs.single, theirs.pairs)):
            mine.append(computing(redline(options.binary, *command)) / 1e6)
            peer.append(timed(work) * 1e3)
    rows = [record.row(case, PEER, "ms", *sides) for case, sides in times.items()]
    print("\n" + record.markdown(rows))
    if options.json:
        record.write(options.json, __file__, rows)


main()
