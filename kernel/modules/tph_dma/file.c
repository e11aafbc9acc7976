// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character device: what user space hands over is checked here and nowhere
 * else.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "buffer.h"
#include "engine.h"
#include "file.h"

/**
 * struct tph_dma_file - an open file
 * @engine: the engine; a reference is held
 * @buffers: buffers by handle; its lock guards the way from a handle to a
 *	reference
 */
struct tph_dma_file {
	struct tph_dma_engine *engine;
	struct xarray buffers;
};

static struct tph_dma_buffer *tph_dma_file_find(struct tph_dma_file *file, u32 handle)
{
	struct tph_dma_buffer *buf;

	xa_lock(&file->buffers);
	buf = xa_load(&file->buffers, handle);
	if (buf)
		kref_get(&buf->ref);
	xa_unlock(&file->buffers);
	return buf;
}

static int tph_dma_ioctl_import(struct tph_dma_file *file, void __user *argp)
{
	struct tph_dma_buffer *buf;
	struct tph_dma_import arg;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.flags || arg.pad)
		return -EINVAL;

	/*
	 * The handle gets its buffer last: once it is there, another thread can
	 * release it.
	 */
	ret = xa_alloc(&file->buffers, &arg.handle, NULL, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	buf = tph_dma_buffer_import(file->engine, arg.dmabuf_fd);
	if (IS_ERR(buf)) {
		ret = PTR_ERR(buf);
		goto err_handle;
	}
	arg.size = buf->dmabuf->size;
	if (copy_to_user(argp, &arg, sizeof(arg))) {
		ret = -EFAULT;
		goto err_buffer;
	}
	xa_store(&file->buffers, arg.handle, buf, GFP_KERNEL);
	return 0;

err_buffer:
	tph_dma_buffer_release(buf);
err_handle:
	xa_release(&file->buffers, arg.handle);
	return ret;
}

static int tph_dma_file_copy(struct tph_dma_buffer *buf, const struct tph_dma_copy *arg)
{
	bool from_buffer = arg->flags & TPH_DMA_COPY_FROM_BUFFER;
	void *chunk;
	u64 done = 0;
	int ret = 0;

	if (arg->offset > buf->dmabuf->size || arg->length > buf->dmabuf->size - arg->offset)
		return -EINVAL;
	if (!arg->length)
		return 0;

	/*
	 * A bounce buffer, and not the user's pages: it can be mapped whatever
	 * the user's memory is, its contents do not change under the device,
	 * and no lock is held while a page of the user is faulted in.
	 */
	chunk = kmalloc(min_t(u64, arg->length, TPH_DMA_CHUNK_SIZE), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;

	while (!ret && done < arg->length) {
		size_t length = min_t(u64, arg->length - done, TPH_DMA_CHUNK_SIZE);
		void __user *user = u64_to_user_ptr(arg->user_addr + done);

		if (signal_pending(current))
			ret = -EINTR;
		else if (!from_buffer && copy_from_user(chunk, user, length))
			ret = -EFAULT;
		else
			ret = tph_dma_buffer_copy(buf, arg->offset + done, chunk, length,
						  from_buffer);
		if (!ret && from_buffer && copy_to_user(user, chunk, length))
			ret = -EFAULT;
		if (!ret)
			done += length;
	}
	kfree(chunk);

	/*
	 * What a steering tag makes of a write, an addition for one, need not
	 * be what a second write gives.
	 */
	if (ret == -EINTR || ret == -ERESTARTSYS)
		ret = done ? -EINTR : -ERESTARTSYS;
	return ret;
}

static int tph_dma_ioctl_copy(struct tph_dma_file *file, void __user *argp)
{
	struct tph_dma_buffer *buf;
	struct tph_dma_copy arg;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.flags & ~TPH_DMA_COPY_FROM_BUFFER)
		return -EINVAL;

	buf = tph_dma_file_find(file, arg.handle);
	if (!buf)
		return -EBADF;
	ret = tph_dma_file_copy(buf, &arg);
	tph_dma_buffer_put(buf);
	return ret;
}

static int tph_dma_ioctl_query(struct tph_dma_file *file, void __user *argp)
{
	struct tph_dma_query arg = {};
	struct tph_dma_buffer *buf;
	int ret;

	if (copy_from_user(&arg.handle, argp, sizeof(arg.handle)))
		return -EFAULT;

	buf = tph_dma_file_find(file, arg.handle);
	if (!buf)
		return -EBADF;
	ret = tph_dma_buffer_query(buf, &arg);
	tph_dma_buffer_put(buf);
	if (ret)
		return ret;
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static int tph_dma_ioctl_release(struct tph_dma_file *file, void __user *argp)
{
	struct tph_dma_release arg;
	struct tph_dma_buffer *buf;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.flags)
		return -EINVAL;

	/* Erase buffers only, not the place that an import keeps free for its own. */
	xa_lock(&file->buffers);
	buf = xa_load(&file->buffers, arg.handle);
	if (buf)
		__xa_erase(&file->buffers, arg.handle);
	xa_unlock(&file->buffers);
	if (!buf)
		return -EBADF;
	tph_dma_buffer_release(buf);
	return 0;
}

static long tph_dma_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct tph_dma_file *file = filp->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case TPH_DMA_IMPORT:
		return tph_dma_ioctl_import(file, argp);
	case TPH_DMA_COPY:
		return tph_dma_ioctl_copy(file, argp);
	case TPH_DMA_QUERY:
		return tph_dma_ioctl_query(file, argp);
	case TPH_DMA_RELEASE:
		return tph_dma_ioctl_release(file, argp);
	default:
		return -ENOTTY;
	}
}

static int tph_dma_open(struct inode *inode, struct file *filp)
{
	struct miscdevice *misc = filp->private_data;
	struct tph_dma_engine *engine = container_of(misc, struct tph_dma_engine, misc);
	struct tph_dma_file *file;

	file = kzalloc_obj(*file, GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;

	/* The engine cannot be unbound now: misc_deregister() waits for us. */
	kref_get(&engine->ref);
	file->engine = engine;
	xa_init_flags(&file->buffers, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return 0;
}

static int tph_dma_release(struct inode *inode, struct file *filp)
{
	struct tph_dma_file *file = filp->private_data;
	struct tph_dma_buffer *buf;
	unsigned long handle;

	xa_for_each(&file->buffers, handle, buf)
		tph_dma_buffer_release(buf);
	xa_destroy(&file->buffers);
	tph_dma_engine_put(file->engine);
	kfree(file);
	return 0;
}

const struct file_operations tph_dma_fops = {
	.owner = THIS_MODULE,
	.open = tph_dma_open,
	.release = tph_dma_release,
	.unlocked_ioctl = tph_dma_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
