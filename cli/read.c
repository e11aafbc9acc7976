// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf read: device memory to a file. */
#include "access.h"

static int run_read(int argc, char **argv)
{
	return access_run(&verb_read, false, argc, argv);
}

const struct verb verb_read = {
	.name = "read",
	.summary = "read memory of a device with the CPU, through a dma-buf",
	.usage =
		"Usage: tphbuf read -d DEVICE --bar N [OPTION]... [FILE]\n"
		"       tphbuf read --fd FD [OPTION]... [FILE]\n"
		"\n"
		"Export memory of DEVICE, a PCI address or the path of a VFIO device file, as a\n"
		"dma-buf, map it, and copy it to FILE, or to standard output. With --fd, copy from a\n"
		"dma-buf that tphbuf exec has exported.\n"
		"\n"
		"Options:\n"
		"  -d, --device DEVICE        device to read from\n"
		"      --bar N                BAR to read from, 0 to 5\n"
		"      --range OFFSET:LENGTH  part of the BAR to export; may be repeated; the whole\n"
		"                             BAR if not given; K, M, G and T may follow a number\n"
		"      --fd FD                dma-buf that this process has inherited\n"
		"      --offset N             first byte to read, from the start of the dma-buf\n"
		"      --length N             bytes to read; up to the end if not given\n"
		"      --wc                   memory write-combining for the CPU, not uncached\n"
		"      --bind                 take the device from its driver meanwhile\n"
		"      --json                 when done, print what was done, for programs\n"
		"      --sysroot DIR          use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"      --vf-token UUID        token of a virtual function whose physical one is on vfio-pci\n"
		"  -h, --help                 print this text\n"
		"\n"
		"The device is accessed in aligned units of 8 bytes, at the edges of 4, 2 or 1. The\n"
		"kernel resets it when it is opened.\n",
	.run = run_read,
};
