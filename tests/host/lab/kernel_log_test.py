# SPDX-License-Identifier: GPL-2.0-or-later
"""The scan of kernel logs finds reports of every kind, and nothing in a log that is clean."""

from pathlib import Path

import tap
from lab import kernel_log

SAMPLES = Path(__file__).parent / "kernel_logs"


def test_reports():
    """each sample of a report is found"""
    samples = sorted(SAMPLES.glob("*.log"))
    tap.true(len(samples) > 5, f"only {len(samples)} samples")
    for path in samples:
        hits = kernel_log.scan(path.read_text())
        if path.stem == "clean":
            tap.equal(hits, [], path.name)
        else:
            tap.true(hits, f"{path.name}: nothing found")


def test_suite():
    """a report belongs to the suite that ran when it came"""
    log = ("[    0.1] WARNING: CPU: 0 PID: 1 at a.c:1\n[    1.0] lab: suite one begins\n"
           "[    1.1] fine\n[    2.0] lab: suite two begins\n[    2.1] BUG: sleeping function called\n")
    tap.equal([(suite, line) for suite, line, _ in kernel_log.scan(log)], [(None, 1), ("two", 5)])


def test_stamps():
    """time stamps of every form, and none, are no obstacle"""
    for stamp in ("", "[    1.234567] ", "[    1.234567][  T123] ", "[    1.234567][    C0] ", "<4>[   12.3] "):
        tap.equal(len(kernel_log.scan(f"{stamp}WARNING: lock held when returning to user space!\r\n")), 1, stamp)


def test_debugging_of_dma():
    """what DMA-API says at boot is no report, what it says of a driver is"""
    for line in ("DMA-API: preallocated 65536 debug entries", "DMA-API: debugging enabled by kernel config"):
        tap.equal(kernel_log.scan(f"[    1.0] {line}\n"), [], line)
    for line in ("DMA-API: tph_dma 0000:00:11.0: device driver frees DMA memory with different size",
                 "DMA-API: debugging out of memory - disabling"):
        tap.equal(len(kernel_log.scan(f"[    1.0] {line}\n")), 1, line)


def test_races():
    """a data race counts, unless it is one of those that are known, both functions of it"""
    for race, count in (("__hrtimer_run_queues / hrtimer_active", 0), ("__hrtimer_run_queues / vfio_pci_dma_buf_map", 1),
                        ("vfio_pci_dma_buf_move / vfio_pci_dma_buf_set_tph", 1), ("hrtimer_active", 1)):
        tap.equal(len(kernel_log.scan(f"[    1.0] BUG: KCSAN: data-race in {race}\n")), count, race)


def test_state():
    """taints that nobody expects are found once, by the suite that caused them, and lockdep that has given up"""
    log = ("[    1.0] lab: suite one begins\n[    1.1] lab: state tainted=4096 debug_locks=1\n"
           "[    2.0] lab: suite two begins\n[    2.1] lab: state tainted=20512 debug_locks=1\n"
           "[    3.0] lab: suite three begins\n[    3.1] lab: state tainted=20512 debug_locks=0\n")
    tap.equal([(suite, line) for suite, _, line in kernel_log.scan(log)],
              [("two", "the kernel is tainted: bad page"), ("three", "lockdep is off")])
    tap.equal(kernel_log.scan("lab: state tainted=0\n"), [])
    tap.equal(kernel_log.scan(f"lab: state tainted={1 << 30}\n")[0][2], "the kernel is tainted: bit 30")


if __name__ == "__main__":
    tap.run(globals())
