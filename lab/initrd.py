# SPDX-License-Identifier: GPL-2.0-or-later
"""The initramfs of the guest: guest/boot, and the modules without which the kernel cannot mount the root file system."""

from lab import userspace


def _entry(name, mode, data=b"", number=(0, 0)):
    """A file, directory or device of this @number in the format that the kernel unpacks (cpio, "newc")."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, *number, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def write(path, modules):
    """Write the initramfs to @path, with the files @modules in the order of loading."""
    parts = [_entry("dev", 0o040755), _entry("dev/console", 0o020600, number=(5, 1)),
             _entry("init", 0o100755, (userspace.BUILD / "plain/guest/boot/boot").read_bytes()),
             _entry("modules", 0o100644, "".join(f"{module.name}\n" for module in modules).encode())]
    parts += [_entry(module.name, 0o100644, module.read_bytes()) for module in modules]
    path.write_bytes(b"".join(parts) + _entry("TRAILER!!!", 0))
