// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf exec: a command that inherits a dma-buf. */
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "child.h"
#include "exec_args.h"
#include "message.h"
#include "verb.h"

/* An exit code, or EXIT_OK and the status of the command. */
static int run_with_buffer(const struct buffer *buffer, struct exec_args *args,
			   struct held_signals *held, int *status)
{
	const struct child_buffer inherited = {
		.fd = buffer->fd,
		.size = buffer->size,
		.tag = args->tag.tag,
	};

	/* The command would not hear of it, and the device is to be given back. */
	if (child_interrupted())
		return EXIT_FAILED;
	*status = child_run(held, args->command, &inherited, NULL, NULL);
	if (*status < 0) {
		error_line("cannot start a process for %s: %s",
			   args->command[0], strerror(-*status));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int run_exec(int argc, char **argv)
{
	struct held_signals held;
	struct exec_args args;
	struct buffer buffer;
	int code, status = 0;

	code = exec_args_parse(&args, &verb_exec, argc, argv);
	if (code)
		return code;
	if (args.help) {
		fputs(verb_exec.usage, stdout);
		return EXIT_OK;
	}
	child_hold_signals(&held);
	code = buffer_open(&buffer, &args.buffer, args.tag.tag.valid ? &args.tag.tag : NULL,
			   &verb_exec);
	if (!code) {
		code = run_with_buffer(&buffer, &args, &held, &status);
		buffer_close(&buffer, &args.buffer);
	}
	child_release_signals(&held);
	return code ? code : child_exit_code(status);
}

const struct verb verb_exec = {
	.name = "exec",
	.summary = "export memory of a device, tag it, and run a command with the dma-buf",
	.usage =
		"Usage: tphbuf exec -d DEVICE --bar N [OPTION]... [--] COMMAND [ARGUMENT]...\n"
		"\n"
		"Export memory of DEVICE, a PCI address or the path of a VFIO device file, as a\n"
		"dma-buf, set its tag, and run COMMAND, which inherits the file descriptor. Its\n"
		"number is in TPHBUF_FD, the size of the dma-buf in bytes in TPHBUF_SIZE, and the\n"
		"tag in TPHBUF_ST, TPHBUF_ST_EXT, and TPHBUF_PH.\n"
		"\n"
		"Options:\n"
		"  -d, --device DEVICE        device to export from\n"
		"      --bar N                BAR to export from, 0 to 5\n"
		"      --range OFFSET:LENGTH  part of the BAR; may be repeated; the whole BAR by\n"
		"                             default; numbers accept K, M, G, T\n"
		"      --st TAG               8-bit Steering Tag, 0 to 0xff\n"
		"      --st-ext TAG           Extended Steering Tag, 0 to 0xffff\n"
		"      --ph HINT              Processing Hint, 0 to 3; 0 by default\n"
		"      --wc                   make the memory write-combining instead of uncached\n"
		"      --bind                 bind the device to vfio-pci while COMMAND runs\n"
		"      --sysroot DIR          use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"      --vf-token UUID        VF token, set by the owner of the physical function\n"
		"  -h, --help                 print this text\n"
		"\n"
		"The exit status is that of COMMAND; 126 if COMMAND cannot run, 127 if it is not found.\n",
	.run = run_exec,
};
