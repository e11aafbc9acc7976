// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <accelerator_regs.h>

#include "accelerator_owner.h"

int accelerator_read32(struct accelerator *acc, uint64_t reg, uint32_t *value)
{
	uint32_t le;
	int ret = tphbuf_device_bar_read(acc->dev, ACC_BAR_REGS, reg, &le, sizeof(le));

	if (!ret)
		*value = le32toh(le);
	return ret;
}

int accelerator_read64(struct accelerator *acc, uint64_t reg, uint64_t *value)
{
	uint64_t le;
	int ret = tphbuf_device_bar_read(acc->dev, ACC_BAR_REGS, reg, &le, sizeof(le));

	if (!ret)
		*value = le64toh(le);
	return ret;
}

int accelerator_write32(struct accelerator *acc, uint64_t reg, uint32_t value)
{
	uint32_t le = htole32(value);

	return tphbuf_device_bar_write(acc->dev, ACC_BAR_REGS, reg, &le, sizeof(le));
}

int accelerator_mark(struct accelerator *acc, uint32_t value, const char *text)
{
	size_t left = strlen(text);
	int ret = 0;

	while (left && !ret) {
		size_t n = left < 4 ? left : 4;
		uint32_t word = 0;

		while (n--)
			word = word << 8 | (unsigned char)text[n];
		ret = accelerator_write32(acc, ACC_REG_MARK_TEXT, word);
		n = left < 4 ? left : 4;
		text += n;
		left -= n;
	}
	return ret ? ret : accelerator_write32(acc, ACC_REG_MARK, value);
}

int accelerator_open(struct accelerator *acc, const char *name, uint32_t flags)
{
	struct tphbuf_options options = { .flags = flags };
	uint32_t id;
	int ret;

	*acc = (struct accelerator){ 0 };
	ret = tphbuf_device_open(name, &options, &acc->dev, NULL);
	if (ret)
		return ret;
	ret = tphbuf_device_enable_memory(acc->dev);
	if (!ret)
		ret = accelerator_read32(acc, ACC_REG_ID, &id);
	if (!ret && id != ACC_ID)
		ret = -ENXIO;
	if (!ret)
		ret = accelerator_read64(acc, ACC_REG_MEM_SIZE, &acc->mem_size);
	if (!ret)
		ret = accelerator_read32(acc, ACC_REG_COMPLETER, &acc->completer);
	if (ret)
		accelerator_close(acc);
	return ret;
}

void accelerator_unmap(struct accelerator *acc)
{
	if (acc->mem)
		tphbuf_device_bar_unmap((void *)acc->mem, acc->mem_size);
	acc->mem = NULL;
}

void accelerator_close(struct accelerator *acc)
{
	accelerator_unmap(acc);
	tphbuf_device_close(acc->dev);
	acc->dev = NULL;
}

int accelerator_map(struct accelerator *acc)
{
	void *mem;
	int ret = tphbuf_device_bar_map(acc->dev, ACC_BAR_MEM, 0, acc->mem_size, &mem);

	if (!ret)
		acc->mem = mem;
	return ret;
}

int accelerator_count(struct accelerator *acc, bool extended, uint16_t tag,
		      struct accelerator_counters *counters)
{
	const struct {
		uint64_t reg;
		uint64_t *value;
	} list[] = {
		{ ACC_REG_WRITES, &counters->writes },
		{ ACC_REG_BYTES, &counters->bytes },
		{ ACC_REG_UNTAGGED, &counters->untagged },
		{ ACC_REG_TAGGED, &counters->tagged },
		{ ACC_REG_TAGGED_EXT, &counters->tagged_ext },
		{ ACC_REG_MALFORMED, &counters->malformed },
		{ ACC_REG_READS, &counters->reads },
		{ ACC_REG_PH(0), &counters->ph[0] },
		{ ACC_REG_PH(1), &counters->ph[1] },
		{ ACC_REG_PH(2), &counters->ph[2] },
		{ ACC_REG_PH(3), &counters->ph[3] },
		{ ACC_REG_TAG_COUNT, &counters->with_tag },
		{ ACC_REG_PARTITION_COUNT, &counters->in_partition },
	};
	int ret;

	ret = accelerator_write32(acc, ACC_REG_SELECT, (extended ? ACC_SELECT_EXT : 0) | tag);
	for (size_t i = 0; !ret && i < sizeof(list) / sizeof(list[0]); i++)
		ret = accelerator_read64(acc, list[i].reg, list[i].value);
	return ret;
}

void accelerator_subtract(struct accelerator_counters *counters,
			  const struct accelerator_counters *before)
{
	counters->writes -= before->writes;
	counters->bytes -= before->bytes;
	counters->untagged -= before->untagged;
	counters->tagged -= before->tagged;
	counters->tagged_ext -= before->tagged_ext;
	counters->malformed -= before->malformed;
	counters->reads -= before->reads;
	for (int i = 0; i < 4; i++)
		counters->ph[i] -= before->ph[i];
	counters->with_tag -= before->with_tag;
	counters->in_partition -= before->in_partition;
}

int accelerator_export(struct accelerator *acc, uint64_t offset, uint64_t length,
		       const struct tphbuf_tag *tag)
{
	struct tphbuf_range range = { .offset = offset, .length = length };

	return tphbuf_export(acc->dev, ACC_BAR_MEM, &range, 1, tag, 0, NULL);
}
