// SPDX-License-Identifier: GPL-2.0-or-later
/* tphbuf serve: buffers of a device for other processes. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "buffer.h"
#include "child.h"
#include "listener.h"
#include "message.h"
#include "serve_args.h"
#include "verb.h"

/* What there is while it serves. */
struct service {
	struct tphbuf_device *dev;
	struct listener listener;
	struct tphbuf_server *server;
	int fds[TPHBUF_SERVER_MAX_OFFERS];
	size_t nr_fds;
};

/* Each client takes files of this process; systemd and login shells leave the limit low. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int offer(struct service *service, struct served_args *args)
{
	struct buffer buffer = { .dev = service->dev };
	struct tphbuf_offer offer = {
		.name = args->name,
		.uids = args->uids,
		.gids = args->gids,
		.nr_uids = args->nr_uids,
		.nr_gids = args->nr_gids,
		.flags = args->anyone ? TPHBUF_OFFER_ANYONE : 0,
		.tag = args->tag.tag,
	};
	int code, ret;

	/* The tag is there before anyone can ask for the buffer. */
	code = buffer_export(&buffer, &args->buffer, offer.tag.valid ? &offer.tag : NULL,
			     &verb_serve);
	if (code)
		return code;
	service->fds[service->nr_fds++] = buffer.fd;
	offer.dmabuf_fd = buffer.fd;
	ret = tphbuf_server_offer(service->server, &offer);
	if (ret) {
		error_line("cannot offer the buffer %s: %s", args->name, strerror(-ret));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int begin(struct service *service, struct serve_args *args)
{
	int code, ret;

	code = listener_open(&service->listener, args->socket);
	if (code)
		return code;
	ret = tphbuf_server_create(service->listener.fd, &args->limits, &service->server);
	if (ret) {
		error_line("cannot serve: %s", ret == -EINVAL ?
			   "the socket of systemd is not of the kind ListenSequentialPacket=" :
			   strerror(-ret));
		code = EXIT_FAILED;
	}
	for (size_t i = 0; i < args->nr_buffers && !code; i++)
		code = offer(service, &args->buffers[i]);
	return code;
}

/* Until a signal comes, which stays pending. */
static int serve(struct service *service, int signals)
{
	struct pollfd files[] = {
		{ .fd = tphbuf_server_fd(service->server), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	int ret;

	for (;;) {
		if (poll(files, 2, -1) < 0) {
			error_line("cannot wait for clients: %s", strerror(errno));
			return EXIT_FAILED;
		}
		if (files[1].revents)
			return EXIT_OK;
		ret = tphbuf_server_dispatch(service->server);
		if (ret) {
			error_line("cannot serve: %s", strerror(-ret));
			return EXIT_FAILED;
		}
	}
}

static int serve_until_signal(struct service *service)
{
	sigset_t ending;
	int signals, code;

	sigemptyset(&ending);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGQUIT);
	sigaddset(&ending, SIGTERM);
	signals = signalfd(-1, &ending, SFD_CLOEXEC);
	if (signals < 0) {
		error_line("cannot wait for signals: %s", strerror(errno));
		return EXIT_FAILED;
	}
	/* For scripts that wait until the socket is there. */
	puts("ready");
	fflush(stdout);
	code = serve(service, signals);
	close(signals);
	return code;
}

static void end(struct service *service, const struct serve_args *args)
{
	for (size_t i = 0; i < service->nr_fds; i++) {
		/* Without this feature the kernel revokes all of them when the device is closed. */
		tphbuf_revoke(service->dev, service->fds[i], NULL);
		tphbuf_server_withdraw(service->server, args->buffers[i].name);
		close(service->fds[i]);
	}
	tphbuf_server_close(service->server);
	if (service->listener.fd >= 0)
		listener_close(&service->listener);
	buffer_close_device(service->dev, &args->device);
}

static int serve_run(struct serve_args *args)
{
	struct service service = { .listener.fd = -1 };
	struct held_signals held;
	int code;

	raise_file_limit();
	child_hold_signals(&held);
	code = buffer_open_device(&args->device, &verb_serve, &service.dev);
	if (!code) {
		code = begin(&service, args);
		if (!code)
			code = serve_until_signal(&service);
		end(&service, args);
	}
	/* The signal ends this process. */
	child_release_signals(&held);
	return code;
}

static int run_serve(int argc, char **argv)
{
	struct serve_args args;
	int code;

	code = serve_args_parse(&args, &verb_serve, argc, argv);
	if (args.help)
		fputs(verb_serve.usage, stdout);
	else if (!code)
		code = serve_run(&args);
	free(args.buffers);
	return code;
}

const struct verb verb_serve = {
	.name = "serve",
	.summary = "offer buffers of a device to other processes, by name",
	.usage =
		"Usage: tphbuf serve --socket PATH -d DEVICE [OPTION]... {--buffer NAME --bar N\n"
		"                    [OPTION OF THE BUFFER]...}...\n"
		"\n"
		"Export memory of DEVICE, a PCI address or the path of a VFIO device file, as named\n"
		"dma-bufs, and hand them over to processes that request them on the socket PATH, with\n"
		"\"tphbuf get\" or tphbuf_connect(3), until a signal arrives; then revoke them.\n"
		"\n"
		"Options:\n"
		"      --socket PATH          UNIX socket to listen on; by default the socket that\n"
		"                             systemd has opened, or TPHBUF_SOCKET\n"
		"  -d, --device DEVICE        device to export from\n"
		"      --bind                 bind the device to vfio-pci while this runs\n"
		"      --max-clients N        connections at a time; 1024 by default\n"
		"      --max-per-user N       connections per user; 256 by default\n"
		"      --sysroot DIR          use DIR/sys and DIR/dev in place of /sys and /dev\n"
		"      --vf-token UUID        VF token, set by the owner of the physical function\n"
		"  -h, --help                 print this text\n"
		"\n"
		"Options for a buffer, after its name:\n"
		"      --buffer NAME          the name: letters, digits, \".\", \"_\" and \"-\"\n"
		"      --bar N                BAR to export from, 0 to 5\n"
		"      --range OFFSET:LENGTH  part of the BAR; may be repeated; the whole BAR by\n"
		"                             default; numbers accept K, M, G, T\n"
		"      --st TAG               8-bit Steering Tag, 0 to 0xff\n"
		"      --st-ext TAG           Extended Steering Tag, 0 to 0xffff\n"
		"      --ph HINT              Processing Hint, 0 to 3; 0 by default\n"
		"      --wc                   make the memory write-combining instead of uncached\n"
		"      --user USER            user who may have it; may be repeated\n"
		"      --group GROUP          group whose members may have it; may be repeated\n"
		"      --anyone               everyone may have it\n"
		"\n"
		"Root and the user who runs tphbuf may have every buffer.\n",
	.run = run_serve,
};
