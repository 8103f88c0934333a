"""redline beside raptorbt, another engine in Rust, on one file, in one run.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    cargo build --release
    .venv/bin/python scripts/peers/raptorbt_side_by_side.py --data year.parquet [--json FILE]

The moving average crossover 20/50 with fees and slippage from prices to all statistics, and 105
pairs of windows. Stops where the sides do not give the same equity, or, of the single backtest or of
any pair, not the same statistics to 1e-9. Runs alternate, and so does who goes first; both sides are
warm; medians are printed. --json keeps them for `redline report`."""

import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import raptorbt

import answers
import crossover
import record
from crossover import CASH, FEES, SLIPPAGE, WINDOWS, computing, redline, timed

PEER = f"raptorbt {raptorbt.__version__}"

# Their statistics and ours. Not compared: their Calmar ratio, which divides the return by the
# drawdown without bringing it to a year; durations in seconds, which they count from bar to bar and
# we as VectorBT does, a bar longer; and what we have no like of (turnover, ulcer index, time under
# water, SQN, cost of gross profit, MFE capture, average drawdown).
STATISTICS = {
    "Start Value": "start_value", "End Value": "end_value", "Total Return [%]": "total_return_percent",
    "Total Fees Paid": "total_fees_paid", "Max Drawdown [%]": "max_drawdown_percent",
    "Total Trades": "total_trades", "Total Closed Trades": "total_closed_trades",
    "Total Open Trades": "total_open_trades", "Open Trade PnL": "open_trade_pnl",
    "Win Rate [%]": "win_rate_percent", "Best Trade [%]": "best_trade_percent",
    "Worst Trade [%]": "worst_trade_percent", "Avg Winning Trade [%]": "avg_winning_trade_percent",
    "Avg Losing Trade [%]": "avg_losing_trade_percent", "Profit Factor": "profit_factor",
    "Expectancy": "expectancy", "Sharpe Ratio": "sharpe_ratio", "Sortino Ratio": "sortino_ratio",
    "Omega Ratio": "omega_ratio",
}
# In bars there, in seconds here.
BARS = {
    "Max Drawdown Duration": "max_drawdown_duration",
    "Avg Winning Trade Duration": "avg_winning_trade_duration",
    "Avg Losing Trade Duration": "avg_losing_trade_duration",
}


class Theirs:
    def __init__(self, path):
        bars = pd.read_parquet(path)
        times = pd.DatetimeIndex(bars["timestamp"]).as_unit("ns").asi8
        columns = ("open", "high", "low", "close", "volume")
        self.bars = [times, *(bars[name].to_numpy(dtype=float) for name in columns)]
        self.close = self.bars[4]
        self.bar_seconds = np.median(np.diff(times)) / 1e9
        self.config = raptorbt.BacktestConfig(
            initial_capital=CASH, fees=FEES, slippage=SLIPPAGE, fill_timing="same_bar_close",
            periods_per_year=525_600 * 60 / self.bar_seconds)

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

    def pairs(self, average=None):
        average = average or self.average
        averages = {window: average(window) for window in WINDOWS}
        items = [raptorbt.BatchSingleItem(f"{fast}/{slow}", *self.crossings(averages[fast], averages[slow]),
                                          config=self.config)
                 for fast, slow in combinations(WINDOWS, 2)]
        results = raptorbt.batch_single_backtest(*self.bars, items, config=self.config)
        return [result.metrics.to_dict() for _, result in results]


def statistics_agree(what, ours, metrics, bar_seconds):
    """The largest difference of one backtest's statistics; below a hundredth (of a percent, of the
    currency) in hundredths: returns and expectancies are differences of amounts of the account's size."""
    scales = {name: (ours_name, 1.0) for name, ours_name in STATISTICS.items()}
    scales |= {name: (ours_name, bar_seconds) for name, ours_name in BARS.items()}
    return max(
        (answers.close(f"{what}, {ours_name}", ours[ours_name], metrics[name] * scale, PEER,
                       near_zero=0.01), ours_name)
        for name, (ours_name, scale) in scales.items())


def agreement(binary, data, theirs):
    """Holds the single backtest, its equity bar by bar, and every pair against raptorbt's."""
    averages = crossover.averages(binary, data)
    same = lambda window: averages[str(window)].to_numpy()  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        equity, trials = (str(Path(folder) / name) for name in ("equity.parquet", "trials.parquet"))
        ours = redline(binary, "backtest", "--data", data, *crossover.SINGLE, "--equity-out", equity)
        redline(binary, "optimize", "--data", data, *crossover.PAIRS, "--out", trials)
        equity, trials = pd.read_parquet(equity)["equity"], pd.read_parquet(trials)
    single = theirs.single(same)
    apart = answers.close("equity", equity, single.equity_curve(), PEER)
    worst, name = statistics_agree("20/50", ours["stats"], single.metrics.to_dict(), theirs.bar_seconds)
    count = len(STATISTICS) + len(BARS)
    print(f"{ours['orders']} orders: {count} statistics agree to {answers.TOLERANCE:g}, largest relative "
          f"difference {worst:.1e} ({name}); equity: {apart:.1e}")
    trials = trials.set_index(["fast", "slow"])
    pairs = list(combinations(WINDOWS, 2))
    if sorted(trials.index) != pairs:
        answers.refuse("pairs", len(trials), len(pairs), PEER)
    worst, name = max(
        statistics_agree(f"{pair[0]}/{pair[1]}", trials.loc[pair], metrics, theirs.bar_seconds)
        for pair, metrics in zip(pairs, theirs.pairs(same), strict=True))
    print(f"{len(pairs)} pairs agree in the same {count}, largest difference {worst:.1e} ({name})", flush=True)


def main():
    options = crossover.options(__doc__.splitlines()[0]).parse_args()
    theirs = Theirs(options.data)
    single = ["backtest", "--data", options.data, *crossover.SINGLE]
    agreement(options.binary, options.data, theirs)
    times = {case: ([], []) for case in ("all statistics", "105 pairs")}
    commands = [*single, *crossover.REPEAT], ["optimize", "--data", options.data, *crossover.PAIRS]
    for turn in range(options.runs):
        for (mine, peer), command, work in zip(times.values(), commands, (theirs.single, theirs.pairs)):
            sides = [(mine, lambda: computing(redline(options.binary, *command)) / 1e6),
                     (peer, lambda: timed(work) * 1e3)]
            for kept, measure in record.in_turn(turn, sides):
                kept.append(measure())
    rows = [record.row(case, PEER, "ms", *sides) for case, sides in times.items()]
    print("\n" + record.markdown(rows))
    if options.json:
        record.write(options.json, __file__, rows)


main()
