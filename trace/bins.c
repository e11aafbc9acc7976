// SPDX-License-Identifier: GPL-2.0-or-later
/* Bins that grow with the trace. */
#include <string.h>

#include "bins.h"

void bins_init(struct bins *bins)
{
	memset(bins, 0, sizeof(*bins));
	bins->width = 1;
}

static void halve(struct bins *bins)
{
	unsigned int i, tag;

	for (i = 0; i < BINS / 2; i++)
		for (tag = 0; tag < BINS_TAGS; tag++)
			bins->count[i][tag] = bins->count[2 * i][tag] +
					      bins->count[2 * i + 1][tag];
	memset(bins->count[BINS / 2], 0, sizeof(bins->count) / 2);
	bins->used = (bins->used + 1) / 2;
	bins->width *= 2;
}

void bins_add(struct bins *bins, uint64_t position, unsigned int tag)
{
	while (position / bins->width >= BINS)
		halve(bins);
	if (position / bins->width >= bins->used)
		bins->used = position / bins->width + 1;
	bins->count[position / bins->width][tag]++;
}
