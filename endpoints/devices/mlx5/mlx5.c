// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device: its making, its reset, and the loop of its worker.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../device_options.h"
#include "bar.h"
#include "cap.h"
#include "command.h"
#include "core.h"
#include "cq.h"
#include "eq.h"
#include "link.h"
#include "mlx5.h"
#include "objects.h"
#include "pcie/device_model.h"
#include "pcie/fabric.h"
#include "qp_work.h"
#include "timer.h"
#include "vport.h"

#define VENDOR_ID	   0x15b3
#define DEVICE_ID	   0x101e   /* ConnectX virtual function: fewest demands on the device */
#define CLASS_CODE	   0x020700 /* InfiniBand controller */
#define BAR_REGISTERS	   0
#define BAR_MSIX	   4
#define MSIX_BAR_SIZE	   0x1000
#define MSIX_PENDING	   0x800
#define VECTORS_MIN	   2 /* commands and events, completions */
#define VECTORS_MAX	   64
#define VECTORS_DEFAULT	   8
#define ST_ENTRIES_MIN	   2 /* the driver keeps entry 0 for "no tag" */
#define ST_ENTRIES_DEFAULT 64
#define GUID_BASE	   0x0274706862660000ull /* locally administered */
#define STEPS_AT_ONCE	   4			 /* then others get the fabric's lock */

/* What a reset or a new command queue address asked for: here no DMA of the time before is under
 * way. */
static void mlx5_start_over(struct mlx5 *dev)
{
	dev->reset_pending = false;
	mlx5_objects_destroy(dev);
	mlx5_link_flush(dev);
	mlx5_caps_reset(dev);
	dev->hca_state = MLX5_HCA_DISABLED;
	dev->given_pages = 0;
	dev->port_capabilities = MLX5_VPORT_CAPS_INITIAL;
}

static bool is_stopped(const struct mlx5 *dev)
{
	return dev->reset_pending || dev->health_syndrome || dev->nic_interface;
}

/* One thing of each kind, so that whoever rings without end keeps no other from its turn. */
static bool mlx5_step(struct mlx5 *dev)
{
	static bool (*const kinds[])(struct mlx5 *) = {
		mlx5_command_work,     mlx5_eq_work,	    mlx5_cq_work,
		mlx5_qp_doorbell_work, mlx5_qp_packet_work, mlx5_qp_work,
	};
	bool any = false;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && !is_stopped(dev); i++)
		any |= kinds[i](dev);
	return any;
}

static bool mlx5_work(struct pci_function *fn)
{
	struct mlx5 *dev = pci_function_device(fn);

	if (dev->reset_pending)
		mlx5_start_over(dev);
	mlx5_qp_timer_work(dev);
	for (unsigned int i = 0; i < STEPS_AT_ONCE && !is_stopped(dev); i++) {
		if (!mlx5_step(dev))
			return dev->reset_pending;
	}
	if (is_stopped(dev) && !dev->reset_pending) {
		mlx5_link_flush(dev);
		return false;
	}
	return true;
}

static void mlx5_reset(struct pci_function *fn)
{
	struct mlx5 *dev = pci_function_device(fn);

	dev->command_queue = 0;
	/* So that a driver that was not asked sees it. */
	dev->nic_interface = MLX5_INITIAL_SEG_NIC_INTERFACE_DISABLED;
	mlx5_restart(dev);
}

static void free_device(struct mlx5 *dev)
{
	mlx5_objects_free(dev);
	free(dev->given_page);
	free(dev);
}

static void mlx5_destroy(struct pci_function *fn)
{
	struct mlx5 *dev = pci_function_device(fn);

	mlx5_timer_stop(&dev->timer);
	/* Ports that are still there may be sending to this one; the timer that destroying QPs
	 * might set is gone. */
	fabric_lock(dev->port.fabric);
	mlx5_objects_destroy(dev);
	ib_port_leave(&dev->port);
	fabric_unlock(dev->port.fabric);
	free_device(dev);
}

static const struct pci_device_ops mlx5_ops = {
	.reset = mlx5_reset,
	.bar_read = mlx5_bar_read,
	.bar_write = mlx5_bar_write,
	.work = mlx5_work,
	.destroy = mlx5_destroy,
};

static struct mlx5 *make_device(void)
{
	struct mlx5 *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	TAILQ_INIT(&dev->runnable);
	TAILQ_INIT(&dev->waiting);
	if (mlx5_objects_init(dev)) {
		free_device(dev);
		return NULL;
	}
	return dev;
}

static int take_options(struct options *options, struct tph_cap_options *tph, unsigned int *vectors,
			unsigned int *lid)
{
	static const char *const places[] = { "none", "cap" };
	static const char *const yes_no[] = { "no", "yes" };
	unsigned int table = 1, ext = 1;
	int ret;

	tph->entries = ST_ENTRIES_DEFAULT;
	ret = options_choice(options, "table", places, 2, &table);
	if (!ret)
		ret = options_choice(options, "ext", yes_no, 2, &ext);
	if (!ret)
		ret = options_number(options, "entries", ST_ENTRIES_MIN, TPH_CAP_ENTRIES_MAX,
				     &tph->entries);
	if (!ret)
		ret = options_number(options, "vectors", VECTORS_MIN, VECTORS_MAX, vectors);
	if (!ret)
		ret = options_number(options, "lid", 1, IB_LID_UNICAST_MAX, lid);
	if (!ret)
		ret = options_finish(options);
	if (!table)
		tph->entries = 0;
	tph->extended = ext;
	tph->modes = 1u << TPH_MODE_DEVICE_SPECIFIC;
	return ret;
}

static void mlx5_describe(struct pci_function_desc *desc, const struct tph_cap_options *tph,
			  unsigned int vectors, struct mlx5 *dev)
{
	desc->ids = (struct pci_config_ids){ .vendor = VENDOR_ID,
					     .device = DEVICE_ID,
					     .class_code = CLASS_CODE };
	desc->bars[BAR_REGISTERS] = (struct pci_bar){ PCI_BAR_MEM64_PREF, MLX5_BAR_SIZE, -1 };
	desc->bars[BAR_MSIX] = (struct pci_bar){ PCI_BAR_MEM32, MSIX_BAR_SIZE, -1 };
	desc->pcie.end_end_prefix = tph->extended;
	desc->pcie.atomic_requester = true;
	desc->pcie.ordering = true;
	desc->msix = (struct msix_options){ .vectors = vectors,
					    .bar = BAR_MSIX,
					    .pending = MSIX_PENDING };
	desc->tph = tph;
	desc->ops = &mlx5_ops;
	desc->device = dev;
	dev->guid = GUID_BASE | desc->bdf;
	snprintf(dev->node_desc, sizeof(dev->node_desc), "%s mlx5", desc->name);
}

/* Joins the subnet and makes the function; what fails is undone, but for @dev itself. */
static int mlx5_start(struct mlx5 *dev, struct fabric *fabric, uint16_t lid,
		      const struct pci_function_desc *desc)
{
	int ret;

	ret = mlx5_link_join(dev, fabric, lid);
	if (ret)
		return ret;
	ret = mlx5_timer_start(dev);
	if (!ret) {
		ret = pci_function_create(desc, &dev->fn);
		if (ret)
			mlx5_timer_stop(&dev->timer);
	}
	if (ret) {
		fabric_lock(fabric);
		ib_port_leave(&dev->port);
		fabric_unlock(fabric);
	}
	return ret;
}

static int mlx5_create(struct fabric *fabric, struct options *options,
		       struct pci_function_desc *desc, struct pci_function **fn)
{
	unsigned int vectors = VECTORS_DEFAULT, lid = 0;
	struct tph_cap_options tph;
	struct mlx5 *dev;
	int ret;

	ret = take_options(options, &tph, &vectors, &lid);
	if (ret)
		return ret;
	dev = make_device();
	if (!dev)
		return -ENOMEM;
	mlx5_describe(desc, &tph, vectors, dev);
	ret = mlx5_start(dev, fabric, (uint16_t)lid, desc);
	if (ret) {
		if (ret == -EEXIST)
			options_error(options, "lid=%u: another port has it", lid);
		free_device(dev);
		return ret;
	}
	dev->nic_interface = MLX5_INITIAL_SEG_NIC_INTERFACE_DISABLED;
	dev->reset_pending = true;
	*fn = dev->fn;
	return 0;
}

const struct device_type mlx5_type = {
	.name = "mlx5",
	.help = "    table=cap|none   place of the ST table; default cap\n"
		"    entries=2..1024  of the table, of which PCIe allows 64; default 64\n"
		"    ext=yes|no       Extended TPH Requester Supported; default yes\n"
		"    vectors=2..64    MSI-X vectors; default 8\n"
		"    lid=1..49151     of the port; default the lowest one that is free\n",
	.create = mlx5_create,
};
