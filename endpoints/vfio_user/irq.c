// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts: what DEVICE_SET_IRQS asks for, and the events of the device.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "event.h"
#include "irq.h"

int vfio_user_irqs_init(struct vfio_user_irqs *irqs, const unsigned int count[VFIO_USER_IRQ_TYPES])
{
	int ret = vfio_user_event_init();

	if (ret)
		return ret;
	memset(irqs, 0, sizeof(*irqs));
	for (unsigned int type = 0; type < VFIO_USER_IRQ_TYPES; type++) {
		struct vfio_user_irq *vectors;

		if (!count[type])
			continue;
		vectors = calloc(count[type], sizeof(*vectors));
		if (!vectors)
			goto no_memory;
		for (unsigned int i = 0; i < count[type]; i++)
			for (int event = 0; event < VFIO_USER_IRQ_EVENTS; event++)
				vectors[i].fd[event] = -1;
		irqs->vectors[type] = vectors;
		irqs->count[type] = count[type];
	}
	irqs->types = count[VFIO_PCI_ERR_IRQ_INDEX] ? VFIO_USER_IRQ_TYPES : VFIO_USER_IRQ_TYPES_MIN;
	pthread_mutex_init(&irqs->lock, NULL);
	return 0;

no_memory:
	for (unsigned int type = 0; type < VFIO_USER_IRQ_TYPES; type++)
		free(irqs->vectors[type]);
	return -ENOMEM;
}

static void replace_fd(int *fd, int new_fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = new_fd;
}

static void clear_vector(struct vfio_user_irq *irq)
{
	for (int event = 0; event < VFIO_USER_IRQ_EVENTS; event++)
		replace_fd(&irq->fd[event], -1);
	irq->masked = false;
	irq->pending = false;
}

void vfio_user_irqs_destroy(struct vfio_user_irqs *irqs)
{
	for (unsigned int type = 0; type < VFIO_USER_IRQ_TYPES; type++) {
		for (unsigned int i = 0; i < irqs->count[type]; i++)
			clear_vector(&irqs->vectors[type][i]);
		free(irqs->vectors[type]);
	}
	pthread_mutex_destroy(&irqs->lock);
}

static void signal_fd(int fd)
{
	if (fd >= 0)
		vfio_user_event_signal(fd);
}

static void trigger(struct vfio_user_irq *irq)
{
	if (irq->masked)
		irq->pending = true;
	else
		signal_fd(irq->fd[VFIO_USER_IRQ_TRIGGER]);
}

static void mask(struct vfio_user_irq *irq)
{
	if (!irq->masked)
		signal_fd(irq->fd[VFIO_USER_IRQ_MASK]);
	irq->masked = true;
}

static void unmask(struct vfio_user_irq *irq)
{
	if (!irq->masked)
		return;
	irq->masked = false;
	signal_fd(irq->fd[VFIO_USER_IRQ_UNMASK]);
	if (irq->pending)
		signal_fd(irq->fd[VFIO_USER_IRQ_TRIGGER]);
	irq->pending = false;
}

/* Nothing else can be signalled, and the close of anything else could wait. */
static bool is_eventfd(int fd)
{
	static const char want[] = "anon_inode:[eventfd]";
	char path[32], target[sizeof(want)];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target));
	return n == sizeof(want) - 1 && !memcmp(target, want, sizeof(want) - 1);
}

static int check_fds(const int *fds, unsigned int nfds, const char **why)
{
	for (unsigned int i = 0; i < nfds; i++) {
		*why = "descriptor is no eventfd";
		if (!is_eventfd(fds[i]))
			return -EINVAL;
	}
	return 0;
}

static int check_range(const struct vfio_user_irqs *irqs, const struct vfio_user_irq_set *set,
		       const char **why)
{
	*why = "no such interrupt type";
	if (set->index >= irqs->types)
		return -EINVAL;
	*why = "vectors out of range";
	if (set->start > irqs->count[set->index] ||
	    set->count > irqs->count[set->index] - set->start)
		return -EINVAL;
	return 0;
}

static bool is_one_bit(uint32_t value)
{
	return value && !(value & (value - 1));
}

static int check_data(const struct vfio_user_irq_set *set, size_t size, unsigned int nfds,
		      const char **why)
{
	uint32_t data = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	uint32_t action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

	*why = "unknown flags";
	if (set->flags & ~(uint32_t)(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK))
		return -EINVAL;
	*why = "not exactly one data type and one action";
	if (!is_one_bit(data) || !is_one_bit(action))
		return -EINVAL;
	*why = "argsz differs from the payload";
	if (set->argsz != sizeof(*set) + size)
		return -EINVAL;
	*why = "no vectors named";
	if (!set->count && (set->flags != (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER) ||
			    set->start))
		return -EINVAL;
	*why = "data does not fit the count";
	if (size != (data == VFIO_IRQ_SET_DATA_BOOL ? set->count : 0))
		return -EINVAL;
	*why = "descriptors do not fit the count";
	if (nfds && (data != VFIO_IRQ_SET_DATA_EVENTFD || nfds != set->count))
		return -EINVAL;
	return 0;
}

static enum vfio_user_irq_event action_event(uint32_t flags)
{
	if (flags & VFIO_IRQ_SET_ACTION_MASK)
		return VFIO_USER_IRQ_MASK;
	if (flags & VFIO_IRQ_SET_ACTION_UNMASK)
		return VFIO_USER_IRQ_UNMASK;
	return VFIO_USER_IRQ_TRIGGER;
}

static void act(struct vfio_user_irq *irq, enum vfio_user_irq_event event)
{
	if (event == VFIO_USER_IRQ_MASK)
		mask(irq);
	else if (event == VFIO_USER_IRQ_UNMASK)
		unmask(irq);
	else
		trigger(irq);
}

int vfio_user_irqs_set(struct vfio_user_irqs *irqs, const struct vfio_user_irq_set *set,
		       const uint8_t *data, size_t size, int *fds, unsigned int nfds,
		       const char **why)
{
	enum vfio_user_irq_event event = action_event(set->flags);
	struct vfio_user_irq *irq;
	int ret;

	ret = check_range(irqs, set, why);
	if (!ret)
		ret = check_data(set, size, nfds, why);
	if (!ret)
		ret = check_fds(fds, nfds, why);
	if (ret)
		return ret;

	pthread_mutex_lock(&irqs->lock);
	if (!set->count)
		for (unsigned int i = 0; i < irqs->count[set->index]; i++)
			clear_vector(&irqs->vectors[set->index][i]);
	for (unsigned int i = 0; i < set->count; i++) {
		irq = &irqs->vectors[set->index][set->start + i];
		if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
			replace_fd(&irq->fd[event], nfds ? fds[i] : -1);
			if (nfds)
				fds[i] = -1;
		} else if ((set->flags & VFIO_IRQ_SET_DATA_NONE) || data[i]) {
			act(irq, event);
		}
	}
	pthread_mutex_unlock(&irqs->lock);
	return 0;
}

void vfio_user_irqs_trigger(struct vfio_user_irqs *irqs, unsigned int type, unsigned int vector)
{
	if (type >= VFIO_USER_IRQ_TYPES || vector >= irqs->count[type])
		return;
	pthread_mutex_lock(&irqs->lock);
	trigger(&irqs->vectors[type][vector]);
	pthread_mutex_unlock(&irqs->lock);
}

void vfio_user_trigger(struct vfio_user_connection *connection, unsigned int type,
		       unsigned int vector)
{
	vfio_user_irqs_trigger(&connection->irqs, type, vector);
}
