# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the device structures that the mlx5 model needs into one header.

mlx5_ifc.h of a kernel tree can be included as it is: nothing but bit layouts. The structures in memory (queue entries,
initialization segment, MADs) stand in headers that need the whole kernel, so the declarations are taken from there by name.

usage: extract_layouts.py KERNEL_TREE OUTPUT
"""
import re
import sys
from pathlib import Path

# An enum without a name is found by one of its members.
WANTED = {
    'include/linux/mlx5/device.h': [
        'enum mlx5_event',
        'enum mlx5_cap_type',
        'enum mlx5_rfr_severity_bit_offsets',
        'member MLX5_CMD_DATA_BLOCK_SIZE',
        'member MLX5_PFAULT_SUBTYPE_RDMA',
        'enum wqe_page_fault_type',
        'member MLX5_ADAPTER_PAGE_SHIFT',
        'member MLX5_EXTENDED_UD_AV',
        'member MLX5_INLINE_SEG',
        'member MLX5_MKEY_MASK_LEN',
        'member MLX5_UMR_INLINE',
        'member MLX5_OPCODE_RDMA_WRITE',
        'member HCA_CAP_OPMOD_GET_MAX',
        'member MLX5_CMD_STAT_OK',
        'struct mlx5_cmd_layout',
        'struct mlx5_cmd_prot_block',
        'struct health_buffer',
        'struct mlx5_init_seg',
        'struct mlx5_eqe_comp',
        'struct mlx5_eqe_qp_srq',
        'struct mlx5_eqe_cq_err',
        'struct mlx5_eqe_xrq_err',
        'struct mlx5_eqe_port_state',
        'struct mlx5_eqe_gpio',
        'struct mlx5_eqe_congestion',
        'struct mlx5_eqe_stall_vl',
        'struct mlx5_eqe_cmd',
        'struct mlx5_eqe_page_req',
        'struct mlx5_eqe_page_fault',
        'struct mlx5_eqe_vport_change',
        'struct mlx5_eqe_port_module',
        'struct mlx5_eqe_pps',
        'struct mlx5_eqe_dct',
        'struct mlx5_eqe_temp_warning',
        'struct mlx5_eqe_obj_change',
        'struct mlx5_eqe_sync_fw_update',
        'struct mlx5_eqe_vhca_state',
        'union ev_data',
        'struct mlx5_eqe',
        'struct mlx5_err_cqe',
        'struct mlx5_cqe64',
        'struct mlx5_wqe_srq_next_seg',
    ],
    'include/linux/mlx5/qp.h': [
        'enum mlx5_qp_optpar',
        'enum mlx5_qp_state',
        'member MLX5_QP_ST_RC',
        'member MLX5_NON_ZERO_RQ',
        'member MLX5_WQE_CTRL_CQ_UPDATE',
        'member MLX5_SEND_WQE_BB',
        'member MLX5_SEND_WQE_MAX_WQEBBS',
        'member MLX5_SND_DBR',
        'define MLX5_WQE_CTRL_DS_MASK',
        'define MLX5_WQE_CTRL_QPN_SHIFT',
        'define MLX5_WQE_INLINE_SEG_BYTE_COUNT_MASK',
        'struct mlx5_wqe_ctrl_seg',
        'struct mlx5_wqe_xrc_seg',
        'struct mlx5_av',
        'struct mlx5_wqe_raddr_seg',
        'struct mlx5_wqe_atomic_seg',
        'struct mlx5_wqe_data_seg',
        'struct mlx5_wqe_umr_ctrl_seg',
    ],
    'include/linux/mlx5/cq.h': [
        'member MLX5_CQE_SYNDROME_LOCAL_LENGTH_ERR',
        'member MLX5_CQE_REQ',
        'member MLX5_CQ_DB_REQ_NOT_SOL',
        'member CQE_STRIDE_64',
        'member MLX5_CQ_OPMOD_RESIZE',
    ],
    'include/linux/mlx5/doorbell.h': [
        'define MLX5_BF_OFFSET',
        'define MLX5_CQ_DOORBELL',
    ],
    'include/linux/mlx5/driver.h': [
        'member MLX5_ATOMIC_OPS_CMP_SWAP',
        'member MLX5_REG_NODE_DESC',
        'member MLX5_PTYS_IB',
        'enum mlx5_pagefault_type_flags',
    ],
    'include/linux/mlx5/port.h': [
        'member MLX5_PTYS_WIDTH_4X',
    ],
    'include/rdma/ib_mad.h': [
        'define IB_MGMT_CLASS_SUBN_LID_ROUTED',
        'define IB_MGMT_CLASS_SUBN_DIRECTED_ROUTE',
        'define IB_MGMT_CLASS_PERF_MGMT',
        'define IB_MGMT_METHOD_GET',
        'define IB_MGMT_METHOD_SET',
        'define IB_MGMT_METHOD_GET_RESP',
        'define IB_MGMT_MAD_STATUS_INVALID_ATTRIB_VALUE',
        'define IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB',
        'struct ib_mad_hdr',
        'struct ib_class_port_info',
    ],
    'include/rdma/ib_smi.h': [
        'define IB_SMP_DATA_SIZE',
        'define IB_SMP_MAX_PATH_HOPS',
        'define IB_SMP_ATTR_NODE_DESC',
        'define IB_SMP_ATTR_NODE_INFO',
        'define IB_SMP_ATTR_GUID_INFO',
        'define IB_SMP_ATTR_PORT_INFO',
        'define IB_SMP_ATTR_PKEY_TABLE',
        'struct ib_smp',
        'struct ib_port_info',
        'struct ib_node_info',
    ],
    'include/rdma/ib_pma.h': [
        'define IB_PMA_CLASS_PORT_INFO',
        'define IB_PMA_PORT_COUNTERS',
        'define IB_PMA_PORT_COUNTERS_EXT',
        'define IB_PMA_CLASS_CAP_EXT_WIDTH',
        'struct ib_pma_mad',
        'struct ib_pma_portcounters',
        'struct ib_pma_portcounters_ext',
    ],
}

PROLOGUE = """\
/* Made by extract_layouts.py from the kernel's headers; not part of the project's sources. */
#ifndef TPHBUF_MLX5_LAYOUTS_H
#define TPHBUF_MLX5_LAYOUTS_H
#include <linux/types.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#define __packed __attribute__((packed))
#define struct_group(name, ...) __VA_ARGS__
/* Values of big-endian fields, but in host byte order, so that they are constants. */
#define cpu_to_be16(x) (x)
#define BIT(n) (1u << (n))
#define BIT_ULL(n) (1ull << (n))
#define DECLARE_FLEX_ARRAY(type, name) struct { struct { } name##_empty; type name[]; }
"""


def fail(message):
    sys.exit(f'extract_layouts.py: {message}')


def block_end(text, start):
    """Index after the ';' that ends the declaration whose '{' is the first one after start."""
    depth = 0
    for i in range(text.index('{', start), len(text)):
        if text[i] == '{':
            depth += 1
        elif text[i] == '}':
            depth -= 1
            if not depth:
                return text.index(';', i) + 1
    raise ValueError('no end')


def enum_with(text, member):
    for found in re.finditer(r'^enum\s*\w*\s*\{', text, re.M):
        declaration = text[found.start():block_end(text, found.start())]
        if re.search(rf'\b{member}\b', declaration):
            return declaration
    return None


def declaration(text, kind, name):
    if kind == 'member':
        return enum_with(text, name)
    if kind == 'define':
        found = re.search(rf'^#define[ \t]+{name}\b(?:[^\n]*\\\n)*[^\n]*', text, re.M)
        return found and found.group(0)
    found = re.search(rf'^{kind}\s+{name}\s*\{{', text, re.M)
    return found and text[found.start():block_end(text, found.start())]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tree = Path(sys.argv[1])
    parts = [PROLOGUE]
    for header, names in WANTED.items():
        try:
            text = (tree / header).read_text(encoding='utf-8')
        except OSError as error:
            fail(f'cannot read {tree / header}: {error.strerror}; kernel_tree must name a Linux source tree')
        for wanted in names:
            kind, name = wanted.split()
            try:
                part = declaration(text, kind, name)
            except ValueError:
                part = None
            if not part:
                fail(f'{header} has no {wanted}: this kernel tree is too old or too new for the mlx5 model')
            if part not in parts:
                parts.append(part)
    parts.append('#endif\n')
    Path(sys.argv[2]).write_text('\n'.join(parts), encoding='utf-8')


if __name__ == '__main__':
    main()
