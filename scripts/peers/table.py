"""What the peers' scripts have kept, as markdown.

    python scripts/peers/table.py benches/record/peers.json [--short]

Every case; or, with --short, a line per script and peer: how many cases, the worst, the middle and
the best ratio. It is always the worst that is named first."""

import json
import statistics
import sys
from pathlib import Path


def digits(value):
    return f"{value:.0f}" if value >= 99.5 else f"{value:.3g}"


def short(runs):
    yield "| peer | cases | lowest ratio | median | highest |"
    yield "|---|---:|---|---:|---|"
    for run in runs:
        peers = {}
        for row in run["rows"]:
            peers.setdefault(row["peer"], []).append(row)
        for peer, rows in peers.items():
            rows.sort(key=lambda row: row["ratio"])
            named = [f"{digits(row['ratio'])}x ({row['case']})" for row in (rows[0], rows[-1])]
            middle = statistics.median(row["ratio"] for row in rows)
            yield f"| {peer} | {len(rows)} | {named[0]} | {digits(middle)}x | {named[1]} |"


def whole(runs):
    for run in runs:
        yield f"\n### {run['script']}, {run['measured_at'][:10]}, {run['machine']}\n"
        yield "| case | peer | theirs | redline | times better | in single rounds |"
        yield "|---|---|---:|---:|---:|---:|"
        for row in run["rows"]:
            theirs, ours = (f"{digits(row[side])} {row['unit']}" for side in ("theirs", "ours"))
            bounds = "-"
            if row.get("rounds", 1) > 1:
                bounds = f"{digits(row['ratio_low'])} to {digits(row['ratio_high'])}"
            yield f"| {row['case']} | {row['peer']} | {theirs} | {ours} | {digits(row['ratio'])}x | {bounds} |"


runs = json.loads(Path(sys.argv[1]).read_text())["runs"]
print("\n".join((short if "--short" in sys.argv else whole)(runs)))
