"""Measures the runtime against its peers and against the least a loop of its kind must do.

The peers are the BEAM (Debian's erlang-base, the better of its default and of one scheduler), CAF (libcaf-dev) and
the floors in test/anchors/runtime. Contestants take turns, each run is a process of its own, and what is compared are
the medians of all runs.
"""

import dataclasses
import os
import statistics
import subprocess
import time

from support.programs import BIN, ROOT

SOURCES = ROOT / "test" / "anchors" / "runtime"
PEERS = ROOT / "build" / "anchors"
PROGRAM = BIN / "otp_bench"
RUNS = 5
RUN_LIMIT_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: a figure of a case. The goal is for this runtime; None: no goal."""

    case: str
    metric: str
    unit: str
    goal: float | None = None
    more_is_better: bool = True
    peer_metric: str | None = None


ROWS = [
    Row("pingpong", "round_trips", "ops/s", 17e6),
    Row("call1", "continued", "ops/s", 9e6, peer_metric="calls"),
    Row("call1", "awaited", "ops/s", 9e6, peer_metric="calls"),
    Row("call100", "continued", "ops/s", 9e6, peer_metric="calls"),
    Row("call100", "awaited", "ops/s", 9e6, peer_metric="calls"),
    Row("ring", "hops", "ops/s", 35e6),
    Row("fanin2", "messages", "ops/s", 20e6),
    Row("fanin100", "messages", "ops/s", 20e6),
    Row("pairs", "messages", "ops/s", 29e6),
    Row("spawn_exit", "processes", "ops/s", 10e6),
    Row("dynamic_supervisor", "start_stop", "ops/s", 3e6),
    Row("memory", "bytes", "B", 290, more_is_better=False),
    Row("restart", "restarts", "ops/s", 226e3),
    Row("restart", "crash_to_answer.p50", "us", 4, more_is_better=False),
    Row("restart", "crash_to_answer.p99", "us", 10, more_is_better=False),
    Row("timers", "set", "ops/s", 20e6),
    Row("timers", "cancel", "ops/s", 40e6),
    Row("timers", "bytes", "B", 64, more_is_better=False),
    Row("timers_late", "late.p99", "ms", 0.3, more_is_better=False),
    Row("hot", "calls", "ops/s", 2.8e6),
    Row("parcel", "round_trips", "ops/s", 10e6),
    Row("hogs", "call.p50", "us", 50, more_is_better=False),
    Row("hogs", "call.p99", "us", 300, more_is_better=False),
    Row("real_time", "late.p50", "us", more_is_better=False),
    Row("real_time", "late.p99", "us", more_is_better=False),
    Row("real_time", "ordinary_late.p99", "us", more_is_better=False),
    Row("real_time", "bare_thread_late.p50", "us", more_is_better=False),
    Row("real_time", "bare_thread_late.p99", "us", more_is_better=False),
    Row("pubsub", "deliveries_1000", "ops/s", 12e6),
    Row("table", "lookup", "ops/s", 26e6),
    Row("registry", "lookup", "ops/s", 15e6),
    Row("task", "async_await", "ops/s", 4e6),
    Row("halt", "time", "ms", 3, more_is_better=False),
    Row("idle", "memory", "MiB", 3, more_is_better=False),
    Row("idle", "wakeups", "1/s", 0, more_is_better=False),
]


@dataclasses.dataclass(frozen=True)
class Contestant:
    """How one of them is run for a case: its command ends with the case's name."""

    name: str
    command: tuple[str, ...]
    peer: str = ""

    def run(self, case: str) -> dict[tuple[str, str], float]:
        """The figures it prints, by case and metric; none when it has no such case or takes too long."""
        started = time.monotonic()
        try:
            done = subprocess.run(
                [*self.command, case],
                capture_output=True,
                text=True,
                timeout=RUN_LIMIT_SECONDS,
                check=False,
                env={**os.environ, "ERL_CRASH_DUMP_SECONDS": "0"},
            )
        except subprocess.TimeoutExpired:
            return {}
        if done.returncode != 0:
            return {}
        figures = {("halt", "time"): (time.monotonic() - started) * 1e3} if case == "halt" else {}
        for line in done.stdout.splitlines():
            words = line.split()
            if len(words) == 4:
                figures[words[0], words[1]] = float(words[2])
        return figures


def build_peers() -> list[Contestant]:
    """Compiles the peers into build/anchors."""
    PEERS.mkdir(parents=True, exist_ok=True)
    compiler = ["g++", "-O2", "-pthread"]
    floor = SOURCES / "floor.cpp"
    for command in (
        [*compiler, "-std=c++23", floor, "-o", PEERS / "floor_atomic"],
        [*compiler, "-std=c++23", "-DOWNER_LOCAL", floor, "-o", PEERS / "floor_local"],
        [*compiler, "-std=c++20", SOURCES / "caf_peer.cpp", "-o", PEERS / "caf_peer", "-lcaf_core"],
        ["erlc", "-o", PEERS, *SOURCES.glob("*.erl")],
    ):
        subprocess.run(command, check=True)
    beam = ("-noshell", "-pa", str(PEERS), "-run", "beam_peer", "main")
    workers = str(len(os.sched_getaffinity(0)))
    return [
        Contestant("sinew", (str(PROGRAM), "--workers", workers)),
        Contestant("sinew, one worker", (str(PROGRAM), "--workers", "1"), "one_worker"),
        Contestant("beam", ("erl", *beam), "beam"),
        Contestant("beam, one scheduler", ("erl", "+S", "1:1", *beam), "beam"),
        Contestant("caf", (str(PEERS / "caf_peer"), workers), "caf"),
        Contestant("caf, one worker", (str(PEERS / "caf_peer"), "1"), "caf"),
        Contestant("floor, atomic", (str(PEERS / "floor_atomic"), "1"), "floor_atomic"),
        Contestant("floor, owner-local", (str(PEERS / "floor_local"), "1"), "floor_local"),
    ]


Samples = dict[tuple[str, str, str], list[float]]


def collect(contestants: list[Contestant], cases: list[str], runs: int) -> Samples:
    """Runs them in turns: (contestant, case, metric) -> one value a run."""
    samples: Samples = {}
    for _ in range(runs):
        for case in cases:
            for contestant in contestants:
                for (printed_case, metric), value in contestant.run(case).items():
                    samples.setdefault((contestant.name, printed_case, metric), []).append(value)
    return samples


def best_peer(row: Row, contestants: list[Contestant], samples: Samples, peer: str) -> float | None:
    """The better median of a peer's contestants."""
    metric = row.peer_metric or row.metric
    medians = [
        statistics.median(samples[key])
        for contestant in contestants
        if contestant.peer == peer and (key := (contestant.name, row.case, metric)) in samples
    ]
    if not medians:
        return None
    return max(medians) if row.more_is_better else min(medians)


def make_entry(row: Row, contestants: list[Contestant], samples: Samples) -> dict | None:
    values = samples.get(("sinew", row.case, row.metric))
    if not values:
        return None
    median = statistics.median(values)
    peers = {
        peer: figure
        for peer in ("one_worker", "beam", "caf", "floor_atomic", "floor_local")
        if (figure := best_peer(row, contestants, samples, peer)) is not None
    }
    reached = None if row.goal is None else (median >= row.goal if row.more_is_better else median <= row.goal)
    return {
        "case": row.case,
        "metric": row.metric,
        "unit": row.unit,
        "value": median,
        "spread": [min(values), max(values)],
        "runs": len(values),
        "goal": row.goal,
        "reached": reached,
        "peers": peers,
    }


def measure(names: list[str] | None = None, runs: int = RUNS) -> list[dict]:
    """All rows, or those of the named cases."""
    contestants = build_peers()
    cases = list(dict.fromkeys(row.case for row in ROWS if not names or row.case in names))
    samples = collect(contestants, cases, runs)
    return [entry for row in ROWS if (entry := make_entry(row, contestants, samples)) is not None]


def ratio(entry: dict, peer: str) -> str:
    """How many times better than the peer; below one: worse."""
    other = entry["peers"].get(peer)
    if not other or not entry["value"]:
        return "-"
    row = next(row for row in ROWS if (row.case, row.metric) == (entry["case"], entry["metric"]))
    return f"{entry['value'] / other if row.more_is_better else other / entry['value']:.2f}x"


def print_table(entries: list[dict]) -> None:
    print(
        f"{'case':<20}{'metric':<21}{'median':>11} {'unit':<6}{'spread':>21}{'goal':>10}     "
        f"{'1 worker':>10}{'BEAM':>8}{'CAF':>8}{'atomic':>8}{'local':>8}"
    )
    for entry in entries:
        low, high = entry["spread"]
        goal = "" if entry["goal"] is None else f"{entry['goal']:.4g}"
        one_worker = entry["peers"].get("one_worker")
        mark = {True: "met", False: "NOT", None: ""}[entry["reached"]]
        print(
            f"{entry['case']:<20}{entry['metric']:<21}{entry['value']:>11.4g} {entry['unit']:<6}"
            f"{f'{low:.4g} - {high:.4g}':>21}{goal:>10} {mark:<4}"
            f"{'-' if one_worker is None else f'{one_worker:.4g}':>10}"
            f"{ratio(entry, 'beam'):>8}{ratio(entry, 'caf'):>8}"
            f"{ratio(entry, 'floor_atomic'):>8}{ratio(entry, 'floor_local'):>8}"
        )
