// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Description: dma-bufs go from a server to those that may have them, and a
 * client that sends rubbish, does not receive or comes in too great a number
 * costs the others nothing. Both ends are in this process: whoever waits lets
 * the server work.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <tphbuf/tphbuf.h>

#include "fake_sock.h"
#include "fake_sys.h"
#include "fake_tree.h"
#include "handover.h"
#include "tap.h"

#define BDF	"0000:00:03.0"

static const struct tphbuf_tag tag = { .valid = TPHBUF_TAG_ST_EXT, .st_ext = 0x4305, .ph = 2 };
static char root[FAKE_ROOT_SIZE];
static struct tphbuf_device *dev;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener, dmabuf;

static int listen_as(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 100))
		bail_out("cannot listen on %s", address.sun_path);
	return fd;
}

static void start(const struct tphbuf_server_options *options)
{
	fake_sock = (struct fake_sock) { .now_ms = 1000 };
	if (tphbuf_server_create(listener, options, &fake_sock.server))
		bail_out("cannot create a server");
}

static int offer(const char *name, uint32_t flags)
{
	const struct tphbuf_offer offer = {
		.name = name,
		.dmabuf_fd = dmabuf,
		.flags = flags,
		.tag = tag,
	};

	return tphbuf_server_offer(fake_sock.server, &offer);
}

static void stop(void)
{
	tphbuf_server_close(fake_sock.server);
	fake_sock.server = NULL;
	/* Connections that the server has not seen yet. */
	for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; )
		close(fd);
}

static struct tphbuf_connection *join(void)
{
	struct tphbuf_connection *connection;

	if (tphbuf_connect(address.sun_path, &connection))
		bail_out("cannot connect");
	return connection;
}

/* What a client of its own gets; its file is closed. */
static int get_once(const char *name)
{
	struct tphbuf_connection *connection = join();
	struct tphbuf_handover got;
	int ret = tphbuf_connection_get(connection, name, 1000, &got);

	if (!ret)
		close(got.dmabuf_fd);
	tphbuf_connection_close(connection);
	return ret;
}

static int raw(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		bail_out("cannot connect");
	return fd;
}

static void work(void)
{
	for (int i = 0; i < 10; i++)
		tphbuf_server_dispatch(fake_sock.server);
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	return !fstat(a, &one) && !fstat(b, &other) && one.st_ino == other.st_ino &&
	       one.st_dev == other.st_dev;
}

static void hands_over(void)
{
	struct tphbuf_connection *connection;
	struct tphbuf_handover got = { .dmabuf_fd = -1 }, again;

	start(NULL);
	is_int(offer("frames", 0), 0, "a buffer is offered");
	connection = join();
	is_int(tphbuf_connection_get(connection, "frames", 1000, &got), 0, "and handed over");
	ok(same_file(got.dmabuf_fd, dmabuf), "the same dma-buf");
	ok(fcntl(got.dmabuf_fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
	is_int(got.size, 2 * FAKE_PAGE, "its size");
	is_hex(got.tag.st_ext, 0x4305, "its tag");
	is_int(got.tag.valid, TPHBUF_TAG_ST_EXT, "the namespace of the tag");
	is_int(got.tag.ph, 2, "its processing hint");
	is_int(tphbuf_connection_get(connection, "frames", 1000, &again), 0, "a second time");
	close(again.dmabuf_fd);
	is_int(tphbuf_connection_get(connection, "other", 1000, &again), -ENOENT, "another name");
	is_int(tphbuf_connection_get(connection, "no name", 1000, &again), -EINVAL, "no name");
	stop();
	is_int(tphbuf_connection_get(connection, "frames", 1000, &again), -ECONNRESET,
	       "the server has ended");
	ok(same_file(got.dmabuf_fd, dmabuf), "the buffer stays");
	close(got.dmabuf_fd);
	tphbuf_connection_close(connection);
}

static void offers(void)
{
	static const char *const wrong[] = { "", "a b", "../x", "\xc3\xa4",
		"0123456789012345678901234567890123456789012345678901234567890123" };
	char name[16];
	int fds[2];

	start(NULL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_int(offer(wrong[i], 0), -EINVAL, "\"%s\" is not a name", wrong[i]);
	is_int(offer("a", 2), -EINVAL, "an unknown flag");
	for (int i = 0; i < TPHBUF_SERVER_MAX_OFFERS; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		if (offer(name, 0))
			break;
	}
	is_str(name, "b63", "as many as there are places");
	is_int(offer("more", 0), -ENOSPC, "and no more");
	is_int(offer("b7", 0), -EEXIST, "a name that is offered");
	is_int(tphbuf_server_withdraw(fake_sock.server, "b7"), 0, "one is withdrawn");
	is_int(tphbuf_server_withdraw(fake_sock.server, "b7"), -ENOENT, "and is gone");
	is_int(get_once("b7"), -ENOENT, "for clients too");
	if (pipe(fds))
		bail_out("cannot make a pipe");
	dmabuf = dup2(fds[0], dmabuf);
	is_int(offer("more", 0), -EINVAL, "a file that is not a dma-buf");
	close(fds[0]);
	close(fds[1]);
	stop();
}

static void sockets(void)
{
	static const struct tphbuf_server_options later = { .reserved = { 1 } };
	struct tphbuf_server *server = NULL;
	int stream, fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	is_int(tphbuf_server_create(fd, NULL, &server), -EINVAL, "a socket that does not listen");
	close(fd);
	is_int(tphbuf_server_create(dmabuf, NULL, &server), -EINVAL, "a file that is not a socket");
	is_int(tphbuf_server_create(-1, NULL, &server), -EBADF, "no file");
	is_int(tphbuf_server_create(listener, &later, &server), -EINVAL, "options of the future");
	ok(!server, "no server in any case");
	close(listener);
	stream = listen_as(SOCK_STREAM);
	is_int(tphbuf_server_create(stream, NULL, &server), -EINVAL, "a stream socket");
	close(stream);
	listener = listen_as(SOCK_SEQPACKET);
	tphbuf_server_close(NULL);
	tphbuf_connection_close(NULL);
}

static void connecting(void)
{
	struct tphbuf_connection *connection = NULL;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	is_int(tphbuf_connect(path, &connection), -ENAMETOOLONG, "a path that is too long");
	is_int(tphbuf_connect("/nonexistent", &connection), -ENOENT, "no socket");
	close(listener);
	is_int(tphbuf_connect(address.sun_path, &connection), -ECONNREFUSED, "nobody listens");
	ok(!connection, "no connection in any case");
	listener = listen_as(SOCK_SEQPACKET);
}

/* What a process with these ids gets of a buffer for user 1001 and group 2002. */
static int get_as(uid_t uid, gid_t gid)
{
	const struct ucred peer = { .pid = 1, .uid = uid, .gid = gid };
	int ret;

	fake_sock.peer = &peer;
	ret = get_once("ours");
	fake_sock.peer = NULL;
	return ret;
}

static void access_by_ids(void)
{
	const uid_t uid = 1001;
	const gid_t gid = 2002;
	const struct tphbuf_offer ours = {
		.name = "ours", .dmabuf_fd = dmabuf,
		.uids = &uid, .nr_uids = 1, .gids = &gid, .nr_gids = 1,
	};
	gid_t groups[100];

	start(NULL);
	is_int(tphbuf_server_offer(fake_sock.server, &ours), 0, "for a user and a group");
	is_int(get_as(1001, 1001), 0, "the user");
	is_int(get_as(1002, 2002), 0, "a member of the group");
	is_int(get_as(0, 0), 0, "root");
	is_int(get_as(geteuid(), 77), 0, "the user of the server");
	is_int(get_as(1002, 1001), -EACCES, "another user");
	is_int(get_as(2002, 1001), -EACCES, "a user with the number of the group");
	is_int(offer("all", TPHBUF_OFFER_ANYONE), 0, "for anyone");
	fake_sock.peer = &(const struct ucred) { .uid = 1002, .gid = 1002 };
	is_int(get_once("all"), 0, "another user");
	fake_sock.peer = NULL;
	if (geteuid()) {
		skip(2, "setting groups is root's");
	} else {
		for (int i = 0; i < 100; i++)
			groups[i] = 2000 + (gid_t)i;
		for (int count = 100; count >= 2; count -= 98) {
			if (setgroups((size_t)count, groups))
				bail_out("cannot set groups");
			is_int(get_as(1002, 1001), count == 100 ? 0 : -EACCES,
			       "one of %d supplementary groups", count);
		}
		setgroups(0, NULL);
	}
	stop();
}

static void limits(void)
{
	const struct tphbuf_server_options options = { .max_clients = 3, .max_clients_per_uid = 2 };
	struct tphbuf_connection *a, *b, *c;

	start(&options);
	offer("frames", TPHBUF_OFFER_ANYONE);
	a = join();
	b = join();
	work();
	is_int(get_once("frames"), -EBUSY, "one user has as many as it may");
	fake_sock.peer = &(const struct ucred) { .uid = 1002, .gid = 1002 };
	c = join();
	work();
	is_int(get_once("frames"), -EBUSY, "there are as many as there may be");
	tphbuf_connection_close(c);
	is_int(get_once("frames"), 0, "another user has a place");
	fake_sock.peer = NULL;
	tphbuf_connection_close(a);
	is_int(get_once("frames"), 0, "a place that was given up is free");
	tphbuf_connection_close(b);
	stop();
}

static void tells_revocations(void)
{
	struct tphbuf_connection *one, *other, *idle;
	struct tphbuf_handover got;
	char name[TPHBUF_NAME_SIZE] = "";

	start(NULL);
	offer("a", 0);
	offer("b", 0);
	one = join();
	other = join();
	idle = join();
	tphbuf_connection_get(one, "a", 1000, &got);
	close(got.dmabuf_fd);
	tphbuf_connection_get(one, "b", 1000, &got);
	close(got.dmabuf_fd);
	tphbuf_connection_get(other, "b", 1000, &got);
	close(got.dmabuf_fd);
	is_int(tphbuf_connection_wait(one, 100, name), -ETIMEDOUT, "nothing has happened");
	tphbuf_server_withdraw(fake_sock.server, "a");
	is_int(tphbuf_connection_get(one, "b", 1000, &got), 0, "an answer is told from it");
	close(got.dmabuf_fd);
	is_int(tphbuf_connection_wait(one, 0, name), 0, "told to the one that has the buffer");
	is_str(name, "a", "which buffer");
	is_int(tphbuf_connection_wait(one, 100, name), -ETIMEDOUT, "once");
	is_int(tphbuf_connection_wait(other, 100, name), -ETIMEDOUT, "and to no other");
	is_int(offer("a", 0), 0, "the name is free again");
	tphbuf_server_withdraw(fake_sock.server, "a");
	is_int(tphbuf_connection_wait(one, 100, name), -ETIMEDOUT, "another buffer of that name");
	tphbuf_server_withdraw(fake_sock.server, "b");
	stop();
	is_int(tphbuf_connection_wait(other, 100, name), 0, "told before the server ends");
	is_str(name, "b", "which buffer");
	is_int(tphbuf_connection_wait(other, 100, name), -ECONNRESET, "and that it has ended");
	is_int(tphbuf_connection_wait(idle, 100, name), -ECONNRESET, "to everyone");
	tphbuf_connection_close(one);
	tphbuf_connection_close(other);
	tphbuf_connection_close(idle);
}

/* Makes @message carry @fd so many times. @room has space for them. */
static void attach(struct msghdr *message, char *room, int nr_files, int fd)
{
	struct cmsghdr *header;

	if (!nr_files)
		return;
	message->msg_control = room;
	message->msg_controllen = CMSG_SPACE((size_t)nr_files * sizeof(int));
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN((size_t)nr_files * sizeof(int));
	for (int i = 0; i < nr_files; i++)
		memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(int));
}

/* Sends bytes and files as a client, and tells whether the server still has the connection. */
static bool survives(const void *bytes, size_t size, int nr_files)
{
	char room[CMSG_SPACE(16 * sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	struct pollfd pollfd = { .fd = raw() };
	bool alive;

	attach(&message, room, nr_files, dmabuf);
	if (sendmsg(pollfd.fd, &message, MSG_NOSIGNAL) != (ssize_t)size)
		bail_out("cannot send");
	work();
	poll(&pollfd, 1, 0);
	alive = !(pollfd.revents & POLLHUP);
	close(pollfd.fd);
	work();
	return alive;
}

static void rubbish(void)
{
	struct tpb_handover good = tpb_handover_make(TPB_HANDOVER_GET, "frames"), bad;
	struct tphbuf_connection *bystander;
	struct tphbuf_handover got;
	char large[10000] = "";
	unsigned int fds;

	start(NULL);
	offer("frames", TPHBUF_OFFER_ANYONE);
	bystander = join();
	work();
	fds = fake_sys_open_fds();
	ok(survives(&good, sizeof(good), 0), "a request is answered");
	ok(survives(&good, sizeof(good), 16), "files that come with it are not");
	ok(!survives(&good, sizeof(good) - 1, 0), "a byte is missing");
	ok(!survives(&good, 0, 0), "all are missing");
	ok(!survives(large, sizeof(large), 16), "far too many, and files");
	bad = good;
	bad.magic++;
	ok(!survives(&bad, sizeof(bad), 0), "another protocol");
	bad = good;
	bad.type = TPB_HANDOVER_BUFFER;
	ok(!survives(&bad, sizeof(bad), 0), "an answer");
	bad.type = 99;
	ok(!survives(&bad, sizeof(bad), 0), "a message that does not exist");
	bad = good;
	memset(bad.name, 'x', sizeof(bad.name));
	ok(!survives(&bad, sizeof(bad), 0), "a name without an end");
	strcpy(bad.name, "a\nb");
	ok(!survives(&bad, sizeof(bad), 0), "a name of two lines");
	bad = good;
	bad.version++;
	ok(survives(&bad, sizeof(bad), 0), "another version is told so");
	is_int(fake_sys_open_fds(), fds, "no file is left open");
	is_int(tphbuf_connection_get(bystander, "frames", 1000, &got), 0, "another client works");
	close(got.dmabuf_fd);
	tphbuf_connection_close(bystander);
	stop();
}

/* Receives an answer with its file; false when there is none. */
static bool receive_one(int fd)
{
	struct tpb_handover message;
	int file;

	if (tpb_handover_receive(fd, &message, &file) != sizeof(message))
		return false;
	close(file);
	return message.type == TPB_HANDOVER_BUFFER && file >= 0;
}

/* Answers, each with its file or refused, up to the revocation; -1 when anything else comes. */
static int receive_after_withdrawal(int fd)
{
	struct tpb_handover message;
	int file, answers = 0;

	for (int i = 0; i < 200; i++) {
		work();
		if (tpb_handover_receive(fd, &message, &file) != sizeof(message))
			continue;
		if (file >= 0)
			close(file);
		if (message.type == TPB_HANDOVER_REVOKED)
			continue;
		if ((message.type == TPB_HANDOVER_BUFFER) != (file >= 0))
			return -1;
		answers++;
	}
	return answers;
}

static void does_not_receive(void)
{
	const struct tpb_handover request = tpb_handover_make(TPB_HANDOVER_GET, "frames");
	struct pollfd server;
	char name[TPHBUF_NAME_SIZE];
	int fd, under_way = 0, answered = 0;

	start(NULL);
	offer("frames", TPHBUF_OFFER_ANYONE);
	fd = raw();
	for (int i = 0; i < 100; i++) {
		if (tpb_handover_send(fd, &request, -1))
			bail_out("cannot send");
		work();
	}
	server = (struct pollfd) { .fd = tphbuf_server_fd(fake_sock.server), .events = POLLIN };
	is_int(poll(&server, 1, 0), 0, "the server waits for it without working");
	is_int(get_once("frames"), 0, "another client is served");
	while (receive_one(fd))
		under_way++;
	ok(under_way >= 1 && under_way <= 8, "files under way to it: %d", under_way);
	for (int i = 0; i < 200; i++) {
		work();
		while (receive_one(fd))
			answered++;
	}
	is_int(under_way + answered, 100, "everything is answered once it receives");

	/* A revocation finds its queue full. */
	for (int i = 0; i < 20; i++) {
		tpb_handover_send(fd, &request, -1);
		work();
	}
	is_int(tphbuf_server_withdraw(fake_sock.server, "frames"), 0, "withdrawn meanwhile");
	for (int i = 0; i < TPHBUF_SERVER_MAX_OFFERS - 1; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		offer(name, 0);
	}
	is_int(offer("more", 0), -ENOSPC, "its place is kept until it is told");
	is_int(receive_after_withdrawal(fd), 20, "what was not sent yet is refused");
	is_int(offer("more", 0), 0, "a place is free when everyone has been told");
	tphbuf_server_withdraw(fake_sock.server, "more");
	/* Or when the one who was to be told has gone. */
	for (int i = 0; i < 20; i++) {
		tpb_handover_send(fd, &(struct tpb_handover) {
			.magic = TPB_HANDOVER_MAGIC,
			.version = TPB_HANDOVER_VERSION,
			.type = TPB_HANDOVER_GET,
			.name = "b0",
		}, -1);
		work();
	}
	tphbuf_server_withdraw(fake_sock.server, "b0");
	offer("b0", 0);
	is_int(offer("more", 0), -ENOSPC, "a place is kept again");
	close(fd);
	work();
	is_int(offer("more", 0), 0, "until the client has gone");
	stop();
}

static void no_more_files(void)
{
	struct pollfd server;

	start(NULL);
	offer("frames", TPHBUF_OFFER_ANYONE);
	fake_sock.send_file_error = ETOOMANYREFS;
	is_int(get_once("frames"), -EBUSY, "too many files under way");
	fake_sock.send_file_error = 0;
	is_int(get_once("frames"), 0, "not any more");

	fake_sock.accept_error = EMFILE;
	server = (struct pollfd) { .fd = tphbuf_server_fd(fake_sock.server), .events = POLLIN };
	close(raw());
	is_int(poll(&server, 1, 0), 1, "someone wants to connect");
	tphbuf_server_dispatch(fake_sock.server);
	is_int(poll(&server, 1, 0), 0, "nobody can be accepted, and it does not spin");
	fake_sock.accept_error = 0;
	is_int(poll(&server, 1, 5000), 1, "it tries again after a while");
	is_int(get_once("frames"), 0, "and it works");
	stop();
}

/* A server that sends one packet, with files, whatever it is asked. */
static int get_from(const struct tpb_handover *answer, size_t size, int nr_files)
{
	char room[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = (void *)answer, .iov_len = size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	struct tphbuf_connection *connection = join();
	struct tphbuf_handover got;
	int fd = accept(listener, NULL, NULL), ret;

	attach(&message, room, nr_files, nr_files == 2 ? listener : dmabuf);
	sendmsg(fd, &message, MSG_NOSIGNAL);
	ret = tphbuf_connection_get(connection, "frames", 1000, &got);
	if (!ret)
		close(got.dmabuf_fd);
	close(fd);
	tphbuf_connection_close(connection);
	return ret;
}

static void hostile_server(void)
{
	struct tpb_handover good = tpb_handover_make(TPB_HANDOVER_BUFFER, "frames"), bad;
	unsigned int fds;

	fake_sock = (struct fake_sock) { .now_ms = 1000 };
	fds = fake_sys_open_fds();
	is_int(get_from(&good, sizeof(good), 1), 0, "an answer");
	is_int(get_from(&good, sizeof(good), 3), 0, "and files that nobody asked for");
	is_int(get_from(&good, sizeof(good), 2), -EPROTO, "a file that is not a dma-buf");
	is_int(get_from(&good, sizeof(good), 0), -EMFILE, "no file");
	is_int(get_from(&good, 10, 1), -EPROTO, "too short an answer");
	bad = tpb_handover_make(TPB_HANDOVER_BUFFER, "other");
	is_int(get_from(&bad, sizeof(bad), 1), -EPROTO, "another buffer");
	bad = tpb_handover_make(TPB_HANDOVER_REFUSED, "frames");
	is_int(get_from(&bad, sizeof(bad), 1), -EPROTO, "refused without a reason");
	bad.error = ENOENT;
	is_int(get_from(&bad, sizeof(bad), 1), -ENOENT, "refused, with a file");
	bad = tpb_handover_make(TPB_HANDOVER_REVOKED, "frames");
	is_int(get_from(&bad, sizeof(bad), 1), -ETIMEDOUT, "nothing but a revocation");
	is_int(fake_sys_open_fds(), fds, "no file is left open");
}

int main(void)
{
	const struct tphbuf_range range = { .length = 2 * FAKE_PAGE };
	static void (*const tests[])(void) = {
		hands_over, sockets, connecting, access_by_ids, limits, tells_revocations, rubbish,
		does_not_receive, no_more_files, hostile_server, offers,
	};
	unsigned int fds;

	fake_tree_create(root);
	fake_tree_driver(root, "vfio-pci");
	fake_tree_function(root, &(const struct fake_function) {
		.bdf = BDF, .driver = "vfio-pci", .group = 3, .class_code = 0x120000,
		.completer = 3 });
	fake_sys_reset(root);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", root);
	if (tphbuf_device_open(BDF, &(const struct tphbuf_options) { .sysroot = root }, &dev, NULL))
		bail_out("cannot open the device");
	dmabuf = tphbuf_export(dev, 2, &range, 1, &tag, 0, NULL);
	listener = listen_as(SOCK_SEQPACKET);
	fds = fake_sys_open_fds();
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i]();
	is_int(fake_sys_open_fds(), fds, "all files are closed in the end");
	close(listener);
	close(dmabuf);
	tphbuf_device_close(dev);
	fake_tree_remove(root);
	return done_testing();
}
