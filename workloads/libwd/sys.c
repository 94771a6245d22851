/* SPDX-License-Identifier: BSD-3-Clause */
/* System calls of the library. Only the generic table of numbers is included: the host's own would contradict it. */
#include <asm-generic/unistd.h>
#include <string.h>

#include "workloads/include/program.h"
#include "workloads/libwd/sys.h"

#define SYS_AT_FDCWD ((uint64_t)-100)

int64_t sys_open(uint64_t scratch, const char *path, uint32_t flags)
{
	prog_write(scratch, path, strlen(path) + 1);
	return prog_syscall(__NR_openat, SYS_AT_FDCWD, scratch, flags, 0, 0, 0);
}

int64_t sys_close(int64_t fd)
{
	return prog_syscall(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
}

int64_t sys_read(int64_t fd, uint64_t buffer, size_t bytes)
{
	return prog_syscall(__NR_read, (uint64_t)fd, buffer, bytes, 0, 0, 0);
}

int64_t sys_getdents(int64_t fd, uint64_t buffer, size_t bytes)
{
	return prog_syscall(__NR_getdents64, (uint64_t)fd, buffer, bytes, 0, 0, 0);
}

int64_t sys_ioctl(int64_t fd, uint32_t command, uint64_t arg)
{
	return prog_syscall(__NR_ioctl, (uint64_t)fd, command, arg, 0, 0, 0);
}

int64_t sys_mmap(size_t bytes, uint32_t prot, uint32_t flags, int64_t fd, uint64_t offset)
{
	return prog_syscall(__NR_mmap, 0, bytes, prot, flags, (uint64_t)fd, offset);
}

int64_t sys_munmap(uint64_t address, size_t bytes)
{
	return prog_syscall(__NR_munmap, address, bytes, 0, 0, 0, 0);
}

int64_t sys_poll(uint64_t pollfd)
{
	return prog_syscall(__NR_ppoll, pollfd, 1, 0, 0, 0, 0);
}
