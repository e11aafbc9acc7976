// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf probe: one device. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tphbuf/tphbuf.h>

#include "describe.h"
#include "message.h"
#include "option.h"
#include "verb.h"

enum { OPT_JSON = 256, OPT_NO_OPEN, OPT_SYSROOT, OPT_VF_TOKEN };

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "no-open", no_argument, NULL, OPT_NO_OPEN },
	{ "sysroot", required_argument, NULL, OPT_SYSROOT },
	{ "vf-token", required_argument, NULL, OPT_VF_TOKEN },
	{ NULL, 0, NULL, 0 },
};

/*
 * The first "no" on the way to a tagged dma-buf. 8-bit tags only is none, nor is
 * a dma-buf that the CPU cannot map: such a device can be used.
 */
static enum tphbuf_reason first_no(const struct tphbuf_probe *probe)
{
	const enum tphbuf_reason answers[] = { probe->open, probe->dmabuf, probe->st };

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i] != TPHBUF_REASON_NONE && answers[i] != TPHBUF_REASON_NOT_ASKED)
			return answers[i];
	return TPHBUF_REASON_NONE;
}

/* A "no" that first_no() passes over. */
static bool is_beside_the_way(enum tphbuf_reason reason)
{
	switch (reason) {
	case TPHBUF_REASON_ST_8BIT_ONLY:
	case TPHBUF_REASON_NO_BAR:
	case TPHBUF_REASON_NO_MMAP:
	case TPHBUF_REASON_NO_WC_FEATURE:
	case TPHBUF_REASON_NO_WC:
		return true;
	default:
		return false;
	}
}

static void probe_print_text(const struct tphbuf_probe *probe)
{
	const enum tphbuf_reason beside[] = { probe->st_ext, probe->mmap, probe->wc };
	char line[512];

	if (probe->open == TPHBUF_REASON_NOT_FOUND || probe->open == TPHBUF_REASON_NOT_VFIO)
		return;
	printf("device     %s [%04x:%04x]\n", probe->bdf, probe->vendor, probe->device);
	printf("driver     %s\n", probe->driver[0] ? probe->driver : "-");
	if (probe->iommu_group >= 0)
		printf("group      %d\n", probe->iommu_group);
	else
		printf("group      -\n");
	printf("file       %s\n", probe->cdev[0] ? probe->cdev : "-");
	printf("access     %s\n", access_name(probe->access));
	printf("completer  %s\n", completer_name(probe->completer));
	printf("requester  %s\n", requester_name(probe->requester));
	printf("open       %s\n", answer_name(probe->open));
	printf("dma-buf    %s\n", answer_name(probe->dmabuf));
	printf("st         %s\n", answer_name(probe->st));
	printf("st-ext     %s\n", answer_name(probe->st_ext));
	printf("mmap       %s\n", answer_name(probe->mmap));
	printf("wc         %s\n", answer_name(probe->wc));
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		if (!is_beside_the_way(beside[i]))
			continue;
		tphbuf_reason_text(beside[i], probe, line, sizeof(line));
		printf("note: %s\n", line);
	}
}

static int probe_device(const char *name, const struct tphbuf_options *options, bool as_json)
{
	struct tphbuf_probe probe;
	enum tphbuf_reason no;
	struct json_writer json;
	int ret;

	ret = tphbuf_probe(name, options, &probe);
	if (!ret && probe.open == TPHBUF_REASON_BAD_NAME)
		return usage_error(&verb_probe, "\"%s\" is neither a PCI address such as "
				   "0000:00:03.0 nor the path of a VFIO device file", name);
	if (ret) {
		error_line("cannot probe %s: cannot read /sys or the device: %s", name,
			   strerror(-ret));
		return EXIT_FAILED;
	}
	if (as_json) {
		json_start(&json, stdout);
		json_object(&json, NULL);
		json_int(&json, "version", JSON_VERSION);
		probe_json_members(&json, &probe);
		json_object_end(&json);
	} else {
		probe_print_text(&probe);
	}
	no = first_no(&probe);
	return no ? reason_error(no, &probe) : EXIT_OK;
}

static int run_probe(int argc, char **argv)
{
	struct tphbuf_options options = {
		.flags = TPHBUF_PROBE_OPEN,
		.vf_token = getenv(VF_TOKEN_VARIABLE),
	};
	bool as_json = false;
	int c;

	while ((c = option_next(argc, argv, ":h", long_options)) >= 0) {
		switch (c) {
		case 'h':
			fputs(verb_probe.usage, stdout);
			return EXIT_OK;
		case OPT_JSON:
			as_json = true;
			break;
		case OPT_NO_OPEN:
			options.flags = 0;
			break;
		case OPT_SYSROOT:
			options.sysroot = optarg;
			break;
		case OPT_VF_TOKEN:
			options.vf_token = optarg;
			break;
		default:
			return option_error(&verb_probe, c, argv);
		}
	}
	if (optind == argc)
		return usage_error(&verb_probe,
				   "no device: expected a PCI address such as 0000:00:03.0");
	if (optind + 1 < argc)
		return usage_error(&verb_probe,
				   "unexpected argument \"%s\": list is for all devices",
				   argv[optind + 1]);
	return probe_device(argv[optind], &options, as_json);
}

const struct verb verb_probe = {
	.name = "probe",
	.summary = "report what a device supports, with reasons",
	.usage =
		"Usage: tphbuf probe [OPTION]... DEVICE\n"
		"\n"
		"Report whether DEVICE, a PCI address or the path of a VFIO device file, can be opened,\n"
		"exported and tagged, and whether the CPU can map its memory, also write-combining. The\n"
		"answers have reasons. The command binds no driver. It opens a device that is bound to\n"
		"a VFIO driver and not in use; the kernel resets the device when it is opened.\n"
		"\n"
		"Options:\n"
		"      --json         print a JSON object\n"
		"      --no-open      do not open the device; answers that require it are not-asked\n"
		"      --sysroot DIR  use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"      --vf-token ID  VF token, if the physical function belongs to vfio-pci\n"
		"  -h, --help         print this text\n"
		"\n"
		"The exit status is 0 if a dma-buf of the device can carry a Steering Tag, as far as\n"
		"is known.\n",
	.run = run_probe,
};
