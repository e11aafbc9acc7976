// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory keys that work requests change.
 */
#include "tap.h"
#include "devices/mlx5/mkey.h"
#include "pcie/cap_tph.h"
#include "verbs.h"

#define START 0x10000u

static struct nic *nic = &machine.nics[0];
static struct cq cq;
static struct qp one, two, registrar;
static uint64_t from, to;

static void recover(void)
{
	qp_reconnect(&one, &two);
}

static void recover_registrar(void)
{
	qp_simple(&registrar, MLX5_CMD_OP_2RST_QP);
	if (qp_init(&registrar) || qp_rtr(&registrar, NULL) || qp_rts(&registrar))
		give_up("connecting the UMR queue again");
}

static int write_through(uint32_t key, uint64_t address)
{
	int syndrome = qp_write(&one, from, nic->key, 64, address, key);

	if (syndrome)
		recover();
	return syndrome;
}

/* The life of a key out of a pool: made free, registered, changed, given back. */
static void life(void)
{
	const uint64_t pages[4] = { to | 3, (to + PAGE) | 3, (to + 2 * PAGE) | 3, 0 };
	uint32_t key = key_create(
		nic, &(struct key_options){ .entries = 8, .umr = true, .is_free = true });
	struct umr umr = {
		.key = key,
		.flags = MLX5_UMR_CHECK_NOT_FREE,
		.mask = MLX5_MKEY_MASK_LEN | MLX5_MKEY_MASK_START_ADDR | MLX5_MKEY_MASK_KEY |
			MLX5_MKEY_MASK_FREE | MLX5_MKEY_MASK_PAGE_SIZE,
	};

	is_int(write_through(key, START), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "free: no access");
	ifc_set(mkc, umr.context, start_addr, START);
	ifc_set(mkc, umr.context, len, 3 * PAGE);
	ifc_set(mkc, umr.context, mkey_7_0, 0x5a);
	ifc_set(mkc, umr.context, log_page_size, 12);
	umr.pages = pages;
	umr.count = 4;
	umr.flags = MLX5_UMR_CHECK_FREE;
	is_int(umr_execute(&registrar, &umr), MLX5_CQE_SYNDROME_MW_BIND_ERR,
	       "registered as one that is not free");
	recover_registrar();
	umr.flags = MLX5_UMR_CHECK_NOT_FREE;
	is_int(umr_execute(&registrar, &umr), 0, "registered");
	is_int(write_through(key, START), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "the old variant");
	key |= 0x5a;
	is_int(write_through(key, START + PAGE + 5), 0, "the new one");
	is_mem((uint8_t *)machine_at(to + PAGE) + 5, machine_at(from), 64, "second page");

	/* Only the third and fourth entry. */
	umr = (struct umr){ .key = key,
			    .first = 2,
			    .count = 2,
			    .pages = (uint64_t[]){ to | 3, (to + 4 * PAGE) | 3 } };
	is_int(umr_execute(&registrar, &umr), 0, "other pages");
	is_int(write_through(key, START + 2 * PAGE + 7), 0, "write");
	is_mem((uint8_t *)machine_at(to) + 7, machine_at(from), 64, "third page");
	is_int(write_through(key, START + 3 * PAGE), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR,
	       "the length stays");

	umr = (struct umr){ .key = key, .mask = MLX5_MKEY_MASK_FREE };
	ifc_set(mkc, umr.context, free, 1);
	is_int(umr_execute(&registrar, &umr), 0, "given back");
	is_int(write_through(key, START), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "no access");
	is_int(umr_execute(&registrar, &(struct umr){ .key = key, .flags = MLX5_UMR_CHECK_FREE }),
	       MLX5_CQE_SYNDROME_MW_BIND_ERR, "it has to be in use");
	recover_registrar();
	is_int(key_destroy(nic, key), 0, "destroyed");
	is_int(nic_state(nic, MLX5_STATE_TRANSLATIONS), 0, "page entries left");
}

/* A list in memory, as drivers use it for many pages. */
static void long_list(void)
{
	uint64_t list = machine_alloc(2 * PAGE);
	uint64_t memory = machine_alloc(600 * PAGE);
	uint32_t key = key_create(
		nic, &(struct key_options){ .entries = 600, .umr = true, .length = 600 * PAGE });
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	for (unsigned int i = 0; i < 600; i++)
		put_be64(machine_at(list + i * 8), (memory + i * PAGE) | 3);
	umr_begin(&wqe, &(struct umr){ .key = key });
	wqe.bytes[16] &= (uint8_t)~MLX5_UMR_INLINE;
	layout_write_bits(wqe.bytes + 16, offsetof(struct mlx5_wqe_umr_ctrl_seg, xlt_octowords) * 8,
			  16, 300);
	wqe_data(&wqe, list, 4800, nic->key);
	qp_post(&registrar, &wqe);
	ok(cq_poll(&cq, &entry) && cqe_opcode(&entry) == MLX5_CQE_REQ, "600 pages");
	is_int(write_through(key, 599 * PAGE), 0, "write to the last");
	is_mem(machine_at(memory + 599 * PAGE), machine_at(from), 64, "arrived");
	/* The same, but the list is shorter than it says. */
	umr_begin(&wqe, &(struct umr){ .key = key });
	wqe.bytes[16] &= (uint8_t)~MLX5_UMR_INLINE;
	layout_write_bits(wqe.bytes + 16, offsetof(struct mlx5_wqe_umr_ctrl_seg, xlt_octowords) * 8,
			  16, 300);
	wqe_data(&wqe, list, 4799, nic->key);
	qp_post(&registrar, &wqe);
	ok(cq_poll(&cq, &entry) && cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_LOCAL_PROT_ERR,
	   "a list that is too short");
	recover_registrar();
}

static void refused(void)
{
	const uint64_t pages[4] = { to | 3, to | 3, to | 3, to | 3 };
	uint32_t fixed = key_create(nic, &(struct key_options){ .pages = pages, .count = 2 });
	uint32_t key =
		key_create(nic, &(struct key_options){ .pages = pages, .count = 2, .umr = true });
	struct umr umr = { .key = fixed, .mask = MLX5_MKEY_MASK_FREE };
	struct mlx5_cqe64 entry;
	struct wqe wqe;

	is_int(umr_execute(&registrar, &umr), MLX5_CQE_SYNDROME_MW_BIND_ERR,
	       "a key that is not for UMR");
	recover_registrar();
	umr.key = 0xdead00;
	is_int(umr_execute(&registrar, &umr), MLX5_CQE_SYNDROME_MW_BIND_ERR, "no such key");
	recover_registrar();
	umr.key = key;
	umr.mask = MLX5_MKEY_MASK_BSF_EN;
	is_int(umr_execute(&registrar, &umr), MLX5_CQE_SYNDROME_MW_BIND_ERR, "signatures");
	recover_registrar();
	umr.mask = MLX5_MKEY_MASK_PAGE_SIZE;
	is_int(umr_execute(&registrar, &umr), MLX5_CQE_SYNDROME_MW_BIND_ERR, "pages of one byte");
	recover_registrar();
	umr = (struct umr){ .key = key, .first = 100, .pages = pages, .count = 4 };
	is_int(umr_execute(&registrar, &umr), MLX5_CQE_SYNDROME_MW_BIND_ERR,
	       "beyond the page entries");
	recover_registrar();
	umr = (struct umr){ .key = key };
	is_int(umr_execute(&one, &umr), MLX5_CQE_SYNDROME_MW_BIND_ERR, "from a user's queue");
	recover();
	umr_begin(&wqe, &umr);
	wqe.size = 64;
	qp_post(&registrar, &wqe);
	ok(cq_poll(&cq, &entry) && cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR,
	   "half a request");
	recover_registrar();
	umr.count = 2;
	umr.pages = pages;
	umr_begin(&wqe, &umr);
	layout_write_bits(wqe.bytes + 16, offsetof(struct mlx5_wqe_umr_ctrl_seg, xlt_octowords) * 8,
			  16, 1000);
	qp_post(&registrar, &wqe);
	ok(cq_poll(&cq, &entry) && cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR,
	   "a list that is longer than the request");
	recover_registrar();
	is_int(write_through(key, 0), 0, "the key is as before");
}

/* Hints stay: there is no way to change them but a new key. */
static void hints(void)
{
	const uint64_t pages[2] = { PEER | 3, (PEER + PAGE) | 3 };
	uint32_t key = key_create(nic, &(struct key_options){ .entries = 2,
							      .umr = true,
							      .is_free = true,
							      .tph = true,
							      .ph = 2,
							      .st_index = 5 });
	struct umr umr = { .key = key, .pages = pages, .count = 2 };
	struct tlp_hint hint;

	nic_set_tag(nic, 5, 0x0abc);
	nic_enable_tph(nic, TPH_REQUESTER_EXTENDED);
	umr.mask = MLX5_MKEY_MASK_LEN | MLX5_MKEY_MASK_FREE;
	ifc_set(mkc, umr.context, len, 2 * PAGE);
	/* What stands here has no mask bit. */
	ifc_set(mkc, umr.context, pcie_tph_steering_tag_index, 9);
	is_int(umr_execute(&registrar, &umr), 0, "registered");
	is_int(write_through(key, 64), 0, "write");
	fabric_lock(machine.fabric);
	hint = machine.peer->last.hint;
	fabric_unlock(machine.fabric);
	ok(hint.present && hint.extended && hint.ph == 2 && hint.st == 0x0abc,
	   "the hint of its creation");
}

int main(void)
{
	machine_setup(1, "");
	nic_open(nic);
	cq_create(&cq, nic, 6);
	qp_create(&one, nic, MLX5_QPC_ST_RC, &cq);
	qp_create(&two, nic, MLX5_QPC_ST_RC, &cq);
	qp_connect(&one, &two);
	umr_create(&registrar, nic, &cq);
	from = machine_alloc(PAGE);
	to = machine_alloc(5 * PAGE);
	fill(from, PAGE, 1);
	life();
	long_list();
	refused();
	hints();
	machine_teardown();
	return done_testing();
}
