/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm-generic/unistd.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/sys.h"
#include "workloads/include/program.h"

#define AT_FDCWD       ((uint64_t)-100)
#define O_CLOEXEC      02000000u
#define MAP_SHARED     0x01u
#define MAP_PRIVATE    0x02u
#define MAP_FIXED      0x10u
#define MAP_ANONYMOUS  0x20u
#define MADV_DONTNEED  4
#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED   2u
#define CHUNK	       1024u

static int64_t call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return prog_syscall(number, a0, a1, a2, a3, 0, 0);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int64_t map(uint64_t va, uint64_t bytes, unsigned int protection, unsigned int flags,
		   int64_t fd, uint64_t offset)
{
	return prog_syscall(__NR_mmap, va, bytes, protection, flags, (uint64_t)fd, offset);
}

int64_t sys_map(uint64_t va, uint64_t bytes, unsigned int protection)
{
	return map(va, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | (va ? MAP_FIXED : 0), -1,
		   0);
}

int64_t sys_map_shared(uint64_t bytes)
{
	return map(0, bytes, SYS_PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

int64_t sys_map_file(uint64_t bytes, unsigned int protection, int64_t fd, uint64_t offset)
{
	return map(0, bytes, protection, MAP_SHARED, fd, offset);
}

int64_t sys_unmap(uint64_t va, uint64_t bytes)
{
	return call(__NR_munmap, va, bytes, 0, 0);
}

int64_t sys_protect(uint64_t va, uint64_t bytes, unsigned int protection)
{
	return call(__NR_mprotect, va, bytes, protection, 0);
}

int64_t sys_discard(uint64_t va, uint64_t bytes)
{
	return call(__NR_madvise, va, bytes, MADV_DONTNEED, 0);
}

int64_t sys_remap(uint64_t va, uint64_t old_bytes, uint64_t bytes, uint64_t to)
{
	return prog_syscall(__NR_mremap, va, old_bytes, bytes,
			    MREMAP_MAYMOVE | (to ? MREMAP_FIXED : 0), to, 0);
}

/* A page for a call's structure, with `bytes` of it filled in */
static uint64_t scratch(const void *contents, size_t bytes)
{
	const uint64_t page = (uint64_t)sys_map(0, PAGE, SYS_PROT_RW);

	prog_write(page, contents, bytes);
	return page;
}

static void scratch_free(uint64_t page)
{
	sys_unmap(page, PAGE);
}

/* ---- files ----------------------------------------------------------------------------------- */

int64_t sys_open(const char *path, unsigned int flags)
{
	const uint64_t page = scratch(path, strlen(path) + 1);
	const int64_t fd = call(__NR_openat, AT_FDCWD, page, flags | O_CLOEXEC, 0);

	scratch_free(page);
	return fd;
}

int64_t sys_close(int64_t fd)
{
	return call(__NR_close, (uint64_t)fd, 0, 0, 0);
}

int64_t sys_ioctl(int64_t fd, uint64_t command, uint64_t argument)
{
	return call(__NR_ioctl, (uint64_t)fd, command, argument, 0);
}

int64_t sys_read_text(const char *path, char *text, size_t size)
{
	const int64_t fd = sys_open(path, SYS_RDONLY);
	uint64_t page;
	int64_t length;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	page = scratch("", 1);
	length = call(__NR_read, (uint64_t)fd, page, size - 1, 0);
	if (length > 0) {
		prog_read(text, page, (size_t)length);
		text[length] = '\0';
	}
	scratch_free(page);
	sys_close(fd);
	return length;
}

int64_t sys_write_text(const char *path, const char *text)
{
	const int64_t fd = sys_open(path, SYS_WRONLY);
	uint64_t page;
	int64_t length;

	if (fd < 0)
		return fd;
	page = scratch(text, strlen(text) + 1);
	length = call(__NR_write, (uint64_t)fd, page, strlen(text), 0);
	scratch_free(page);
	sys_close(fd);
	return length;
}

int64_t sys_read_number(const char *path)
{
	char text[64];
	char *end;
	int64_t value;

	if (sys_read_text(path, text, sizeof(text)) <= 0)
		return -1;
	value = strtoll(text, &end, 0);
	return end == text ? -1 : value;
}

int64_t sys_poll(int64_t fd, unsigned int events, uint64_t timeout_ns, unsigned int *revents)
{
	struct {
		int32_t fd;
		int16_t events, revents;
		int64_t seconds, nanoseconds;
	} poll = {
		.fd = (int32_t)fd,
		.events = (int16_t)events,
		.seconds = (int64_t)(timeout_ns / 1000000000u),
		.nanoseconds = (int64_t)(timeout_ns % 1000000000u),
	};
	const uint64_t page = scratch(&poll, sizeof(poll));
	const int64_t ready =
		call(__NR_ppoll, page, 1, timeout_ns == SYS_POLL_FOREVER ? 0 : page + 8, 0);

	prog_read(&poll, page, sizeof(poll));
	scratch_free(page);
	*revents = (uint16_t)poll.revents;
	return ready;
}

/* ---- processes, time ------------------------------------------------------------------------- */

int64_t sys_wait(int64_t pid, int *status)
{
	const uint64_t page = scratch("", 1);
	const int64_t result = call(__NR_wait4, (uint64_t)pid, page, 0, 0);

	prog_read(status, page, sizeof(*status));
	scratch_free(page);
	return result;
}

int64_t sys_kill(int64_t pid, int signal)
{
	return call(__NR_kill, (uint64_t)pid, (uint64_t)signal, 0, 0);
}

void sys_sleep_us(uint64_t us)
{
	const int64_t time[2] = {(int64_t)(us / 1000000u), (int64_t)(us % 1000000u * 1000u)};
	const uint64_t page = scratch(time, sizeof(time));

	call(__NR_nanosleep, page, 0, 0, 0);
	scratch_free(page);
}

/* ---- contents -------------------------------------------------------------------------------- */

static uint8_t pattern_byte(uint64_t offset, unsigned int seed)
{
	const uint64_t mixed = (offset + seed * 0x9e3779b9ull) * 0xff51afd7ed558ccdull;

	return (uint8_t)(mixed >> 56) | 1u;
}

void pattern_write(uint64_t va, size_t bytes, unsigned int seed)
{
	uint8_t chunk[CHUNK];

	for (size_t done = 0; done < bytes;) {
		const size_t part = bytes - done < CHUNK ? bytes - done : CHUNK;

		for (size_t i = 0; i < part; i++)
			chunk[i] = pattern_byte(done + i, seed);
		prog_write(va + done, chunk, part);
		done += part;
	}
}

static bool contents_are(uint64_t va, size_t bytes, unsigned int seed, bool zeros)
{
	uint8_t chunk[CHUNK];

	for (size_t done = 0; done < bytes;) {
		const size_t part = bytes - done < CHUNK ? bytes - done : CHUNK;

		if (!prog_verify_read(chunk, va + done, part))
			return false;
		for (size_t i = 0; i < part; i++)
			if (chunk[i] != (zeros ? 0 : pattern_byte(done + i, seed)))
				return false;
		done += part;
	}
	return true;
}

bool pattern_is(uint64_t va, size_t bytes, unsigned int seed)
{
	return contents_are(va, bytes, seed, false);
}

bool zeros_are(uint64_t va, size_t bytes)
{
	return contents_are(va, bytes, 0, true);
}
