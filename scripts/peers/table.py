"""What the peers' scripts have kept, as markdown.

    python scripts/peers/table.py benches/record/peers.json [--short]

Every case; or, with --short, a line per peer: how many cases, the worst, the middle and the best
ratio. It is always the worst that is named first."""

import json
import statistics
import sys
from pathlib import Path

from record import digits, markdown


def short(runs):
    machines = ", ".join(sorted({run["machine"] for run in runs}))
    yield (f"Measured on {machines}, by the scripts and on the days that "
           "[docs/peers.md](docs/peers.md) names with every case:\n")
    yield "| peer | cases | lowest ratio | median | highest |"
    yield "|---|---:|---|---:|---|"
    for run in runs:
        peers = {}
        for row in run["rows"]:
            peers.setdefault(row["peer"], []).append(row)
        for peer, rows in peers.items():
            rows.sort(key=lambda row: row["ratio"])
            worst, best = (f"{digits(row['ratio'])}x ({row['case']})" for row in (rows[0], rows[-1]))
            middle = statistics.median(row["ratio"] for row in rows)
            yield f"| {peer} | {len(rows)} | {worst} | {digits(middle)}x | {best} |"


def whole(runs):
    for run in runs:
        yield f"\n### {run['script']}, {run['measured_at'][:10]}, {run['machine']}\n"
        yield markdown(run["rows"])


runs = json.loads(Path(sys.argv[1]).read_text())["runs"]
print("\n".join((short if "--short" in sys.argv else whole)(runs)))
