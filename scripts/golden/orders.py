"""Golden cases for orders sized bar by bar, answered by VectorBT 1.2.0's `from_orders`.

    python scripts/golden/orders.py --cases 240 --seed 1 --out crates/backtest/tests/orders.jsonl

Needs vectorbt==1.2.0 (Python 3.11). Numbers as in `backtest.py`; a null size is no order.
"""

import argparse
import json

import numpy as np
import pandas as pd
import vectorbt as vbt

from backtest import BARS, ENUMS, FREQ, make_series, numbers

SIZES = {
    "amount": [-5.0, -1.0, 1.0, 2.5, 50.0],
    "value": [-300.0, -50.0, 50.0, 300.0],
    "percent": [-1.0, -0.5, 0.1, 0.5, 1.0],
    "target-amount": [-3.0, 0.0, 1.0, 4.0],
    "target-value": [-200.0, 0.0, 50.0, 400.0],
    "target-percent": [-0.5, 0.0, 0.3, 1.0],
}


def case(rng, number):
    pick = lambda *values: values[rng.integers(len(values))]
    series = make_series(rng, pick("random", "up", "down", "calm", "gaps"))
    size_type = pick(*SIZES)
    direction = pick("long-only", "short-only", "both")
    sizes = SIZES[size_type]
    if direction != "both":
        # A target on the other side of 0 is one that no order of this direction can reach.
        sizes = [s for s in sizes if s >= 0 or not size_type.startswith("target")]
    # Reversing with a share of cash is undefined.
    if size_type == "percent" and direction == "both":
        sizes = [s for s in sizes if s > 0]
    size = np.where(rng.random(BARS) < 0.5, np.nan, rng.choice(sizes, BARS))
    options = {
        "init_cash": pick(100.0, 1000.0),
        "fees": pick(0.0, 0.001, 0.02),
        "fixed_fees": pick(0.0, 0.0, 1.0),
        "slippage": pick(0.0, 0.0005, 0.01),
        "direction": direction,
    }
    if rng.random() < 0.15:
        options["size_granularity"] = pick(0.5, 1.0)
    if rng.random() < 0.15:
        options["max_size"] = pick(1.0, 5.0)
    if rng.random() < 0.1:
        options["lock_cash"] = True
    index = pd.date_range("2024-01-01", periods=BARS, freq=FREQ)
    arguments = options | {"direction": ENUMS["direction"][direction]}
    at_open = bool(rng.random() < 0.3)
    price = pd.Series(series["open"] if at_open else series["close"], index=index)
    portfolio = vbt.Portfolio.from_orders(
        pd.Series(series["close"], index=index), size=pd.Series(size, index=index), price=price,
        size_type=size_type.replace("-", ""), freq=FREQ, **arguments,
    )
    return {
        "case": number,
        "close": numbers(series["close"]),
        "price": numbers(price),
        "size": numbers(size),
        "size_type": size_type,
        "options": options,
        "orders": [
            [int(o["idx"]), int(o["side"])] + numbers([o["size"], o["price"], o["fees"]])
            for o in portfolio.orders.values
        ],
        "equity": numbers(portfolio.value()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    with open(arguments.out, "w") as out:
        for number in range(arguments.cases):
            out.write(json.dumps(case(rng, number), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
