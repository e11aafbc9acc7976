// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PCI function behind the vfio-user protocol: each call of the one becomes a call of the other.
 */
#include <linux/vfio.h>

#include "pcie/function.h"
#include "served_function.h"

_Static_assert(PCI_REGION_CONFIG == VFIO_PCI_CONFIG_REGION_INDEX, "region index of config space");

static int upstream_read(void *opaque, uint64_t epoch, uint64_t addr, void *buf, size_t len)
{
	struct served_function *served = opaque;

	return vfio_user_dma_read(served->connection, epoch, addr, buf, len);
}

static int upstream_write(void *opaque, uint64_t epoch, uint64_t addr, const void *buf, size_t len)
{
	struct served_function *served = opaque;

	return vfio_user_dma_write(served->connection, epoch, addr, buf, len);
}

static void upstream_cancel(void *opaque, uint64_t epoch)
{
	struct served_function *served = opaque;

	vfio_user_dma_cancel(served->connection, epoch);
}

static void upstream_msix(void *opaque, unsigned int vector)
{
	struct served_function *served = opaque;

	vfio_user_trigger(served->connection, VFIO_PCI_MSIX_IRQ_INDEX, vector);
}

static void upstream_error(void *opaque)
{
	struct served_function *served = opaque;

	if (served->error_irq)
		vfio_user_trigger(served->connection, VFIO_PCI_ERR_IRQ_INDEX, 0);
}

static const struct pci_upstream_ops upstream_ops = {
	.read = upstream_read,
	.write = upstream_write,
	.cancel = upstream_cancel,
	.msix = upstream_msix,
	.error = upstream_error,
};

static void served_region_info(void *device, unsigned int index, struct vfio_user_region *region)
{
	struct served_function *served = device;
	struct pci_bar bar = { .fd = -1 };

	region->size = pci_function_region_size(served->fn, index, &bar);
	region->fd = index < PCI_BARS && region->size ? bar.fd : -1;
}

static int served_region_read(void *device, unsigned int index, uint64_t offset, void *buf,
			    size_t len)
{
	struct served_function *served = device;

	return pci_function_region_read(served->fn, index, offset, buf, len);
}

static int served_region_write(void *device, unsigned int index, uint64_t offset, const void *buf,
			     size_t len)
{
	struct served_function *served = device;

	return pci_function_region_write(served->fn, index, offset, buf, len);
}

static int served_dma_map(void *device, const struct vfio_user_mapping *mapping)
{
	struct served_function *served = device;

	return pci_function_dma_map(served->fn, mapping->address, mapping->size, mapping->readable,
				    mapping->writable, mapping->fd, mapping->offset);
}

static int served_dma_unmap(void *device, uint64_t address, uint64_t size)
{
	struct served_function *served = device;

	return pci_function_dma_unmap(served->fn, address, size);
}

static void served_dma_unmap_all(void *device)
{
	struct served_function *served = device;

	pci_function_dma_unmap_all(served->fn);
}

static void served_reset(void *device)
{
	struct served_function *served = device;

	pci_function_reset(served->fn);
}

static unsigned int served_irq_count(void *device, unsigned int type)
{
	struct served_function *served = device;

	if (type == VFIO_PCI_ERR_IRQ_INDEX)
		return served->error_irq;
	return type == VFIO_PCI_MSIX_IRQ_INDEX ? pci_function_msix_vectors(served->fn) : 0;
}

static void served_connect(void *device, struct vfio_user_connection *connection)
{
	struct served_function *served = device;

	if (connection) {
		served->connection = connection;
		pci_function_connect(served->fn, &upstream_ops, served);
	} else {
		pci_function_connect(served->fn, NULL, NULL);
		served->connection = NULL;
	}
}

const struct vfio_user_device_ops served_function_ops = {
	.region_info = served_region_info,
	.region_read = served_region_read,
	.region_write = served_region_write,
	.dma_map = served_dma_map,
	.dma_unmap = served_dma_unmap,
	.dma_unmap_all = served_dma_unmap_all,
	.reset = served_reset,
	.irq_count = served_irq_count,
	.connect = served_connect,
};

void served_function_init(struct served_function *served, struct pci_function *fn, bool error_irq)
{
	*served = (struct served_function){ .fn = fn, .error_irq = error_irq };
}
