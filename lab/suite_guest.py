# SPDX-License-Identifier: GPL-2.0-or-later
"""Suites that run in the virtual machine; those with the same devices, domain and kernel share one start of it."""

import shlex

from lab import PROJECT, process, progress, results, suite_host, suites, vm

# What a machine may need of the host's memory, in MiB: its own, that of its devices, QEMU and the sanitized endpoints.
MEMORY_OF_ONE = 3072
# Where Python programs of the guest find the lab, the module that prints TAP, and what they share.
PYTHON_PATH = "PYTHONPATH=/src:/src/tests/tap:/src/tests/guest/lib"
LOG_CASE = "kernel log is clean"
EXPECTED_LOG_CASE = "the kernel log scan finds what the suite provokes"


def command(suite):
    """Command line of a suite in the guest."""
    place = suite.program.relative_to(PROJECT)
    env = [f"{name}={value}" for name, value in suite.env.items()]
    if place.suffix == ".py":
        words = ["env", PYTHON_PATH, *env, "python3", "-B", f"/src/{place}"]
    else:
        words = ["env", *env] if env else []
        words += ["sh", f"/src/{place}"] if place.suffix == ".sh" else [f"/build/{place.with_suffix('')}"]
    return words + suite.args


def _limits(flavour):
    """What tells the programs of a suite that the limits of their cases are longer, as the limit of the suite is."""
    return {"TPHBUF_SLOWDOWN": str(suites.SLOWDOWN.get(flavour, 1))}


def groups(listed):
    """Suites by machine, in the order of the list; the machine that may run longest comes first."""
    table = {}
    for suite in listed:
        table.setdefault(suite.machine_key(), []).append(suite)
    return sorted(table.values(), key=lambda group: -sum(suite.timeout for suite in group))


def _script(group):
    """Shell script of the guest: one suite after the other, each with output, status and a mark in the kernel log."""
    lines = []
    for suite in group:
        lines += [f"echo 'lab: suite {suite.name} begins' >/dev/kmsg",
                  f"echo {suite.name} >running",
                  f"echo >{suite.name}.begin",
                  f"timeout -k 5 {suite.timeout} {shlex.join(command(suite))} >{suite.name}.tap 2>{suite.name}.err",
                  f"echo $? >{suite.name}.status",
                  ". /src/lab/guest/state"]
    return "\n".join(lines) + "\n"


def _status(job, suite):
    """Exit status of a suite that ran to its end, else None."""
    path = job / f"{suite.name}.status"
    text = path.read_text().strip() if path.is_file() else ""
    if text in ("124", "137"):
        return f"timeout after {suite.timeout} s"
    return int(text) if text else None


def _started(job, suite):
    return (job / f"{suite.name}.begin").is_file()


def _seconds(job, suite):
    """How long a suite took, by the clock of the file system; None when it did not get to its end."""
    begin, end = job / f"{suite.name}.begin", job / f"{suite.name}.status"
    return end.stat().st_mtime - begin.stat().st_mtime if begin.is_file() and end.is_file() else None


def _log_case(suite, hits):
    found = [f"{line}: {text}" for _, line, text in hits]
    if suite.expect == "kernel-log":
        status = "pass" if found else "fail"
        return results.Case(EXPECTED_LOG_CASE, status, "" if found else "nothing was found", [])
    return results.Case(LOG_CASE, "fail" if found else "pass", f"{len(found)} signs of trouble" if found else "", found[:20])


def _collect(result, group, report):
    """Report each suite of a finished run; returns those that did not get their turn."""
    rest = []
    reason = result.reason
    for number, suite in enumerate(group):
        status = _status(result.job, suite)
        if status is None and not _started(result.job, suite) and number > 0:
            rest = group[number:]
            break
        if status is None:
            cases = [results.Case("run", "fail", reason or "the guest ended in the middle of the suite",
                              vm.console(result.job).splitlines()[-30:])]
            reason = None
        else:
            cases = suite_host.read_output(result.job / f"{suite.name}.tap", result.job / f"{suite.name}.err", status)
        own = [hit for hit in result.hits if hit[0] == suite.name or (hit[0] is None and number == 0)]
        cases.append(_log_case(suite, own))
        if reason and suite is group[-1]:
            names = ", ".join(other.name for other in group)
            cases.append(results.Case("the machine ends in good order", "fail", f"{reason} (suites: {names})",
                                  _endpoints_log(result.job)))
        report.add(suite, cases, _seconds(result.job, suite))
    return rest


def _endpoints_log(job):
    path = job / "endpoints.log"
    return path.read_text(errors="replace").splitlines()[-40:] if path.is_file() else []


def at_once():
    """How many machines this host runs beside one another: one keeps less than a processor busy, as it waits for resets."""
    return max(1, min(process.processors() + 1, vm.memory_of_host() // MEMORY_OF_ONE))


def _run_group(prepared, group, report, variant):
    """Run the suites of one machine; where it ends early, those that had no turn get another start of it."""
    while group:
        first = group[0]
        modules = [prepared.module(first.kernel, name) for name in first.modules]
        machine = vm.Machine(prepared.root, prepared.kernels[first.kernel], first.devices, first.domain, modules,
                             variant, reboots=first.reboots, boot=first.boot, icount=first.icount, cpu=first.cpu or vm.CPU,
                              inject=first.inject,
                             selftests=prepared.selftests[tuple(first.selftests)] if first.selftests else None,
                             installed=prepared.installed if first.installed else None,
                             ucx=prepared.ucx if first.ucx else None)
        job = vm.prepare(first.name)
        with progress.step(f"vm {first.name}") as step:
            def watch(job=job, step=step):
                running = job / "running"
                step.detail = running.read_text().strip() if running.is_file() else "booting"
            result = vm.run(machine, job, _script(group), sum(suite.timeout for suite in group), _limits(first.kernel), watch,
                            suites.SLOWDOWN.get(first.kernel, 1) * vm.BOOT_TIMEOUT)
            step.detail = "%d devices, %s domain, %s kernel, %d suites" % (
                len(first.devices), first.domain, first.kernel, len(group))
        group = _collect(result, group, report)


def jobs(prepared, listed, report, variant="sanitized"):
    """Functions that run guest suites, one for each machine."""
    return [lambda group=group: _run_group(prepared, group, report, variant) for group in groups(listed)]
