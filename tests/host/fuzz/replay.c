// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a fuzz target on files, for compilers without libFuzzer: replay [--mutations N | --fail-nth]
 * FILE...
 *
 * With --mutations, N further inputs are made from the files by small changes, the same ones every
 * time. With --fail-nth, each file is run with its first allocation failing, then with its second,
 * and so on until none is left to fail. The allocations are those of the code under test, which the
 * linker sends here (--wrap).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX	65536
#define CHANGES_MAX	8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

/* Allocations until one fails; 0: none does any more. Threads of a target allocate too. */
static unsigned long fail_in;

static bool fails_now(void)
{
	unsigned long left = __atomic_load_n(&fail_in, __ATOMIC_SEQ_CST);

	while (left && !__atomic_compare_exchange_n(&fail_in, &left, left - 1, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return left == 1;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return fails_now() ? NULL : __real_realloc(block, size);
}

struct input {
	uint8_t *data;
	size_t size;
};

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static int read_input(const char *path, struct input *input)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	input->data = malloc(INPUT_MAX);
	input->size = input->data ? fread(input->data, 1, INPUT_MAX, file) : 0;
	fclose(file);
	return input->data ? 0 : -1;
}

static void change(struct input *input, const struct input *other)
{
	static const uint8_t interesting[] = { 0, 1, 2, 0x0f, 0x10, 0x1f, 0x20, 0x7f, 0x80, 0xff };
	size_t at = random_below(input->size), length;

	switch (random_below(5)) {
	case 0:
		input->data[at] ^= (uint8_t)(1u << random_below(8));
		break;
	case 1:
		input->data[at] = interesting[random_below(sizeof(interesting))];
		break;
	case 2:
		input->size = at + 1;
		break;
	case 3:
		length = input->size - at;
		if (input->size + length <= INPUT_MAX) {
			memmove(input->data + at + length, input->data + at, length);
			input->size += length;
		}
		break;
	default:
		length = random_below(other->size) + 1;
		if (at + length <= INPUT_MAX) {
			memcpy(input->data + at, other->data + (other->size - length), length);
			if (input->size < at + length)
				input->size = at + length;
		}
		break;
	}
}

static int mutate(const struct input *inputs, size_t count, unsigned long mutations)
{
	struct input input = { .data = malloc(INPUT_MAX) };

	if (!input.data)
		return -1;
	for (unsigned long i = 0; i < mutations; i++) {
		const struct input *seed = &inputs[random_below(count)];

		if (!seed->size)
			continue;
		memcpy(input.data, seed->data, seed->size);
		input.size = seed->size;
		for (uint64_t changes = random_below(CHANGES_MAX) + 1; changes; changes--) {
			const struct input *other = &inputs[random_below(count)];

			change(&input, other->size ? other : seed);
		}
		LLVMFuzzerTestOneInput(input.data, input.size);
	}
	free(input.data);
	return 0;
}

static void fail_nth(const struct input *input)
{
	for (unsigned long n = 1; ; n++) {
		__atomic_store_n(&fail_in, n, __ATOMIC_SEQ_CST);
		LLVMFuzzerTestOneInput(input->data, input->size);
		if (__atomic_exchange_n(&fail_in, 0, __ATOMIC_SEQ_CST))
			break;
	}
}

/* Return: 0, or -1 with a message. */
static int run(char **paths, size_t count, unsigned long mutations, bool fail)
{
	struct input *inputs = calloc(count + 1, sizeof(*inputs));
	int ret = inputs ? 0 : -1;

	for (size_t i = 0; i < count && !ret; i++) {
		ret = read_input(paths[i], &inputs[i]);
		if (!ret && fail)
			fail_nth(&inputs[i]);
		else if (!ret)
			LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
	}
	if (!ret && count)
		ret = mutate(inputs, count, mutations);
	for (size_t i = 0; inputs && i < count; i++)
		free(inputs[i].data);
	free(inputs);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned long mutations = 0;
	bool fail = false;
	int first = 1;

	if (argc > 2 && !strcmp(argv[1], "--mutations")) {
		mutations = strtoul(argv[2], NULL, 0);
		first = 3;
	} else if (argc > 1 && !strcmp(argv[1], "--fail-nth")) {
		fail = true;
		first = 2;
	}
	if (run(argv + first, (size_t)(argc - first), mutations, fail))
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
