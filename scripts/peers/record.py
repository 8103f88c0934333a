"""Keeps what a peers' script has measured: `redline.peers/1`, which `redline report` shows.

The document is described in crates/perf-gate/src/peers.rs. A script replaces its own run on this
machine and leaves the others: a machine is known by the fingerprint that `redline probe` prints too,
not by its processor's name, which many share. Runs of before there was one are never replaced."""

import datetime
import json
import os
import statistics
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = "redline.peers/1"


def row(case, peer, unit, ours, theirs, more_is_better=False):
    """One case on both sides, each the samples of its rounds, of which the median counts.

    The ratio says how many times better ours is; of several rounds, also within which bounds it
    lay in a single one. A side may have samples more than the other: they count for its median."""
    one = lambda a, b: float(a / b if more_is_better else b / a)  # noqa: E731
    rounds = [one(a, b) for a, b in zip(ours, theirs, strict=False)]
    ours, theirs = float(statistics.median(ours)), float(statistics.median(theirs))
    row = {"case": case, "peer": peer, "unit": unit, "ours": ours, "theirs": theirs,
           "ratio": one(ours, theirs)}
    if len(rounds) > 1:
        row |= {"ratio_low": min(rounds), "ratio_high": max(rounds)}
    return row


def digits(value):
    """Three of them, as a reader wants them."""
    return f"{value:.0f}" if value >= 99.5 else f"{value:.3g}"


def bounds(row):
    """Between which ratios the single rounds lay."""
    return f"{digits(row['ratio_low'])} to {digits(row['ratio_high'])}" if "ratio_low" in row else "-"


def markdown(rows):
    """A table of `rows`."""
    lines = ["| case | peer | theirs | redline | times better | in single rounds |",
             "|---|---|---:|---:|---:|---:|"]
    for row in rows:
        theirs, ours = (f"{digits(row[side])} {row['unit']}" for side in ("theirs", "ours"))
        lines.append(f"| {row['case']} | {row['peer']} | {theirs} | {ours} "
                     f"| {digits(row['ratio'])}x | {bounds(row)} |")
    return "\n".join(lines)


def in_turn(turn, sides):
    """`sides` in the order of round `turn`: every other round backwards, so that no side always
    finds the cooler chip."""
    return list(sides) if turn % 2 == 0 else list(reversed(list(sides)))


def text(command, **more):
    """What `command` prints; its own words where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        told = textwrap.shorten(" ".join(map(str, command)), 100)
        sys.exit(f"{told}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def prober():
    """The built example `peer` of crates/hw-probe: named by PEERS_PROBER, or built now."""
    if "PEERS_PROBER" in os.environ:
        return os.environ["PEERS_PROBER"]
    out = text(["cargo", "build", "--release", "-p", "hw-probe", "--example", "peer",
                "--message-format=json"], cwd=ROOT)
    for line in out.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "peer":
            return message["executable"]
    sys.exit("cargo built no peer")


def machine():
    """The processor's name, and what else tells this machine from others of that name."""
    found = json.loads(text([prober(), "machine"]))
    kept = ("fingerprint", "cores", "threads", "memory_bytes", "os", "kernel", "hypervisor")
    return {"machine": found["cpu_model"], "host": {name: found[name] for name in kept}}


def place(run):
    """What tells the machine of a run from others."""
    return (run["machine"], (run.get("host") or {}).get("fingerprint", ""))


def known(path):
    """The document that is there already; another kind of file is not written over."""
    if not path.exists():
        return {"schema": SCHEMA, "runs": []}
    document = json.loads(path.read_text())
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        sys.exit(f"{path}: not a '{SCHEMA}' document: name another file")
    return document


def write(path, script, rows):
    """Writes `rows` as the run of `script` into the document at `path`, whole or not at all."""
    path = Path(path)
    document = known(path)
    run = {
        "script": Path(script).name,
        "measured_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **machine(),
        "rows": rows,
    }
    which = lambda run: (run["script"], *place(run))  # noqa: E731
    others = [other for other in document["runs"] if which(other) != which(run)]
    document["runs"] = sorted([*others, run], key=which)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(document, indent=1) + "\n")
    temporary.replace(path)
