// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf list: all devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tphbuf/tphbuf.h>

#include "describe.h"
#include "message.h"
#include "option.h"
#include "verb.h"

struct list {
	struct tphbuf_options options;
	bool bound;
	bool json;
	enum tphbuf_reason host;
	struct tphbuf_probe *probes;
	size_t count;
};

enum { OPT_BOUND = 256, OPT_JSON, OPT_OPEN, OPT_SYSROOT, OPT_VF_TOKEN };

static const struct option long_options[] = {
	{ "bound", no_argument, NULL, OPT_BOUND },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "open", no_argument, NULL, OPT_OPEN },
	{ "sysroot", required_argument, NULL, OPT_SYSROOT },
	{ "vf-token", required_argument, NULL, OPT_VF_TOKEN },
	{ NULL, 0, NULL, 0 },
};

static bool is_bound(const struct tphbuf_probe *probe)
{
	return probe->open != TPHBUF_REASON_NOT_BOUND && probe->open != TPHBUF_REASON_NO_VFIO &&
	       probe->open != TPHBUF_REASON_NO_IOMMU;
}

static bool is_listed(const struct list *list, const struct tphbuf_probe *probe)
{
	return !list->bound || is_bound(probe);
}

#define COLUMNS	10

static void print_row(const int widths[COLUMNS], const char *const cells[COLUMNS])
{
	for (unsigned int i = 0; i < COLUMNS; i++)
		printf("%s%*s", i ? "  " : "", widths[i], cells[i]);
	putchar('\n');
}

static void print_device(const int widths[COLUMNS], const struct tphbuf_probe *probe)
{
	char id[16], group[16] = "-";
	const char *const cells[COLUMNS] = {
		probe->bdf, id, group, probe->driver[0] ? probe->driver : "-",
		completer_name(probe->completer), requester_name(probe->requester),
		answer_name(probe->open), answer_name(probe->dmabuf), answer_name(probe->st),
		answer_name(probe->st_ext),
	};

	snprintf(id, sizeof(id), "%04x:%04x", probe->vendor, probe->device);
	if (probe->iommu_group >= 0)
		snprintf(group, sizeof(group), "%d", probe->iommu_group);
	print_row(widths, cells);
}

/* The column is wide enough for @text; text stands at its left. */
static void widen(int *width, const char *text)
{
	if ((int)strlen(text) > -*width)
		*width = -(int)strlen(text);
}

static void print_table(const struct list *list)
{
	static const char *const head[COLUMNS] = {
		"DEVICE", "ID", "GROUP", "DRIVER", "COMPLETER", "REQUESTER", "OPEN", "DMA-BUF",
		"ST", "ST-EXT",
	};
	int widths[COLUMNS] = { -6, -9, 5, -6, -9, -9, -16, -9, -14, 0 };
	size_t rows = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!is_listed(list, &list->probes[i]))
			continue;
		rows++;
		widen(&widths[0], list->probes[i].bdf);
		widen(&widths[3], list->probes[i].driver);
	}
	if (!rows)
		return;
	print_row(widths, head);
	for (size_t i = 0; i < list->count; i++)
		if (is_listed(list, &list->probes[i]))
			print_device(widths, &list->probes[i]);
}

static void print_json_device(struct json_writer *json, const struct tphbuf_probe *probe)
{
	json_object(json, NULL);
	probe_json_members(json, probe);
	json_object_end(json);
}

/* What the machine lacks is a reason for all of them. */
static const struct tphbuf_probe any_device = { .bdf = "any device" };

static void list_print_json(const struct list *list)
{
	struct json_writer json;

	json_start(&json, stdout);
	json_object(&json, NULL);
	json_int(&json, "version", JSON_VERSION);
	answer_json(&json, "host", list->host, &any_device);
	json_array(&json, "devices");
	for (size_t i = 0; i < list->count; i++)
		if (is_listed(list, &list->probes[i]))
			print_json_device(&json, &list->probes[i]);
	json_array_end(&json);
	json_object_end(&json);
}

static int print_list(struct list *list)
{
	const struct tphbuf_options look = { .sysroot = list->options.sysroot };
	int ret;

	ret = tphbuf_probe_host(&look, &list->host);
	if (!ret)
		ret = tphbuf_probe_all(&list->options, &list->probes, &list->count);
	if (ret) {
		error_line("cannot list the devices: cannot read /sys%s: %s",
			   look.sysroot ? " in --sysroot" : "", strerror(-ret));
		return EXIT_FAILED;
	}
	if (list->json)
		list_print_json(list);
	else
		print_table(list);
	tphbuf_probe_free(list->probes);
	if (list->host)
		return reason_error(list->host, &any_device);
	return EXIT_OK;
}

static int run_list(int argc, char **argv)
{
	struct list list = { .options.vf_token = getenv(VF_TOKEN_VARIABLE) };
	int c;

	while ((c = option_next(argc, argv, ":h", long_options)) >= 0) {
		switch (c) {
		case 'h':
			fputs(verb_list.usage, stdout);
			return EXIT_OK;
		case OPT_BOUND:
			list.bound = true;
			break;
		case OPT_JSON:
			list.json = true;
			break;
		case OPT_OPEN:
			list.options.flags |= TPHBUF_PROBE_OPEN;
			break;
		case OPT_SYSROOT:
			list.options.sysroot = optarg;
			break;
		case OPT_VF_TOKEN:
			list.options.vf_token = optarg;
			break;
		default:
			return option_error(&verb_list, c, argv);
		}
	}
	if (optind < argc)
		return usage_error(&verb_list,
				   "unexpected argument \"%s\"; \"tphbuf probe\" inspects a device",
				   argv[optind]);
	return print_list(&list);
}

const struct verb verb_list = {
	.name = "list",
	.summary = "list the devices that VFIO can open or bind",
	.usage =
		"Usage: tphbuf list [OPTION]...\n"
		"\n"
		"List the PCI functions that are bound to a VFIO driver or can be bound to one: those\n"
		"with a type 0 header. Devices are only opened with --open.\n"
		"\n"
		"Options:\n"
		"      --bound        list only devices that are bound to a VFIO driver\n"
		"      --json         print JSON\n"
		"      --open         open each bound device that is not in use, and query its features;\n"
		"                     the kernel resets a device when it is opened\n"
		"      --sysroot DIR  use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"      --vf-token ID  VF token: UUID set by the owner of the physical function\n"
		"  -h, --help         print this text\n",
	.run = run_list,
};
