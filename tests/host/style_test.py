# SPDX-License-Identifier: GPL-2.0-or-later
"""Every file names its licence, the right one for its folder, and nothing in a file is left undone."""

import collections
import configparser
import fnmatch
import re
import subprocess
import sys
from pathlib import Path

import prose
import tap
from lab import PROJECT

# No comment can stand in these, or they are not ours to change.
WITHOUT_LICENCE = re.compile(r"LICENSES/|kernel/(series|replaced)/.*\.patch$|tests/host/lab/kernel_logs/|"
                             r".*\.(png|json|tap|abi)$|.*/corpus/|debian/(changelog|copyright|source/format)$")
LICENCES = [
    # The header that programs include to talk to the driver.
    (re.compile(r"kernel/modules/tph_dma/tph_dma\.h$"), "GPL-2.0-only WITH Linux-syscall-note"),
    (re.compile(r"kernel/"), "GPL-2.0-only"),
    (re.compile(r"(lib|include)/"), "LGPL-2.1-or-later OR MIT"),
    (re.compile(r""), "GPL-2.0-or-later"),
]
UNDONE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
LINES_MAX = 700
STATIC_FUNCTION = re.compile(r"^static\s[^=;{]*?\b(\w+)\((?=[^;{]*\)\n\{)", re.MULTILINE)
# Paths in texts that name a file to be written, or one of the kernel or QEMU.
NOT_OURS = re.compile(r"NAME|FOLDER|KIND|TOPIC|doorbell_counter|^include/(linux|rdma|uapi)|^docs/interop")
# Texts whose habits are counted together, because a short page has too few words for a rate.
PROSE = {
    "README.md and its like": r"(README|CONTRIBUTING|SECURITY|CHANGELOG)\.md$|(examples|bench|guest)/.*\.md$",
    "docs/": r"docs/.*\.md$",
    "man/": r"man/.*\.[137]$",
    "kernel/": r"kernel/.*\.md$",
    "cover letters": r"kernel/series/.*/0000-.*\.patch$",
    "messages of patches": r"kernel/series/.*/(?!0000)\d{4}-.*\.patch$",
}
LINES_README = 120
# Targets of the kernel's make, for pages that say how to configure one.
LINUX_TARGETS = {"tinyconfig", "olddefconfig"}
LINES_GLOSSARY = 60
# What the C of the project does not do, for what can be seen in a line.
DIALECT = (
    (r"^\s*//(?! SPDX)", "a comment in //"),
    (r"[!=]= NULL\b", "a comparison with NULL"),
    (r"\bwhile \((?:1|true)\)", "an endless loop that is not for (;;)"),
    (r"\bsizeof [^(]", "sizeof without parentheses"),
    (r"= \{ ?\};", "an empty initializer, want { 0 }"),
    (r"\)\{\S", "a compound literal without a space behind the brace"),
    (r"^\s*typedef [^(\n]*;", "a typedef that is not of a function"),
)


def _files():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [name for name in names.split("\0") if name and (PROJECT / name).is_file()]


def _report(wrong):
    tap.diag("\n".join(wrong))
    tap.equal(len(wrong), 0, "files")


def test_licence():
    """an SPDX line in the first lines of each file, and the licence of its folder"""
    wrong = []
    for name in _files():
        if WITHOUT_LICENCE.match(name):
            continue
        head = "\n".join((PROJECT / name).read_text(errors="replace").splitlines()[:5])
        found = re.search(r"SPDX-License-Identifier: (.*?)(?: \*/| -->|\s*$)", head, re.MULTILINE)
        want = next(licence for pattern, licence in LICENCES if pattern.match(name))
        if not found or found[1] != want:
            wrong.append(f"{name}: {found[1] if found else 'no SPDX line'}, want {want}")
    _report(wrong)


def test_licence_texts():
    """LICENSES/ holds the text of every licence that is named"""
    for expression in {licence for _, licence in LICENCES}:
        for licence in re.split(" OR | WITH ", expression):
            tap.true((PROJECT / f"LICENSES/{licence}.txt").is_file(), f"LICENSES/{licence}.txt is missing")


def test_nothing_undone():
    """no mark of unfinished work"""
    _report([f"{name}:{number}: {line.strip()}" for name in _files() if not name.startswith("LICENSES/")
             for number, line in enumerate((PROJECT / name).read_text(errors="replace").splitlines(), 1)
             if UNDONE.search(line)])


def test_length():
    """source files have one subject: none is longer than a few hundred lines"""
    _report([f"{name}: {count} lines" for name in _files() if re.search(r"\.(c|h|py|sh)$", name)
             for count in [len((PROJECT / name).read_text(errors="replace").splitlines())] if count > LINES_MAX])


def test_module_names():
    """no test program hides a module of Python's library from the programs beside it"""
    _report([name for name in _files() if name.startswith("tests/") and name.endswith(".py")
             and Path(name).stem in sys.stdlib_module_names])


def _braces(pattern):
    """The patterns that one with {a,b} in it stands for."""
    found = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if not found:
        return [pattern]
    return [one for word in found[1].split(",")
            for one in _braces(pattern[:found.start()] + word + pattern[found.end():])]


def _rules():
    """What .editorconfig says: (patterns, properties) of each section."""
    parser = configparser.ConfigParser()
    parser.read_string("[top]\n" + (PROJECT / ".editorconfig").read_text())
    return [(_braces(name), dict(parser[name])) for name in parser.sections() if name != "top"]


def _properties(name, rules):
    found = {}
    for patterns, properties in rules:
        if any(fnmatch.fnmatchcase(name if "/" in pattern else Path(name).name, pattern) for pattern in patterns):
            found.update(properties)
    return found


def test_editor_settings():
    """indentation and length of lines are as .editorconfig says; a text for people to read may be longer"""
    wrong = []
    rules = _rules()
    for name in _files():
        properties = _properties(name, rules)
        bad = {"tab": r"^\t* {8}", "space": r"^ *\t"}.get(properties.get("indent_style"), r"(?!)")
        longest = int(properties.get("max_line_length", sys.maxsize))
        for number, line in enumerate((PROJECT / name).read_text(errors="replace").splitlines(), 1):
            if re.search(bad, line):
                wrong.append(f"{name}:{number}: indentation")
            if len(line.expandtabs(8)) > longest and not re.match(r'\s*(\w+\()?"(?:\\.|[^"\\])*"[,;)]*$', line):
                wrong.append(f"{name}:{number}: {len(line.expandtabs(8))} columns")
    _report(wrong)


def test_dialect():
    """C is written one way: CONTRIBUTING.md has the list"""
    wrong = []
    for name in _files():
        if not re.search(r"\.[ch]$", name) or name.startswith("kernel/"):
            continue
        text = (PROJECT / name).read_text()
        wrong += [f"{name}:{text[:found.start()].count(chr(10)) + 1}: {what}"
                  for pattern, what in DIALECT for found in re.finditer(pattern, text, re.MULTILINE)]
    _report(wrong)


def test_static_names():
    """a static function has a name of its own in its program, so that a backtrace and a breakpoint tell which it is"""
    wrong = []
    for program in (("endpoints/", "trace/"), ("cli/", "lib/")):
        places = collections.defaultdict(list)
        for name in _files():
            if name.endswith(".c") and name.startswith(program):
                for found in STATIC_FUNCTION.finditer((PROJECT / name).read_text()):
                    places[found[1]].append(name)
        wrong += [f"{function}(): {', '.join(names)}" for function, names in places.items() if len(names) > 1]
        tap.true(len(places) > 100, f"only {len(places)} static functions in {program}")
    _report(wrong)


def test_paths_in_texts():
    """what a text calls by a path of the project is there"""
    files = {Path(name) for name in _files()}
    places = files | {folder for path in files for folder in path.parents}
    tops = {path.parts[0] for path in files}
    wrong = []
    for name in (str(path) for path in sorted(files) if path.suffix == ".md"):
        for number, line in enumerate((PROJECT / name).read_text().splitlines(), 1):
            for word in re.findall(r"`([\w./-]+/[\w./-]*)`", line):
                if word.split("/")[0] in tops and not NOT_OURS.search(word) and Path(word) not in places:
                    wrong.append(f"{name}:{number}: {word}")
    _report(wrong)


def test_links():
    """a link from one text to another leads to a file, and to a heading of it"""
    wrong = []
    for name in (name for name in _files() if name.endswith(".md")):
        for number, line in enumerate((PROJECT / name).read_text().splitlines(), 1):
            for target in re.findall(r"\]\(([^()\s]+)\)", line):
                place, _, anchor = target.partition("#")
                path = (PROJECT / name).parent / place if place else PROJECT / name
                if re.match(r"[a-z]+:", target):
                    continue
                if not path.exists() or anchor and anchor not in _anchors(path):
                    wrong.append(f"{name}:{number}: {target}")
    _report(wrong)


def _anchors(path):
    """The anchors that a page has for its headings."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)}


def _prose():
    """The texts of PROSE by group: (name, text) each. A manual page may only name another page."""
    texts = {group: [(name, (PROJECT / name).read_text()) for name in _files() if re.match(pattern, name)]
             for group, pattern in PROSE.items()}
    return {group: [(name, text) for name, text in pages if not text.startswith(".so ")]
            for group, pages in texts.items()}


def test_habits():
    """texts are as easy to read as the kernel's own, for what can be counted: prose.py --where FILE shows the places"""
    wrong = []
    for group, pages in _prose().items():
        count = prose.Count()
        for name, text in pages:
            count.add(name, text)
        tap.true(count.words > 100, f"{group}: {count.words} words")
        wrong += [f"{group}: {line}" for line in count.wrong()]
    _report(wrong)


def test_terms():
    """one word for one thing"""
    _report([line for pages in _prose().values() for name, text in pages for line in prose.terms(name, text)])


def test_layout():
    """width of texts, code and cells of tables; the README and the glossary stay short"""
    pages = [page for pages in _prose().values() for page in pages if page[0].endswith(".md")]
    wrong = [line for name, text in pages for line in prose.layout(name, text)]
    wrong += [f"{name}: {len(text.splitlines())} lines, at most {most}" for name, text in pages
              for page, most in (("README.md", LINES_README), ("docs/glossary.md", LINES_GLOSSARY))
              if name == page and len(text.splitlines()) > most]
    _report(wrong)


def _suites():
    """Names of all suites, by file and by tests/suites.toml."""
    names = set(re.findall(r"^name = \"(\w+)\"", (PROJECT / "tests/suites.toml").read_text(), re.MULTILINE))
    for name in _files():
        found = re.fullmatch(r"tests/(?:host|toolroot|guest)/(?:(\w+)/)?(\w+)_test\.\w+", name)
        if found:
            names.add("_".join(filter(None, found.groups())))
            names.add(found[2])
    return names


def test_commands():
    """what a text types into a shell of this project is there: targets and variables of make, suites, programs"""
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()) | LINUX_TARGETS
    suites = _suites()
    wrong = []
    lines = [(name, line.strip()) for pages in _prose().values() for name, text in pages if name.endswith(".md")
             for line in re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)]
    typed = [(name, re.sub(r"^(?:# |[A-Z_]+=\S+ )*|\s+#.*$", "", line)) for name, line in lines]
    typed = [(name, re.sub(r"\$\([^)]*\)", "WORD", line).split()) for name, line in typed
             if re.match(r"make |tests/run\.py|python3 ", line)]
    for name, words in typed:
        here = {"make": [word not in targets for word in words[1:] if "=" not in word],
                "tests/run.py": [word.split("/")[0].split("@")[0] not in suites for word in words[1:]
                                 if not word.startswith("-")],
                "python3": [not (PROJECT / word).exists() for word in words if "/" in word]}
        if any(here[words[0]]):
            wrong.append(f"{name}: {' '.join(words)}")
    tap.true(len(typed) >= 8, f"{len(typed)} commands")
    _report(wrong)


def test_white_space():
    """no trailing white space, and a newline at the end"""
    wrong = []
    for name in _files():
        if name.endswith((".patch", ".png")):
            continue
        text = (PROJECT / name).read_text(errors="replace")
        if text and not text.endswith("\n"):
            wrong.append(f"{name}: no newline at the end")
        if not name.startswith("LICENSES/"):
            wrong += [f"{name}:{number}" for number, line in enumerate(text.split("\n"), 1) if line != line.rstrip()]
    _report(wrong)


if __name__ == "__main__":
    tap.run(globals())
