// SPDX-License-Identifier: GPL-2.0-or-later
/* Description: each reason has a word of its own and one line that helps. */
#include <errno.h>

#include <tphbuf/tphbuf.h>

#include "tap.h"

#define LAST	TPHBUF_REASON_SYSTEM

static void each_reason(enum tphbuf_reason reason)
{
	const struct tphbuf_probe about = {
		.bdf = "0000:00:03.0", .driver = "accel", .cdev = "/dev/vfio/devices/vfio0",
		.group_blocker = "0000:00:03.1", .iommu_group = 7, .error = ENODEV,
	};
	const char *name = tphbuf_reason_name(reason);
	char line[512], part[20], bare[512];
	enum tphbuf_reason other;
	int length;

	ok(name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0',
	   "\"%s\" is a word", name);
	for (other = 0; other < reason; other++)
		if (!strcmp(tphbuf_reason_name(other), name))
			break;
	is_int(other, reason, "\"%s\" is its own", name);
	length = tphbuf_reason_text(reason, &about, line, sizeof(line));
	is_int(length, strlen(line), "%s: length", name);
	ok(strstr(line, about.bdf) && !strchr(line, '\n'), "%s: one line on the device", name);
	ok(strstr(line, ": ") && !strpbrk(line, "{}"), "%s: what and why", name);
	is_int(tphbuf_reason_text(reason, &about, part, sizeof(part)), length,
	       "%s: length of a line that is cut off", name);
	is_int(strlen(part), sizeof(part) - 1, "%s: which is cut off", name);
	is_int(tphbuf_reason_text(reason, &about, NULL, 0), length, "%s: length alone", name);
	ok(tphbuf_reason_text(reason, NULL, bare, sizeof(bare)) > 0 && strcmp(bare, line) &&
	   !strpbrk(bare, "{}"),
	   "%s: without a device", name);
	diag("%s", line);
}

static void names_in_texts(void)
{
	struct tphbuf_probe about = {
		.bdf = "0000:00:03.0", .driver = "accel", .group_blocker = "0000:00:03.1",
		.iommu_group = 7, .error = ENODEV,
	};
	char line[512];

	tphbuf_reason_text(TPHBUF_REASON_GROUP_NOT_VIABLE, &about, line, sizeof(line));
	ok(strstr(line, "0000:00:03.1") && strstr(line, "group 7"), "the group and who blocks it");
	tphbuf_reason_text(TPHBUF_REASON_NOT_BOUND, &about, line, sizeof(line));
	ok(strstr(line, "accel"), "the driver that has it");
	about.driver[0] = '\0';
	tphbuf_reason_text(TPHBUF_REASON_NOT_BOUND, &about, line, sizeof(line));
	ok(strstr(line, "no driver"), "or that none has it");
	tphbuf_reason_text(TPHBUF_REASON_SYSTEM, &about, line, sizeof(line));
	ok(strstr(line, strerror(ENODEV)), "the error of the system");
	about.bdf[0] = '\0';
	strcpy(about.cdev, "/dev/vfio/devices/vfio9");
	tphbuf_reason_text(TPHBUF_REASON_NOT_FOUND, &about, line, sizeof(line));
	ok(strstr(line, "/dev/vfio/devices/vfio9"), "the path when there is no address");
}

int main(void)
{
	enum tphbuf_reason reason;
	unsigned int known = 0;
	char line[128];

	for (reason = 0; reason <= LAST; reason++) {
		if (strcmp(tphbuf_reason_name(reason), "unknown")) {
			each_reason(reason);
			known++;
		}
	}
	ok(known >= 30, "%u reasons", known);
	is_int(tphbuf_reason_errno(TPHBUF_REASON_NONE), 0, "no reason is no error");
	is_int(tphbuf_reason_errno(TPHBUF_REASON_BUSY), -EBUSY, "a reason has its error");
	is_int(tphbuf_reason_errno(2), -EIO, "a number between the subjects has one too");
	is_str(tphbuf_reason_name(LAST + 1), "unknown", "a reason of a later version has a name");
	ok(tphbuf_reason_text(LAST + 1, NULL, line, sizeof(line)) > 0, "and a text");
	names_in_texts();
	return done_testing();
}
