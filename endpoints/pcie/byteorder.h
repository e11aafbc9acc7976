/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversions between host byte order and the little-endian and big-endian types of
 * <linux/types.h>, so that sparse finds a value that was taken for one of the other kind.
 */
#ifndef TPHBUF_BYTEORDER_H
#define TPHBUF_BYTEORDER_H

#include <endian.h>
#include <linux/types.h>
#include <stdint.h>
#include <string.h>

#ifdef __CHECKER__
#define BYTEORDER_FORCE __attribute__((force))
#else
#define BYTEORDER_FORCE
#endif

static inline __le16 cpu_to_le16(uint16_t value)
{
	return (BYTEORDER_FORCE __le16)htole16(value);
}

static inline __le32 cpu_to_le32(uint32_t value)
{
	return (BYTEORDER_FORCE __le32)htole32(value);
}

static inline __le64 cpu_to_le64(uint64_t value)
{
	return (BYTEORDER_FORCE __le64)htole64(value);
}

static inline __be32 cpu_to_be32(uint32_t value)
{
	return (BYTEORDER_FORCE __be32)htobe32(value);
}

static inline __be64 cpu_to_be64(uint64_t value)
{
	return (BYTEORDER_FORCE __be64)htobe64(value);
}

static inline uint16_t le16_to_cpu(__le16 value)
{
	return le16toh((BYTEORDER_FORCE uint16_t)value);
}

static inline uint32_t le32_to_cpu(__le32 value)
{
	return le32toh((BYTEORDER_FORCE uint32_t)value);
}

static inline uint64_t le64_to_cpu(__le64 value)
{
	return le64toh((BYTEORDER_FORCE uint64_t)value);
}

static inline uint16_t be16_to_cpu(__be16 value)
{
	return be16toh((BYTEORDER_FORCE uint16_t)value);
}

static inline uint32_t be32_to_cpu(__be32 value)
{
	return be32toh((BYTEORDER_FORCE uint32_t)value);
}

static inline uint64_t be64_to_cpu(__be64 value)
{
	return be64toh((BYTEORDER_FORCE uint64_t)value);
}

/* Values in bytes of any alignment */

static inline uint16_t get_le16(const void *bytes)
{
	__le16 value;

	memcpy(&value, bytes, sizeof(value));
	return le16_to_cpu(value);
}

static inline uint32_t get_le32(const void *bytes)
{
	__le32 value;

	memcpy(&value, bytes, sizeof(value));
	return le32_to_cpu(value);
}

static inline uint64_t get_le64(const void *bytes)
{
	__le64 value;

	memcpy(&value, bytes, sizeof(value));
	return le64_to_cpu(value);
}

static inline uint16_t get_be16(const void *bytes)
{
	__be16 value;

	memcpy(&value, bytes, sizeof(value));
	return be16_to_cpu(value);
}

static inline uint32_t get_be32(const void *bytes)
{
	__be32 value;

	memcpy(&value, bytes, sizeof(value));
	return be32_to_cpu(value);
}

static inline uint64_t get_be64(const void *bytes)
{
	__be64 value;

	memcpy(&value, bytes, sizeof(value));
	return be64_to_cpu(value);
}

static inline void put_le16(void *bytes, uint16_t value)
{
	__le16 raw = cpu_to_le16(value);

	memcpy(bytes, &raw, sizeof(raw));
}

static inline void put_le32(void *bytes, uint32_t value)
{
	__le32 raw = cpu_to_le32(value);

	memcpy(bytes, &raw, sizeof(raw));
}

static inline void put_le64(void *bytes, uint64_t value)
{
	__le64 raw = cpu_to_le64(value);

	memcpy(bytes, &raw, sizeof(raw));
}

static inline void put_be32(void *bytes, uint32_t value)
{
	__be32 raw = cpu_to_be32(value);

	memcpy(bytes, &raw, sizeof(raw));
}

static inline void put_be64(void *bytes, uint64_t value)
{
	__be64 raw = cpu_to_be64(value);

	memcpy(bytes, &raw, sizeof(raw));
}

#endif
