// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recording TLPs: what the fabric puts into the ring, and the thread that writes it out.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"
#include "trace/links.h"
#include "trace/pcapng.h"
#include "trace/summary.h"
#include "trace/text.h"
#include "trace_entry.h"
#include "trace_ring.h"

#define RING_SIZE	(64u << 20)
#define BUFFER_SIZE	(256u << 10)
/* How long the thread looks for more before it sleeps until it is woken. */
#define LOOK_AGAIN_NS	(1000 * 1000)
#define LOOK_AGAIN	20

/* One file, and what waits to be written to it. */
struct output {
	int fd;
	uint64_t written;
	size_t used;
	uint8_t buffer[BUFFER_SIZE];
};

struct trace {
	struct trace_options options;
	struct trace_ring ring;
	pthread_t thread;
	pthread_mutex_t lock;		/* for the two conditions */
	pthread_cond_t wake;
	pthread_cond_t drained;
	_Atomic bool asleep;
	_Atomic bool stop;
	_Atomic uint64_t written;	/* place in the ring up to which all is in the files */

	/* The fabric's, under its lock */
	uint64_t number;
	uint64_t no_room;
	char mark[RECORD_MARK_MAX];

	/* The thread's; others look after it has ended */
	int error;
	uint64_t lost;
	struct links links;
	struct output text;
	struct output pcapng;

	pthread_mutex_t counts_lock;
	struct summary *counts;		/* NULL unless they were asked for */
};

static void output_flush(struct trace *trace, struct output *output)
{
	size_t done = 0;

	/* Nothing more is written after an error: what is in a file has no hole. */
	while (done < output->used && !trace->error) {
		ssize_t n = write(output->fd, output->buffer + done, output->used - done);

		if (n > 0)
			done += n;
		else if (!n || errno != EINTR)
			trace->error = n ? -errno : -EIO;
	}
	output->written += done;
	output->used = 0;
}

/* Room for @size bytes; NULL behind the limit. */
static uint8_t *output_room(struct trace *trace, struct output *output, size_t size)
{
	if (trace->options.limit &&
	    output->written + output->used + size > trace->options.limit)
		return NULL;
	if (output->used + size > sizeof(output->buffer))
		output_flush(trace, output);
	return output->buffer + output->used;
}

static bool write_text(struct trace *trace, const struct record *record)
{
	uint8_t *line = output_room(trace, &trace->text, TEXT_LINE_MAX);

	if (line)
		trace->text.used += text_format(record, (char *)line);
	return line;
}

/* Describes a link in the file; -1 without room for it. */
static int trace_add_link(struct trace *trace, int party, const char *place)
{
	uint8_t *room = output_room(trace, &trace->pcapng, PCAPNG_INTERFACE_MAX);
	const char *name = room ? links_add(&trace->links, party, place) : NULL;

	if (!name)
		return -1;
	trace->pcapng.used += pcapng_interface(room, name, 0);
	return trace->links.count - 1;
}

static int trace_link(struct trace *trace, int party)
{
	int link = links_find_party(&trace->links, party);

	return link < 0 ? trace_add_link(trace, party, NULL) : link;
}

/* -1 when the record names no place. */
static int trace_place(struct trace *trace, const struct record *record)
{
	int place = record->at[0] ? links_find_place(&trace->links, record->at) : 0;

	if (!record->at[0])
		return -1;
	return place < 0 ? trace_add_link(trace, LINKS_PLACE, record->at) : place;
}

static bool write_pcapng(struct trace *trace, const struct record *record,
			 const struct trace_entry *entry)
{
	uint8_t bytes[TLP_BYTES_MAX];
	int link = trace_link(trace, record->requester), place = trace_place(trace, record);
	size_t full, size = trace_entry_encode(entry, bytes, &full);
	uint8_t *room;

	/* A CPU access to a trapped BAR is no payload in memory, but the value of an access. */
	if (!entry->kept)
		size += record_value_payload(record, bytes + size);
	room = link < 0 ? NULL : output_room(trace, &trace->pcapng, PCAPNG_PACKET_MAX + size);
	if (room)
		trace->pcapng.used += pcapng_packet(room, record, link, place, bytes, size, full);
	return room;
}

static void write_entry(struct trace *trace, const struct trace_entry *entry)
{
	struct record record;
	bool written = true;

	trace_entry_record(entry, &record);
	if (trace->counts) {
		pthread_mutex_lock(&trace->counts_lock);
		summary_add(trace->counts, &record, false);
		pthread_mutex_unlock(&trace->counts_lock);
	}
	if (trace->text.fd >= 0)
		written &= write_text(trace, &record);
	if (trace->pcapng.fd >= 0)
		written &= write_pcapng(trace, &record, entry);
	if (!written || trace->error)
		trace->lost++;
}

static void drain(struct trace *trace)
{
	const struct trace_entry *entry;

	while ((entry = trace_ring_peek(&trace->ring))) {
		write_entry(trace, entry);
		trace_ring_release(&trace->ring);
	}
	if (trace->text.fd >= 0)
		output_flush(trace, &trace->text);
	if (trace->pcapng.fd >= 0)
		output_flush(trace, &trace->pcapng);
	pthread_mutex_lock(&trace->lock);
	atomic_store(&trace->written, atomic_load(&trace->ring.tail));
	pthread_cond_broadcast(&trace->drained);
	pthread_mutex_unlock(&trace->lock);
}

/* Until there is something in the ring, or the trace ends. */
static void sleep_until_woken(struct trace *trace)
{
	pthread_mutex_lock(&trace->lock);
	atomic_store(&trace->asleep, true);
	while (!trace_ring_peek(&trace->ring) && !atomic_load(&trace->stop) &&
	       atomic_load(&trace->asleep))
		pthread_cond_wait(&trace->wake, &trace->lock);
	atomic_store(&trace->asleep, false);
	pthread_mutex_unlock(&trace->lock);
}

static void *writer_main(void *arg)
{
	const struct timespec look_again = { .tv_nsec = LOOK_AGAIN_NS };
	struct trace *trace = arg;
	unsigned int idle = 0;

	while (!atomic_load(&trace->stop)) {
		if (trace_ring_peek(&trace->ring)) {
			idle = 0;
			drain(trace);
		}
		/* TLPs come in bursts: each would pay for waking this thread. */
		if (++idle < LOOK_AGAIN) {
			nanosleep(&look_again, NULL);
		} else {
			sleep_until_woken(trace);
			idle = 0;
		}
	}
	drain(trace);
	return NULL;
}

static void wake(struct trace *trace)
{
	pthread_mutex_lock(&trace->lock);
	atomic_store(&trace->asleep, false);
	pthread_cond_signal(&trace->wake);
	pthread_mutex_unlock(&trace->lock);
}

static void close_files(const struct trace_options *options)
{
	if (options->text >= 0)
		close(options->text);
	if (options->pcapng >= 0)
		close(options->pcapng);
}

static int trace_start(struct trace *trace)
{
	int ret = trace_ring_init(&trace->ring, RING_SIZE);

	if (ret)
		return ret;
	pthread_mutex_init(&trace->lock, NULL);
	pthread_mutex_init(&trace->counts_lock, NULL);
	pthread_cond_init(&trace->wake, NULL);
	pthread_cond_init(&trace->drained, NULL);
	if (trace->pcapng.fd >= 0)
		trace->pcapng.used = pcapng_section(trace->pcapng.buffer, "tphbuf-endpoints");
	ret = -pthread_create(&trace->thread, NULL, writer_main, trace);
	if (ret)
		trace_ring_free(&trace->ring);
	return ret;
}

struct trace *trace_create(const struct trace_options *options)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	int ret = -ENOMEM;

	if (trace) {
		trace->options = *options;
		trace->text.fd = options->text;
		trace->pcapng.fd = options->pcapng;
		if (options->count)
			trace->counts = malloc(sizeof(*trace->counts));
		if (trace->counts)
			summary_init(trace->counts);
		if (!options->count || trace->counts)
			ret = trace_start(trace);
	}
	if (ret) {
		close_files(options);
		if (trace)
			free(trace->counts);
		free(trace);
		errno = -ret;
		return NULL;
	}
	return trace;
}

struct trace_end trace_destroy(struct trace *trace)
{
	struct trace_end end = { 0 };

	if (!trace)
		return end;
	atomic_store(&trace->stop, true);
	wake(trace);
	pthread_join(trace->thread, NULL);
	end.error = trace->error;
	if (trace->text.fd >= 0 && close(trace->text.fd) && !end.error)
		end.error = -errno;
	if (trace->pcapng.fd >= 0 && close(trace->pcapng.fd) && !end.error)
		end.error = -errno;
	end.lost = trace->lost + trace->no_room;
	trace_ring_free(&trace->ring);
	pthread_cond_destroy(&trace->wake);
	pthread_cond_destroy(&trace->drained);
	pthread_mutex_destroy(&trace->lock);
	pthread_mutex_destroy(&trace->counts_lock);
	free(trace->counts);
	free(trace);
	return end;
}

void trace_mark(struct trace *trace, const char *text)
{
	size_t len = trace ? strnlen(text, RECORD_MARK_MAX - 1) : 0;

	if (!trace)
		return;
	memcpy(trace->mark, text, len);
	trace->mark[len] = '\0';
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (uint64_t)time.tv_sec * 1000000000u + time.tv_nsec;
}

/* Bytes of a payload that are kept. */
static uint32_t kept_of(const struct trace *trace, size_t payload)
{
	if (trace->pcapng.fd < 0)
		return 0;
	return payload < trace->options.payload ? payload : trace->options.payload;
}

/*
 * A place in the ring for the next TLP, all of it 0 but number, time, and the sizes of what
 * follows; NULL without room.
 */
static struct trace_entry *entry_begin(struct trace *trace, uint32_t kept, size_t mark, size_t at)
{
	struct trace_entry *entry;

	trace->number++;
	entry = trace_ring_reserve(&trace->ring, sizeof(*entry) + kept + mark + at);
	if (!entry) {
		trace->no_room++;
		return NULL;
	}
	*entry = (struct trace_entry){
		.number = trace->number,
		.time = now(),
		.kept = kept,
		.mark = mark,
		.at = at,
	};
	return entry;
}

static void entry_end(struct trace *trace)
{
	trace_ring_commit(&trace->ring);
	if (atomic_load(&trace->asleep))
		wake(trace);
}

static void entry_value(struct trace_entry *entry, const uint8_t *value, size_t bytes)
{
	if (bytes > TRACE_VALUE_MAX)
		return;
	entry->value_bytes = bytes;
	memcpy(entry->value, value, bytes);
}

static void entry_request(struct trace_entry *entry, const struct tlp *tlp)
{
	entry->tlp = *tlp;
	entry->tlp.data = NULL;
	if (entry->kept)
		memcpy(trace_entry_payload(entry), tlp->data, entry->kept);
}

void trace_record(struct trace *trace, const struct tlp *tlp, const struct tlp_outcome *outcome,
		  const uint8_t *value)
{
	struct trace_entry *entry;
	size_t mark, at = 0;

	if (!trace)
		return;
	mark = trace->mark[0] ? strlen(trace->mark) + 1 : 0;
	if (outcome->at)
		at = strlen(outcome->at) + 1;
	entry = entry_begin(trace, tlp->data ? kept_of(trace, tlp_payload(tlp)) : 0, mark, at);
	if (!entry)
		return;
	entry_request(entry, tlp);
	entry->completer = outcome->completer;
	entry->result = outcome->result;
	entry->injected = outcome->injected;
	if (value)
		entry_value(entry, value, tlp_enabled_bytes(tlp));
	memcpy(trace_entry_mark(entry), trace->mark, mark);
	memcpy(trace_entry_place(entry), at ? outcome->at : "", at);
	trace->mark[0] = '\0';
	entry_end(trace);
}

bool trace_shows_completions(const struct trace *trace)
{
	return trace && trace->options.completions;
}

void trace_record_completion(struct trace *trace, const struct tlp_completion *completion,
			     enum tlp_result result)
{
	struct trace_entry *entry;
	size_t skip = tlp_completion_skip(completion), bytes = completion->bytes;

	if (!trace_shows_completions(trace))
		return;
	entry = entry_begin(trace, kept_of(trace, tlp_completion_length(completion) * 4u), 0, 0);
	if (!entry)
		return;
	entry->kind = TRACE_COMPLETION;
	entry->completion = *completion;
	entry->completion.data = NULL;
	entry->result = result;
	memset(trace_entry_payload(entry), 0, entry->kept);
	if (bytes > entry->kept - skip && entry->kept > skip)
		bytes = entry->kept - skip;
	if (entry->kept > skip)
		memcpy(trace_entry_payload(entry) + skip, completion->data, bytes);
	if (completion->requester == TRACE_RC && completion->bytes)
		entry_value(entry, completion->data, completion->bytes);
	entry_end(trace);
}

void trace_record_interrupt(struct trace *trace, const struct tlp *tlp, unsigned int vector)
{
	struct trace_entry *entry;

	if (!trace_shows_completions(trace))
		return;
	entry = entry_begin(trace, kept_of(trace, tlp_payload(tlp)), 0, 0);
	if (!entry)
		return;
	entry->kind = TRACE_INTERRUPT;
	entry_request(entry, tlp);
	entry->completer = TRACE_RC;
	entry->vector = vector;
	entry_value(entry, tlp->data, tlp_payload(tlp));
	entry_end(trace);
}

void trace_flush(struct trace *trace)
{
	uint64_t place;

	if (!trace)
		return;
	place = atomic_load(&trace->ring.ready);
	wake(trace);
	pthread_mutex_lock(&trace->lock);
	while (atomic_load(&trace->written) < place)
		pthread_cond_wait(&trace->drained, &trace->lock);
	pthread_mutex_unlock(&trace->lock);
}

int trace_print_counts(struct trace *trace, FILE *out)
{
	struct summary *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	trace_flush(trace);
	pthread_mutex_lock(&trace->counts_lock);
	*copy = *trace->counts;
	pthread_mutex_unlock(&trace->counts_lock);
	summary_sort(copy);
	summary_print(copy, out);
	free(copy);
	return 0;
}
