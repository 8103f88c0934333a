"""What the peers' scripts have kept, as markdown.

    python scripts/peers/table.py benches/record/peers.json [--short | --script NAME]

Every case, or those of one script; or, with --short, a line per peer and machine: how many cases, the
worst, the middle and the best ratio. It is always the worst that is named first."""

import json
import statistics
import sys
from pathlib import Path

from record import digits, markdown


def short(runs):
    yield ("By the scripts and on the days that [docs/peers.md](docs/peers.md) names with every case; how "
           "many times better redline is:\n")
    yield "| peer | machine | cases | lowest | median | highest |"
    yield "|---|---|---:|---|---:|---|"
    peers = {}
    for run in runs:
        for row in run["rows"]:
            peers.setdefault((row["peer"], run["machine"]), []).append(row)
    for (peer, machine), rows in sorted(peers.items(), key=lambda item: (item[0][0].lower(), item[0][1])):
        rows.sort(key=lambda row: row["ratio"])
        worst, best = (f"{digits(row['ratio'])}x ({row['case']})" for row in (rows[0], rows[-1]))
        middle = statistics.median(row["ratio"] for row in rows)
        yield f"| {peer} | {machine} | {len(rows)} | {worst} | {digits(middle)}x | {best} |"


def whole(runs):
    for run in runs:
        yield f"\n### {run['script']}, {run['measured_at'][:10]}, {run['machine']}\n"
        yield markdown(run["rows"])


runs = json.loads(Path(sys.argv[1]).read_text())["runs"]
if "--script" in sys.argv:
    script = sys.argv[sys.argv.index("--script") + 1]
    runs = [run for run in runs if run["script"].split()[0] == script]
print("\n".join((short if "--short" in sys.argv else whole)(runs)))
