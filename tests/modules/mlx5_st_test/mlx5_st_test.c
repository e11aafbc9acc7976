// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of the steering tag indexes of mlx5_core, on a NIC that is bound
 * to the driver and has an ST table of which nobody else uses an entry. Some of
 * what is called here has no other way in: a DMAH with a CPU needs tags from the
 * platform, which no emulated machine has.
 */
#include <kunit/test.h>
#include <linux/mlx5/driver.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-tph.h>

#define TAG_A		0x0101
#define TAG_B		0x0202
#define UNTOUCHED	0xdead
/* Entries of the largest table that a mkey can name, without the first. */
#define MANY		255

/* A NIC that sends extended tags from a table in its capability. */
static bool is_suitable(struct pci_dev *pdev)
{
	return pdev->driver && !strcmp(pdev->driver->name, "mlx5_core") &&
	       pcie_tph_enabled_req_type(pdev) == PCI_TPH_REQ_EXT_TPH &&
	       pcie_tph_get_st_table_size(pdev) > 2;
}

static int st_init(struct kunit *test)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (is_suitable(pdev)) {
			test->priv = pdev;
			return 0;
		}
	}
	kunit_skip(test, "no NIC with an ST table");

	return 0;
}

static void st_exit(struct kunit *test)
{
	pci_dev_put(test->priv);
}

static struct mlx5_core_dev *nic(struct kunit *test)
{
	return pci_get_drvdata(test->priv);
}

/* What the table of the function holds. */
static u16 entry(struct kunit *test, u16 index)
{
	struct pci_dev *pdev = test->priv;
	u16 tag = 0;

	pci_read_config_word(pdev, pdev->tph_cap + PCI_TPH_BASE_SIZEOF + index * sizeof(u16), &tag);

	return tag;
}

static u16 get(struct kunit *test, u16 tag)
{
	u16 index = 0;

	KUNIT_ASSERT_EQ(test, mlx5_st_alloc_index_by_tag(nic(test), tag, &index), 0);
	KUNIT_EXPECT_NE(test, index, 0);
	KUNIT_EXPECT_EQ(test, entry(test, index), tag);

	return index;
}

static void put(struct kunit *test, u16 index)
{
	KUNIT_EXPECT_EQ(test, mlx5_st_dealloc_index(nic(test), index), 0);
}

static void test_same_tag_same_index(struct kunit *test)
{
	u16 a = get(test, TAG_A), b = get(test, TAG_B);

	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, get(test, TAG_A), a);
	put(test, a);
	KUNIT_EXPECT_EQ(test, get(test, TAG_A), a);
	put(test, a);
	put(test, a);
	put(test, b);
}

/* A reference of its own keeps the index from others. */
static void test_get_index(struct kunit *test)
{
	u16 a = get(test, TAG_A), b;

	KUNIT_EXPECT_EQ(test, mlx5_st_get_index(nic(test), a), 0);
	put(test, a);
	b = get(test, TAG_B);
	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, entry(test, a), TAG_A);
	KUNIT_EXPECT_EQ(test, get(test, TAG_A), a);
	put(test, a);
	put(test, a);
	put(test, b);
}

static void test_index_of_nobody(struct kunit *test)
{
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, mlx5_st_get_index(nic(test), 1), -EINVAL);
		KUNIT_EXPECT_EQ(test, mlx5_st_replace_tag(nic(test), 1, TAG_A), -EINVAL);
		KUNIT_EXPECT_EQ(test, mlx5_st_dealloc_index(nic(test), 1), -EINVAL);
	}
}

static void test_replace(struct kunit *test)
{
	u16 a = get(test, TAG_A), b;

	KUNIT_EXPECT_EQ(test, mlx5_st_replace_tag(nic(test), a, TAG_B), 0);
	KUNIT_EXPECT_EQ(test, entry(test, a), TAG_B);
	KUNIT_EXPECT_EQ(test, get(test, TAG_B), a);
	put(test, a);
	b = get(test, TAG_A);
	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, mlx5_st_replace_tag(nic(test), a, TAG_B), 0);
	KUNIT_EXPECT_EQ(test, get(test, TAG_B), a);
	put(test, a);
	put(test, b);
	put(test, a);
}

static void test_replace_shared(struct kunit *test)
{
	u16 a = get(test, TAG_A);

	KUNIT_EXPECT_EQ(test, mlx5_st_get_index(nic(test), a), 0);
	KUNIT_EXPECT_EQ(test, mlx5_st_replace_tag(nic(test), a, TAG_B), -EBUSY);
	KUNIT_EXPECT_EQ(test, entry(test, a), TAG_A);
	put(test, a);
	KUNIT_EXPECT_EQ(test, mlx5_st_replace_tag(nic(test), a, TAG_B), 0);
	KUNIT_EXPECT_EQ(test, entry(test, a), TAG_B);
	put(test, a);
}

/* Two entries with one tag: each ends with its own user. */
static void test_replace_by_a_tag_in_use(struct kunit *test)
{
	u16 a = get(test, TAG_A), b = get(test, TAG_B);

	KUNIT_EXPECT_EQ(test, mlx5_st_replace_tag(nic(test), a, TAG_B), 0);
	KUNIT_EXPECT_EQ(test, entry(test, a), TAG_B);
	KUNIT_EXPECT_EQ(test, get(test, TAG_B), b);
	put(test, b);
	put(test, a);
	KUNIT_EXPECT_EQ(test, get(test, TAG_B), b);
	put(test, b);
	put(test, b);
}

static void test_full(struct kunit *test)
{
	unsigned int usable = min(pcie_tph_get_st_table_size(test->priv) - 1, MANY), i;
	u16 index = UNTOUCHED, first = get(test, 0);

	for (i = 1; i < usable; i++)
		get(test, i);
	KUNIT_EXPECT_EQ(test, mlx5_st_alloc_index_by_tag(nic(test), TAG_B, &index), -EBUSY);
	KUNIT_EXPECT_EQ(test, index, UNTOUCHED);
	/* No entry more is needed for a tag that is there, nor to replace one. */
	KUNIT_EXPECT_EQ(test, get(test, 0), first);
	put(test, first);
	KUNIT_EXPECT_EQ(test, mlx5_st_replace_tag(nic(test), first, TAG_B), 0);
	put(test, first);
	KUNIT_EXPECT_EQ(test, get(test, TAG_A), first);
	for (i = 1; i <= usable; i++)
		put(test, i);
}

static struct kunit_case st_cases[] = {
	KUNIT_CASE(test_same_tag_same_index),
	KUNIT_CASE(test_get_index),
	KUNIT_CASE(test_index_of_nobody),
	KUNIT_CASE(test_replace),
	KUNIT_CASE(test_replace_shared),
	KUNIT_CASE(test_replace_by_a_tag_in_use),
	KUNIT_CASE(test_full),
	{}
};

static struct kunit_suite st_suite = {
	.name = "mlx5_st",
	.init = st_init,
	.exit = st_exit,
	.test_cases = st_cases,
};

kunit_test_suite(st_suite);

MODULE_DESCRIPTION("KUnit tests of the steering tag indexes of mlx5_core");
MODULE_LICENSE("GPL");
