# SPDX-License-Identifier: GPL-2.0-or-later
"""The declarative list: mistakes in it are errors and not suites that nobody runs."""

import tempfile
from pathlib import Path

import tap
from lab import suite_guest, suites


def _load(text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "suites.toml"
        path.write_text(text)
        return suites.load(path)


def _refused(text):
    try:
        _load(text)
    except ValueError:
        return
    raise AssertionError(f"taken: {text}")


def test_project():
    """the project's own list is right"""
    tap.true(suites.load(), "it is empty")


def test_mistakes():
    """unknown keys, kinds, domains, names twice"""
    _refused('[[suite]]\nname = "a"\nkind = "gest"\n')
    _refused('[[suite]]\nname = "a"\nkind = "guest"\ntimeot = 3\n')
    _refused('[[suite]]\nname = "a"\nkind = "guest"\ndomain = "none"\n')
    _refused('[[suite]]\nname = "a"\nkind = "host"\ndevices = ["accelerator,name=acc0"]\n')
    _refused('[[suite]]\nname = "a"\nkind = "host"\nreboots = true\n')
    _refused('[[suite]]\nname = "a"\nkind = "guest"\ndevices = ["accelerator,name=a", "accelerator,name=a"]\n')
    _refused('[[suite]]\nname = "a"\nkind = "host"\n[[suite]]\nname = "a"\nkind = "host"\n')
    _refused('[[suite]]\nkind = "host"\n')
    _refused('[[suite]]\nname = "a"\nkind = "guest"\nmachine = "large"\n')


def test_groups():
    """suites share a machine when kernel, its command line, domain, devices and modules are the same"""
    one, two, three, four = _load('[[suite]]\nname = "a"\nkind = "guest"\n[[suite]]\nname = "b"\nkind = "guest"\n'
                                  '[[suite]]\nname = "c"\nkind = "guest"\ndomain = "translated"\n'
                                  '[[suite]]\nname = "d"\nkind = "guest"\nboot = "quiet"\n')
    tap.equal(one.machine_key(), two.machine_key())
    tap.true(one.machine_key() != three.machine_key(), "another domain is another machine")
    tap.true(one.machine_key() != four.machine_key(), "so is another command line")
    one, two = _load('[[suite]]\nname = "a"\nkind = "guest"\nreboots = true\n'
                     '[[suite]]\nname = "b"\nkind = "guest"\nreboots = true\n')
    tap.true(one.machine_key() != two.machine_key(), "a restart runs the suite again, and must not run another one")


def test_order():
    """the machine that may run longest is started first, with its suites in the order of the list"""
    listed = _load('[[suite]]\nname = "short"\nkind = "guest"\ntimeout = 100\n'
                   '[[suite]]\nname = "first"\nkind = "guest"\ntimeout = 60\nboot = "quiet"\n'
                   '[[suite]]\nname = "second"\nkind = "guest"\ntimeout = 70\nboot = "quiet"\n')
    names = [[suite.name for suite in group] for group in suite_guest.groups(listed)]
    tap.equal(names, [["first", "second"], ["short"]])


if __name__ == "__main__":
    tap.run(globals())
