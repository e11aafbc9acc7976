// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accesses to memory through memory keys.
 */
#include <errno.h>

#include "dma.h"
#include "memory.h"
#include "mkey.h"
#include "pcie/device_model.h"

#define PAGE_ADDRESS_MASK (~(uint64_t)(MLX5_ADAPTER_PAGE_SIZE - 1))

static bool key_allows(const uint8_t *context, enum mlx5_access access)
{
	return !((access & MLX5_ACCESS_LOCAL_READ && !ifc_get(mkc, context, lr)) ||
		 (access & MLX5_ACCESS_LOCAL_WRITE && !ifc_get(mkc, context, lw)) ||
		 (access & MLX5_ACCESS_REMOTE_READ && !ifc_get(mkc, context, rr)) ||
		 (access & MLX5_ACCESS_REMOTE_WRITE && !ifc_get(mkc, context, rw)) ||
		 (access & MLX5_ACCESS_REMOTE_ATOMIC && !ifc_get(mkc, context, a)));
}

static bool key_covers(const uint8_t *context, uint64_t address, uint64_t len)
{
	uint64_t start = ifc_get(mkc, context, start_addr);
	uint64_t size = ifc_get(mkc, context, len);
	uint64_t end;

	if (__builtin_add_overflow(address, len, &end) || address < start)
		return false;
	if (ifc_get(mkc, context, length64))
		return true;
	return address - start <= size && len <= size - (address - start);
}

static bool is_physical(const struct mlx5_mkey *mkey)
{
	return ifc_get(mkc, mkey->context, access_mode_1_0) == MLX5_MKC_ACCESS_MODE_PA;
}

static struct mlx5_mkey *find_key(struct mlx5 *dev, const struct mlx5_region *region, uint64_t len)
{
	struct mlx5_mkey *mkey = mlx5_mkey_get(dev, region->key >> 8);

	if (!mkey || ifc_get(mkc, mkey->context, free) ||
	    ifc_get(mkc, mkey->context, mkey_7_0) != (region->key & 0xff) ||
	    ifc_get(mkc, mkey->context, pd) != region->pd ||
	    !key_allows(mkey->context, region->access) ||
	    !key_covers(mkey->context, region->address, len))
		return NULL;
	return mkey;
}

bool mlx5_memory_allowed(struct mlx5 *dev, const struct mlx5_region *region, uint64_t len)
{
	return !len || find_key(dev, region, len);
}

/* Bus address of one byte and how many bytes follow it in its page. Entry 0 is the page with the
 * key's first address. */
static enum mlx5_memory_result key_translate(const struct mlx5_mkey *mkey, uint64_t address,
					     enum mlx5_access access, uint64_t *bus, uint64_t *left)
{
	uint64_t needed = access & MLX5_ACCESS_WRITES ? MLX5_MTT_WRITE : MLX5_MTT_READ;
	unsigned int shift;
	uint64_t number;

	if (is_physical(mkey)) {
		*bus = address;
		*left = UINT64_MAX;
		return MLX5_MEMORY_OK;
	}
	shift = (unsigned int)ifc_get(mkc, mkey->context, log_page_size);
	number = (address >> shift) - (ifc_get(mkc, mkey->context, start_addr) >> shift);
	if (number >= mkey->entries)
		return MLX5_MEMORY_DENIED;
	if (!(mkey->mtt[number] & needed))
		return MLX5_MEMORY_ABSENT;
	*bus = (mkey->mtt[number] & PAGE_ADDRESS_MASK) + (address & ((1ull << shift) - 1));
	*left = (1ull << shift) - (address & ((1ull << shift) - 1));
	return MLX5_MEMORY_OK;
}

static enum mlx5_memory_result check_pages(const struct mlx5_mkey *mkey,
					   const struct mlx5_region *region, uint64_t len)
{
	for (uint64_t done = 0; done < len;) {
		enum mlx5_memory_result result;
		uint64_t bus, left;

		result = key_translate(mkey, region->address + done, region->access, &bus, &left);
		if (result)
			return result;
		done = left > len - done ? len : done + left;
	}
	return MLX5_MEMORY_OK;
}

enum mlx5_memory_result mlx5_memory_check(struct mlx5 *dev, const struct mlx5_region *region,
					  uint64_t len)
{
	struct mlx5_mkey *mkey;

	if (!len)
		return MLX5_MEMORY_OK;
	mkey = find_key(dev, region, len);
	return mkey ? check_pages(mkey, region, len) : MLX5_MEMORY_DENIED;
}

/* Writes carry the hint of their key; whether reads of the hardware do is not known. */
static struct tlp_properties mkey_write_properties(struct mlx5 *dev, const struct mlx5_mkey *mkey)
{
	struct tlp_properties properties = { 0 };

	if (ifc_get(mkc, mkey->context, relaxed_ordering_write))
		properties.attributes = TLP_RELAXED_ORDERING;
	if (ifc_get(mkc, mkey->context, pcie_tph_en))
		properties.hint = tph_cap_hint(
			pci_function_config(dev->fn),
			(unsigned int)ifc_get(mkc, mkey->context, pcie_tph_ph),
			(unsigned int)ifc_get(mkc, mkey->context, pcie_tph_steering_tag_index));
	return properties;
}

static struct tlp_properties mkey_read_properties(const struct mlx5_mkey *mkey)
{
	struct tlp_properties properties = { 0 };

	if (ifc_get(mkc, mkey->context, relaxed_ordering_read))
		properties.attributes = TLP_RELAXED_ORDERING;
	return properties;
}

static enum mlx5_memory_result memory_transfer(struct mlx5 *dev, const struct mlx5_region *region,
					       uint8_t *to, const uint8_t *from, size_t len)
{
	struct mlx5_mkey *mkey = find_key(dev, region, len);
	struct tlp_properties properties;
	enum mlx5_memory_result result;

	result = mkey ? check_pages(mkey, region, len) : MLX5_MEMORY_DENIED;
	if (result)
		return result;
	properties = to ? mkey_read_properties(mkey) : mkey_write_properties(dev, mkey);
	for (size_t done = 0; done < len;) {
		uint64_t bus, left;
		int ret;

		result = key_translate(mkey, region->address + done, region->access, &bus, &left);
		if (result)
			return result;
		if (left > len - done)
			left = len - done;
		ret = to ? mlx5_dma_read(dev, bus, to + done, left, &properties)
			 : mlx5_dma_write(dev, bus, from + done, left, &properties);
		if (ret)
			return ret == -ECANCELED ? MLX5_MEMORY_STOPPED : MLX5_MEMORY_BUS_ERROR;
		done += left;
	}
	return MLX5_MEMORY_OK;
}

enum mlx5_memory_result mlx5_memory_read(struct mlx5 *dev, const struct mlx5_region *region,
					 void *to, size_t len)
{
	return len ? memory_transfer(dev, region, to, NULL, len) : MLX5_MEMORY_OK;
}

enum mlx5_memory_result mlx5_memory_write(struct mlx5 *dev, const struct mlx5_region *region,
					  const void *from, size_t len)
{
	return len ? memory_transfer(dev, region, NULL, from, len) : MLX5_MEMORY_OK;
}

/* Without AtomicOps: by a read and a write. */
static int atomic_in_steps(struct mlx5 *dev, uint64_t bus, const struct mlx5_atomic *atomic,
			   const struct tlp_properties *properties, uint64_t *before)
{
	uint8_t word[IB_ATOMIC_SIZE];
	int ret;

	ret = mlx5_dma_read(dev, bus, word, sizeof(word), NULL);
	if (ret)
		return ret;
	*before = get_le64(word);
	if (!atomic->compare_swap)
		put_le64(word, *before + atomic->swap_add);
	else if (*before == atomic->compare)
		put_le64(word, atomic->swap_add);
	return mlx5_dma_write(dev, bus, word, sizeof(word), properties);
}

enum mlx5_memory_result mlx5_memory_atomic(struct mlx5 *dev, const struct mlx5_region *region,
					   const struct mlx5_atomic *atomic, uint64_t *before)
{
	struct mlx5_mkey *mkey = find_key(dev, region, IB_ATOMIC_SIZE);
	struct tlp_properties properties;
	enum mlx5_memory_result result;
	uint64_t bus, left;
	int ret;

	if (!mkey)
		return MLX5_MEMORY_DENIED;
	result = key_translate(mkey, region->address, region->access, &bus, &left);
	if (result)
		return result;
	ret = mlx5_dma_atomic(dev, bus, atomic, before);
	if (ret == -EOPNOTSUPP) {
		properties = mkey_write_properties(dev, mkey);
		ret = atomic_in_steps(dev, bus, atomic, &properties, before);
	}
	if (ret)
		return ret == -ECANCELED ? MLX5_MEMORY_STOPPED : MLX5_MEMORY_BUS_ERROR;
	return MLX5_MEMORY_OK;
}
