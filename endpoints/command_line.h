/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of tphbuf-endpoints, and messages on standard error. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "pcie/fabric.h"
#include "pcie/port.h"
#include "vfio_user/server.h"

#define EXIT_USAGE	2

/* A port on the command line. */
struct port_spec {
	enum pcie_port_kind kind;
	const char *text;
};

/**
 * struct command_line - the command line
 * @dir: where the sockets go
 * @trace: file of the text trace, or NULL
 * @unannounced_dma: functions may reach addresses that their client has not announced
 * @server: how clients are served
 * @pcapng: file of the same trace as pcapng, or NULL
 * @payload: bytes of each payload that pcapng keeps
 * @limit: bytes that each of the files may have, 0 for no limit
 * @requests_only: completions and interrupts are not recorded
 * @stats: print counts on SIGUSR1
 * @ports: arguments of --root-port, --switch and --downstream-port, in order
 * @port_count: number of @ports
 * @root_complex: argument of --root-complex, or NULL
 * @inject: file of faults, or NULL
 * @error_irq: functions have an error interrupt
 * @devices: arguments of --device
 * @count: number of @devices
 */
struct command_line {
	const char *dir;
	const char *trace;
	bool unannounced_dma;
	struct vfio_user_server_options server;
	const char *pcapng;
	uint32_t payload;
	uint64_t limit;
	bool requests_only;
	bool stats;
	struct port_spec ports[FABRIC_PORTS_MAX];
	unsigned int port_count;
	const char *root_complex;
	const char *inject;
	bool error_irq;
	const char *devices[FABRIC_FUNCTIONS_MAX];
	unsigned int count;
};

/**
 * command_line_parse() - read the options
 * @argc: as main() has it
 * @argv: as main() has it; the result points into it
 * @line: filled in
 *
 * Prints what --help and --version ask for, and one line for each error.
 *
 * Return: -1 to go on, otherwise the exit code.
 */
int command_line_parse(int argc, char **argv, struct command_line *line);

/* Print a line for people on standard error. Return: @code. */
__attribute__((format(printf, 2, 3)))
int fail(int code, const char *fmt, ...);

#endif
