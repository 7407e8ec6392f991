"""Chains and fans of steps that do nothing but start `true`, by Switchyard and by its peers.

Every row is the whole command, its own start included; what that start costs is the row of one step.
`PEER_STEPS` says how many steps (1,000); the Python engines that take long for each get a tenth of them.

Once in memory and once on the disk. There, nothing is removed before the end: ext4 passes over the inodes of files that
were deleted within the last minutes, one by one, whenever it makes a file, so that whoever comes later would pay for it.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEERS = Path(sys.argv[1]).absolute()
STEPS = int(os.environ.get("PEER_STEPS", "1000"))
PROGRAM = str(Path(os.environ["SWITCHYARD_PROGRAM"]).resolve())
JOBS = os.cpu_count() or 2


def shape(name, steps):
    """The steps by number, each with the one that it needs."""
    return [(n, n - 1 if name == "chain" and n else None) for n in range(steps)]


def switchyard(kind):
    def write(directory, edges):
        lines = ["name: bench", f"max_concurrent: {JOBS * 2}", "steps:"]
        for step, need in edges:
            needs = f", needs: [s{need}]" if need is not None else ""
            lines.append(f"  - {{ id: s{step}, {kind}{needs} }}")
        (directory / "bench.flow.yaml").write_text("\n".join(lines) + "\n")
        home = directory / "home"
        environment = {**os.environ, "SWITCHYARD_HOME": str(home)}
        # The pane host is there already when somebody works; its start is not the flow's.
        subprocess.run([PROGRAM, "panes"], env=environment, check=True, stdout=subprocess.DEVNULL)
        return [PROGRAM, "flow", "run", "bench.flow.yaml", "--json"], environment

    return write


def make(directory, edges):
    lines = ["all: " + " ".join(f"s{step}" for step, _ in edges)]
    for step, need in edges:
        lines += [f"s{step}: " + (f"s{need}" if need is not None else ""), "\t@true && touch $@"]
    (directory / "Makefile").write_text("\n".join(lines) + "\n")
    return ["make", f"-j{JOBS}"], None


def ninja(directory, edges):
    lines = ["rule true", "  command = true && touch $out"]
    lines += [f"build s{step}: true" + (f" s{need}" if need is not None else "") for step, need in edges]
    (directory / "build.ninja").write_text("\n".join(lines) + "\n")
    return [str(PEERS / "bin/ninja"), "--quiet"], None


def doit(directory, edges):
    tasks = [
        f"def task_s{step}():\n    return {{'actions': ['true'], 'task_dep': {[f's{need}'] if need is not None else []}}}\n"
        for step, need in edges
    ]
    (directory / "dodo.py").write_text("\n".join(tasks))
    return [str(PEERS / "bin/doit"), "--verbosity", "0", "-n", str(JOBS)], None


def luigi(directory, edges):
    chained = any(need is not None for _, need in edges)
    (directory / "bench.py").write_text(f"""
import subprocess, luigi

class Step(luigi.Task):
    number = luigi.IntParameter()
    def requires(self):
        return [Step(self.number - 1)] if {chained} and self.number else []
    def output(self):
        return luigi.LocalTarget(f"out/{{self.number}}")
    def run(self):
        subprocess.run(["true"], check=True)
        with self.output().open("w"):
            pass

if __name__ == "__main__":
    import sys
    sys.setrecursionlimit(10_000)
    luigi.build([Step(n) for n in range({len(edges)})], local_scheduler=True, workers={JOBS}, log_level="ERROR")
""")
    return [str(PEERS / "bin/python"), "bench.py"], None


def prefect(directory, edges):
    chained = any(need is not None for _, need in edges)
    (directory / "bench.py").write_text(f"""
import subprocess
from prefect import flow, task

@task
def step(before):
    subprocess.run(["true"], check=True)
    return 0

@flow
def bench():
    if {chained}:
        before = 0
        for _ in range({len(edges)}):
            before = step(before)
    else:
        [future.result() for future in [step.submit(0) for _ in range({len(edges)})]]

if __name__ == "__main__":
    bench()
""")
    environment = {
        **os.environ,
        "PREFECT_HOME": str(directory / "prefect"),
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    return [str(PEERS / "bin/python"), "bench.py"], environment


def measure(place, write, name, steps):
    directory = Path(tempfile.mkdtemp(dir=place))
    command, environment = write(directory, shape(name, steps))
    try:
        begun = time.monotonic()
        done = subprocess.run(
            command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=120,
        )
        took = time.monotonic() - begun
    finally:
        if (directory / "home").exists():
            stop = {**os.environ, "SWITCHYARD_HOME": str(directory / "home")}
            subprocess.run([PROGRAM, "host", "--stop"], env=stop, capture_output=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    return took


ROWS = [
    ("switchyard, `value`", switchyard("value: x"), 1),
    ("switchyard, `run: true`", switchyard("run: 'true'"), 1),
    ("make", make, 1),
    ("ninja", ninja, 1),
    ("doit", doit, 1),
    ("luigi", luigi, 5),
    ("prefect", prefect, 10),
]

def row(place, title, write, fewer):
    steps = max(10, STEPS // fewer)
    try:
        one = measure(place, write, "chain", 1)
        cells = [f"{one * 1e3:>8.0f} ms"]
        for name in ("chain", "fan"):
            took = measure(place, write, name, steps)
            # Without the command's own start.
            step = (took - one) / (steps - 1)
            cells += [f"{took:>8.2f} s", f"{step * 1e3:>7.2f} ms"]
        print(f"{title:<26}{steps:>7}{''.join(cell.rjust(10) for cell in cells)}", flush=True)
    except FileNotFoundError as missing:
        print(f"{title:<26} not installed: {missing.filename}", flush=True)
    except (RuntimeError, subprocess.TimeoutExpired) as failed:
        print(f"{title:<26} failed: {failed}", flush=True)


wanted = sys.argv[2:]
PLACES = [("in memory", Path("/dev/shm")), ("on disk", Path(tempfile.gettempdir()))]
for where, above in PLACES:
    if not os.access(above, os.W_OK):
        print(f"{where}: {above} can't be written")
        continue
    print(f"{where:<26}{'steps':>7}{'one step':>11}{'chain':>10}{'a step':>10}{'fan':>10}{'a step':>10}")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=above) as place:
        for title, write, fewer in ROWS:
            if not wanted or any(word in title for word in wanted):
                row(place, title, write, fewer)
