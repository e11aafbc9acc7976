// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts the instructions of kernel functions that no system call reaches
 * alone. Read one of the files in debugfs after its arguments were written:
 *
 *	query		"FD": dma_buf_get_pci_tph() of the dma-buf, beyond taking
 *			and releasing its reservation lock
 *	st_index	"BDF TAGS": mlx5_st_alloc_index_by_tag() of the last of
 *			TAGS tags that are in use, and releasing it again
 *
 * The time stamp counter counts instructions under QEMU's -icount shift=0. The
 * smallest of many rounds is without interrupts.
 */
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/mlx5/driver.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <asm/msr.h>

#define ROUNDS		1000
/* A table of 64 entries has this many for tags. */
#define TAGS_MAX	63
#define FIRST_TAG	0x40

static struct dentry *folder;
static u64 query_result, st_index_result;

static u64 count_query(struct dma_buf *dmabuf, bool ask)
{
	u64 least = U64_MAX;
	unsigned int i;
	u16 tag;
	u8 ph;

	for (i = 0; i < ROUNDS; i++) {
		u64 start = rdtsc();

		dma_resv_lock(dmabuf->resv, NULL);
		if (ask)
			dma_buf_get_pci_tph(dmabuf, true, &tag, &ph);
		dma_resv_unlock(dmabuf->resv);
		least = min(least, rdtsc() - start);
	}

	return least;
}

static int query(const char *text)
{
	struct dma_buf *dmabuf;
	int fd;

	if (kstrtoint(text, 0, &fd))
		return -EINVAL;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	query_result = count_query(dmabuf, true) - count_query(dmabuf, false);
	dma_buf_put(dmabuf);

	return 0;
}

static int count_st_index(struct mlx5_core_dev *dev, u16 tag)
{
	u64 least = U64_MAX;
	unsigned int i;
	u16 index;
	int ret;

	for (i = 0; i < ROUNDS; i++) {
		u64 start = rdtsc();

		ret = mlx5_st_alloc_index_by_tag(dev, tag, &index);
		if (ret)
			return ret;
		mlx5_st_dealloc_index(dev, index);
		least = min(least, rdtsc() - start);
	}
	st_index_result = least;

	return 0;
}

/* @tags are in use before, the last of which is asked for. */
static int use_tags(struct mlx5_core_dev *dev, unsigned int tags)
{
	u16 index[TAGS_MAX];
	unsigned int used;
	int ret = 0;

	for (used = 0; used < tags && !ret; used++)
		ret = mlx5_st_alloc_index_by_tag(dev, FIRST_TAG + used, &index[used]);
	if (ret)
		used--;
	else
		ret = count_st_index(dev, FIRST_TAG + tags - 1);
	while (used--)
		mlx5_st_dealloc_index(dev, index[used]);

	return ret;
}

static int st_index(const char *text)
{
	unsigned int domain, bus, slot, function, tags;
	struct pci_dev *pdev;
	int ret = -ENODEV;

	if (sscanf(text, "%x:%x:%x.%x %u", &domain, &bus, &slot, &function, &tags) != 5 || !tags ||
	    tags > TAGS_MAX)
		return -EINVAL;

	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;

	if (pdev->driver && !strcmp(pdev->driver->name, "mlx5_core"))
		ret = use_tags(pci_get_drvdata(pdev), tags);
	pci_dev_put(pdev);

	return ret;
}

static ssize_t run(const char __user *buf, size_t count, int (*bench)(const char *))
{
	char text[40] = "";
	int ret;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;

	ret = bench(text);

	return ret ?: count;
}

static ssize_t query_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	return run(buf, count, query);
}

static ssize_t st_index_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	return run(buf, count, st_index);
}

static int result_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%llu\n", *(u64 *)seq->private);
	return 0;
}

static int result_open(struct inode *inode, struct file *file)
{
	return single_open(file, result_show, inode->i_private);
}

#define BENCH_FOPS(name)						\
	static const struct file_operations name##_fops = {		\
		.owner = THIS_MODULE,					\
		.open = result_open,					\
		.read = seq_read,					\
		.write = name##_write,					\
		.release = single_release,				\
	}
BENCH_FOPS(query);
BENCH_FOPS(st_index);

static int __init tph_bench_init(void)
{
	folder = debugfs_create_dir("tph_bench", NULL);
	debugfs_create_file("query", 0600, folder, &query_result, &query_fops);
	debugfs_create_file("st_index", 0600, folder, &st_index_result, &st_index_fops);
	return 0;
}
module_init(tph_bench_init);

static void __exit tph_bench_exit(void)
{
	debugfs_remove_recursive(folder);
}
module_exit(tph_bench_exit);

MODULE_DESCRIPTION("Instructions of functions that give hints to importers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
