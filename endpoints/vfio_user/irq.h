/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupts of one connection: which event descriptor stands for which vector, and what is
 * masked.
 *
 * Locking: any thread may call; one mutex, which is a leaf: nothing is called and nobody waited for
 * under it.
 */
#ifndef TPHBUF_VFIO_USER_IRQ_H
#define TPHBUF_VFIO_USER_IRQ_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

/*
 * INTx, MSI, MSI-X and the error interrupt by the indexes of <linux/vfio.h>. A device without an
 * error interrupt does not have that type: clients take one with no vectors for a mistake.
 */
#define VFIO_USER_IRQ_TYPES	4
#define VFIO_USER_IRQ_TYPES_MIN	3

enum vfio_user_irq_event {
	VFIO_USER_IRQ_TRIGGER,
	VFIO_USER_IRQ_MASK,
	VFIO_USER_IRQ_UNMASK,
	VFIO_USER_IRQ_EVENTS,
};

/**
 * struct vfio_user_irq - one vector
 * @fd: event descriptors that are signalled on each event, -1 without; owned
 * @masked: a trigger is kept back
 * @pending: a trigger was kept back; fires with the unmasking
 */
struct vfio_user_irq {
	int fd[VFIO_USER_IRQ_EVENTS];
	bool masked;
	bool pending;
};

/**
 * struct vfio_user_irqs - all vectors of a connection
 * @lock: guards the vectors; the counts are constant
 * @vectors: per type, @count of them; NULL without
 * @count: vectors per type
 * @types: types that the device has
 */
struct vfio_user_irqs {
	pthread_mutex_t lock;
	struct vfio_user_irq *vectors[VFIO_USER_IRQ_TYPES];
	unsigned int count[VFIO_USER_IRQ_TYPES];
	unsigned int types;
};

/**
 * vfio_user_irqs_init() - all vectors without event descriptor, unmasked
 * @irqs: to fill in
 * @count: vectors per type
 *
 * Return: 0, -ENOMEM or an error of vfio_user_event_init(); then there is nothing to destroy.
 */
int vfio_user_irqs_init(struct vfio_user_irqs *irqs, const unsigned int count[VFIO_USER_IRQ_TYPES]);

/* Closes the event descriptors. Nobody else may use @irqs any more. */
void vfio_user_irqs_destroy(struct vfio_user_irqs *irqs);

/**
 * vfio_user_irqs_set() - carry out DEVICE_SET_IRQS
 * @irqs: the vectors
 * @set: the command
 * @data: bytes behind @set
 * @size: of @data
 * @fds: descriptors that came with it; those that are kept are replaced by -1, the others stay the
 *	caller's
 * @nfds: number of @fds
 * @why: out, on error: the cause, for the log
 *
 * Return: 0, or -EINVAL with nothing changed.
 */
int vfio_user_irqs_set(struct vfio_user_irqs *irqs, const struct vfio_user_irq_set *set,
		       const uint8_t *data, size_t size, int *fds, unsigned int nfds,
		       const char **why);

/*
 * The device's interrupt: signals the vector's event descriptor, if it has one and is not masked.
 * Never blocks.
 */
void vfio_user_irqs_trigger(struct vfio_user_irqs *irqs, unsigned int type, unsigned int vector);

#endif
