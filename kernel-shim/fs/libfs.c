// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers that other parts of the kernel take from fs/ (fs/libfs.c, fs/fs_types.c, fs/proc), and a file system that is
 * never mounted, for the one inode in it that kernel/resource.c asks for. There is no /proc.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_types.h>
#include <linux/mount.h>
#include <linux/proc_fs.h>
#include <linux/pseudo_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "shim.h"
#include "fs.h"

ssize_t memory_read_from_buffer(void *to, size_t count, loff_t *pos, const void *from,
				size_t available)
{
	size_t at = (size_t)*pos;

	if (*pos < 0)
		return -EINVAL;
	if (at >= available)
		return 0;
	count = min(count, available - at);
	memcpy(to, from + at, count);
	*pos += (loff_t)count;
	return (ssize_t)count;
}

unsigned char fs_umode_to_dtype(umode_t mode)
{
	return (mode & S_IFMT) >> 12; /* DT_ is S_IF without its twelve lower bits */
}

int simple_pin_fs(struct file_system_type *type, struct vfsmount **mount, int *count)
{
	static struct super_block internal_sb;
	static struct vfsmount internal_mount = {.mnt_sb = &internal_sb};

	*mount = &internal_mount;
	++*count;
	return 0;
}

void simple_release_fs(struct vfsmount **mount, int *count)
{
	if (!--*count)
		*mount = NULL;
}

struct inode *alloc_anon_inode(struct super_block *sb)
{
	return shim_inode_new(S_IRUSR | S_IWUSR, 0) ?: ERR_PTR(-ENOMEM);
}

struct proc_dir_entry *proc_create_seq_private(const char *name, umode_t mode,
					       struct proc_dir_entry *parent,
					       const struct seq_operations *ops,
					       unsigned int state_size, void *data)
{
	return NULL;
}

struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent,
				    const char *target)
{
	return NULL;
}
