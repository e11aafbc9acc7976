#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The prose of a text, and what a program can find in it: habits that are counted, terms, length of lines.

usage: prose.py [--where] FILE...

prints the counts of the files together and, with --where, each place. FILE is a page in Markdown, a manual page, a
patch or a cover letter.
"""

import re
import sys
from pathlib import Path

COLUMNS = 100
CODE_COLUMNS = 90
CELL_WORDS = 20

# Most per 1,000 words, from the kernel's own documents. A clause with "who" or "what" for its subject is a riddle: the
# sentence that names the actor is shorter.
HABITS = {
    "of": (20, r"\bof\b"),
    "take": (1.0, r"\b(?:take[ns]?|took|taking)\b"),
    "tell, say": (1.3, r"\b(?:tells?|told|telling|says?|said|saying)\b"),
    "one, ones": (3.4, r"\bones?\b"),
    "who, what": (0, r"(?:(?:^|[.:;] |\b(?:that|because|when|while|if|but|so) )(?:who|what)\b|\bwho(?:m)?ever\b|\bwhatever\b)"
                     r"(?![^.]*\?)"),
}

# Not to be written, and what the project writes.
TERMS = (
    (r"\bverbs?\b", "subcommand"),
    (r"\bfolders?\b", "directory"),
    (r"(?<![Tt]here )\b(?:is|are|was) no (?!longer\b|more than\b|less\b)[a-z-]+", "is not a"),
    (r"\bshall\b", "must"),
    (r"\bin clear\b", "in plain text"),
    (r"\bin disorder\b", "abnormally"),
    (r"\b(?:anew|meanwhile)\b", "again, while ..."),
    (r"\bat once\b", "immediately"),
    (r"\bother than\b", "unlike, except"),
    (r"\bthat of\b|\bthose of\b", "the noun again"),
    (r"\bmemory decode\b", "memory decoding"),
    (r"\b(?:16-bit|extended) (?:tag|ST|steering tag)s?\b", "Extended ST"),
    (r"\bExtended tags?\b", "Extended ST"),
    (r"\b(?:ext:|st8:)0x", "st-ext=0x..., st=0x..."),
    (r"\broot ports?\b", "Root Port"),
    (r"\bsteering tag", "Steering Tag"),
    (r"\bprocessing hint", "Processing Hint"),
    (r"\bmemory keys?\b", "mkey"),
    (r"\bST-table\b|\bSteering Tag table\b", "ST table"),
    (r"\bunknown option\b", "unrecognized option"),
    (r"\bpowered down\b|\basleep\b", "in a low-power state"),
)


def _blank(text, pattern, flags=re.MULTILINE):
    """The text without what matches, with its lines in their places."""
    return re.sub(pattern, lambda found: "\n" * found[0].count("\n"), text, flags=flags)


def _markdown(text):
    text = _blank(text, r"<!--.*?-->", re.DOTALL)
    text = _blank(text, r"^ *```.*?^ *```[^\n]*", re.MULTILINE | re.DOTALL)
    lines = []
    behind_blank, code = True, False
    item = 0    # columns that belong to the list item
    for line in text.split("\n"):
        blank = not line.strip()
        indent = len(line) - len(line.lstrip())
        begins = re.match(r"\s*(?:[*-]|\d+\.)\s+", line)
        if not blank:
            code = indent >= item + 4 and (code or behind_blank) and not (begins and indent < item + 4)
            if begins and not code:
                item = begins.end()
            elif not indent:
                item = 0
        behind_blank = blank
        table = line.lstrip().startswith("|")
        lines.append("" if code or table or re.match(r"#|!\[", line.lstrip()) else line[begins.end():] if begins else line)
    return re.sub(r"\]\([^)]*\)|`[^`\n]*`", lambda found: "]" if found[0][0] == "]" else "CODE", "\n".join(lines))


def _manual(text):
    text = _blank(text, r'^\.\\".*$')
    text = _blank(text, r"^\.(EX|nf)\n.*?^\.(EE|fi)$", re.MULTILINE | re.DOTALL)
    text = _blank(text, r"^\.SH (?:SYNOPSIS|SEE ALSO|NAME)\n.*?(?=^\.SH|\Z)", re.MULTILINE | re.DOTALL)
    text = _blank(text, r"^\.(?:TH|SH|SS|PP|IP|TP|TQ|in|so|br|ad|hy|nh)\b.*$")
    text = re.sub(r"^\.(?:B|I|BR|RB|IR|RI|BI|IB|RS|RE) ?(.*)$", r"\1", text, flags=re.MULTILINE)
    return re.sub(r"\\f.|\\&", "", text).replace("\\-", "-").replace('"', "")


def _mail(text):
    """The message of a patch; that of a cover letter ends where the list of patches begins."""
    body = text.partition("\n\n")[2]
    body = re.split(r"^(?:---|change-id: .*|base-commit: .*)$", body, maxsplit=1, flags=re.MULTILINE)[0]
    body = _blank(body, r"^(?:Fixes|Link|Closes|Cc|Signed-off-by): .*$")
    # Code and tables are indented, or have columns.
    return "\n".join("" if re.match(r"\s{2,}(?!(?:[*-]|\d+\.)\s)\S|[|+]", line) or re.search(r"\S {3,}\S", line) else line
                     for line in body.split("\n"))


def prose(name, text):
    """What of a text is sentences."""
    suffix = Path(name).suffix
    if suffix == ".patch":
        return _mail(text)
    return _markdown(text) if suffix == ".md" else _manual(text)


class Count:
    """Words and habits of some texts."""

    def __init__(self):
        self.words = 0
        self.found = {habit: [] for habit in HABITS}

    def add(self, name, text):
        sentences = prose(name, text)
        self.words += len(re.findall(r"[A-Za-z][\w'-]*", sentences))
        for habit, (_, pattern) in HABITS.items():
            for found in re.finditer(pattern, _one_line(sentences), re.IGNORECASE):
                number = sentences[:found.start()].count("\n") + 1
                self.found[habit].append((name, number, sentences.split("\n")[number - 1].strip()))

    def rate(self, habit):
        return 1000 * len(self.found[habit]) / self.words if self.words else 0.0

    def wrong(self):
        """What is above its limit, as lines for people."""
        return [f"\"{habit}\": {self.rate(habit):.1f} per 1,000 words, at most {most}"
                for habit, (most, _) in HABITS.items() if self.rate(habit) > most]


def _one_line(sentences):
    """The same, character by character, with a break inside of a paragraph as a space, so that patterns pass it."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", sentences)


def terms(name, text):
    """Lines for people on the terms in the sentences of a text that the project does not use."""
    sentences = prose(name, text)
    return [f"{name}:{sentences[:found.start()].count(chr(10)) + 1}: \"{found[0]}\", write \"{better}\""
            for pattern, better in TERMS for found in re.finditer(pattern, _one_line(sentences))]


def layout(name, text):
    """Lines for people on a page in Markdown: long lines, and cells of tables that are a paragraph."""
    wrong = []
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fenced ^= line.lstrip().startswith("```")
        if line.lstrip().startswith("|") and not fenced:
            wrong += [f"{name}:{number}: a cell of {len(cell.split())} words, at most {CELL_WORDS}"
                      for cell in re.split(r"(?<!\\)\|", line) if len(cell.split()) > CELL_WORDS]
            continue
        longest = CODE_COLUMNS if fenced or re.match(r" {4,}\S", line) else COLUMNS
        if len(line) > longest and "http" not in line:
            wrong.append(f"{name}:{number}: {len(line)} columns, at most {longest}")
    return wrong


def main(names):
    where = "--where" in names
    count = Count()
    for name in names:
        if name != "--where":
            text = Path(name).read_text(encoding="utf-8")
            count.add(name, text)
            if where:
                print(*terms(name, text), *(layout(name, text) if name.endswith(".md") else ()), sep="\n")
    print(f"{count.words} words")
    for habit, (most, _) in HABITS.items():
        print(f"{habit:10} {count.rate(habit):5.1f}  at most {most}")
        if where:
            print(*(f"    {name}:{number}: {line}" for name, number, line in count.found[habit]), sep="\n")
    return 1 if count.wrong() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
