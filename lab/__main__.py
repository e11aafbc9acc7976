# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m lab VERB: what the Makefile calls."""

import errno
import subprocess
import sys

from lab import PROJECT, cache, process, progress

if sys.version_info < (3, 11):
    sys.exit("the lab needs Python 3.11 or later (Debian 12 has it), this is %d.%d" % sys.version_info[:2])


# What is wrong with the machine and not with the lab.
ENVIRONMENT = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)


def _alone():
    """One run at a time works in build/ of a checkout."""
    return cache.locked(PROJECT / "build/lock", "this checkout")


def _demo(args):
    from lab import demo
    return demo.main(args, _alone)


def _check(args):
    from lab import check
    return check.main(args, _alone)


def _matrix(args):
    from lab import matrix
    return matrix.main(args, _alone)


def _shell(args):
    from lab import shell
    with _alone():
        start = shell.prepared()
    return start()


def _kernel_tree(args):
    from lab import series_tree
    with _alone():
        return series_tree.write_tree(args)


def _kernel_series(args):
    from lab import series_tree
    with _alone():
        return series_tree.write_series(args)


def _kernel_deb(args):
    from lab import kernel_deb
    # Hours, in which everything else in this checkout goes on.
    with cache.locked(PROJECT / "build/kernel-deb.lock", "the kernel packages of this checkout"):
        return kernel_deb.main(args)


def _deb(args):
    from lab import deb
    with _alone():
        return deb.main()


def _picture(args):
    from lab import picture
    with _alone():
        return picture.main()


def _prepare(args):
    from lab import prepare
    with _alone():
        prepare.prepare()
    return 0


def _command(argv):
    """The program of a command line that begins with the words for entering the tool root."""
    words = [str(word) for word in argv] if isinstance(argv, (list, tuple)) else [str(argv)]
    return words[0] if len(words) < 2 else f"{words[0]} ... {words[-1]}"


VERBS = {"demo": _demo, "check": _check, "matrix": _matrix, "picture": _picture, "shell": _shell, "prepare": _prepare,
         "kernel-tree": _kernel_tree, "kernel-series": _kernel_series, "kernel-deb": _kernel_deb, "deb": _deb}


def run(function, args):
    """Call a verb; a failed step, Ctrl-C and a kill end in one clear word and leave no process behind."""
    process.catch_signals()
    try:
        return function(args)
    except progress.StepError as err:
        progress.fail(err)
        return 1
    except subprocess.CalledProcessError as err:
        words = (err.stderr or err.stdout or "").strip().splitlines()
        progress.fail(progress.StepError(f"{_command(err.cmd)} ended with status {err.returncode}"
                                         f"{': ' + words[-1] if words else ''}"))
        return 1
    except OSError as err:
        if err.errno not in ENVIRONMENT:
            raise
        progress.fail(progress.StepError(f"{err.filename or 'a file'}: {err.strerror}; the lab writes to "
                                         f"{PROJECT / 'build'} and {cache.location()} (TPHBUF_CACHE= names another)"))
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    finally:
        process.stop_all()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(f"usage: python3 -m lab {'|'.join(VERBS)} [ARGUMENT...]")
    sys.exit(run(VERBS[sys.argv[1]], sys.argv[2:]))
