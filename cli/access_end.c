// SPDX-License-Identifier: GPL-2.0-or-later
/* How a run of read or write ended, for people. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "access_end.h"
#include "message.h"

static const char *dmabuf_name(const struct access *access)
{
	return access->bdf[0] ? access->bdf : "the dma-buf";
}

/* How far it got, for a person. */
static const char *moved(const struct access *access, char *text, size_t size)
{
	if (access->total)
		snprintf(text, size, "%" PRIu64 " of %" PRIu64 " bytes", access->done,
			 access->total);
	else
		snprintf(text, size, "%" PRIu64 " bytes", access->done);
	return text;
}

static int end_revoked(const struct access *access)
{
	struct tphbuf_probe about = { .iommu_group = -1 };
	char text[64], more[96];

	snprintf(about.bdf, sizeof(about.bdf), "%s", access->bdf);
	snprintf(more, sizeof(more), "%s were %s", moved(access, text, sizeof(text)),
		 access->store ? "written" : "read");
	return reason_error_with(TPHBUF_REASON_REVOKED, &about, more);
}

static int end_unmapped(const struct access *access)
{
	struct tphbuf_probe probe = { .iommu_group = -1 };
	int err = access->state->error;

	switch (err) {
	case ENODEV:
		return end_revoked(access);
	case EOPNOTSUPP:
		snprintf(probe.bdf, sizeof(probe.bdf), "%s", access->bdf);
		return reason_error(TPHBUF_REASON_NO_MMAP, &probe);
	case EACCES:
		error_line("cannot map %s: its file descriptor is not open for reading and "
			   "writing", dmabuf_name(access));
		return EXIT_PERMISSION;
	default:
		error_line("cannot map %s: %s", dmabuf_name(access),
			   strerror(err));
		return EXIT_FAILED;
	}
}

static int end_unfinished(struct access *access)
{
	char text[64];
	int number;

	if (!WIFSIGNALED(access->status)) {
		error_line("cannot %s all of %s: the process that does it ended",
			   access->verb->name, dmabuf_name(access));
		return EXIT_FAILED;
	}
	number = WTERMSIG(access->status);
	access->signalled = true;
	/* As programs in a pipe do whose reader has enough. */
	if (number != SIGPIPE)
		error_line("cannot %s all of %s: ended by a signal (%s) after at least "
			   "%s", access->verb->name, dmabuf_name(access), strsignal(number),
			   moved(access, text, sizeof(text)));
	return EXIT_FAILED;
}

int cannot_open(const char *file, int error)
{
	error_line("cannot open %s: %s", file,
		   strerror(error));
	return error == EACCES || error == EPERM ? EXIT_PERMISSION : EXIT_FAILED;
}

int access_end(struct access *access, const char *file)
{
	char text[64];

	switch (access->state->end) {
	case TRANSFER_DONE:
		return EXIT_OK;
	case TRANSFER_CANNOT_MAP:
		return end_unmapped(access);
	case TRANSFER_CANNOT_OPEN:
		return cannot_open(file, access->state->error);
	case TRANSFER_REVOKED:
		return end_revoked(access);
	case TRANSFER_FILE_ERROR:
		error_line("cannot %s %s: %s, after %s",
			   access->store ? "read" : "write", file,
			   strerror(access->state->error), moved(access, text, sizeof(text)));
		return EXIT_FAILED;
	case TRANSFER_INPUT_SHORT:
		error_line("cannot write %" PRIu64 " bytes to %s: %s ends after %" PRIu64,
			   access->length, dmabuf_name(access), file, access->done);
		return EXIT_FAILED;
	case TRANSFER_INPUT_LONG:
		error_line("cannot write all of %s to %s: it does not end with the %" PRIu64
			   " bytes that fit, which are written",
			   file, dmabuf_name(access), access->done);
		return EXIT_FAILED;
	case TRANSFER_UNFINISHED:
		break;
	}
	return end_unfinished(access);
}
