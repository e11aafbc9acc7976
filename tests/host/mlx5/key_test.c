// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory keys: what they allow, and the hints that writes through them carry.
 */
#include "tap.h"
#include "devices/mlx5/mkey.h"
#include "pcie/cap_tph.h"
#include "verbs.h"

#define LENGTH 3000u

static struct nic *nic = &machine.nics[0];
static struct cq cq;
static struct qp one, two;
static uint64_t memory;

static void connect_pair(void)
{
	cq_create(&cq, nic, 6);
	qp_create(&one, nic, MLX5_QPC_ST_RC, &cq);
	qp_create(&two, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&one, &two);
	memory = machine_alloc(16 * PAGE);
	fill(memory, 8 * PAGE, 1);
}

/* Makes the queue pairs work again after an error and reads off what it has left. */
static void recover(void)
{
	qp_reconnect(&one, &two);
}

static int create(const struct key_options *options)
{
	struct nic_command command;

	key_command(&command, nic, options);
	return nic_execute(nic, &command);
}

static void mistakes(void)
{
	const uint64_t page[2] = { RAM | 3, RAM | 3 };
	uint64_t before = nic_state(nic, MLX5_STATE_MKEYS);
	struct nic_command command;
	uint8_t *context;

	is_int(create(&(struct key_options){ .pages = page, .count = 2, .pd = 77 }),
	       MLX5_CMD_STAT_BAD_RES_ERR, "no such protection domain");
	is_int(create(&(struct key_options){ .pages = page, .count = 2, .log_page = 11 }),
	       MLX5_CMD_STAT_BAD_PARAM_ERR, "pages of 2 KiB");
	is_int(create(&(struct key_options){ .pages = page, .count = 2, .entries = 1 << 25 }),
	       MLX5_CMD_STAT_LIM_ERR, "too many page entries");
	key_command(&command, nic, &(struct key_options){ .pages = page, .count = 2 });
	ifc_set(create_mkey_in, command.in, translations_octword_actual_size, 2);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "a list that is too short");
	key_command(&command, nic, &(struct key_options){ .pages = page, .count = 2 });
	context = ifc_at(create_mkey_in, command.in, memory_key_mkey_entry);
	ifc_set(mkc, context, access_mode_1_0, MLX5_MKC_ACCESS_MODE_KLMS);
	is_int(nic_execute(nic, &command), MLX5_CMD_STAT_BAD_PARAM_ERR, "keys of keys");
	is_int(key_destroy(nic, 0x12345600), MLX5_CMD_STAT_BAD_RES_ERR, "one that is not there");
	is_int(nic_state(nic, MLX5_STATE_MKEYS), before, "no key was left");
	is_int(nic_state(nic, MLX5_STATE_TRANSLATIONS), 0, "nor its page entries");
}

static void rights(void)
{
	const uint64_t pages[2] = { (memory + 8 * PAGE) | 3, (memory + 9 * PAGE) | 3 };
	struct key_options options = { .pages = pages, .count = 2, .start = 0x7000, .rights = 7 };
	uint32_t key = key_create(nic, &options);

	is_int(qp_write(&one, memory, nic->key, 100, 0x7000, key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "write without remote write");
	recover();
	is_int(qp_read(&one, memory, nic->key, 100, 0x7000, key), 0, "read");
	options.rights = ALL_RIGHTS & ~REMOTE_READ;
	key = key_create(nic, &options);
	is_int(qp_read(&one, memory, nic->key, 100, 0x7000, key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "read without remote read");
	recover();
	is_int(qp_write(&one, memory, nic->key, 2 * PAGE, 0x7000, key), 0, "write of all of it");
	is_mem(machine_at(memory + 8 * PAGE), machine_at(memory), 2 * PAGE, "arrived");
	is_int(qp_write(&one, memory, nic->key, 2 * PAGE, 0x7001, key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "beyond the end");
	recover();
	is_int(qp_write(&one, memory, nic->key, 2, 0x6fff, key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "before the start");
	recover();
	is_int(qp_write(&one, memory, nic->key, 2, UINT64_MAX, key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "around the address space");
	recover();
	is_int(qp_write(&one, memory, nic->key, 2, 0x7000, key | 1),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "another variant of the key");
	recover();
	is_int(qp_write(&one, 0x7000, key, 2 * PAGE, memory + 12 * PAGE, nic->key), 0, "from it");
	is_mem(machine_at(memory + 12 * PAGE), machine_at(memory), 2 * PAGE, "arrived");
	options.rights = REMOTE_READ | REMOTE_WRITE;
	key = key_create(nic, &options);
	is_int(qp_write(&one, 0x7000, key, 2, memory, nic->key), MLX5_CQE_SYNDROME_LOCAL_PROT_ERR,
	       "from it without local read");
	recover();
	options.rights = 0;
	options.is_free = true;
	key = key_create(nic, &options);
	is_int(qp_write(&one, memory, nic->key, 2, 0x7000, key),
	       MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "a free key");
	recover();
}

static void domains(void)
{
	const uint64_t page[2] = { memory | 3, memory | 3 };
	struct nic_command command;
	uint32_t key;

	nic_command_begin(&command, ALLOC_PD, alloc_pd);
	nic_must(nic, &command);
	key = key_create(nic, &(struct key_options){
				      .pages = page,
				      .count = 2,
				      .pd = (uint32_t)ifc_get(alloc_pd_out, command.out, pd) });
	is_int(qp_write(&one, memory, nic->key, 2, 0, key), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR,
	       "a key of another protection domain");
	recover();
}

/* Sizes of pages, and entries in the middle of one. */
static void large_pages(void)
{
	uint64_t where = machine_alloc(64 * PAGE) + 32 * PAGE;
	const uint64_t page[2] = { (where & ~0xffffull) | 3, ((where & ~0xffffull) + 0x10000) | 3 };
	uint32_t key = key_create(nic, &(struct key_options){ .pages = page,
							      .count = 2,
							      .log_page = 16,
							      .start = 0x123450,
							      .length = 0x10000 });

	is_int(qp_write(&one, memory, nic->key, 0x10000 - 0x3450 + 16, 0x123450, key), 0,
	       "into the second page");
	is_mem(machine_at((page[0] & ~3ull) + 0x3450), machine_at(memory), 0x10000 - 0x3450,
	       "the first one begins in the middle");
	is_mem(machine_at(page[1] & ~3ull), (uint8_t *)machine_at(memory) + 0x10000 - 0x3450, 16,
	       "the second one goes on");
}

static uint32_t peer_key(unsigned int index, bool tph, unsigned int ph, unsigned int st_index)
{
	const uint64_t pages[2] = { (PEER + index * 2 * PAGE) | 3,
				    (PEER + (index * 2 + 1) * PAGE) | 3 };

	return key_create(
		nic,
		&(struct key_options){
			.pages = pages, .count = 2, .tph = tph, .ph = ph, .st_index = st_index });
}

static void is_hint(const char *what, bool present, bool extended, unsigned int ph, unsigned int st)
{
	struct tlp_hint hint;

	fabric_lock(machine.fabric);
	hint = machine.peer->last.hint;
	fabric_unlock(machine.fabric);
	is_int(hint.present, present, "%s: hint", what);
	if (!present)
		return;
	is_int(hint.extended, extended, "%s: size of the tag", what);
	is_int(hint.ph, ph, "%s: PH", what);
	is_hex(hint.st, st, "%s: ST", what);
}

static void expect(const char *what, uint32_t key, bool present, bool extended, unsigned int ph,
		   unsigned int st)
{
	uint64_t before = nic_state(nic, MLX5_STATE_TAGGED_WRITES);

	is_int(qp_write(&one, memory, nic->key, LENGTH, 100, key), 0, "%s: write", what);
	is_hint(what, present, extended, ph, st);
	is_int(nic_state(nic, MLX5_STATE_TAGGED_WRITES) - before,
	       present ? (LENGTH + 100 + 511) / 512 : 0, "%s: TLPs", what);
}

static void hints(void)
{
	uint32_t plain = peer_key(0, false, 0, 0);
	uint32_t low = peer_key(1, true, 1, 3);
	uint32_t high = peer_key(2, true, 2, 7);

	nic_set_tag(nic, 3, 0x1234);
	nic_set_tag(nic, 7, 0x00ab);
	expect("requester off", low, false, false, 0, 0);
	nic_enable_tph(nic, TPH_REQUESTER_EXTENDED);
	expect("without", plain, false, false, 0, 0);
	expect("entry 3", low, true, true, 1, 0x1234);
	expect("entry 7", high, true, true, 2, 0x00ab);
	is_mem(machine.peer->memory + 4 * PAGE + 100, machine_at(memory), LENGTH, "the data");
	nic_set_tag(nic, 7, 0x4321);
	expect("changed", high, true, true, 2, 0x4321);
	nic_enable_tph(nic, TPH_REQUESTER_8BIT);
	expect("8 bits", low, true, false, 1, 0x34);
	is_int(create(&(struct key_options){ .tph = true, .st_index = 64, .entries = 2 }),
	       MLX5_CMD_STAT_BAD_PARAM_ERR, "an entry that the table does not have");
	is_int(machine.peer->bad_tlps, 0, "broken TLPs");
}

static unsigned int seen[3], wrong;

static int count_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
		       const struct tlp *tlp)
{
	/* The pages of key n carry entry n, which is 0x1000 + n. */
	unsigned int index = (unsigned int)(offset / (2 * PAGE));

	(void)fn;
	(void)bar;
	if (index < 3 && tlp->hint.present && tlp->hint.extended &&
	    tlp->hint.st == 0x1000 + index && tlp->hint.ph == index)
		seen[index]++;
	else
		wrong++;
	return 0;
}

/* Messages of three keys in turn, many at once. */
static void interleaved(void)
{
	uint32_t keys[3];
	struct mlx5_cqe64 entry;
	unsigned int done = 0;
	struct wqe wqe;

	nic_enable_tph(nic, TPH_REQUESTER_EXTENDED);
	for (unsigned int i = 0; i < 3; i++) {
		nic_set_tag(nic, i, (uint16_t)(0x1000 + i));
		keys[i] = peer_key(i, true, i, i);
	}
	machine.peer->ops.mem_write = count_write;
	for (unsigned int i = 0; i < 600; i++) {
		wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
		wqe_remote(&wqe, i % 7 * 512, keys[i % 3]);
		wqe_data(&wqe, memory, 2048, nic->key);
		qp_post(i % 2 ? &one : &two, &wqe);
		if (i >= 8)
			done += cq_poll(&cq, &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ;
	}
	while (done < 600 && cq_poll(&cq, &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ)
		done++;
	is_int(done, 600, "messages");
	is_int(wrong, 0, "TLPs with a wrong hint");
	for (unsigned int i = 0; i < 3; i++)
		is_int(seen[i], 200 * 4, "TLPs of key %u", i);
}

static void direct(void)
{
	uint32_t key;

	machine_setup(1, ",table=none");
	nic_open(nic);
	connect_pair();
	key = peer_key(1, true, 3, 0xfe);
	nic_enable_tph(nic, TPH_REQUESTER_EXTENDED);
	expect("direct", key, true, true, 3, 0xfe);
	nic_enable_tph(nic, TPH_REQUESTER_8BIT);
	expect("direct, 8 bits", key, true, false, 3, 0xfe);
	machine_teardown();
}

int main(void)
{
	machine_setup(1, "");
	nic_open(nic);
	connect_pair();
	mistakes();
	rights();
	domains();
	large_pages();
	hints();
	interleaved();
	machine_teardown();
	direct();
	return done_testing();
}
