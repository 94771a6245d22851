/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm-generic/unistd.h>
#include <check.h>
#include <errno.h>
#include <misc/uacce/hisi_qm.h>
#include <misc/uacce/uacce.h>
#include <stdio.h>
#include <string.h>

#include "fake_machine.h"
#include "workloads/include/program.h"

struct fake fake;

/* ---- memory: addresses from BASE on, handed out page by page -------------------------------------------- */

#define BASE	  0x7f0000000000ull
#define RAM_BYTES (16u << 20)
#define PAGE	  4096u
#define DUS_BYTES (256u << 10)

static uint8_t ram[RAM_BYTES];
static bool page_mapped[RAM_BYTES / PAGE];
static uint64_t next_free;

void *fake_host(uint64_t va)
{
	ck_assert_msg(va >= BASE && va < BASE + RAM_BYTES, "access to %#llx",
		      (unsigned long long)va);
	ck_assert_msg(page_mapped[(va - BASE) / PAGE], "page of %#llx is not mapped",
		      (unsigned long long)va);
	return ram + (va - BASE);
}

static int64_t sys_mmap(uint64_t bytes, int64_t fd, uint64_t offset)
{
	uint64_t pages = (bytes + PAGE - 1) / PAGE;
	uint64_t va = BASE + next_free;

	ck_assert_uint_le(next_free + pages * PAGE, RAM_BYTES);
	for (uint64_t i = 0; i < pages; i++)
		page_mapped[next_free / PAGE + i] = true;
	memset(ram + next_free, 0, pages * PAGE);
	next_free += (pages + 1) * PAGE; /* a hole behind each */
	fake.mapped += (unsigned int)pages;
	if (fd >= 0 && offset == 0)
		fake.mmio = va;
	else if (fd >= 0)
		fake.dus = va;
	return (int64_t)va;
}

static int64_t sys_munmap(uint64_t va, uint64_t bytes)
{
	for (uint64_t at = va; at < va + bytes; at += PAGE) {
		fake_host(at);
		page_mapped[(at - BASE) / PAGE] = false;
		fake.mapped--;
	}
	return 0;
}

/* ---- the device ------------------------------------------------------------------------------------------ */

static void complete(uint32_t index)
{
	uint8_t *sqe = fake_host(fake.dus + index * 64ull);
	uint8_t *cqe = fake_host(fake.dus + fake.sq_depth * 64ull + fake.cq_tail * 16ull);
	uint64_t source, destination;
	uint32_t length, status = fake.next_status ? fake.next_status : 1;
	uint16_t index16 = (uint16_t)index, number = FAKE_QUEUE, phase;

	memcpy(&length, sqe + 4, 4);
	memcpy(&source, sqe + 8, 8);
	memcpy(&destination, sqe + 16, 8);
	if (status == 1 && sqe[0] == 1)
		memcpy(fake_host(destination), fake_host(source), length);
	else
		length = 0;
	memcpy(sqe + 32, &status, 4);
	memcpy(sqe + 36, &length, 4);
	memcpy(cqe + 4, sqe + 2, 2);
	memcpy(cqe + 8, &index16, 2);
	memcpy(cqe + 10, &number, 2);
	phase = (uint16_t)fake.phase;
	memcpy(cqe + 14, &phase, 2);
	fake.cq_tail = (fake.cq_tail + 1) % fake.cq_depth;
	if (!fake.cq_tail)
		fake.phase ^= 1;
}

static uint32_t cq_room(void)
{
	return fake.cq_depth - 1 - (fake.cq_tail + fake.cq_depth - fake.cq_head) % fake.cq_depth;
}

/* As many as the CQ has room for. */
static void run_device(void)
{
	uint32_t count = (fake.tail + fake.sq_depth - fake.head) % fake.sq_depth;

	if (count > cq_room())
		count = cq_room();
	for (uint32_t i = 0; i < count; i++)
		complete((fake.head + (fake.reverse ? count - 1 - i : i)) % fake.sq_depth);
	fake.head = (fake.head + count) % fake.sq_depth;
}

static void doorbell(uint64_t value)
{
	uint32_t index = value >> 32 & 0xffff;

	ck_assert_uint_eq(value & 0x3ff, FAKE_QUEUE);
	if ((value >> 12 & 0xf) == 0) {
		ck_assert_uint_lt(index, fake.sq_depth);
		fake.sq_doorbells++;
		fake.priority = value >> 48;
		fake.tail = index;
	} else {
		ck_assert_uint_eq(value >> 12 & 0xf, 1);
		ck_assert_uint_lt(index, fake.cq_depth);
		fake.cq_doorbells++;
		fake.cq_head = index;
		fake.armed = value >> 48 & 1;
		fake.arms += fake.armed;
	}
	if (!fake.hold)
		run_device();
}

/* The last word makes it an entry: the device keeps it where the ring would have it. */
static void push_store(unsigned int word, uint64_t value)
{
	fake.line[word] = value;
	if (word != 7)
		return;
	ck_assert_uint_le((fake.tail + fake.sq_depth - fake.head) % fake.sq_depth + 1,
			  fake.push_entries);
	memcpy(fake_host(fake.dus + fake.tail * 64ull), fake.line, sizeof(fake.line));
	fake.tail = (fake.tail + 1) % fake.sq_depth;
	fake.pushes++;
	if (!fake.hold)
		run_device();
}

/* ---- files -------------------------------------------------------------------------------------------------- */

#define FD_DIR	  3
#define FD_ATTR	  4
#define FD_DEVICE 5

static unsigned int dir_next;
static char attribute[256];

static int64_t open_attribute(const char *path)
{
	for (unsigned int i = 0; i < fake.device_count; i++) {
		const struct fake_device *d = &fake.devices[i];
		const struct {
			const char *name, *value;
		} attributes[] = {
			{"api", d->api},
			{"algorithms", d->algorithms},
			{"flags", d->flags},
			{"available_instances", d->instances},
			{"region_mmio_size", "65536"},
			{"region_dus_size", "262144"},
		};
		size_t length = strlen(d->name);

		if (strncmp(path, d->name, length) || path[length] != '/')
			continue;
		for (size_t n = 0; n < sizeof(attributes) / sizeof(attributes[0]); n++) {
			if (!strcmp(path + length + 1, attributes[n].name) && attributes[n].value) {
				snprintf(attribute, sizeof(attribute), "%s\n", attributes[n].value);
				fake.open_fds++;
				return FD_ATTR;
			}
		}
	}
	return -ENOENT;
}

static int64_t sys_openat(const char *path)
{
	if (!strcmp(path, "/sys/class/uacce")) {
		dir_next = 0;
		fake.open_fds++;
		return fake.devices ? FD_DIR : (fake.open_fds--, -ENOENT);
	}
	if (!strncmp(path, "/sys/class/uacce/", 17))
		return open_attribute(path + 17);
	ck_assert(!strncmp(path, "/dev/", 5));
	snprintf(fake.opened, sizeof(fake.opened), "%s", path + 5);
	fake.open_fds++;
	return FD_DEVICE;
}

/* A few entries at a time, as a small buffer would make of many. */
static int64_t sys_getdents(uint64_t buffer)
{
	static const char *const dots[] = {".", ".."};
	int64_t bytes = 0;

	for (unsigned int i = 0; i < 3 && dir_next < fake.device_count + 2; i++, dir_next++) {
		const char *name = dir_next < 2 ? dots[dir_next] : fake.devices[dir_next - 2].name;
		uint16_t reclen = (uint16_t)((19 + strlen(name) + 1 + 7) / 8 * 8);
		uint8_t *entry = fake_host(buffer + (uint64_t)bytes);

		memset(entry, 0, reclen);
		memcpy(entry + 16, &reclen, 2);
		memcpy(entry + 19, name, strlen(name) + 1);
		bytes += reclen;
	}
	return bytes;
}

static int64_t sys_read(uint64_t buffer, uint64_t bytes)
{
	size_t length = strlen(attribute);

	if (length > bytes)
		length = bytes;
	memcpy(fake_host(buffer), attribute, length);
	return (int64_t)length;
}

static int64_t sys_ioctl(uint32_t command, uint64_t arg)
{
	struct hisi_qp_ctx *context;
	struct hisi_qp_info *info;

	switch (command) {
	case UACCE_CMD_QM_SET_QP_CTX:
		context = fake_host(arg);
		ck_assert_uint_eq(context->qc_type, 0);
		context->id = FAKE_QUEUE;
		return 0;
	case UACCE_CMD_QM_SET_QP_INFO:
		info = fake_host(arg);
		info->sqe_size = fake.sqe_size;
		info->sq_depth = fake.sq_depth;
		info->cq_depth = fake.cq_depth;
		return 0;
	case UACCE_CMD_START_Q:
		fake.started++;
		return 0;
	case UACCE_CMD_PUT_Q:
		fake.put++;
		return 0;
	default:
		ck_abort_msg("ioctl %#x", command);
	}
}

static int64_t sys_ppoll(uint64_t pollfd)
{
	const int32_t *fd = fake_host(pollfd);

	ck_assert_int_eq(*fd, FD_DEVICE);
	ck_assert(fake.armed);
	fake.armed = 0;
	fake.polls++;
	fake.hold = false;
	run_device();
	return 1;
}

int64_t prog_syscall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		     uint64_t a4, uint64_t a5)
{
	if (number == fake.fail_number && fake.fail_nth && --fake.fail_nth == 0)
		return fake.fail_error;
	switch (number) {
	case __NR_openat:
		return sys_openat(fake_host(a1));
	case __NR_close:
		fake.open_fds--;
		return 0;
	case __NR_read:
		return sys_read(a1, a2);
	case __NR_getdents64:
		return sys_getdents(a1);
	case __NR_ioctl:
		return sys_ioctl((uint32_t)a1, a2);
	case __NR_mmap:
		ck_assert_uint_eq(a2, 3);
		return sys_mmap(a1, a3 & 0x20 ? -1 : (int64_t)a4, a5);
	case __NR_munmap:
		return sys_munmap(a0, a1);
	case __NR_ppoll:
		return sys_ppoll(a0);
	default:
		ck_abort_msg("system call %llu", (unsigned long long)number);
	}
}

/* ---- loads, stores, the rest of program.h ------------------------------------------------------------------------- */

uint64_t prog_load(uint64_t va, unsigned int size)
{
	uint64_t value = 0;

	ck_assert_uint_eq(va % size, 0);
	if (fake.mmio && va == fake.mmio + 0x2000)
		return fake.push_entries;
	memcpy(&value, fake_host(va), size);
	return value;
}

void prog_store(uint64_t va, uint64_t value, unsigned int size)
{
	ck_assert_uint_eq(va % size, 0);
	if (fake.mmio && va == fake.mmio + 0x1000) {
		fake_host(va);
		ck_assert_uint_eq(size, 8);
		doorbell(value);
		return;
	}
	if (fake.mmio && va >= fake.mmio + 0x2000 && va < fake.mmio + 0x2040) {
		ck_assert_uint_eq(size, 8);
		push_store((unsigned int)(va - fake.mmio) % 64 / 8, value);
		return;
	}
	memcpy(fake_host(va), &value, size);
}

uint64_t prog_cas(uint64_t va, uint64_t expected, uint64_t desired, unsigned int size)
{
	uint64_t old;

	if (fake.cas_failures && --fake.cas_failures) {
		prog_store(va, 1, size);
		return 1;
	}
	if (fake.lock_polls)
		prog_store(va, 0, size);
	old = prog_load(va, size);
	if (old == expected)
		prog_store(va, desired, size);
	return old;
}

uint64_t prog_swap(uint64_t va, uint64_t value, unsigned int size)
{
	uint64_t old = prog_load(va, size);

	prog_store(va, value, size);
	return old;
}

void prog_read(void *local, uint64_t va, size_t bytes)
{
	fake_host(va + bytes - 1);
	memcpy(local, fake_host(va), bytes);
}

void prog_write(uint64_t va, const void *local, size_t bytes)
{
	fake_host(va + bytes - 1);
	memcpy(fake_host(va), local, bytes);
}

void prog_barrier(enum prog_barrier kind)
{
	(void)kind;
}

void prog_poll_line(uint64_t va, uint64_t timeout_ns)
{
	(void)timeout_ns;
	fake_host(va);
	fake.lock_polls++;
}

void prog_mark_queue_open(unsigned int device, unsigned int queue, unsigned int depth)
{
	(void)device;
	ck_assert_uint_eq(queue, FAKE_QUEUE);
	ck_assert_uint_eq(depth, fake.sq_depth);
	fake.queues_opened++;
}

void prog_mark_queue_close(unsigned int device, unsigned int queue)
{
	(void)device;
	ck_assert_uint_eq(queue, FAKE_QUEUE);
	fake.queues_closed++;
}

void prog_mark_send(unsigned int device, unsigned int queue, unsigned int index)
{
	(void)device;
	(void)queue;
	ck_assert_uint_eq(index, fake.sends++ % fake.sq_depth);
}

/* Before the doorbell that covers it, in order. */
void prog_mark_submitted(unsigned int device, unsigned int queue, unsigned int index)
{
	(void)device;
	(void)queue;
	ck_assert_uint_eq(index, fake.submitted++ % fake.sq_depth);
}

void prog_mark_received(unsigned int device, unsigned int queue, unsigned int index, uint64_t bytes,
			bool ok)
{
	(void)device;
	(void)queue;
	(void)bytes;
	ck_assert_uint_lt(index, fake.sq_depth);
	fake.received++;
	fake.received_ok += ok;
}

void fake_set_dead(void)
{
	uint32_t *end = fake_host(fake.dus + DUS_BYTES - 8);

	end[0] = end[1] = 1;
}

void fake_init(void)
{
	static const struct fake_device device = {"svasim_qm-0", "hisi_qm_v3", "copy\ncrc32c", "1",
						  "1024"};

	fake = (struct fake){
		.devices = &device,
		.device_count = 1,
		.sq_depth = 16,
		.cq_depth = 16,
		.sqe_size = 64,
		.phase = 1,
	};
}
