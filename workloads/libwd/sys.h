/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system calls that the library makes, by their asm-generic (AArch64) numbers. Pointers are process
 * addresses; strings are put into the process's memory at `scratch` first.
 */
#ifndef WORKLOADS_LIBWD_SYS_H
#define WORKLOADS_LIBWD_SYS_H

#include <stddef.h>
#include <stdint.h>

#define SYS_PAGE 4096u

/* AArch64 values: O_DIRECTORY and its neighbours differ from x86's, these do not */
#define SYS_O_RDONLY  0x0u
#define SYS_O_RDWR    0x2u
#define SYS_O_CLOEXEC 0x80000u

#define SYS_PROT_READ	  0x1u
#define SYS_PROT_WRITE	  0x2u
#define SYS_MAP_SHARED	  0x01u
#define SYS_MAP_PRIVATE	  0x02u
#define SYS_MAP_ANONYMOUS 0x20u

#define SYS_POLLIN 0x1

struct sys_dirent {
	uint64_t ino;
	int64_t offset;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* Each returns what the kernel does: negative errno on error. */
int64_t sys_open(uint64_t scratch, const char *path, uint32_t flags);
int64_t sys_close(int64_t fd);
int64_t sys_read(int64_t fd, uint64_t buffer, size_t bytes);
int64_t sys_getdents(int64_t fd, uint64_t buffer, size_t bytes);
int64_t sys_ioctl(int64_t fd, uint32_t command, uint64_t arg);
int64_t sys_mmap(size_t bytes, uint32_t prot, uint32_t flags, int64_t fd, uint64_t offset);
int64_t sys_munmap(uint64_t address, size_t bytes);
/* Waits without limit; `pollfd`: one struct pollfd in the process's memory. */
int64_t sys_poll(uint64_t pollfd);

#endif
