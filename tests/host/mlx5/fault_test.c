// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page faults: the event, what waits meanwhile, going on and giving up.
 */
#include "tap.h"
#include "devices/mlx5/mkey.h"
#include "verbs.h"

#define COUNT 4u
#define SIZE  (COUNT * PAGE)

static struct nic *nic = &machine.nics[0];
static struct cq cq;
static struct qp one, two, registrar;
static uint64_t from, to;

static uint32_t absent_key(void)
{
	return key_create(nic,
			  &(struct key_options){ .entries = COUNT, .umr = true, .length = SIZE });
}

static void bring(uint32_t key, uint64_t memory)
{
	uint64_t pages[COUNT];

	for (unsigned int i = 0; i < COUNT; i++)
		pages[i] = (memory + i * PAGE) | MLX5_MTT_READ | MLX5_MTT_WRITE;
	if (umr_execute(&registrar, &(struct umr){ .key = key, .pages = pages, .count = COUNT }))
		give_up("bringing pages");
}

static void zap(uint32_t key)
{
	const uint64_t none[COUNT] = { 0 };

	if (umr_execute(&registrar, &(struct umr){ .key = key, .pages = none, .count = COUNT }))
		give_up("taking pages away");
}

static int resume(uint32_t token, bool error)
{
	struct nic_command command;
	uint8_t *info =
		ifc_at(page_fault_resume_in, command.in, page_fault_info.trans_page_fault_info);

	nic_command_begin(&command, PAGE_FAULT_RESUME, page_fault_resume);
	ifc_set(trans_page_fault_info, info, fault_token, token);
	ifc_set(trans_page_fault_info, info, error, error);
	return nic_execute(nic, &command);
}

static void post(uint8_t opcode, uint64_t local, uint32_t local_key, uint64_t remote,
		 uint32_t remote_key)
{
	struct wqe wqe;

	wqe_begin(&wqe, opcode, MLX5_WQE_CTRL_CQ_UPDATE);
	if (opcode != MLX5_OPCODE_SEND)
		wqe_remote(&wqe, remote, remote_key);
	wqe_data(&wqe, local, SIZE, local_key);
	qp_post(&one, &wqe);
}

/* The fault of an access to remote memory; returns its token. */
static uint32_t take_rdma_fault(uint32_t key, uint32_t committed, uint32_t length,
				unsigned int type)
{
	struct mlx5_eqe event;
	uint32_t word;

	if (!nic_event(nic, &event))
		return 0;
	nic_arm_events(nic);
	word = be32toh(event.data.page_fault.rdma.pftype_token);
	is_int(event.type, MLX5_EVENT_TYPE_PAGE_FAULT, "an event");
	is_int(event.sub_type, MLX5_PFAULT_SUBTYPE_RDMA, "of a remote access");
	is_hex(be32toh(event.data.page_fault.rdma.r_key), key, "key");
	is_int(be32toh(event.data.page_fault.rdma.bytes_committed), committed, "bytes done");
	is_int(be32toh(event.data.page_fault.rdma.rdma_op_len), length, "bytes of the message");
	is_hex(word >> 24, type, "type");
	return word & 0xffffff;
}

static uint32_t take_write_fault(uint32_t key, uint32_t committed)
{
	return take_rdma_fault(key, committed, SIZE, MLX5_PFAULT_RDMA | MLX5_PFAULT_WRITE);
}

static uint32_t take_wqe_fault(uint32_t number, unsigned int type, uint32_t committed)
{
	struct mlx5_eqe event;
	uint32_t word;

	if (!nic_event(nic, &event))
		return 0;
	nic_arm_events(nic);
	word = be32toh(event.data.page_fault.wqe.pftype_wq);
	is_int(event.sub_type, MLX5_PFAULT_SUBTYPE_WQE, "an event of a work request");
	is_hex(word, type << 24 | number, "type and queue pair");
	is_int(be32toh(event.data.page_fault.wqe.bytes_committed), committed, "bytes done");
	return be32toh(event.data.page_fault.wqe.token);
}

static bool completes(unsigned int opcode)
{
	struct mlx5_cqe64 entry;

	return cq_poll(&cq, &entry) && cqe_opcode(&entry) == opcode;
}

static bool succeeds(void)
{
	return completes(MLX5_CQE_REQ);
}

static int take_syndrome(void)
{
	struct mlx5_cqe64 entry;

	return cq_poll(&cq, &entry) ? cqe_syndrome(&entry) : -1;
}

static void remote_write(void)
{
	uint32_t key = absent_key();
	uint32_t token;

	post(MLX5_OPCODE_RDMA_WRITE, from, nic->key, 0, key);
	token = take_write_fault(key, 0);
	ok(cq_is_empty(&cq), "the message waits");
	bring(key, to);
	ok(cq_is_empty(&cq), "until it is told");
	is_int(resume(token, false), MLX5_CMD_STAT_OK, "resumed");
	ok(succeeds(), "and done");
	is_int(resume(token, false), MLX5_CMD_STAT_OK, "resumed once more");
	is_int(resume(token, true), MLX5_CMD_STAT_OK, "and given up");
	is_int(qp_state(&two), MLX5_QPC_STATE_RTS, "a token counts once");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");
	/* Taken away: the next message faults again. */
	zap(key);
	post(MLX5_OPCODE_RDMA_WRITE, from, nic->key, 0, key);
	token = take_write_fault(key, 0);
	is_int(resume(token, false), MLX5_CMD_STAT_OK, "resumed without pages");
	token = take_write_fault(key, 0);
	is_int(resume(token, true), MLX5_CMD_STAT_OK, "given up");
	is_int(take_syndrome(), MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR, "the requester hears it");
	is_int(qp_state(&two), MLX5_QPC_STATE_ERR, "responder");
	is_int(nic_state(nic, MLX5_STATE_PAGE_FAULT_ERRORS), 1, "counted");
	is_int(resume(token, false), MLX5_CMD_STAT_OK, "a token that is used up");
	is_int(resume(0, false), MLX5_CMD_STAT_BAD_PARAM_ERR, "no token");
	nic->eq_consumer++; /* the event of the access error */
	nic_arm_events(nic);
	qp_reconnect(&one, &two);
}

/* A packet is written as a whole or not at all, and not through pages that may only be read. */
static void whole_packets(void)
{
	const uint64_t half[COUNT] = { to | 3, 0, 0, 0 };
	const uint64_t read_only[COUNT] = { to | MLX5_MTT_READ, to | MLX5_MTT_READ };
	uint32_t key = absent_key();
	struct umr umr = { .key = key, .pages = half, .count = COUNT };
	struct mlx5_cqe64 entry;
	struct wqe wqe;
	uint32_t token;

	memset(machine_at(to), 0, SIZE);
	if (umr_execute(&registrar, &umr))
		give_up("bringing a page");
	wqe_begin(&wqe, MLX5_OPCODE_RDMA_WRITE, MLX5_WQE_CTRL_CQ_UPDATE);
	wqe_remote(&wqe, PAGE - 100, key);
	wqe_data(&wqe, from, 200, nic->key);
	qp_post(&one, &wqe);
	token = take_rdma_fault(key, 0, 200, MLX5_PFAULT_RDMA | MLX5_PFAULT_WRITE);
	is_int(((uint8_t *)machine_at(to))[PAGE - 100], 0, "nothing of the packet is written");
	bring(key, to);
	resume(token, false);
	ok(succeeds(), "then all of it");
	is_mem((uint8_t *)machine_at(to) + PAGE - 100, machine_at(from), 200, "data");
	umr.pages = read_only;
	if (umr_execute(&registrar, &umr))
		give_up("bringing pages to read");
	memset(machine_at(to), 0, SIZE);
	qp_post(&one, &wqe);
	token = take_rdma_fault(key, 0, 200, MLX5_PFAULT_RDMA | MLX5_PFAULT_WRITE);
	is_int(((uint8_t *)machine_at(to))[PAGE - 100], 0, "nothing through pages to read");
	resume(token, true);
	ok(cq_poll(&cq, &entry) && cqe_syndrome(&entry) == MLX5_CQE_SYNDROME_REMOTE_ACCESS_ERR,
	   "given up");
	nic->eq_consumer++; /* the event of the access error */
	nic_arm_events(nic);
	qp_reconnect(&one, &two);
}

/* Pages go missing in the middle of a message. */
static void middle(void)
{
	const uint64_t pages[COUNT] = { to | 3, (to + PAGE) | 3, 0, 0 };
	uint32_t key = absent_key();
	uint32_t token;

	if (umr_execute(&registrar, &(struct umr){ .key = key, .pages = pages, .count = COUNT }))
		give_up("bringing two pages");
	memset(machine_at(to), 0, SIZE);
	post(MLX5_OPCODE_RDMA_WRITE, from, nic->key, 0, key);
	token = take_write_fault(key, 2 * PAGE);
	bring(key, to);
	resume(token, false);
	ok(succeeds(), "done");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");
	zap(key);
	post(MLX5_OPCODE_RDMA_READ, to, nic->key, 0, key);
	token = take_rdma_fault(key, 0, PAGE, MLX5_PFAULT_RDMA); /* asked for by packet */
	bring(key, from);
	memset(machine_at(to), 0, SIZE);
	resume(token, false);
	ok(succeeds(), "a read");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");
}

static void local(void)
{
	uint32_t key = absent_key();
	uint32_t token;

	post(MLX5_OPCODE_RDMA_WRITE, 0, key, to, nic->key);
	token = take_wqe_fault(one.number, MLX5_WQE_PF_TYPE_REQ_SEND_OR_WRITE, 0);
	bring(key, from);
	resume(token, false);
	ok(succeeds(), "a write from absent memory");
	resume(token, true);
	is_int(qp_state(&one), MLX5_QPC_STATE_RTS, "its token counts once");
	zap(key);
	post(MLX5_OPCODE_RDMA_READ, 0, key, from, nic->key);
	token = take_wqe_fault(one.number, MLX5_WQE_PF_TYPE_REQ_READ_OR_ATOMIC, 0);
	bring(key, to);
	memset(machine_at(to), 0, SIZE);
	resume(token, false);
	ok(succeeds(), "a read to absent memory");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");
	zap(key);
	qp_receive(&two, 0, SIZE, key);
	post(MLX5_OPCODE_SEND, from, nic->key, 0, 0);
	token = take_wqe_fault(two.number, MLX5_WQE_PF_TYPE_RESP, 0);
	bring(key, to);
	memset(machine_at(to), 0, SIZE);
	resume(token, false);
	ok(completes(MLX5_CQE_RESP_SEND), "a send to absent memory");
	ok(succeeds(), "done");
	is_mem(machine_at(to), machine_at(from), SIZE, "data");
	zap(key);
	post(MLX5_OPCODE_RDMA_WRITE, 0, key, to, nic->key);
	token = take_wqe_fault(one.number, MLX5_WQE_PF_TYPE_REQ_SEND_OR_WRITE, 0);
	resume(token, true);
	is_int(take_syndrome(), MLX5_CQE_SYNDROME_LOCAL_PROT_ERR, "given up");
	qp_reconnect(&one, &two);
}

/* What waits when a queue pair goes. */
static void gone(void)
{
	uint32_t key = absent_key();
	uint32_t token;

	post(MLX5_OPCODE_RDMA_WRITE, from, nic->key, 0, key);
	token = take_write_fault(key, 0);
	qp_simple(&two, MLX5_CMD_OP_2RST_QP);
	is_int(take_syndrome(), MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR,
	       "the requester gives up when the responder is reset");
	is_int(resume(token, false), MLX5_CMD_STAT_OK, "resumed too late");
	qp_reconnect(&one, &two);
	is_int(qp_write(&one, from, nic->key, 64, to, nic->key), 0, "works again");
}

/* The same when the responder fails: what it holds is lost, and a resume changes nothing. */
static void failed(void)
{
	uint32_t key = absent_key();
	uint32_t token;

	post(MLX5_OPCODE_RDMA_WRITE, from, nic->key, 0, key);
	token = take_write_fault(key, 0);
	bring(key, to);
	memset(machine_at(to), 0, SIZE);
	qp_simple(&two, MLX5_CMD_OP_2ERR_QP);
	is_int(take_syndrome(), MLX5_CQE_SYNDROME_TRANSPORT_RETRY_EXC_ERR,
	       "the requester gives up when the responder has failed");
	is_int(resume(token, false), MLX5_CMD_STAT_OK, "resumed after the queue pair has failed");
	is_int(((uint8_t *)machine_at(to))[0], 0, "nothing was written");
	qp_reconnect(&one, &two);
	is_int(qp_write(&one, from, nic->key, 64, to, nic->key), 0, "works again");
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
	from = machine_alloc(SIZE);
	to = machine_alloc(SIZE);
	fill(from, SIZE, 1);
	remote_write();
	whole_packets();
	middle();
	local();
	gone();
	failed();
	machine_teardown();
	return done_testing();
}
