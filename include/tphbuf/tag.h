/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef TPHBUF_TAG_H
#define TPHBUF_TAG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum tphbuf_ph - Processing Hint of a TLP (PCIe 6.0, section 2.2.7.1)
 * @TPHBUF_PH_BIDIRECTIONAL: host and device read and write the data often
 * @TPHBUF_PH_REQUESTER: the device reads and writes the data often
 * @TPHBUF_PH_TARGET: the host reads and writes the data often
 * @TPHBUF_PH_TARGET_PRIORITY: as target, and the data is reused soon
 *
 * The device that completes the write may give the two bits a meaning of its
 * own.
 */
enum tphbuf_ph {
	TPHBUF_PH_BIDIRECTIONAL		= 0,
	TPHBUF_PH_REQUESTER		= 1,
	TPHBUF_PH_TARGET		= 2,
	TPHBUF_PH_TARGET_PRIORITY	= 3,
};

/* Bits of struct tphbuf_tag.valid */
#define TPHBUF_TAG_ST		(1u << 0)	/* st is valid */
#define TPHBUF_TAG_ST_EXT	(1u << 1)	/* st_ext is valid */

/**
 * struct tphbuf_tag - ST and PH that requesters send with their writes to a dma-buf
 * @valid: TPHBUF_TAG_* bits: the namespaces in which a tag is given
 * @st_ext: 16-bit Extended Steering Tag, for peers that send those
 * @st: 8-bit Steering Tag, for peers that send those
 * @ph: Processing Hint, 0 to 3, see enum tphbuf_ph; goes with either tag
 *
 * The two tags live in namespaces of their own: a peer that sends Extended
 * Steering Tags never uses @st, and the other way round. Zero is a legal tag.
 */
struct tphbuf_tag {
	uint32_t valid;
	uint16_t st_ext;
	uint8_t st;
	uint8_t ph;
};

/**
 * tphbuf_tag_set_st - put an 8-bit Steering Tag into a tag
 * @tag: the tag to change
 * @st: 0 to 0xff
 *
 * The checked way to store a number from outside: nothing is cut off. Several
 * threads may use the same @tag only under a lock of their own.
 *
 * Return: 0; -ERANGE when @st does not fit, and @tag is as it was.
 */
int tphbuf_tag_set_st(struct tphbuf_tag *tag, uint64_t st);

/**
 * tphbuf_tag_set_st_ext - put a 16-bit Extended Steering Tag into a tag
 * @tag: the tag to change
 * @st_ext: 0 to 0xffff
 *
 * See tphbuf_tag_set_st().
 *
 * Return: 0; -ERANGE when @st_ext does not fit, and @tag is as it was.
 */
int tphbuf_tag_set_st_ext(struct tphbuf_tag *tag, uint64_t st_ext);

/**
 * tphbuf_tag_set_ph - put a Processing Hint into a tag
 * @tag: the tag to change
 * @ph: 0 to 3, see enum tphbuf_ph
 *
 * See tphbuf_tag_set_st().
 *
 * Return: 0; -ERANGE when @ph does not fit, and @tag is as it was.
 */
int tphbuf_tag_set_ph(struct tphbuf_tag *tag, uint64_t ph);

#ifdef __cplusplus
}
#endif

#endif
