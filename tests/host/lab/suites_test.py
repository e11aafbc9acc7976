# SPDX-License-Identifier: GPL-2.0-or-later
"""The declarative list: mistakes in it are errors and not suites that nobody runs."""

import re
import tempfile
import types
from pathlib import Path

import tap
from lab import check, suite_guest, suite_host, suites


def _load(text, *programs):
    """The suites of a list @text beside test programs, the names of their files below tests/."""
    with tempfile.TemporaryDirectory() as name:
        tests = Path(name)
        for program in programs:
            (tests / program).parent.mkdir(parents=True, exist_ok=True)
            (tests / program).touch()
        (tests / "suites.toml").write_text(text)
        return suites.load(tests)


def _guest(*entries):
    """The suites of the virtual machine that the entries, the text below [[suite]], make."""
    names = [re.search(r'name = "(\w+)"', entry)[1] for entry in entries]
    return _load("".join(f"[[suite]]\n{entry}\n" for entry in entries), *[f"guest/{name}_test.c" for name in names])


def _refused(text, *programs):
    try:
        _load(text, *programs)
    except ValueError:
        return
    raise AssertionError(f"taken: {text} {programs}")


def test_project():
    """the project's own list is right, and every test program has a suite"""
    tap.equal({suite.kind for suite in suites.load()}, {"host", "toolroot", "guest"}, "kinds")


def test_names():
    """a suite has the name of its file, and the kind of its folder"""
    loaded = _load('[[suite]]\nname = "a"\n[[suite]]\nname = "b"\n[[suite]]\nname = "again"\nprogram = "b"\n',
                   "host/c_test.py", "host/pcie/d_test.c", "host/pcie/fake.c", "toolroot/a_test.py", "guest/b_test.sh")
    tap.equal([(suite.name, suite.kind, suite.program.name) for suite in loaded],
              [("c", "host", "c_test.py"), ("pcie_d", "host", "d_test.c"), ("a", "toolroot", "a_test.py"),
               ("b", "guest", "b_test.sh"), ("again", "guest", "b_test.sh")])


def test_mistakes():
    """unknown keys, domains, machines; names twice; a suite without a program, a program without a suite"""
    suite = '[[suite]]\nname = "a"\n'
    tap.true(_load(suite, "guest/a_test.c"), "the entry is right where nothing is added")
    _refused(suite + "timeot = 3\n", "guest/a_test.c")
    _refused(suite + 'kind = "guest"\n', "guest/a_test.c")
    _refused(suite + 'domain = "none"\n', "guest/a_test.c")
    _refused(suite + 'machine = "large"\n', "guest/a_test.c")
    _refused(suite + 'devices = ["accelerator,name=a", "accelerator,name=a"]\n', "guest/a_test.c")
    _refused(suite + 'devices = ["accelerator,name=a,below=b"]\n', "guest/a_test.c")
    _refused(suite + 'boot = "pci=disable_acs_redir={b}"\n', "guest/a_test.c")
    _refused(suite + 'devices = ["accelerator,name=acc0"]\n', "toolroot/a_test.py")
    _refused(suite + "reboots = true\n", "toolroot/a_test.py")
    _refused(suite + "installed = true\n", "toolroot/a_test.py")
    _refused(suite + "ucx = true\n", "toolroot/a_test.py")
    _refused('[[suite]]\nprogram = "a"\n', "guest/a_test.c")
    _refused(suite + suite, "guest/a_test.c")
    _refused(suite, "guest/a_test.c", "host/a_test.c")
    _refused(suite, "guest/a_test.c", "toolroot/a_test.py")
    _refused(suite)
    _refused(suite, "guest/a.c")
    _refused(suite, "guest/a_test.c", "guest/b_test.c")
    _refused(suite, "guest/a_test.c", "toolroot/b_test.py")
    _refused(suite, "guest/a_test.c", "host/lib/b_test.c", "host/lib_b_test.c")


def test_meson():
    """a test program that Meson does not build, and a test of Meson's without a program, are failures"""
    class Place:
        """Meson knows of one test, which no file has the name of."""

        build = "none"

        @staticmethod
        def argv(_command, _env):
            return ["echo", '[{"name": "lib_other"}]']
    listed = _load("", "host/lib/a_test.c")
    tap.equal(suite_host.nameless(Place, listed), ["lib_other"], "tests without a program")
    listed[0].program = suite_host.HOST_TESTS / "a_test.c"
    found = []
    suite_host.run(Place, listed, types.SimpleNamespace(add=lambda suite, cases, _seconds: found.append((suite.name, cases))))
    tap.equal([(name, case.name, case.status) for name, cases in found for case in cases], [("lib_a", "is built", "fail")])


def test_command():
    """programs in C come from the build, others from the source; variables and arguments are those of the list"""
    def command(file, **more):
        suite = suites.Suite("a", "guest", suites.TESTS / "guest" / file, **more)
        return suite_guest.command(suite)
    tap.equal(command("a_test.c"), ["/build/tests/guest/a_test"])
    tap.equal(command("a_test.sh", args=["b"]), ["sh", "/src/tests/guest/a_test.sh", "b"])
    tap.equal(command("a_test.c", env={"B": "c"}), ["env", "B=c", "/build/tests/guest/a_test"])
    tap.equal(command("a_test.py", env={"B": "c"})[2:], ["B=c", "python3", "-B", "/src/tests/guest/a_test.py"])


def test_groups():
    """suites share a machine when kernel, its command line, domain, devices and modules are the same"""
    one, two, three, four = _guest('name = "a"', 'name = "b"', 'name = "c"\ndomain = "translated"',
                                   'name = "d"\nboot = "quiet"')
    tap.equal(one.machine_key(), two.machine_key())
    tap.true(one.machine_key() != three.machine_key(), "another domain is another machine")
    tap.true(one.machine_key() != four.machine_key(), "so is another command line")
    one, two = _guest('name = "a"\nreboots = true', 'name = "b"\nreboots = true')
    tap.true(one.machine_key() != two.machine_key(), "a restart runs the suite again, and must not run another one")


def test_left_out():
    """make check leaves out the slow suites, make check-ci only those of make check-full, and each says so"""
    loaded = _guest(*[f'name = "{name}"\n{key}' for name, key in (
        ("a", ""), ("b", "slow = true"), ("c", "full = true"), ("d", "slow = true"))])
    for slow, full, names, words in (
            (False, False, ["b", "c", "d"], "2 suites that make check-ci runs, 1 suite that only make check-full runs"),
            (True, False, ["c"], "1 suite that only make check-full runs"), (False, True, [], None)):
        out = check.left_out(loaded, slow, full)
        tap.equal([suite.name for suite in out], names, f"left out with slow {slow}, full {full}")
        if out:
            tap.equal(check.left_out_words(out), f"left out: {words}", "what is said")


def test_order():
    """the machine that may run longest is started first, with its suites in the order of the list"""
    listed = _guest('name = "short"\ntimeout = 100', 'name = "first"\ntimeout = 60\nboot = "quiet"',
                    'name = "second"\ntimeout = 70\nboot = "quiet"')
    names = [[suite.name for suite in group] for group in suite_guest.groups(listed)]
    tap.equal(names, [["first", "second"], ["short"]])


if __name__ == "__main__":
    tap.run(globals())
