// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>

#include "st_table.h"

#define TABLE_SIZE	4

/* What the device would hold, and what the next write to it returns. */
static u16 written[TABLE_SIZE];
static unsigned int writes;
static int write_error;

static int fake_write(struct pci_dev *pdev, unsigned int index, u16 tag)
{
	if (write_error)
		return write_error;
	written[index] = tag;
	writes++;
	return 0;
}

static int st_table_test_init(struct kunit *test)
{
	struct tph_dma_st_table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, table);
	table->entries = kunit_kcalloc(test, TABLE_SIZE, sizeof(*table->entries), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table->entries);
	mutex_init(&table->lock);
	table->size = TABLE_SIZE;
	table->write = fake_write;
	writes = 0;
	write_error = 0;
	memset(written, 0xee, sizeof(written));
	test->priv = table;
	return 0;
}

static void st_table_same_tag_shares(struct kunit *test)
{
	struct tph_dma_st_table *table = test->priv;
	unsigned int a, b, c;

	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x12, &a), 0);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x34, &b), 0);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x12, &c), 0);
	KUNIT_EXPECT_EQ(test, a, c);
	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, written[a], 0x12);
	KUNIT_EXPECT_EQ(test, written[b], 0x34);
	KUNIT_EXPECT_EQ(test, writes, 2);
}

static void st_table_zero_is_a_tag(struct kunit *test)
{
	struct tph_dma_st_table *table = test->priv;
	unsigned int a, b;

	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0xffff, &a), 0);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0, &b), 0);
	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, written[b], 0);
}

static void st_table_entry_lives_until_last_user(struct kunit *test)
{
	struct tph_dma_st_table *table = test->priv;
	unsigned int a, b;

	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x12, &a), 0);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x12, &a), 0);
	tph_dma_st_put(table, a);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x34, &b), 0);
	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, written[a], 0x12);

	tph_dma_st_put(table, a);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x56, &b), 0);
	KUNIT_EXPECT_EQ(test, a, b);
	KUNIT_EXPECT_EQ(test, written[a], 0x56);
}

static void st_table_full(struct kunit *test)
{
	struct tph_dma_st_table *table = test->priv;
	unsigned int index[TABLE_SIZE], i, again;

	for (i = 0; i < TABLE_SIZE; i++)
		KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x100 + i, &index[i]), 0);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x200, &again), -ENOSPC);
	KUNIT_EXPECT_EQ(test, writes, TABLE_SIZE);

	/* A tag that is there needs no room. */
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x102, &again), 0);
	KUNIT_EXPECT_EQ(test, again, index[2]);

	tph_dma_st_put(table, index[1]);
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x200, &again), 0);
	KUNIT_EXPECT_EQ(test, again, index[1]);
}

static void st_table_write_fails(struct kunit *test)
{
	struct tph_dma_st_table *table = test->priv;
	unsigned int index = 77;

	write_error = -ENXIO;
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x12, &index), -ENXIO);
	KUNIT_EXPECT_EQ(test, index, 77);

	/* The failure left no user behind and no entry that claims to hold the tag. */
	write_error = 0;
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0x12, &index), 0);
	KUNIT_EXPECT_EQ(test, writes, 1);
	KUNIT_EXPECT_EQ(test, table->entries[index].users, 1);
}

static void st_table_without_entries(struct kunit *test)
{
	struct tph_dma_st_table *table = test->priv;
	unsigned int index;

	table->size = 0;
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0, &index), -ENOSPC);
}

static void st_table_direct(struct kunit *test)
{
	struct tph_dma_st_table *table = test->priv;
	unsigned int index;

	table->direct = true;
	table->size = 0;
	KUNIT_EXPECT_EQ(test, tph_dma_st_get(table, 0xffff, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 0xffff);
	KUNIT_EXPECT_EQ(test, writes, 0);
	tph_dma_st_put(table, index);
}

static struct kunit_case st_table_cases[] = {
	KUNIT_CASE(st_table_same_tag_shares),
	KUNIT_CASE(st_table_zero_is_a_tag),
	KUNIT_CASE(st_table_entry_lives_until_last_user),
	KUNIT_CASE(st_table_full),
	KUNIT_CASE(st_table_write_fails),
	KUNIT_CASE(st_table_without_entries),
	KUNIT_CASE(st_table_direct),
	{}
};

static struct kunit_suite st_table_suite = {
	.name = "tph_dma_st_table",
	.init = st_table_test_init,
	.test_cases = st_table_cases,
};

kunit_test_suite(st_table_suite);

MODULE_DESCRIPTION("KUnit tests of the ST table allocator of tph_dma");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
