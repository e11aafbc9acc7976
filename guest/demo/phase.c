// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <accelerator_regs.h>

#include "mark.h"
#include "phase.h"

/* Two values a phase, unlike anything that else ends up in MARK. */
#define DEMO_MARK	0x44454d00u

/* Tags of the two namespaces mean the same here, but are different numbers. */
const struct demo_plan demo_plans[DEMO_PHASES] = {
	{
		.name = "untagged",
		.publish = DEMO_PUBLISH_NOTHING,
		.op = DEMO_OP_STORE,
	},
	{
		.name = "store",
		.publish = DEMO_PUBLISH_TAG,
		.op = DEMO_OP_STORE,
		.st = ACC_ST_OP_STORE << 4 | 0x3,
		.st_ext = ACC_ST_EXT_OP_STORE << 8 | 0x21,
		.ph = TPHBUF_PH_BIDIRECTIONAL,
	},
	{
		.name = "add",
		.publish = DEMO_PUBLISH_TAG,
		.op = DEMO_OP_ADD,
		.st = ACC_ST_OP_ADD << 4 | 0x5,
		.st_ext = ACC_ST_EXT_OP_ADD << 8 | 0x05,
		.ph = TPHBUF_PH_TARGET,
	},
	{
		.name = "retagged",
		.publish = DEMO_PUBLISH_TAG,
		.op = DEMO_OP_XOR,
		.st = ACC_ST_OP_XOR << 4 | 0xe,
		.st_ext = ACC_ST_EXT_OP_XOR << 8 | 0xc7,
		.ph = TPHBUF_PH_TARGET_PRIORITY,
	},
	{
		.name = "cleared",
		.publish = DEMO_PUBLISH_CLEAR,
		.op = DEMO_OP_STORE,
	},
	{
		.name = "revoked",
		.publish = DEMO_PUBLISH_REVOKE,
		.op = DEMO_OP_NONE,
	},
};

const char *demo_op_name(enum demo_op op)
{
	switch (op) {
	case DEMO_OP_STORE:
		return "store";
	case DEMO_OP_ADD:
		return "add";
	case DEMO_OP_XOR:
		return "xor";
	case DEMO_OP_NONE:
		break;
	}
	return "none";
}

static bool op_needs_lanes(enum demo_op op)
{
	return op == DEMO_OP_ADD || op == DEMO_OP_XOR;
}

/*
 * What the CPU puts into lane @lane before a phase: other values in each phase,
 * so that nothing is right by having been there.
 */
static uint32_t pattern(unsigned int phase, uint64_t lane)
{
	uint32_t x = (uint32_t)lane * 0x9e3779b1u + (phase + 1) * 0x85ebca6bu;

	return x ^ x >> 15;
}

static volatile uint32_t *lanes(struct demo *demo)
{
	return (volatile uint32_t *)(demo->acc.mem + demo->bar_offset);
}

static void fill(struct demo *demo, unsigned int phase)
{
	volatile uint32_t *mem = lanes(demo);

	for (uint64_t i = 0; i < demo->buffer_size / 4; i++)
		mem[i] = htole32(pattern(phase, i));
}

/* What of lane @lane the first @bytes bytes of the file replace; returns the mask of these bits. */
static uint32_t sent_lane(struct demo *demo, uint64_t bytes, uint64_t lane, uint32_t *payload)
{
	uint64_t start = lane * 4;
	uint32_t mask = 0;

	*payload = 0;
	/* Nearly all lanes. There are millions of them, and they are checked under emulation. */
	if (start >= demo->buffer_offset && start + 4 <= demo->buffer_offset + bytes) {
		memcpy(payload, demo->data + start - demo->buffer_offset, 4);
		*payload = le32toh(*payload);
		return UINT32_MAX;
	}
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t at = start + i;

		if (at < demo->buffer_offset || at - demo->buffer_offset >= bytes)
			continue;
		*payload |= (uint32_t)demo->data[at - demo->buffer_offset] << 8 * i;
		mask |= 0xffu << 8 * i;
	}
	return mask;
}

/* What a lane has to hold after @bytes bytes of the file were sent. */
static uint32_t wanted_lane(struct demo *demo, unsigned int phase, enum demo_op op, uint64_t bytes,
			    uint64_t lane)
{
	uint32_t old = pattern(phase, lane), payload, mask;

	if (op == DEMO_OP_NONE)
		return old;
	mask = sent_lane(demo, bytes, lane, &payload);
	if (!mask)
		return old;
	switch (op) {
	case DEMO_OP_ADD:
		return old + payload;
	case DEMO_OP_XOR:
		return old ^ payload;
	default:
		return (old & ~mask) | payload;
	}
}

static bool check_data(struct demo *demo, unsigned int phase, struct demo_result *result)
{
	volatile uint32_t *mem = lanes(demo);

	for (uint64_t i = 0; i < demo->buffer_size / 4; i++) {
		uint32_t want = wanted_lane(demo, phase, result->op, result->bytes, i);
		uint32_t got = le32toh(mem[i]);

		if (got == want)
			continue;
		snprintf(result->why, sizeof(result->why),
			 "memory at buffer offset 0x%" PRIx64 " is 0x%08" PRIx32
			 " and not 0x%08" PRIx32, i * 4, got, want);
		return false;
	}
	return true;
}

static struct tphbuf_tag plan_tag(struct demo *demo, const struct demo_plan *plan)
{
	struct tphbuf_tag tag = {
		.valid = TPHBUF_TAG_ST,
		.st = plan->st,
		.ph = plan->ph,
	};

	if (demo->acc.completer == 3) {
		tag.valid |= TPHBUF_TAG_ST_EXT;
		tag.st_ext = plan->st_ext;
	}
	return tag;
}

static int publish(struct demo *demo, const struct demo_plan *plan)
{
	struct tphbuf_tag tag;
	int ret;

	switch (plan->publish) {
	case DEMO_PUBLISH_TAG:
		tag = plan_tag(demo, plan);
		ret = tphbuf_set_tag(demo->acc.dev, demo->dmabuf, &tag, NULL);
		return ret ? ret : mark_set(demo, &tag);
	case DEMO_PUBLISH_CLEAR:
		ret = tphbuf_clear_tag(demo->acc.dev, demo->dmabuf, NULL);
		return ret ? ret : mark_event(demo, "clear");
	default:
		return 0;
	}
}

/*
 * Expectations: what leaves the sender, and what the accelerator makes of it.
 */
static void expect(struct demo *demo, const struct demo_plan *plan, struct demo_result *result)
{
	if (plan->publish == DEMO_PUBLISH_TAG) {
		struct tphbuf_tag tag = plan_tag(demo, plan);

		if (demo->name_space == DEMO_8BIT) {
			result->tagged = tag.valid & TPHBUF_TAG_ST;
			result->st = tag.st;
		} else if (demo->name_space == DEMO_EXTENDED) {
			result->tagged = tag.valid & TPHBUF_TAG_ST_EXT;
			result->st = tag.st_ext;
		}
		result->ph = tag.ph;
	}
	result->op = plan->op;
	if (op_needs_lanes(plan->op) && (!result->tagged || demo->translated))
		result->op = DEMO_OP_STORE;
}

static void check_importer(struct demo_result *result)
{
	const struct sender_state *state = &result->state;

	if (result->state_error || result->why[0])
		return;
	if (state->mapping_known && state->mapped != (result->op != DEMO_OP_NONE))
		snprintf(result->why, sizeof(result->why),
			 "the importer has %s mapping of the buffer", state->mapped ? "a" : "no");
	else if (state->tagged != result->tagged)
		snprintf(result->why, sizeof(result->why), "the importer got %s tag",
			 state->tagged ? "a" : "no");
	else if (state->tagged && (state->st != result->st || state->ph != result->ph))
		snprintf(result->why, sizeof(result->why),
			 "the importer got tag 0x%x with hint %u, not 0x%x with hint %u",
			 state->st, state->ph, result->st, result->ph);
}

static void check_counters(struct demo *demo, struct demo_result *result)
{
	const struct accelerator_counters *c = &result->counters;
	const char *why = NULL;

	if (result->why[0])
		return;
	if (demo->translated || result->op == DEMO_OP_NONE) {
		if (c->writes || c->malformed)
			why = "the accelerator counted writes where none should arrive as TLPs";
	} else if (!c->writes || c->bytes != result->bytes) {
		why = "the accelerator did not count the bytes that were sent";
	} else if (c->malformed) {
		why = "the accelerator refused writes";
	} else if (!result->tagged) {
		if (c->untagged != c->writes)
			why = "the accelerator counted tagged writes";
	} else if (c->with_tag != c->writes || c->in_partition != c->writes) {
		why = "the accelerator counted writes without the tag";
	} else if (c->ph[result->ph] != c->writes) {
		why = "the accelerator counted writes with another processing hint";
	}
	if (why)
		snprintf(result->why, sizeof(result->why), "%s", why);
}

static void check_error(const struct demo *demo, struct demo_result *result)
{
	int want = result->op == DEMO_OP_NONE ? demo->ops->revoked_error : 0;

	if (result->error == want)
		return;
	snprintf(result->why, sizeof(result->why), "the sender returned \"%s\" instead of \"%s\"",
		 strerror(-result->error), strerror(-want));
}

static int count(struct demo *demo, const struct demo_result *result,
		 struct accelerator_counters *counters)
{
	return accelerator_count(&demo->acc, demo->name_space == DEMO_EXTENDED,
				 result->tagged ? result->st : 0, counters);
}

/*
 * Between the two marks: nothing but the writes of the sender, and around them
 * what it takes to revoke.
 */
static int send(struct demo *demo, const struct demo_plan *plan, struct demo_result *result)
{
	bool revoke = plan->publish == DEMO_PUBLISH_REVOKE;
	size_t length = demo->file_bytes;
	int ret;

	if (op_needs_lanes(result->op))
		length = (length + 3) & ~(size_t)3;

	ret = mark_begin(demo, result);
	/* The register of marks goes with the memory. */
	if (!ret && revoke)
		ret = mark_event(demo, "revoke");
	if (!ret && revoke)
		ret = tphbuf_device_disable_memory(demo->acc.dev);
	if (ret)
		return ret;

	result->error = demo->ops->send(demo->sender, demo->buffer_offset, demo->data, length);
	result->bytes = result->error ? 0 : length;
	result->state_error = demo->ops->state(demo->sender, &result->state);

	if (revoke)
		ret = tphbuf_device_enable_memory(demo->acc.dev);
	if (!ret && revoke)
		ret = mark_event(demo, "un-revoke");
	if (!ret)
		ret = mark_end(demo, result);
	return ret;
}

int demo_run_phase(struct demo *demo, unsigned int index, struct demo_result *result)
{
	const struct demo_plan *plan = &demo_plans[index];
	struct accelerator_counters before;
	int ret;

	*result = (struct demo_result){
		.name = plan->name,
		.mark = DEMO_MARK + 2 * index,
		.mark_end = DEMO_MARK + 2 * index + 1,
	};
	expect(demo, plan, result);

	ret = publish(demo, plan);
	if (ret)
		return ret;
	/*
	 * Only a new mapping asks for the tag, and an import begins with none.
	 */
	ret = demo->ops->import(demo->sender, demo->dmabuf);
	if (!ret)
		ret = mark_event(demo, demo->ops->imported);
	if (ret)
		return ret;
	fill(demo, index);
	ret = count(demo, result, &before);
	if (!ret)
		ret = send(demo, plan, result);
	if (!ret)
		ret = count(demo, result, &result->counters);
	if (!ret)
		ret = demo->ops->release(demo->sender);
	if (ret)
		return ret;

	accelerator_subtract(&result->counters, &before);
	check_error(demo, result);
	result->data_ok = check_data(demo, index, result);
	check_importer(result);
	check_counters(demo, result);
	return 0;
}

int demo_learn_namespace(struct demo *demo)
{
	struct tphbuf_tag tag = plan_tag(demo, &demo_plans[1]);
	struct sender_state state;
	int ret;

	ret = tphbuf_set_tag(demo->acc.dev, demo->dmabuf, &tag, NULL);
	if (!ret)
		ret = demo->ops->import(demo->sender, demo->dmabuf);
	if (ret)
		return ret;
	ret = demo->ops->touch(demo->sender);
	if (!ret)
		ret = demo->ops->state(demo->sender, &state);
	if (!ret)
		ret = demo->ops->release(demo->sender);
	if (!ret)
		ret = tphbuf_clear_tag(demo->acc.dev, demo->dmabuf, NULL);
	if (ret)
		return ret;

	if (state.extended)
		demo->name_space = DEMO_EXTENDED;
	else
		demo->name_space = state.tagged ? DEMO_8BIT : DEMO_NO_HINTS;
	return 0;
}
