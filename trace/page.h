/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page: one HTML file that shows a trace in a browser, without a network
 * (docs/reference/trace-format.md describes the data in it).
 */
#ifndef TRACE_PAGE_H
#define TRACE_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "record.h"
#include "summary.h"

#define PAGE_VERSION	1	/* of the data; the script refuses another one */
#define PAGE_NAMES_MAX	32

/**
 * struct page_name - what to call a party
 * @party: a function, or PARTY_ROOT_COMPLEX
 * @role: "accelerator", "requester", "" when it has none in the drawing
 * @name: text for people; may hold anything
 */
struct page_name {
	int party;
	char role[16];
	char name[64];
};

/**
 * struct page_about - what the trace itself does not say
 * @title: headline
 * @source: name of the trace file
 * @live: the page comes from a server that it asks for newer TLPs
 * @names: of parties
 * @count: of @names
 */
struct page_about {
	const char *title;
	const char *source;
	bool live;
	struct page_name names[PAGE_NAMES_MAX];
	unsigned int count;
};

struct page;

/* Begins a page in @out, which stays the caller's; NULL without memory. */
struct page *page_begin(FILE *out, const struct page_about *about);

/* Adds a record of @phase, in the order of the trace; 0 or -errno. */
int page_add(struct page *page, const struct record *record, int phase);

/**
 * page_end() - write the rest, and free the page
 * @page: the page
 * @summary: of the same records
 * @cut: the trace ended in the middle of a record
 * @lost: TLPs that were missing by their numbers
 *
 * Return: 0 or -errno.
 */
int page_end(struct page *page, const struct summary *summary, bool cut, uint64_t lost);

#endif
