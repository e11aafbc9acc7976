# SPDX-License-Identifier: GPL-2.0-or-later
"""make picture: the page of the last demo as docs/page.png, by the browser of the viewers root."""

import shutil
import tempfile
from pathlib import Path

from lab import PROJECT, page, process, progress, sandbox, toolroot

PICTURE = PROJECT / "docs/page.png"
# The verdict, the phases and the machine; what is below them is for a browser.
SIZE = "1400,765"
# Of a browser in the viewers root. Without motion: a page that is drawn all the time leaves a busy machine no time for
# anything else.
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--force-prefers-reduced-motion", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run", "--user-data-dir=/tmp/profile"]
COMMAND = ["chromium", *ARGUMENTS, f"--window-size={SIZE}", "--virtual-time-budget=5000", "--screenshot=/job/page.png",
           "file:///job/page.html"]


def main():
    """Takes the picture; StepError where there is no page yet."""
    if not page.PAGE_FILE.is_file():
        raise progress.StepError(f"{page.PAGE_FILE} is not there: run make demo first")
    root = toolroot.viewers()
    with tempfile.TemporaryDirectory() as folder, progress.step("picture") as step:
        shutil.copy(page.PAGE_FILE, Path(folder) / "page.html")
        process.run(sandbox.argv(root, COMMAND, [(folder, "/job", "rw")]), "picture")
        shutil.copyfile(Path(folder) / "page.png", PICTURE)
        step.detail = str(PICTURE.relative_to(PROJECT))
    return 0
