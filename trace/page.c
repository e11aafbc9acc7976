// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing the page while the trace is read: blocks of packed records first, then what is known
 * only at the end.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bins.h"
#include "page.h"
#include "wire.h"

#define BLOCK_RECORDS	8192
#define ROW_SIZE	48
#define TAGS_MAX	65535
#define TAG_NONE	0
#define PARTIES_MAX	254
#define PARTY_OTHER	255
#define MARKS_MAX	10000
#define PLACES_MAX	255	/* the first one is none; a place that has no room is none too */
#define MEMORY_PAGE	4096u
#define MEMORY_RUNS_MAX	200000

extern const char page_head[], page_head_end[], page_script[], page_script_end[];

/* What a page of memory was written with last; runs of neighbours in the order of addresses. */
struct memory_run {
	uint64_t page;
	uint16_t tag;
	uint8_t party;
};

struct page_tag {
	bool hint;
	bool extended;
	uint8_t ph;
	uint16_t st;
	uint64_t tlps;
	uint64_t bytes;
};

struct page_mark {
	uint64_t index;
	uint64_t time;
	char text[RECORD_MARK_MAX];
};

struct page {
	FILE *out;
	const struct page_about *about;
	uint64_t count;
	uint64_t first_time;
	uint64_t last_time;
	unsigned int blocks;
	unsigned int rows;
	unsigned int tags;
	unsigned int parties;
	unsigned int marks;
	unsigned int runs;
	unsigned int places;
	int phase;
	uint64_t placed[PLACES_MAX];		/* TLPs that ended at each place */
	uint64_t injected[INJECTIONS];		/* TLPs that met each fault */
	char place[PLACES_MAX][RECORD_PLACE_MAX];
	int party[PARTIES_MAX];
	struct page_mark *mark;
	struct page_tag *tag;
	struct memory_run *run;
	uint64_t *block_time;
	struct bins by_index;
	struct bins by_time;
	uint8_t block[BLOCK_RECORDS * ROW_SIZE];
};

/* JSON inside of a script element, which "<" could end. */
static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' ||
		    c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void put_base64(FILE *out, const uint8_t *data, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	for (i = 0; i < size; i += 3) {
		uint32_t n = data[i] << 16;
		char quad[4];

		if (i + 1 < size)
			n |= data[i + 1] << 8;
		if (i + 2 < size)
			n |= data[i + 2];
		quad[0] = digits[n >> 18];
		quad[1] = digits[n >> 12 & 63];
		quad[2] = i + 1 < size ? digits[n >> 6 & 63] : '=';
		quad[3] = i + 2 < size ? digits[n & 63] : '=';
		fwrite(quad, 1, 4, out);
	}
}

static int put_packed(FILE *out, const uint8_t *data, size_t size)
{
	uLongf room = compressBound(size);
	uint8_t *packed = malloc(room);

	if (!packed)
		return -ENOMEM;
	if (compress2(packed, &room, data, size, 6) != Z_OK) {
		free(packed);
		return -ENOMEM;
	}
	put_base64(out, packed, room);
	free(packed);
	return 0;
}

/* A page that is not live may ask nobody for anything. */
static void put_head(FILE *out, bool live)
{
	static const char nobody[] = "connect-src 'none'";
	const char *place = memmem(page_head, page_head_end - page_head, nobody,
				   sizeof(nobody) - 1);

	if (!live || !place) {
		fwrite(page_head, 1, page_head_end - page_head, out);
		return;
	}
	fwrite(page_head, 1, place - page_head, out);
	fputs("connect-src 'self'", out);
	place += sizeof(nobody) - 1;
	fwrite(place, 1, page_head_end - place, out);
}

struct page *page_begin(FILE *out, const struct page_about *about)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	page->out = out;
	page->about = about;
	page->tag = calloc(1, sizeof(*page->tag));
	if (!page->tag) {
		free(page);
		return NULL;
	}
	page->tags = 1;
	page->places = 1;
	page->phase = PHASE_OUTSIDE;
	bins_init(&page->by_index);
	bins_init(&page->by_time);
	put_head(out, about->live);
	return page;
}

/* Makes room for one element more in an array that doubles; NULL without memory. */
static void *room(void *array, unsigned int used, size_t size)
{
	if (used & (used - 1))
		return array;
	return realloc(array, (used ? used * 2 : 1) * size);
}

static int tag_index(struct page *page, const struct record *record)
{
	unsigned int i;
	void *grown;

	if (!record->hint)
		return TAG_NONE;
	for (i = 1; i < page->tags; i++) {
		struct page_tag *tag = &page->tag[i];

		if (tag->st == record->st && tag->ph == record->ph &&
		    tag->extended == record->extended)
			return i;
	}
	if (page->tags == TAGS_MAX)
		return TAGS_MAX - 1;
	grown = room(page->tag, page->tags, sizeof(*page->tag));
	if (!grown)
		return -ENOMEM;
	page->tag = grown;
	page->tag[page->tags] = (struct page_tag){ .hint = true, .extended = record->extended,
						   .ph = record->ph, .st = record->st };
	return page->tags++;
}

static unsigned int party_index(struct page *page, int party)
{
	unsigned int i;

	for (i = 0; i < page->parties; i++)
		if (page->party[i] == party)
			return i;
	if (page->parties == PARTIES_MAX)
		return PARTY_OTHER;
	page->party[page->parties] = party;
	return page->parties++;
}

static unsigned int place_index(struct page *page, const char *name)
{
	unsigned int i;

	if (!*name)
		return 0;
	for (i = 1; i < page->places; i++)
		if (!strcmp(page->place[i], name))
			return i;
	if (i == PLACES_MAX)
		return 0;
	strcpy(page->place[i], name);
	return page->places++;
}

static int add_mark(struct page *page, const struct record *record)
{
	struct page_mark *grown;

	if (!record->mark[0] || page->marks == MARKS_MAX)
		return 0;
	grown = room(page->mark, page->marks, sizeof(*page->mark));
	if (!grown)
		return -ENOMEM;
	page->mark = grown;
	grown[page->marks].index = page->count;
	grown[page->marks].time = record->time;
	memcpy(grown[page->marks].text, record->mark, sizeof(record->mark));
	page->marks++;
	return 0;
}

/* The first run at or behind a page of memory. */
static unsigned int run_search(const struct page *page, uint64_t number)
{
	unsigned int low = 0, high = page->runs;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (page->run[mid].page < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int add_memory(struct page *page, const struct record *record, unsigned int tag,
		      unsigned int party)
{
	uint64_t number = record->address / MEMORY_PAGE;
	unsigned int at;
	void *grown;

	if (record->type != RECORD_MWR || record->completer == PARTY_NONE ||
	    record->completer == PARTY_ROOT_COMPLEX || record->requester == PARTY_ROOT_COMPLEX ||
	    (record->result != RESULT_OK && record->result != RESULT_HINT_DROPPED))
		return 0;
	if (record->result == RESULT_HINT_DROPPED)
		tag = TAG_NONE;
	at = run_search(page, number);
	if (at == page->runs || page->run[at].page != number) {
		if (page->runs == MEMORY_RUNS_MAX)
			return 0;
		grown = room(page->run, page->runs, sizeof(*page->run));
		if (!grown)
			return -ENOMEM;
		page->run = grown;
		memmove(page->run + at + 1, page->run + at,
			(page->runs - at) * sizeof(*page->run));
		page->runs++;
	}
	page->run[at] = (struct memory_run){ .page = number, .tag = tag, .party = party };
	return 0;
}

/*
 * The memory as it is now, with the number of the phase that has ended, or "end". Neighbours of
 * one tag and party become one entry: page, pages, tag, party.
 */
static void put_memory(struct page *page, const char *name)
{
	unsigned int i, n;

	fprintf(page->out, "<script type=\"application/json\" id=\"m%s\">[", name);
	for (i = 0; i < page->runs; i += n) {
		const struct memory_run *run = &page->run[i];

		for (n = 1; i + n < page->runs && run[n].page == run->page + n &&
		     run[n].tag == run->tag && run[n].party == run->party; n++)
			;
		fprintf(page->out, "%s[%" PRIu64 ",%u,%u,%u]", i ? "," : "", run->page, n, run->tag,
			run->party);
	}
	fputs("]</script>\n", page->out);
}

/* Keeps the memory as a phase left it. */
static void phase_ended(struct page *page, int phase)
{
	char name[12];

	if (page->phase != PHASE_OUTSIDE && page->phase != phase) {
		snprintf(name, sizeof(name), "%d", page->phase);
		put_memory(page, name);
	}
	page->phase = phase;
}

static int flush_block(struct page *page)
{
	int ret;

	if (!page->rows)
		return 0;
	fprintf(page->out, "<script type=\"text/plain\" id=\"b%u\">", page->blocks++);
	ret = put_packed(page->out, page->block, page->rows * ROW_SIZE);
	fputs("</script>\n", page->out);
	page->rows = 0;
	return ret;
}

static void put_le(uint8_t *p, uint64_t value, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++, value >>= 8)
		p[i] = value;
}

/* The row that the script reads; its header bytes are those of the link, or made from the fields.
 */
static void put_row(uint8_t *row, const struct record *record, uint64_t time, int phase,
		    unsigned int tag, unsigned int from, unsigned int to)
{
	uint8_t header[WIRE_HEADER_MAX] = { 0 };
	int size;

	if (record->raw) {
		bool prefix = record->hint && record->extended;

		size = (prefix ? 4 : 0) + (record->wide ? 16 : 12);
		if ((size_t)size > record->raw_size)
			size = record->raw_size;
		memcpy(header, record->raw, size);
	} else {
		size = wire_encode(record, header);
	}
	put_le(row, record->number, 6);
	put_le(row + 6, time, 8);
	put_le(row + 14, record->bytes, 2);
	put_le(row + 16, tag, 2);
	row[18] = from;
	row[19] = to;
	row[20] = phase == PHASE_OUTSIDE ? 255 : phase;
	row[21] = record->type << 4 | record->result;
	row[22] = (size > 0 ? size : 0) | (record->raw ? 0x80 : 0);
	row[23] = record->wide;
	memcpy(row + 24, header, sizeof(header));
}

/* What became of the TLP on its way: the fault that it met, the place where it ended. */
static void put_fate(struct page *page, uint8_t *row, const struct record *record)
{
	unsigned int place = place_index(page, record->at);

	row[44] = record->injected;
	row[45] = place;
	page->injected[record->injected]++;
	page->placed[place]++;
}

int page_add(struct page *page, const struct record *record, int phase)
{
	int tag = tag_index(page, record), ret;
	unsigned int from = party_index(page, record->requester);
	unsigned int to = party_index(page, record->completer);
	unsigned int bin = tag < BINS_TAGS - 1 ? tag : BINS_TAGS - 1;
	uint64_t time;

	if (tag < 0)
		return tag;
	phase_ended(page, phase);
	if (!page->first_time)
		page->first_time = record->time;
	time = record->time > page->first_time ? record->time - page->first_time : 0;
	if (time > page->last_time)
		page->last_time = time;
	page->tag[tag].tlps++;
	page->tag[tag].bytes += record->bytes;
	bins_add(&page->by_index, page->count, bin);
	if (page->first_time)
		bins_add(&page->by_time, time, bin);
	if (!page->rows) {
		uint64_t *grown = room(page->block_time, page->blocks, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		page->block_time = grown;
		grown[page->blocks] = time;
	}
	put_row(page->block + page->rows * ROW_SIZE, record, time, phase, tag, from, to);
	put_fate(page, page->block + page->rows * ROW_SIZE, record);
	page->rows++;
	ret = add_mark(page, record);
	if (!ret)
		ret = add_memory(page, record, tag, to);
	page->count++;
	if (!ret && page->rows == BLOCK_RECORDS)
		ret = flush_block(page);
	return ret;
}

static void put_name(struct page *page, int party)
{
	unsigned int i;
	char text[8];

	party_format(party, text);
	fputs("{\"id\":", page->out);
	put_string(page->out, text);
	for (i = 0; i < page->about->count; i++)
		if (page->about->names[i].party == party)
			break;
	fputs(",\"role\":", page->out);
	put_string(page->out, i < page->about->count ? page->about->names[i].role : "");
	fputs(",\"name\":", page->out);
	put_string(page->out, i < page->about->count ? page->about->names[i].name : "");
	fputc('}', page->out);
}

static void put_phase(FILE *out, const struct summary *summary, unsigned int i)
{
	static const char *const expect[] = {
		[EXPECT_UNSAID] = "", [EXPECT_NOTHING] = "nothing", [EXPECT_NO_HINT] = "none",
		[EXPECT_TAG] = "tag",
	};
	const struct phase *phase = &summary->phases.phase[i];
	struct verdict verdict;
	char from[8], to[8];

	party_format(phase->from, from);
	party_format(phase->to, to);
	summary_verdict(summary, i, &verdict);
	fputs("{\"name\":", out);
	put_string(out, phase->name);
	fprintf(out, ",\"from\":\"%s\",\"to\":\"%s\"", from, to);
	fprintf(out, ",\"expect\":\"%s\",\"ext\":%d,\"st\":%u,\"ph\":%u,\"tlps\":%" PRIu64
		",\"bytes\":%" PRIu64 ",\"tagged\":%" PRIu64 ",\"right\":%" PRIu64 ",\"ok\":%d}",
		expect[phase->expect], phase->extended, phase->st, phase->ph, verdict.tlps,
		verdict.bytes, verdict.tagged, verdict.right, verdict.ok);
}

static void put_rows(FILE *out, const struct summary *summary)
{
	unsigned int i;

	for (i = 0; i < summary->rows; i++) {
		const struct summary_row *row = &summary->row[i];
		char from[8], to[8];

		party_format(row->requester, from);
		party_format(row->completer, to);
		fprintf(out,
			"%s[%d,\"%s\",\"%s\",\"%s\",\"%s\",%d,%d,%u,%u,%d,%" PRIu64 ",%" PRIu64 "]",
			i ? "," : "", row->phase, from, to, record_type_name(row->type),
			record_result_name(row->result), row->hint, row->extended, row->st, row->ph,
			row->counts, row->tlps, row->bytes);
	}
}

static void put_bins(FILE *out, const char *name, const struct bins *bins, unsigned int tags)
{
	unsigned int i, tag;

	if (tags > BINS_TAGS)
		tags = BINS_TAGS;
	fprintf(out, "\"%s\":{\"width\":%" PRIu64 ",\"count\":[", name, bins->width);
	for (i = 0; i < bins->used; i++) {
		fputs(i ? ",[" : "[", out);
		for (tag = 0; tag < tags; tag++)
			fprintf(out, "%s%u", tag ? "," : "", bins->count[i][tag]);
		fputc(']', out);
	}
	fputs("]},\n", out);
}

static void put_marks(struct page *page)
{
	unsigned int i;

	fputs("\"marks\":[", page->out);
	for (i = 0; i < page->marks; i++) {
		const struct page_mark *mark = &page->mark[i];
		uint64_t time = mark->time > page->first_time ? mark->time - page->first_time : 0;

		fprintf(page->out, "%s{\"index\":%" PRIu64 ",\"time\":%" PRIu64 ",\"text\":",
			i ? "," : "", mark->index, time);
		put_string(page->out, mark->text);
		fputc('}', page->out);
	}
	fputs("],\n", page->out);
}

/* Names of faults and places, each with its TLPs. */
static void put_fates(struct page *page)
{
	unsigned int i;

	fputs("],\n\"injections\":[", page->out);
	for (i = 0; i < INJECTIONS; i++)
		fprintf(page->out, "%s[\"%s\",%" PRIu64 "]", i ? "," : "",
			record_injection_name(i), page->injected[i]);
	fputs("],\n\"places\":[", page->out);
	for (i = 0; i < page->places; i++) {
		fputs(i ? ",[" : "[", page->out);
		put_string(page->out, page->place[i]);
		fprintf(page->out, ",%" PRIu64 "]", page->placed[i]);
	}
	fputc(']', page->out);
}

static void put_tables(struct page *page, const struct summary *summary)
{
	FILE *out = page->out;
	unsigned int i;

	fputs("\"parties\":[", out);
	for (i = 0; i < page->parties; i++) {
		fputs(i ? "," : "", out);
		put_name(page, page->party[i]);
	}
	fputs("],\n\"tags\":[", out);
	for (i = 0; i < page->tags; i++) {
		const struct page_tag *tag = &page->tag[i];

		fprintf(out, "%s{\"hint\":%d,\"ext\":%d,\"st\":%u,\"ph\":%u,\"tlps\":%" PRIu64
			",\"bytes\":%" PRIu64 "}", i ? "," : "", tag->hint, tag->extended, tag->st,
			tag->ph, tag->tlps, tag->bytes);
	}
	fputs("],\n\"types\":[", out);
	for (i = 0; i < RECORD_TYPES; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", record_type_name(i));
	fputs("],\n\"results\":[", out);
	for (i = 0; i < RESULTS; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", record_result_name(i));
	put_fates(page);
	fputs(",\n\"phases\":[", out);
	for (i = 0; i < summary->phases.count; i++) {
		fputs(i ? "," : "", out);
		put_phase(out, summary, i);
	}
	fputs("],\n\"rows\":[", out);
	put_rows(out, summary);
	fputs("],\n\"blockTime\":[", out);
	for (i = 0; i < page->blocks; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", page->block_time[i]);
	fputs("],\n", out);
}

static int page_finish(struct page *page, const struct summary *summary, bool cut, uint64_t lost)
{
	FILE *out = page->out;
	int ret = flush_block(page);

	if (ret)
		return ret;
	phase_ended(page, PHASE_OUTSIDE);
	put_memory(page, "end");
	fprintf(out, "<script type=\"application/json\" id=\"trace\">{\"version\":%d,\"title\":",
		PAGE_VERSION);
	put_string(out, page->about->title);
	fputs(",\"source\":", out);
	put_string(out, page->about->source);
	fprintf(out, ",\"live\":%d", page->about->live);
	fprintf(out,
		",\"cut\":%d,\"lost\":%" PRIu64 ",\"tlps\":%" PRIu64 ",\"other\":%" PRIu64
		",\"timed\":%d,\"span\":%" PRIu64
		",\"memoryPage\":%u,\"rowSize\":%d,\"blockRows\":%d,\"blocks\":%u,\n",
		cut, lost, page->count, summary->other, page->first_time != 0, page->last_time,
		MEMORY_PAGE, ROW_SIZE, BLOCK_RECORDS, page->blocks);
	put_tables(page, summary);
	put_marks(page);
	put_bins(out, "byIndex", &page->by_index, page->tags);
	put_bins(out, "byTime", &page->by_time, page->tags);
	fputs("\"end\":1}</script>\n<script>\n", out);
	fwrite(page_script, 1, page_script_end - page_script, out);
	fputs("</script>\n</body>\n</html>\n", out);
	return ferror(out) ? -EIO : 0;
}

int page_end(struct page *page, const struct summary *summary, bool cut, uint64_t lost)
{
	int ret = page_finish(page, summary, cut, lost);

	free(page->mark);
	free(page->tag);
	free(page->run);
	free(page->block_time);
	free(page);
	return ret;
}
