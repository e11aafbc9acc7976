// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of tphbuf-endpoints. Keys of devices, ports and rules are checked by their readers. */
#include "command_line.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/device_options.h"
#include "devices/plugin.h"
#include "devices/registry.h"
#include "injection_file.h"
#include "pcie/trace.h"
#include "topology.h"

#define SPIN_US		20u
#define SPIN_PROCESSORS	4	/* a thread that spins needs one that nobody else wants */
#define SPIN_US_MAX	1000000u
#define PLUGIN_ERROR_MAX	512

static void print_help(FILE *out)
{
	fputs("usage: tphbuf-endpoints --dir DIR [OPTION]... --device TYPE[,key=value...]...\n"
	      "\n"
	      "Serve emulated PCIe endpoints over vfio-user, one socket per device: DIR/NAME.sock.\n"
	      "Print \"ready\" when all sockets listen. SIGTERM or SIGINT terminates the program.\n"
	      "\n"
	      "  --dir DIR      existing directory for the sockets\n"
	      "  --trace FILE   write a line per TLP to FILE, replacing its contents "
	      "(docs/reference/trace-format.md)\n"
	      "  --pcapng FILE  write the same records as pcapng, for Wireshark\n"
	      "  --payload N    bytes of each payload that pcapng keeps, 0 to 4096; default 64\n"
	      "  --trace-limit N\n"
	      "                 maximum size of a trace file, with K, M or G; default no limit\n"
	      "  --requests-only\n"
	      "                 leave completions and MSI-X interrupts out of both\n"
	      "  --stats        on SIGUSR1, print the numbers of TLPs by requester, completer and\n"
	      "                 tag to standard error\n"
	      "  --device SPEC  add a device; may be repeated\n"
	      "  --plugin FILE  load a device type from a shared object, which --help after it\n"
	      "                 describes; may be repeated\n"
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

int fail(int code, const char *fmt, ...)
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

static int add_port_spec(struct command_line *line, int option, const char *text)
{
	enum pcie_port_kind kind = option == 'R' ? PCIE_PORT_ROOT :
				   option == 'S' ? PCIE_PORT_UPSTREAM :
						   PCIE_PORT_DOWNSTREAM;

	if (line->port_count == FABRIC_PORTS_MAX)
		return fail(EXIT_USAGE, "more than %d ports", FABRIC_PORTS_MAX);
	line->ports[line->port_count++] = (struct port_spec){ kind, text };
	return 0;
}

static int load_plugin(const char *path)
{
	char error[PLUGIN_ERROR_MAX];

	if (plugin_load(path, error, sizeof(error)))
		return fail(EXIT_USAGE, "--plugin %s: %s", path, error);
	return 0;
}

/* What is recorded. Return: 0, an exit code, or -1 for an option of another subject. */
static int parse_trace_option(struct command_line *line, int option, const char *text)
{
	uint64_t size;

	switch (option) {
	case 't':
		line->trace = text;
		return 0;
	case 'n':
		line->pcapng = text;
		return 0;
	case 'P':
		if (!option_parse_size(text, &size) || size > TLP_PAYLOAD_MAX)
			return fail(EXIT_USAGE,
				    "--payload %s is out of range: expected 0 to %d",
				    text, TLP_PAYLOAD_MAX);
		line->payload = size;
		return 0;
	case 'L':
		if (!option_parse_size(text, &line->limit) || !line->limit)
			return fail(EXIT_USAGE,
				    "--trace-limit %s is not a size (K, M or G may follow)",
				    text);
		return 0;
	case 'c':
		line->stats = true;
		return 0;
	case 'r':
		line->requests_only = true;
		return 0;
	default:
		return -1;
	}
}

/* The devices and what is above them. Return: as above. */
static int parse_tree_option(struct command_line *line, int option, const char *text)
{
	switch (option) {
	case 'D':
		if (line->count == FABRIC_FUNCTIONS_MAX)
			return fail(EXIT_USAGE, "too many devices: at most %d",
				    FABRIC_FUNCTIONS_MAX);
		line->devices[line->count++] = text;
		return 0;
	case 'R':
	case 'S':
	case 'O':
		return add_port_spec(line, option, text);
	case 'G':
		return load_plugin(text);
	case 'C':
		line->root_complex = text;
		return 0;
	case 'I':
		line->inject = text;
		return 0;
	default:
		return -1;
	}
}

/* How clients are served. Return: as above. */
static int parse_server_option(struct command_line *line, int option, const char *text)
{
	switch (option) {
	case 'd':
		line->dir = text;
		return 0;
	case 'E':
		line->error_irq = true;
		return 0;
	case 'a':
		line->server.any_process = true;
		return 0;
	case 'u':
		line->unannounced_dma = true;
		return 0;
	case 's':
		if (!parse_spin(text, &line->server.spin_ns))
			return fail(EXIT_USAGE,
				    "--spin %s is out of range: expected 0 to %u",
				    text, SPIN_US_MAX);
		return 0;
	case 'p':
		line->server.polling = true;
		return 0;
	default:
		return -1;
	}
}

/* What getopt_long() did not accept. Its optopt is 0 for a long option that does not exist. */
static int option_error(int option, const char *given)
{
	if (option == ':')
		return fail(EXIT_USAGE, "option %s requires an argument; see --help", given);
	if (optopt && given[0] == '-' && given[1] == '-')
		return fail(EXIT_USAGE, "option %.*s does not take an argument; see --help",
			    (int)strcspn(given, "="), given);
	return fail(EXIT_USAGE, "unrecognized option %s; see --help", given);
}

/* The exit code after a text on standard output. */
static int end_of_text(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail(EXIT_FAILURE, "cannot write to standard output: %s", strerror(errno));
	return EXIT_SUCCESS;
}

/* Return: 0, or the exit code for a command line that lacks something or has too much. */
static int check(int argc, char **argv, const struct command_line *line)
{
	if (optind < argc)
		return fail(EXIT_USAGE, "unexpected argument \"%s\"; see --help", argv[optind]);
	if (!line->dir)
		return fail(EXIT_USAGE, "--dir is required; see --help");
	if (!line->count)
		return fail(EXIT_USAGE, "--device is required; see --help");
	return 0;
}

int command_line_parse(int argc, char **argv, struct command_line *line)
{
	static const struct option known[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "trace", required_argument, NULL, 't' },
		{ "pcapng", required_argument, NULL, 'n' },
		{ "payload", required_argument, NULL, 'P' },
		{ "trace-limit", required_argument, NULL, 'L' },
		{ "requests-only", no_argument, NULL, 'r' },
		{ "stats", no_argument, NULL, 'c' },
		{ "device", required_argument, NULL, 'D' },
		{ "plugin", required_argument, NULL, 'G' },
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

	*line = (struct command_line){ .payload = TRACE_PAYLOAD };
	if (sysconf(_SC_NPROCESSORS_ONLN) >= SPIN_PROCESSORS)
		line->server.spin_ns = SPIN_US * 1000ull;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == 'h') {
			print_help(stdout);
			return end_of_text();
		}
		if (option == 'V') {
			puts("tphbuf-endpoints " TPHBUF_VERSION);
			return end_of_text();
		}
		if (option == '?' || option == ':')
			return option_error(option, argv[optind - 1]);
		code = parse_trace_option(line, option, optarg);
		if (code < 0)
			code = parse_tree_option(line, option, optarg);
		if (code < 0)
			code = parse_server_option(line, option, optarg);
		if (code)
			return EXIT_USAGE;
	}
	code = check(argc, argv, line);
	return code ? code : -1;
}
