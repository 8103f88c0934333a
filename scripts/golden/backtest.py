"""Golden cases for the backtest engine, answered by VectorBT 1.2.0.

    python scripts/golden/backtest.py --cases 420 --seed 1 --out crates/backtest/tests/golden.jsonl

Needs vectorbt==1.2.0 (Python 3.11). The first line of the output holds the price series that the
cases share; every other line is one case: series, signals, options, and VectorBT's orders, trades,
equity and statistics. Numbers have 12 significant digits, far more than the 1e-9 that is compared;
NaN and infinities are null.
"""

import argparse
import json
import math
import warnings

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.portfolio.enums import RejectedOrderError

warnings.filterwarnings("ignore")
BARS = 56
FREQ = "1min"


def number(x):
    x = float(x)
    return None if math.isnan(x) or math.isinf(x) else float(f"{x:.12g}")


def numbers(values):
    return [number(x) for x in values]


def make_series(rng, kind):
    """Open, high, low, close of one symbol; two decimals, so that equal prices are common."""
    drift = {"random": 0.0, "up": 0.004, "down": -0.004, "calm": 0.0, "gaps": 0.0}[kind]
    sigma = 0.001 if kind == "calm" else 0.012
    jump = rng.normal(0, 0.05, BARS) * (rng.random(BARS) < 0.1) if kind == "gaps" else 0
    close = 100 * np.exp(np.cumsum(rng.normal(drift, sigma, BARS) + jump))
    open_ = np.r_[close[0], close[:-1]] * np.exp(rng.normal(0, sigma / 2, BARS))
    high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, sigma, BARS)))
    low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, sigma, BARS)))
    return {k: np.round(v, 2) for k, v in dict(open=open_, high=high, low=low, close=close).items()}


def make_options(rng):
    pick = lambda *values: values[rng.integers(len(values))]
    options = {
        "init_cash": pick(100.0, 1000.0, 10000.0),
        "size": pick(None, None, 1.0, 2.5, 50.0),
        "size_type": "amount",
        "fees": pick(0.0, 0.001, 0.02),
        "fixed_fees": pick(0.0, 0.0, 1.0),
        "slippage": pick(0.0, 0.0005, 0.01),
        "direction": pick("long-only", "long-only", "short-only", "both"),
        "accumulate": pick("off", "off", "both", "add-only", "remove-only"),
        "upon_long_conflict": pick("ignore", "entry", "exit", "adjacent", "opposite"),
        "upon_short_conflict": pick("ignore", "entry", "exit", "adjacent", "opposite"),
        "upon_dir_conflict": pick("ignore", "long", "short", "adjacent", "opposite"),
        "upon_opposite_entry": pick("ignore", "close", "close-reduce", "reverse", "reverse-reduce"),
    }
    if rng.random() < 0.25:
        options |= {"size_type": "value", "size": pick(50.0, 300.0)}
    elif rng.random() < 0.2:
        options |= {"size_type": "percent", "size": pick(0.1, 0.5, 1.0)}
    if rng.random() < 0.5:
        options["sl_stop"] = pick(0.01, 0.03, 0.1)
        options["sl_trail"] = bool(rng.random() < 0.5)
    if rng.random() < 0.4:
        options["tp_stop"] = pick(0.01, 0.04)
    if "sl_stop" in options or "tp_stop" in options:
        options["stop_entry_price"] = pick("close", "fill-price", "price")
        options["stop_exit_price"] = pick("stop-limit", "stop-market", "price", "close")
        options["upon_stop_exit"] = pick("close", "close", "close-reduce", "reverse", "reverse-reduce")
        options["upon_stop_update"] = pick("keep", "override", "override-nan")
    if rng.random() < 0.15:
        options["size_granularity"] = pick(0.5, 1.0)
    if rng.random() < 0.1:
        options["max_size"] = pick(1.0, 5.0)
    if rng.random() < 0.1:
        options["min_size"] = pick(0.5, 2.0)
    if rng.random() < 0.1:
        options["allow_partial"] = False
    if rng.random() < 0.15:
        options["lock_cash"] = True
    return options


ENUMS = {
    "direction": {"long-only": "longonly", "short-only": "shortonly", "both": "both"},
    "accumulate": {"off": False, "both": True, "add-only": "addonly", "remove-only": "removeonly"},
}


def to_vectorbt(options):
    out = {}
    for key, value in options.items():
        if key in ENUMS:
            value = ENUMS[key][value]
        elif isinstance(value, str):
            value = value.replace("-", "")
        elif key == "size" and value is None:
            value = np.inf
        out[key] = value
    return out


def snake(title):
    name = title.lower().replace("[%]", "percent")
    return "_".join(name.split())


def statistics(portfolio):
    rows = {}
    # Rows that both tables have are the portfolio's: the other's differ once equity is negative.
    for table in [portfolio.returns_stats(), portfolio.stats()]:
        for title, value in table.items():
            if title in ("Start", "End"):
                value = value.timestamp()
            elif isinstance(value, pd.Timedelta):
                value = value.value / 1e9
            elif value is pd.NaT or value is None:
                value = float("nan")
            rows[snake(title)] = number(value)
    return rows


def run(series, signals, options):
    index = pd.date_range("2024-01-01", periods=BARS, freq=FREQ)
    frame = {k: pd.Series(v, index=index) for k, v in series.items()}
    bits = {k: pd.Series(np.array(list(v)) == "1", index=index) for k, v in signals.items()}
    arguments = to_vectorbt(options)
    if "short_entry" in bits:
        arguments.pop("direction")
        arguments |= {"short_entries": bits["short_entry"], "short_exits": bits["short_exit"]}
    portfolio = vbt.Portfolio.from_signals(
        frame["close"], bits["entry"], bits["exit"],
        open=frame["open"], high=frame["high"], low=frame["low"], freq=FREQ, **arguments,
    )
    orders = portfolio.orders.values
    trades = portfolio.exit_trades.values
    return {
        "orders": [
            [int(o["idx"]), int(o["side"])] + numbers([o["size"], o["price"], o["fees"]])
            for o in orders
        ],
        "trades": [
            [int(t["entry_idx"]), int(t["exit_idx"]), int(t["direction"]), int(t["status"])]
            + numbers([t[k] for k in ("size", "entry_price", "entry_fees", "exit_price",
                                      "exit_fees", "pnl", "return")])
            for t in trades
        ],
        "equity": numbers(portfolio.value().values),
        "statistics": statistics(portfolio),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=420)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    kinds = ["random", "up", "down", "calm", "gaps"] * 3
    series = [make_series(rng, kind) for kind in kinds]
    refused = 0
    with open(arguments.out, "w") as out:
        print(json.dumps([{k: v.tolist() for k, v in s.items()} for s in series]), file=out)
        for case in range(arguments.cases):
            options = make_options(rng)
            density = rng.choice([0.05, 0.15, 0.4])
            names = ["entry", "exit"]
            if rng.random() < 0.35:
                names += ["short_entry", "short_exit"]
            bit_string = lambda: "".join("1" if x else "0" for x in rng.random(BARS) < density)
            signals = {name: bit_string() for name in names}
            which = int(rng.integers(len(series)))
            row = {"case": case, "series": which, "signals": signals, "options": options}
            try:
                row |= run(series[which], signals, options)
            except (ValueError, RejectedOrderError) as error:
                refused += 1
                row["refused"] = str(error)
            print(json.dumps(row), file=out)
    print(f"{arguments.cases} cases, {refused} refused by VectorBT: {arguments.out}")


main()
