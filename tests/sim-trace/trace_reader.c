/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tests' reader of traces. Strict: a field that the format's subset does not have fails the
 * test.
 */
#include "tests/sim-trace/trace_reader.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ck_assert reports to Check each time, which is slow for every byte */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("malformed: %s", #condition);                                 \
	} while (0)

struct span {
	const uint8_t *at, *end;
};

struct field {
	unsigned int number;
	uint64_t value; /* varint, fixed64 */
	struct span bytes;
};

static char path[64];
static uint8_t *contents;
static char *names[3][4096]; /* categories, event names, keys */
static uint64_t clock_ns;

const char *trace_reader_path(void)
{
	snprintf(path, sizeof(path), "/tmp/svasim-trace-%d.pftrace", (int)getpid());
	return path;
}

static uint64_t varint(struct span *s)
{
	uint64_t value = 0;

	for (unsigned int shift = 0;; shift += 7) {
		must(s->at < s->end && shift < 64);
		value |= (uint64_t)(*s->at & 0x7f) << shift;
		if (!(*s->at++ & 0x80))
			return value;
	}
}

static bool next_field(struct span *s, struct field *f)
{
	uint64_t tag;

	if (s->at == s->end)
		return false;
	tag = varint(s);
	*f = (struct field){.number = (unsigned int)(tag >> 3)};
	switch (tag & 7) {
	case 0:
		f->value = varint(s);
		break;
	case 1:
		must(s->end - s->at >= 8);
		memcpy(&f->value, s->at, 8);
		s->at += 8;
		break;
	case 2:
		f->value = varint(s);
		must((uint64_t)(s->end - s->at) >= f->value);
		f->bytes = (struct span){s->at, s->at + f->value};
		s->at += f->value;
		break;
	default:
		ck_abort_msg("wire type %u", (unsigned int)(tag & 7));
	}
	return true;
}

static void copy_text(char *to, size_t size, struct span s)
{
	snprintf(to, size, "%.*s", (int)(s.end - s.at), (const char *)s.at);
}

static void read_interned(struct span s)
{
	struct field f, g;

	while (next_field(&s, &f)) {
		uint64_t iid = 0;

		ck_assert(f.number >= 1 && f.number <= 3);
		while (next_field(&f.bytes, &g)) {
			if (g.number == 1) {
				iid = g.value;
				ck_assert(iid > 0 && iid < 4096);
				continue;
			}
			ck_assert_uint_eq(g.number, 2);
			ck_assert_msg(!names[f.number - 1][iid], "interned twice");
			names[f.number - 1][iid] = strndup((const char *)g.bytes.at,
							   (size_t)(g.bytes.end - g.bytes.at));
		}
	}
}

static const char *name_of(unsigned int table, uint64_t iid)
{
	must(iid < 4096 && names[table][iid]);
	return names[table][iid];
}

static void read_arg(struct trace_event *e, struct span s)
{
	struct field f;

	ck_assert_uint_lt(e->arg_count, 6);
	while (next_field(&s, &f)) {
		if (f.number == 1)
			e->args[e->arg_count].key = name_of(2, f.value);
		else if (f.number == 6)
			copy_text(e->args[e->arg_count].text, 32, f.bytes);
		else
			e->args[e->arg_count].number = f.value;
	}
	e->arg_count++;
}

static void read_event(struct trace_event *e, struct span s)
{
	struct field f;

	e->name = e->category = "";
	while (next_field(&s, &f)) {
		switch (f.number) {
		case 3:
			e->category = name_of(0, f.value);
			break;
		case 4:
			read_arg(e, f.bytes);
			break;
		case 9:
			e->type = (unsigned int)f.value;
			break;
		case 10:
			e->name = name_of(1, f.value);
			break;
		case 11:
			e->track = f.value;
			break;
		case 30:
			e->value = (int64_t)f.value;
			break;
		case 47:
			e->flow = f.value;
			break;
		case 48:
			e->flow_end = f.value;
			break;
		default:
			ck_abort_msg("track event field %u", f.number);
		}
	}
}

static void read_track(struct trace_track_info *t, struct span s)
{
	struct field f, g;

	while (next_field(&s, &f)) {
		switch (f.number) {
		case 1:
			t->uuid = f.value;
			break;
		case 2:
			copy_text(t->name, sizeof(t->name), f.bytes);
			break;
		case 5:
			t->parent = f.value;
			break;
		case 8:
			t->counter = true;
			while (next_field(&f.bytes, &g)) {
				if (g.number == 6)
					copy_text(t->unit, sizeof(t->unit), g.bytes);
				else
					snprintf(t->unit, sizeof(t->unit), "%u",
						 (unsigned int)g.value);
			}
			break;
		case 11:
			ck_assert_uint_eq(f.value, 3);
			break;
		case 12:
			t->rank = (int64_t)f.value;
			break;
		case 15:
			t->merge = (unsigned int)f.value;
			break;
		default:
			ck_abort_msg("track descriptor field %u", f.number);
		}
	}
}

static void read_packet(struct trace_file *file, struct span s)
{
	struct trace_event event = {0};
	bool absolute = false, is_event = false;
	struct span body = {0};
	uint64_t time = 0;
	struct field f;

	while (next_field(&s, &f)) {
		switch (f.number) {
		case 6:
			clock_ns = 0;
			break;
		case 8:
			time = f.value;
			break;
		case 10:
			must(f.value == 1);
			break;
		case 11:
			is_event = true;
			body = f.bytes;
			break;
		case 12:
			read_interned(f.bytes);
			break;
		case 13:
			ck_assert_uint_eq(f.value, 3);
			break;
		case 58:
			absolute = f.value == 6;
			break;
		case 59:
			break;
		case 60:
			read_track(&file->tracks[file->track_count++], f.bytes);
			break;
		default:
			ck_abort_msg("packet field %u", f.number);
		}
	}
	file->packets++;
	if (!is_event)
		return;
	read_event(&event, body);
	if (!absolute)
		clock_ns += time;
	event.ns = absolute ? time : clock_ns;
	event.absolute = absolute;
	if ((file->count & (file->count - 1)) == 0) {
		size_t capacity = file->count ? 2 * file->count : 1;

		file->events = realloc(file->events, capacity * sizeof(event));
	}
	file->events[file->count++] = event;
}

const struct trace_track_info *trace_reader_track(const struct trace_file *file, uint64_t uuid)
{
	for (size_t i = 0; i < file->track_count; i++) {
		if (file->tracks[i].uuid == uuid)
			return &file->tracks[i];
	}
	return NULL;
}

static void check_nesting(struct trace_file *file)
{
	static int depth[1024];
	uint64_t last = 0;

	memset(depth, 0, sizeof(depth));
	for (size_t i = 0; i < file->count; i++) {
		const struct trace_event *e = &file->events[i];

		must(e->track < 1024);
		if (!trace_reader_track(file, e->track))
			file->misnested++;
		if (e->type == 1)
			depth[e->track]++;
		if (e->type == 2 && --depth[e->track] < 0)
			file->misnested++;
		must(e->absolute || e->ns >= last);
		if (!e->absolute)
			last = e->ns;
	}
	for (size_t t = 0; t < 1024; t++)
		file->misnested += depth[t] != 0;
}

struct trace_file trace_reader_load(const char *from)
{
	struct trace_file file = {0};
	FILE *in = fopen(from, "rb");
	struct span s;
	struct field f;
	long size;

	ck_assert_ptr_nonnull(in);
	fseek(in, 0, SEEK_END);
	size = ftell(in);
	rewind(in);
	contents = malloc((size_t)size + 1);
	ck_assert_uint_eq(fread(contents, 1, (size_t)size, in), (size_t)size);
	fclose(in);
	memset(names, 0, sizeof(names));
	s = (struct span){contents, contents + size};
	while (next_field(&s, &f)) {
		must(f.number == 1);
		read_packet(&file, f.bytes);
	}
	file.bytes = (uint64_t)size;
	check_nesting(&file);
	return file;
}

void trace_reader_free(struct trace_file *file)
{
	for (unsigned int t = 0; t < 3; t++) {
		for (unsigned int i = 0; i < 4096; i++)
			free(names[t][i]);
	}
	free(file->events);
	free(contents);
	unlink(path);
}
