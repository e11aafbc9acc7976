// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes a file into memory of a PCI device by RDMA, with a steering tag: the
 * owner's side with libtphbuf, the NIC's side with libibverbs.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "loopback.h"

/* Less than the 2 GiB that InfiniBand lets a message have. */
#define MESSAGE_MAX	(1u << 30)

struct arguments {
	const char *device;
	const char *rdma;
	const char *file;
	unsigned int bar;
	struct tphbuf_range range;
	struct tphbuf_tag tag;
	bool bind;
	bool hold;
};

__attribute__((noreturn)) static void usage(int status)
{
	fputs("Usage: rdma_write --device DEVICE --bar N --range OFFSET:LENGTH --rdma NAME\n"
	      "                  [--st N] [--st-ext N] [--ph N] [--bind] [--hold] FILE\n"
	      "\n"
	      "Exports a range in a BAR of DEVICE, a PCI address, as a dma-buf with a Steering Tag, registers\n"
	      "it with the RDMA device NAME, and writes FILE into it.\n"
	      "\n"
	      "  --st N      8-bit Steering Tag      --bind  bind DEVICE to vfio-pci while this runs\n"
	      "  --st-ext N  Extended Steering Tag   --hold  keep the buffer until standard input ends\n"
	      "  --ph N      Processing Hint, 0 to 3\n",
	      status ? stderr : stdout);
	exit(status);
}

static uint64_t number(const char *text, const char **end)
{
	char *stop;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &stop, 0);
	if (stop == text || errno || (*stop && !end))
		errx(1, "%s: not a number", text);
	if (end)
		*end = stop;
	return value;
}

static void set(int (*setter)(struct tphbuf_tag *, uint64_t), struct tphbuf_tag *tag,
		const char *text)
{
	if (setter(tag, number(text, NULL)))
		errx(1, "%s: too large", text);
}

static unsigned int bar(const char *text)
{
	uint64_t value = number(text, NULL);

	if (value >= TPHBUF_NR_BARS)
		errx(1, "--bar %s is out of range: expected 0 to %d", text, TPHBUF_NR_BARS - 1);
	return value;
}

static struct tphbuf_range range(const char *text)
{
	struct tphbuf_range range;

	range.offset = number(text, &text);
	if (*text++ != ':')
		errx(1, "--range: expected OFFSET:LENGTH");
	range.length = number(text, NULL);
	return range;
}

static struct arguments parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "bar", required_argument, NULL, 'b' },
		{ "range", required_argument, NULL, 'R' },
		{ "rdma", required_argument, NULL, 'r' },
		{ "st", required_argument, NULL, 's' },
		{ "st-ext", required_argument, NULL, 'e' },
		{ "ph", required_argument, NULL, 'p' },
		{ "bind", no_argument, NULL, 'B' },
		{ "hold", no_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct arguments args = { .bar = TPHBUF_NR_BARS };
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			args.device = optarg;
			break;
		case 'b':
			args.bar = bar(optarg);
			break;
		case 'R':
			args.range = range(optarg);
			break;
		case 'r':
			args.rdma = optarg;
			break;
		case 's':
			set(tphbuf_tag_set_st, &args.tag, optarg);
			break;
		case 'e':
			set(tphbuf_tag_set_st_ext, &args.tag, optarg);
			break;
		case 'p':
			set(tphbuf_tag_set_ph, &args.tag, optarg);
			break;
		case 'B':
			args.bind = true;
			break;
		case 'H':
			args.hold = true;
			break;
		case 'h':
			usage(0);
		default:
			usage(1);
		}
	}
	if (!args.device || args.bar == TPHBUF_NR_BARS || !args.rdma || !args.range.length ||
	    optind != argc - 1)
		usage(1);
	args.file = argv[optind];
	return args;
}

/* The owner's side: a dma-buf that has its tag from the start. */
static struct tphbuf_device *export(const struct arguments *args, int *dmabuf)
{
	struct tphbuf_options options = { .flags = args->bind ? TPHBUF_OPEN_BIND : 0 };
	struct tphbuf_device *dev;
	struct tphbuf_probe why;
	char reason[400];
	int ret;

	ret = tphbuf_device_open(args->device, &options, &dev, &why);
	if (ret) {
		tphbuf_reason_text(why.reason, &why, reason, sizeof(reason));
		errx(1, "%s: %s", args->device, reason);
	}
	ret = tphbuf_device_enable_memory(dev);
	if (ret) {
		tphbuf_device_restore_driver(dev);
		errx(1, "%s: cannot enable memory decoding: %s", args->device, strerror(-ret));
	}
	ret = tphbuf_export(dev, args->bar, &args->range, 1, args->tag.valid ? &args->tag : NULL, 0,
			    &why);
	if (ret < 0) {
		tphbuf_device_restore_driver(dev);
		tphbuf_reason_text(why.reason, &why, reason, sizeof(reason));
		errx(1, "cannot export the range of BAR %u of %s: %s", args->bar, args->device,
		     reason);
	}
	*dmabuf = ret;
	return dev;
}

/* The file in memory that the NIC may read; NULL after a message. */
static struct ibv_mr *source(struct loopback *loop, const struct arguments *args)
{
	struct ibv_mr *mr = NULL;
	struct stat status;
	void *data;
	int fd;

	fd = open(args->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status)) {
		warn("%s", args->file);
		goto out;
	}
	if (!status.st_size || (uint64_t)status.st_size > args->range.length) {
		warnx("%s: has %jd bytes, the range %" PRIu64, args->file, (intmax_t)status.st_size,
		      args->range.length);
		goto out;
	}
	data = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (data != MAP_FAILED)
		mr = ibv_reg_mr(loop->pd, data, status.st_size, 0);
	if (!mr)
		warn("cannot register the bytes of %s", args->file);
out:
	if (fd >= 0)
		close(fd);
	return mr;
}

static int write_and_hold(struct loopback *loop, const struct arguments *args,
			  const struct ibv_mr *from, const struct ibv_mr *to)
{
	size_t size;
	int status = 0;

	for (size_t done = 0; done < from->length && !status; done += size) {
		size = from->length - done < MESSAGE_MAX ? from->length - done : MESSAGE_MAX;
		status = loopback_write(loop, from, to, done, size);
	}
	if (status < 0) {
		warn("%s: cannot write", args->rdma);
		return 1;
	}
	if (status) {
		warnx("%s: the write ended in error: %s", args->rdma,
		      ibv_wc_status_str((enum ibv_wc_status)status));
		return 1;
	}
	printf("%zu bytes written to BAR %u of %s, rkey 0x%x\n", from->length, args->bar,
	       args->device, to->rkey);
	fflush(stdout);
	while (args->hold && getchar() != EOF)
		;
	return 0;
}

/* The NIC's side: it is told nothing of the tag, and cannot choose one. */
static int transfer(const struct arguments *args, int dmabuf)
{
	struct ibv_mr *from = NULL, *to = NULL;
	struct loopback loop;
	const char *what;
	int status = 1;

	if (loopback_open(&loop, args->rdma, &what)) {
		warn("%s: cannot %s", args->rdma, what);
		goto out;
	}
	from = source(&loop, args);
	if (!from)
		goto out;
	to = ibv_reg_dmabuf_mr(loop.pd, 0, args->range.length, 0, dmabuf,
			       IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	if (to)
		status = write_and_hold(&loop, args, from, to);
	else
		warn("%s: cannot register the dma-buf", args->rdma);
out:
	if (to)
		ibv_dereg_mr(to);
	if (from)
		ibv_dereg_mr(from);
	loopback_close(&loop);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments args = parse(argc, argv);
	struct tphbuf_device *dev;
	int dmabuf, status;

	dev = export(&args, &dmabuf);
	status = transfer(&args, dmabuf);
	close(dmabuf);
	if (tphbuf_device_restore_driver(dev))
		errx(1, "cannot bind %s to its previous driver", args.device);
	return status;
}
