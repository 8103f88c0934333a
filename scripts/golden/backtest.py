"""Golden cases for the backtest engine, answered by VectorBT 1.2.0.

    python scripts/golden/backtest.py --cases 420 --seed 1 --out crates/backtest/tests/golden.jsonl
    python scripts/golden/backtest.py --cases 100 --seed 2 --per-bar \
        --out crates/backtest/tests/per_bar.jsonl

With --per-bar, options are arrays with a value per bar, and entry trades and positions are written,
too. Needs vectorbt==1.2.0 (Python 3.11). The first line of the output holds the price series that the
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
from vectorbt.portfolio import enums
from vectorbt.portfolio.enums import RejectedOrderError

warnings.filterwarnings("ignore")
BARS = 56
COMPACT = (",", ":")
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


# What stays one value for all bars in VectorBT.
SCALARS = ["init_cash"]


def vary(rng, options):
    """Options bar by bar: about half of them, each from the values that a case may have."""
    others = [make_options(rng) for _ in range(BARS)]
    out = dict(options)
    for key, value in options.items():
        # A share of cash cannot reverse, and a size without its type means another thing.
        is_bound = key in SCALARS or key in ("size", "size_type")
        if is_bound or key == "lock_cash" or rng.random() < 0.5:
            continue
        out[key] = [other.get(key, value) for other in others]
    if options["size_type"] == "amount" and rng.random() < 0.5:
        out["size"] = [[None, 1.0, 2.5, 50.0][i] for i in rng.integers(4, size=BARS)]
    elif options["size_type"] == "value" and rng.random() < 0.5:
        kinds = rng.integers(2, size=BARS)
        out["size_type"] = [["amount", "value"][i] for i in kinds]
        out["size"] = [[2.0, 120.0][i] for i in kinds]
    return out


ENUMS = {
    "direction": {"long-only": "longonly", "short-only": "shortonly", "both": "both"},
    "accumulate": {"off": False, "both": True, "add-only": "addonly", "remove-only": "removeonly"},
}
NUMBERS = {
    "direction": enums.Direction,
    "accumulate": enums.AccumulationMode,
    "size_type": enums.SizeType,
    "upon_long_conflict": enums.ConflictMode,
    "upon_short_conflict": enums.ConflictMode,
    "upon_dir_conflict": enums.DirectionConflictMode,
    "upon_opposite_entry": enums.OppositeEntryMode,
    "stop_entry_price": enums.StopEntryPrice,
    "stop_exit_price": enums.StopExitPrice,
    "upon_stop_exit": enums.StopExitMode,
    "upon_stop_update": enums.StopUpdateMode,
}


def to_vectorbt(options):
    def one(key, value):
        if key in ENUMS:
            return ENUMS[key][value]
        if isinstance(value, str):
            return value.replace("-", "")
        return np.inf if key == "size" and value is None else value

    out = {}
    for key, value in options.items():
        if not isinstance(value, list):
            out[key] = one(key, value)
        elif key in NUMBERS:  # VectorBT takes no arrays of words
            fields = {name.lower(): at for name, at in zip(NUMBERS[key]._fields, NUMBERS[key])}
            words = [str(one(key, v)).lower() for v in value]
            out[key] = np.array([fields[{"false": "disabled", "true": "both"}.get(w, w)] for w in words])
        else:
            out[key] = np.array([one(key, v) for v in value])
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


TRADE = ("size", "entry_price", "entry_fees", "exit_price", "exit_fees", "pnl", "return")


def trades(records):
    return [
        [int(t["entry_idx"]), int(t["exit_idx"]), int(t["direction"]), int(t["status"])]
        + numbers([t[k] for k in TRADE])
        for t in records
    ]


def run(series, signals, options, more=False):
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
    other = {
        "entry_trades": trades(portfolio.entry_trades.values),
        "positions": trades(portfolio.positions.values),
    }
    return (other if more else {}) | {
        "orders": [
            [int(o["idx"]), int(o["side"])] + numbers([o["size"], o["price"], o["fees"]])
            for o in orders
        ],
        "trades": trades(portfolio.exit_trades.values),
        "equity": numbers(portfolio.value().values),
        "statistics": statistics(portfolio),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=420)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-bar", action="store_true")
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
            if arguments.per_bar:
                options = vary(rng, options)
            density = rng.choice([0.05, 0.15, 0.4])
            names = ["entry", "exit"]
            if rng.random() < 0.35:
                names += ["short_entry", "short_exit"]
            bit_string = lambda: "".join("1" if x else "0" for x in rng.random(BARS) < density)
            signals = {name: bit_string() for name in names}
            which = int(rng.integers(len(series)))
            row = {"case": case, "series": which, "signals": signals, "options": options}
            try:
                row |= run(series[which], signals, options, arguments.per_bar)
            except (ValueError, RejectedOrderError) as error:
                refused += 1
                row["refused"] = str(error)
            print(json.dumps(row, separators=COMPACT if arguments.per_bar else None), file=out)
    print(f"{arguments.cases} cases, {refused} refused by VectorBT: {arguments.out}")


if __name__ == "__main__":
    main()
