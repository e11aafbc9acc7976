// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_string_or_null(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	if (text && *text)
		print_string(text);
	else
		fputs("null", stdout);
}

static bool end_record(void)
{
	puts("}");
	return !fflush(stdout) && !ferror(stdout);
}

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

bool report_run(const struct demo *demo, const char *file)
{
	static const char * const names[] = {
		[DEMO_NO_HINTS] = "none",
		[DEMO_8BIT] = "8-bit",
		[DEMO_EXTENDED] = "extended",
	};

	printf("{\"run\":\"demo\",\"file\":");
	print_string(file);
	printf(",\"file_bytes\":%zu,\"accelerator\":\"%s\",\"sender\":\"%s\",\"domain\":\"%s\"",
	       demo->file_bytes, tphbuf_device_bdf(demo->acc.dev), demo->ops->name,
	       demo->translated ? "translated" : "identity");
	printf(",\"completer\":%u,\"namespace\":\"%s\",\"bar_offset\":%" PRIu64,
	       demo->acc.completer, names[demo->name_space], demo->bar_offset);
	printf(",\"buffer_size\":%" PRIu64 ",\"buffer_offset\":%" PRIu64, demo->buffer_size,
	       demo->buffer_offset);
	return end_record();
}

static void print_tag(const struct demo *demo, const struct demo_result *result)
{
	if (!result->tagged)
		fputs(",\"tag\":\"none\",\"ph\":null", stdout);
	else if (demo->name_space == DEMO_EXTENDED)
		printf(",\"tag\":\"st-ext=0x%04x\",\"ph\":%u", result->st, result->ph);
	else
		printf(",\"tag\":\"st=0x%02x\",\"ph\":%u", result->st, result->ph);
}

static void print_importer(const struct demo_result *result)
{
	const struct sender_state *state = &result->state;

	if (result->state_error) {
		fputs(",\"importer\":null", stdout);
		return;
	}
	printf(",\"importer\":{\"mapped\":%s,\"tagged\":%s,\"extended\":%s,\"table_full\":%s",
	       state->mapping_known ? json_bool(state->mapped) : "null", json_bool(state->tagged),
	       json_bool(state->extended), json_bool(state->table_full));
	printf(",\"st\":%u,\"ph\":%u,\"st_index\":%" PRIu32 "}", state->st, state->ph,
	       state->st_index);
}

static void print_counters(const struct accelerator_counters *c)
{
	printf(",\"accelerator\":{\"writes\":%" PRIu64 ",\"bytes\":%" PRIu64, c->writes, c->bytes);
	printf(",\"untagged\":%" PRIu64 ",\"tagged\":%" PRIu64 ",\"tagged_ext\":%" PRIu64,
	       c->untagged, c->tagged, c->tagged_ext);
	printf(",\"malformed\":%" PRIu64 ",\"reads\":%" PRIu64, c->malformed, c->reads);
	printf(",\"ph\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", c->ph[0], c->ph[1],
	       c->ph[2], c->ph[3]);
	printf(",\"with_tag\":%" PRIu64 ",\"in_partition\":%" PRIu64 "}", c->with_tag,
	       c->in_partition);
}

bool report_phase(const struct demo *demo, const struct demo_result *result)
{
	printf("{\"phase\":\"%s\",\"mark\":%" PRIu32 ",\"mark_end\":%" PRIu32, result->name,
	       result->mark, result->mark_end);
	printf(",\"bytes\":%" PRIu64, result->bytes);
	print_tag(demo, result);
	printf(",\"op\":\"%s\",\"data_ok\":%s", demo_op_name(result->op),
	       json_bool(result->data_ok));
	print_string_or_null("error", result->error ? strerrorname_np(-result->error) : NULL);
	print_importer(result);
	print_counters(&result->counters);
	printf(",\"ok\":%s", json_bool(!result->why[0]));
	print_string_or_null("why", result->why);
	return end_record();
}

bool report_end(unsigned int phases, bool ok)
{
	printf("{\"end\":\"demo\",\"phases\":%u,\"ok\":%s", phases, json_bool(ok));
	return end_record();
}

bool report_error(const char *text)
{
	printf("{\"error\":");
	print_string(text);
	return end_record();
}
