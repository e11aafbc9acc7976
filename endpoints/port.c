// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/vfio.h>

#include "pcie/function.h"
#include "port.h"

_Static_assert(PCI_REGION_CONFIG == VFIO_PCI_CONFIG_REGION_INDEX, "region index of config space");

static int upstream_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct port *port = opaque;

	return vfio_user_dma_read(port->connection, addr, buf, len);
}

static int upstream_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct port *port = opaque;

	return vfio_user_dma_write(port->connection, addr, buf, len);
}

static void upstream_msix(void *opaque, unsigned int vector)
{
	struct port *port = opaque;

	vfio_user_trigger(port->connection, VFIO_PCI_MSIX_IRQ_INDEX, vector);
}

static const struct pci_upstream_ops upstream_ops = {
	.read = upstream_read,
	.write = upstream_write,
	.msix = upstream_msix,
};

static void port_region_info(void *device, unsigned int index, struct vfio_user_region *region)
{
	struct port *port = device;
	struct pci_bar bar = { .fd = -1 };

	region->size = pci_function_region_size(port->fn, index, &bar);
	region->fd = index < PCI_BARS && region->size ? bar.fd : -1;
}

static int port_region_read(void *device, unsigned int index, uint64_t offset, void *buf,
			    size_t len)
{
	struct port *port = device;

	return pci_function_region_read(port->fn, index, offset, buf, len);
}

static int port_region_write(void *device, unsigned int index, uint64_t offset, const void *buf,
			     size_t len)
{
	struct port *port = device;

	return pci_function_region_write(port->fn, index, offset, buf, len);
}

static int port_dma_map(void *device, const struct vfio_user_mapping *mapping)
{
	struct port *port = device;

	return pci_function_dma_map(port->fn, mapping->address, mapping->size, mapping->readable,
				    mapping->writable, mapping->fd, mapping->offset);
}

static int port_dma_unmap(void *device, uint64_t address, uint64_t size)
{
	struct port *port = device;

	return pci_function_dma_unmap(port->fn, address, size);
}

static void port_dma_unmap_all(void *device)
{
	struct port *port = device;

	pci_function_dma_unmap_all(port->fn);
}

static void port_reset(void *device)
{
	struct port *port = device;

	pci_function_reset(port->fn);
}

static unsigned int port_irq_count(void *device, unsigned int type)
{
	struct port *port = device;

	return type == VFIO_PCI_MSIX_IRQ_INDEX ? pci_function_msix_vectors(port->fn) : 0;
}

static void port_connect(void *device, struct vfio_user_connection *connection)
{
	struct port *port = device;

	if (connection) {
		port->connection = connection;
		pci_function_connect(port->fn, &upstream_ops, port);
	} else {
		pci_function_connect(port->fn, NULL, NULL);
		port->connection = NULL;
	}
}

const struct vfio_user_device_ops port_device_ops = {
	.region_info = port_region_info,
	.region_read = port_region_read,
	.region_write = port_region_write,
	.dma_map = port_dma_map,
	.dma_unmap = port_dma_unmap,
	.dma_unmap_all = port_dma_unmap_all,
	.reset = port_reset,
	.irq_count = port_irq_count,
	.connect = port_connect,
};

void port_init(struct port *port, struct pci_function *fn)
{
	*port = (struct port){ .fn = fn };
}
