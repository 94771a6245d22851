// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies between the kernel and the current process. They go through the CPU's MMU, as LDTR and
 * STTR do: the machine translates, takes page faults and accounts the time. What could not be
 * copied is returned, as everywhere in the kernel.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mm_internal.h"

unsigned long task_size = PT_LIMIT;

static unsigned long copy_user(const void __user *user, void *kernel, unsigned long bytes,
			       unsigned int access)
{
	if (!bytes)
		return 0;
	if (!current->mm)
		return bytes;
	return machine->copy_user(shim_cpu(), (u64)(unsigned long)user, kernel, bytes, access);
}

unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	return copy_user(from, to, n, KI_READ);
}

unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	return copy_user(to, (void *)from, n, KI_WRITE);
}

unsigned long __clear_user(void __user *to, unsigned long n)
{
	static const char zeroes[256];

	while (n) {
		unsigned long part = min(n, sizeof(zeroes));

		if (raw_copy_to_user(to, zeroes, part))
			return n;
		to += part;
		n -= part;
	}
	return 0;
}

/*
 * The bytes from `user` on that can be read without crossing into the next page, where a fault may
 * wait
 */
static unsigned long string_chunk(const char __user *user, long count)
{
	unsigned long to_page_end = PAGE_SIZE - offset_in_page((unsigned long)user);

	return min3(to_page_end, (unsigned long)count, 64UL);
}

/* The length without the final NUL, count if there is none, -EFAULT */
long strncpy_from_user(char *dst, const char __user *src, long count)
{
	long done = 0;

	while (done < count) {
		unsigned long chunk = string_chunk(src + done, count - done);
		char *nul;

		if (!access_ok(src + done, chunk) ||
		    raw_copy_from_user(dst + done, src + done, chunk))
			return -EFAULT;
		nul = memchr(dst + done, 0, chunk);
		if (nul)
			return nul - dst;
		done += chunk;
	}
	return count > 0 ? count : 0;
}

/* The length with the final NUL, more than count if there is none, 0 on a fault */
long strnlen_user(const char __user *src, long count)
{
	char bytes[64];
	long done = 0;

	while (done < count) {
		unsigned long chunk = string_chunk(src + done, count - done);
		char *nul;

		if (!access_ok(src + done, chunk) || raw_copy_from_user(bytes, src + done, chunk))
			return 0;
		nul = memchr(bytes, 0, chunk);
		if (nul)
			return done + (nul - bytes) + 1;
		done += chunk;
	}
	return count + 1;
}

static void *memdup_user_tail(const void __user *src, size_t len, size_t tail)
{
	char *copy = kmalloc(len + tail, GFP_USER);

	if (!copy)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(copy, src, len)) {
		kfree(copy);
		return ERR_PTR(-EFAULT);
	}
	memset(copy + len, 0, tail);
	return copy;
}

void *memdup_user(const void __user *src, size_t len)
{
	return memdup_user_tail(src, len, 0);
}

void *vmemdup_user(const void __user *src, size_t len)
{
	return memdup_user_tail(src, len, 0);
}

void *memdup_user_nul(const void __user *src, size_t len)
{
	return memdup_user_tail(src, len, 1);
}

char *strndup_user(const char __user *s, long n)
{
	long length = strnlen_user(s, n);
	char *copy;

	if (!length)
		return ERR_PTR(-EFAULT);
	if (length > n)
		return ERR_PTR(-EINVAL);
	copy = memdup_user(s, length);
	if (!IS_ERR(copy))
		copy[length - 1] = '\0';
	return copy;
}
