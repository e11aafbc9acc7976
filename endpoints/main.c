// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tphbuf-endpoints: the emulated PCIe endpoints of one machine. One process, one fabric, one
 * vfio-user socket a device.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_line.h"
#include "devices/registry.h"
#include "injection_file.h"
#include "pcie/fabric.h"
#include "pcie/function.h"
#include "pcie/trace.h"
#include "served_function.h"
#include "stats.h"
#include "topology.h"
#include "vfio_user/server.h"

#define ERROR_MAX	512

/**
 * struct machine - what runs
 * @trace: NULL without --trace, --pcapng and --stats
 * @stats: prints its counts
 * @injection: faults that requests meet
 * @fabric: owns the functions
 * @server: owns the sockets
 * @served: one a device
 */
struct machine {
	struct trace *trace;
	struct stats stats;
	struct injection injection;
	struct fabric *fabric;
	struct vfio_user_server *server;
	struct served_function served[FABRIC_FUNCTIONS_MAX];
};

/* -1 without a path; -2 after a message. Appending: two programs on one file lose nothing of each
 * other. */
static int open_trace_file(const char *option, const char *path)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0) {
		fail(EXIT_FAILURE, "%s %s: %s", option, path, strerror(errno));
		return -2;
	}
	return fd;
}

static int open_trace(struct machine *machine, const struct command_line *line)
{
	struct trace_options files = {
		.text = open_trace_file("--trace", line->trace),
		.pcapng = -1,
		.payload = line->payload,
		.limit = line->limit,
		.completions = !line->requests_only,
		.count = line->stats,
	};
	int ret;

	if (files.text == -2)
		return EXIT_FAILURE;
	files.pcapng = open_trace_file("--pcapng", line->pcapng);
	if (files.pcapng == -2)
		return EXIT_FAILURE;
	machine->trace = trace_create(&files);
	if (!machine->trace)
		return fail(EXIT_FAILURE, "cannot start the trace: %s", strerror(errno));
	ret = line->stats ? stats_start(&machine->stats, machine->trace) : 0;
	return ret ? fail(EXIT_FAILURE, "--stats: %s", strerror(-ret)) : 0;
}

static int add_device(struct machine *machine, const char *spec, const struct command_line *line,
		      struct served_function *served)
{
	char error[ERROR_MAX], path[PATH_MAX];
	struct pci_function *fn;
	const char *name;
	int ret;

	ret = device_create(machine->fabric, spec, &fn, error, sizeof(error));
	if (ret)
		return fail(ret == -EINVAL || ret == -EEXIST || ret == -EBUSY ? EXIT_USAGE :
										EXIT_FAILURE,
			    "--device %s: %s", spec, error);
	name = pci_function_name(fn);
	served_function_init(served, fn, line->error_irq);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s.sock", line->dir, name) >= sizeof(path))
		return fail(EXIT_FAILURE, "%s/%s.sock: %s", line->dir, name,
			    strerror(ENAMETOOLONG));
	if (vfio_user_server_add(machine->server, path, name, &served_function_ops, served, error,
				 sizeof(error)))
		return fail(EXIT_FAILURE, "%s", error);
	return 0;
}

/* The tree, before anything is below its ports. */
static int add_ports(struct fabric *fabric, const struct command_line *line)
{
	static const char *const options[] = {
		[PCIE_PORT_ROOT] = "--root-port",
		[PCIE_PORT_UPSTREAM] = "--switch",
		[PCIE_PORT_DOWNSTREAM] = "--downstream-port",
	};
	char error[ERROR_MAX];

	for (unsigned int i = 0; i < line->port_count; i++)
		if (topology_add_port(fabric, line->ports[i].kind, line->ports[i].text, error,
				      sizeof(error)))
			return fail(EXIT_USAGE, "%s %s: %s", options[line->ports[i].kind],
				    line->ports[i].text, error);
	if (line->root_complex &&
	    topology_set_root_complex(fabric, line->root_complex, error, sizeof(error)))
		return fail(EXIT_USAGE, "--root-complex %s: %s", line->root_complex, error);
	return 0;
}

static int add_faults(struct machine *machine, const char *path)
{
	char error[ERROR_MAX];
	int ret = injection_file_read(&machine->injection, path, error, sizeof(error));

	if (ret)
		return fail(ret == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, "--inject %s: %s", path,
			    error);
	fabric_inject(machine->fabric, &machine->injection);
	return 0;
}

static int machine_start(struct machine *machine, const struct command_line *line)
{
	struct stat st;
	int ret = 0;

	if (stat(line->dir, &st) < 0)
		return fail(EXIT_FAILURE, "--dir %s: %s", line->dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(EXIT_FAILURE, "--dir %s: %s", line->dir, strerror(ENOTDIR));
	if (line->trace || line->pcapng || line->stats)
		ret = open_trace(machine, line);
	if (ret)
		return ret;
	machine->fabric = fabric_create(machine->trace);
	machine->server = vfio_user_server_create(&line->server);
	if (!machine->fabric || !machine->server)
		return fail(EXIT_FAILURE, "cannot start: %s", strerror(errno));
	if (line->unannounced_dma)
		fabric_allow_unannounced(machine->fabric);
	ret = add_ports(machine->fabric, line);
	if (!ret && line->inject)
		ret = add_faults(machine, line->inject);
	for (unsigned int i = 0; i < line->count && !ret; i++)
		ret = add_device(machine, line->devices[i], line, &machine->served[i]);
	return ret;
}

static int serve(struct machine *machine, int signal_fd)
{
	int ret;

	if (puts("ready") < 0 || fflush(stdout))
		return fail(EXIT_FAILURE, "cannot write to standard output: %s", strerror(errno));
	ret = vfio_user_server_run(machine->server, signal_fd);
	if (ret)
		return fail(EXIT_FAILURE, "cannot wait for clients: %s", strerror(-ret));
	return EXIT_SUCCESS;
}

/*
 * In the reverse order of use: clients go, then functions and their workers, then what they wrote
 * to.
 */
static int machine_stop(struct machine *machine, const struct command_line *line, int code)
{
	const char *path = line->trace ? line->trace : line->pcapng;
	struct trace_end end;

	vfio_user_server_destroy(machine->server);
	fabric_destroy(machine->fabric);
	stats_stop(&machine->stats);
	free(machine->injection.rules);
	end = trace_destroy(machine->trace);
	if (end.error)
		return fail(EXIT_FAILURE, "%s: TLPs are missing: %s", path, strerror(-end.error));
	if (end.lost && path)
		return fail(EXIT_FAILURE, "%s: %" PRIu64 " TLPs are missing: %s", path, end.lost,
			    line->limit ? "the limit was reached"
					   : "they came faster than they could be written");
	return code;
}

/*
 * Blocked here, before there is any other thread, so that all threads inherit it and only the
 * descriptor sees the signals.
 */
static int catch_signals(bool stats)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (stats)
		stats_block_signal();
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * Clients hand over descriptors, and what one of them sends must not leave the others without: each
 * device is bounded, and the process takes as many as it may.
 */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct command_line line;
	struct machine machine = { 0 };
	int code, signal_fd;

	code = command_line_parse(argc, argv, &line);
	if (code >= 0)
		return code;
	raise_descriptor_limit();
	signal_fd = catch_signals(line.stats);
	if (signal_fd < 0)
		return fail(EXIT_FAILURE, "cannot wait for signals: %s", strerror(errno));
	code = machine_start(&machine, &line);
	if (!code)
		code = serve(&machine, signal_fd);
	code = machine_stop(&machine, &line, code);
	close(signal_fd);
	return code;
}
