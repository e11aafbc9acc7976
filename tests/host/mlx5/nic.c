// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/mlx5/mailbox.h"
#include "devices/registry.h"
#include "nic.h"
#include "pcie/trace.h"

#define REGS	       0xf0000000u
#define REGS_STRIDE    0x00400000u
#define MSIX	       0xfe001000u
#define QUEUE_DOORBELL offsetof(struct mlx5_init_seg, cmd_dbell)
#define BOXES	       64u
#define BOX_STRIDE     1024u
#define INLINE_SIZE    16u

struct machine machine;

void give_up(const char *format, ...)
{
	va_list ap;

	fputs("Bail out! ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

void settle(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

static int refuse(void)
{
	void (*gate)(void) = __atomic_load_n(&machine.gate, __ATOMIC_ACQUIRE);

	__atomic_fetch_add(&machine.refused, 1, __ATOMIC_RELAXED);
	if (gate)
		gate();
	return -EFAULT;
}

static int client_read(void *opaque, uint64_t epoch, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	(void)epoch;
	(void)addr;
	(void)buf;
	(void)len;
	return refuse();
}

static int client_write(void *opaque, uint64_t epoch, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque;
	(void)epoch;
	(void)addr;
	(void)buf;
	(void)len;
	return refuse();
}

static void client_cancel(void *opaque, uint64_t epoch)
{
	(void)opaque;
	(void)epoch;
}

static void client_msix(void *opaque, unsigned int vector)
{
	struct nic *nic = opaque;

	__atomic_fetch_or(&nic->interrupts, 1ull << vector, __ATOMIC_RELAXED);
}

static const struct pci_upstream_ops client = { .read = client_read,
						.write = client_write,
						.cancel = client_cancel,
						.msix = client_msix };

static void config_write(struct nic *nic, unsigned int offset, uint32_t value, size_t len)
{
	pci_function_region_write(nic->fn, PCI_REGION_CONFIG, offset, &value, len);
}

void nic_configure(struct nic *nic)
{
	const struct pci_config *config = pci_function_config(nic->fn);
	unsigned int pcie = pci_config_cap(config, PCI_CAP_ID_EXP);
	unsigned int msix = pci_config_cap(config, PCI_CAP_ID_MSIX);

	config_write(nic, PCI_BASE_ADDRESS_0, REGS + (nic - machine.nics) * REGS_STRIDE, 4);
	config_write(nic, PCI_BASE_ADDRESS_4, MSIX, 4);
	config_write(nic, PCI_COMMAND, FAKE_COMMAND_ON, 2);
	config_write(nic, pcie + PCI_EXP_DEVCTL, 0x2040 | PCI_EXP_DEVCTL_RELAX_EN, 2);
	config_write(nic, msix + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
}

void nic_connect(struct nic *nic)
{
	pci_function_connect(nic->fn, &client, nic);
	nic_configure(nic);
	pci_function_dma_map(nic->fn, RAM, RAM_SIZE, true, true, machine.ram_fd, 0);
	pci_function_dma_map(nic->fn, PEER, PEER_SIZE, true, true, -1, 0);
}

void nic_enable_tph(struct nic *nic, uint32_t requester)
{
	unsigned int cap = pci_function_ext_cap(nic->fn, PCI_EXT_CAP_ID_TPH);

	config_write(nic, cap + offsetof(struct tph_cap, control),
		     TPH_MODE_DEVICE_SPECIFIC | requester << 8, 4);
}

void nic_set_tag(struct nic *nic, unsigned int entry, uint16_t tag)
{
	unsigned int cap = pci_function_ext_cap(nic->fn, PCI_EXT_CAP_ID_TPH);

	config_write(nic, cap + TPH_CAP_TABLE + 2 * entry, tag, 2);
}

static void make_peer(void)
{
	struct fake_options options = {
		.name = "peer",
		.bdf = 0x20,
		.bar2_size = PEER_SIZE,
		.end_end_prefix = true,
		.is_completer = true,
		.atomic_completer = true,
	};

	machine.peer = fake_device_attach(machine.fabric, &options);
	fake_device_enable(machine.peer, 0xfe002000, PEER);
	fake_device_sizes(machine.peer, 512, 512);
}

static void setup(unsigned int count, const char *options)
{
	char spec[128], error[128];

	machine.next = RAM;
	machine.ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (machine.ram_fd < 0 || ftruncate(machine.ram_fd, RAM_SIZE))
		give_up("memfd_create");
	machine.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, machine.ram_fd, 0);
	if (machine.ram == MAP_FAILED)
		give_up("mmap");
	machine.fabric = fabric_create(machine.trace);
	fabric_allow_unannounced(machine.fabric);
	make_peer();
	machine.count = count;
	for (unsigned int i = 0; i < count; i++) {
		snprintf(spec, sizeof(spec), "mlx5,bdf=00:%02x.0,name=nic%u%s", 5 + i, i, options);
		if (device_create(machine.fabric, spec, &machine.nics[i].fn, error, sizeof(error)))
			give_up("%s", error);
		machine.nics[i].queue = machine_alloc(PAGE);
		machine.nics[i].boxes = machine_alloc(2 * BOXES * BOX_STRIDE);
		nic_connect(&machine.nics[i]);
	}
}

void machine_setup(unsigned int count, const char *options)
{
	memset(&machine, 0, sizeof(machine));
	setup(count, options);
}

void machine_setup_traced(unsigned int count, const char *options)
{
	memset(&machine, 0, sizeof(machine));
	machine.trace_fd = memfd_create("trace", MFD_CLOEXEC);
	machine.trace = trace_create(
		&(struct trace_options){ .text = dup(machine.trace_fd), .pcapng = -1 });
	if (!machine.trace)
		give_up("no trace");
	setup(count, options);
}

void machine_teardown(void)
{
	for (unsigned int i = 0; i < machine.count; i++)
		pci_function_connect(machine.nics[i].fn, NULL, NULL);
	pci_function_connect(machine.peer->fn, NULL, NULL);
	fabric_destroy(machine.fabric);
	if (machine.trace) {
		trace_destroy(machine.trace);
		close(machine.trace_fd);
	}
	munmap(machine.ram, RAM_SIZE);
	close(machine.ram_fd);
}

uint64_t machine_alloc(size_t size)
{
	uint64_t address = machine.next;

	machine.next += (size + PAGE - 1) / PAGE * PAGE;
	if (machine.next > RAM + RAM_SIZE)
		give_up("no more memory");
	memset(machine_at(address), 0, size);
	return address;
}

void *machine_at(uint64_t address)
{
	return machine.ram + (address - RAM);
}

uint32_t nic_read(struct nic *nic, uint64_t offset)
{
	uint32_t value = 0;

	pci_function_region_read(nic->fn, 0, offset, &value, sizeof(value));
	return be32toh(value);
}

void nic_write(struct nic *nic, uint64_t offset, uint32_t value)
{
	value = htobe32(value);
	pci_function_region_write(nic->fn, 0, offset, &value, sizeof(value));
}

void nic_write64(struct nic *nic, uint64_t offset, uint64_t value)
{
	value = htobe64(value);
	pci_function_region_write(nic->fn, 0, offset, &value, sizeof(value));
}

uint64_t nic_state(struct nic *nic, enum mlx5_state_register number)
{
	uint64_t value = 0;

	pci_function_region_read(nic->fn, 0, MLX5_STATE_PAGE + number * sizeof(value), &value,
				 sizeof(value));
	return be64toh(value);
}

uint8_t nic_syndrome(struct nic *nic)
{
	uint8_t syndrome = 0;

	pci_function_region_read(nic->fn, 0,
				 offsetof(struct mlx5_init_seg, health) +
					 offsetof(struct health_buffer, synd),
				 &syndrome, 1);
	return syndrome;
}

uint64_t nic_interrupts(struct nic *nic)
{
	return __atomic_load_n(&nic->interrupts, __ATOMIC_RELAXED);
}

uint64_t nic_uar(const struct nic *nic, uint32_t offset)
{
	return (uint64_t)nic->uar * PAGE + offset;
}

void nic_command_init(struct nic_command *command, uint16_t opcode, size_t in_size, size_t out_size)
{
	memset(command, 0, sizeof(*command));
	command->in_size = in_size;
	command->out_size = out_size;
	ifc_set(cmd_in, command->in, opcode, opcode);
}

void nic_command_add_pages(struct nic_command *command, const uint64_t *pages, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		put_be64(command->in + command->in_size + i * 8, pages[i]);
	command->in_size += count * 8;
}

static unsigned int boxes_for(size_t size)
{
	return size > INLINE_SIZE
		       ? (unsigned int)((size - INLINE_SIZE + MLX5_CMD_DATA_BLOCK_SIZE - 1) /
					MLX5_CMD_DATA_BLOCK_SIZE)
		       : 0;
}

static uint64_t box_address(const struct nic *nic, bool output, unsigned int number)
{
	return nic->boxes + ((output ? BOXES : 0) + number) * BOX_STRIDE;
}

struct mlx5_cmd_prot_block *nic_input_box(struct nic *nic, unsigned int number)
{
	return machine_at(box_address(nic, false, number));
}

struct mlx5_cmd_prot_block *nic_output_box(struct nic *nic, unsigned int number)
{
	return machine_at(box_address(nic, true, number));
}

static void lay_out_chain(struct nic *nic, bool output, const uint8_t *data, size_t size)
{
	unsigned int count = boxes_for(size);

	for (unsigned int i = 0; i < count; i++) {
		struct mlx5_cmd_prot_block *block = machine_at(box_address(nic, output, i));
		size_t part = size - INLINE_SIZE - i * MLX5_CMD_DATA_BLOCK_SIZE;

		memset(block, 0, sizeof(*block));
		if (part > sizeof(block->data))
			part = sizeof(block->data);
		if (!output)
			memcpy(block->data, data + INLINE_SIZE + i * MLX5_CMD_DATA_BLOCK_SIZE,
			       part);
		block->token = nic->token;
		block->block_num = htobe32(i);
		if (i + 1 < count)
			block->next = htobe64(box_address(nic, output, i + 1));
	}
}

struct mlx5_cmd_layout *nic_lay_out(struct nic *nic, const struct nic_command *command)
{
	struct mlx5_cmd_layout *entry = machine_at(nic->queue);

	memset(entry, 0, sizeof(*entry));
	nic->token++;
	entry->type = MLX5_PCI_CMD_XPORT;
	entry->inlen = htobe32((uint32_t)command->in_size);
	entry->outlen = htobe32((uint32_t)command->out_size);
	memcpy(entry->in, command->in, INLINE_SIZE);
	entry->in_ptr = htobe64(box_address(nic, false, 0));
	entry->out_ptr = htobe64(box_address(nic, true, 0));
	entry->token = nic->token;
	entry->status_own = 1;
	lay_out_chain(nic, false, command->in, command->in_size);
	lay_out_chain(nic, true, command->out, command->out_size);
	return entry;
}

static void sign_block(struct mlx5_cmd_prot_block *block)
{
	const uint8_t *control = (uint8_t *)block + offsetof(struct mlx5_cmd_prot_block, rsvd0);
	size_t size = sizeof(*block) - offsetof(struct mlx5_cmd_prot_block, rsvd0);

	block->ctrl_sig = 0;
	block->sig = 0;
	block->ctrl_sig = (uint8_t)~mlx5_mailbox_xor(control, size);
	block->sig = (uint8_t)~mlx5_mailbox_xor(block, sizeof(*block));
}

void nic_sign(struct nic *nic, const struct nic_command *command)
{
	struct mlx5_cmd_layout *entry = machine_at(nic->queue);

	for (unsigned int i = 0; i < boxes_for(command->in_size); i++)
		sign_block(nic_input_box(nic, i));
	for (unsigned int i = 0; i < boxes_for(command->out_size); i++)
		sign_block(nic_output_box(nic, i));
	entry->sig = 0;
	entry->sig = (uint8_t)~mlx5_mailbox_xor(entry, sizeof(*entry));
}

static bool is_owned_by_device(const struct mlx5_cmd_layout *entry)
{
	return __atomic_load_n(&entry->status_own, __ATOMIC_ACQUIRE) & 1;
}

int nic_ring(struct nic *nic, struct nic_command *command)
{
	struct mlx5_cmd_layout *entry = machine_at(nic->queue);

	nic_write(nic, QUEUE_DOORBELL, 1);
	if (!until(!is_owned_by_device(entry) || nic_syndrome(nic)) || is_owned_by_device(entry))
		return NO_ANSWER;
	if (entry->status_own >> 1)
		return NOT_DELIVERED(entry->status_own >> 1);
	memcpy(command->out, entry->out, INLINE_SIZE);
	for (unsigned int i = 0; i < boxes_for(command->out_size); i++)
		memcpy(command->out + INLINE_SIZE + i * MLX5_CMD_DATA_BLOCK_SIZE,
		       nic_output_box(nic, i)->data, MLX5_CMD_DATA_BLOCK_SIZE);
	return (int)ifc_get(cmd_out, command->out, status);
}

int nic_execute(struct nic *nic, struct nic_command *command)
{
	nic_lay_out(nic, command);
	nic_sign(nic, command);
	return nic_ring(nic, command);
}

void nic_must(struct nic *nic, struct nic_command *command)
{
	int status = nic_execute(nic, command);

	if (status != MLX5_CMD_STAT_OK)
		give_up("command 0x%x: %d", (unsigned int)ifc_get(cmd_in, command->in, opcode),
			status);
}

void nic_start(struct nic *nic)
{
	struct nic_command command;

	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_h), nic->queue >> 32);
	nic_write(nic, offsetof(struct mlx5_init_seg, cmdq_addr_l_sz), (uint32_t)nic->queue);
	nic_command_begin(&command, ENABLE_HCA, enable_hca);
	nic_must(nic, &command);
	nic_command_begin(&command, SET_ISSI, set_issi);
	ifc_set(set_issi_in, command.in, current_issi, 1);
	nic_must(nic, &command);
	if (nic->host_order) {
		nic_command_begin(&command, SET_HCA_CAP, set_hca_cap);
		ifc_set(set_hca_cap_in, command.in, op_mod, MLX5_CAP_ATOMIC << 1);
		ifc_set(atomic_caps, ifc_at(set_hca_cap_in, command.in, capability),
			atomic_req_8B_endianness_mode, 1);
		nic_must(nic, &command);
	}
	nic_command_begin(&command, INIT_HCA, init_hca);
	nic_must(nic, &command);
}

static void make_event_queue(struct nic *nic)
{
	uint8_t *context;
	struct nic_command command;

	nic_command_begin(&command, CREATE_EQ, create_eq);
	nic->eq_ring = machine_alloc(64u << EQ_LOG);
	nic->eq_consumer = 0;
	for (unsigned int i = 0; i < 1u << EQ_LOG; i++)
		((struct mlx5_eqe *)machine_at(nic->eq_ring))[i].owner = 1;
	context = ifc_at(create_eq_in, command.in, eq_context_entry);
	ifc_set(eqc, context, log_eq_size, EQ_LOG);
	ifc_set(eqc, context, uar_page, nic->uar);
	ifc_set(eqc, context, intr, 1);
	memset(ifc_at(create_eq_in, command.in, event_bitmask[0]), 0xff, 32);
	/* Commands are polled for. */
	ifc_at(create_eq_in, command.in, event_bitmask[0])[7 - MLX5_EVENT_TYPE_CMD / 8] &=
		(uint8_t) ~(1u << MLX5_EVENT_TYPE_CMD % 8);
	nic_command_add_pages(&command, (uint64_t[]){ nic->eq_ring, nic->eq_ring + PAGE }, 2);
	nic_must(nic, &command);
	nic->eq = (uint8_t)ifc_get(create_eq_out, command.out, eq_number);
	nic_arm_events(nic);
}

void nic_open(struct nic *nic)
{
	uint8_t *context;
	struct nic_command command;

	nic_start(nic);
	nic_command_begin(&command, ALLOC_UAR, alloc_uar);
	nic_must(nic, &command);
	nic->uar = (uint32_t)ifc_get(alloc_uar_out, command.out, uar);
	nic_command_begin(&command, ALLOC_PD, alloc_pd);
	nic_must(nic, &command);
	nic->pd = (uint32_t)ifc_get(alloc_pd_out, command.out, pd);
	nic_command_begin(&command, CREATE_MKEY, create_mkey);
	context = ifc_at(create_mkey_in, command.in, memory_key_mkey_entry);
	ifc_set(mkc, context, access_mode_1_0, MLX5_MKC_ACCESS_MODE_PA);
	ifc_set(mkc, context, lr, 1);
	ifc_set(mkc, context, lw, 1);
	ifc_set(mkc, context, rr, 1);
	ifc_set(mkc, context, rw, 1);
	ifc_set(mkc, context, a, 1);
	ifc_set(mkc, context, length64, 1);
	ifc_set(mkc, context, pd, nic->pd);
	ifc_set(mkc, context, qpn, 0xffffff);
	nic_must(nic, &command);
	nic->key = (uint32_t)ifc_get(create_mkey_out, command.out, mkey_index) << 8;
	make_event_queue(nic);
}

void nic_close(struct nic *nic)
{
	struct nic_command command;

	nic_command_begin(&command, TEARDOWN_HCA, teardown_hca);
	nic_must(nic, &command);
	nic_command_begin(&command, DISABLE_HCA, disable_hca);
	nic_must(nic, &command);
}

static bool event_is_there(struct nic *nic)
{
	const struct mlx5_eqe *entry =
		(struct mlx5_eqe *)machine_at(nic->eq_ring) + nic->eq_consumer % (1u << EQ_LOG);

	return (__atomic_load_n(&entry->owner, __ATOMIC_ACQUIRE) & 1) ==
	       (nic->eq_consumer >> EQ_LOG & 1);
}

bool nic_event(struct nic *nic, struct mlx5_eqe *event)
{
	if (!until(event_is_there(nic)))
		return false;
	*event = ((struct mlx5_eqe *)machine_at(nic->eq_ring))[nic->eq_consumer++ % (1u << EQ_LOG)];
	return true;
}

bool nic_no_event(struct nic *nic)
{
	settle();
	return !event_is_there(nic);
}

void nic_arm_events(struct nic *nic)
{
	nic_write(nic, nic_uar(nic, 0x40), (uint32_t)nic->eq << 24 | (nic->eq_consumer & 0xffffff));
}
