/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* What configuration spaces say. */
#ifndef TPB_CONFIG_H
#define TPB_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/probe.h>

/* The part of the config space in which the PCI Express capability lies, and all of it. */
#define TPB_CONFIG_SIZE		256
#define TPB_CONFIG_SIZE_ALL	4096

/* @size: the first bytes of a config space, as many as this user may read. */

/* TPH completer type; unknown when the bytes do not hold the answer. */
enum tphbuf_completer tpb_config_completer(const uint8_t *config, size_t size);

/**
 * struct tpb_tph_requester - TPH Requester capability (PCIe r6.2, sec 7.9.13)
 * @type: requests that the function can send; unknown when the bytes do not hold
 *	the answer, and then nothing else is filled
 * @enabled: requests that it is enabled to send
 * @modes: bit 0 for no ST, bit 1 for interrupt vector, bit 2 for device specific
 * @entries: of the ST table, 0 for none
 */
struct tpb_tph_requester {
	enum tphbuf_requester type;
	enum tphbuf_requester enabled;
	unsigned int modes;
	unsigned int entries;
};

void tpb_config_requester(const uint8_t *config, size_t size, struct tpb_tph_requester *tph);

/*
 * PCI_EXP_TYPE_*; -1 when the bytes do not hold the answer, -2 when it is not a PCI Express
 * function.
 */
int tpb_config_port_type(const uint8_t *config, size_t size);

/* What a function does with End-End TLP Prefixes (PCIe r6.2, sec 2.2.10.4). */
enum tpb_prefix {
	TPB_PREFIX_UNKNOWN,	/* the bytes do not hold the answer */
	TPB_PREFIX_UNSUPPORTED,
	TPB_PREFIX_BLOCKED,	/* End-End TLP Prefix Blocking of a port is set */
	TPB_PREFIX_PASSES,
};

enum tpb_prefix tpb_config_prefix(const uint8_t *config, size_t size);

/*
 * Bits of the ACS Control register that redirect peer-to-peer requests, 0 for none; -1 when the
 * bytes do not hold the answer.
 */
int tpb_config_acs_redirect(const uint8_t *config, size_t size);

#endif
