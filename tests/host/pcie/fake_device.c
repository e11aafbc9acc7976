// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_device.h"
#include "pcie/atomic_op.h"

static int fake_bar_read(struct pci_function *fn, unsigned int bar, uint64_t offset, void *buf,
			 size_t len)
{
	struct fake_device *fake = pci_function_device(fn);

	if (fake->refuse)
		return -EIO;
	memcpy(buf, (bar == 2 ? fake->memory : fake->bar0) + offset, len);
	return 0;
}

static int fake_bar_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
			  const void *buf, size_t len)
{
	struct fake_device *fake = pci_function_device(fn);

	if (fake->refuse)
		return -EIO;
	memcpy((bar == 2 ? fake->memory : fake->bar0) + offset, buf, len);
	return 0;
}

/* Stores by byte enables, and looks whether the TLP is one that a link could carry. */
static int fake_mem_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
			  const struct tlp *tlp)
{
	struct fake_device *fake = pci_function_device(fn);
	unsigned int mps = pcie_cap_max_payload(pci_function_config(fn));
	uint8_t bytes[TLP_BYTES_MAX];
	struct tlp back;
	int size = tlp_encode(tlp, bytes, sizeof(bytes));

	if (fake->refuse)
		return -EBADMSG;
	if (bar != 2 || size < 0 || tlp_decode(&back, bytes, size, mps))
		fake->bad_tlps++;
	fake->writes++;
	fake->last = *tlp;
	fake->last.data = NULL;
	for (unsigned int i = 0; i < tlp->length * 4u; i++) {
		unsigned int enables = i / 4 == 0		   ? tlp->first_be
				       : i / 4 == tlp->length - 1u ? tlp->last_be
								   : 0xf;

		if (enables & 1u << i % 4)
			fake->memory[offset + i] = tlp->data[i];
		else if (tlp->data[i])
			fake->bad_tlps++;
	}
	return 0;
}

static int fake_mem_read(struct pci_function *fn, unsigned int bar, uint64_t offset, void *buf,
			 size_t len)
{
	struct fake_device *fake = pci_function_device(fn);

	if (fake->refuse)
		return -EBADMSG;
	if (bar != 2)
		fake->bad_tlps++;
	fake->reads++;
	memcpy(buf, fake->memory + offset, len);
	return 0;
}

static int fake_mem_atomic(struct pci_function *fn, unsigned int bar, uint64_t offset,
			   const struct tlp *tlp, uint64_t *before)
{
	struct fake_device *fake = pci_function_device(fn);
	unsigned int mps = pcie_cap_max_payload(pci_function_config(fn));
	uint8_t bytes[TLP_BYTES_MAX];
	struct tlp back;
	int size = tlp_encode(tlp, bytes, sizeof(bytes));

	if (fake->refuse)
		return -EBADMSG;
	if (bar != 2 || size < 0 || tlp_decode(&back, bytes, size, mps))
		fake->bad_tlps++;
	fake->atomics++;
	fake->last = *tlp;
	fake->last.data = NULL;
	*before = atomic_op_execute(fake->memory + offset, tlp);
	return 0;
}

static void fake_malformed(struct pci_function *fn)
{
	struct fake_device *fake = pci_function_device(fn);

	fake->malformed++;
}

static void fake_reset(struct pci_function *fn)
{
	struct fake_device *fake = pci_function_device(fn);

	fake->resets++;
}

static void fake_config_written(struct pci_function *fn, unsigned int offset, unsigned int len)
{
	struct fake_device *fake = pci_function_device(fn);

	(void)offset;
	(void)len;
	fake->config_writes++;
}

static void fake_free(struct fake_device *fake)
{
	if (fake->memory)
		munmap(fake->memory, fake->memory_size);
	if (fake->fd >= 0)
		close(fake->fd);
	if (fake->destroyed)
		*fake->destroyed = true;
	free(fake);
}

static void fake_destroy(struct pci_function *fn)
{
	fake_free(pci_function_device(fn));
}

static int fake_upstream(struct fake_device *fake, uint64_t addr, size_t len)
{
	__atomic_fetch_add(&fake->upstream_calls, 1, __ATOMIC_RELAXED);
	if (fake->reset_upstream)
		pci_function_reset(fake->reset_upstream);
	if (fake->upstream_result)
		return fake->upstream_result;
	return addr >= FAKE_UPSTREAM_SIZE || len > FAKE_UPSTREAM_SIZE - addr ? -EFAULT : 0;
}

static int fake_upstream_read(void *opaque, uint64_t epoch, uint64_t addr, void *buf, size_t len)
{
	struct fake_device *fake = opaque;
	int ret = fake_upstream(fake, addr, len);

	(void)epoch;
	if (!ret)
		memcpy(buf, fake->upstream + addr, len);
	return ret;
}

static int fake_upstream_write(void *opaque, uint64_t epoch, uint64_t addr, const void *buf,
			       size_t len)
{
	struct fake_device *fake = opaque;
	int ret = fake_upstream(fake, addr, len);

	(void)epoch;
	if (!ret)
		memcpy(fake->upstream + addr, buf, len);
	return ret;
}

static void fake_cancel(void *opaque, uint64_t epoch)
{
	struct fake_device *fake = opaque;

	fake->epoch = epoch;
}

static void fake_msix(void *opaque, unsigned int vector)
{
	struct fake_device *fake = opaque;

	fake->interrupts |= 1ull << vector;
}

static const struct pci_upstream_ops fake_upstream_ops = {
	.read = fake_upstream_read,
	.write = fake_upstream_write,
	.cancel = fake_cancel,
	.msix = fake_msix,
};

static bool make_memory(struct fake_device *fake, uint64_t size)
{
	fake->fd = memfd_create("bar2", MFD_CLOEXEC);
	if (fake->fd < 0 || ftruncate(fake->fd, size))
		return false;
	fake->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fake->fd, 0);
	fake->memory_size = size;
	return fake->memory != MAP_FAILED;
}

struct fake_device *fake_device_new(const struct fake_options *options)
{
	struct fake_device *fake = calloc(1, sizeof(*fake));
	struct pci_function_desc desc = {
		.name = options->name,
		.bdf = options->bdf,
		.port = options->port,
		.ids = { .vendor = 0x1234, .device = 0x5678 },
		.pcie = { .mps = options->mps ? options->mps : 512,
			  .end_end_prefix = options->end_end_prefix,
			  .atomic_completer = options->atomic_completer,
			  .atomic_requester = options->atomic_requester,
			  .ordering = options->ordering },
		.msix = { .vectors = options->vectors, .bar = 4, .pending = 0x800 },
		.ats = options->ats,
		.device = fake,
	};

	if (!fake)
		return NULL;
	fake->fd = -1;
	if (options->bar2_size && !make_memory(fake, options->bar2_size)) {
		fake_free(fake);
		return NULL;
	}
	fake->ops = (struct pci_device_ops){
		.reset = fake_reset,
		.bar_read = fake_bar_read,
		.bar_write = fake_bar_write,
		.mem_write = options->is_completer ? fake_mem_write : NULL,
		.mem_read = options->is_completer ? fake_mem_read : NULL,
		.mem_atomic = options->atomic_completer ? fake_mem_atomic : NULL,
		.malformed = fake_malformed,
		.config_written = fake_config_written,
		.work = options->work,
		.destroy = fake_destroy,
	};
	desc.ops = &fake->ops;
	desc.bars[0] = (struct pci_bar){ PCI_BAR_MEM32, FAKE_BAR0_SIZE, -1 };
	if (options->bar2_size)
		desc.bars[2] = (struct pci_bar){ PCI_BAR_MEM64_PREF, options->bar2_size, fake->fd };
	if (options->vectors)
		desc.bars[4] = (struct pci_bar){ PCI_BAR_MEM32, 4096, -1 };
	if (pci_function_create(&desc, &fake->fn)) {
		fake_free(fake);
		return NULL;
	}
	return fake;
}

void fake_device_connect(struct fake_device *fake)
{
	pci_function_connect(fake->fn, &fake_upstream_ops, fake);
}

struct fake_device *fake_device_attach(struct fabric *fabric, const struct fake_options *options)
{
	struct fake_device *fake = fake_device_new(options);

	if (!fake || pci_function_attach(fake->fn, fabric)) {
		puts("Bail out! cannot make a device");
		exit(1);
	}
	fake_device_connect(fake);
	return fake;
}

void fake_config_write(struct fake_device *fake, unsigned int offset, uint32_t value, size_t len)
{
	uint8_t bytes[4] = { value, value >> 8, value >> 16, value >> 24 };

	pci_function_region_write(fake->fn, PCI_REGION_CONFIG, offset, bytes, len);
}

void fake_device_enable(struct fake_device *fake, uint32_t bar0, uint64_t bar2)
{
	fake_config_write(fake, PCI_BASE_ADDRESS_0, bar0, 4);
	fake_config_write(fake, PCI_BASE_ADDRESS_2, bar2, 4);
	fake_config_write(fake, PCI_BASE_ADDRESS_3, bar2 >> 32, 4);
	fake_config_write(fake, PCI_COMMAND, FAKE_COMMAND_ON, 2);
}

void fake_device_sizes(struct fake_device *fake, unsigned int mps, unsigned int mrrs)
{
	unsigned int cap = pci_function_cap(fake->fn, PCI_CAP_ID_EXP);
	uint16_t value = __builtin_ctz(mps / 128) << 5 | __builtin_ctz(mrrs / 128) << 12;

	fake_config_write(fake, cap + PCI_EXP_DEVCTL, value, 2);
}
