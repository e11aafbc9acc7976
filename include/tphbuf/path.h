/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_PATH_H
#define TPHBUF_PATH_H

#include <stddef.h>
#include <stdint.h>

#include <tphbuf/options.h>
#include <tphbuf/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum tphbuf_verdict - whether writes reach a device with their Steering Tag
 * @TPHBUF_VERDICT_ARRIVES: they do
 * @TPHBUF_VERDICT_MAY_BE_LOST: the write arrives, the tag perhaps not
 * @TPHBUF_VERDICT_CANNOT: they do not
 */
enum tphbuf_verdict {
	TPHBUF_VERDICT_ARRIVES = 0,
	TPHBUF_VERDICT_MAY_BE_LOST,
	TPHBUF_VERDICT_CANNOT,
};

/**
 * enum tphbuf_fact - what decides about a path
 * @TPHBUF_FACT_COMPLETER: TPH requests that the device completes; @value is an
 *	enum tphbuf_completer
 * @TPHBUF_FACT_REQUESTER: TPH requests that the peer can send; @value is an enum
 *	tphbuf_requester
 * @TPHBUF_FACT_MODES: ST modes of the peer; @value has bit 0 for no ST, bit 1 for
 *	interrupt vector, bit 2 for device specific
 * @TPHBUF_FACT_ST_TABLE: ST table of the peer; @value is its number of entries, 0
 *	for no table
 * @TPHBUF_FACT_ENABLED: TPH requests that the peer is enabled to send; @value is an
 *	enum tphbuf_requester
 * @TPHBUF_FACT_COMMAND_LINE: TPH is turned off on the kernel command line
 * @TPHBUF_FACT_ROOT_PORT: TPH requests that the Root Port above the peer
 *	completes, which the kernel insists on; @value is an enum tphbuf_completer
 * @TPHBUF_FACT_SAME_DEVICE: both are functions of one device
 * @TPHBUF_FACT_SWITCH: both are below one switch, whose upstream port is @bdf
 * @TPHBUF_FACT_ROOT_COMPLEX: the path passes the root complex
 * @TPHBUF_FACT_HOST_BRIDGES: the path leads from a host bridge to another
 * @TPHBUF_FACT_ACS: the port @bdf redirects peer-to-peer requests to the root
 *	complex; @value has the bits of its ACS Control register that do so
 * @TPHBUF_FACT_PREFIX: End-End TLP Prefixes, which carry Extended Steering Tags, do
 *	not pass @bdf; @value is 0 when it does not support them, 1 when it blocks them
 * @TPHBUF_FACT_DOMAIN: how the IOMMU translates for the peer; @value is 0 for
 *	identity, 1 for translated, 2 for not known
 * @TPHBUF_FACT_NOT_READABLE: this user may not read the configuration space of
 *	@bdf
 */
enum tphbuf_fact {
	TPHBUF_FACT_COMPLETER		= 1,
	TPHBUF_FACT_REQUESTER		= 2,
	TPHBUF_FACT_MODES		= 3,
	TPHBUF_FACT_ST_TABLE		= 4,
	TPHBUF_FACT_ENABLED		= 5,
	TPHBUF_FACT_COMMAND_LINE	= 6,
	TPHBUF_FACT_ROOT_PORT		= 7,
	TPHBUF_FACT_SAME_DEVICE		= 16,
	TPHBUF_FACT_SWITCH		= 17,
	TPHBUF_FACT_ROOT_COMPLEX	= 18,
	TPHBUF_FACT_HOST_BRIDGES	= 19,
	TPHBUF_FACT_ACS			= 20,
	TPHBUF_FACT_PREFIX		= 21,
	TPHBUF_FACT_DOMAIN		= 22,
	TPHBUF_FACT_NOT_READABLE	= 32,
};

/**
 * struct tphbuf_path_fact - a fact about a path
 * @fact: its subject
 * @st: verdict on 8-bit Steering Tags from this fact
 * @st_ext: verdict on Extended Steering Tags from this fact
 * @value: see enum tphbuf_fact
 * @bdf: function that it is about
 */
struct tphbuf_path_fact {
	enum tphbuf_fact fact;
	enum tphbuf_verdict st;
	enum tphbuf_verdict st_ext;
	uint32_t value;
	char bdf[TPHBUF_BDF_SIZE];
};

#define TPHBUF_PATH_FACTS	64

/**
 * struct tphbuf_path - the way from a peer to a device
 * @device: PCI address of the device that is written to
 * @peer: PCI address of the peer that writes
 * @reason: TPHBUF_REASON_NONE; or TPHBUF_REASON_BAD_NAME or
 *	TPHBUF_REASON_NOT_FOUND, and nothing else is filled
 * @missing: name behind @reason, as far as it fits
 * @st: whether writes arrive with an 8-bit Steering Tag: the worst of all facts
 * @st_ext: whether they arrive with an Extended Steering Tag
 * @nr_facts: number of facts, at most TPHBUF_PATH_FACTS
 * @reserved: zero
 * @facts: the facts
 */
struct tphbuf_path {
	char device[TPHBUF_BDF_SIZE];
	char peer[TPHBUF_BDF_SIZE];
	enum tphbuf_reason reason;
	char missing[TPHBUF_CDEV_SIZE];
	enum tphbuf_verdict st;
	enum tphbuf_verdict st_ext;
	uint32_t nr_facts;
	uint32_t reserved[12];
	struct tphbuf_path_fact facts[TPHBUF_PATH_FACTS];
};

/**
 * tphbuf_path - find out whether writes of a peer reach a device with their tag
 * @device: the device that is written to, as for tphbuf_probe()
 * @peer: the peer that writes, as for tphbuf_probe(), with any driver or none
 * @options: no flag; NULL for none
 * @path: the answer
 *
 * Reads sysfs and the configuration space, all of which is readable for root
 * only; opens no device and writes nothing. What a root complex does with hints
 * is not written anywhere: a way through it is TPHBUF_VERDICT_MAY_BE_LOST at
 * best. Thread-safe.
 *
 * Return: 0 when @path is filled; -EINVAL when @options are wrong; -ENOMEM; or
 * the error of reading sysfs.
 */
int tphbuf_path(const char *device, const char *peer, const struct tphbuf_options *options,
		struct tphbuf_path *path);

/**
 * tphbuf_path_text - describe a fact in a line
 * @fact: the fact
 * @buf: where the line goes; may be NULL when @size is 0
 * @size: size of @buf
 *
 * The line says what is so and, where it stands in the way, what would change it;
 * it has no newline. Thread-safe.
 *
 * Return: length of the whole line without the terminating zero, as
 * snprintf(3): a value of @size or more means that it was truncated.
 */
int tphbuf_path_text(const struct tphbuf_path_fact *fact, char *buf, size_t size);

/**
 * tphbuf_verdict_name - a verdict as a word for programs
 * @verdict: the verdict
 *
 * Any thread may call it at any time.
 *
 * Return: "arrives", "may-be-lost", "cannot"; "unknown" for a value that this
 * version does not know. Static storage.
 */
const char *tphbuf_verdict_name(enum tphbuf_verdict verdict);

/**
 * tphbuf_fact_name - the subject of a fact as a word for programs
 * @fact: the subject
 *
 * Any thread may call it at any time.
 *
 * Return: a lower-case word that stays the same in later versions, such as
 * "acs"; "unknown" for a value that this version does not know. Static storage.
 */
const char *tphbuf_fact_name(enum tphbuf_fact fact);

#ifdef __cplusplus
}
#endif

#endif
