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
		"                             BAR by default; numbers accept K, M, G, T\n"
		"      --fd FD                dma-buf that this process has inherited\n"
		"      --offset N             first byte to read, from the start of the dma-buf\n"
		"      --length N             bytes to read; up to the end if not given\n"
		"      --wc                   make the memory write-combining instead of uncached\n"
		"      --bind                 bind the device to vfio-pci while the command runs\n"
		"      --json                 print the result as JSON\n"
		"      --sysroot DIR          use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"      --vf-token UUID        VF token, set by the owner of the physical function\n"
		"  -h, --help                 print this text\n"
		"\n"
		"The command accesses the device in aligned units of 8 bytes, and of 4, 2, or 1 at the\n"
		"edges. The kernel resets the device when it is opened.\n",
	.run = run_read,
};
