// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf write: a file to device memory. */
#include "access.h"

static int run_write(int argc, char **argv)
{
	return access_run(&verb_write, true, argc, argv);
}

const struct verb verb_write = {
	.name = "write",
	.summary = "write memory of a device with the CPU, through a dma-buf",
	.usage =
		"Usage: tphbuf write -d DEVICE --bar N [OPTION]... [FILE]\n"
		"       tphbuf write --fd FD [OPTION]... [FILE]\n"
		"\n"
		"Export memory of DEVICE, a PCI address or the path of a VFIO device file, as a\n"
		"dma-buf, map it, and copy FILE, or standard input, to it. With --fd, copy to a\n"
		"dma-buf that tphbuf exec has exported.\n"
		"\n"
		"Options:\n"
		"  -d, --device DEVICE        device to write to\n"
		"      --bar N                BAR to write to, 0 to 5\n"
		"      --range OFFSET:LENGTH  part of the BAR to export; may be repeated; the whole\n"
		"                             BAR by default; numbers accept K, M, G, T\n"
		"      --fd FD                dma-buf that this process has inherited\n"
		"      --offset N             first byte to write, from the start of the dma-buf\n"
		"      --length N             bytes to write; all of the input if not given\n"
		"      --wc                   make the memory write-combining instead of uncached\n"
		"      --bind                 bind the device to vfio-pci while the command runs\n"
		"      --json                 print the result as JSON\n"
		"      --sysroot DIR          use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"      --vf-token UUID        VF token, set by the owner of the physical function\n"
		"  -h, --help                 print this text\n"
		"\n"
		"The command accesses the device in aligned units of 8 bytes, and of 4, 2, or 1 at the\n"
		"edges. The kernel resets the device when it is opened.\n",
	.run = run_write,
};
