/* SPDX-License-Identifier: BSD-3-Clause */
/* Which accelerators there are, as /sys/class/uacce says, and which of them has a user driver here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "workloads/libwd/sys.h"
#include "workloads/libwd/wd_internal.h"

#define CLASS_DIR "/sys/class/uacce"

/* halves of the scratch page: a path, and what the kernel writes */
#define SCRATCH_BUFFER(scratch) ((scratch) + SYS_PAGE / 2)
#define BUFFER_BYTES		(SYS_PAGE / 2)

#define UACCE_FLAG_SVA 1u

const struct wd_driver *const wd_drivers[] = {&wd_drv_qm};
const unsigned int wd_driver_count = sizeof(wd_drivers) / sizeof(wd_drivers[0]);

/* A text attribute without its last newline; false if it cannot be read. */
static bool read_attribute(uint64_t scratch, const char *device, const char *attribute, char *text,
			   size_t size)
{
	char path[160];
	int64_t fd, bytes;

	snprintf(path, sizeof(path), CLASS_DIR "/%s/%s", device, attribute);
	fd = sys_open(scratch, path, SYS_O_RDONLY | SYS_O_CLOEXEC);
	if (fd < 0)
		return false;
	bytes = sys_read(fd, SCRATCH_BUFFER(scratch), size - 1);
	sys_close(fd);
	if (bytes < 0)
		return false;
	prog_read(text, SCRATCH_BUFFER(scratch), (size_t)bytes);
	if (bytes && text[bytes - 1] == '\n')
		bytes--;
	text[bytes] = '\0';
	return true;
}

static bool read_number(uint64_t scratch, const char *device, const char *attribute,
			uint64_t *value)
{
	char text[32];

	if (!read_attribute(scratch, device, attribute, text, sizeof(text)) || text[0] < '0' ||
	    text[0] > '9')
		return false;
	*value = 0;
	for (const char *p = text; *p >= '0' && *p <= '9'; p++)
		*value = *value * 10 + (uint64_t)(*p - '0');
	return true;
}

/* One algorithm a line. */
static bool has_algorithm(const char *algorithms, const char *wanted)
{
	size_t length = strlen(wanted);

	for (const char *line = algorithms; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, wanted, length) && (line[length] == '\n' || !line[length]))
			return length != 0;
	}
	return false;
}

static bool find_driver(const char *api, uint32_t *driver)
{
	for (*driver = 0; *driver < wd_driver_count; ++*driver) {
		for (const char *const *known = wd_drivers[*driver]->apis; *known; known++) {
			if (!strcmp(*known, api))
				return true;
		}
	}
	return false;
}

/* Nodes are named <name>-<id>. */
static bool parse_id(const char *name, uint32_t *id)
{
	const char *p = strrchr(name, '-');

	if (!p || !p[1])
		return false;
	*id = 0;
	for (p++; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*id = *id * 10 + (uint32_t)(*p - '0');
	}
	return true;
}

static bool examine(uint64_t scratch, const char *name, const char *algorithm, uint32_t wanted_id,
		    struct wd_device *device)
{
	char text[256];
	uint64_t flags;

	if (strlen(name) >= sizeof(device->name) || !parse_id(name, &device->id) ||
	    (wanted_id != WD_ANY_DEVICE && wanted_id != device->id))
		return false;
	memcpy(device->name, name, strlen(name) + 1);
	if (!read_attribute(scratch, name, "api", text, sizeof(text)) ||
	    !find_driver(text, &device->driver) ||
	    !read_attribute(scratch, name, "algorithms", text, sizeof(text)) ||
	    !has_algorithm(text, algorithm))
		return false;
	/* without SVA the addresses in a message would mean nothing to the device */
	return read_number(scratch, name, "flags", &flags) && (flags & UACCE_FLAG_SVA) &&
	       read_number(scratch, name, "available_instances", &device->instances) &&
	       read_number(scratch, name, "region_mmio_size", &device->mmio_bytes) &&
	       read_number(scratch, name, "region_dus_size", &device->dus_bytes);
}

static bool better(const struct wd_device *a, const struct wd_device *b)
{
	return a->instances > b->instances || (a->instances == b->instances && a->id < b->id);
}

static bool take_better(const struct wd_queue *q, uint64_t scratch, const char *name,
			struct wd_device *best, bool have)
{
	struct wd_device device;
	char algorithm[WD_NAME_BYTES];

	prog_read(algorithm, PROG_VA(q->algorithm), sizeof(algorithm));
	algorithm[sizeof(algorithm) - 1] = '\0';
	if (name[0] == '.' || !examine(scratch, name, algorithm, LOAD(&q->device), &device))
		return have;
	if (!have || better(&device, best))
		*best = device;
	return true;
}

int wd_device_find(const struct wd_queue *q, uint64_t scratch, struct wd_device *found)
{
	int64_t dir = sys_open(scratch, CLASS_DIR, SYS_O_RDONLY | SYS_O_CLOEXEC);
	char entries[BUFFER_BYTES];
	bool have = false;
	int64_t bytes;

	if (dir < 0)
		return -ENODEV;
	while ((bytes = sys_getdents(dir, SCRATCH_BUFFER(scratch), BUFFER_BYTES)) > 0) {
		struct sys_dirent header;

		prog_read(entries, SCRATCH_BUFFER(scratch), (size_t)bytes);
		for (int64_t at = 0; at < bytes; at += header.reclen) {
			memcpy(&header, entries + at, offsetof(struct sys_dirent, name));
			have = take_better(q, scratch,
					   entries + at + offsetof(struct sys_dirent, name), found,
					   have);
		}
	}
	sys_close(dir);
	return have ? 0 : -ENODEV;
}
