/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of the interfaces of a pcapng file that is being written: one for each party that sends,
 * one for each place that a record names.
 */
#ifndef TRACE_LINKS_H
#define TRACE_LINKS_H

#include "pcapng.h"
#include "record.h"

/**
 * struct links - interfaces that were described so far, in order
 * @count: how many
 * @party: of each, LINKS_PLACE for a place that is no party
 * @name: of each
 */
struct links {
	unsigned int count;
	int party[PCAPNG_INTERFACES_MAX];
	char name[PCAPNG_INTERFACES_MAX][RECORD_PLACE_MAX];
};

#define LINKS_PLACE	(-2)

/* Number of the interface of a party, of a place; -1 when it was not described yet. */
int links_find_party(const struct links *links, int party);
int links_find_place(const struct links *links, const char *name);

/*
 * Takes the next number for a party, or with LINKS_PLACE for a place. Returns its name, which the
 * caller describes in the file; NULL when there are no more numbers.
 */
const char *links_add(struct links *links, int party, const char *place);

#endif
