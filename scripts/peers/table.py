"""What the peers' scripts have kept, as markdown.

    python scripts/peers/table.py benches/record/peers.json [--short | --script NAME]

Every case, or those of one script; or, with --short, a line per peer and machine: when, how many
cases, the worst, the middle and the best ratio. It is always the worst that is named first."""

import json
import statistics
import sys
from pathlib import Path

from record import digits, markdown, place

# What `scripts/peers/run --only` calls each script.
ONLY = {
    "data.py": "data", "features.py": "features", "features.py --alpha": "alpha",
    "probe.py memory": "probe", "probe.py compute": "probe", "probe.py storage": "probe",
    "raptorbt_side_by_side.py": "raptorbt", "vectorbt_side_by_side.py": "vectorbt",
}


def cores(host):
    """Its cores, and the threads that a process may run where they are more or fewer."""
    threads = "" if host["threads"] == host["cores"] else f", {host['threads']} threads"
    return f"{host['cores']} core{'s' * (host['cores'] != 1)}{threads}"


def gib(host):
    return f"{host['memory_bytes'] / 2**30:.0f} GiB" if host["memory_bytes"] else "unknown memory"


def short_name(run):
    """A machine in a cell of the short table."""
    host = run.get("host")
    return f"{run['machine']}, {cores(host)}, {gib(host)}" if host else run["machine"]


def full_name(run):
    """All that is kept of a run's machine."""
    host = run.get("host")
    if not host:
        return f"{run['machine']} (before cores, memory and system were kept)"
    guest = f", a guest of {host['hypervisor']}" if host["hypervisor"] else ""
    return (f"{short_name(run)}, {host['os']}, kernel {host['kernel'] or 'unknown'}{guest}, "
            f"fingerprint {host['fingerprint']}")


def days(runs):
    """The day of the first and of the last run."""
    first, last = (when(run["measured_at"][:10] for run in runs) for when in (min, max))
    return first if first == last else f"{first} to {last}"


def short(runs):
    yield (f"`scripts/peers/run`, {days(runs)}; how many times better redline is. Every case is in "
           "[docs/peers.md](docs/peers.md).\n")
    yield "| peer | machine | measured | cases | lowest | median | highest |"
    yield "|---|---|---|---:|---|---:|---|"
    peers = {}
    for run in runs:
        for row in run["rows"]:
            peers.setdefault((row["peer"], place(run)), []).append((row, run))
    for _, found in sorted(peers.items(), key=lambda item: (item[0][0].lower(), item[0][1])):
        found.sort(key=lambda pair: pair[0]["ratio"])
        rows, of = [row for row, _ in found], [run for _, run in found]
        worst, best = (f"{digits(row['ratio'])}x ({row['case']})" for row in (rows[0], rows[-1]))
        middle = statistics.median(row["ratio"] for row in rows)
        yield (f"| {rows[0]['peer']} | {short_name(of[0])} | {days(of)} | {len(rows)} | {worst} "
               f"| {digits(middle)}x | {best} |")
    machines = sorted({full_name(run) for run in runs})
    yield f"\nThe machines: {'; '.join(machines)}."


def whole(runs):
    for run in runs:
        yield f"\n### {run['script']}, {run['measured_at'][:10]}, {short_name(run)}\n"
        yield f"`scripts/peers/run --only {ONLY[run['script']]}`, {run['measured_at']}, {full_name(run)}.\n"
        yield markdown(run["rows"])


runs = json.loads(Path(sys.argv[1]).read_text())["runs"]
if "--script" in sys.argv:
    script = sys.argv[sys.argv.index("--script") + 1]
    runs = [run for run in runs if run["script"].split()[0] == script]
print("\n".join((short if "--short" in sys.argv else whole)(runs)))
