// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory keys as objects: commands and page entries.
 */
#include <stdlib.h>

#include "command.h"
#include "mkey.h"
#include "pcie/device_model.h"

#define ENTRY_SIZE	    sizeof(uint64_t)
#define ENTRIES_PER_OCTWORD 2u

struct mlx5_mkey *mlx5_mkey_get(struct mlx5 *dev, uint32_t index)
{
	return mlx5_table_get(&dev->mkeys, index);
}

bool mlx5_mkey_load(struct mlx5_mkey *mkey, uint64_t first, const uint8_t *list, uint64_t count)
{
	if (first > mkey->entries || count > mkey->entries - first)
		return false;
	for (uint64_t i = 0; i < count; i++)
		mkey->mtt[first + i] = get_be64(list + i * ENTRY_SIZE);
	return true;
}

static unsigned int access_mode(const uint8_t *context)
{
	return (unsigned int)(ifc_get(mkc, context, access_mode_4_2) << 2 |
			      ifc_get(mkc, context, access_mode_1_0));
}

/* In index mode the tag is an entry of the table; a field of 8 bits can name one that is not there.
 */
static bool tag_exists(struct mlx5 *dev, const uint8_t *context)
{
	unsigned int entries = tph_cap_entries(pci_function_config(dev->fn));

	return !ifc_get(mkc, context, pcie_tph_en) || !entries ||
	       ifc_get(mkc, context, pcie_tph_steering_tag_index) < entries;
}

/* A list in the command fills the entries from the first one; without access bits of its own each
 * page allows everything. */
static bool load_from_command(struct mlx5_mkey *mkey, const struct mlx5_command *command)
{
	uint64_t octwords = ifc_get(create_mkey_in, command->in, translations_octword_actual_size);
	const uint8_t *list = command->in + ifc_size(create_mkey_in);
	uint64_t count = octwords * ENTRIES_PER_OCTWORD;

	if (count * ENTRY_SIZE > command->in_size - ifc_size(create_mkey_in) ||
	    !mlx5_mkey_load(mkey, 0, list, count))
		return false;
	if (!ifc_get(create_mkey_in, command->in, pg_access)) {
		for (uint64_t i = 0; i < count; i++)
			mkey->mtt[i] |= MLX5_MTT_READ | MLX5_MTT_WRITE;
	}
	return true;
}

static uint8_t check_context(struct mlx5 *dev, const struct mlx5_command *command,
			     const uint8_t *context)
{
	unsigned int mode = access_mode(context);

	if (ifc_get(create_mkey_in, command->in, mkey_umem_valid) ||
	    ifc_get(create_mkey_in, command->in, data_direct) ||
	    (mode != MLX5_MKC_ACCESS_MODE_PA && mode != MLX5_MKC_ACCESS_MODE_MTT) ||
	    ifc_get(mkc, context, bsf_en) || ifc_get(mkc, context, ma_translation_mode) ||
	    !tag_exists(dev, context))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (!mlx5_table_get(&dev->pds, ifc_get(mkc, context, pd)))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (mode == MLX5_MKC_ACCESS_MODE_MTT &&
	    ifc_get(mkc, context, log_page_size) < MLX5_ADAPTER_PAGE_SHIFT)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	return MLX5_CMD_STAT_OK;
}

static void mkey_discard(struct mlx5 *dev, struct mlx5_mkey *mkey)
{
	dev->translations -= mkey->entries;
	free(mkey->mtt);
	free(mkey);
}

static uint8_t mkey_create(struct mlx5 *dev, struct mlx5_command *command)
{
	const uint8_t *context = ifc_at(create_mkey_in, command->in, memory_key_mkey_entry);
	uint64_t entries = 0;
	struct mlx5_mkey *mkey;
	uint8_t status;

	status = check_context(dev, command, context);
	if (status)
		return status;
	if (access_mode(context) == MLX5_MKC_ACCESS_MODE_MTT)
		entries = ifc_get(mkc, context, translations_octword_size) * ENTRIES_PER_OCTWORD;
	if (entries > MLX5_TRANSLATIONS_MAX - dev->translations)
		return MLX5_CMD_STAT_LIM_ERR;
	mkey = calloc(1, sizeof(*mkey));
	if (!mkey)
		return MLX5_CMD_STAT_NO_RES_ERR;
	mkey->mtt = calloc(entries + 1, sizeof(*mkey->mtt));
	if (!mkey->mtt) {
		free(mkey);
		return MLX5_CMD_STAT_NO_RES_ERR;
	}
	mkey->entries = (uint32_t)entries;
	dev->translations += entries;
	memcpy(mkey->context, context, sizeof(mkey->context));
	if (!load_from_command(mkey, command)) {
		mkey_discard(dev, mkey);
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	if (mlx5_table_add(&dev->mkeys, mkey, &mkey->index)) {
		mkey_discard(dev, mkey);
		return MLX5_CMD_STAT_LIM_ERR;
	}
	ifc_set(create_mkey_out, command->out, mkey_index, mkey->index);
	return MLX5_CMD_STAT_OK;
}

void mlx5_mkey_destroy(struct mlx5 *dev, struct mlx5_mkey *mkey)
{
	mlx5_table_remove(&dev->mkeys, mkey->index);
	mkey_discard(dev, mkey);
}

static uint8_t mkey_destroy(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_mkey *mkey =
		mlx5_mkey_get(dev, (uint32_t)ifc_get(destroy_mkey_in, command->in, mkey_index));

	if (!mkey)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	mlx5_mkey_destroy(dev, mkey);
	return MLX5_CMD_STAT_OK;
}

static uint8_t mkey_query(struct mlx5 *dev, struct mlx5_command *command)
{
	struct mlx5_mkey *mkey =
		mlx5_mkey_get(dev, (uint32_t)ifc_get(query_mkey_in, command->in, mkey_index));

	if (!mkey)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	memcpy(ifc_at(query_mkey_out, command->out, memory_key_mkey_entry), mkey->context,
	       sizeof(mkey->context));
	return MLX5_CMD_STAT_OK;
}

const struct mlx5_command_type mlx5_mkey_commands[] = {
	MLX5_COMMAND(CREATE_MKEY, INITIALIZED, create_mkey, mkey_create),
	MLX5_COMMAND(DESTROY_MKEY, INITIALIZED, destroy_mkey, mkey_destroy),
	MLX5_COMMAND(QUERY_MKEY, INITIALIZED, query_mkey, mkey_query),
	{ 0 },
};
