#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description: tphbuf serve and tphbuf get as processes: options, sockets, users, and what is told when."""
import contextlib
import errno
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

from fake_machine import BDF, BOUND, FAKE, KERNEL_DRIVER, PAGE, TPHBUF, Tree, ok, one_line, run_tests, same, wait_for

BUFFER = ["--buffer", "frames", "--bar", "2", "--range", f"0:{2 * PAGE}", "--st-ext", "0x4305", "--ph", "2"]
SHOW = ["sh", "-c", 'echo "$TPHBUF_SIZE $TPHBUF_ST_EXT $TPHBUF_PH ${TPHBUF_ST-none}"; test -e /proc/self/fd/$TPHBUF_FD']
NOBODY = pwd.getpwnam("nobody")


def usage(args, wanted, **environment):
    done = subprocess.run([TPHBUF, *args], capture_output=True, text=True, timeout=60, env=dict(os.environ, **environment))
    one_line(done, 2, wanted, "usage: tphbuf " + " ".join(args)[:70])


def test_usage():
    serve = ["serve", "--socket", "/nonexistent/s", "-d", BDF]
    buffer = ["--buffer", "a", "--bar", "2"]
    for args, wanted in (
            (["serve"], "no device"),
            (["serve", "-d", BDF], "no socket"),
            ([*serve], "no buffer"),
            ([*serve, "--bar", "2"], "--bar stands before the first --buffer"),
            ([*serve, "--bar=2"], "--bar=2 stands before the first --buffer"),
            ([*serve, "--wc"], "--wc stands before the first --buffer"),
            ([*serve, "--buffer", "a"], "the buffer a has no BAR"),
            ([*serve, *buffer, *buffer], "--buffer a was given twice"),
            ([*serve, "--buffer", "a/b", "--bar", "2"], "\"a/b\" is not the name of a buffer"),
            ([*serve, "--buffer", "", "--bar", "2"], "\"\" is not the name of a buffer"),
            ([*serve, "--buffer", "a" * 64, "--bar", "2"], "is not the name of a buffer: expected 1 to 63"),
            ([*serve, *buffer, "--bar", "2"], "--bar was given twice"),
            ([*serve, "-d", BDF], "-d was given twice"),
            ([*serve, *buffer, "--bar", "7"], "--bar 7"),
            ([*serve, *buffer, "--ph", "1"], "--ph requires"),
            ([*serve, *buffer, "--user", "no such"], "--user \"no such\" is not a user"),
            ([*serve, *buffer, "--user", "4294967295"], "--user \"4294967295\" is not a user"),
            ([*serve, *buffer, "--group", "no such"], "--group \"no such\" is not a group"),
            ([*serve, *buffer, *["--user", "1"] * 65], "too many users of the buffer a"),
            ([*serve, *buffer, *["--group", "1"] * 65], "too many groups of the buffer a"),
            ([*serve, *sum((["--buffer", f"b{i}", "--bar", "2"] for i in range(65)), [])], "too many buffers"),
            ([*serve, *buffer, "--max-clients", "0"], "--max-clients 0 is out of range"),
            ([*serve, *buffer, "--max-per-user", "x"], "--max-per-user \"x\" is not a number"),
            ([*serve, *buffer, "more"], "unexpected argument \"more\""),
            ([*serve, *buffer, "--frob"], "unrecognized option --frob"),
            (["get"], "no buffer"),
            (["get", "a"], "no command"),
            (["get", "--socket", "/nonexistent/s", "a/b", "true"], "\"a/b\" is not the name of a buffer"),
            (["get", "a", "--"], "no command"),
            (["get", "a", "true"], "no socket"),
            (["get", "--timeout", "x", "a", "true"], "--timeout \"x\" is not a number"),
            (["get", "--timeout", "99999999", "a", "true"], "--timeout 99999999 is out of range"),
            (["get", "--frob", "a", "true"], "unrecognized option --frob")):
        usage(args, wanted)


@contextlib.contextmanager
def serving(tree, *buffers, options=(), errors=None, **more):
    """A server on the fake tree; gives the process and the path of its socket."""
    place = tempfile.mkdtemp(prefix="tphbuf-serve-")
    os.chmod(place, 0o755)
    path = os.path.join(place, "socket")
    command = tree.command("serve", "--socket", path, "-d", BDF, *options, *(buffers or BUFFER))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=tree.environment(**(errors or {})), **more) as server:
        same(server.stdout.readline(), "ready\n", "the server says that it is ready")
        try:
            yield server, path
        finally:
            server.terminate()
            server.communicate(timeout=60)
            shutil.rmtree(place)


def get(path, *command, name="frames", **more):
    return subprocess.run([FAKE, "get", "--socket", path, name, "--", *(command or SHOW)], capture_output=True, text=True,
                          timeout=60, **more)


def test_hands_over():
    with Tree(*BOUND) as tree, serving(tree) as (server, path):
        done = get(path)
        same((done.returncode, done.stdout, done.stderr), (0, f"{2 * PAGE} {0x4305} 2 none\n", ""), "the buffer and its tag")
        done = get(path, env=dict(os.environ, TPHBUF_ST="7", TPHBUF_SOCKET="/nonexistent"))
        same(done.stdout, f"{2 * PAGE} {0x4305} 2 none\n", "a variable of an outer command does not shine through")
        done = subprocess.run([FAKE, "get", "frames", "true"], env=dict(os.environ, TPHBUF_SOCKET=path), timeout=60)
        same(done.returncode, 0, "socket from the environment, command without --")
        same(get(path, "sh", "-c", "exit 42").returncode, 42, "exit code of the command")
        same(get(path, "/nonexistent").returncode, 127, "a command that does not exist")
        one_line(get(path, name="other"), 5, "offers no buffer of this name", "another name")
        one_line(get(path, name="no/name"), 2, "is not the name of a buffer", "not a name")
        same(stat.S_IMODE(os.stat(path).st_mode), 0o666, "everyone may connect")
        server.terminate()
        server.wait(timeout=60)
        same((server.returncode, server.stderr.read()), (-signal.SIGTERM, ""), "ends by the signal, without a word")
        ok(not os.path.exists(path), "the socket is gone")
        one_line(get(path), 5, "no server listens there", "after the end")


def test_revocation():
    with Tree(*KERNEL_DRIVER) as tree, serving(tree, options=("--bind",)) as (server, path):
        same(tree.driver(), "vfio-pci", "taken from its driver")
        with subprocess.Popen([FAKE, "get", "--socket", path, "frames", "sh", "-c", "echo; read x; exit 3"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as user, \
                subprocess.Popen([FAKE, "get", "--socket", path, "frames", "sh", "-c", "echo; read x"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE) as victim:
            user.stdout.readline()
            victim.stdout.readline()
            victim.kill()
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)
            line = user.stderr.readline()
            ok("frames is revoked: its owner has withdrawn it" in line, "the client is told", line)
            _, rest = user.communicate("\n", timeout=60)
            same((user.returncode, rest), (3, ""), "once, and its command goes on")
            victim.communicate(timeout=60)
        same(server.returncode, -signal.SIGINT, "ends by the signal")
        same(tree.driver(), "accel", "given back to its driver")
    with Tree(*BOUND) as tree, serving(tree) as (server, path):
        with subprocess.Popen([FAKE, "get", "--socket", path, "frames", "sh", "-c", "echo; read x"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as user:
            user.stdout.readline()
            server.kill()
            line = user.stderr.readline()
            ok("the server has ended" in line, "a server that is killed", line)
            user.communicate("\n", timeout=60)


def test_failures():
    for errors, code, wanted, what in (
            ({"tph_set": 95}, 3, "Operation not supported", "a tag that cannot be set"),
            ({"open_cdev": 13}, 4, "permission denied", "a device that cannot be opened"),
            ({"bind": 22}, 6, "another process", "a device in use")):
        with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as place:
            done = tree.run("serve", "--socket", f"{place}/s", "-d", BDF, *BUFFER, errors=errors)
            one_line(done, code, wanted, f"serve: {what}")
            same((done.stdout, os.listdir(place)), ("", []), f"serve: {what}: it never listens")
    with Tree(*BOUND) as tree, tempfile.TemporaryDirectory() as place:
        for path, code, wanted in ((f"{place}/none/s", 1, os.strerror(2)), (f"{place}/{'x' * 120}", 2, "at most 107 bytes")):
            one_line(tree.run("serve", "--socket", path, "-d", BDF, *BUFFER), code, wanted, "serve: a path that cannot be")
        one_line(tree.run("serve", "--socket", f"{place}/s", "-d", BDF, "--buffer", "a b", "--bar", "2"), 2,
                 "\"a b\" is not the name of a buffer", "serve: a wrong name")
        pathlib.Path(place, "file").write_text("mine")
        one_line(tree.run("serve", "--socket", f"{place}/file", "-d", BDF, *BUFFER), 6, "another file",
                 "serve: a file in the way")
        same(pathlib.Path(place, "file").read_text(), "mine", "the file stays")


def test_sockets():
    with Tree(*BOUND) as tree, serving(tree) as (server, path):
        one_line(tree.run("serve", "--socket", path, "-d", BDF, *BUFFER), 6, "another server does", "a socket in use")
        same(get(path).returncode, 0, "whose server goes on")
        server.kill()
        server.wait(timeout=60)
        ok(os.path.exists(path), "a server that is killed leaves its socket")
        with subprocess.Popen(tree.command("serve", "--socket", path, "-d", BDF, *BUFFER), stdout=subprocess.PIPE, text=True,
                              env=tree.environment()) as other:
            same(other.stdout.readline(), "ready\n", "the next one takes its place")
            same(get(path).returncode, 0, "and serves")
            other.terminate()
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.bind(f"{place}/s")
        stream.listen()
        one_line(get(f"{place}/s"), 1, "does not belong to \"tphbuf serve\"", "get: a socket of another kind")
        one_line(get("x" * 200), 1, os.strerror(36), "get: a path that is too long")
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.bind(f"{place}/s")
        silent.listen()
        done = subprocess.run([FAKE, "get", "--socket", f"{place}/s", "--timeout", "1", "a", "true"], capture_output=True,
                              text=True, timeout=60)
        one_line(done, 1, "did not answer in 1 s", "get: a server that is silent")


def activated(tree, kind, count=1, pid="$$"):
    """A server with a socket that systemd would have opened."""
    place = tempfile.mkdtemp(prefix="tphbuf-activated-")
    with socket.socket(socket.AF_UNIX, kind) as listener:
        listener.bind(f"{place}/s")
        listener.listen()
        script = f'exec 3<&{listener.fileno()}; export LISTEN_PID={pid} LISTEN_FDS={count}; exec "$@"'
        server = subprocess.Popen(["sh", "-c", script, "sh", *tree.command("serve", "-d", BDF, *BUFFER)],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=[listener.fileno()],
                                  env=tree.environment())
    return server, place


def test_activation():
    with Tree(*BOUND) as tree:
        server, place = activated(tree, socket.SOCK_SEQPACKET)
        # It connects before the server runs: that is what activation is for.
        done = get(f"{place}/s")
        same((done.returncode, done.stdout), (0, f"{2 * PAGE} {0x4305} 2 none\n"), f"by a socket of systemd {done.stderr}")
        server.terminate()
        server.communicate(timeout=60)
        ok(os.path.exists(f"{place}/s"), "which stays, for the next start")
        shutil.rmtree(place)
        for kind, count, pid, code, wanted in ((socket.SOCK_STREAM, 1, "$$", 1, "ListenSequentialPacket"),
                                               (socket.SOCK_SEQPACKET, 2, "$$", 2, "no socket"),
                                               (socket.SOCK_SEQPACKET, 1, "1", 2, "no socket")):
            server, place = activated(tree, kind, count, pid)
            _, error = server.communicate(timeout=60)
            same((server.returncode, wanted in error), (code, True), f"activation with {kind.name}, {count}, {pid}: {error}")
            shutil.rmtree(place)


def test_users():
    if os.geteuid():
        ok(True, "users # SKIP becoming another user is root's")
        return
    as_nobody = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    # Where another user can run it, whoever has the build folder for himself.
    with tempfile.TemporaryDirectory() as place, Tree(*BOUND) as tree:
        os.chmod(place, 0o755)
        program = shutil.copy(FAKE, place)
        group = [*BUFFER[:1], "groups", *BUFFER[2:], "--group", "4242"]
        with serving(tree, *BUFFER, "--user", "nobody", *group, "--buffer", "any", "--bar", "2", "--anyone", "--buffer", "none",
                     "--bar", "2") as (_, path):
            def attempt(name, **ids):
                return subprocess.run([program, "get", "--socket", path, name, "true"], capture_output=True, text=True,
                                      timeout=60, **ids)
            same(attempt("frames", **as_nobody).returncode, 0, "a user by name")
            same(attempt("any", **as_nobody).returncode, 0, "anyone")
            one_line(attempt("groups", **as_nobody), 4, f"permission denied for user {NOBODY.pw_uid}", "not in the group")
            same(attempt("groups", **{**as_nobody, "group": 4242}).returncode, 0, "by its group")
            same(attempt("groups", **{**as_nobody, "extra_groups": [1, 4242]}).returncode, 0, "by a supplementary group")
            one_line(attempt("none", **as_nobody), 4, "permission denied", "for the user of the server alone")
            same(attempt("none").returncode, 0, "who may have it")


def test_limits():
    with Tree(*BOUND) as tree, serving(tree, options=("--max-per-user", "1")) as (server, path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as first:
            first.connect(path)
            one_line(get(path), 6, "too many clients", "a second client of a user")
        ok(wait_for(lambda: get(path).returncode == 0), "when the first has gone")
        same(server.poll(), None, "the server goes on")


def info(path, *args, name="frames", prefix="", **more):
    """tphbuf info below tphbuf get."""
    return get(path, "sh", "-c", f"{prefix} exec \"$@\"", "sh", FAKE, "info", *args, name=name, **more)


def test_info():
    with Tree(*BOUND) as tree, serving(tree, *BUFFER, "--buffer", "plain", "--bar", "2") as (_, path):
        tagged = info(path)
        same((tagged.returncode, tagged.stdout), (0, f"size      {2 * PAGE} bytes\ntag       st-ext=0x4305 ph=2\n"), "a tag")
        same(info(path, name="plain").stdout.splitlines()[1:], ["tag       none"], "a buffer without a tag")
        same(info(path, "--fd", "0").returncode, 2, "another file")
        answer = json.loads(info(path, "--json", "--state", "0x10").stdout)
        same(answer, {"version": 1, "size": 2 * PAGE, "exporter": None, "name": None, "tag_known": True, "st": None,
                      "st_ext": 0x4305, "ph": 2, "state": "usable"}, "for programs")
        done = info(path, prefix="exec 9<&$TPHBUF_FD; unset TPHBUF_FD;", *("--fd", "9"))
        same(done.stdout.splitlines()[1:], ["tag       not known: the kernel does not report it"], "another number")
        for variable in ("TPHBUF_ST=300", "TPHBUF_ST_EXT=x", "TPHBUF_PH=4"):
            done = info(path, prefix=f"export {variable};")
            same(done.stdout.splitlines()[1:], ["tag       not known: the kernel does not report it"], variable)
        for errors, state, code, wanted in (({"revoked_from": 1}, "revoked", 5, "the dma-buf is revoked: memory decoding"),
                                            ({"mmap": errno.ENODEV}, "closed", 5, "its device has been closed"),
                                            ({"mmap": errno.EINVAL}, None, 3, "does not let the CPU map it"),
                                            ({"mmap": errno.ENOMEM}, None, 1, os.strerror(errno.ENOMEM))):
            done = info(path, "--state", "0", "--json", env=tree.environment(**errors))
            one_line(done, code, wanted, f"info: {errors}")
            same(json.loads(done.stdout)["state"], state, f"info: {errors}: state")
        one_line(info(path, "--state", str(2 * PAGE)), 2, f"out of range: the dma-buf has {2 * PAGE} bytes",
                 "info: behind the end")
    for args, wanted in ((["info"], "no dma-buf"), (["info", "--fd", "x"], "--fd \"x\" is not the number"),
                         (["info", "--fd", "0", "more"], "unexpected argument"), (["info", "--state", "x"], "not an offset"),
                         (["info", "--fd", "99"], "file descriptor 99 is not a dma-buf")):
        usage(args, wanted)
    usage(["info"], "TPHBUF_FD \"x\" is not the number", TPHBUF_FD="x")


run_tests((test_usage, test_hands_over, test_revocation, test_failures, test_sockets, test_activation, test_users, test_limits,
           test_info))
