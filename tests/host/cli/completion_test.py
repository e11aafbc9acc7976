#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: the bash completion is run, and offers exactly the subcommands and options that the help texts have."""
import pathlib
import re
import shutil
import subprocess

from fake_machine import SOURCE, TPHBUF, ok, run_tests, same

# What bash-completion gives a completion to work with, as far as ours uses it.
SHELL = r"""
_init_completion() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword - 1]}; }
_filedir() { COMPREPLY=(FILES); }
_command_offset() { COMPREPLY=("COMMAND:$1"); }
__ltrim_colon_completions() { :; }
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_tphbuf
printf '%s\n' "${COMPREPLY[@]}"
"""


def offered(*words):
    """What is offered behind these words, of which the last is being typed."""
    done = subprocess.run(["bash", "-c", SHELL, "bash", f"{SOURCE}/cli/tphbuf.bash", "tphbuf", *words],
                          capture_output=True, text=True, timeout=60)
    return set(done.stdout.split())


def usage(verb):
    return subprocess.run([TPHBUF, "help", verb], capture_output=True, text=True).stdout


def options_of(verb):
    """Long options of the list in a help text."""
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", usage(verb), re.M))


def verbs():
    overview = subprocess.run([TPHBUF, "help"], capture_output=True, text=True).stdout
    return re.findall(r"^  (\w+) +[a-z]", overview.split("Subcommands:")[1].split("Options:")[0], re.M)


def test_bash():
    same(offered(""), {*verbs(), "--help", "--version"}, "bash: subcommands")
    same(offered("pr"), {"probe"}, "bash: a subcommand that has been begun")
    same(offered("help", ""), set(verbs()), "bash: help explains each of them")
    for verb in verbs():
        if verb == "help":
            continue
        ok(len(options_of(verb)) > 2, f"{verb}: its help has options", usage(verb))
        same({word for word in offered(verb, "--") if word != "--"}, options_of(verb), f"bash: options of {verb}")
        same(offered(verb, "--hel"), {"--help"}, f"bash: an option of {verb} that has been begun")
    same(offered("exec", "--ph", ""), {"0", "1", "2", "3"}, "bash: values of an option")
    same(offered("exec", "-d", "x", "--", "ls", "-"), {"COMMAND:5"}, "bash: the command of exec has a completion of its own")
    same(offered("get", "x", "--", "ls", "-"), {"COMMAND:4"}, "bash: and that of get")
    same(offered("serve", "--socket", ""), {"FILES"}, "bash: a socket")
    ok("root" in offered("serve", "--user", "ro"), "bash: a user")
    same(offered("read", "fi"), {"FILES"}, "bash: a file")


def test_zsh():
    """Its options, one by one: a whole completion needs a terminal."""
    text = pathlib.Path(SOURCE, "cli/tphbuf.zsh").read_text()
    for verb in verbs():
        ok(re.search(rf"^    '{verb}:", text, re.M), f"zsh: {verb}")
        if verb == "help":
            continue
        part = re.search(rf"^  (?:\w+ \| )?{verb}(?: \| \w+)?\)\n(.*?)^    ;;", text, re.M | re.S)[1]
        for name, body in re.findall(r"^  (device|memory)=\((.*?)\)\n(?=  \w)", text, re.M | re.S):
            part = part.replace(f"${name}", body)
        part = part.replace("$device", re.search(r"^  device=\((.*?)\)$", text, re.M)[1])
        same(set(re.findall(r"--[a-z][a-z-]+", part)), options_of(verb), f"zsh: options of {verb}")
    if shutil.which("zsh"):
        done = subprocess.run(["zsh", "-n", f"{SOURCE}/cli/tphbuf.zsh"], capture_output=True, text=True)
        same((done.returncode, done.stderr), (0, ""), "zsh: syntax")


run_tests((test_bash, test_zsh))
