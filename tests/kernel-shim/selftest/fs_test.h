/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the self-tests of files and devices: the task that runs the tests wears an address space and a file-descriptor table;
 * system calls by number; paths and buffers at the beginning of two mapped pages.
 */
#ifndef TESTS_KERNEL_SHIM_SELFTEST_FS_TEST_H
#define TESTS_KERNEL_SHIM_SELFTEST_FS_TEST_H

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/task_work.h>

#include "mm_test.h"

enum {
	NR_dup = 23,
	NR_dup3 = 24,
	NR_fcntl = 25,
	NR_ioctl = 29,
	NR_openat = 56,
	NR_close = 57,
	NR_getdents64 = 61,
	NR_lseek = 62,
	NR_read = 63,
	NR_write = 64,
	NR_ppoll = 73,
	NR_readlinkat = 78,
	NR_newfstatat = 79,
	NR_fstat = 80,
};

/* A process of the test: its memory, its files, a page for a path and one for data. */
struct fs_process {
	struct mm_struct *mm;
	struct shim_files *files;
	u64 path, data;
};

static noinline void __maybe_unused fs_enter(struct fs_process *p)
{
	p->mm = shim_mm_alloc();
	p->files = shim_files_new();
	wear_mm(p->mm);
	shim_task(current)->files = p->files;
	p->path = map_anon(2);
	p->data = p->path + PAGE_SIZE;
}

static noinline void __maybe_unused fs_leave(struct fs_process *p)
{
	drop_mm(p->mm);
	shim_task(current)->files = NULL;
	shim_files_put(p->files);
	flush_delayed_fput();
}

static noinline s64 __maybe_unused fs_syscall(u32 number, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	const u64 args[7] = {a, b, c, d, e};
	const struct shim_syscall *call;

	for (call = shim_syscalls_fs; call->name; call++)
		if (call->number == number)
			return call->fn(args);
	return -ENOSYS;
}

static noinline void __maybe_unused put_string(struct fs_process *p, u64 at, const char *string)
{
	do
		user_store(p->mm, at++, (u8)*string);
	while (*string++);
}

static noinline s64 __maybe_unused fs_open(struct fs_process *p, const char *path, u64 flags)
{
	put_string(p, p->path, path);
	return fs_syscall(NR_openat, (u64)AT_FDCWD, p->path, flags, 0, 0);
}

static noinline s64 __maybe_unused fs_close(s64 fd)
{
	return fs_syscall(NR_close, (u64)fd, 0, 0, 0, 0);
}

/* Reads into the data page and compares with a string. */
static noinline bool __maybe_unused fs_read_is(struct fs_process *p, s64 fd, const char *expected)
{
	s64 length = fs_syscall(NR_read, (u64)fd, p->data, 4000, 0, 0);

	if (length != (s64)strlen(expected))
		return false;
	for (s64 i = 0; i < length; i++)
		if (user_load(p->mm, p->data + (u64)i) != (u8)expected[i])
			return false;
	return true;
}

static noinline bool __maybe_unused fs_file_is(struct fs_process *p, const char *path,
					       const char *expected)
{
	s64 fd = fs_open(p, path, O_RDONLY);
	bool same = fd >= 0 && fs_read_is(p, fd, expected);

	if (fd >= 0)
		fs_close(fd);
	return same;
}

static noinline s64 __maybe_unused fs_write_file(struct fs_process *p, const char *path,
						 const char *text)
{
	s64 fd = fs_open(p, path, O_WRONLY), ret;

	if (fd < 0)
		return fd;
	put_string(p, p->data, text);
	ret = fs_syscall(NR_write, (u64)fd, p->data, strlen(text), 0, 0);
	fs_close(fd);
	return ret;
}

static noinline bool __maybe_unused fs_exists(struct fs_process *p, const char *path)
{
	put_string(p, p->path, path);
	return fs_syscall(NR_newfstatat, (u64)AT_FDCWD, p->path, p->data, 0, 0) == 0;
}

static noinline s64 __maybe_unused fs_readlink(struct fs_process *p, const char *path)
{
	put_string(p, p->path, path);
	return fs_syscall(NR_readlinkat, (u64)AT_FDCWD, p->path, p->data, 4000, 0);
}

#endif
