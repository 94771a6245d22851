/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls of AArch64 Linux for a test's programs, with their arguments as C values; results
 * are negative errno. What the kernel reads or writes for a call goes through a scratch page of its
 * own, which is unmapped afterwards.
 */
#ifndef TESTS_E2E_SYS_H
#define TESTS_E2E_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	 4096ull
#define MEBIBYTE (1ull << 20)

#define SYS_RDONLY 0
#define SYS_WRONLY 1
#define SYS_RDWR   2

#define SYS_PROT_NONE 0
#define SYS_PROT_READ 1
#define SYS_PROT_RW   3

#define SYS_POLLIN	 0x001
#define SYS_POLL_FOREVER UINT64_MAX

/* Private anonymous memory: at `va`, replacing what is there, or anywhere if `va` is 0 */
int64_t sys_map(uint64_t va, uint64_t bytes, unsigned int protection);
/* Anonymous memory that a forked child shares */
int64_t sys_map_shared(uint64_t bytes);
int64_t sys_map_file(uint64_t bytes, unsigned int protection, int64_t fd, uint64_t offset);
int64_t sys_unmap(uint64_t va, uint64_t bytes);
int64_t sys_protect(uint64_t va, uint64_t bytes, unsigned int protection);
int64_t sys_discard(uint64_t va, uint64_t bytes); /* madvise(MADV_DONTNEED) */
/* mremap(2) with MREMAP_MAYMOVE, to `to` if that is not 0 */
int64_t sys_remap(uint64_t va, uint64_t old_bytes, uint64_t bytes, uint64_t to);

int64_t sys_open(const char *path, unsigned int flags);
int64_t sys_close(int64_t fd);
int64_t sys_ioctl(int64_t fd, uint64_t command, uint64_t argument);
/* A whole small file as a string; its length, or negative errno */
int64_t sys_read_text(const char *path, char *text, size_t size);
int64_t sys_write_text(const char *path, const char *text);
/* The number that a file begins with; -1 if there is none */
int64_t sys_read_number(const char *path);
/* poll(2) of one file: what ppoll returns, and revents */
int64_t sys_poll(int64_t fd, unsigned int events, uint64_t timeout_ns, unsigned int *revents);

/* wait4(2): the pid; *status as wait(2) says it */
int64_t sys_wait(int64_t pid, int *status);
int64_t sys_kill(int64_t pid, int signal);
void sys_sleep_us(uint64_t us);

/* Contents that depend on the place and on a seed; no byte is 0 */
void pattern_write(uint64_t va, size_t bytes, unsigned int seed);
/* By the verifier: without touching anything */
bool pattern_is(uint64_t va, size_t bytes, unsigned int seed);
bool zeros_are(uint64_t va, size_t bytes);

#endif
