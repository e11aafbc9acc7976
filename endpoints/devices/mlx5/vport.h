/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands and management datagrams say alike of the port.
 */
#ifndef TPHBUF_MLX5_VPORT_H
#define TPHBUF_MLX5_VPORT_H

#include <stdint.h>

/* PortInfo:PortState and PortInfo:PortPhysicalState (InfiniBand Architecture Specification, volume
 * 1, section 14.2.5.6) */
#define MLX5_VPORT_ACTIVE	4u
#define MLX5_VPORT_PHYS_LINK_UP 5u

/* PortInfo:CapabilityMask: a system image GUID; the CM, device management and SNMP bits belong to
 * software. */
#define MLX5_VPORT_CAPS_INITIAL	 (1u << 11)
#define MLX5_VPORT_CAPS_WRITABLE (1u << 1 | 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19 | 1u << 20)

/* Entry of the partition key table. */
uint16_t mlx5_vport_pkey(unsigned int index);

#endif
