"""Golden cases for assets that share their cash, answered by VectorBT 1.2.0.

    python scripts/golden/groups.py --cases 120 --seed 1 --out crates/backtest/tests/groups.jsonl

Needs vectorbt==1.2.0 (Python 3.11). Two to four assets a case, with the call sequence default,
reversed or auto. The first line holds the series, as in `backtest.py`; sizes, fees and stops may
differ from asset to asset.
"""

import argparse
import json
import warnings

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.portfolio.enums import RejectedOrderError

from backtest import (BARS, COMPACT, ENUMS, FREQ, make_options, make_series, numbers, statistics,
                      to_vectorbt)

warnings.filterwarnings("ignore")
DIFFERENT = ["size", "fees", "slippage", "sl_stop", "tp_stop"]


def options_of(rng, assets):
    """Options of each asset: the same but for some of `DIFFERENT`."""
    shared = make_options(rng)
    columns = [dict(shared) for _ in range(assets)]
    for key in DIFFERENT:
        if key not in shared or key == "size" and shared["size_type"] != "amount":
            continue
        if rng.random() < 0.4:
            for column in columns:
                column[key] = make_options(rng).get(key, shared[key])
            if key == "size":
                for column in columns:
                    column[key] = [None, 1.0, 2.5, 50.0][rng.integers(4)]
    return columns


def run(series, signals, columns, sequence):
    index = pd.date_range("2024-01-01", periods=BARS, freq=FREQ)
    frame = lambda rows: pd.DataFrame(np.array(rows).T, index=index)
    prices = {k: frame([s[k] for s in series]) for k in ("open", "high", "low", "close")}
    bits = {
        k: frame([np.array(list(s[k])) == "1" for s in signals]) for k in signals[0]
    }
    each = [to_vectorbt(column) for column in columns]
    arguments = {
        key: np.array([[one[key] for one in each]], float) if key in DIFFERENT else each[0][key]
        for key in each[0]
    }
    if "short_entry" in bits:
        arguments.pop("direction")
        arguments |= {"short_entries": bits["short_entry"], "short_exits": bits["short_exit"]}
    portfolio = vbt.Portfolio.from_signals(
        prices["close"], bits["entry"], bits["exit"], open=prices["open"], high=prices["high"],
        low=prices["low"], freq=FREQ, group_by=True, cash_sharing=True, call_seq=sequence,
        **arguments,
    )
    return {
        "orders": [
            [int(o["col"]), int(o["idx"]), int(o["side"])]
            + numbers([o["size"], o["price"], o["fees"]])
            for o in portfolio.orders.values
        ],
        "equity": numbers(portfolio.value().values),
        "statistics": statistics(portfolio),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    series = [make_series(rng, kind) for kind in ["random", "up", "down", "calm", "gaps"] * 2]
    refused = 0
    with open(arguments.out, "w") as out:
        print(json.dumps([{k: v.tolist() for k, v in s.items()} for s in series]), file=out)
        for case in range(arguments.cases):
            assets = int(rng.integers(2, 5))
            which = [int(at) for at in rng.choice(len(series), assets, replace=False)]
            density = rng.choice([0.05, 0.15, 0.4])
            names = ["entry", "exit"]
            if rng.random() < 0.35:
                names += ["short_entry", "short_exit"]
            bits = lambda: "".join("1" if x else "0" for x in rng.random(BARS) < density)
            signals = [{name: bits() for name in names} for _ in range(assets)]
            columns = options_of(rng, assets)
            sequence = ["default", "reversed", "auto"][case % 3]
            row = {"case": case, "series": which, "signals": signals, "options": columns,
                   "sequence": sequence}
            try:
                row |= run([series[at] for at in which], signals, columns, sequence)
            except (ValueError, RejectedOrderError) as error:
                refused += 1
                row["refused"] = str(error)
            print(json.dumps(row, separators=COMPACT), file=out)
    print(f"{arguments.cases} cases, {refused} refused by VectorBT: {arguments.out}")


if __name__ == "__main__":
    main()
