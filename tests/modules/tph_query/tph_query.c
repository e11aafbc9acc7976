// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queries the hints of a dma-buf many times, as an importer that maps all the
 * time would, and judges the answers: no requester is as fast.
 *
 * debugfs: tph_query/run. Write "FD EXTENDED FIRST COUNT", then read how many
 * answers were right, how many times nothing was published, and how many
 * answers were wrong. Right are the tags FIRST to FIRST + 2, with hints 1 to 3.
 * Every HOLD_EACH queries, it keeps the reservation lock for a while and asks
 * again: whatever is published meanwhile has to wait.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/slab.h>

#define TAGS		3
#define HOLD_EACH	1000
#define HOLD_MS		2

struct tally {
	unsigned long right;
	unsigned long none;
	unsigned long wrong;
};

static struct dentry *folder;

/* With the reservation lock held */
static bool is_still(struct dma_buf *dmabuf, bool extended, int ret, u16 tag, u8 ph)
{
	u16 tag_now = tag;
	u8 ph_now = ph;

	msleep(HOLD_MS);

	return dma_buf_get_pci_tph(dmabuf, extended, &tag_now, &ph_now) == ret &&
	       tag_now == tag && ph_now == ph;
}

static int query(struct dma_buf *dmabuf, bool extended, unsigned int first, bool hold,
		 struct tally *tally)
{
	unsigned int which;
	bool same = true;
	u16 tag = 0;
	u8 ph = 0;
	int ret;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;
	ret = dma_buf_get_pci_tph(dmabuf, extended, &tag, &ph);
	if (hold)
		same = is_still(dmabuf, extended, ret, tag, ph);
	dma_resv_unlock(dmabuf->resv);

	if (!same) {
		tally->wrong++;
		return 0;
	}
	if (ret == -ENODATA) {
		tally->none++;
		return 0;
	}
	if (ret)
		return ret;

	which = tag - first;
	if (which < TAGS && ph == which + 1)
		tally->right++;
	else
		tally->wrong++;

	return 0;
}

static int run(const char *text, struct tally *tally)
{
	unsigned int extended, first, count;
	struct dma_buf *dmabuf;
	int fd, ret = 0;

	if (sscanf(text, "%d %u %u %u", &fd, &extended, &first, &count) != 4)
		return -EINVAL;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	while (count-- && !ret) {
		ret = query(dmabuf, extended, first, count % HOLD_EACH == 0, tally);
		cond_resched();
	}
	dma_buf_put(dmabuf);

	return ret;
}

static int run_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc_obj(struct tally);

	return file->private_data ? 0 : -ENOMEM;
}

static int run_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);

	return 0;
}

static ssize_t run_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char text[64] = "";
	int ret;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;

	ret = run(text, file->private_data);

	return ret ?: count;
}

static ssize_t run_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct tally *tally = file->private_data;
	char text[80];
	int length;

	length = scnprintf(text, sizeof(text), "%lu %lu %lu\n", tally->right, tally->none,
			   tally->wrong);

	return simple_read_from_buffer(buf, count, pos, text, length);
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = run_open,
	.release = run_release,
	.write = run_write,
	.read = run_read,
};

static int __init tph_query_init(void)
{
	folder = debugfs_create_dir("tph_query", NULL);
	debugfs_create_file("run", 0600, folder, NULL, &run_fops);
	return 0;
}
module_init(tph_query_init);

static void __exit tph_query_exit(void)
{
	debugfs_remove_recursive(folder);
}
module_exit(tph_query_exit);

MODULE_DESCRIPTION("Query the hints of a dma-buf under load");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
