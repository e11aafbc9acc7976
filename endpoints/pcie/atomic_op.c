// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AtomicOps on memory. Operands and memory are little-endian.
 */
#include <endian.h>

#include "atomic_op.h"
#include "byteorder.h"

uint64_t atomic_op_result(const struct tlp *tlp, uint64_t before)
{
	uint64_t operand = get_le64(tlp->data);

	if (tlp->type == TLP_FETCH_ADD)
		return before + operand;
	return before == operand ? get_le64(tlp->data + TLP_ATOMIC_SIZE) : before;
}

uint64_t atomic_op_execute(void *memory, const struct tlp *tlp)
{
	uint64_t *word = memory;
	uint64_t before = __atomic_load_n(word, __ATOMIC_RELAXED), after;

	do
		after = htole64(atomic_op_result(tlp, le64toh(before)));
	while (!__atomic_compare_exchange_n(word, &before, after, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST));
	return le64toh(before);
}
