"""The task that VectorBT's and raptorbt's scripts share: a moving average crossover with fees and
slippage, 20/50 or 105 pairs of windows, and how redline is asked for it."""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

# Low enough that the fastest pair, with 50,000 orders, keeps some of its cash.
FEES, SLIPPAGE, CASH = 2e-5, 1e-5, 10_000.0
WINDOWS = range(5, 80, 5)
ORDERS = ["--fees", str(FEES), "--slippage", str(SLIPPAGE), "--init-cash", str(CASH)]
SINGLE = ["--strategy", "ma-cross", *ORDERS]
PAIRS = [*SINGLE, "--param", "fast=5:75:5", "--param", "slow=5:75:5", "--where", "fast < slow"]
ROOT = Path(__file__).resolve().parents[2]
# Backtests in one process, of which the median counts: what a warm process takes.
REPEAT = ["--repeat", "25"]


def redline(binary, *arguments):
    """The document of a run."""
    command = [binary, *arguments, "--json", "-"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def averages(binary, data):
    """redline's own moving averages, a column per window.

    Where two exact averages are equal (2,844 bars of a real year for 5 and 10), floating-point
    averages of either side may differ by 1e-12, and a crossing comes a bar early or late. Both
    sides are therefore given the same averages when their answers are compared."""
    entry = '[[feature]]\nindicator = "sma"\nname = "{0}"\nparams = {{ window = {0} }}\n'
    with tempfile.TemporaryDirectory() as folder:
        features, out = Path(folder) / "averages.toml", Path(folder) / "averages.parquet"
        features.write_text('name = "averages"\n' + "".join(entry.format(w) for w in WINDOWS))
        redline(binary, "features", "--data", data, "--set", str(features), "--out", str(out))
        return pd.read_parquet(out)


def computing(document):
    """Nanoseconds of a backtest or a sweep from prices to its end: without loading, writing and
    pictures."""
    steps = ("features", "signals", "simulate", "statistics", "search")
    return sum(document["elapsed_ns"].get(step, 0) for step in steps)


def timed(work):
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def options(description):
    """The parser of what both scripts take."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", default=str(ROOT / "target/release/redline"))
    parser.add_argument("--runs", type=int, default=6, help="even, so that both sides go first as often")
    parser.add_argument("--json", help="keep the medians here, for redline report")
    return parser
