"""Fresh random configurations against an installed VectorBT; prints the first difference.

    python scripts/golden/fresh.py                      # a new seed every time
    python scripts/golden/fresh.py --cases 1000 --seed 7

Needs vectorbt==1.2.0 (Python 3.11) and cargo. VectorBT answers as many cases of each kind (options for
all bars, options bar by bar, orders sized bar by bar, assets that share their cash); the tests that
read the goldens read these. Exit code 0 where nothing differs, 1 where something does.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What is asked, by which script, and the variable by which a test is told of its file.
KINDS = [
    ("options for all bars", ["backtest.py"], "GOLDEN", "golden"),
    ("options bar by bar", ["backtest.py", "--per-bar"], "GOLDEN", "golden"),
    ("assets that share cash", ["groups.py"], "GOLDEN_GROUPS", "golden"),
    ("orders bar by bar", ["orders.py"], "GOLDEN_ORDERS", "orders"),
]


def first_difference(output):
    lines = output.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("case "):
            return "\n".join(lines[at : at + 2])
    return output[-2_000:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=200, help="cases of each kind")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, script, variable, test in KINDS:
            path = str(Path(folder) / "cases.jsonl")
            numbers = ["--cases", str(arguments.cases), "--seed", str(arguments.seed)]
            command = [sys.executable, str(HERE / script[0]), *script[1:], *numbers, "--out", path]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            run = subprocess.run(
                ["cargo", "test", "--quiet", "--package", "backtest", "--test", test],
                cwd=HERE.parents[1], env=os.environ | {variable: path},
                capture_output=True, text=True,
            )
            if run.returncode != 0:
                print(f"{name}, seed {arguments.seed}:\n{first_difference(run.stdout + run.stderr)}")
                sys.exit(1)
            print(f"{name}: {arguments.cases} cases of seed {arguments.seed} agree")


if __name__ == "__main__":
    main()
