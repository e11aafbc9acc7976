// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tphbuf-endpoints: the emulated PCIe endpoints of one machine. One process, one fabric, one
 * vfio-user socket a device.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/registry.h"
#include "injection_file.h"
#include "pcie/fabric.h"
#include "pcie/function.h"
#include "pcie/trace.h"
#include "served_function.h"
#include "stats.h"
#include "topology.h"
#include "vfio_user/server.h"

#define EXIT_USAGE	2
#define ERROR_MAX	512
#define SPIN_US		20u
#define SPIN_PROCESSORS	4	/* a thread that spins needs one that nobody else wants */
#define SPIN_US_MAX	1000000u

/* A port on the command line. */
struct port_spec {
	enum pcie_port_kind kind;
	const char *text;
};

/**
 * struct options - the command line
 * @dir: where the sockets go
 * @trace: file of the text trace, or NULL
 * @unannounced_dma: functions may reach addresses that their client has not announced
 * @server: how clients are served
 * @pcapng: file of the same trace as pcapng, or NULL
 * @payload: bytes of each payload that pcapng keeps
 * @limit: bytes that each of the files may have, 0 for no limit
 * @stats: print counts on SIGUSR1
 * @ports: arguments of --root-port, --switch and --downstream-port, in order
 * @port_count: number of @ports
 * @root_complex: argument of --root-complex, or NULL
 * @inject: file of faults, or NULL
 * @error_irq: functions have an error interrupt
 * @devices: arguments of --device
 * @count: number of @devices
 */
struct options {
	const char *dir;
	const char *trace;
	bool unannounced_dma;
	struct vfio_user_server_options server;
	const char *pcapng;
	uint32_t payload;
	uint64_t limit;
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

static void print_help(FILE *out)
{
	fputs("usage: tphbuf-endpoints --dir DIR [OPTION]... --device TYPE[,key=value...]...\n"
	      "\n"
	      "Serves emulated PCIe endpoints over vfio-user, one socket per device: DIR/NAME.sock.\n"
	      "Prints \"ready\" when all sockets listen; SIGTERM or SIGINT ends it.\n"
	      "\n"
	      "  --dir DIR      existing directory for the sockets\n"
	      "  --trace FILE   write a line per TLP to FILE, replacing its contents "
	      "(docs/reference/trace-format.md)\n"
	      "  --pcapng FILE  write the same records as pcapng, for Wireshark\n"
	      "  --payload N    bytes of each payload that pcapng keeps, 0 to 4096; default 64\n"
	      "  --trace-limit N\n"
	      "                 maximum size of a trace file, with K, M or G; default no limit\n"
	      "  --stats        on SIGUSR1, print the numbers of TLPs by requester, completer and\n"
	      "                 tag to standard error\n"
	      "  --device SPEC  add a device; may be repeated\n"
	      "  --root-port KEYS, --switch KEYS, --downstream-port KEYS\n"
	      "                 add a port to the tree; devices may be below it; may be repeated\n"
	      "  --root-complex KEYS\n"
	      "                 set how it handles requests from port to port\n"
	      "  --inject FILE  make requests fail by rules, one per line\n"
	      "  --error-irq    report uncorrectable errors by the interrupt of VFIO; QEMU stops\n"
	      "                 the machine then\n"
	      "  --any-process  accept clients of several processes; they reach each other's memory\n"
	      "  --unannounced-dma\n"
	      "                 send requests to addresses that the client has not announced\n"
	      "  --spin US      microseconds to look for the next message before sleeping;\n"
	      "                 default 20, and 0 on a machine with fewer than 4 processors\n"
	      "  --poll         never sleep\n"
	      "  --help         this text\n"
	      "  --version      version\n"
	      "\n"
	      "Exit status: 0 ended by a signal, 1 failure, 2 wrong command line.\n"
	      "\n"
	      "Device types and their keys:\n",
	      out);
	device_print_help(out);
	fputc('\n', out);
	topology_print_help(out);
	fputc('\n', out);
	injection_print_help(out);
}

__attribute__((format(printf, 2, 3)))
static int fail(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("tphbuf-endpoints: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return code;
}

static bool parse_spin(const char *text, uint64_t *ns)
{
	char *end;
	unsigned long us;

	errno = 0;
	us = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || us > SPIN_US_MAX)
		return false;
	*ns = us * 1000ull;
	return true;
}

/* A number up to @max, decimal, perhaps with K, M or G behind it. */
static int parse_size(const char *text, uint64_t max, uint64_t *value)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || (*end && (!unit || end[1])))
		return -EINVAL;
	if (unit && *value > UINT64_MAX >> 10 * (unit - units + 1))
		return -EINVAL;
	if (unit)
		*value <<= 10 * (unit - units + 1);
	return *value > max ? -EINVAL : 0;
}

static int add_port_spec(struct options *options, int option, const char *text)
{
	enum pcie_port_kind kind = option == 'R' ? PCIE_PORT_ROOT :
				   option == 'S' ? PCIE_PORT_UPSTREAM :
						   PCIE_PORT_DOWNSTREAM;

	if (options->port_count == FABRIC_PORTS_MAX)
		return fail(EXIT_USAGE, "more than %d ports", FABRIC_PORTS_MAX);
	options->ports[options->port_count++] = (struct port_spec){ kind, text };
	return 0;
}

/* What is recorded. Return: 0, an exit code, or -1 for an option of another subject. */
static int parse_trace_option(struct options *options, int option, const char *text)
{
	uint64_t size;

	switch (option) {
	case 't':
		options->trace = text;
		return 0;
	case 'n':
		options->pcapng = text;
		return 0;
	case 'P':
		if (parse_size(text, TLP_PAYLOAD_MAX, &size))
			return fail(EXIT_USAGE,
				    "--payload %s is out of range: expected 0 to %d",
				    text, TLP_PAYLOAD_MAX);
		options->payload = size;
		return 0;
	case 'L':
		if (parse_size(text, UINT64_MAX, &options->limit) || !options->limit)
			return fail(EXIT_USAGE,
				    "--trace-limit %s is not a size (K, M or G may follow)",
				    text);
		return 0;
	case 'c':
		options->stats = true;
		return 0;
	default:
		return -1;
	}
}

/* The devices and what is above them. Return: as above. */
static int parse_tree_option(struct options *options, int option, const char *text)
{
	switch (option) {
	case 'D':
		if (options->count == FABRIC_FUNCTIONS_MAX)
			return fail(EXIT_USAGE, "too many devices: at most %d",
				    FABRIC_FUNCTIONS_MAX);
		options->devices[options->count++] = text;
		return 0;
	case 'R':
	case 'S':
	case 'O':
		return add_port_spec(options, option, text);
	case 'C':
		options->root_complex = text;
		return 0;
	case 'I':
		options->inject = text;
		return 0;
	default:
		return -1;
	}
}

/* How clients are served. Return: as above. */
static int parse_server_option(struct options *options, int option, const char *text)
{
	switch (option) {
	case 'd':
		options->dir = text;
		return 0;
	case 'E':
		options->error_irq = true;
		return 0;
	case 'a':
		options->server.any_process = true;
		return 0;
	case 'u':
		options->unannounced_dma = true;
		return 0;
	case 's':
		if (!parse_spin(text, &options->server.spin_ns))
			return fail(EXIT_USAGE,
				    "--spin %s is out of range: expected 0 to %u",
				    text, SPIN_US_MAX);
		return 0;
	case 'p':
		options->server.polling = true;
		return 0;
	default:
		return -1;
	}
}

/* Return: 0, or the exit code for a command line that lacks something or has too much. */
static int check_options(int argc, char **argv, const struct options *options)
{
	if (optind < argc)
		return fail(EXIT_USAGE, "unexpected argument \"%s\"; see --help", argv[optind]);
	if (!options->dir)
		return fail(EXIT_USAGE, "--dir is required; see --help");
	if (!options->count)
		return fail(EXIT_USAGE, "--device is required; see --help");
	return 0;
}

/* Return: -1 to go on, otherwise the exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "trace", required_argument, NULL, 't' },
		{ "pcapng", required_argument, NULL, 'n' },
		{ "payload", required_argument, NULL, 'P' },
		{ "trace-limit", required_argument, NULL, 'L' },
		{ "stats", no_argument, NULL, 'c' },
		{ "device", required_argument, NULL, 'D' },
		{ "root-port", required_argument, NULL, 'R' },
		{ "switch", required_argument, NULL, 'S' },
		{ "downstream-port", required_argument, NULL, 'O' },
		{ "root-complex", required_argument, NULL, 'C' },
		{ "inject", required_argument, NULL, 'I' },
		{ "error-irq", no_argument, NULL, 'E' },
		{ "any-process", no_argument, NULL, 'a' },
		{ "unannounced-dma", no_argument, NULL, 'u' },
		{ "spin", required_argument, NULL, 's' },
		{ "poll", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option, code;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'h') {
			print_help(stdout);
			return EXIT_SUCCESS;
		}
		if (option == 'V') {
			puts("tphbuf-endpoints " TPHBUF_VERSION);
			return EXIT_SUCCESS;
		}
		code = parse_trace_option(options, option, optarg);
		if (code < 0)
			code = parse_tree_option(options, option, optarg);
		if (code < 0)
			code = parse_server_option(options, option, optarg);
		if (code)
			return EXIT_USAGE;
	}
	code = check_options(argc, argv, options);
	return code ? code : -1;
}

/* -1 without a path; -2 after a message. Appending: two programs on one file lose nothing of each
 * other. */
static int open_trace_file(const char *path)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0) {
		fail(EXIT_FAILURE, "%s: %s", path, strerror(errno));
		return -2;
	}
	return fd;
}

static int open_trace(struct machine *machine, const struct options *options)
{
	struct trace_options files = {
		.text = open_trace_file(options->trace),
		.pcapng = -1,
		.payload = options->payload,
		.limit = options->limit,
		.count = options->stats,
	};
	int ret;

	if (files.text == -2)
		return EXIT_FAILURE;
	files.pcapng = open_trace_file(options->pcapng);
	if (files.pcapng == -2)
		return EXIT_FAILURE;
	machine->trace = trace_create(&files);
	if (!machine->trace)
		return fail(EXIT_FAILURE, "the trace: %s", strerror(errno));
	ret = options->stats ? stats_start(&machine->stats, machine->trace) : 0;
	return ret ? fail(EXIT_FAILURE, "--stats: %s", strerror(-ret)) : 0;
}

static int add_device(struct machine *machine, const char *spec, const struct options *options,
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
	served_function_init(served, fn, options->error_irq);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s.sock", options->dir, name) >= sizeof(path))
		return fail(EXIT_FAILURE, "%s/%s.sock: %s", options->dir, name,
			    strerror(ENAMETOOLONG));
	if (vfio_user_server_add(machine->server, path, name, &served_function_ops, served, error,
				 sizeof(error)))
		return fail(EXIT_FAILURE, "%s", error);
	return 0;
}

/* The tree, before anything is below its ports. */
static int add_ports(struct fabric *fabric, const struct options *options)
{
	char error[ERROR_MAX];

	for (unsigned int i = 0; i < options->port_count; i++)
		if (topology_add_port(fabric, options->ports[i].kind, options->ports[i].text, error,
				      sizeof(error)))
			return fail(EXIT_USAGE, "%s: %s", options->ports[i].text, error);
	if (options->root_complex &&
	    topology_set_root_complex(fabric, options->root_complex, error, sizeof(error)))
		return fail(EXIT_USAGE, "--root-complex %s: %s", options->root_complex, error);
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

static int machine_start(struct machine *machine, const struct options *options)
{
	struct stat st;
	int ret = 0;

	if (stat(options->dir, &st) < 0)
		return fail(EXIT_FAILURE, "--dir %s: %s", options->dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(EXIT_FAILURE, "--dir %s: %s", options->dir, strerror(ENOTDIR));
	if (options->trace || options->pcapng || options->stats)
		ret = open_trace(machine, options);
	if (ret)
		return ret;
	machine->fabric = fabric_create(machine->trace);
	machine->server = vfio_user_server_create(&options->server);
	if (!machine->fabric || !machine->server)
		return fail(EXIT_FAILURE, "cannot start: %s", strerror(errno));
	if (options->unannounced_dma)
		fabric_allow_unannounced(machine->fabric);
	ret = add_ports(machine->fabric, options);
	if (!ret && options->inject)
		ret = add_faults(machine, options->inject);
	for (unsigned int i = 0; i < options->count && !ret; i++)
		ret = add_device(machine, options->devices[i], options, &machine->served[i]);
	return ret;
}

static int serve(struct machine *machine, int signal_fd)
{
	int ret;

	if (puts("ready") < 0 || fflush(stdout))
		return fail(EXIT_FAILURE, "standard output: %s", strerror(errno));
	ret = vfio_user_server_run(machine->server, signal_fd);
	if (ret)
		return fail(EXIT_FAILURE, "waiting for clients: %s", strerror(-ret));
	return EXIT_SUCCESS;
}

/*
 * In the reverse order of use: clients go, then functions and their workers, then what they wrote
 * to.
 */
static int machine_stop(struct machine *machine, const struct options *options, int code)
{
	const char *path = options->trace ? options->trace : options->pcapng;
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
			    options->limit ? "the limit was reached"
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
	struct options options = { .payload = TRACE_PAYLOAD };
	struct machine machine = { 0 };
	int code, signal_fd;

	if (sysconf(_SC_NPROCESSORS_ONLN) >= SPIN_PROCESSORS)
		options.server.spin_ns = SPIN_US * 1000ull;
	code = parse_options(argc, argv, &options);
	if (code >= 0)
		return code;
	raise_descriptor_limit();
	signal_fd = catch_signals(options.stats);
	if (signal_fd < 0)
		return fail(EXIT_FAILURE, "signals: %s", strerror(errno));
	code = machine_start(&machine, &options);
	if (!code)
		code = serve(&machine, signal_fd);
	code = machine_stop(&machine, &options, code);
	close(signal_fd);
	return code;
}
