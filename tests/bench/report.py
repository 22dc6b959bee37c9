# SPDX-License-Identifier: BSD-2-Clause
"""The tables that the benchmark prints. Ratios compare medians, always to the best rival of the same run."""

import statistics

from tools import Unmeasurable

SUBJECT = "sealane"
# More cores than this used by others make a round's figures doubtful.
FOREIGN_MAX = 0.15
# With more new upstream connections per request than this, a pool was none.
POOLED_DIALS_MAX = 0.01


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
    dials = [run.dials for run in runs if run.dials is not None]
    return (f"  {name:<8} {_number(min(rates)):>9} {_number(median):>9} {_number(max(rates)):>9}"
            f" {f'{median / best:.2f} x' if best else '-':>8}"
            f" {f'{min(resumed):.3f}' if resumed else '-':>8}"
            f" {f'{max(dials):.3f}' if dials else '-':>6}"
            f" {_number(statistics.median(run.wall_rate for run in runs)):>9}"
            f" {statistics.median(run.core for run in runs):>6.0%}"
            f" {sum(run.errors for run in runs):>7}"
            f" {max(run.foreign for run in runs):>7.2f}")


def print_rate(workload, results):
    """`results`: lists of Measured, or an Unmeasurable, by proxy name. Returns the line for the summary."""
    measured = {name: runs for name, runs in results.items() if not isinstance(runs, Unmeasurable)}
    rivals = [_median(runs) for name, runs in measured.items() if name != SUBJECT]
    best = max(rivals, default=None)
    print(f"\n{workload.name}: {workload.title}; {workload.unit} per CPU-second of the proxy")
    print(f"  {'':<8} {'min':>9} {'median':>9} {'max':>9} {'to best':>8} {'resumed':>8}"
          f" {'dials':>6} {'wall/s':>9} {'core':>6} {'errors':>7} {'others':>7}")
    for name, runs in results.items():
        if name in measured:
            print(_rate_row(name, runs, best))
        else:
            print(f"  {name:<8} not measured: {runs}")
    if SUBJECT not in measured or not best:
        return None
    ratio = _median(measured[SUBJECT]) / best
    aim = f"aim {workload.aim:g}: {_reached(ratio, workload.aim)}" if workload.aim else "no aim"
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
    """`results`: calls by kind, or an Unmeasurable, by proxy name. Returns the line for the summary."""
    kinds = ("total", "recv", "send", "poll", "other")
    print(f"\n{workload.name}: {workload.title} (under strace)")
    print(f"  {'':<8} " + " ".join(f"{kind:>8}" for kind in kinds))
    for name, calls in results.items():
        if isinstance(calls, Unmeasurable):
            print(f"  {name:<8} not measured: {calls}")
        else:
            print(f"  {name:<8} " + " ".join(f"{calls[kind]:>8.2f}" for kind in kinds))
    calls = results.get(SUBJECT)
    if not workload.aim or not calls or isinstance(calls, Unmeasurable):
        return None
    return (f"{workload.name:<34} {calls['total']:5.2f} calls             "
            f"   aim {workload.aim}: {_reached(calls['total'], workload.aim, at_most=True)}")


def doubts(results):
    """Lines on foreign load, pools that were none, and failed connections; `results` as for print_rate."""
    lines = []
    for workload, by_proxy in results:
        measured = {name: runs for name, runs in by_proxy.items()
                    if not isinstance(runs, Unmeasurable)}
        foreign = max((run.foreign for runs in measured.values() for run in runs), default=0)
        if foreign > FOREIGN_MAX:
            lines.append(f"{workload.name}: other programs used up to {foreign:.2f} cores")
        for name, runs in measured.items():
            dials = max((run.dials or 0 for run in runs), default=0)
            if workload.pooled and dials > POOLED_DIALS_MAX:
                lines.append(f"{workload.name}: {name} made {dials:.3f} upstream connections"
                             " a request, though it was to keep them")
            if errors := sum(run.errors for run in runs):
                lines.append(f"{workload.name}: {errors} connections through {name} failed")
    return lines
