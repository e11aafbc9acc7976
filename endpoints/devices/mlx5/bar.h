/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR0: initialization segment, UAR pages, state page.
 */
#ifndef TPHBUF_MLX5_BAR_H
#define TPHBUF_MLX5_BAR_H

#include <stddef.h>
#include <stdint.h>

struct pci_function;

/* As struct pci_device_ops says. */
int mlx5_bar_read(struct pci_function *fn, unsigned int bar, uint64_t offset, void *buf,
		  size_t len);
int mlx5_bar_write(struct pci_function *fn, unsigned int bar, uint64_t offset, const void *buf,
		   size_t len);

#endif
