// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Messages that hand dma-bufs over, as bytes of a socket. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handover.h"
#include "sys.h"

bool tpb_handover_name_is_good(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t length = strnlen(name, TPHBUF_NAME_SIZE);

	return length && length < TPHBUF_NAME_SIZE && strspn(name, allowed) == length;
}

struct tpb_handover tpb_handover_make(enum tpb_handover_type type, const char *name)
{
	struct tpb_handover message = {
		.magic = TPB_HANDOVER_MAGIC,
		.version = TPB_HANDOVER_VERSION,
		.type = type,
	};

	snprintf(message.name, sizeof(message.name), "%s", name);
	return message;
}

bool tpb_handover_is_good(const struct tpb_handover *message, ssize_t size)
{
	return size == sizeof(*message) && message->magic == TPB_HANDOVER_MAGIC &&
	       message->version == TPB_HANDOVER_VERSION &&
	       memchr(message->name, '\0', sizeof(message->name)) &&
	       (!message->name[0] || tpb_handover_name_is_good(message->name));
}

int tpb_handover_send(int socket, const struct tpb_handover *message, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec bytes = { .iov_base = (void *)message, .iov_len = sizeof(*message) };
	struct msghdr packet = { .msg_iov = &bytes, .msg_iovlen = 1 };
	ssize_t ret;

	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		packet.msg_control = &control;
		packet.msg_controllen = sizeof(control);
	}
	do {
		ret = tpb_sock.sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (ret == -EINTR);
	return ret < 0 ? (int)ret : 0;
}

ssize_t tpb_handover_receive(int socket, struct tpb_handover *message, int *fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec bytes = { .iov_base = message, .iov_len = sizeof(*message) };
	struct msghdr packet = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct cmsghdr *header;
	ssize_t ret;

	/* Room for exactly so many files: the kernel closes those for which there is none. */
	if (fd) {
		packet.msg_control = &control;
		packet.msg_controllen = CMSG_LEN(sizeof(int));
		*fd = -1;
	}
	do {
		/* MSG_TRUNC: the size of the packet, also of one that is too long. */
		ret = tpb_sock.recvmsg(socket, &packet, MSG_DONTWAIT | MSG_TRUNC);
	} while (ret == -EINTR);
	if (ret < 0 || !fd)
		return ret;
	header = CMSG_FIRSTHDR(&packet);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return ret;
}
