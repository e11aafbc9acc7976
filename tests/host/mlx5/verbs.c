// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "verbs.h"
#include "devices/mlx5/mkey.h"

#define QKEY	       0x11111111u
#define PSN_FIRST      0xfffffeu /* so that it soon goes around */
#define SEND_BYTES     (MLX5_SEND_WQE_BB << SEND_LOG)
#define END_OF_SCATTER 0x100u

void fill(uint64_t address, size_t length, unsigned int seed)
{
	uint8_t *bytes = machine_at(address);

	srandom(seed);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)random();
}

void cq_create(struct cq *cq, struct nic *nic, unsigned int log)
{
	size_t size = sizeof(struct mlx5_cqe64) << log;
	struct nic_command command;
	uint64_t pages[64];
	uint8_t *context;
	unsigned int count = (unsigned int)((size + PAGE - 1) / PAGE);

	*cq = (struct cq){
		.nic = nic, .log = log, .ring = machine_alloc(size), .doorbell = machine_alloc(PAGE)
	};
	for (unsigned int i = 0; i < 1u << log; i++)
		((struct mlx5_cqe64 *)machine_at(cq->ring))[i].op_own = MLX5_CQE_INVALID << 4 | 1;
	for (unsigned int i = 0; i < count; i++)
		pages[i] = cq->ring + i * PAGE;
	nic_command_begin(&command, CREATE_CQ, create_cq);
	context = ifc_at(create_cq_in, command.in, cq_context);
	ifc_set(cqc, context, log_cq_size, log);
	ifc_set(cqc, context, uar_page, nic->uar);
	ifc_set(cqc, context, c_eqn_or_apu_element, nic->eq);
	ifc_set(cqc, context, dbr_addr, cq->doorbell);
	nic_command_add_pages(&command, pages, count);
	nic_must(nic, &command);
	cq->number = (uint32_t)ifc_get(create_cq_out, command.out, cqn);
}

static const struct mlx5_cqe64 *entry_at(struct cq *cq)
{
	return (struct mlx5_cqe64 *)machine_at(cq->ring) + cq->consumer % (1u << cq->log);
}

static bool is_there(struct cq *cq)
{
	uint8_t op_own = __atomic_load_n(&entry_at(cq)->op_own, __ATOMIC_ACQUIRE);

	return op_own >> 4 != MLX5_CQE_INVALID && (op_own & 1) == (cq->consumer >> cq->log & 1);
}

bool cq_poll(struct cq *cq, struct mlx5_cqe64 *entry)
{
	if (!until(is_there(cq)))
		return false;
	/* Takes the fabric's lock: what the worker did under it, also to a peer, is then seen here,
	 * and ThreadSanitizer knows it. */
	nic_syndrome(cq->nic);
	*entry = *entry_at(cq);
	cq->consumer++;
	put_be32(machine_at(cq->doorbell), cq->consumer & 0xffffff);
	return true;
}

bool cq_is_empty(struct cq *cq)
{
	settle();
	return !is_there(cq);
}

void cq_arm(struct cq *cq, bool solicited)
{
	uint32_t command = (cq->consumer & 0xffffff) | (solicited ? MLX5_CQ_DB_REQ_NOT_SOL : 0);

	nic_write64(cq->nic, nic_uar(cq->nic, MLX5_CQ_DOORBELL),
		    (uint64_t)command << 32 | cq->number);
}

void key_command(struct nic_command *command, const struct nic *nic,
		 const struct key_options *options)
{
	unsigned int log_page = options->log_page ? options->log_page : 12;
	unsigned int entries = options->entries ? options->entries : options->count;
	unsigned int rights = options->rights ? options->rights : ALL_RIGHTS;
	unsigned int octwords = (options->count + 1) / 2;
	uint8_t *context;

	nic_command_begin(command, CREATE_MKEY, create_mkey);
	context = ifc_at(create_mkey_in, command->in, memory_key_mkey_entry);
	ifc_set(mkc, context, access_mode_1_0, MLX5_MKC_ACCESS_MODE_MTT);
	ifc_set(mkc, context, lr, !!(rights & LOCAL_READ));
	ifc_set(mkc, context, lw, !!(rights & LOCAL_WRITE));
	ifc_set(mkc, context, rr, !!(rights & REMOTE_READ));
	ifc_set(mkc, context, rw, !!(rights & REMOTE_WRITE));
	ifc_set(mkc, context, a, !!(rights & REMOTE_ATOMIC));
	ifc_set(mkc, context, pd, options->pd ? options->pd : nic->pd);
	ifc_set(mkc, context, qpn, 0xffffff);
	ifc_set(mkc, context, start_addr, options->start);
	ifc_set(mkc, context, len,
		options->length ? options->length : (uint64_t)options->count << log_page);
	ifc_set(mkc, context, log_page_size, log_page);
	ifc_set(mkc, context, translations_octword_size, (entries + 1) / 2);
	ifc_set(mkc, context, umr_en, options->umr);
	ifc_set(mkc, context, free, options->is_free);
	ifc_set(mkc, context, relaxed_ordering_write, options->relaxed);
	ifc_set(mkc, context, relaxed_ordering_read, options->relaxed);
	ifc_set(mkc, context, pcie_tph_en, options->tph);
	ifc_set(mkc, context, pcie_tph_ph, options->ph);
	ifc_set(mkc, context, pcie_tph_steering_tag_index, options->st_index);
	ifc_set(create_mkey_in, command->in, pg_access, 1);
	ifc_set(create_mkey_in, command->in, translations_octword_actual_size, octwords);
	nic_command_add_pages(command, options->pages, options->count);
	command->in_size += options->count % 2 * 8;
}

uint32_t key_create(struct nic *nic, const struct key_options *options)
{
	struct nic_command command;

	key_command(&command, nic, options);
	nic_must(nic, &command);
	return (uint32_t)ifc_get(create_mkey_out, command.out, mkey_index) << 8;
}

int key_destroy(struct nic *nic, uint32_t key)
{
	struct nic_command command;

	nic_command_begin(&command, DESTROY_MKEY, destroy_mkey);
	ifc_set(destroy_mkey_in, command.in, mkey_index, key >> 8);
	return nic_execute(nic, &command);
}

uint32_t key_for_pages(struct nic *nic, uint64_t address, unsigned int count, uint64_t start)
{
	struct key_options options = { .start = start, .count = count };
	uint64_t pages[256];

	for (unsigned int i = 0; i < count; i++)
		pages[i] = (address + i * PAGE) | MLX5_MTT_READ | MLX5_MTT_WRITE;
	options.pages = pages;
	return key_create(nic, &options);
}

/* @srq: shared receive queue, or NULL; @xrcd: domain of an XRC QP */
static void create_qp(struct qp *qp, struct nic *nic, unsigned int type, struct cq *cq,
		      const uint32_t *srq, uint32_t xrcd)
{
	struct nic_command command;
	uint8_t *context;

	*qp = (struct qp){
		.nic = nic,
		.type = type,
		.cq = cq,
		.ring = machine_alloc(RECEIVE_BYTES + SEND_BYTES),
		.doorbell = machine_alloc(PAGE),
		.access = MLX5_QP_OPTPAR_RWE | MLX5_QP_OPTPAR_RRE | MLX5_QP_OPTPAR_RAE,
		.mtu = 5,
		.not_ready_retry = 6,
		.lid = (uint16_t)(nic - machine.nics + 1),
	};
	nic_command_begin(&command, CREATE_QP, create_qp);
	context = ifc_at(create_qp_in, command.in, qpc);
	ifc_set(qpc, context, st, type);
	ifc_set(qpc, context, pd, nic->pd);
	ifc_set(qpc, context, uar_page, nic->uar);
	ifc_set(qpc, context, cqn_snd, cq->number);
	ifc_set(qpc, context, cqn_rcv, cq->number);
	ifc_set(qpc, context, log_rq_size, RECEIVE_LOG);
	ifc_set(qpc, context, log_rq_stride, STRIDE_LOG - 4);
	if (srq) {
		ifc_set(qpc, context, rq_type, MLX5_SRQ_RQ);
		ifc_set(qpc, context, srqn_rmpn_xrqn, *srq);
	}
	ifc_set(qpc, context, xrcd, xrcd);
	ifc_set(qpc, context, log_sq_size, SEND_LOG);
	ifc_set(qpc, context, dbr_addr, qp->doorbell);
	ifc_set(qpc, context, log_msg_max, 20);
	nic_command_add_pages(&command, &qp->ring, 1);
	nic_must(nic, &command);
	qp->number = (uint32_t)ifc_get(create_qp_out, command.out, qpn);
}

void qp_create(struct qp *qp, struct nic *nic, unsigned int type, struct cq *cq)
{
	create_qp(qp, nic, type, cq, NULL, 0);
}

void qp_create_on_srq(struct qp *qp, struct nic *nic, struct cq *cq, uint32_t srq)
{
	create_qp(qp, nic, MLX5_QPC_ST_RC, cq, &srq, 0);
}

void qp_create_xrc(struct qp *qp, struct nic *nic, struct cq *cq, uint32_t xrcd)
{
	create_qp(qp, nic, MLX5_QPC_ST_XRC, cq, NULL, xrcd);
}

int qp_simple(struct qp *qp, uint16_t opcode)
{
	struct nic_command command;
	int status;

	nic_command_init(&command, opcode, ifc_size(qp_2rst_in), ifc_size(qp_2rst_out));
	ifc_set(qp_2rst_in, command.in, qpn, qp->number);
	status = nic_execute(qp->nic, &command);
	/* Only now: until then a failed queue pair looks at the record to flush. */
	if (opcode == MLX5_CMD_OP_2RST_QP) {
		qp->receive_head = 0;
		qp->send_head = 0;
		memset(machine_at(qp->doorbell), 0, 8);
	}
	return status;
}

int qp_destroy(struct qp *qp)
{
	return qp_simple(qp, MLX5_CMD_OP_DESTROY_QP);
}

static uint8_t *begin_transition(struct nic_command *command, const struct qp *qp, uint16_t opcode,
				 uint32_t optional)
{
	uint8_t *context = ifc_at(rst2init_qp_in, command->in, qpc);

	nic_command_init(command, opcode, ifc_size(rst2init_qp_in), ifc_size(rst2init_qp_out));
	ifc_set(rst2init_qp_in, command->in, qpn, qp->number);
	ifc_set(rst2init_qp_in, command->in, opt_param_mask, optional);
	ifc_set(qpc, context, st, qp->type);
	return context;
}

int qp_init(struct qp *qp)
{
	struct nic_command command;
	uint8_t *context = begin_transition(&command, qp, MLX5_CMD_OP_RST2INIT_QP, 0);

	ifc_set(qpc, context, pd, qp->nic->pd);
	ifc_set(qpc, context, rwe, !!(qp->access & MLX5_QP_OPTPAR_RWE));
	ifc_set(qpc, context, rre, !!(qp->access & MLX5_QP_OPTPAR_RRE));
	ifc_set(qpc, context, rae, !!(qp->access & MLX5_QP_OPTPAR_RAE));
	ifc_set(qpc, context, q_key, QKEY);
	ifc_set(qpc, context, primary_address_path.vhca_port_num, 1);
	return nic_execute(qp->nic, &command);
}

int qp_rtr(struct qp *qp, const struct qp *remote)
{
	struct nic_command command;
	uint8_t *context = begin_transition(&command, qp, MLX5_CMD_OP_INIT2RTR_QP, 0);

	ifc_set(qpc, context, mtu, qp->mtu);
	ifc_set(qpc, context, log_msg_max, 20);
	ifc_set(qpc, context, next_rcv_psn, PSN_FIRST);
	ifc_set(qpc, context, min_rnr_nak, 1);
	if (remote) {
		ifc_set(qpc, context, remote_qpn, remote->number);
		ifc_set(qpc, context, primary_address_path.rlid, remote->lid);
	}
	return nic_execute(qp->nic, &command);
}

int qp_rts(struct qp *qp)
{
	struct nic_command command;
	uint8_t *context = begin_transition(&command, qp, MLX5_CMD_OP_RTR2RTS_QP, 0);

	ifc_set(qpc, context, retry_count, 3);
	ifc_set(qpc, context, rnr_retry, qp->not_ready_retry);
	ifc_set(qpc, context, primary_address_path.ack_timeout, 8);
	ifc_set(qpc, context, next_send_psn, PSN_FIRST + qp->psn_skew);
	return nic_execute(qp->nic, &command);
}

void qp_connect(struct qp *one, struct qp *two)
{
	if (qp_init(one) || (one != two && qp_init(two)) || qp_rtr(one, two) ||
	    (one != two && qp_rtr(two, one)) || qp_rts(one) || (one != two && qp_rts(two)))
		give_up("connecting queue pairs");
}

void qp_reconnect(struct qp *one, struct qp *two)
{
	if (qp_simple(one, MLX5_CMD_OP_2RST_QP) || qp_simple(two, MLX5_CMD_OP_2RST_QP))
		give_up("resetting queue pairs");
	qp_connect(one, two);
}

unsigned int qp_state(struct qp *qp)
{
	struct nic_command command;

	nic_command_begin(&command, QUERY_QP, query_qp);
	ifc_set(query_qp_in, command.in, qpn, qp->number);
	nic_must(qp->nic, &command);
	return (unsigned int)ifc_get(qpc, ifc_at(query_qp_out, command.out, qpc), state);
}

void wqe_begin(struct wqe *wqe, uint8_t opcode, uint8_t flags)
{
	memset(wqe, 0, sizeof(*wqe));
	wqe->size = sizeof(struct mlx5_wqe_ctrl_seg);
	wqe->bytes[3] = opcode;
	wqe->bytes[11] = flags;
}

void wqe_immediate(struct wqe *wqe, uint32_t immediate)
{
	put_be32(wqe->bytes + offsetof(struct mlx5_wqe_ctrl_seg, imm), immediate);
}

void wqe_add(struct wqe *wqe, const void *bytes, size_t size)
{
	memcpy(wqe->bytes + wqe->size, bytes, size);
	wqe->size += size;
}

void wqe_xrc(struct wqe *wqe, uint32_t srqn)
{
	struct mlx5_wqe_xrc_seg segment = { .xrc_srqn = htobe32(srqn) };

	wqe_add(wqe, &segment, sizeof(segment));
}

void wqe_remote(struct wqe *wqe, uint64_t address, uint32_t key)
{
	struct mlx5_wqe_raddr_seg segment = { .raddr = htobe64(address), .rkey = htobe32(key) };

	wqe_add(wqe, &segment, sizeof(segment));
}

void wqe_data(struct wqe *wqe, uint64_t address, uint32_t length, uint32_t key)
{
	struct mlx5_wqe_data_seg segment = {
		.byte_count = htobe32(length),
		.lkey = htobe32(key),
		.addr = htobe64(address),
	};

	wqe_add(wqe, &segment, sizeof(segment));
}

void wqe_inline(struct wqe *wqe, const void *data, uint32_t length)
{
	uint32_t header = htobe32((uint32_t)MLX5_INLINE_SEG | length);

	wqe_add(wqe, &header, sizeof(header));
	wqe_add(wqe, data, length);
	wqe->size = (wqe->size + 15) / 16 * 16;
}

/* The device may look at any time: what the counter tells of is there. */
static void record(struct qp *qp, unsigned int word, uint32_t count)
{
	uint32_t *record = machine_at(qp->doorbell);

	__atomic_store_n(&record[word], htobe32(count), __ATOMIC_RELEASE);
}

void qp_ring_doorbell(struct qp *qp)
{
	nic_write64(qp->nic, nic_uar(qp->nic, MLX5_BF_OFFSET), (uint64_t)qp->number << 8);
}

uint16_t qp_post(struct qp *qp, struct wqe *wqe)
{
	uint16_t index = qp->send_head;
	size_t blocks = (wqe->size + MLX5_SEND_WQE_BB - 1) / MLX5_SEND_WQE_BB;

	put_be32(wqe->bytes, (uint32_t)index << 8 | wqe->bytes[3]);
	put_be32(wqe->bytes + 4, qp->number << 8 | (uint32_t)(wqe->size / 16));
	for (size_t i = 0; i < blocks; i++)
		memcpy((uint8_t *)machine_at(qp->ring) + RECEIVE_BYTES +
			       (index + i) % (1u << SEND_LOG) * MLX5_SEND_WQE_BB,
		       wqe->bytes + i * MLX5_SEND_WQE_BB, MLX5_SEND_WQE_BB);
	qp->send_head = (uint16_t)(qp->send_head + blocks);
	record(qp, MLX5_SND_DBR, qp->send_head);
	qp_ring_doorbell(qp);
	return index;
}

void qp_receive(struct qp *qp, uint64_t address, uint32_t length, uint32_t key)
{
	struct mlx5_wqe_data_seg *segments =
		(void *)((uint8_t *)machine_at(qp->ring) +
			 ((qp->receive_head % (1u << RECEIVE_LOG)) << STRIDE_LOG));

	segments[0] = (struct mlx5_wqe_data_seg){
		.byte_count = htobe32(length),
		.lkey = htobe32(key),
		.addr = htobe64(address),
	};
	segments[1] = (struct mlx5_wqe_data_seg){ .lkey = htobe32(END_OF_SCATTER) };
	qp->receive_head++;
	record(qp, MLX5_RCV_DBR, qp->receive_head);
}

static int complete(struct qp *qp, struct wqe *wqe)
{
	struct mlx5_cqe64 entry;

	qp_post(qp, wqe);
	if (!cq_poll(qp->cq, &entry))
		return -1;
	return cqe_opcode(&entry) == MLX5_CQE_REQ ? 0 : cqe_syndrome(&entry);
}

int qp_write(struct qp *qp, uint64_t from, uint32_t from_key, uint32_t length, uint64_t to,
	     uint32_t to_key)
{
	struct wqe wqe;

	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, to, to_key);
	wqe_data(&wqe, from, length, from_key);
	return complete(qp, &wqe);
}

int qp_read(struct qp *qp, uint64_t to, uint32_t to_key, uint32_t length, uint64_t from,
	    uint32_t from_key)
{
	struct wqe wqe;

	wqe_begin(&wqe, MLX5_OPCODE_RDMA_READ, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, from, from_key);
	wqe_data(&wqe, to, length, to_key);
	return complete(qp, &wqe);
}

int qp_atomic(struct qp *qp, const struct mlx5_wqe_atomic_seg *operands, bool compare_swap,
	      uint64_t to, uint32_t to_key, uint64_t address, uint32_t key)
{
	struct wqe wqe;

	wqe_begin(&wqe, compare_swap ? MLX5_OPCODE_ATOMIC_CS : MLX5_OPCODE_ATOMIC_FA,
		  MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, address, key);
	wqe_add(&wqe, operands, sizeof(*operands));
	wqe_data(&wqe, to, 8, to_key);
	return complete(qp, &wqe);
}

int qp_send(struct qp *qp, uint64_t from, uint32_t from_key, uint32_t length)
{
	struct wqe wqe;

	wqe_begin(&wqe, MLX5_OPCODE_SEND, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_data(&wqe, from, length, from_key);
	return complete(qp, &wqe);
}

void umr_create(struct qp *qp, struct nic *nic, struct cq *cq)
{
	qp_create(qp, nic, MLX5_QPC_ST_REG_UMR, cq);
	if (qp_init(qp) || qp_rtr(qp, NULL) || qp_rts(qp))
		give_up("connecting a UMR queue");
}

void umr_begin(struct wqe *wqe, const struct umr *umr)
{
	struct mlx5_wqe_umr_ctrl_seg control = {
		.flags = umr->flags | MLX5_UMR_INLINE | MLX5_UMR_TRANSLATION_OFFSET_EN,
		.xlt_octowords = htobe16((uint16_t)(umr->count / 2)),
		.xlt_offset = htobe16((uint16_t)(umr->first / 2)),
		.mkey_mask = htobe64(umr->mask),
	};

	wqe_begin(wqe, MLX5_OPCODE_UMR, MLX5_WQE_CTRL_CQ_UPDATE);
	put_be32(wqe->bytes + offsetof(struct mlx5_wqe_ctrl_seg, umr_mkey), umr->key);
	wqe_add(wqe, &control, sizeof(control));
	wqe_add(wqe, umr->context, sizeof(umr->context));
	for (unsigned int i = 0; i < umr->count; i++) {
		uint64_t entry = htobe64(umr->pages[i]);

		wqe_add(wqe, &entry, sizeof(entry));
	}
}

int umr_execute(struct qp *qp, const struct umr *umr)
{
	struct wqe wqe;

	umr_begin(&wqe, umr);
	return complete(qp, &wqe);
}
