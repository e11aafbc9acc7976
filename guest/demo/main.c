// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest side of the demo; README.md describes its use and its output. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

enum { EXIT_RIGHT, EXIT_WRONG, EXIT_USAGE, EXIT_FAILED };

/*
 * Neither the BAR nor the buffer is used from its start: offsets that are taken
 * for 0 show.
 */
#define BAR_OFFSET	(1u << 20)
#define BUFFER_OFFSET	(4096u + 64u)
#define BUFFER_REST	4096u
#define PAGE		4096u

static const char usage[] =
	"usage: demo [--accelerator BDF] [--dma-engine BDF | --nic BDF] [--domain identity|translated] FILE\n";

__attribute__((format(printf, 1, 2)))
static int failed(const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "demo: %s\n", text);
	report_error(text);
	return EXIT_FAILED;
}

/* Reads a whole file and appends three zero bytes. NULL with errno set. */
static uint8_t *read_file(const char *path, size_t *size)
{
	uint8_t *data = NULL;
	struct stat st;
	size_t done = 0;
	int fd, error;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st))
		goto out;
	errno = EINVAL;
	if (!S_ISREG(st.st_mode) || !st.st_size)
		goto out;
	data = calloc(1, (size_t)st.st_size + 3);
	while (data && done < (size_t)st.st_size) {
		ssize_t got = read(fd, data + done, (size_t)st.st_size - done);

		if (got <= 0) {
			if (!got)
				errno = EIO;
			error = errno;
			free(data);
			errno = error;
			data = NULL;
			break;
		}
		done += (size_t)got;
	}
	*size = done;
out:
	error = errno;
	close(fd);
	errno = error;
	return data;
}

static int run(struct demo *demo, const char *file)
{
	struct demo_result result;
	bool ok = true;
	int ret;

	ret = demo_learn_namespace(demo);
	if (ret)
		return failed("cannot learn what the sender is enabled for: %s", strerror(-ret));
	if (!report_run(demo, file))
		return EXIT_FAILED;

	for (unsigned int i = 0; i < DEMO_PHASES; i++) {
		ret = demo_run_phase(demo, i, &result);
		if (ret)
			return failed("phase %s: %s", demo_plans[i].name, strerror(-ret));
		if (!report_phase(demo, &result))
			return EXIT_FAILED;
		ok = ok && !result.why[0];
	}
	if (!report_end(DEMO_PHASES, ok))
		return EXIT_FAILED;
	return ok ? EXIT_RIGHT : EXIT_WRONG;
}

static int run_with_buffer(struct demo *demo, const char *file)
{
	int ret;

	demo->bar_offset = BAR_OFFSET;
	demo->buffer_offset = BUFFER_OFFSET;
	demo->buffer_size = BUFFER_OFFSET + demo->file_bytes + BUFFER_REST;
	demo->buffer_size = (demo->buffer_size + PAGE - 1) / PAGE * PAGE;
	if (demo->bar_offset + demo->buffer_size > demo->acc.mem_size)
		return failed("%s: needs %" PRIu64 " bytes of the accelerator's memory, which has "
			      "%" PRIu64 ": give the accelerator more (mem=)", file,
			      demo->bar_offset + demo->buffer_size, demo->acc.mem_size);

	ret = accelerator_map(&demo->acc);
	if (ret)
		return failed("cannot map the accelerator's memory: %s", strerror(-ret));
	demo->dmabuf = accelerator_export(&demo->acc, demo->bar_offset, demo->buffer_size, NULL);
	if (demo->dmabuf < 0)
		return failed("cannot export the accelerator's memory: %s",
			      strerror(-demo->dmabuf));
	ret = run(demo, file);
	close(demo->dmabuf);
	return ret;
}

static int run_with_devices(struct demo *demo, const char *file, const char *accelerator,
			    const char *sender)
{
	int ret, status;

	demo->from = sender;
	demo->to = accelerator;
	ret = demo->ops->open(&demo->sender, sender);
	if (ret)
		return failed("sender %s: %s: has the driver %s taken it?", sender, strerror(-ret),
			      demo->ops->name);
	ret = accelerator_open(&demo->acc, accelerator, TPHBUF_OPEN_BIND);
	if (ret) {
		demo->ops->close(demo->sender);
		return failed("accelerator %s: %s", accelerator, strerror(-ret));
	}
	status = run_with_buffer(demo, file);
	demo->ops->close(demo->sender);
	accelerator_unmap(&demo->acc);
	ret = tphbuf_device_restore_driver(demo->acc.dev);
	if (ret && status == EXIT_RIGHT)
		return failed("accelerator %s: cannot be given back: %s", accelerator,
			      strerror(-ret));
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "accelerator", required_argument, NULL, 'a' },
		{ "dma-engine", required_argument, NULL, 'e' },
		{ "nic", required_argument, NULL, 'n' },
		{ "domain", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *accelerator = getenv("TPHBUF_DEV_ACC0");
	const char *dma_engine = getenv("TPHBUF_DEV_DMA0");
	const char *nic = getenv("TPHBUF_DEV_NIC0");
	const char *domain = getenv("TPHBUF_DOMAIN");
	struct demo demo = { 0 };
	uint8_t *data;
	int c, status;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			accelerator = optarg;
			break;
		case 'e':
			dma_engine = optarg;
			nic = NULL;
			break;
		case 'n':
			nic = optarg;
			break;
		case 'd':
			domain = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_RIGHT;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (!domain)
		domain = "identity";
	demo.translated = !strcmp(domain, "translated");
	if (optind != argc - 1 || !accelerator || !(nic || dma_engine) ||
	    (!demo.translated && strcmp(domain, "identity"))) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}

	data = read_file(argv[optind], &demo.file_bytes);
	if (!data)
		return failed("%s: %s", argv[optind],
			      errno == EINVAL ? "is empty or no regular file" : strerror(errno));
	demo.data = data;
	demo.ops = nic ? &sender_mlx5 : &sender_tph_dma;
	status = run_with_devices(&demo, argv[optind], accelerator, nic ? nic : dma_engine);
	free(data);
	return status;
}
