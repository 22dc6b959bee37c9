# SPDX-License-Identifier: BSD-2-Clause
"""The tables that the benchmark prints. Ratios compare medians, always to the best rival of the same run."""

import statistics

from tools import Unmeasurable

SUBJECT = "sealane"
# More cores than this used by others make a round's figures doubtful.
FOREIGN_MAX = 0.15


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _reached(value, aim, at_most=False):
    return "reached" if (value <= aim if at_most else value >= aim) else "missed"


def _median(runs):
    return statistics.median(run.rate for run in runs)


def _rate_row(name, runs, best):
    rates = [run.rate for run in runs]
    median = statistics.median(rates)
    resumed = [run.resumed for run in runs if run.resumed is not None]
    return (f"  {name:<8} {_number(min(rates)):>9} {_number(median):>9} {_number(max(rates)):>9}"
            f" {f'{median / best:.2f} x' if best else '-':>8}"
            f" {f'{min(resumed):.3f}' if resumed else '-':>8}"
            f" {_number(statistics.median(run.wall_rate for run in runs)):>9}"
            f" {statistics.median(run.core for run in runs):>6.0%}"
            f" {sum(run.errors for run in runs):>7}"
            f" {max(run.foreign for run in runs):>7.2f}")


def print_rate(workload, results):
    """`results`: lists of Measured, or an Unmeasurable, by proxy name. Returns the line for the summary."""
    measured = {name: runs for name, runs in results.items() if not isinstance(runs, Unmeasurable)}
    rivals = [_median(runs) for name, runs in measured.items() if name != SUBJECT]
    best = max(rivals, default=None)
    unit = "GB" if workload.bulk else "connections"
    print(f"\n{workload.name}: {workload.title}; {unit} per CPU-second of the proxy")
    print(f"  {'':<8} {'min':>9} {'median':>9} {'max':>9} {'to best':>8} {'resumed':>8}"
          f" {'wall/s':>9} {'core':>6} {'errors':>7} {'others':>7}")
    for name, runs in results.items():
        if name in measured:
            print(_rate_row(name, runs, best))
        else:
            print(f"  {name:<8} not measured: {runs}")
    if SUBJECT not in measured or not best:
        return None
    ratio = _median(measured[SUBJECT]) / best
    aim = f"aim {workload.aim:.1f}: {_reached(ratio, workload.aim)}" if workload.aim else "no aim"
    return f"{workload.name:<34} {ratio:5.2f} x the best rival   {aim}"


def print_idle(workload, results):
    """`results`: KiB, or an Unmeasurable, by proxy name. Returns the line for the summary."""
    measured = {name: kib for name, kib in results.items() if not isinstance(kib, Unmeasurable)}
    best = min((kib for name, kib in measured.items() if name != SUBJECT), default=None)
    print(f"\n{workload.name}: {workload.title}; PSS growth in KiB")
    print(f"  {'':<8} {'KiB':>9} {'to best':>8}")
    for name, kib in results.items():
        if name in measured:
            print(f"  {name:<8} {kib:>9.1f} {f'{kib / best:.2f} x' if best else '-':>8}")
        else:
            print(f"  {name:<8} not measured: {kib}")
    if SUBJECT not in measured:
        return None
    kib = measured[SUBJECT]
    return (f"{workload.name:<34} {kib:5.1f} KiB               "
            f"   aim {workload.aim}: {_reached(kib, workload.aim, at_most=True)}")


def print_calls(workload, results):
    """`results`: calls by kind, or an Unmeasurable, by proxy name."""
    kinds = ("total", "recv", "send", "poll", "other")
    print(f"\n{workload.name}: {workload.title} (under strace)")
    print(f"  {'':<8} " + " ".join(f"{kind:>8}" for kind in kinds))
    for name, calls in results.items():
        if isinstance(calls, Unmeasurable):
            print(f"  {name:<8} not measured: {calls}")
        else:
            print(f"  {name:<8} " + " ".join(f"{calls[kind]:>8.2f}" for kind in kinds))


def doubts(results):
    """Lines on workloads that others disturbed, and on failed connections; `results` as for print_rate."""
    lines = []
    for workload, by_proxy in results:
        measured = {name: runs for name, runs in by_proxy.items()
                    if not isinstance(runs, Unmeasurable)}
        foreign = max((run.foreign for runs in measured.values() for run in runs), default=0)
        if foreign > FOREIGN_MAX:
            lines.append(f"{workload.name}: other programs used up to {foreign:.2f} cores")
        for name, runs in measured.items():
            if errors := sum(run.errors for run in runs):
                lines.append(f"{workload.name}: {errors} connections through {name} failed")
    return lines
