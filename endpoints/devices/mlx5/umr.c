// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User-mode memory registration: a work request that changes a memory key.
 *
 * There is no mask bit for the processing hint and steering tag: what CREATE_MKEY set stays for the
 * life of the key.
 */
#include <stdlib.h>

#include "mkey.h"
#include "qp.h"
#include "sg.h"
#include "umr.h"

#define CONTROL_OFFSET sizeof(struct mlx5_wqe_ctrl_seg)
#define CONTEXT_OFFSET (CONTROL_OFFSET + sizeof(struct mlx5_wqe_umr_ctrl_seg))
#define LIST_OFFSET    (CONTEXT_OFFSET + ifc_size(mkc))
#define OCTOWORD       16u
#define ENTRY_SIZE     sizeof(uint64_t)

#define MKEY_MASK_KNOWN                                                                           \
	(MLX5_MKEY_MASK_LEN | MLX5_MKEY_MASK_PAGE_SIZE | MLX5_MKEY_MASK_START_ADDR |              \
	 MLX5_MKEY_MASK_PD | MLX5_MKEY_MASK_EN_RINVAL | MLX5_MKEY_MASK_KEY | MLX5_MKEY_MASK_QPN | \
	 MLX5_MKEY_MASK_LR | MLX5_MKEY_MASK_LW | MLX5_MKEY_MASK_RR | MLX5_MKEY_MASK_RW |          \
	 MLX5_MKEY_MASK_A | MLX5_MKEY_MASK_SMALL_FENCE | MLX5_MKEY_MASK_FREE)

/**
 * struct umr - a work request taken apart
 * @mkey: the key to change
 * @mask: MLX5_MKEY_MASK_*
 * @context: new values
 * @list: page entries, NULL for none
 * @first: number of the first entry that they replace
 * @count: of entries
 */
struct umr {
	struct mlx5_mkey *mkey;
	uint64_t mask;
	const uint8_t *context;
	const uint8_t *list;
	uint64_t first;
	uint64_t count;
};

static void apply_context(uint8_t *to, const uint8_t *from, uint64_t mask)
{
	if (mask & MLX5_MKEY_MASK_LEN) {
		ifc_copy(mkc, to, from, len);
		ifc_copy(mkc, to, from, length64);
	}
	if (mask & MLX5_MKEY_MASK_PAGE_SIZE)
		ifc_copy(mkc, to, from, log_page_size);
	if (mask & MLX5_MKEY_MASK_START_ADDR)
		ifc_copy(mkc, to, from, start_addr);
	if (mask & MLX5_MKEY_MASK_PD)
		ifc_copy(mkc, to, from, pd);
	if (mask & MLX5_MKEY_MASK_EN_RINVAL)
		ifc_copy(mkc, to, from, en_rinval);
	if (mask & MLX5_MKEY_MASK_KEY)
		ifc_copy(mkc, to, from, mkey_7_0);
	if (mask & MLX5_MKEY_MASK_QPN)
		ifc_copy(mkc, to, from, qpn);
	if (mask & MLX5_MKEY_MASK_LR)
		ifc_copy(mkc, to, from, lr);
	if (mask & MLX5_MKEY_MASK_LW)
		ifc_copy(mkc, to, from, lw);
	if (mask & MLX5_MKEY_MASK_RR)
		ifc_copy(mkc, to, from, rr);
	if (mask & MLX5_MKEY_MASK_RW)
		ifc_copy(mkc, to, from, rw);
	if (mask & MLX5_MKEY_MASK_A)
		ifc_copy(mkc, to, from, a);
	if (mask & MLX5_MKEY_MASK_FREE)
		ifc_copy(mkc, to, from, free);
}

static bool may_change(const struct mlx5_qp *qp, const struct mlx5_mkey *mkey,
		       const struct umr *umr, uint8_t flags)
{
	bool is_free = ifc_get(mkc, mkey->context, free);

	/* Only queues of the kernel may register memory. */
	if (qp->type != MLX5_QPC_ST_REG_UMR && !ifc_get(qpc, qp->context, fre))
		return false;
	if (!ifc_get(mkc, mkey->context, umr_en) || umr->mask & ~(uint64_t)MKEY_MASK_KNOWN)
		return false;
	if ((flags & MLX5_UMR_CHECK_FREE && is_free) ||
	    (flags & MLX5_UMR_CHECK_NOT_FREE && !is_free))
		return false;
	return !(umr->mask & MLX5_MKEY_MASK_PAGE_SIZE) || !mkey->entries ||
	       ifc_get(mkc, umr->context, log_page_size) >= MLX5_ADAPTER_PAGE_SHIFT;
}

/* A list outside the work request. Return: what its gathering came to. */
static enum mlx5_memory_result fetch_list(struct mlx5 *dev, const struct mlx5_qp *qp, uint8_t *list,
					  uint64_t size)
{
	const struct mlx5_requester *requester = &qp->requester;
	struct mlx5_sg sg = {
		.segments = requester->wqe + LIST_OFFSET,
		.size = requester->size - LIST_OFFSET,
		.pd = mlx5_qp_pd(qp),
		.access = MLX5_ACCESS_LOCAL_READ,
	};
	uint64_t length;

	if (!mlx5_sg_length(&sg, &length) || length < size)
		return MLX5_MEMORY_DENIED;
	return mlx5_sg_read(dev, &sg, 0, list, size);
}

static uint8_t change_key(struct mlx5_qp *qp, struct umr *umr, uint8_t flags)
{
	if (!may_change(qp, umr->mkey, umr, flags))
		return MLX5_CQE_SYNDROME_MW_BIND_ERR;
	if (umr->list && !mlx5_mkey_load(umr->mkey, umr->first, umr->list, umr->count))
		return MLX5_CQE_SYNDROME_MW_BIND_ERR;
	apply_context(umr->mkey->context, umr->context, umr->mask);
	return 0;
}

/* Entries come in whole octowords of 64 bytes; those beyond the end of the key's list are padding.
 */
static void trim_list(struct umr *umr)
{
	uint64_t room = umr->first < umr->mkey->entries ? umr->mkey->entries - umr->first : 0;
	uint64_t padding = 64 / ENTRY_SIZE - 1;

	if (umr->count > room && umr->count - room <= padding)
		umr->count = room;
}

uint8_t mlx5_umr_execute(struct mlx5 *dev, struct mlx5_qp *qp)
{
	const struct mlx5_requester *requester = &qp->requester;
	const uint8_t *control = requester->wqe + CONTROL_OFFSET;
	enum mlx5_memory_result result = MLX5_MEMORY_OK;
	uint8_t *fetched = NULL;
	struct umr umr = { 0 };
	uint8_t syndrome, flags;
	uint64_t size;

	if (requester->size < LIST_OFFSET)
		return MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR;
	umr.mkey = mlx5_mkey_get(
		dev, get_be32(requester->wqe + offsetof(struct mlx5_wqe_ctrl_seg, umr_mkey)) >> 8);
	if (!umr.mkey)
		return MLX5_CQE_SYNDROME_MW_BIND_ERR;
	flags = control[offsetof(struct mlx5_wqe_umr_ctrl_seg, flags)];
	umr.mask = get_be64(control + offsetof(struct mlx5_wqe_umr_ctrl_seg, mkey_mask));
	umr.context = requester->wqe + CONTEXT_OFFSET;
	size = get_be16(control + offsetof(struct mlx5_wqe_umr_ctrl_seg, xlt_octowords)) *
	       (uint64_t)OCTOWORD;
	umr.count = size / ENTRY_SIZE;
	if (flags & MLX5_UMR_TRANSLATION_OFFSET_EN) {
		umr.first = (uint64_t)get_be32(control + offsetof(struct mlx5_wqe_umr_ctrl_seg,
								  xlt_offset_47_16))
			    << 16;
		umr.first |= get_be16(control + offsetof(struct mlx5_wqe_umr_ctrl_seg, xlt_offset));
		umr.first *= OCTOWORD / ENTRY_SIZE;
	}
	if (flags & MLX5_UMR_INLINE) {
		if (size > requester->size - LIST_OFFSET)
			return MLX5_CQE_SYNDROME_LOCAL_QP_OP_ERR;
		umr.list = requester->wqe + LIST_OFFSET;
	} else if (size) {
		fetched = malloc(size);
		if (!fetched)
			return MLX5_CQE_SYNDROME_MW_BIND_ERR;
		result = fetch_list(dev, qp, fetched, size);
		umr.list = fetched;
	}
	trim_list(&umr);
	syndrome = result ? MLX5_CQE_SYNDROME_LOCAL_PROT_ERR : change_key(qp, &umr, flags);
	free(fetched);
	return syndrome;
}
