/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an AtomicOp does to memory.
 */
#ifndef TPHBUF_ATOMIC_OP_H
#define TPHBUF_ATOMIC_OP_H

#include <stdint.h>

#include "tlp.h"

/**
 * atomic_op_execute() - FetchAdd or CAS on 8 bytes, atomic also for the CPU
 * @memory: aligned to 8
 * @tlp: an AtomicOp that passes tlp_check()
 *
 * Takes no lock. Return: the value before.
 */
uint64_t atomic_op_execute(void *memory, const struct tlp *tlp);

/* The value after; for whoever reads, changes and writes on its own. Takes no lock. */
uint64_t atomic_op_result(const struct tlp *tlp, uint64_t before);

#endif
