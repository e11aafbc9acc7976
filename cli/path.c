// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf path: whether writes of a peer reach a device with their Steering Tag. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tphbuf/path.h>

#include "json_writer.h"
#include "message.h"
#include "option.h"
#include "verb.h"

enum { OPT_JSON = 256, OPT_SYSROOT };

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "sysroot", required_argument, NULL, OPT_SYSROOT },
	{ NULL, 0, NULL, 0 },
};

static void path_print_json(const struct tphbuf_path *path)
{
	struct json_writer json;
	char line[512];

	json_start(&json, stdout);
	json_object(&json, NULL);
	json_int(&json, "version", JSON_VERSION);
	json_string(&json, "device", path->device[0] ? path->device : NULL);
	json_string(&json, "peer", path->peer[0] ? path->peer : NULL);
	json_string(&json, "reason", tphbuf_reason_name(path->reason));
	json_string(&json, "st", path->reason ? NULL : tphbuf_verdict_name(path->st));
	json_string(&json, "st_ext", path->reason ? NULL : tphbuf_verdict_name(path->st_ext));
	json_array(&json, "facts");
	for (uint32_t i = 0; i < path->nr_facts; i++) {
		const struct tphbuf_path_fact *fact = &path->facts[i];

		json_object(&json, NULL);
		json_string(&json, "fact", tphbuf_fact_name(fact->fact));
		json_string(&json, "function", fact->bdf);
		json_int(&json, "value", fact->value);
		json_string(&json, "st", tphbuf_verdict_name(fact->st));
		json_string(&json, "st_ext", tphbuf_verdict_name(fact->st_ext));
		tphbuf_path_text(fact, line, sizeof(line));
		json_string(&json, "text", line);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
}

/* By the worse of both kinds of tags: "+" for no obstacle, "-" for one that stands. */
static const char *mark(const struct tphbuf_path_fact *fact)
{
	static const char *const marks[] = { "+", "?", "-" };

	return marks[fact->st > fact->st_ext ? fact->st : fact->st_ext];
}

static void path_print_text(const struct tphbuf_path *path)
{
	char line[512];

	printf("8-bit Steering Tags     %s\n", tphbuf_verdict_name(path->st));
	printf("Extended Steering Tags  %s\n", tphbuf_verdict_name(path->st_ext));
	for (uint32_t i = 0; i < path->nr_facts; i++) {
		const struct tphbuf_path_fact *fact = &path->facts[i];
		const char *only = "";

		if (fact->st != fact->st_ext)
			only = fact->st < fact->st_ext ? " (Extended only)" : " (8-bit only)";
		tphbuf_path_text(fact, line, sizeof(line));
		printf("%s %s%s\n", mark(fact), line, only);
	}
}

static int examine_path(char **names, const struct tphbuf_options *options, bool as_json)
{
	struct tphbuf_probe about = { .iommu_group = -1 };
	enum tphbuf_verdict best;
	struct tphbuf_path path;
	int ret;

	ret = tphbuf_path(names[0], names[1], options, &path);
	if (ret) {
		error_line("cannot inspect the path from %s to %s: %s", names[1], names[0],
			   strerror(-ret));
		return EXIT_FAILED;
	}
	if (path.reason == TPHBUF_REASON_BAD_NAME)
		return usage_error(&verb_path, "\"%s\" is neither a PCI address such as "
				   "0000:00:03.0 nor the path of a VFIO device file", path.missing);
	if (as_json)
		path_print_json(&path);
	if (path.reason) {
		snprintf(about.cdev, sizeof(about.cdev), "%s", path.missing);
		return reason_error(path.reason, &about);
	}
	if (!as_json)
		path_print_text(&path);
	best = path.st < path.st_ext ? path.st : path.st_ext;
	if (best == TPHBUF_VERDICT_ARRIVES)
		return EXIT_OK;
	return best == TPHBUF_VERDICT_CANNOT ? EXIT_UNSUPPORTED : EXIT_MAY_BE_LOST;
}

static int run_path(int argc, char **argv)
{
	struct tphbuf_options options = { .flags = 0 };
	bool as_json = false;
	int c;

	while ((c = option_next(argc, argv, ":h", long_options)) >= 0) {
		switch (c) {
		case 'h':
			fputs(verb_path.usage, stdout);
			return EXIT_OK;
		case OPT_JSON:
			as_json = true;
			break;
		case OPT_SYSROOT:
			options.sysroot = optarg;
			break;
		default:
			return option_error(&verb_path, c, argv);
		}
	}
	if (argc - optind != 2)
		return usage_error(&verb_path, "expected two devices: the completer, and the "
				   "requester that writes to it");
	return examine_path(argv + optind, &options, as_json);
}

const struct verb verb_path = {
	.name = "path",
	.summary = "report whether writes of a device arrive with their Steering Tag",
	.usage =
		"Usage: tphbuf path [OPTION]... DEVICE REQUESTER\n"
		"\n"
		"Report whether writes of REQUESTER, for example a NIC, reach DEVICE with their Steering\n"
		"Tag: for each namespace whether the tag arrives, may be lost, or cannot arrive, and the\n"
		"facts behind this result. \"+\" marks a fact that is not an obstacle, \"?\" a fact that\n"
		"may lose the tag, \"-\" a fact that loses it. The command only reads sysfs and the\n"
		"configuration space, which requires root.\n"
		"\n"
		"Options:\n"
		"      --json         print JSON\n"
		"      --sysroot DIR  use DIR/sys, DIR/dev and DIR/proc in place of /sys, /dev and /proc\n"
		"  -h, --help         print this text\n"
		"\n"
		"Exit status, for the better namespace: 0 if tags arrive, 7 if they may be lost, 3 if\n"
		"they cannot arrive.\n",
	.run = run_path,
};
