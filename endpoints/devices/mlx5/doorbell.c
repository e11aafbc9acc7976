// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Doorbells: noted on the thread of the access, taken by the worker.
 */
#include "doorbell.h"

/* Offsets in a UAR page that the headers have no name for */
#define EQ_DOORBELL_ARM 0x40
#define EQ_DOORBELL	0x48

#define NUMBER_MASK	0xffffffu

bool mlx5_doorbell_take(uint64_t *bitmap, uint32_t bits, uint32_t *bit)
{
	uint32_t words = bits / 64, first = (*bit + 1) % bits;
	/* In the first word those behind @bit; in the end the others. */
	uint64_t mask = UINT64_MAX << first % 64;

	for (uint32_t i = 0; i <= words; i++, mask = UINT64_MAX) {
		uint32_t word = (first / 64 + i) % words;
		uint64_t candidates = bitmap[word] & mask;

		if (!candidates)
			continue;
		*bit = word * 64 + (uint32_t)__builtin_ctzll(candidates);
		bitmap[word] &= ~(1ull << *bit % 64);
		return true;
	}
	return false;
}

static bool note_eq(struct mlx5 *dev, uint32_t value, bool arm)
{
	uint32_t number = value >> 24;

	if (number >= 1u << MLX5_LOG_EQS) {
		dev->counters.bad_doorbells++;
		return true;
	}
	dev->doorbells.eq_consumer[number] = value & NUMBER_MASK;
	dev->doorbells.eqs |= 1u << number;
	if (arm)
		dev->doorbells.eq_arm |= 1u << number;
	return true;
}

static void note_bit(struct mlx5 *dev, uint64_t *bitmap, uint32_t bits, uint32_t number, bool *any)
{
	if (number >= bits) {
		dev->counters.bad_doorbells++;
		return;
	}
	bitmap[number / 64] |= 1ull << (number % 64);
	*any = true;
}

static bool note_cq(struct mlx5 *dev, const uint8_t *buf, size_t len)
{
	uint32_t number;

	if (len != 8)
		return false;
	number = get_be32(buf + 4) & NUMBER_MASK;
	if (number < 1u << MLX5_LOG_CQS)
		dev->doorbells.cq_value[number] = get_be32(buf);
	note_bit(dev, dev->doorbells.cqs, 1u << MLX5_LOG_CQS, number, &dev->doorbells.any_cq);
	return true;
}

/*
 * The first two words of a control segment. Only the QP number in the second one matters: how far
 * the queue goes stands in the doorbell record.
 */
static bool note_qp(struct mlx5 *dev, uint32_t offset, const uint8_t *buf, size_t len)
{
	if (len == 4 && offset % 8 == 0)
		return true;
	note_bit(dev, dev->doorbells.qps, 1u << MLX5_LOG_QPS,
		 get_be32(buf + len - 4) >> MLX5_WQE_CTRL_QPN_SHIFT, &dev->doorbells.any_qp);
	return true;
}

bool mlx5_doorbell_write(struct mlx5 *dev, uint32_t offset, const uint8_t *buf, size_t len)
{
	bool known = false;

	if (len == 4 && (offset == EQ_DOORBELL_ARM || offset == EQ_DOORBELL))
		known = note_eq(dev, get_be32(buf), offset == EQ_DOORBELL_ARM);
	else if (offset == MLX5_CQ_DOORBELL)
		known = note_cq(dev, buf, len);
	else if (offset >= MLX5_BF_OFFSET && offset < MLX5_BF_OFFSET + 0x400)
		known = note_qp(dev, offset, buf, len);
	if (known)
		mlx5_kick(dev);
	return known;
}
