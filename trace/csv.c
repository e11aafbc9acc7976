// SPDX-License-Identifier: GPL-2.0-or-later
/* CSV. A value is written and read as in the text form, a column is named like its key there. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "text.h"

static const char *const columns[] = {
	"number", "t", "requester", "completer", "type", "address", "len", "ph", "st", "st-ext",
	"be", "tag", "status", "byte-count", "lower-address", "vector", "attr", "address-type",
	"value", "result", "at", "inject", "mark", "dwords",
};

/* Columns that are read and never written: seconds with a decimal point, as analyzers have them. */
#define COLUMN_SECONDS	"time"

/* What the DWs do not say, and so is read beside them. */
static const char *const beside_dwords[] = {
	"number", "t", COLUMN_SECONDS, "requester", "completer", "vector", "result", "at", "inject",
	"mark",
};

static bool is_one_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

#define IS_ONE_OF(names, name)	is_one_of(names, sizeof(names) / sizeof((names)[0]), name)

bool csv_is_header(const char *text, size_t len)
{
	return len && (*text < '0' || *text > '9');
}

__attribute__((format(printf, 2, 3)))
static int csv_bad(struct csv_state *csv, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(csv->why, sizeof(csv->why), format, ap);
	va_end(ap);
	for (char *p = csv->why; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return -EBADMSG;
}

/*
 * The next field of a line, quotes removed and ended with a 0, at @field. Returns what is behind
 * it: the comma or the end; NULL for quotes that do not fit.
 */
static const char *take_field(const char *p, const char *end, char *field)
{
	bool quoted = p < end && *p == '"';

	for (p += quoted; p < end; p++) {
		if (!quoted && *p == ',')
			break;
		if (quoted && *p == '"') {
			p++;
			if (p == end || *p != '"') {
				quoted = false;
				break;
			}
		}
		*field++ = *p;
	}
	*field = 0;
	return quoted || (p < end && *p != ',') ? NULL : p;
}

static bool has_column(const struct csv_state *csv, const char *name)
{
	for (unsigned int i = 0; i < csv->columns; i++)
		if (!strcmp(csv->column[i], name))
			return true;
	return false;
}

/* Names as people write them: in either case, with spaces around them. */
static int add_column(struct csv_state *csv, char *name)
{
	size_t len;
	bool known;

	name += strspn(name, " ");
	for (len = strlen(name); len && name[len - 1] == ' ';)
		name[--len] = 0;
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	known = IS_ONE_OF(columns, name) || !strcmp(name, COLUMN_SECONDS);

	if (csv->columns == CSV_COLUMNS_MAX)
		return csv_bad(csv, "more than %d columns", CSV_COLUMNS_MAX);
	if (known && has_column(csv, name))
		return csv_bad(csv, "two columns '%.32s'", name);
	snprintf(csv->column[csv->columns++], CSV_NAME_MAX, "%s", known ? name : "");
	return 0;
}

static int read_header(struct csv_state *csv, const char *p, const char *end)
{
	static const char *const required[] = { "requester", "type", "address", "len" };
	static const char byte_order_mark[] = "\xef\xbb\xbf";

	if (end - p >= 3 && !memcmp(p, byte_order_mark, 3))
		p += 3;
	for (;; p++) {
		p = take_field(p, end, csv->field);
		if (!p)
			return csv_bad(csv, "a quote that is not closed");
		if (add_column(csv, csv->field))
			return -EBADMSG;
		if (p == end)
			break;
	}
	for (unsigned int i = 0; i < 4 && !has_column(csv, "dwords"); i++)
		if (!has_column(csv, required[i]))
			return csv_bad(
				csv, "is not a line of a trace, and has no column '%s' or 'dwords'",
				required[i]);
	return 0;
}

/* Seconds with up to nine decimals, as nanoseconds. */
static int parse_seconds(const char *text, uint64_t *time)
{
	uint64_t seconds = 0, nanoseconds = 0, unit = 1000000000;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && seconds < 10000000000u; p++)
		seconds = seconds * 10 + (*p - '0');
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10;
			nanoseconds += (*p - '0') * unit;
		}
	*time = seconds * 1000000000u + nanoseconds;
	return p == text || *p ? -EBADMSG : 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %xx is a byte, as in the text form; everything else stands for itself. */
static int parse_comment(struct record *record, const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		if (n == RECORD_MARK_MAX - 1)
			return -EBADMSG;
		if (*text == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0) {
			record->mark[n++] = hex_value(text[1]) << 4 | hex_value(text[2]);
			text += 2;
		} else {
			record->mark[n++] = *text;
		}
	}
	record->mark[n] = 0;
	return 0;
}

/* Analyzers write hexadecimal in either case; names are as they are. */
static void lower(const char *name, char *text)
{
	if (!strcmp(name, "type") || !strcmp(name, "status") || !strcmp(name, "at"))
		return;
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text |= 0x20;
}

static int parse_column(struct csv_state *csv, const char *name, struct record *record)
{
	int size;

	if (!strcmp(name, "mark"))
		return parse_comment(record, csv->field);
	lower(name, csv->field);
	if (!strcmp(name, COLUMN_SECONDS))
		return parse_seconds(csv->field, &record->time);
	if (!strcmp(name, "dwords")) {
		size = dwords_parse(csv->field, strlen(csv->field), csv->bytes);
		record->raw = csv->bytes;
		record->raw_size = size < 0 ? 0 : size;
		return size < 12 ? -EBADMSG : 0;
	}
	if (!strcmp(name, "ph") || !strcmp(name, "st") || !strcmp(name, "st-ext"))
		record->hint = true;
	return text_parse_field(record, name, csv->field, strlen(csv->field)) < 0 ? -EBADMSG : 0;
}

/* Byte enables by address and length, for a file without them (section 2.2.5). */
static void derive_byte_enables(struct record *record)
{
	unsigned int skip = record->address & 3, end = (skip + record->bytes) & 3;

	record->address &= ~(uint64_t)3;
	record->dwords = (skip + record->bytes + 3) / 4;
	record->first_be = 0xf << skip & 0xf;
	record->last_be = end ? (1 << end) - 1 : 0xf;
	if (record->dwords <= 1) {
		record->first_be &= record->last_be;
		record->last_be = 0;
		record->dwords = 1;
	}
}

/* Columns whose value decides how the others are read. */
struct given {
	bool dwords;
	bool requester;
	bool completer;
	bool be;
	bool vector;
};

static void given_add(struct given *given, const char *name)
{
	given->requester |= !strcmp(name, "requester");
	given->completer |= !strcmp(name, "completer");
	given->be |= !strcmp(name, "be");
	given->vector |= !strcmp(name, "vector");
}

/* Replaces fields by what the DWs say. */
static void decode_dwords(struct record *record, const struct given *given)
{
	struct record link = *record;

	link.raw_full = wire_full_size(record->raw, record->raw_size);
	if (wire_decode(&link, record->raw, record->raw_size, link.raw_full))
		link.type = RECORD_OTHER;
	if (given->requester)
		link.requester = record->requester;
	if (given->completer)
		link.completer = record->completer;
	if (given->vector && link.type == RECORD_MWR)
		link.type = RECORD_MSIX;
	*record = link;
}

/* What follows from the fields. */
static void complete(struct csv_state *csv, struct record *record, const struct given *given)
{
	if (!record->number)
		record->number = csv->rows;
	if (record->raw) {
		decode_dwords(record, given);
		return;
	}
	record->wide |= record->address >> 32 != 0;
	if (given->be || record_is_completion(record->type))
		record_find_dwords(record);
	else
		derive_byte_enables(record);
}

static int read_fields(struct csv_state *csv, const char *p, const char *end, struct record *record,
		       struct given *given)
{
	unsigned int i = 0;

	for (;; p++) {
		const char *name, *start = p;

		p = take_field(p, end, csv->field);
		if (!p)
			return csv_bad(csv, "a quote that is not closed");
		if (i == csv->columns)
			return csv_bad(csv, "more fields than the first line has columns");
		name = csv->column[i++];
		if (csv->field[0] && name[0] &&
		    (!given->dwords || !strcmp(name, "dwords") || IS_ONE_OF(beside_dwords, name))) {
			if (parse_column(csv, name, record))
				return csv_bad(csv, "column '%s' cannot be '%.*s'", name,
					       (int)(p - start < 40 ? p - start : 40), start);
			given_add(given, name);
		}
		if (p == end)
			break;
	}
	if (i < csv->columns)
		return csv_bad(csv, "%u fields, the first line has %u columns", i, csv->columns);
	return 0;
}

/* Whether the line has DWs: only then its other columns are not read. */
static bool line_has_dwords(struct csv_state *csv, const char *p, const char *end)
{
	for (unsigned int i = 0; i < csv->columns; i++, p++) {
		p = take_field(p, end, csv->field);
		if (!p)
			return false;
		if (!strcmp(csv->column[i], "dwords"))
			return csv->field[0];
		if (p == end)
			break;
	}
	return false;
}

static int check_required(struct csv_state *csv, const struct record *record)
{
	if (record->raw || record->type != RECORD_TYPES)
		return 0;
	return csv_bad(csv, "has neither 'dwords' nor 'type'");
}

int csv_line(struct csv_state *csv, const char *line, size_t len, struct record *record)
{
	const char *end = line + len;
	struct given given = { 0 };

	if (len && end[-1] == '\r')
		end--;
	if (memchr(line, 0, len) || len >= CSV_LINE_MAX)
		return csv_bad(csv, len < CSV_LINE_MAX ? "holds a byte 0" : "is too long");
	if (!csv->columns)
		return read_header(csv, line, end);
	if (end == line)
		return 0;
	csv->rows++;
	memset(record, 0, sizeof(*record));
	record->type = RECORD_TYPES;
	record->result = RESULT_UNKNOWN;
	record->completer = PARTY_NONE;
	given.dwords = line_has_dwords(csv, line, end);
	if (read_fields(csv, line, end, record, &given) || check_required(csv, record))
		return -EBADMSG;
	complete(csv, record, &given);
	return 1;
}

size_t csv_format_header(char *line)
{
	char *p = line;

	for (unsigned int i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		p += sprintf(p, "%s%s", i ? "," : "", columns[i]);
	*p++ = '\n';
	return p - line;
}

/* Quoted, because it may hold commas; @percent: what is not printable, and %, as %xx. */
static char *put_csv_text(char *p, const char *text, bool percent)
{
	if (!*text)
		return p;
	*p++ = '"';
	for (; *text; text++) {
		unsigned char c = *text;

		if (percent && (c < ' ' || c >= 0x7f || c == '%'))
			p += sprintf(p, "%%%02x", c);
		else if (c == '"')
			p += sprintf(p, "\"\"");
		else
			*p++ = c;
	}
	*p++ = '"';
	return p;
}

static char *put_csv_hint(char *p, const struct record *record)
{
	if (!record->hint)
		return p + sprintf(p, ",,,");
	if (record->extended)
		return p + sprintf(p, ",%u,,0x%04x", record->ph, record->st);
	return p + sprintf(p, ",%u,0x%02x,", record->ph, record->st & 0xff);
}

/* From the width of the address to the vector of an interrupt, which is not written. */
static char *put_csv_request(char *p, const struct record *record)
{
	p += sprintf(p, "%s,0x%016llx,%u", record->wide ? "64" : "32",
		     (unsigned long long)record->address, record->bytes);
	p = put_csv_hint(p, record);
	return p + sprintf(p, ",%x/%x,%u,,,,", record->first_be, record->last_be, record->tag);
}

static char *put_csv_completion(char *p, const struct record *record)
{
	p += sprintf(p, ",,%u", record->bytes);
	p = put_csv_hint(p, record);
	return p + sprintf(p, ",,%u,%s,%u,0x%02x,", record->tag, record_status_name(record->status),
			   record->byte_count, (unsigned int)record->address);
}

/* Their columns, and the commas around them. */
static char *put_csv_attributes(char *p, const struct record *record)
{
	const char *before = ",";

	for (unsigned int i = 0; i < ATTRIBUTES; i++) {
		if (!(record->attributes & 1u << i))
			continue;
		p += sprintf(p, "%s%s", before, record_attribute_name(i));
		before = "+";
	}
	if (!record->attributes)
		*p++ = ',';
	*p++ = ',';
	if (record->address_type != ADDRESS_DEFAULT)
		p += sprintf(p, "%s", record_address_type_name(record->address_type));
	*p++ = ',';
	return p;
}

size_t csv_format(const struct record *record, char *line)
{
	char requester[8], completer[8], *p = line;
	size_t dwords;

	party_format(record->requester, requester);
	party_format(record->completer, completer);
	p += sprintf(p, "%llu,", (unsigned long long)record->number);
	if (record->time)
		p += sprintf(p, "%llu", (unsigned long long)record->time);
	p += sprintf(p, ",%s,%s,%s", requester, completer, record_type_name(record->type));
	p = record_is_completion(record->type) ? put_csv_completion(p, record) :
						 put_csv_request(p, record);
	if (record->type == RECORD_MSIX)
		p += sprintf(p, "%u", record->vector);
	p = put_csv_attributes(p, record);
	if (record->value_bytes)
		p += sprintf(p, "0x%0*llx", record->value_bytes * 2,
			     (unsigned long long)record->value);
	p += sprintf(p, ",%s,", record_result_name(record->result));
	p = put_csv_text(p, record->at, false);
	p += sprintf(p, ",%s,", record->injected ? record_injection_name(record->injected) : "");
	p = put_csv_text(p, record->mark, true);
	*p++ = ',';
	dwords = dwords_format(record, true, p);
	/* Of a header that was cut off, the fields are all that can be read again. */
	if (dwords >= 3 * 9 - 1)
		p += dwords;
	*p++ = '\n';
	return p - line;
}
